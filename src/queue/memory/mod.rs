//! The queue in this process: for one replica that is tried out, and the readable form of what the queue promises.
//!
//! `Jobs` is the whole state machine, without clock or waiting; [`Queue`] puts a lock, tokio's clock and the waiting
//! around it. Steps are one after the other under the lock, as the scripts of the Redis queue are. Nothing is kept when
//! the process ends.
//!
//! | part | holds |
//! |---|---|
//! | `entry` | one job with what only the queue knows of it |
//! | `jobs` | orders, twins, time, claims and leases |
//! | `ending` | how claims end, and what persons ask for |
//! | `runs` | runs of several parts, and who writes for a config |
//! | `shared` | leases, hints, turns and other small facts |

mod ending;
mod entry;
mod jobs;
mod runs;
mod shared;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::Notify, time};

use self::{
    jobs::{Jobs, Limits},
    shared::Shared,
};
use super::{
    Asked, Beat, Claim, Ending, Error, Figures, Filter, JobId, Millis, Order, Part, Progress, Record, Remembered,
    Settled, Ticket, millis,
};
use crate::{config, model::RowId};

/// The queue in this process.
#[derive(Debug, Clone)]
pub struct Queue {
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    jobs: Mutex<Jobs>,
    shared: Mutex<Shared>,
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
        self.origin + millis(self.begun.elapsed())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// Opens an empty queue.
    #[must_use]
    pub fn new(settings: &config::Queue) -> Self {
        let limits =
            Limits { lease: millis(settings.lease), max_attempts: settings.max_attempts, keep: millis(settings.keep) };
        let clock = Clock { origin: Timestamp::now().as_millisecond(), begun: time::Instant::now() };
        let inside =
            Inside { jobs: Mutex::new(Jobs::new(limits)), shared: Mutex::default(), bell: Notify::new(), clock };
        Self { inside: Arc::new(inside) }
    }

    /// One step of the state machine.
    fn step<T>(&self, step: impl FnOnce(&mut Jobs, Millis) -> T) -> T {
        step(&mut locked(&self.inside.jobs), self.inside.clock.now())
    }

    /// One step that may make a job ready.
    fn moving<T>(&self, step: impl FnOnce(&mut Jobs, Millis) -> T) -> T {
        let done = self.step(step);
        self.inside.bell.notify_waiters();
        done
    }

    fn shared<T>(&self, step: impl FnOnce(&mut Shared, Millis) -> T) -> T {
        step(&mut locked(&self.inside.shared), self.inside.clock.now())
    }
}

/// As [`super::Queue`] says; nothing here ever fails.
#[expect(missing_docs, reason = "the enum over the queues says it")]
#[expect(clippy::missing_errors_doc, reason = "the enum over the queues says it")]
impl Queue {
    pub async fn enqueue(&self, orders: &[Order], heard: Option<&str>) -> Result<Vec<Ticket>, Error> {
        if let Some(hint) = heard {
            self.shared(|shared, now| shared.hear(now, hint));
        }
        Ok(self.moving(|jobs, now| orders.iter().map(|order| jobs.enqueue(now, order)).collect()))
    }

    pub async fn find(&self, id: &JobId) -> Result<Option<Record>, Error> {
        Ok(self.step(|jobs, now| jobs.find(now, id)))
    }

    pub async fn list(&self, filter: &Filter) -> Result<Vec<Record>, Error> {
        Ok(self.step(|jobs, now| jobs.list(now, filter)))
    }

    pub async fn active(&self, config: RowId) -> Result<Option<JobId>, Error> {
        Ok(self.step(|jobs, _| jobs.active(config)))
    }

    pub async fn cancel(&self, id: &JobId) -> Result<Asked, Error> {
        Ok(self.moving(|jobs, now| jobs.cancel(now, id)))
    }

    pub async fn retry(&self, id: &JobId) -> Result<Asked, Error> {
        Ok(self.moving(|jobs, now| jobs.retry(now, id)))
    }

    pub async fn figures(&self) -> Result<Figures, Error> {
        Ok(self.step(|jobs, now| jobs.figures(now)))
    }

    pub async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }

    pub async fn claim(&self, worker: &str, most: usize, wait: Duration) -> Result<Vec<Claim>, Error> {
        let end = time::Instant::now() + wait;
        loop {
            let mut rung = std::pin::pin!(self.inside.bell.notified());
            // From here on a ring is not missed.
            rung.as_mut().enable();
            let claims = self.step(|jobs, now| jobs.claim(now, worker, most));
            if !claims.is_empty() || most == 0 || time::Instant::now() >= end {
                return Ok(claims);
            }
            let due = self.step(|jobs, now| jobs.next_due().map(|due| due.saturating_sub(now).max(1).unsigned_abs()));
            let due = due.map_or(end, |due| end.min(time::Instant::now() + Duration::from_millis(due)));
            // The reason for waking does not matter: the next look finds out.
            let _ = time::timeout_at(due, rung).await;
        }
    }

    pub async fn beat(&self, claim: &Claim, worker: &str, progress: &Progress) -> Result<Beat, Error> {
        let _ = worker;
        Ok(self.step(|jobs, now| jobs.beat(now, claim, progress)))
    }

    pub async fn settle(&self, claim: &Claim, worker: &str, ending: Ending) -> Result<Settled, Error> {
        let _ = worker;
        Ok(self.moving(|jobs, now| jobs.settle(now, claim, ending)))
    }

    pub async fn parts(&self, run: &JobId) -> Result<Vec<Part>, Error> {
        Ok(self.step(|jobs, _| jobs.parts(run)))
    }

    pub async fn hold(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, Error> {
        Ok(self.shared(|shared, now| shared.hold(now, name, owner, ttl)))
    }

    pub async fn cursor(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.shared(|shared, _| shared.cursor(name)))
    }

    pub async fn set_cursor(&self, name: &str, value: &str) -> Result<(), Error> {
        self.shared(|shared, _| shared.set_cursor(name, value));
        Ok(())
    }

    pub async fn unheard(&self, hints: &[String]) -> Result<Vec<bool>, Error> {
        Ok(self.shared(|shared, now| shared.unheard(now, hints)))
    }

    pub async fn recall(&self, key: &str, fingerprint: &str) -> Result<Remembered, Error> {
        Ok(self.shared(|shared, now| shared.recall(now, key, fingerprint)))
    }

    pub async fn remember(&self, key: &str, fingerprint: &str, answer: &str, ttl: Duration) -> Result<(), Error> {
        self.shared(|shared, now| shared.remember(now, key, fingerprint, answer, ttl));
        Ok(())
    }

    pub async fn forget(&self, key: &str) -> Result<(), Error> {
        self.shared(|shared, _| shared.forget(key));
        Ok(())
    }

    pub async fn turn(&self, instance: &str, per_second: u32, burst: u32) -> Result<Duration, Error> {
        Ok(self.shared(|shared, _| shared.turn(time::Instant::now(), instance, per_second, burst)))
    }

    pub async fn pause(&self, instance: &str, pause: Duration) -> Result<(), Error> {
        self.shared(|shared, _| shared.pause(time::Instant::now(), instance, pause));
        Ok(())
    }

    pub async fn attend(&self, worker: &str) -> Result<u32, Error> {
        Ok(self.shared(|shared, now| shared.attend(now, worker)))
    }
}
