//! The limit on the requests of one user, whatever they ask and with whichever of their tokens.
//!
//! Each process counts by itself, so that the limit holds while Redis is away. There are as many counters as NetBox has
//! users, at most.

use std::{num::NonZeroU32, time::Duration};

use governor::{DefaultKeyedRateLimiter, Quota, clock::Clock};

use crate::config;

/// Counts the requests of each user.
#[derive(Debug)]
pub(crate) struct CallLimit(Option<DefaultKeyedRateLimiter<String>>);

impl CallLimit {
    /// Makes the limit that the settings name.
    #[must_use]
    pub(crate) fn new(settings: &config::Http) -> Self {
        let requests = NonZeroU32::new(settings.requests_per_minute);
        Self(requests.map(|requests| DefaultKeyedRateLimiter::keyed(Quota::per_minute(requests))))
    }

    /// Counts a request of a user.
    ///
    /// # Errors
    /// Returns the time to wait when there were too many.
    pub(crate) fn count(&self, user: &str) -> Result<(), Duration> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        let now = limiter.clock().now();
        limiter.check_key(&user.to_owned()).map_err(|refusal| refusal.wait_time_from(now))
    }
}
