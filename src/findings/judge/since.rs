//! Since when something is so: by the date that the operator keeps, by NetBox's change log, or by when it was first seen.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

use super::super::{
    address_plan::{PlannedPrefix, PrefixChange, PrefixState},
    finding::{Since, day},
};

/// What the change log tells of one condition of a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The condition became true with this change.
    Began(Timestamp),
    /// It was true before this change, the oldest that is kept, and ever since.
    Before(Timestamp),
    /// No change is kept that says anything.
    Nothing,
}

/// Finds out when the condition `holds` of a prefix became true for the last time. It is true now.
pub(super) fn told(changes: &[PrefixChange], holds: impl Fn(&PrefixState) -> bool) -> Told {
    let mut newest_first: Vec<&PrefixChange> = changes.iter().collect();
    newest_first.sort_by_key(|change| std::cmp::Reverse(change.at));
    let mut since = Told::Nothing;
    for change in newest_first {
        if !change.after.as_ref().is_some_and(&holds) {
            // Something was changed without a trace after this.
            break;
        }
        if !change.before.as_ref().is_some_and(&holds) {
            return Told::Began(change.at);
        }
        since = Told::Before(change.at);
    }
    since
}

/// Makes a time of what the change log tells. Where it tells nothing, a prefix that is older than the oldest change that is
/// kept was so at least since then; else it is so since it was first seen.
pub(super) fn since(
    told: Told,
    prefix: &PlannedPrefix,
    oldest_change: Option<Timestamp>,
    first_seen: Timestamp,
) -> Since {
    let at_least = |at: Timestamp| Since { at, at_least: true };
    let kept = match told {
        Told::Began(at) => return Since { at, at_least: false },
        Told::Before(at) => Some(at),
        Told::Nothing => oldest_change.filter(|oldest| prefix.created.is_some_and(|created| created < *oldest)),
    };
    // The log loses its oldest changes day by day; what was known before stays known.
    kept.map_or_else(|| at_least(first_seen), |kept| at_least(kept.min(first_seen)))
}

/// Returns the later one of two times.
pub(super) fn later(one: Since, other: Since) -> Since {
    if other.at > one.at { other } else { one }
}

/// Returns the beginning of a day, in UTC.
pub(super) fn beginning(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

/// Returns the last day of a term of so many days that begins at a time, or on the day of `baseline` if that is later.
pub(super) fn due(since: Since, baseline: Option<Date>, days: i64) -> Date {
    let from = baseline.map_or_else(|| day(since.at), |baseline| baseline.max(day(since.at)));
    from.saturating_add(Span::new().try_days(days).unwrap_or_default())
}

/// Returns whether a prefix was the same one: its range and VRF.
pub(super) fn is_same(prefix: &PlannedPrefix, state: &PrefixState) -> bool {
    state.prefix.is_some_and(|range| range.trunc() == prefix.prefix.trunc()) && state.vrf == prefix.vrf
}

/// Returns the names of a tag that has this slug; usually one.
pub(super) fn names_of<'a>(slug: &str, tags: &'a BTreeMap<String, String>) -> Vec<&'a str> {
    tags.iter().filter(|(_, known)| *known == slug).map(|(name, _)| name.as_str()).collect()
}
