//! The least and the most that each duration and each number may be. They keep a slip of the pen from stopping the
//! service, and sums and products of settings from growing beyond what can be counted.

use std::time::Duration;

use super::settings::{LONGEST_SWEEP, Settings};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
const TEN_YEARS: Duration = Duration::from_secs(3650 * 24 * 3600);

/// What a setting may be.
pub(super) struct Limit<T> {
    pub(super) key: &'static str,
    pub(super) of: fn(&Settings) -> T,
    pub(super) least: T,
    pub(super) most: T,
}

const fn limit<T: Copy>(key: &'static str, of: fn(&Settings) -> T, (least, most): (T, T)) -> Limit<T> {
    Limit { key, of, least, most }
}

/// All durations.
pub(super) const DURATIONS: [Limit<Duration>; 27] = [
    limit("netbox.timeout", |at| at.netbox.timeout, (MS, HOUR)),
    limit("arin.connect_timeout", |at| at.arin.connect_timeout, (MS, HOUR)),
    limit("arin.timeout", |at| at.arin.timeout, (MS, HOUR)),
    limit("arin.retry_backoff", |at| at.arin.retry_backoff, (Duration::ZERO, HOUR)),
    limit("arin.patience", |at| at.arin.patience, (Duration::ZERO, DAY)),
    limit("arin.refresh", |at| at.arin.refresh, (HOUR, YEAR)),
    limit("sync.log_retention", |at| at.sync.log_retention, (Duration::ZERO, TEN_YEARS)),
    limit("findings.deadline", |at| at.findings.deadline, (DAY, YEAR)),
    limit("findings.ticket_age", |at| at.findings.ticket_age, (HOUR, TEN_YEARS)),
    limit("requests.expires", |at| at.requests.expires, (MINUTE, YEAR)),
    // ARIN may take a while to show what it has done.
    limit("requests.look_again", |at| at.requests.look_again, (SECOND, DAY)),
    limit("routing.max_age", |at| at.routing.max_age, (MINUTE, YEAR)),
    limit("routing.interval", |at| at.routing.interval, (SECOND, DAY)),
    limit("rpki.interval", |at| at.rpki.interval, (MINUTE, WEEK)),
    limit("rpki.max_age", |at| at.rpki.max_age, (MINUTE, WEEK)),
    // A lease that is shorter is lost in a pause of the machine.
    limit("queue.lease", |at| at.queue.lease, (SECOND, HOUR)),
    limit("queue.retry_backoff", |at| at.queue.retry_backoff, (MS, DAY)),
    limit("queue.keep", |at| at.queue.keep, (MINUTE, TEN_YEARS)),
    limit("worker.shutdown_timeout", |at| at.worker.shutdown_timeout, (SECOND, HOUR)),
    limit("http.auth_cache", |at| at.http.auth_cache, (Duration::ZERO, DAY)),
    limit("http.timeout", |at| at.http.timeout, (MS, HOUR)),
    limit("webhook.debounce", |at| at.webhook.debounce, (Duration::ZERO, HOUR)),
    limit("webhook.debounce_longest", |at| at.webhook.debounce_longest, (Duration::ZERO, DAY)),
    limit("schedule.interval", |at| at.schedule.interval, (MINUTE, TEN_YEARS)),
    limit("schedule.tick", |at| at.schedule.tick, (SECOND, HOUR)),
    limit("sweep.interval", |at| at.sweep.interval, (Duration::ZERO, LONGEST_SWEEP)),
    // It leaves room for an interval, which would mean that there are no sweeps if it were zero.
    limit("sweep.settle", |at| at.sweep.settle, (Duration::ZERO, LONGEST_SWEEP.saturating_sub(MINUTE))),
];

/// All whole numbers.
pub(super) const NUMBERS: [Limit<u64>; 18] = [
    limit("netbox.page_size", |at| at.netbox.page_size.into(), (1, 10_000)),
    limit("netbox.batch_size", |at| at.netbox.batch_size as u64, (1, 10_000)),
    limit("netbox.writes_in_flight", |at| at.netbox.writes_in_flight as u64, (1, 1_000)),
    limit("arin.requests_per_second", |at| at.arin.requests_per_second.into(), (0, 1_000_000)),
    limit("arin.whois_requests_per_second", |at| at.arin.whois_requests_per_second.into(), (0, 1_000_000)),
    limit("arin.burst", |at| at.arin.burst.into(), (1, 1_000_000)),
    limit("arin.max_in_flight", |at| at.arin.max_in_flight as u64, (1, 1_000)),
    limit("arin.retry_count", |at| at.arin.retry_count.into(), (0, 100)),
    limit("arin.max_body_bytes", |at| at.arin.max_body_bytes as u64, (1, 1 << 30)),
    limit("requests.auto_per_day", |at| at.requests.auto_per_day.into(), (0, 10_000)),
    limit("requests.max_at_once", |at| at.requests.max_at_once as u64, (1, 10_000)),
    limit("queue.max_attempts", |at| at.queue.max_attempts.into(), (1, 1_000)),
    limit("worker.concurrency", |at| at.worker.concurrency as u64, (1, 1_000)),
    limit("http.requests_per_minute", |at| at.http.requests_per_minute.into(), (0, 1_000_000)),
    limit("http.unknown_tokens_per_minute", |at| at.http.unknown_tokens_per_minute.into(), (1, 1_000_000)),
    limit("http.max_body_bytes", |at| at.http.max_body_bytes as u64, (1, 1 << 30)),
    limit("http.max_bodies_bytes", |at| at.http.max_bodies_bytes as u64, (1, 1 << 40)),
    limit("http.max_connections", |at| at.http.max_connections as u64, (1, 1_000_000)),
];

/// Returns a duration as people write it, in the largest unit that it is a whole number of.
pub(super) fn written(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [("days", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)];
    let whole = units.into_iter().find(|(_, unit)| millis > 0 && millis.is_multiple_of(unit.as_millis()));
    let (name, unit) = whole.unwrap_or(("ms", MS));
    format!("{}{name}", millis / unit.as_millis())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::config::{Invalid, load::DEFAULTS, load_from};

    /// Loads the defaults, with one setting given by an operator.
    fn with(key: &str, value: &str) -> Result<Settings, String> {
        let name = format!("RIR_SIDECAR__{}", key.to_uppercase().replace('.', "__"));
        let needed = [("RIR_SIDECAR__NETBOX__URL", "http://netbox.test/"), ("RIR_SIDECAR__NETBOX__TOKEN", "t")];
        let needed = needed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let set: BTreeMap<_, _> = needed.into_iter().chain([(name, value.to_owned())]).collect();
        load_from(None, &set).map_err(|invalid| match invalid {
            Invalid::Problems(problems) => {
                problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>().join(" ")
            }
            Invalid::File { .. } | Invalid::Syntax { .. } | Invalid::Layers(_) => panic!("{invalid}"),
        })
    }

    #[test]
    fn each_setting_alone_can_be_set_to_its_limits_and_not_beyond() {
        for Limit { key, of, least, most } in DURATIONS {
            for bound in [least, most] {
                let set = with(key, &written(bound));
                assert_eq!(set.as_ref().map(of), Ok(bound), "{key} = {}", written(bound));
            }
            assert_eq!(with(key, &written(most + MS)).unwrap_err(), key);
            if let Some(below) = least.checked_sub(MS) {
                assert_eq!(with(key, &written(below)).unwrap_err(), key);
            }
        }
        for Limit { key, of, least, most } in NUMBERS {
            for bound in [least, most] {
                assert_eq!(with(key, &bound.to_string()).as_ref().map(of), Ok(bound), "{key} = {bound}");
            }
            assert_eq!(with(key, &(most + 1).to_string()).unwrap_err(), key);
            if let Some(below) = least.checked_sub(1) {
                assert_eq!(with(key, &below.to_string()).unwrap_err(), key);
            }
        }
    }

    #[test]
    fn every_duration_and_every_number_has_limits() {
        let sections: toml::Table = toml::from_str(DEFAULTS).unwrap();
        let mut all = BTreeSet::new();
        for (section, settings) in &sections {
            for (name, value) in settings.as_table().unwrap() {
                let duration = value.as_str().is_some_and(|text| humantime::parse_duration(text).is_ok());
                if duration || value.is_integer() {
                    all.insert(format!("{section}.{name}"));
                }
            }
        }
        let limited = DURATIONS.iter().map(|limit| limit.key).chain(NUMBERS.iter().map(|limit| limit.key));
        assert_eq!(all, limited.map(str::to_owned).collect(), "a line in DURATIONS or NUMBERS for each");
    }

    #[test]
    fn durations_are_written_in_the_largest_unit_that_fits() {
        let written = |millis| written(Duration::from_millis(millis));
        assert_eq!([0, 1, 1500, 60_000, 90_000, 7_200_000].map(written), ["0ms", "1ms", "1500ms", "1m", "90s", "2h"]);
        assert_eq!(written(10 * 24 * 3_600_000), "10days");
    }
}
