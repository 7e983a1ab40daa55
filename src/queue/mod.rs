//! The queue: carries jobs from whoever asks to whoever works, so that none is lost whatever dies when.
//!
//! [`Queue`] is in Redis for any number of replicas, or in the process for a single one that is tried out. Both behave
//! the same; one suite of tests holds them to it.
//!
//! # The life of a job
//!
//! | state | means | left by |
//! |---|---|---|
//! | delayed | waits for its time: a debounce, a retry, or a config that is busy | its time, or a call |
//! | parked | waits for a twin that runs | the twin's end |
//! | ready | may be claimed | a claim |
//! | running | a worker has it under a lease | its end, or the lease's |
//! | done, cancelled | over | forgotten after `queue.keep` |
//! | dead | out of attempts, or not understood | a person: retry or cancel |
//!
//! A job keeps who cancelled it and who retried it.
//!
//! # Promises
//!
//! - **At least once.** A job that was accepted is in exactly one place until it has ended. Each step that moves it is
//!   one transaction. A worker that sends no heartbeat for `queue.lease` loses its jobs to another one; whatever the
//!   old one still says about them is refused ([`Signal::Lost`], [`Settled::Lost`]), because each claim has a number.
//! - **Never twice in one place.** A worker that has not let go of a job gets it neither when its lease is over nor when
//!   it has become ready again (`Claimant::holds`).
//! - **A claim that nobody heard of costs nothing.** A worker whose claim was answered too late gets those jobs with the
//!   next one. An attempt is counted with the first heartbeat, note or ending, and not with the claim.
//! - **Equal work once.** An order whose key equals that of a delayed, parked or ready job becomes part of that job,
//!   also of one that waits to try again. One whose twin runs is parked: the subject may have changed after the twin
//!   looked. A job that gets a new life while it has a twin stands behind it.
//!   An order that asks ARIN for everything ([`Job::full`]) is other work than one that does not: a job that waits may
//!   have noted what it has finished without asking for everything, so that it cannot become such an order's.
//! - **A time that was asked for is kept.** [`Delay`] says how orders of one key agree. A time that the queue set
//!   itself (the wait before another attempt, [`Ending::Again`], a busy config) gives way only to an order that does
//!   not wait.
//! - **One job of a config at a time.** A job that is claimed while another one of its config is running is delayed
//!   instead, which is no attempt. It is called when the config is free, and those that wait are called in the order
//!   in which they came. A job that ends with [`Ending::Again`], is handed back or waits for another attempt leaves
//!   the config to others meanwhile: the next in line is called before the job itself goes to the end of those that
//!   are ready. A job that names no config is free. Previews write nothing: they run beside the jobs of their config,
//!   but only one of each user at a time ([`Job::alone_at`]).
//! - **A checkpoint outlives the worker.** The notes of a job ([`Queue::note`]) are kept, in their order, until the
//!   job is over: through [`Ending::Again`], a hand-back, a failed attempt and the loss of a worker. Attempts count
//!   from the last note on, so that a long job which makes progress never runs out of them.
//! - **What is cancelled does not come back.** A job that was cancelled while it ran ends as cancelled even if it
//!   fails, is handed back, or loses its worker; only if it was done first, it is done.
//! - **It stays small.** Jobs that are over are forgotten after a time, the oldest of more than [`MAX_OVER`] at once.

mod claim;
pub mod job;
mod limits;
mod memory;
mod order;
mod record;
mod redis;

use std::time::Duration;

use serde_json::Value;

pub use crate::redis_client::Error;
pub use claim::{Claim, Claimant, Ending, Noted, Settled, Signal};
pub use job::{Job, JobId, Trigger, Work, Workplace};
pub use limits::MAX_OVER;
pub use order::{Delay, Enqueued, Order};
pub use record::{Asked, Figures, Filter, Progress, Record, State};

use crate::{config, model::RowId};
use memory::InMemory;
use redis::InRedis;

/// The place where jobs are kept.
#[derive(Debug, Clone)]
pub enum Queue {
    /// In this process; a restart loses them.
    Memory(InMemory),
    /// In Redis.
    Redis(InRedis),
}

macro_rules! each {
    ($self:ident, $queue:ident => $call:expr) => {
        match $self {
            Queue::Memory($queue) => Ok($call),
            Queue::Redis($queue) => $call.await,
        }
    };
}

/// Jobs, for those who ask. Each method fails when Redis does not do it, and opening when its address cannot be used.
#[expect(clippy::missing_errors_doc, reason = "the sentence above says it for all")]
impl Queue {
    /// Opens the queue that the settings name. With Redis this does not wait for it to answer.
    pub async fn open(settings: &config::Queue) -> Result<Self, Error> {
        if settings.url.is_empty() {
            return Ok(Self::in_memory(settings));
        }
        InRedis::open(settings).map(Self::Redis)
    }

    /// Opens an empty queue in this process.
    #[must_use]
    pub fn in_memory(settings: &config::Queue) -> Self {
        Self::Memory(InMemory::new(settings))
    }

    /// Queues orders, all or none. When this returns, they are durable.
    /// After an error they may have been queued all the same; asking again coalesces.
    pub async fn enqueue(&self, orders: &[Order]) -> Result<Vec<Enqueued>, Error> {
        each!(self, queue => queue.enqueue(orders))
    }

    /// Finds a job.
    pub async fn find(&self, id: &JobId) -> Result<Option<Record>, Error> {
        each!(self, queue => queue.find(id))
    }

    /// Lists jobs, the newest first.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Record>, Error> {
        each!(self, queue => queue.list(filter))
    }

    /// Finds the job that is running at a config, or at the mirror of a source.
    pub async fn active<'a>(&self, at: impl Into<Workplace<'a>>) -> Result<Option<JobId>, Error> {
        let at = at.into();
        each!(self, queue => queue.active(at))
    }

    /// Finds the job that a worker is doing at a config. One whose lease is over is none: its worker has stopped, and
    /// nobody has taken it over yet.
    pub async fn held(&self, config: RowId) -> Result<Option<JobId>, Error> {
        each!(self, queue => queue.held(config))
    }

    /// Cancels a job, as `by` asks. One that waits is over at once; one that runs is told with its next heartbeat. One
    /// that is dead is put away.
    pub async fn cancel(&self, id: &JobId, by: &str) -> Result<Asked, Error> {
        each!(self, queue => queue.cancel(id, by))
    }

    /// Gives a dead or cancelled job a new life with all its attempts, from the beginning, as `by` asks. From then on it
    /// is the job of `owner`, a NetBox user, as if they had asked for it first; without one it stays whose it was. One
    /// that is not understood cannot be made anybody's.
    pub async fn retry(&self, id: &JobId, by: &str, owner: Option<&str>) -> Result<Asked, Error> {
        each!(self, queue => queue.retry(id, by, owner))
    }

    /// Counts the jobs.
    pub async fn figures(&self) -> Result<Figures, Error> {
        each!(self, queue => queue.figures())
    }

    /// Checks that the queue takes jobs now.
    pub async fn ping(&self) -> Result<(), Error> {
        each!(self, queue => queue.ping())
    }
}

/// Jobs, for those who work. `worker` is a name that no other process has or ever had. Each method fails when Redis
/// does not do it.
#[expect(clippy::missing_errors_doc, reason = "the sentence above says it for all")]
impl Queue {
    /// Claims up to `most` jobs; waits up to `wait` for the first. Takes over what other workers have dropped, moves
    /// what is due, and sends what nobody understands or what is out of attempts to the dead letters. May be dropped
    /// while it waits: what it had claimed is handed back. A job that the worker still holds is not among them.
    pub async fn claim(
        &self,
        worker: impl Into<Claimant<'_>>,
        most: usize,
        wait: Duration,
    ) -> Result<Vec<Claim>, Error> {
        let worker = worker.into();
        match self {
            Self::Memory(queue) => Ok(queue.claim(&worker, most, wait).await),
            Self::Redis(queue) => queue.claim(&worker, most, wait).await,
        }
    }

    /// Renews a claim for another `queue.lease`, and reports progress. The first one of a claim counts the attempt.
    /// After an error the claim is lost when the lease is over.
    pub async fn heartbeat(&self, claim: &Claim, worker: &str, progress: &Progress) -> Result<Signal, Error> {
        each!(self, queue => queue.heartbeat(claim, worker, progress))
    }

    /// Appends a note to the job's checkpoint, renews the claim like a heartbeat, and counts attempts from here on.
    /// After an error the note may have been taken all the same.
    pub async fn note(&self, claim: &Claim, worker: &str, note: &Value) -> Result<Noted, Error> {
        each!(self, queue => queue.note(claim, worker, note))
    }

    /// Returns the notes of a job in the order in which they were appended; none for a job that is over.
    pub async fn notes(&self, job: &JobId) -> Result<Vec<Value>, Error> {
        each!(self, queue => queue.notes(job))
    }

    /// Ends a claim. After an error the ending may have been taken all the same; saying it again is safe.
    pub async fn settle(&self, claim: &Claim, ending: Ending) -> Result<Settled, Error> {
        each!(self, queue => queue.settle(claim, ending))
    }
}
