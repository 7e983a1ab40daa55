//! The scripts: each is one step that nothing can come between.

use std::sync::LazyLock;

use redis::Script;

const BASE: &str = include_str!("lua/base.lua");
const JOBS: &str = include_str!("lua/jobs.lua");
const ORDERS: &str = include_str!("lua/orders.lua");
const ENDS: &str = include_str!("lua/ends.lua");
const RUNS: &str = include_str!("lua/runs.lua");
const LOOK: &str = include_str!("lua/look.lua");

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident: $($part:expr),+;)+) => {
        $(
            $(#[$doc])*
            pub(super) static $name: LazyLock<Script> = LazyLock::new(|| Script::new(&[$($part),+].join("\n")));
        )+
    };
}

scripts! {
    ENQUEUE: BASE, JOBS, ORDERS, include_str!("lua/enqueue.lua");
    CLAIM: BASE, JOBS, ORDERS, ENDS, RUNS, include_str!("lua/claim.lua");
    SETTLE: BASE, JOBS, ORDERS, ENDS, RUNS, include_str!("lua/settle.lua");
    CANCEL: BASE, JOBS, ORDERS, ENDS, RUNS, include_str!("lua/cancel.lua");
    RETRY: BASE, JOBS, ORDERS, ENDS, RUNS, include_str!("lua/retry.lua");
    BEAT: BASE, include_str!("lua/beat.lua");
    FIND: BASE, LOOK, include_str!("lua/find.lua");
    LIST: BASE, LOOK, include_str!("lua/list.lua");
    FIGURES: BASE, include_str!("lua/figures.lua");
    TIDY: BASE, include_str!("lua/tidy.lua");
    HOLD: BASE, include_str!("lua/hold.lua");
    RECALL: BASE, include_str!("lua/recall.lua");
    REMEMBER: BASE, include_str!("lua/remember.lua");
    TURN: BASE, include_str!("lua/turn.lua");
    PAUSE: BASE, include_str!("lua/pause.lua");
    ATTEND: BASE, include_str!("lua/attend.lua");
}
