//! Holds requests to one registry instance back: so many a second, so many at once, and none at all after a 429.
//!
//! The [`Rate`] decides; here are the waits that it asks for. Requests that are under way are not called back. One after
//! the other asks whether it may go, in the order in which they came. All times are tokio's.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::{
    sync::{self, Semaphore, SemaphorePermit},
    time::{Instant, sleep},
};
use tracing::{debug, warn};

use crate::{
    config,
    model::Instance,
    rate::{Answer, Limits, Rate, Report, Step, Ticket, Turn},
    telemetry::metrics::Metrics,
};

/// After a warning that the registry slows us down the next one is this far away.
const WARNINGS_APART: Duration = Duration::from_secs(60);

/// So many requests of a process may be under way at first, and one more with each answer, so that a server that takes
/// few is not met with all of them.
const FIRST_IN_FLIGHT: usize = 4;

/// A rate that several processes keep together, and that may be out of reach for a while.
pub trait SharedLimit: fmt::Debug + Send + Sync {
    /// Takes a step in the life of the rate of an instance; `None` if it is out of reach.
    fn step<'a>(&'a self, instance: &'a Instance, report: Report) -> BoxFuture<'a, Option<Answer>>;

    /// Returns how many processes share the rate, as far as known. While it is out of reach each keeps to its share.
    fn replicas(&self) -> u32;
}

/// The limits of one instance: the rate, and the requests in flight.
#[derive(Debug)]
pub(super) struct RateLimit {
    pub(super) instance: Instance,
    shared: Option<Arc<dyn SharedLimit>>,
    limits: Limits,
    patience: Duration,
    in_flight: Semaphore,
    /// Places in `in_flight` that are not open yet.
    closed: AtomicUsize,
    /// Held by the request that is the next to go.
    next: sync::Mutex<()>,
    /// Requests that were answered, not by 429, and are not reported yet.
    taken: AtomicU32,
    /// The rate of this process alone, by the time since `begun`.
    alone: Mutex<Rate>,
    begun: Instant,
    /// The rate in force when the shared one was last in reach.
    per_second: Mutex<Option<f64>>,
    warned: Mutex<Option<Instant>>,
    metrics: Arc<Metrics>,
}

/// The leave to send one request, which is under way until this is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    rate_limit: &'a RateLimit,
    ticket: Ticket,
    /// `None` never comes, as the semaphore is never closed.
    _place: Option<SemaphorePermit<'a>>,
}

impl RateLimit {
    pub(super) fn new(
        instance: Instance,
        settings: &config::Arin,
        shared: Option<Arc<dyn SharedLimit>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let per_second = NonZeroU32::new(settings.requests_per_second).map(|rate| f64::from(rate.get()));
        let places = settings.max_in_flight.clamp(1, Semaphore::MAX_PERMITS);
        let open = places.min(FIRST_IN_FLIGHT);
        Self {
            instance,
            shared,
            limits: Limits { per_second, burst: settings.burst },
            patience: settings.patience,
            in_flight: Semaphore::new(open),
            closed: AtomicUsize::new(places - open),
            next: sync::Mutex::default(),
            taken: AtomicU32::default(),
            alone: Mutex::default(),
            begun: Instant::now(),
            per_second: Mutex::new(per_second),
            warned: Mutex::default(),
            metrics,
        }
    }

    /// Waits until a request may go that somebody wants to send since `wanted`.
    ///
    /// # Errors
    /// When the registry has answered 429 to everything for as long as the settings have patience, with the time after
    /// which the next request may go.
    pub(super) async fn acquire(&self, wanted: Instant) -> Result<Permit<'_>, Duration> {
        let begun = Instant::now();
        let place = self.in_flight.acquire().await.ok();
        let ticket = {
            let _next = self.next.lock().await;
            self.turn(wanted).await?
        };
        self.metrics.waited(&self.instance.to_string(), begun.elapsed());
        Ok(Permit { rate_limit: self, ticket, _place: place })
    }

    async fn turn(&self, wanted: Instant) -> Result<Ticket, Duration> {
        let mut waited = false;
        loop {
            let Answer { turn, refusing_for, .. } = self.step(Step::Ask { waited }).await;
            waited = true;
            let wait = match turn {
                Turn::Go(ticket) => return Ok(ticket),
                Turn::Wait(wait) => wait,
            };
            let Some(refusing_for) = refusing_for else {
                sleep(wait).await;
                continue;
            };
            let patience = self.patience.saturating_sub(refusing_for.min(wanted.elapsed()));
            if patience.is_zero() {
                return Err(wait);
            }
            sleep(wait.min(patience)).await;
        }
    }

    async fn step(&self, step: Step) -> Answer {
        let report = Report { step, limits: self.limits, taken: self.taken.swap(0, Ordering::Relaxed) };
        let Some(shared) = &self.shared else { return self.keep(self.step_alone(report)) };
        match shared.step(&self.instance, report).await {
            Some(answer) => self.keep(answer),
            None => self.step_alone(Report { limits: self.share(shared.replicas()), ..report }),
        }
    }

    fn step_alone(&self, report: Report) -> Answer {
        self.alone.lock().step(self.begun.elapsed(), report)
    }

    fn keep(&self, answer: Answer) -> Answer {
        *self.per_second.lock() = answer.per_second;
        self.metrics.rate(&self.instance.to_string(), answer.per_second);
        answer
    }

    /// Returns the limits of one of so many processes.
    fn share(&self, replicas: u32) -> Limits {
        let replicas = replicas.max(1);
        let per_second = self.per_second.lock().map(|per_second| per_second / f64::from(replicas));
        Limits { per_second, burst: self.limits.burst.checked_div(replicas).unwrap_or_default().max(1) }
    }

    /// Returns the requests a second that may go now, by all processes that share the limit; `None` for any number.
    pub(super) async fn per_second(&self) -> Option<f64> {
        if let Some(shared) = &self.shared {
            let report = Report { step: Step::Look, limits: self.limits, taken: 0 };
            return match shared.step(&self.instance, report).await {
                Some(answer) => answer.per_second,
                None => *self.per_second.lock(),
            };
        }
        *self.per_second.lock()
    }

    fn open_a_place(&self) {
        let fewer = |closed: usize| closed.checked_sub(1);
        if self.closed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok() {
            self.in_flight.add_permits(1);
        }
    }

    fn warn(&self, answer: &Answer) {
        let Answer { turn, per_second, .. } = answer;
        let pause = match turn {
            Turn::Wait(pause) => pause.as_secs_f64(),
            Turn::Go(_) => 0.0,
        };
        let (instance, per_second) = (&self.instance, per_second.unwrap_or_default());
        let recently = self.warned.lock().replace(Instant::now());
        if recently.is_none_or(|warned| warned.elapsed() >= WARNINGS_APART) {
            warn!(
                arin.instance = %instance,
                "{instance} asks to slow down: no request for {pause:.1} s, then {per_second:.1} a second"
            );
        } else {
            debug!(arin.instance = %instance, pause, per_second, "{instance} asks again to slow down");
        }
    }
}

impl Permit<'_> {
    /// Notes that the request was answered, by something else than 429.
    pub(super) async fn taken(&self) {
        self.rate_limit.taken.fetch_add(1, Ordering::Relaxed);
        self.rate_limit.open_a_place();
        if self.ticket.ahead {
            self.rate_limit.step(Step::Taken(self.ticket)).await;
        }
    }

    /// Notes that the request was answered by 429, which asks to wait so long.
    pub(super) async fn refused(&self, asked: Option<Duration>) {
        let answer = self.rate_limit.step(Step::Refused(self.ticket, asked)).await;
        self.rate_limit.warn(&answer);
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
            drop(rate_limit.acquire(start).await.unwrap());
            start.elapsed().as_millis()
        };
        let mut departures = futures_util::future::join_all((0..count).map(|_| departure())).await;
        departures.sort_unstable();
        departures
    }

    /// Sends a request that is answered by 429.
    async fn throttle(rate_limit: &RateLimit, asked: u64) {
        let permit = rate_limit.acquire(Instant::now()).await.unwrap();
        permit.refused(Some(Duration::from_secs(asked))).await;
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_burst_requests_go_at_the_rate() {
        assert_eq!(departures(&rate_limit(10, 3, 100), 6).await, [0, 0, 0, 100, 200, 300]);
    }

    /// A rate that several processes share, of which one has this to say.
    #[derive(Debug)]
    struct FakeLimit {
        answers: Mutex<Vec<Option<Turn>>>,
        refused: AtomicU32,
    }

    impl SharedLimit for FakeLimit {
        fn step<'a>(&'a self, _: &'a Instance, report: Report) -> BoxFuture<'a, Option<Answer>> {
            Box::pin(async move {
                if let Step::Refused(..) = report.step {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
                let turn = self.answers.lock().pop().unwrap_or_default()?;
                Some(Answer { turn, per_second: Some(10.0), refusing_for: None })
            })
        }

        fn replicas(&self) -> u32 {
            2
        }
    }

    fn shared(answers: Vec<Option<Turn>>) -> (RateLimit, Arc<FakeLimit>) {
        let shared = Arc::new(FakeLimit { answers: Mutex::new(answers), refused: AtomicU32::default() });
        (RateLimit { shared: Some(shared.clone()), ..rate_limit(10, 2, 100) }, shared)
    }

    #[tokio::test(start_paused = true)]
    async fn a_shared_limit_says_when_a_request_may_go() {
        let wait = Some(Turn::Wait(Duration::from_secs(3)));
        let (rate_limit, _) = shared(vec![Some(Turn::Go(Ticket::default())), wait]);
        assert_eq!(departures(&rate_limit, 1).await, [3000]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_the_shared_limit_each_process_keeps_to_its_share() {
        let (rate_limit, _) = shared(Vec::new());
        assert_eq!(departures(&rate_limit, 4).await, [0, 200, 400, 600]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_in_force_is_that_of_all_processes_or_was_when_it_was_last_known() {
        assert_eq!(rate_limit(7, 1, 1).per_second().await, Some(7.0));
        let (rate_limit, _) = shared(vec![None, Some(Turn::Wait(Duration::ZERO))]);
        *rate_limit.per_second.lock() = Some(3.0);
        assert_eq!(rate_limit.per_second().await, Some(10.0));
        assert_eq!(rate_limit.per_second().await, Some(3.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_is_told_to_the_other_processes() {
        let (rate_limit, shared) = shared(vec![Some(Turn::Wait(Duration::ZERO)), Some(Turn::Go(Ticket::default()))]);
        throttle(&rate_limit, 7).await;
        assert_eq!(shared.refused.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_is_warned_of_unless_that_was_done_within_a_minute() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_writer(std::sync::Mutex::new(log.reopen().unwrap()))
            .finish();
        let _to_the_log = tracing::subscriber::set_default(subscriber);
        let warnings = || std::fs::read_to_string(log.path()).unwrap().matches("asks to slow down").count();
        let rate_limit = rate_limit(10, 1, 4);
        let mut seen = Vec::new();
        for later in [0, 0, 50, 61] {
            sleep(Duration::from_secs(later)).await;
            throttle(&rate_limit, 1).await;
            seen.push(warnings());
        }
        assert_eq!(seen, [1, 1, 1, 2]);
        let text = std::fs::read_to_string(log.path()).unwrap();
        assert!(text.contains("no request for 1.0 s, then 5.0 a second"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_of_zero_is_no_limit() {
        assert_eq!(departures(&rate_limit(0, 1, 100), 50).await, [0; 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_than_allowed_are_under_way() {
        let (rate_limit, now) = (rate_limit(0, 1, 2), Instant::now());
        let (_one, _two) = (rate_limit.acquire(now).await, rate_limit.acquire(now).await);
        let third = tokio::time::timeout(Duration::from_secs(3600), rate_limit.acquire(now)).await;
        assert!(third.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn each_answer_lets_one_more_be_under_way_up_to_the_setting() {
        let (rate_limit, now) = (rate_limit(0, 1, 6), Instant::now());
        let open = || rate_limit.in_flight.available_permits();
        let mut seen = vec![open()];
        for _ in 0..4 {
            rate_limit.acquire(now).await.unwrap().taken().await;
            seen.push(open());
        }
        assert_eq!(seen, [4, 5, 6, 6, 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_every_request_and_then_one_goes_ahead() {
        let rate_limit = rate_limit(0, 1, 4);
        throttle(&rate_limit, 7).await;
        let departures = departures(&rate_limit, 3).await;
        assert!((7000..7010).contains(&departures[0]) && departures[1] >= 12_000, "{departures:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_begins_while_a_request_waits_for_its_turn_holds_it_too() {
        let rate_limit = rate_limit(1, 1, 2);
        let permit = rate_limit.acquire(Instant::now()).await.unwrap();
        let pause = async {
            sleep(Duration::from_millis(500)).await;
            permit.refused(Some(Duration::from_secs(5))).await;
        };
        let (departures, ()) = tokio::join!(departures(&rate_limit, 1), pause);
        assert!(departures[0] >= 5500, "{departures:?}");
    }

    /// Sends a request that is always answered by 429. Returns how long until that was given up, and the last wait.
    async fn given_up(rate_limit: &RateLimit) -> (Duration, Duration) {
        let wanted = Instant::now();
        loop {
            match rate_limit.acquire(wanted).await {
                Ok(permit) => permit.refused(Some(Duration::from_secs(200))).await,
                Err(wait) => return (wanted.elapsed(), wait),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn when_nothing_gets_through_patience_has_an_end() {
        let rate_limit = rate_limit(0, 1, 8);
        let all = futures_util::future::join_all((0..8).map(|_| given_up(&rate_limit))).await;
        for (after, wait) in all {
            assert!((600..602).contains(&after.as_secs()), "{after:?}");
            assert!(wait <= Duration::from_secs(200), "{wait:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn as_long_as_anything_gets_through_nobody_gives_up() {
        let rate_limit = rate_limit(0, 1, 8);
        let unlucky = given_up(&rate_limit);
        // In half of the patience another request gets through each time.
        let lucky = async {
            for _ in 0..10 {
                sleep(Duration::from_secs(300)).await;
                rate_limit.acquire(Instant::now()).await.unwrap().taken().await;
            }
        };
        tokio::select! {
            (after, _) = unlucky => panic!("given up after {after:?}"),
            () = lucky => {}
        }
    }
}
