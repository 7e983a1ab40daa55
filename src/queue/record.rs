//! Jobs as somebody sees them who looks at the queue.

use std::{collections::BTreeMap, fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Job, JobId};
use crate::model::RowId;

/// Where a job is in its life.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for its time.
    Delayed,
    /// Waits for a twin that runs.
    Parked,
    /// May be claimed.
    Ready,
    /// A worker has it.
    Running,
    /// It began a run whose parts are not all done.
    Spread,
    /// Done.
    Done,
    /// Cancelled.
    Cancelled,
    /// Out of attempts, or not understood.
    Dead,
}

impl State {
    /// All of them, in the order of a job's life.
    pub const ALL: [Self; 8] = [
        Self::Delayed,
        Self::Parked,
        Self::Ready,
        Self::Running,
        Self::Spread,
        Self::Done,
        Self::Cancelled,
        Self::Dead,
    ];

    /// Whether it waits for its turn.
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, Self::Delayed | Self::Parked | Self::Ready)
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::Parked => "parked",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Spread => "spread",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
        }
    }

    /// Whether nothing more will happen by itself.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Dead)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// Done so far.
    pub done: u64,
    /// Known so far to be done in all.
    pub total: u64,
    /// What is going on, in words.
    pub phase: String,
}

/// A job as somebody sees it who looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: JobId,
    /// The job; `None` when it is not understood.
    pub job: Option<Job>,
    /// Where it is.
    pub state: State,
    /// Attempts begun.
    pub attempts: u32,
    /// When it was first asked for.
    pub created: Timestamp,
    /// When it is due, if it waits for a time.
    pub due: Option<Timestamp>,
    /// When it was last claimed.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How far it is; for a job that is spread, parts.
    pub progress: Progress,
    /// What the last failed attempt met.
    pub error: Option<String>,
    /// What came of it.
    pub result: Option<Value>,
    /// The worker that has or had it.
    pub worker: Option<String>,
    /// Grows with each change of this record.
    pub version: u64,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this config.
    pub config: Option<RowId>,
    /// Only those asked for before this one.
    pub before: Option<JobId>,
    /// At most so many.
    pub limit: usize,
}

/// The end of a cancellation or a retry that somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It was done; a job that runs will come to an end soon.
    Taken,
    /// There is no such job.
    Unknown,
    /// The job's state does not allow it.
    Unfit(State),
}

/// Figures about the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Jobs that are not over, and dead ones, by state; with 0 for states that no job is in.
    pub jobs: BTreeMap<State, u64>,
    /// How long the oldest ready job has been ready.
    pub oldest_ready: Duration,
}
