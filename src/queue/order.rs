//! Orders: jobs and when they are to run.

use std::time::Duration;

use super::job::{Job, JobId};

/// A job and when it is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The job.
    pub job: Job,
    /// The least wait.
    pub delay: Delay,
}

/// The wait of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// It does not wait. A twin that is still waiting is brought forward.
    None,
    /// This long, as for a start that is spread out. A twin that is waiting keeps the earlier time of the two.
    For(Duration),
    /// Until nothing more was asked for during `quiet`, but at most `longest` after the first time.
    Debounce {
        /// Each further order of the same key begins it anew.
        quiet: Duration,
        /// Limits the wait, from the first order on.
        longest: Duration,
    },
}

/// An order that the queue has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    /// The job that does it.
    pub job: JobId,
    /// True if that job was there before.
    pub coalesced: bool,
}
