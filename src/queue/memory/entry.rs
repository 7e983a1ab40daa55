//! One job, with what only the queue knows of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;

use crate::queue::{Delay, Job, JobId, Millis, Part, Progress, Record, State, job, millis, time};

/// When a waiting job is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// The time.
    pub(super) at: Millis,
    /// No order moves it beyond this one. `None` when no order set the time, but the queue: a retry, [`Ending::Again`],
    /// or [`BUSY`]. Only an order that does not want to wait changes such a time.
    ///
    /// [`Ending::Again`]: crate::queue::Ending::Again
    /// [`BUSY`]: crate::queue::BUSY
    pub(super) latest: Option<Millis>,
}

impl Due {
    /// What a first order asks for.
    pub(super) fn first(now: Millis, delay: Delay) -> Self {
        let (at, latest) = wanted(now, delay);
        Self { at, latest: Some(latest) }
    }

    /// What a further order makes of it.
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

/// When an order is due, and when at the latest.
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
    /// Somebody cancelled it while it ran or was spread.
    pub(super) cancelled: bool,
    /// The equal job that is parked behind it.
    pub(super) twin: Option<JobId>,
    /// The run it counts for; its own id once it has begun one.
    pub(super) run: Option<JobId>,
    /// What is known about the run that it began.
    pub(super) spread: Spread,
}

/// A run, as its first job knows it.
#[derive(Debug, Default)]
pub(super) struct Spread {
    /// Its parts that have not ended.
    pub(super) open: BTreeSet<JobId>,
    /// All its parts so far.
    pub(super) total: u64,
    /// What the others ended with, each with a number that grows.
    pub(super) parts: BTreeMap<JobId, (u64, Part)>,
    /// The job that records it, once it is queued.
    pub(super) recorder: Option<JobId>,
    /// How its first job ended.
    pub(super) fate: Option<State>,
}

impl Entry {
    pub(super) fn new(now: Millis, job: Job, key: String, due: Due) -> Self {
        Self {
            job,
            key,
            state: State::Parked,
            due: Some(due),
            attempts: 0,
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
            twin: None,
            run: None,
            spread: Spread::default(),
        }
    }

    pub(super) fn is_understood(&self) -> bool {
        self.job.v <= job::VERSION
    }

    /// How far it is; for a job that is spread, in parts.
    fn progress(&self) -> Progress {
        if self.state != State::Spread {
            return self.progress.clone();
        }
        let open = self.spread.open.len() as u64;
        Progress { done: self.spread.total.saturating_sub(open), total: self.spread.total, phase: "parts".to_owned() }
    }

    pub(super) fn record(&self, id: &JobId) -> Record {
        Record {
            id: id.clone(),
            job: self.is_understood().then(|| self.job.clone()),
            state: self.state,
            attempts: self.attempts,
            created: time(self.created),
            due: self.due.map(|due| time(due.at)),
            started: self.started.map(time),
            ended: self.ended.map(time),
            progress: self.progress(),
            error: self.error.clone(),
            result: self.result.clone(),
            worker: self.worker.clone(),
            version: self.version,
        }
    }
}
