//! Each key of the queue is lost, one at a time, in the middle of jobs of all kinds: nothing is at work twice at once, what
//! is not lost itself is done, and so are all later orders.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redis::AsyncTypedCommands;
use rir_sidecar::queue::{Claim, Claimant, Delay, Job, JobId, Queue, Signal, State};
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    audit::Keys,
    bench::{Bench, aggregate, done, failed, free, now, prefixes, preview, progress, whole},
    server::Server,
};

const CONFIG: u64 = 7;
/// Long enough to see that a lease is kept without the key that it stands in.
const LONG_RUN: Duration = Duration::from_secs(7);
/// Longer than in other tests, as much goes on at once.
const LONG_LEASE: Duration = Duration::from_secs(3);
const SHORT_RUN: Duration = Duration::from_millis(100);
/// The key that is there only after the job of a config was lost.
const VANISHED: &str = "vanished";
/// Longest time until all is done.
const LIMIT: Duration = Duration::from_secs(40);

/// What is at work, by job and by where it has to be alone.
#[derive(Default)]
struct AtWork(Mutex<BTreeSet<String>>);

impl AtWork {
    fn places(claim: &Claim) -> Vec<String> {
        let alone = claim.job.alone_at().map(|place| format!("at {place}"));
        [Some(claim.id.to_string()), alone].into_iter().flatten().collect()
    }

    fn begin(&self, claim: &Claim) {
        for place in Self::places(claim) {
            assert!(self.0.lock().unwrap().insert(place.clone()), "{place} is at work twice");
        }
    }

    fn end(&self, claim: &Claim) {
        for place in Self::places(claim) {
            self.0.lock().unwrap().remove(&place);
        }
    }
}

/// Does a job as a worker does: with heartbeats, and not for longer than it is its own.
async fn run(queue: Queue, worker: &'static str, claim: Claim, (at_work, time): (Arc<AtWork>, Duration)) {
    at_work.begin(&claim);
    let begun = Instant::now();
    let (mut heard, mut signal) = (begun, Signal::Yours);
    while signal == Signal::Yours && begun.elapsed() < time && heard.elapsed() < LONG_LEASE * 4 / 5 {
        tokio::time::sleep(SHORT_RUN.min(time)).await;
        let sent = Instant::now();
        if let Ok(told) = queue.heartbeat(&claim, worker, &progress(1, 1, "")).await {
            (heard, signal) = (sent, told);
        }
    }
    at_work.end(&claim);
    while signal == Signal::Yours && queue.settle(&claim, done(json!(null))).await.is_err() {
        tokio::time::sleep(SHORT_RUN).await;
    }
}

/// A worker that does two jobs at once until it is told to stop.
async fn work(queue: Queue, worker: &'static str, at_work: Arc<AtWork>, stop: Arc<AtomicBool>) {
    let mut runs: BTreeMap<JobId, tokio::task::JoinHandle<()>> = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        for ended in runs.extract_if(.., |_, run| run.is_finished()).map(|(_, run)| run).collect::<Vec<_>>() {
            ended.await.unwrap();
        }
        let holds: Vec<JobId> = runs.keys().cloned().collect();
        let claimant = Claimant { name: worker, holds: Some(&holds) };
        let claims = queue.claim(claimant, 2_usize.saturating_sub(holds.len()), SHORT_RUN).await.unwrap_or_default();
        for claim in claims {
            let id = claim.id.clone();
            runs.insert(id, tokio::spawn(run(queue.clone(), worker, claim, (Arc::clone(&at_work), SHORT_RUN))));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All the work that the jobs here stand for.
fn orders() -> Vec<Job> {
    vec![whole(CONFIG), aggregate(CONFIG, 5), prefixes([1]), preview(CONFIG, "ann"), free(1), free(2), free(3), free(4)]
}

/// Jobs of all kinds, by what they are called here; the first of them runs, and its worker is alive.
async fn jobs(bench: &Bench) -> (BTreeMap<&'static str, JobId>, Claim) {
    let mut jobs = BTreeMap::new();
    jobs.insert("running", bench.order(whole(CONFIG)).await.job);
    let running = bench.begin("alive").await;
    bench.queue.note(&running, "alive", &json!("one aggregate")).await.unwrap();
    jobs.insert("parked", bench.order(whole(CONFIG)).await.job);
    jobs.insert("in line", bench.order(aggregate(CONFIG, 5)).await.job);
    assert_eq!(bench.queue.claim("w", 1, Duration::ZERO).await.unwrap(), []);
    jobs.insert("dropped", bench.order(free(1)).await.job);
    bench.begin("dead").await;
    jobs.insert("dead", bench.order(free(4)).await.job);
    bench.settle(&bench.claim("w").await, failed("no", None)).await;
    jobs.insert("over", bench.order(free(5)).await.job);
    bench.done(&bench.claim("w").await).await;
    jobs.insert("waiting again", bench.order(free(3)).await.job);
    bench.settle(&bench.claim("w").await, failed("not now", Some(LONG_LEASE))).await;
    jobs.insert("delayed", bench.order_later(free(2), Delay::For(LONG_LEASE * 2)).await.job);
    jobs.insert("ready", bench.order(prefixes([1])).await.job);
    bench.order(prefixes([2])).await;
    jobs.insert("preview", bench.order(preview(CONFIG, "ann")).await.job);
    (jobs, running)
}

/// The keys that there are, with the names of jobs instead of their ids.
async fn keys_by_name(bench: &Bench, jobs: &BTreeMap<&'static str, JobId>) -> BTreeMap<String, String> {
    let mut keys = Keys::of(&bench.settings).await;
    let all: Vec<String> = keys.redis.keys(format!("{}*", keys.key(""))).await.unwrap();
    let named = |key: &String| {
        let name = key.strip_prefix(&keys.key("")).unwrap().to_owned();
        jobs.iter().fold(name, |name, (job, id)| name.replace(id.as_str(), job))
    };
    all.iter().map(|key| (named(key), key.clone())).collect()
}

/// Waits until nothing is left to do.
async fn all_done(bench: &Bench, lost: &str) {
    let begun = Instant::now();
    loop {
        let figures = bench.queue.figures().await.unwrap().jobs;
        if figures.iter().all(|(state, count)| *state == State::Dead || *count == 0) {
            return;
        }
        assert!(begun.elapsed() < LIMIT, "without {lost}: {figures:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn order_all(bench: &Bench) -> Vec<JobId> {
    let orders: Vec<_> = orders().into_iter().map(now).collect();
    bench.queue.enqueue(&orders).await.unwrap().into_iter().map(|ticket| ticket.job).collect()
}

/// Loses the key of this name, and looks at what comes of it.
async fn without(lost: String, bench: Bench) {
    let (jobs, running) = jobs(&bench).await;
    let (at_work, stop) = (Arc::new(AtWork::default()), Arc::new(AtomicBool::new(false)));
    let alive = tokio::spawn(run(bench.other().await, "alive", running, (Arc::clone(&at_work), LONG_RUN)));
    let mut workers = JoinSet::new();
    for name in ["one", "two"] {
        workers.spawn(work(bench.other().await, name, Arc::clone(&at_work), Arc::clone(&stop)));
    }
    let mut keys = Keys::of(&bench.settings).await;
    let mut by_name = keys_by_name(&bench, &jobs).await;
    if lost == VANISHED {
        keys.redis.del(&by_name["job:running"]).await.unwrap();
        by_name.insert(lost.clone(), keys.key(VANISHED));
        while !keys.redis.exists(keys.key(VANISHED)).await.unwrap() {
            tokio::time::sleep(SHORT_RUN).await;
        }
    }
    // A worker may have been quicker with what was ready.
    if let Some(key) = by_name.remove(&lost) {
        keys.redis.del(key).await.unwrap();
    }
    let ordered = order_all(&bench).await;
    alive.await.unwrap();
    all_done(&bench, &lost).await;

    let gone = |name: &str| lost == format!("job:{name}") || (lost == VANISHED && name == "running");
    for (name, id) in jobs.iter().filter(|(name, _)| !gone(name)) {
        let wanted = if *name == "dead" { State::Dead } else { State::Done };
        assert_eq!(bench.state(id).await, wanted, "the job that was {name}, without {lost}");
    }
    for id in &ordered {
        assert_eq!(bench.state(id).await, State::Done, "an order after the loss of {lost}");
    }
    let again = order_all(&bench).await;
    assert!(again.iter().all(|id| !ordered.contains(id)), "without {lost}");
    all_done(&bench, &lost).await;
    for id in &again {
        assert_eq!(bench.state(id).await, State::Done, "a later order, without {lost}");
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    let record = jobs.iter().find(|(name, _)| gone(name));
    forget_letters(&mut keys, record.map(|(_, id)| id)).await;
    keys.audit().await;
}

/// A letter about a job whose record is lost stays until others push it out.
async fn forget_letters(keys: &mut Keys, lost: Option<&JobId>) {
    for (letter, fields) in keys.messages("dead").await {
        if lost.is_some_and(|lost| fields["job"] == lost.as_str()) {
            keys.redis.xdel(keys.key("dead"), &[letter]).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_key_is_lost_all_later_orders_are_done_and_nothing_is_at_work_twice() {
    let server = Server::start(&["--appendonly", "no"]).await;
    let open = async || server.bench().await.with(|settings| settings.lease = LONG_LEASE).await;
    let bench = open().await;
    let (jobs, _) = jobs(&bench).await;
    let names: BTreeSet<String> = keys_by_name(&bench, &jobs).await.into_keys().collect();
    for kind in [
        "ready",
        "delayed",
        "heads",
        "at-work",
        "jobs",
        "state:parked",
        "state:dead",
        "over",
        "dead",
        "line:7",
        "more:ready",
        "notes:running",
        "job:running",
    ] {
        assert!(names.contains(kind), "no {kind} among {names:?}");
    }
    let mut each = JoinSet::new();
    for name in names.into_iter().chain([VANISHED.to_owned()]) {
        each.spawn(without(name, open().await));
    }
    while let Some(ended) = each.join_next().await {
        ended.unwrap();
    }
}
