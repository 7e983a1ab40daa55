//! Moments to wait for. A wait may come from NetBox, a header or a setting, and be longer than a clock can tell.

use std::time::Duration;

use tokio::time::Instant;

/// Thirty years stand for anything longer.
const LONGEST: Duration = Duration::from_secs(30 * 366 * 24 * 3600);

/// Returns the moment that comes so long after now.
pub(crate) fn after(wait: Duration) -> Instant {
    later(Instant::now(), wait)
}

/// Returns the moment that comes so long after another one.
pub(crate) fn later(from: Instant, wait: Duration) -> Instant {
    // A clock that cannot tell thirty years more is not known.
    from.checked_add(wait.min(LONGEST)).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_any_length_has_an_end() {
        assert_eq!(after(Duration::from_secs(5)).duration_since(Instant::now()), Duration::from_secs(5));
        assert_eq!(after(Duration::MAX).duration_since(Instant::now()), LONGEST);
        assert_eq!(later(after(Duration::MAX), Duration::MAX).duration_since(Instant::now()), LONGEST * 2);
    }
}
