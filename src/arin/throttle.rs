//! Holds requests to one registry instance back: so many a second, so many at once, and none at all during a pause.
//!
//! A pause begins when ARIN answers 429. Requests that are under way then are not called back, everything else waits; a
//! second 429 can lengthen a pause and never shortens it. All times are tokio's.

use std::{
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep, sleep_until},
};
use tracing::{debug, warn};

use crate::{config, model::Instance};

/// The longest pause made for a `Retry-After`. A worker that slept longer would rather look dead; who still gets a 429
/// after it pauses again.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The gate in front of one instance.
pub(super) struct Throttle {
    instance: Instance,
    in_flight: Semaphore,
    rate: Option<RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>>,
    paused_until: Mutex<Option<Instant>>,
}

impl Throttle {
    pub(super) fn new(instance: Instance, settings: &config::Arin) -> Self {
        let per_second = NonZeroU32::new(settings.requests_per_second);
        let burst = NonZeroU32::new(settings.burst).unwrap_or(NonZeroU32::MIN);
        let rate = per_second.map(|rate| {
            RateLimiter::direct_with_clock(Quota::per_second(rate).allow_burst(burst), TokioClock(Instant::now()))
        });
        let in_flight = Semaphore::new(settings.max_in_flight.clamp(1, Semaphore::MAX_PERMITS));
        Self { instance, in_flight, rate, paused_until: Mutex::new(None) }
    }

    pub(super) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Waits until a request may go out. It counts as under way until the permit is dropped; `None` never comes, as
    /// the semaphore is never closed.
    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.in_flight.acquire().await.ok();
        loop {
            self.wait_out_pause().await;
            self.wait_for_turn().await;
            if self.pause_end().is_none() {
                return permit;
            }
        }
    }

    async fn wait_out_pause(&self) {
        while let Some(end) = self.pause_end() {
            sleep_until(end).await;
        }
    }

    async fn wait_for_turn(&self) {
        let Some(rate) = &self.rate else { return };
        while let Err(too_early) = rate.check() {
            sleep(too_early.wait_time_from(rate.clock().now())).await;
        }
    }

    /// Lets no request out for `asked`, or for [`LONGEST_PAUSE`] if that is shorter. Returns the pause made.
    pub(super) fn pause(&self, asked: Duration) -> Duration {
        let pause = asked.min(LONGEST_PAUSE);
        let (instance, seconds) = (&self.instance, pause.as_secs_f64());
        match self.extend_pause(Instant::now() + pause) {
            Extended::Begun => {
                warn!(arin.instance = %instance, arin.asked = ?asked, "{instance} asks to slow down: no request for {seconds:.1} s");
            }
            Extended::Longer => {
                debug!(arin.instance = %instance, arin.asked = ?asked, "{instance} asks again to slow down")
            }
            Extended::Covered => {}
        }
        pause
    }

    fn extend_pause(&self, end: Instant) -> Extended {
        let mut paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        let running = paused_until.filter(|running| *running > Instant::now());
        match running {
            Some(running) if running >= end => return Extended::Covered,
            Some(_) | None => *paused_until = Some(end),
        }
        if running.is_none() { Extended::Begun } else { Extended::Longer }
    }

    /// When the pause that is on now ends.
    fn pause_end(&self) -> Option<Instant> {
        let end = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        end.filter(|end| *end > Instant::now())
    }
}

/// What a further 429 did to the pause.
enum Extended {
    Begun,
    Longer,
    Covered,
}

/// Tokio's clock, so that tests that pause the one pause the other.
#[derive(Clone)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
