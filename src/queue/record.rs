//! Jobs as the queue shows them.

use std::{collections::BTreeMap, fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::job::{Job, JobId};
use crate::model::{AggregateProgress, RowId, SourceName};

/// The place of a job in its life.
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
    /// Done.
    Done,
    /// Cancelled.
    Cancelled,
    /// Out of attempts, or not understood.
    Dead,
}

impl State {
    /// All of them, in the order of a job's life.
    pub const ALL: [Self; 7] =
        [Self::Delayed, Self::Parked, Self::Ready, Self::Running, Self::Done, Self::Cancelled, Self::Dead];

    /// Returns whether it waits to be claimed.
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, Self::Delayed | Self::Parked | Self::Ready)
    }

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::Parked => "parked",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
        }
    }

    /// Returns whether nothing more will happen by itself.
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

/// The progress of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// Done so far.
    pub done: u64,
    /// Known so far to be done in all; 0 while nobody can tell.
    pub total: u64,
    /// The current phase, in words.
    pub phase: String,
    /// A line for each aggregate of the run and the net that answers for it.
    #[serde(default)]
    pub aggregates: Vec<AggregateProgress>,
}

/// A job as the queue shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The id.
    pub id: JobId,
    /// The job; `None` when it is not understood.
    pub job: Option<Job>,
    /// The state.
    pub state: State,
    /// Attempts begun since its first claim or its last note.
    pub attempts: u32,
    /// The time at which it was first asked for.
    pub created: Timestamp,
    /// The time that it waits for, if it does.
    pub due: Option<Timestamp>,
    /// The time of its last claim.
    pub started: Option<Timestamp>,
    /// The time at which it ended.
    pub ended: Option<Timestamp>,
    /// The progress that its worker last reported.
    pub progress: Progress,
    /// The error of the last failed attempt.
    pub error: Option<String>,
    /// The result.
    pub result: Option<Value>,
    /// The one who cancelled it last, or asked for that.
    pub cancelled_by: Option<String>,
    /// The one who gave it its present life.
    pub retried_by: Option<String>,
    /// The worker that has or had it.
    pub worker: Option<String>,
    /// Grows with each change of this record.
    pub version: u64,
}

/// The jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this config.
    pub config: Option<RowId>,
    /// Only those of this source of a routing registry.
    pub source: Option<SourceName>,
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
    /// The time for which the oldest ready job has been ready.
    pub oldest_ready: Duration,
}
