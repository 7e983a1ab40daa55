//! One job, with what only the queue knows of it.

use std::time::Duration;

use serde_json::Value;

use crate::queue::{
    job::{self, Job, JobId},
    limits::{Millis, millis, timestamp},
    order::Delay,
    record::{Progress, Record, State},
};

/// When a waiting job is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// The time.
    pub(super) at: Millis,
    /// No order moves it beyond this one. `None` when no order set the time, but the queue: for a retry,
    /// `Ending::Again`, or a busy config. Only an order that does not want to wait changes such a time.
    pub(super) latest: Option<Millis>,
}

impl Due {
    /// Returns the time that a first order asks for.
    pub(super) fn first(now: Millis, delay: Delay) -> Self {
        let (at, latest) = wanted(now, delay);
        Self { at, latest: Some(latest) }
    }

    /// Returns the time after a further order.
    pub(super) fn and(self, now: Millis, delay: Delay) -> Self {
        let (at, latest) = wanted(now, delay);
        match (delay, self.latest) {
            (Delay::None, _) => Self { at, latest: Some(latest) },
            (Delay::For(_) | Delay::Debounce { .. }, None) => self,
            (Delay::For(_), Some(before)) => Self { at: at.min(self.at), latest: Some(latest.min(before)) },
            (Delay::Debounce { .. }, Some(before)) => {
                let latest = latest.min(before);
                Self { at: at.min(latest), latest: Some(latest) }
            }
        }
    }
}

/// Returns when an order is due, and when at the latest.
fn wanted(now: Millis, delay: Delay) -> (Millis, Millis) {
    let after = |wait: Duration| now.saturating_add(millis(wait));
    match delay {
        Delay::None => (now, now),
        Delay::For(wait) => (after(wait), after(wait)),
        Delay::Debounce { quiet, longest } => (after(quiet.min(longest)), after(longest)),
    }
}

/// A job in the queue.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) job: Job,
    pub(super) key: String,
    pub(super) state: State,
    pub(super) due: Option<Due>,
    pub(super) attempts: u32,
    /// The present claim was heard of, and counted as an attempt.
    pub(super) begun: bool,
    pub(super) fence: u64,
    pub(super) version: u64,
    pub(super) created: Millis,
    pub(super) ready: Millis,
    pub(super) started: Option<Millis>,
    pub(super) ended: Option<Millis>,
    pub(super) lease: Millis,
    pub(super) progress: Progress,
    pub(super) error: Option<String>,
    pub(super) result: Option<Value>,
    pub(super) worker: Option<String>,
    /// Somebody cancelled it while it ran.
    pub(super) cancelled: bool,
    pub(super) cancelled_by: Option<String>,
    pub(super) retried_by: Option<String>,
    /// The equal job that is parked behind it.
    pub(super) twin: Option<JobId>,
    /// The checkpoint.
    pub(super) notes: Vec<Value>,
}

/// The state that a job ends in, and what is kept with it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) state: State,
    pub(super) result: Option<Value>,
    pub(super) error: Option<String>,
}

impl Outcome {
    pub(super) fn done(result: Value) -> Self {
        Self { state: State::Done, result: Some(result), error: None }
    }

    pub(super) fn dead(error: String) -> Self {
        Self { state: State::Dead, result: None, error: Some(error) }
    }

    pub(super) fn cancelled(error: Option<String>) -> Self {
        Self { state: State::Cancelled, result: None, error }
    }
}

impl Entry {
    pub(super) fn new(now: Millis, job: Job, key: String, due: Due) -> Self {
        Self {
            job,
            key,
            state: State::Parked,
            due: Some(due),
            attempts: 0,
            begun: false,
            fence: 0,
            version: 0,
            created: now,
            ready: now,
            started: None,
            ended: None,
            lease: 0,
            progress: Progress::default(),
            error: None,
            result: None,
            worker: None,
            cancelled: false,
            cancelled_by: None,
            retried_by: None,
            twin: None,
            notes: Vec::new(),
        }
    }

    pub(super) fn is_understood(&self) -> bool {
        self.job.v <= job::VERSION
    }

    /// Counts an attempt, with the first that a claim is heard of.
    pub(super) fn begin(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            self.attempts += 1;
            self.version += 1;
        }
    }

    pub(super) fn record(&self, id: &JobId) -> Record {
        Record {
            id: id.clone(),
            job: self.is_understood().then(|| self.job.clone()),
            state: self.state,
            attempts: self.attempts,
            created: timestamp(self.created),
            due: self.due.map(|due| timestamp(due.at)),
            started: self.started.map(timestamp),
            ended: self.ended.map(timestamp),
            progress: self.progress.clone(),
            error: self.error.clone(),
            result: self.result.clone(),
            cancelled_by: self.cancelled_by.clone(),
            retried_by: self.retried_by.clone(),
            worker: self.worker.clone(),
            version: self.version,
        }
    }
}
