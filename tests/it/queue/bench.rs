//! A queue to try things on, and short words for what is tried.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use rir_sidecar::{
    config::{self, QueueMode},
    model::{Resource, RowId},
    queue::{
        Claim, Delay, Ending, Enqueued, Job, JobId, Order, Progress, Queue, Record, Settled, Signal, State, Trigger,
        Work,
    },
};
use serde_json::{Value, json};

/// Short, so that tests need not wait long for it; long enough for a busy machine.
pub(super) const LEASE: Duration = Duration::from_millis(1500);
pub(super) const ATTEMPTS: u32 = 3;
/// Long enough to be sure that a job comes.
pub(super) const CLAIM_TIMEOUT: Duration = Duration::from_secs(10);
/// Long enough to see that none comes.
pub(super) const MOMENT: Duration = Duration::from_millis(300);

/// A queue of its own.
pub(super) struct Bench {
    pub(super) queue: Queue,
    pub(super) settings: config::Queue,
}

pub(crate) fn settings(url: &str) -> config::Queue {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    config::Queue {
        url: url.into(),
        url_file: None,
        ca_file: None,
        mode: QueueMode::Single,
        sentinel_master: String::new(),
        prefix: format!("test-{}-{now}-{count}", std::process::id()),
        lease: LEASE,
        max_attempts: ATTEMPTS,
        retry_backoff: Duration::from_secs(10),
        keep: Duration::from_secs(7 * 24 * 3600),
    }
}

impl Bench {
    pub(super) fn memory() -> Self {
        let settings = settings("");
        Self { queue: Queue::in_memory(&settings), settings }
    }

    pub(super) async fn redis() -> Self {
        let url = std::env::var("RIR_LAB_REDIS_URL")
            .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
        Self::open(settings(&url)).await
    }

    pub(super) async fn open(settings: config::Queue) -> Self {
        Self { queue: Queue::open(&settings).await.unwrap(), settings }
    }

    /// The same queue as another process would have it.
    pub(super) async fn other(&self) -> Queue {
        match &self.queue {
            Queue::Memory(queue) => Queue::Memory(queue.clone()),
            Queue::Redis(_) => Queue::open(&self.settings).await.unwrap(),
        }
    }

    /// The same, with other settings, and nothing in it.
    pub(super) async fn with(mut self, change: impl FnOnce(&mut config::Queue)) -> Self {
        change(&mut self.settings);
        Self::open(self.settings).await
    }

    pub(super) async fn order(&self, job: Job) -> Enqueued {
        self.order_later(job, Delay::None).await
    }

    pub(super) async fn order_later(&self, job: Job, delay: Delay) -> Enqueued {
        self.queue.enqueue(&[Order { job, delay }]).await.unwrap().remove(0)
    }

    /// Claims the one job that there is, or will be soon.
    pub(super) async fn claim(&self, worker: &str) -> Claim {
        let claims = self.queue.claim(worker, 1, CLAIM_TIMEOUT).await.unwrap();
        claims.into_iter().next().unwrap_or_else(|| panic!("there is no job to claim"))
    }

    /// Claims the one job that there is, and begins with it.
    pub(super) async fn begin(&self, worker: &str) -> Claim {
        let claim = self.claim(worker).await;
        assert_eq!(self.queue.heartbeat(&claim, worker, &progress(0, 0, "")).await.unwrap(), Signal::Yours);
        claim
    }

    /// Checks that there is nothing to claim.
    pub(super) async fn idle(&self) {
        assert_eq!(self.queue.claim("idle", 10, MOMENT).await.unwrap(), []);
    }

    pub(super) async fn settle(&self, claim: &Claim, ending: Ending) {
        assert_eq!(self.queue.settle(claim, ending).await.unwrap(), Settled::Taken);
    }

    pub(super) async fn done(&self, claim: &Claim) {
        self.settle(claim, done(json!("done"))).await;
    }

    pub(super) async fn find(&self, id: &JobId) -> Record {
        self.queue.find(id).await.unwrap().unwrap_or_else(|| panic!("{id} is not known"))
    }

    pub(super) async fn state(&self, id: &JobId) -> State {
        self.find(id).await.state
    }

    /// Returns how long after the first order the job is due, in seconds.
    pub(super) async fn due_after(&self, id: &JobId) -> f64 {
        let record = self.find(id).await;
        assert_eq!(record.state, State::Delayed);
        record.due.unwrap().duration_since(record.created).as_secs_f64()
    }
}

pub(super) fn job(work: Work) -> Job {
    Job::new(work, Trigger::Api)
}

/// Free work: it names no config, and differs by its number.
pub(super) fn free(aggregate: u64) -> Job {
    job(Work::SyncAggregate { config: None, aggregate: RowId(aggregate) })
}

/// Work on one aggregate of a config.
pub(super) fn aggregate(config: u64, aggregate: u64) -> Job {
    job(Work::SyncAggregate { config: Some(RowId(config)), aggregate: RowId(aggregate) })
}

pub(super) fn prefixes(ids: impl IntoIterator<Item = u64>) -> Job {
    job(Work::SyncPrefix { config: None, prefixes: ids.into_iter().map(RowId).collect() })
}

/// A preview for a user.
pub(super) fn preview(config: u64, user: &str) -> Job {
    job(Work::PlanConfig { config: RowId(config), resources: Resource::all() }).by(user)
}

/// Work on a whole config.
pub(super) fn whole(config: u64) -> Job {
    job(Work::SyncConfig { config: RowId(config), resources: BTreeSet::from([Resource::Networks]) })
}

/// The same work, for which ARIN is asked for everything.
pub(super) fn full(job: Job) -> Job {
    Job { full: true, ..job }
}

pub(super) fn now(job: Job) -> Order {
    Order { job, delay: Delay::None }
}

pub(super) fn done(result: Value) -> Ending {
    Ending::Done { result, then: Vec::new() }
}

pub(super) fn failed(error: &str, retry: Option<Duration>) -> Ending {
    Ending::Failed { error: error.to_owned(), retry }
}

pub(super) fn progress(done: u64, total: u64, phase: &str) -> Progress {
    Progress { done, total, phase: phase.to_owned(), ..Progress::default() }
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
