//! Measures the queue in the Redis at `RIR_LAB_REDIS_URL`, and prints Markdown.
//!
//! - *enqueue*: orders of one job each, from one process.
//! - *through*: jobs that do nothing, ordered, claimed and ended by one process at the same time.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rir_sidecar::{
    config::{self, QueueMode},
    model::RowId,
    queue::{Delay, Ending, Job, Order, Queue, Settled, Trigger, Work},
};
use tokio::task::JoinSet;

/// The number of tasks that order at the same time.
const ASKERS: u64 = 64;
/// The number of workers, and of jobs that each has at once.
const WORKERS: u64 = 4;
const AT_ONCE: usize = 32;
/// Orders in all.
const ORDERS: u64 = 30_000;

#[tokio::main]
async fn main() {
    println!("| what | a second | p50 ms | p99 ms |");
    println!("|---|---:|---:|---:|");
    let webhooks = |number: u64| Job { user: Some("lab-admin".to_owned()), ..job(Some(RowId(number % 50)), number) };
    let debounce = Delay::Debounce { quiet: Duration::from_secs(600), longest: Duration::from_secs(900) };
    line("enqueue, each another job", enqueue(Delay::None, |number| job(None, number)).await);
    line("enqueue, debounced, into 50 jobs", enqueue(debounce, webhooks).await);
    println!("| through, {ORDERS} jobs | {:.0} | | |", through().await);
}

/// A queue with keys of its own.
async fn open() -> Queue {
    let url = std::env::var("RIR_LAB_REDIS_URL").unwrap();
    let settings = config::Queue {
        url: url.into(),
        url_file: None,
        ca_file: None,
        mode: QueueMode::Single,
        sentinel_master: String::new(),
        prefix: format!("bench-{}-{}", std::process::id(), fastrand::u64(..)),
        lease: Duration::from_secs(30),
        max_attempts: 5,
        retry_backoff: Duration::from_secs(10),
        keep: Duration::from_secs(60),
    };
    Queue::open(&settings).await.unwrap()
}

fn job(config: Option<RowId>, number: u64) -> Job {
    let work = match config {
        Some(_) => Work::SyncPrefix { config, prefixes: BTreeSet::from([RowId(number)]) },
        None => Work::SyncAggregate { config, aggregate: RowId(number) },
    };
    Job::new(work, Trigger::Webhook)
}

/// Orders jobs; how long all of it took, and each order.
async fn enqueue(delay: Delay, job: fn(u64) -> Job) -> (Duration, Vec<Duration>) {
    let queue = open().await;
    queue.ping().await.unwrap();
    let begun = Instant::now();
    let took = ask(&queue, delay, job).join_all().await.concat();
    (begun.elapsed(), took)
}

fn ask(queue: &Queue, delay: Delay, job: fn(u64) -> Job) -> JoinSet<Vec<Duration>> {
    let asker = |asker: u64| {
        let queue = queue.clone();
        async move {
            let mut took = Vec::new();
            for number in 0..ORDERS / ASKERS {
                let order = Order { job: job(number * ASKERS + asker), delay };
                let begun = Instant::now();
                queue.enqueue(&[order]).await.unwrap();
                took.push(begun.elapsed());
            }
            took
        }
    };
    (0..ASKERS).map(asker).collect()
}

/// Orders jobs and ends them; how many a second.
async fn through() -> f64 {
    let queue = open().await;
    let ended = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let asking = ask(&queue, Delay::None, |number| job(None, number));
    let working: JoinSet<()> = (0..WORKERS).map(|number| work(queue.clone(), number, Arc::clone(&ended))).collect();
    asking.join_all().await;
    working.join_all().await;
    count() as f64 / begun.elapsed().as_secs_f64()
}

fn count() -> u64 {
    ORDERS / ASKERS * ASKERS
}

async fn work(queue: Queue, number: u64, ended: Arc<AtomicU64>) {
    let worker = format!("w-{number}");
    while ended.load(Ordering::Relaxed) < count() {
        let claims = queue.claim(&worker, AT_ONCE, Duration::from_millis(50)).await.unwrap();
        let mut ending = JoinSet::new();
        for claim in claims {
            let queue = queue.clone();
            let done = Ending::Done { result: serde_json::Value::Null, then: Vec::new() };
            ending.spawn(async move { queue.settle(&claim, done).await.unwrap() });
        }
        let taken = ending.join_all().await.into_iter().filter(|settled| *settled == Settled::Taken).count();
        ended.fetch_add(taken as u64, Ordering::Relaxed);
    }
}

fn line(what: &str, (all, mut each): (Duration, Vec<Duration>)) {
    each.sort();
    let rank =
        |share: f64| each.get((each.len() as f64 * share) as usize).map_or(0.0, |took| took.as_secs_f64() * 1000.0);
    println!("| {what} | {:.0} | {:.1} | {:.1} |", each.len() as f64 / all.as_secs_f64(), rank(0.5), rank(0.99));
}
