//! The queue in this process: for one replica that is tried out, and the readable form of what the queue promises.
//!
//! `Jobs` is the whole state machine, without clock or waiting; [`InMemory`] puts a lock, tokio's clock and the waiting
//! around it. Steps are one after the other under the lock, as the scripts of the Redis queue are. Nothing is kept when
//! the process ends, and nothing ever fails.
//!
//! | part | holds |
//! |---|---|
//! | `entry` | one job, with the fields that only the queue sees |
//! | `jobs` | orders, twins, time, claims and leases |
//! | `ending` | the ends of claims, and what persons ask for |
//! | `configs` | the one job that is at work at a config, and those that wait for it |

mod configs;
mod ending;
mod entry;
mod jobs;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::{sync::Notify, time};

use super::{
    claim::{Claim, Claimant, Ending, Noted, Settled, Signal},
    job::{JobId, Workplace},
    limits::{Limits, Millis, millis},
    order::{Enqueued, Order},
    record::{Asked, Figures, Filter, Progress, Record},
};
use crate::{config, deadline::after, model::RowId};
use jobs::Jobs;

/// The queue in this process.
#[derive(Debug, Clone)]
pub struct InMemory {
    store: Arc<Store>,
}

#[derive(Debug)]
struct Store {
    jobs: Mutex<Jobs>,
    /// Rung when there may be something to claim.
    bell: Notify,
    clock: Clock,
}

/// Tokio's clock as milliseconds since 1970, so that tests can pause it.
#[derive(Debug)]
struct Clock {
    origin: Millis,
    begun: time::Instant,
}

impl Clock {
    fn now(&self) -> Millis {
        self.origin.saturating_add(millis(self.begun.elapsed()))
    }
}

impl InMemory {
    pub(super) fn new(settings: &config::Queue) -> Self {
        let clock = Clock { origin: Timestamp::now().as_millisecond(), begun: time::Instant::now() };
        let jobs = Mutex::new(Jobs::new(Limits::of(settings)));
        Self { store: Arc::new(Store { jobs, bell: Notify::new(), clock }) }
    }

    /// Makes one step of the state machine.
    fn step<T>(&self, step: impl FnOnce(&mut Jobs, Millis) -> T) -> T {
        let mut jobs = self.store.jobs.lock();
        step(&mut jobs, self.store.clock.now())
    }

    /// Makes one step that may make a job ready.
    fn moving<T>(&self, step: impl FnOnce(&mut Jobs, Millis) -> T) -> T {
        let done = self.step(step);
        self.store.bell.notify_waiters();
        done
    }

    pub(super) fn enqueue(&self, orders: &[Order]) -> Vec<Enqueued> {
        self.moving(|jobs, now| orders.iter().map(|order| jobs.enqueue(now, order)).collect())
    }

    pub(super) fn find(&self, id: &JobId) -> Option<Record> {
        self.step(|jobs, now| jobs.find(now, id))
    }

    pub(super) fn list(&self, filter: &Filter) -> Vec<Record> {
        self.step(|jobs, now| jobs.list(now, filter))
    }

    pub(super) fn active(&self, at: Workplace<'_>) -> Option<JobId> {
        self.step(|jobs, _| jobs.active(at))
    }

    pub(super) fn held(&self, config: RowId) -> Option<JobId> {
        self.step(|jobs, now| jobs.held(now, config))
    }

    pub(super) fn cancel(&self, id: &JobId, by: &str) -> Asked {
        self.moving(|jobs, now| jobs.cancel(now, id, by))
    }

    pub(super) fn retry(&self, id: &JobId, by: &str, owner: Option<&str>) -> Asked {
        self.moving(|jobs, now| jobs.retry(now, id, by, owner))
    }

    pub(super) fn figures(&self) -> Figures {
        self.step(|jobs, now| jobs.figures(now))
    }

    pub(super) fn ping(&self) {}

    pub(super) async fn claim(&self, worker: &Claimant<'_>, most: usize, wait: Duration) -> Vec<Claim> {
        let end = after(wait);
        loop {
            let mut rung = std::pin::pin!(self.store.bell.notified());
            // From here on a ring is not missed.
            rung.as_mut().enable();
            let claims = self.step(|jobs, now| jobs.claim(now, worker, most));
            if !claims.is_empty() || most == 0 || time::Instant::now() >= end {
                return claims;
            }
            let due = self.step(|jobs, now| jobs.next_due().map(|due| due.saturating_sub(now).max(1).unsigned_abs()));
            let due = due.map_or(end, |due| end.min(after(Duration::from_millis(due))));
            // The reason for waking does not matter: the next look finds out.
            let _ = time::timeout_at(due, rung).await;
        }
    }

    pub(super) fn heartbeat(&self, claim: &Claim, _worker: &str, progress: &Progress) -> Signal {
        self.step(|jobs, now| jobs.heartbeat(now, claim, progress))
    }

    pub(super) fn note(&self, claim: &Claim, _worker: &str, note: &Value) -> Noted {
        self.step(|jobs, now| jobs.note(now, claim, note))
    }

    pub(super) fn notes(&self, id: &JobId) -> Vec<Value> {
        self.step(|jobs, _| jobs.notes(id))
    }

    pub(super) fn settle(&self, claim: &Claim, ending: Ending) -> Settled {
        self.moving(|jobs, now| jobs.settle(now, claim, ending))
    }
}
