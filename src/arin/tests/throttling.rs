//! Servers that allow so many requests a second, in paused time: how long a sync takes, and how much of it is answered by
//! 429.

use futures_util::{StreamExt, future::BoxFuture, stream};
use parking_lot::Mutex;
use rir_sandbox::regrws::{Count, Counted, Limit, RetryAfter};
use tokio::time::{Instant, sleep};

use super::{
    super::rate_limit::{RateLimit, SharedLimit},
    *,
};
use crate::rate::{Answer, Rate, Report};

/// A rate that replicas share, as Redis keeps it.
#[derive(Debug)]
struct Shared(Mutex<Rate>, Instant);

impl SharedLimit for Shared {
    fn step<'a>(&'a self, _: &'a Instance, report: Report) -> BoxFuture<'a, Option<Answer>> {
        Box::pin(async move {
            sleep(Duration::from_millis(1)).await;
            Some(self.0.lock().step(self.1.elapsed(), report))
        })
    }

    fn replicas(&self) -> u32 {
        1
    }
}

/// A sync against a server.
#[derive(Clone)]
struct Sync {
    limit: Limit,
    latency: Duration,
    /// Requests a second by the settings.
    setting: u32,
    replicas: usize,
    in_flight: usize,
    /// Requests in all.
    requests: usize,
}

/// What came of it.
#[derive(Debug)]
struct Took {
    /// The time, in times of what the server's own limit asks for.
    times: f64,
    /// Share of 429s among all answers.
    share: f64,
}

impl Sync {
    fn new(per_second: u32, count: Count, requests: usize) -> Self {
        Self {
            limit: Limit::per_second(per_second, count),
            latency: Duration::from_millis(50),
            setting: 0,
            replicas: 1,
            in_flight: 8,
            requests,
        }
    }

    async fn run(&self) -> Took {
        let shared = Arc::new(Shared(Mutex::default(), Instant::now()));
        let settings =
            Arin { requests_per_second: self.setting, burst: 10, max_in_flight: self.in_flight, ..settings() };
        let instance = Instance::of(&"http://arin.test".parse().unwrap());
        let replica = |_| RateLimit::new(instance.clone(), &settings, Some(shared.clone() as _), Arc::default());
        let replicas: Vec<RateLimit> = (0..self.replicas).map(replica).collect();
        let (counted, begun) = (Mutex::new(Counted::default()), Instant::now());
        let all = replicas.iter().map(|replica| {
            let requests = stream::iter(0..self.requests / self.replicas);
            requests.map(|_| self.request(replica, &counted)).buffer_unordered(self.in_flight).collect::<Vec<()>>()
        });
        futures_util::future::join_all(all).await;
        let refused = counted.lock().refused as f64;
        let asked = self.requests as f64 * self.limit.period.as_secs_f64() / f64::from(self.limit.requests);
        Took { times: begun.elapsed().as_secs_f64() / asked, share: refused / (refused + self.requests as f64) }
    }

    async fn request(&self, replica: &RateLimit, server: &Mutex<Counted>) {
        let wanted = Instant::now();
        loop {
            let permit = replica.acquire(wanted).await.unwrap();
            let wait = server.lock().take(&self.limit, Instant::now());
            sleep(self.latency).await;
            match wait {
                None => return permit.taken().await,
                Some(wait) => permit.refused(self.retry_after(wait)).await,
            }
        }
    }

    fn retry_after(&self, wait: Duration) -> Option<Duration> {
        match self.limit.retry_after {
            RetryAfter::Missing => None,
            RetryAfter::Seconds | RetryAfter::Date => Some(Duration::from_secs(wait.as_secs_f64().ceil() as u64)),
            RetryAfter::Text(text) => text.parse().ok().map(Duration::from_secs),
        }
    }
}

/// Runs syncs one after the other. Returns those that take longer or get more 429s than they should, and why.
async fn beyond_the_aim(syncs: impl IntoIterator<Item = Sync>) -> Vec<String> {
    let mut beyond = Vec::new();
    for sync in syncs {
        let took = sync.run().await;
        if took.times > 1.5 || took.share > 0.15 {
            let Sync { limit, setting, replicas, in_flight, .. } = sync;
            beyond.push(format!("{replicas} x {in_flight}, setting {setting}: {took:?} for {limit:?}"));
        }
    }
    beyond
}

/// Syncs against servers of this rate, with all forms of the setting, so short that finding the rate takes a large part.
fn syncs(per_second: u32) -> Vec<Sync> {
    let mut all = Vec::new();
    for count in [Count::Window, Count::Bucket] {
        for setting in [0, 200, per_second] {
            for (replicas, in_flight) in [(1, 8), (1, 16), (3, 8)] {
                let requests = 100.max(5 * per_second as usize) * replicas;
                all.push(Sync { setting, replicas, in_flight, ..Sync::new(per_second, count, requests) });
            }
        }
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_sync_takes_little_longer_than_the_servers_limit_asks_for() {
    for per_second in [1, 5, 20, 100] {
        assert_eq!(beyond_the_aim(syncs(per_second)).await, [] as [String; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_sync_meets_few_429s() {
    for sync in syncs(20) {
        let took = Sync { requests: 10 * sync.requests, ..sync }.run().await;
        assert!(took.times < 1.2 && took.share < 0.03, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_does_so_whatever_a_429_says_about_when_to_come_back() {
    for retry_after in [RetryAfter::Missing, RetryAfter::Text("-1"), RetryAfter::Text("99999999")] {
        let all = syncs(20).into_iter().map(|sync| Sync { limit: Limit { retry_after, ..sync.limit.clone() }, ..sync });
        assert_eq!(beyond_the_aim(all).await, [] as [String; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn it_does_so_with_a_server_that_counts_by_the_minute() {
    let minute = |count, requests: u32| {
        let limit = Limit { requests, period: Duration::from_secs(60), ..Limit::per_second(1, count) };
        let retry_after = [RetryAfter::Seconds, RetryAfter::Missing];
        let limits = retry_after.map(|retry_after| Limit { retry_after, ..limit.clone() });
        limits.map(|limit| Sync { limit, ..Sync::new(1, count, 4 * requests as usize) })
    };
    let all = [Count::Window, Count::Bucket].into_iter().flat_map(|count| [60, 300, 1200].map(|n| minute(count, n)));
    assert_eq!(beyond_the_aim(all.flatten()).await, [] as [String; 0]);
}

#[tokio::test(start_paused = true)]
async fn it_does_so_however_long_an_answer_takes() {
    let slow = [5, 200].map(Duration::from_millis).into_iter();
    let all = slow.flat_map(|latency| syncs(20).into_iter().map(move |sync| Sync { latency, ..sync }));
    assert_eq!(beyond_the_aim(all).await, [] as [String; 0]);
}
