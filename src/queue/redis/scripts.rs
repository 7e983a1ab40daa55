//! The scripts: each is one step of the state machine.

use std::sync::LazyLock;

use crate::redis_client::Script;

macro_rules! scripts {
    ($($name:ident: $file:literal, $($library:literal),+;)+) => {$(
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            let libraries = [$(include_str!(concat!("lua/", $library, ".lua"))),+];
            Script::with_libraries($file, &libraries, include_str!(concat!("lua/", $file, ".lua")))
        });
    )+};
}

scripts! {
    ENQUEUE: "enqueue", "lib";
    CLAIM: "claim", "lib", "ends";
    HEARTBEAT: "heartbeat", "lib", "ends";
    SETTLE: "settle", "lib", "ends";
    CANCEL: "cancel", "lib", "ends";
    RETRY: "retry", "lib", "ends";
    FIND: "find", "lib", "ends";
    HELD: "held", "lib";
    LIST: "list", "lib", "ends";
    COUNT: "count", "lib";
    REPAIR: "repair", "lib", "ends";
    FORGET_IDLE_WORKERS: "forget_idle_workers", "lib";
}
