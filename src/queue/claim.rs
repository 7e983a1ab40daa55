//! A job in the hands of a worker: from its claim to its end.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    job::{Job, JobId},
    order::Order,
};

/// A worker that asks for jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimant<'a> {
    /// Its name, which no other process has or ever had.
    pub name: &'a str,
    /// The jobs that it has not let go of, even if it has lost them: it gets none of these. What it was given before and
    /// does not name, it gets again at once: the answer was lost on its way, or the worker gave the job up. With `None` it
    /// does not say, and what it has lost comes back when the lease is over.
    pub holds: Option<&'a [JobId]>,
}

impl Claimant<'_> {
    pub(super) fn holds(&self, job: &JobId) -> bool {
        self.holds.is_some_and(|held| held.contains(job))
    }
}

impl<'a> From<&'a str> for Claimant<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, holds: None }
    }
}

impl<'a> From<&'a String> for Claimant<'a> {
    fn from(name: &'a String) -> Self {
        Self::from(name.as_str())
    }
}

/// A job in the hands of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The id of the job.
    pub id: JobId,
    /// The job, with everything that was asked for until now.
    pub job: Job,
    /// The number of this attempt, from 1. It counts from the first heartbeat, note or ending on.
    pub attempt: u32,
    /// The number of the claim, higher than that of any earlier claim of this job. Older claims are refused.
    pub fence: u64,
    /// When it was first asked for.
    pub created: Timestamp,
}

/// The queue's answer to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Go on.
    Yours,
    /// Somebody cancelled the job: come to an end.
    Cancelled,
    /// Another worker has it: stop at once.
    Lost,
}

/// The queue's answer to a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// The same as after a heartbeat. When the claim is lost, the note was refused.
    pub signal: Signal,
    /// True if a job is ready, or due, that no worker has claimed.
    pub others_wait: bool,
}

/// The end of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Done; `then` is queued in the same step.
    Done {
        /// The result, for whoever looks at the job.
        result: Value,
        /// Jobs that follow.
        then: Vec<Order>,
    },
    /// Still to be done, later; does not count as an attempt. Without a wait the job goes behind all that are ready.
    Again {
        /// The wait.
        wait: Duration,
    },
    /// It failed. With attempts left and a wait it is tried again, else it goes to the dead letters.
    Failed {
        /// The error with the whole chain of causes.
        error: String,
        /// The wait before another attempt, if that may help.
        retry: Option<Duration>,
    },
    /// It stopped because somebody cancelled it.
    Cancelled,
    /// This worker is going away: another one may have it at once. Does not count as an attempt.
    HandedBack,
}

/// The queue's answer to an ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was taken.
    Taken,
    /// Another worker has the job, or it is over: nothing was changed.
    Lost,
}
