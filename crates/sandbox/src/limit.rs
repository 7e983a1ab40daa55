//! A limit of requests, as a server keeps it.

#![expect(clippy::disallowed_methods, reason = "the limits are those that a test names, and no stranger")]

use std::time::Duration;

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use jiff::Timestamp;
use tokio::time::Instant;

/// A limit of requests, beyond which the answer is 429.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Requests taken in a period.
    pub requests: u32,
    /// The period.
    pub period: Duration,
    /// The way in which they are counted.
    pub count: Count,
    /// What a 429 says about when to come back.
    pub retry_after: RetryAfter,
}

/// The way in which requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Each period on its own, the first one beginning with the first request.
    Window,
    /// In a bucket that holds the requests of one period, and fills evenly.
    Bucket,
}

/// What a 429 says in its header `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// There is none.
    Missing,
    /// The time until a request is taken again, in whole seconds.
    Seconds,
    /// The same as a date.
    Date,
    /// This, whatever sense it makes.
    Text(&'static str),
}

impl Limit {
    /// So many requests a second, counted in this way; a 429 says in seconds when to come back.
    #[must_use]
    pub fn per_second(requests: u32, count: Count) -> Self {
        Self { requests, period: Duration::from_secs(1), count, retry_after: RetryAfter::Seconds }
    }

    /// Returns the header of a 429 after which a request is taken again in so much time.
    pub(crate) fn header(&self, wait: Duration) -> Option<String> {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        match self.retry_after {
            RetryAfter::Missing => None,
            RetryAfter::Seconds => Some(seconds.to_string()),
            // A date has whole seconds, too, so that the time until it may be one shorter.
            RetryAfter::Date => {
                let date = Timestamp::now().saturating_add(Duration::from_secs(seconds.saturating_add(1))).ok()?;
                Some(date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
            }
            RetryAfter::Text(text) => Some(text.to_owned()),
        }
    }
}

/// The requests that were counted under a limit.
#[derive(Debug, Default)]
pub struct Counted {
    /// The beginning of the window, or when the bucket was last looked at.
    since: Option<Instant>,
    /// The requests in the window, or missing in the bucket.
    used: f64,
    /// Requests that were answered by 429.
    pub refused: usize,
}

impl Counted {
    /// Counts a request that comes now. Returns `answer` with what it says of the wait, if it is one too many.
    pub(crate) fn refusal(&mut self, limit: &Limit, answer: impl FnOnce() -> Response) -> Option<Response> {
        let wait = self.take(limit, Instant::now())?;
        let mut answer = answer();
        if let Some(value) = limit.header(wait).and_then(|text| HeaderValue::try_from(text).ok()) {
            answer.headers_mut().insert(header::RETRY_AFTER, value);
        }
        Some(answer)
    }

    /// Counts a request that comes now. Returns after how much time it would be taken, if it is one too many.
    #[must_use]
    pub fn take(&mut self, limit: &Limit, now: Instant) -> Option<Duration> {
        let passed = self.since.map_or(limit.period, |since| now.duration_since(since));
        let each = limit.period.div_f64(f64::from(limit.requests.max(1)));
        let wait = match limit.count {
            Count::Window => {
                if passed >= limit.period {
                    (self.since, self.used) = (Some(now), 0.0);
                }
                limit.period.saturating_sub(passed)
            }
            Count::Bucket => {
                self.since = Some(now);
                self.used = (self.used - passed.div_duration_f64(each)).max(0.0);
                each.mul_f64((self.used + 1.0 - f64::from(limit.requests)).max(0.0))
            }
        };
        if self.used + 1.0 > f64::from(limit.requests) {
            self.refused += 1;
            return Some(wait);
        }
        self.used += 1.0;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the requests at these milliseconds are taken.
    fn taken(count: Count, at: &[u64]) -> Vec<u64> {
        let (limit, mut counted, begun) = (Limit::per_second(2, count), Counted::default(), Instant::now());
        let mut take = |at: u64| counted.take(&limit, begun + Duration::from_millis(at)).is_none();
        at.iter().copied().filter(|at| take(*at)).collect()
    }

    #[test]
    fn a_window_begins_anew_when_it_is_over() {
        assert_eq!(taken(Count::Window, &[0, 100, 200, 999, 1000, 1100, 1200]), [0, 100, 1000, 1100]);
    }

    #[test]
    fn a_bucket_fills_evenly() {
        assert_eq!(taken(Count::Bucket, &[0, 100, 200, 450, 550, 1000, 1100]), [0, 100, 550, 1000]);
    }

    #[test]
    fn a_429_says_when_to_come_back() {
        let limit = Limit::per_second(1, Count::Window);
        assert_eq!(limit.header(Duration::from_millis(1500)).as_deref(), Some("2"));
        assert_eq!(
            Limit { retry_after: RetryAfter::Text("-1"), ..limit }.header(Duration::ZERO).as_deref(),
            Some("-1")
        );
    }
}
