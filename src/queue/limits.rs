//! Limits and times, as both queues count them.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::config;
pub(super) use crate::redis_client::millis;

/// The wait of a job whose config is busy, if nobody calls it before.
const BUSY_CONFIG_DELAY: Duration = Duration::from_secs(30);

/// The wait of a job that is ready for a worker which has not let go of it.
const HELD_DELAY: Duration = Duration::from_secs(1);

/// Limits how many jobs that are over are kept, however short ago they ended.
pub const MAX_OVER: usize = 10_000;

/// Milliseconds since 1970, or between two times.
pub(super) type Millis = i64;

/// The limits that the state machine keeps to.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Limits {
    pub(super) lease: Millis,
    pub(super) max_attempts: u32,
    pub(super) keep: Millis,
    pub(super) busy_config_delay: Millis,
    pub(super) held_delay: Millis,
    pub(super) max_over: usize,
}

impl Limits {
    pub(super) fn of(settings: &config::Queue) -> Self {
        Self {
            lease: millis(settings.lease),
            max_attempts: settings.max_attempts,
            keep: millis(settings.keep),
            busy_config_delay: millis(BUSY_CONFIG_DELAY),
            held_delay: millis(HELD_DELAY),
            max_over: MAX_OVER,
        }
    }
}

pub(super) fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_from_1970_and_end_with_the_last_one() {
        assert_eq!(timestamp(1_500).to_string(), "1970-01-01T00:00:01.5Z");
        assert_eq!(timestamp(Millis::MAX), Timestamp::MAX);
    }
}
