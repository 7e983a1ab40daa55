//! The times at which a config is due: pure arithmetic.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    coordination::{Asked, Syncs},
    findings::day,
    model::Config,
    retry::Policy,
};

/// Spreads due times over one part of so many of the interval.
const SPREAD: u32 = 10;
/// Limits the time over which configs are spread that are overdue when the process starts.
const LONGEST_SPREAD: Duration = Duration::from_secs(600);
/// The time after the end of a sync within which its findings are judged, unless they take very long.
const JUST_SYNCED: Duration = Duration::from_secs(300);
/// A sync that is said to have ended later than this from now was dated by a clock that is wrong.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);
/// The waits before a config is queued once more whose job came to no end that is known of; up to a day.
const UNFINISHED: Policy = Policy { count: 24 * 60, backoff: Duration::from_secs(60) };

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

/// The times of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The time at which it began.
    pub began: Timestamp,
    /// The time now.
    pub now: Timestamp,
}

/// Decides when a config is due, by its own interval or else `interval`. One that was never synced is due at once. One that
/// has been queued since its last sync ended is queued again after a wait that grows.
#[must_use]
pub fn due(config: &Config, syncs: &Syncs, interval: Duration, clock: &Clock) -> Due {
    let Clock { began, now } = *clock;
    let ended = last_end(config, syncs, now);
    let by_interval = match ended.map(|ended| after_interval(config, ended, interval)) {
        Some(at) if at > now => return Due::Later(at),
        Some(at) if at <= began => {
            let start = later(began, share_of(config, interval.min(LONGEST_SPREAD)));
            let left = Duration::try_from(start.duration_since(now)).unwrap_or_default();
            if left.is_zero() { Due::Now } else { Due::Overdue(left) }
        }
        Some(_) | None => Due::Now,
    };
    let own = config.sync_interval.unwrap_or(interval);
    match syncs.asked.filter(|asked| is_past(asked.at, now) && ended.is_none_or(|ended| ended < asked.at)) {
        Some(Asked { at, times }) if later(at, wait_unfinished(times).min(own)) > now => {
            Due::Later(later(at, wait_unfinished(times).min(own)))
        }
        Some(_) | None => by_interval,
    }
}

/// Returns the wait after which the findings of a config are judged anew, if that was last done on an earlier day in
/// UTC: what was due until then is overdue now. Before the first sync nothing is known that could be judged, and right after
/// one it is being judged.
#[must_use]
pub fn judging_due(config: &Config, now: Timestamp) -> Option<Duration> {
    let today = day(now);
    let judged = config.judged.filter(|judged| is_past(*judged, now)).map(day);
    let known = config.last_sync.is_some_and(|at| now.duration_since(at).unsigned_abs() > JUST_SYNCED);
    let due = known && judged.is_none_or(|judged| judged < today);
    due.then(|| share_of(config, LONGEST_SPREAD))
}

/// Returns what to remember of a config that is queued now.
#[must_use]
pub fn asked(config: &Config, syncs: &Syncs, now: Timestamp) -> Asked {
    let ended = last_end(config, syncs, now);
    let before = syncs.asked.filter(|asked| ended.is_none_or(|ended| ended < asked.at));
    Asked { at: now, times: before.map_or(1, |asked| asked.times.saturating_add(1)) }
}

/// Returns when a config is due by itself: its own interval, or else `interval`, after its last sync, and later by a
/// part of a tenth of that which differs from config to config. `None` means that it was never synced, or only in the
/// future, and is due at once.
#[must_use]
pub fn next_due(config: &Config, syncs: &Syncs, interval: Duration, now: Timestamp) -> Option<Timestamp> {
    last_end(config, syncs, now).map(|ended| after_interval(config, ended, interval))
}

fn after_interval(config: &Config, ended: Timestamp, interval: Duration) -> Timestamp {
    let interval = config.sync_interval.unwrap_or(interval);
    let spread = interval.checked_div(SPREAD).unwrap_or_default();
    later(ended, interval.saturating_add(share_of(config, spread)))
}

/// Returns when a config was last synced: by what NetBox has and by what the replicas remember, as NetBox may not have
/// taken it. A time in the future says nothing.
fn last_end(config: &Config, syncs: &Syncs, now: Timestamp) -> Option<Timestamp> {
    let known = [config.last_sync, syncs.run.as_ref().map(|run| run.ended)];
    known.into_iter().flatten().filter(|ended| is_past(*ended, now)).max()
}

/// Returns whether a time has passed, give or take what clocks of replicas differ by.
#[must_use]
pub fn is_past(time: Timestamp, now: Timestamp) -> bool {
    time <= later(now, CLOCK_TOLERANCE)
}

fn wait_unfinished(times: u32) -> Duration {
    UNFINISHED.wait(times.saturating_sub(1))
}

/// Returns the time after a wait; the end of all times if there is none.
fn later(time: Timestamp, wait: Duration) -> Timestamp {
    time.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Returns a part of `width`, in whole seconds, that is always the same for a config, so that configs which are due
/// together do not begin together.
fn share_of(config: &Config, width: Duration) -> Duration {
    let digest = Sha256::digest(config.id.0.to_be_bytes());
    let number = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    // A product of 64 and 32 bits; what is left of it after the division has no more bits than the width.
    let part = u128::from(width.as_secs()).saturating_mul(u128::from(number)) >> 32;
    Duration::from_secs(u64::try_from(part).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{coordination::LastRun, model::RowId};

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn config(id: u64, last_sync: Option<&str>) -> Config {
        Config { last_sync: last_sync.map(at), ..Config::new(RowId(id), "ours") }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-01-{time}Z").parse().unwrap()
    }

    fn judged(config: &Config, began: &str, now: &str) -> Due {
        remembered(config, &Syncs::default(), began, now)
    }

    fn remembered(config: &Config, syncs: &Syncs, began: &str, now: &str) -> Due {
        due(config, syncs, DAY, &Clock { began: at(began), now: at(now) })
    }

    fn ended(time: &str) -> Option<LastRun> {
        Some(LastRun { started: at(time), ended: at(time), result: "changed".into() })
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
    fn a_config_is_judged_once_a_day_and_not_at_the_same_moment_as_the_others() {
        let judged = |time: Option<&str>, now: &str| {
            let config = Config { judged: time.map(at), ..config(7, Some("10T12:00:00")) };
            judging_due(&config, at(now))
        };
        assert_eq!(judged(Some("10T23:59:59"), "10T23:59:59"), None);
        assert_eq!(judged(Some("11T00:00:00"), "11T23:59:59"), None);
        let wait = judged(Some("10T23:59:59"), "11T00:00:00").unwrap();
        assert!(wait < LONGEST_SPREAD, "{wait:?}");
        assert_eq!(judged(None, "11T00:00:00"), Some(wait), "the bootstrap was not run before");
        assert_eq!(judged(Some("20T00:00:00"), "11T00:00:00"), Some(wait), "a wrong clock said so");
        let waits: std::collections::BTreeSet<_> =
            (0..20).map(|id| judging_due(&config(id, Some("10T12:00:00")), at("11T00:00:00")).unwrap()).collect();
        assert!(waits.len() > 15, "{waits:?}");
        assert_eq!(judging_due(&config(7, None), at("11T00:00:00")), None, "nothing is known before the first sync");
        let synced = |now: &str| judging_due(&config(7, Some("11T12:00:00")), at(now));
        assert_eq!((synced("11T12:05:00"), synced("11T12:05:01")), (None, Some(wait)), "the sync judges it");
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

    #[test]
    fn no_interval_is_too_long_to_reckon_with() {
        for hours in [87_600, 5_124_095_576_030_431, u64::MAX / 3600] {
            let interval = Some(Duration::from_secs(hours * 3600));
            let config = Config { sync_interval: interval, ..config(1, Some("01T00:00:00")) };
            assert!(matches!(judged(&config, "02T00:00:00", "20T00:00:00"), Due::Later(_)), "{hours}");
            let asked = Asked { at: at("02T00:00:00"), times: u32::MAX };
            let syncs = Syncs { run: None, asked: Some(asked) };
            assert!(matches!(remembered(&config, &syncs, "02T00:00:00", "20T00:00:00"), Due::Later(_)), "{hours}");
        }
        let endless = Config { sync_interval: Some(Duration::MAX), ..config(1, Some("01T00:00:00")) };
        assert_eq!(judged(&endless, "02T00:00:00", "20T00:00:00"), Due::Later(Timestamp::MAX));
        assert_eq!(
            due(
                &config(1, None),
                &Syncs::default(),
                Duration::MAX,
                &Clock { began: Timestamp::MIN, now: Timestamp::MAX }
            ),
            Due::Now
        );
    }

    #[test]
    fn a_last_sync_in_the_future_does_not_put_a_config_off() {
        let ahead = config(1, Some("20T00:00:00"));
        assert_eq!(judged(&ahead, "01T00:00:00", "10T00:00:00"), Due::Now);
        assert_eq!(next_due(&ahead, &Syncs::default(), DAY, at("10T00:00:00")), None);
        let a_little = config(1, Some("10T00:04:00"));
        assert!(matches!(judged(&a_little, "01T00:00:00", "10T00:00:00"), Due::Later(_)), "as clocks differ a little");
    }

    #[test]
    fn a_sync_whose_result_netbox_did_not_take_counts() {
        let stale = config(1, Some("01T00:00:00"));
        let syncs = Syncs { run: ended("10T00:00:00"), asked: None };
        assert_eq!(judged(&stale, "02T00:00:00", "10T00:00:15"), Due::Now);
        assert!(matches!(remembered(&stale, &syncs, "02T00:00:00", "10T00:00:15"), Due::Later(_)));
        assert_eq!(remembered(&stale, &syncs, "02T00:00:00", "11T02:24:00"), Due::Now, "after its interval");
    }

    #[test]
    fn what_comes_to_no_end_is_queued_again_after_waits_that_grow() {
        let (config, mut syncs) = (config(1, None), Syncs::default());
        let (mut now, mut waits) = (at("10T00:00:00"), Vec::new());
        for _ in 0..14 {
            syncs.asked = Some(asked(&config, &syncs, now));
            let Due::Later(next) = due(&config, &syncs, DAY, &Clock { began: at("01T00:00:00"), now }) else {
                panic!("queued again at once");
            };
            waits.push(next.duration_since(now).as_secs() / 60);
            now = next;
            assert_eq!(due(&config, &syncs, DAY, &Clock { began: at("01T00:00:00"), now }), Due::Now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440, 1440]);
        syncs.run = Some(LastRun { started: now, ended: now, result: "failed".into() });
        assert_eq!(asked(&config, &syncs, now).times, 1, "an end begins the count anew");
    }
}
