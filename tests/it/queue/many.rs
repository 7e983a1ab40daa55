//! Many at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use rir_sidecar::queue::{Delay, Filter, JobId, Order, Queue, Settled, State};
use serde_json::json;
use tokio::task::JoinSet;

use super::bench::{Bench, CLAIM_TIMEOUT, MOMENT, aggregate, done, free, now, prefixes, secs};

pub(super) async fn a_hundred_orders_at_once_make_one_job(bench: Bench) {
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        let queue = bench.queue.clone();
        asking.spawn(async move { queue.enqueue(&[now(free(1))]).await.unwrap().remove(0) });
    }
    let tickets = asking.join_all().await;
    let ids: BTreeSet<_> = tickets.iter().map(|ticket| &ticket.job).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(tickets.iter().filter(|ticket| !ticket.coalesced).count(), 1);
    assert_eq!(bench.queue.claim("w", 10, CLAIM_TIMEOUT).await.unwrap().len(), 1);
    bench.idle().await;
}

pub(super) async fn five_hundred_prefixes_at_once_make_few_jobs(bench: Bench) {
    let mut asking = JoinSet::new();
    for number in 0..500 {
        let queue = bench.queue.clone();
        let delay = Delay::Debounce { quiet: Duration::from_millis(500), longest: secs(5) };
        let order = Order { job: prefixes([number]), delay };
        asking.spawn(async move { queue.enqueue(&[order]).await.unwrap() });
    }
    asking.join_all().await;
    let mut seen = BTreeSet::new();
    let mut jobs = 0;
    while seen.len() < 500 {
        let claim = bench.claim("w").await;
        let rir_sidecar::queue::Work::SyncPrefix { prefixes, .. } = &claim.job.work else { panic!("{claim:?}") };
        seen.extend(prefixes.iter().copied());
        jobs += 1;
        bench.done(&claim).await;
    }
    assert!(jobs <= 10, "{jobs} jobs");
    bench.idle().await;
}

/// Claims and ends jobs until none has come for a moment; what it claimed.
async fn work(queue: Queue, worker: String) -> Vec<JobId> {
    let mut claimed = Vec::new();
    loop {
        let claims = queue.claim(&worker, 3, MOMENT * 5).await.unwrap();
        if claims.is_empty() {
            return claimed;
        }
        for claim in claims {
            tokio::task::yield_now().await;
            assert_eq!(queue.settle(&claim, done(json!(null))).await.unwrap(), Settled::Taken);
            claimed.push(claim.id);
        }
    }
}

/// Many workers, each with connections of its own; what they claimed, together.
async fn workers(bench: &Bench, count: usize) -> JoinSet<Vec<JobId>> {
    let mut workers = JoinSet::new();
    for number in 0..count {
        workers.spawn(work(bench.other().await, format!("w-{number}")));
    }
    workers
}

fn each_once(mut claimed: Vec<JobId>, mut wanted: Vec<JobId>) {
    claimed.sort();
    wanted.sort();
    assert_eq!(claimed, wanted);
}

pub(super) async fn many_promoters_neither_lose_nor_double(bench: Bench) {
    let delay = Delay::For(Duration::from_millis(400));
    let orders: Vec<_> = (0..400).map(|number| Order { job: free(number), delay }).collect();
    let wanted = bench.queue.enqueue(&orders).await.unwrap().into_iter().map(|ticket| ticket.job).collect();
    let claimed = workers(&bench, 8).await.join_all().await.concat();
    each_once(claimed, wanted);
}

pub(super) async fn everything_is_done_exactly_once_by_many_workers(bench: Bench) {
    let workers = workers(&bench, 6).await;
    let mut asking = JoinSet::new();
    for asker in 0..4 {
        let queue = bench.queue.clone();
        asking.spawn(async move {
            let mut ids = Vec::new();
            for number in 0..100 {
                let orders = [now(free(asker * 1000 + number)), now(free(asker * 1000 + 500 + number))];
                ids.extend(queue.enqueue(&orders).await.unwrap().into_iter().map(|ticket| ticket.job));
            }
            ids
        });
    }
    let wanted = asking.join_all().await.concat();
    assert_eq!(wanted.len(), 800);
    each_once(workers.join_all().await.concat(), wanted);
    let left = bench.queue.figures().await.unwrap().jobs;
    assert!(left.values().all(|count| *count == 0), "{left:?}");
    let over = bench.queue.list(&Filter { state: Some(State::Done), limit: 1000, ..Filter::default() }).await.unwrap();
    assert_eq!(over.len(), 800);
}

pub(super) async fn configs_are_exclusive_among_many_workers(bench: Bench) {
    let orders: Vec<_> = (0..12).map(|number| now(aggregate(number % 3, number))).collect();
    bench.queue.enqueue(&orders).await.unwrap();
    let at_work: Arc<Mutex<BTreeMap<_, u32>>> = Arc::default();
    let mut workers = JoinSet::new();
    for number in 0..6 {
        let (queue, at_work) = (bench.other().await, Arc::clone(&at_work));
        workers.spawn(async move {
            let mut ended = 0;
            while let Some(claim) = queue.claim(&format!("w-{number}"), 1, secs(4)).await.unwrap().pop() {
                let config = claim.job.work.config();
                let already = std::mem::replace(at_work.lock().unwrap().entry(config).or_default(), 1);
                assert_eq!(already, 0, "another run of the config is at work");
                tokio::time::sleep(Duration::from_millis(50)).await;
                at_work.lock().unwrap().insert(config, 0);
                assert_eq!(queue.settle(&claim, done(json!(null))).await.unwrap(), Settled::Taken);
                ended += 1;
            }
            ended
        });
    }
    assert_eq!(workers.join_all().await.into_iter().sum::<u32>(), 12);
}
