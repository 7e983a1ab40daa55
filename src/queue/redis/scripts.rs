//! The scripts: each is one step of the state machine.

use std::sync::LazyLock;

use crate::redis_client::Script;

macro_rules! scripts {
    ($($name:ident: $file:literal;)+) => {$(
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::with_library($file, include_str!("lua/lib.lua"), include_str!(concat!("lua/", $file, ".lua")))
        });
    )+};
}

scripts! {
    ENQUEUE: "enqueue";
    CLAIM: "claim";
    HEARTBEAT: "heartbeat";
    SETTLE: "settle";
    CANCEL: "cancel";
    RETRY: "retry";
    FIND: "find";
    LIST: "list";
    COUNT: "count";
    FORGET_IDLE_WORKERS: "forget_idle_workers";
}
