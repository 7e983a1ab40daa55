//! Keeps a panic to where it happened.
//!
//! A panic is a fault of this program. It may cost the tick, config, job or request that it happens in, but no part of the
//! service: [`caught`] makes an error of it, and [`keep_running`] begins a part anew. Each is logged and counted.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::{
    retry::Policy,
    telemetry::metrics::{Metrics, Part},
};

/// The waits before a part is begun anew.
const RESTARTS: Policy = Policy { count: 60, backoff: Duration::from_secs(1) };
/// A part that ran for so long is well again: the next restart is as quick as the first.
const WELL_AFTER: Duration = Duration::from_secs(300);

/// A panic that was caught.
#[derive(Debug, thiserror::Error)]
#[error("a fault of rir-sidecar itself broke it off ({0}); please report it")]
pub struct Panicked(String);

/// Does some work of a part of the service, and makes an error of a panic.
///
/// # Errors
/// When the work panicked.
pub async fn caught<T>(metrics: &Metrics, part: Part, work: impl Future<Output = T>) -> Result<T, Panicked> {
    // Whatever the work had half changed of its own goes with it; what is shared stands under locks that do not poison.
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| {
        metrics.panicked(part);
        let message = message(&*panic);
        error!(part = part.word(), "a fault of rir-sidecar itself: {message}; please report it");
        Panicked(message)
    })
}

/// Runs a part of the service, and begins it anew after a panic, at growing intervals, until `stop` is cancelled. Returns
/// when the part ends by itself.
pub async fn keep_running<F: Future<Output = ()>>(
    metrics: &Metrics,
    part: Part,
    stop: &CancellationToken,
    mut begin: impl FnMut() -> F,
) {
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        if caught(metrics, part, begin()).await.is_ok() {
            return;
        }
        failures = if begun.elapsed() < WELL_AFTER { failures } else { 0 };
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(RESTARTS.wait(failures)) => {}
        }
        failures = failures.saturating_add(1);
    }
}

/// Returns what a panic says, which is text in all but odd cases.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_part_that_panics_is_begun_anew_and_counted() {
        let (metrics, stop, mut begun) = (Metrics::default(), CancellationToken::new(), 0);
        keep_running(&metrics, Part::Scheduler, &stop, || {
            begun += 1;
            let last = begun == 4;
            async move { assert!(last, "not yet") }
        })
        .await;
        assert_eq!(begun, 4);
        let text = metrics.text().unwrap();
        assert!(text.contains("rir_sidecar_panics_total{part=\"scheduler\"} 3"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_is_not_begun_anew_when_the_service_ends() {
        let (metrics, stop, mut begun) = (Metrics::default(), CancellationToken::new(), 0);
        stop.cancel();
        keep_running(&metrics, Part::Worker, &stop, || {
            begun += 1;
            async { panic!("at the end") }
        })
        .await;
        assert_eq!(begun, 1);
    }

    #[tokio::test]
    async fn an_error_tells_what_the_panic_said() {
        let answer = 41;
        let panicked = caught(&Metrics::default(), Part::Job, async { assert_eq!(answer, 42, "a sum") }).await;
        assert!(panicked.unwrap_err().to_string().contains("a sum"));
    }
}
