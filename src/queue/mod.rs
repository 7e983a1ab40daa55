//! The queue: carries jobs from whoever asks to whoever works, so that none is lost whatever dies when.
//!
//! [`Queue`] is one of two: [`memory`] for a single process that is tried out, [`redis`] for any number of replicas. Both
//! behave the same; one suite of tests holds them to it.
//!
//! # The life of a job
//!
//! | state | means | left by |
//! |---|---|---|
//! | delayed | waits for its time: a debounce, a retry, or a config at which another run is at work | its time |
//! | parked | waits for a twin that runs | the twin's end |
//! | ready | may be claimed | a claim |
//! | running | a worker has it under a lease | its end, or the lease's |
//! | spread | it has ended, but the run that it began has not | the end of the run |
//! | done, cancelled | over | forgotten after `queue.keep` |
//! | dead | out of attempts, or not understood | a person: retry or cancel |
//!
//! # What it promises
//!
//! - **At least once.** A job that was accepted is in exactly one place until it has ended. Each step that moves it is one
//!   transaction. A worker that stops giving signs of life for `queue.lease` loses its jobs to another one; whatever the old
//!   one still says about them is refused ([`Beat::Lost`], [`Settled::Lost`]), because each claim has a number.
//! - **Equal work once.** An order whose key equals that of a delayed, parked or ready job becomes part of that job, also of
//!   one that waits to try again. One whose twin runs or is spread is parked: what it is about may have changed after the
//!   twin looked. A job that gets a new life while it has a twin stands behind it.
//! - **A time that was asked for is kept.** [`Delay`] says how orders of one key agree. A time that the queue set itself (the
//!   wait before another attempt, [`Ending::Again`], a busy config) gives way only to an order that does not wait.
//! - **One run of a config at a time**, and of that run one job. A job that is claimed while another run of its config is not
//!   over is delayed instead, which is no attempt: until it is called, as the first of those who wait for the config, when a
//!   job of it ends; or for [`BUSY`], for longer when many wait. A job that names no config is free. Between two attempts a
//!   job leaves the config to others, unless it is part of a run.
//! - **A run of several parts ends once.** A job that begins one ([`Work::begins_run`]) counts as its first part, jobs it
//!   ends with ([`Ending::Done`]`.then`) that name the run are further ones. When the last one has ended, in whatever way, a
//!   [`Work::RecordRun`] is queued in the same step; when that has ended, the run is over and its first job is done: with the
//!   result of the record, and dead or cancelled if it had ended so itself, or else if the record did. Until then it is
//!   spread. A first job that is cancelled before it ran begins no run.
//! - **What is cancelled does not come back.** A job that was cancelled while it ran ends as cancelled even if it fails, is
//!   handed back, or loses its worker; only if it was done first, it is done.
//! - **It stays small.** Jobs that are over are forgotten after a time, the oldest of more than [`KEPT`] at once.

pub mod claim;
pub mod error;
pub mod job;
pub mod memory;
pub mod record;
pub mod redis;

use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret;

pub use claim::{Beat, Claim, Ending, Part, Settled};
pub use error::Error;
pub use job::{Delay, Job, JobId, Order, Trigger, Work};
pub use record::{Asked, Figures, Filter, Progress, Record, State};

use crate::{config, model::RowId};

/// How long a job waits that nobody calls when another run of its config is at work; for each ten that wait, as long.
pub const BUSY: Duration = Duration::from_secs(1);

/// How many jobs that are over are kept at most, however short ago they ended.
pub const KEPT: usize = 10_000;

/// How long hints are remembered.
pub const HEARD: Duration = Duration::from_secs(2 * 3600);

/// How long an idempotency key is reserved for whoever works on the answer.
pub const RESERVED: Duration = Duration::from_secs(60);

/// How long a process counts as present after it said so.
pub const PRESENT: Duration = Duration::from_secs(30);

/// Where jobs are kept.
#[derive(Debug, Clone)]
pub enum Queue {
    /// In this process; a restart loses them.
    Memory(memory::Queue),
    /// In Redis.
    Redis(redis::Queue),
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The job that does it.
    pub job: JobId,
    /// Whether that job was there before.
    pub coalesced: bool,
}

/// What is known about an answer that was given under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remembered {
    /// Nothing: the caller has it now, and has to [`Queue::remember`] or [`Queue::forget`] it.
    New,
    /// Somebody is working on the answer.
    Busy,
    /// The key was used for another request.
    Other,
    /// The answer.
    Answer(String),
}

macro_rules! each {
    ($self:ident, $queue:ident => $call:expr) => {
        match $self {
            Queue::Memory($queue) => $call,
            Queue::Redis($queue) => $call,
        }
    };
}

/// Jobs, for those who ask.
impl Queue {
    /// Opens the queue that the settings name. With Redis this does not wait for it to answer.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub async fn open(settings: &config::Queue) -> Result<Self, Error> {
        if settings.url.expose_secret().is_empty() {
            return Ok(Self::Memory(memory::Queue::new(settings)));
        }
        redis::Queue::open(settings).await.map(Self::Redis)
    }

    /// Queues orders, all or none, and says for each which job does it. When this returns, they are durable.
    /// `heard` names a hint that the orders follow from; [`Queue::unheard`] will know it.
    ///
    /// # Errors
    /// When Redis does not take them. They may have been queued all the same; asking again coalesces.
    pub async fn enqueue(&self, orders: &[Order], heard: Option<&str>) -> Result<Vec<Ticket>, Error> {
        each!(self, queue => queue.enqueue(orders, heard).await)
    }

    /// Finds a job.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn find(&self, id: &JobId) -> Result<Option<Record>, Error> {
        each!(self, queue => queue.find(id).await)
    }

    /// Lists jobs, the newest first.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Record>, Error> {
        each!(self, queue => queue.list(filter).await)
    }

    /// Finds the job whose run is at work at a config, or waits for its parts.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn active(&self, config: RowId) -> Result<Option<JobId>, Error> {
        each!(self, queue => queue.active(config).await)
    }

    /// Cancels a job. One that waits is over at once; one that runs is told with its next sign of life; one that is spread
    /// loses the parts that wait, the part that runs is told, and its run is recorded. One that is dead is put away.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn cancel(&self, id: &JobId) -> Result<Asked, Error> {
        each!(self, queue => queue.cancel(id).await)
    }

    /// Gives a dead or cancelled job a new life with all its attempts: inside its run while that takes parts, else alone. The
    /// first job of a run begins the run anew.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn retry(&self, id: &JobId) -> Result<Asked, Error> {
        each!(self, queue => queue.retry(id).await)
    }

    /// Counts the jobs.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn figures(&self) -> Result<Figures, Error> {
        each!(self, queue => queue.figures().await)
    }

    /// Whether the queue takes jobs now.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        each!(self, queue => queue.ping().await)
    }
}

/// Jobs, for those who work. `worker` is a name that no other process has or ever had.
impl Queue {
    /// Claims up to `most` jobs; waits up to `wait` for the first. Takes over what other workers have dropped, moves what is
    /// due, and sends what nobody understands or what is out of attempts to the dead letters. May be dropped while it waits:
    /// what it had claimed is handed back.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn claim(&self, worker: &str, most: usize, wait: Duration) -> Result<Vec<Claim>, Error> {
        each!(self, queue => queue.claim(worker, most, wait).await)
    }

    /// Gives a sign of life for a claim, which holds it for another `queue.lease`, and tells how far it is.
    ///
    /// # Errors
    /// When Redis cannot be asked. The claim may then be lost when the lease is over.
    pub async fn beat(&self, claim: &Claim, worker: &str, progress: &Progress) -> Result<Beat, Error> {
        each!(self, queue => queue.beat(claim, worker, progress).await)
    }

    /// Ends a claim.
    ///
    /// # Errors
    /// When Redis cannot be asked; the ending may have been taken all the same. Saying it again is safe.
    pub async fn settle(&self, claim: &Claim, worker: &str, ending: Ending) -> Result<Settled, Error> {
        each!(self, queue => queue.settle(claim, worker, ending).await)
    }

    /// What the parts of a run ended with, in the order in which they ended.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn parts(&self, run: &JobId) -> Result<Vec<Part>, Error> {
        each!(self, queue => queue.parts(run).await)
    }
}

/// Small facts that the replicas share.
impl Queue {
    /// Takes or keeps a lease by name for `ttl`; whether `owner` has it now.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn hold(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, Error> {
        each!(self, queue => queue.hold(name, owner, ttl).await)
    }

    /// Reads where somebody last stood.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn cursor(&self, name: &str) -> Result<Option<String>, Error> {
        each!(self, queue => queue.cursor(name).await)
    }

    /// Notes where somebody stands now.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn set_cursor(&self, name: &str, value: &str) -> Result<(), Error> {
        each!(self, queue => queue.set_cursor(name, value).await)
    }

    /// For each hint, whether nothing was queued for it within the last two hours.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn unheard(&self, hints: &[String]) -> Result<Vec<bool>, Error> {
        each!(self, queue => queue.unheard(hints).await)
    }

    /// Looks up what was answered to the request with this fingerprint under an idempotency key. [`Remembered::New`] is
    /// reserved for the caller for a minute.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn recall(&self, key: &str, fingerprint: &str) -> Result<Remembered, Error> {
        each!(self, queue => queue.recall(key, fingerprint).await)
    }

    /// Keeps an answer under an idempotency key for `ttl`.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn remember(&self, key: &str, fingerprint: &str, answer: &str, ttl: Duration) -> Result<(), Error> {
        each!(self, queue => queue.remember(key, fingerprint, answer, ttl).await)
    }

    /// Gives an idempotency key free again, because nothing was done.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn forget(&self, key: &str) -> Result<(), Error> {
        each!(self, queue => queue.forget(key).await)
    }

    /// Takes a turn for a request to a registry instance, as all replicas together may send `per_second` with bursts of
    /// `burst` (0 a second: no limit). Zero: the turn is taken. Anything else: how long to wait before asking again.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn turn(&self, instance: &str, per_second: u32, burst: u32) -> Result<Duration, Error> {
        each!(self, queue => queue.turn(instance, per_second, burst).await)
    }

    /// Gives nobody a turn at a registry instance for a while. Never shortens a pause.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn pause(&self, instance: &str, pause: Duration) -> Result<(), Error> {
        each!(self, queue => queue.pause(instance, pause).await)
    }

    /// Notes that this process is there, and counts those that noted it within the last half minute.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn attend(&self, worker: &str) -> Result<u32, Error> {
        each!(self, queue => queue.attend(worker).await)
    }
}

/// Milliseconds since 1970, or between two times: what both queues count in.
type Millis = i64;

/// A duration in milliseconds; a hundred years stand for anything longer.
fn millis(duration: Duration) -> Millis {
    const LONGEST: Millis = 100 * 366 * 24 * 3600 * 1000;
    Millis::try_from(duration.as_millis()).map_or(LONGEST, |millis| millis.min(LONGEST))
}

/// A time as others see it.
fn time(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX)
}
