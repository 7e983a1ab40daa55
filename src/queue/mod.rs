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

pub mod hints;
pub mod job;
pub mod memory;
pub mod redis;

use std::{collections::BTreeMap, fmt, time::Duration};

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use job::{Delay, Job, JobId, Order, Trigger, Work};

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
        /// What this part found, for the [`Work::RecordRun`] of its run; nothing for a job that is no part.
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

/// A part of a run, as its [`Work::RecordRun`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What a job ended with.
    Found(Value),
    /// Why one did not come to an end.
    Failed(String),
}

/// Figures about the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Jobs that are not over, and dead ones, by state; with 0 for states that no job is in.
    pub jobs: BTreeMap<State, u64>,
    /// How long the oldest ready job has been ready.
    pub oldest_ready: Duration,
}

/// What the queue could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be used.
    #[error("queue.url cannot be used")]
    Address(#[source] ::redis::RedisError),
    /// Redis did not answer, or refused.
    #[error("Redis did not do it: {operation}")]
    Redis {
        /// What was being done.
        operation: &'static str,
        /// Why.
        source: ::redis::RedisError,
    },
    /// What is in Redis is not what we put there.
    #[error("Redis holds something else than expected: {operation}")]
    Foreign {
        /// What was being done.
        operation: &'static str,
        /// Why it cannot be read.
        source: Option<serde_json::Error>,
    },
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
