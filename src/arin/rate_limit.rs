//! Holds requests to one registry instance back: so many a second, so many at once, and none at all during a pause.
//!
//! A pause begins when ARIN answers 429. Requests that are under way then are not called back, everything else waits; a
//! second 429 can lengthen a pause and never shortens it. All times are tokio's.

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep, sleep_until},
};
use tracing::{debug, warn};

use crate::{config, model::Instance, telemetry::metrics::Metrics};

/// The longest pause made for a `Retry-After`. A worker that slept longer would rather look dead; who still gets a 429
/// after it pauses again.
const MAX_PAUSE: Duration = Duration::from_secs(300);

/// A limit that several processes keep together, and that may be out of reach for a while.
pub trait SharedLimit: fmt::Debug + Send + Sync {
    /// Asks to send a request to an instance, where all processes together may send `per_second` in bursts of `burst`.
    /// Returns zero when it may go out, else how long to wait before asking again; `None` if the limit is out of reach.
    fn acquire<'a>(&'a self, instance: &'a Instance, per_second: u32, burst: u32) -> BoxFuture<'a, Option<Duration>>;

    /// Lets nobody send anything to an instance for a while.
    fn pause<'a>(&'a self, instance: &'a Instance, pause: Duration) -> BoxFuture<'a, ()>;

    /// Returns how many processes share the limit, as far as known. While it is out of reach each keeps to its share.
    fn replicas(&self) -> u32;
}

/// The limits of one instance: rate, requests in flight, and pauses.
#[derive(Debug)]
pub(super) struct RateLimit {
    pub(super) instance: Instance,
    shared: Option<Arc<dyn SharedLimit>>,
    per_second: u32,
    burst: NonZeroU32,
    in_flight: Semaphore,
    rate: Option<RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>>,
    paused_until: Mutex<Option<Instant>>,
    metrics: Arc<Metrics>,
}

impl RateLimit {
    pub(super) fn new(
        instance: Instance,
        settings: &config::Arin,
        shared: Option<Arc<dyn SharedLimit>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let per_second = NonZeroU32::new(settings.requests_per_second);
        let burst = NonZeroU32::new(settings.burst).unwrap_or(NonZeroU32::MIN);
        let rate = per_second.map(|rate| {
            RateLimiter::direct_with_clock(Quota::per_second(rate).allow_burst(burst), TokioClock(Instant::now()))
        });
        let in_flight = Semaphore::new(settings.max_in_flight.clamp(1, Semaphore::MAX_PERMITS));
        let per_second = settings.requests_per_second;
        Self { instance, shared, per_second, burst, in_flight, rate, paused_until: Mutex::new(None), metrics }
    }

    /// Waits until a request may go out. It counts as under way until the permit is dropped; `None` never comes, as
    /// the semaphore is never closed.
    pub(super) async fn acquire(&self) -> Option<SemaphorePermit<'_>> {
        let begun = Instant::now();
        let permit = self.in_flight.acquire().await.ok();
        loop {
            while let Some(end) = self.pause_end() {
                sleep_until(end).await;
            }
            self.wait_for_rate().await;
            if self.pause_end().is_none() {
                break;
            }
        }
        self.metrics.waited(&self.instance.to_string(), begun.elapsed());
        permit
    }

    async fn wait_for_rate(&self) {
        let Some(shared) = &self.shared else { return self.wait_alone(NonZeroU32::MIN).await };
        loop {
            match shared.acquire(&self.instance, self.per_second, self.burst.get()).await {
                Some(Duration::ZERO) => return,
                Some(wait) => sleep(wait).await,
                None => return self.wait_alone(NonZeroU32::new(shared.replicas()).unwrap_or(NonZeroU32::MIN)).await,
            }
        }
    }

    /// Keeps to the share of one of so many processes: each request counts as one for each of them.
    async fn wait_alone(&self, replicas: NonZeroU32) {
        let Some(rate) = &self.rate else { return };
        while let Ok(Err(too_early)) = rate.check_n(replicas.min(self.burst)) {
            sleep(too_early.wait_time_from(rate.clock().now())).await;
        }
    }

    /// Lets no request out for `asked`, or for [`MAX_PAUSE`] if that is shorter, in all processes that share the limit.
    /// Returns the pause made.
    pub(super) async fn pause(&self, asked: Duration) -> Duration {
        let pause = asked.min(MAX_PAUSE);
        let (instance, seconds) = (&self.instance, pause.as_secs_f64());
        match self.extend_pause(Instant::now() + pause) {
            Extended::Begun => warn!(
                arin.instance = %instance, arin.asked = ?asked,
                "{instance} asks to slow down: no request for {seconds:.1} s"
            ),
            Extended::Longer => {
                debug!(arin.instance = %instance, arin.asked = ?asked, "{instance} asks again to slow down");
            }
            Extended::Covered => {}
        }
        if let Some(shared) = &self.shared {
            shared.pause(instance, pause).await;
        }
        pause
    }

    fn extend_pause(&self, end: Instant) -> Extended {
        let mut paused_until = self.paused_until.lock();
        let running = paused_until.filter(|running| *running > Instant::now());
        match running {
            Some(running) if running >= end => return Extended::Covered,
            Some(_) | None => *paused_until = Some(end),
        }
        if running.is_none() { Extended::Begun } else { Extended::Longer }
    }

    /// Returns the end of the pause that is on now.
    fn pause_end(&self) -> Option<Instant> {
        let end = *self.paused_until.lock();
        end.filter(|end| *end > Instant::now())
    }
}

/// The effect of a 429 on the pause.
#[derive(Debug)]
enum Extended {
    Begun,
    Longer,
    Covered,
}

/// Tokio's clock, so that tests that pause the one pause the other.
#[derive(Debug, Clone)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arin::fixtures::settings;

    fn rate_limit(per_second: u32, burst: u32, in_flight: usize) -> RateLimit {
        let settings = config::Arin { requests_per_second: per_second, burst, max_in_flight: in_flight, ..settings() };
        RateLimit::new(Instance::of(&"http://arin.test".parse().unwrap()), &settings, None, Arc::default())
    }

    /// Returns when each of `count` requests, all asked for at once, may go out.
    async fn departures(rate_limit: &RateLimit, count: usize) -> Vec<u128> {
        let start = Instant::now();
        let departure = async || {
            drop(rate_limit.acquire().await);
            start.elapsed().as_millis()
        };
        let mut departures = futures_util::future::join_all((0..count).map(|_| departure())).await;
        departures.sort_unstable();
        departures
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_burst_requests_go_at_the_rate() {
        assert_eq!(departures(&rate_limit(10, 3, 100), 6).await, [0, 0, 0, 100, 200, 300]);
    }

    /// A limit that several processes share, of which one has this to say.
    #[derive(Debug)]
    struct FakeLimit {
        answers: Mutex<Vec<Option<Duration>>>,
        pauses: Mutex<Vec<Duration>>,
    }

    impl SharedLimit for FakeLimit {
        fn acquire<'a>(&'a self, _: &'a Instance, _: u32, _: u32) -> BoxFuture<'a, Option<Duration>> {
            Box::pin(async { self.answers.lock().pop().unwrap_or_default() })
        }

        fn pause<'a>(&'a self, _: &'a Instance, pause: Duration) -> BoxFuture<'a, ()> {
            Box::pin(async move { self.pauses.lock().push(pause) })
        }

        fn replicas(&self) -> u32 {
            2
        }
    }

    fn shared(answers: Vec<Option<Duration>>) -> (RateLimit, Arc<FakeLimit>) {
        let shared = Arc::new(FakeLimit { answers: Mutex::new(answers), pauses: Mutex::default() });
        (RateLimit { shared: Some(shared.clone()), ..rate_limit(10, 2, 100) }, shared)
    }

    #[tokio::test(start_paused = true)]
    async fn a_shared_limit_says_when_a_request_may_go() {
        let wait = Some(Duration::from_secs(3));
        let (rate_limit, _) = shared(vec![Some(Duration::ZERO), wait]);
        assert_eq!(departures(&rate_limit, 1).await, [3000]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_the_shared_limit_each_process_keeps_to_its_share() {
        let (rate_limit, _) = shared(Vec::new());
        assert_eq!(departures(&rate_limit, 4).await, [0, 200, 400, 600]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_told_to_the_other_processes() {
        let (rate_limit, shared) = shared(Vec::new());
        rate_limit.pause(Duration::from_secs(7)).await;
        assert_eq!(*shared.pauses.lock(), [Duration::from_secs(7)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_of_zero_is_no_limit() {
        assert_eq!(departures(&rate_limit(0, 1, 100), 50).await, [0; 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_than_allowed_are_under_way() {
        let rate_limit = rate_limit(0, 1, 2);
        let (_one, _two) = (rate_limit.acquire().await, rate_limit.acquire().await);
        let third = tokio::time::timeout(Duration::from_secs(3600), rate_limit.acquire()).await;
        assert!(third.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_every_request() {
        let rate_limit = rate_limit(0, 1, 2);
        rate_limit.pause(Duration::from_secs(7)).await;
        let departures = departures(&rate_limit, 5).await;
        assert!(departures.iter().all(|at| (7000..7010).contains(at)), "{departures:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_pause_lengthens_the_first_and_never_shortens_it() {
        let rate_limit = rate_limit(0, 1, 2);
        for seconds in [3, 7, 1] {
            rate_limit.pause(Duration::from_secs(seconds)).await;
        }
        let departures = departures(&rate_limit, 1).await;
        assert!((7000..7010).contains(&departures[0]), "{departures:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_begins_while_a_request_waits_for_its_turn_holds_it_too() {
        let rate_limit = rate_limit(1, 1, 2);
        drop(rate_limit.acquire().await);
        let pause = async {
            sleep(Duration::from_millis(500)).await;
            rate_limit.pause(Duration::from_secs(5)).await;
        };
        let (departures, ()) = tokio::join!(departures(&rate_limit, 1), pause);
        assert!(departures[0] >= 5500, "{departures:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_first_429_of_a_pause_begins_one() {
        let rate_limit = rate_limit(0, 1, 2);
        let ends = [3, 7, 1].map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let extended = ends.map(|end| rate_limit.extend_pause(end));
        assert!(matches!(extended, [Extended::Begun, Extended::Longer, Extended::Covered]), "{extended:?}");
    }

    #[tokio::test]
    async fn an_endless_pause_is_shortened() {
        assert_eq!(rate_limit(0, 1, 1).pause(Duration::from_secs(86_400)).await, MAX_PAUSE);
    }
}
