//! A job in the hands of a worker: from its claim to its end.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Job, JobId, Order};

/// A job in the hands of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its id.
    pub id: JobId,
    /// The job, with everything that was asked for until now.
    pub job: Job,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Number of the claim, higher than that of any earlier claim of this job. Older ones are not listened to.
    pub fence: u64,
    /// When it was first asked for.
    pub created: Timestamp,
    /// Number of the claim among all of jobs of its config: nobody had that config between two that follow each other.
    /// 0 for a job that names none.
    pub turn: u64,
}

/// What a sign of life is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Go on.
    Yours,
    /// Somebody cancelled the job: come to an end.
    Cancelled,
    /// Another worker has it: stop at once.
    Lost,
}

/// How a claim ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Done; `then` is queued in the same step.
    Done {
        /// What came of it, for whoever looks at the job.
        result: Value,
        /// What this part found, for the [`Work::RecordRun`](super::Work::RecordRun) of its run; nothing for a job that is no part.
        part: Option<Value>,
        /// Jobs that follow.
        then: Vec<Order>,
    },
    /// Still to be done, later; does not count as an attempt.
    Again {
        /// How long it waits.
        wait: Duration,
    },
    /// It failed. With attempts left and a wait it is tried again, else it goes to the dead letters.
    Failed {
        /// What happened, with the whole chain of causes.
        error: String,
        /// When trying again may help: how long to wait.
        retry: Option<Duration>,
    },
    /// It stopped because somebody cancelled it.
    Cancelled,
    /// This worker is going away: another one may have it at once. Does not count as an attempt.
    HandedBack,
}

/// Whether an ending was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was.
    Taken,
    /// Another worker has the job, or it is over: nothing was changed.
    Lost,
}

/// A part of a run, as its [`Work::RecordRun`](super::Work::RecordRun) finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What a job ended with.
    Found(Value),
    /// Why one did not come to an end.
    Failed(String),
}
