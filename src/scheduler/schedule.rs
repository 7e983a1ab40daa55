//! The times at which a config is due: pure arithmetic.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::model::Config;

/// Spreads due times over this share of the interval.
const SPREAD: f64 = 0.1;
/// Limits the time over which configs are spread that are overdue when the process starts.
const LONGEST_SPREAD: Duration = Duration::from_secs(600);

/// The answer to when a config is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It is due now.
    Now,
    /// It has been due since before this process began. It waits this long, so that not everything begins at once.
    Overdue(Duration),
    /// It is due at this time.
    Later(Timestamp),
}

/// Decides when a config is due, by its own interval or else `interval`. One that was never synced is due at once.
#[must_use]
pub fn due(config: &Config, interval: Duration, began: Timestamp, now: Timestamp) -> Due {
    match next_due(config, interval) {
        Some(at) if at > now => Due::Later(at),
        Some(at) if at <= began => {
            let wait = share_of(config, interval.min(LONGEST_SPREAD));
            let start = began.checked_add(wait).unwrap_or(began);
            let left = Duration::try_from(start.duration_since(now)).unwrap_or_default();
            if left.is_zero() { Due::Now } else { Due::Overdue(left) }
        }
        Some(_) | None => Due::Now,
    }
}

/// Returns when a config is due by itself: its own interval, or else `interval`, after its last sync, and later by a
/// part of a tenth of that which differs from config to config. `None` means that it was never synced and is due at
/// once.
#[must_use]
pub fn next_due(config: &Config, interval: Duration) -> Option<Timestamp> {
    let interval = config.sync_interval.unwrap_or(interval);
    let wait = interval + share_of(config, interval.mul_f64(SPREAD));
    config.last_sync.map(|last| last.checked_add(wait).unwrap_or(Timestamp::MAX))
}

/// Returns a part of `width`, in whole seconds, that is always the same for a config, so that configs which are due
/// together do not begin together.
fn share_of(config: &Config, width: Duration) -> Duration {
    let digest = Sha256::digest(config.id.0.to_be_bytes());
    let number = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    let part = width.mul_f64(f64::from(number) / (f64::from(u32::MAX) + 1.0));
    Duration::from_secs(part.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RowId;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn config(id: u64, last_sync: Option<&str>) -> Config {
        Config {
            id: RowId(id),
            name: "ours".into(),
            rir: None,
            registry: "arin".into(),
            api_url: String::new(),
            org_handle: None,
            is_active: true,
            sync_interval: None,
            last_sync: last_sync.map(at),
        }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-01-{time}Z").parse().unwrap()
    }

    fn judged(config: &Config, began: &str, now: &str) -> Due {
        due(config, DAY, at(began), at(now))
    }

    #[test]
    fn a_config_that_was_never_synced_is_due_at_once() {
        assert_eq!(judged(&config(1, None), "01T00:00:00", "01T00:00:00"), Due::Now);
    }

    #[test]
    fn a_config_is_due_an_interval_and_up_to_a_tenth_after_its_last_sync() {
        for id in 0..100 {
            let Due::Later(due) = judged(&config(id, Some("10T12:00:00")), "01T00:00:00", "10T12:00:01") else {
                panic!("due at once");
            };
            assert!(due >= at("11T12:00:00") && due < at("11T14:24:00"), "{due}");
            assert_eq!(judged(&config(id, Some("10T12:00:00")), "01T00:00:00", "11T14:24:00"), Due::Now);
        }
    }

    #[test]
    fn its_own_interval_counts_before_the_general_one() {
        let hourly = Config { sync_interval: Some(Duration::from_secs(3600)), ..config(1, Some("10T12:00:00")) };
        assert_eq!(judged(&hourly, "01T00:00:00", "10T13:06:00"), Due::Now);
    }

    #[test]
    fn what_is_overdue_at_the_start_begins_spread_over_ten_minutes() {
        let waits: Vec<Duration> = (0..200)
            .map(|id| match judged(&config(id, Some("01T00:00:00")), "20T00:00:00", "20T00:00:00") {
                Due::Overdue(wait) => wait,
                Due::Now | Due::Later(_) => Duration::ZERO,
            })
            .collect();
        let first_minute = waits.iter().filter(|wait| wait.as_secs() < 60).count();
        assert!((5..40).contains(&first_minute), "{first_minute} of 200 in the first of ten minutes");
        assert!(waits.iter().all(|wait| *wait < LONGEST_SPREAD));
        assert_eq!(judged(&config(7, Some("01T00:00:00")), "20T00:00:00", "20T00:10:00"), Due::Now);
    }
}
