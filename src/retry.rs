//! The rules by which failed work is tried again.

use std::time::Duration;

/// The verdict of a failure on trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same request would fail in the same way.
    Never,
    /// It may pass: after a growing, jittered wait.
    Backoff,
    /// It may pass: after the time the other side asked for.
    After(Duration),
}

/// The number of retries and the waits before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Tries after the first.
    pub count: u32,
    /// The wait before the first retry; it doubles with each, up to `backoff * count`.
    pub backoff: Duration,
}

impl Policy {
    /// Returns the wait before retry number `retry` (counted from 0), without jitter: doubled each time, at most
    /// `backoff * count`.
    #[must_use]
    pub fn wait(&self, retry: u32) -> Duration {
        let doubled = self.backoff.saturating_mul(2_u32.saturating_pow(retry));
        doubled.min(self.backoff.saturating_mul(self.count.max(1)))
    }

    /// Returns [`Policy::wait`] with jitter: between half of it and all of it, so that callers that failed together do
    /// not return together.
    #[must_use]
    pub fn jittered(&self, retry: u32) -> Duration {
        let (wait, thousandths) = (self.wait(retry), fastrand::u32(500..=1000));
        wait.checked_div(1000).unwrap_or_default().saturating_mul(thousandths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let policy = Policy { count: 3, backoff: Duration::from_secs(2) };
        assert_eq!([0, 1, 2, 3].map(|retry| policy.wait(retry).as_secs()), [2, 4, 6, 6]);
    }

    #[test]
    fn jitter_stays_between_half_and_all_of_the_wait() {
        let policy = Policy { count: 3, backoff: Duration::from_secs(2) };
        for _ in 0..100 {
            let wait = policy.jittered(1);
            assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_secs(4), "{wait:?}");
        }
    }
}
