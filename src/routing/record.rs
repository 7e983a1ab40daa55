//! Compares what was judged with the rows on record: pure.
//!
//! A row is told from others by its key. What is not judged any more is marked as removed: rows stay, as others may refer to
//! them. What nothing is known of now is not taken for gone.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    assess::{Assessment, OwnRoute, RangeHealth},
    health::{Level, Verdict},
};
use crate::{
    model::{Asn, RowId, SourceName},
    netbox::{Draft, HealthRow, Patch, Recorded, RouteRow, RoutingRow, routing_rows::CURRENT},
};

/// What has to be written so that rows say what was judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowChanges {
    /// Rows that are new.
    pub drafts: Vec<Draft>,
    /// What changed in others.
    pub patches: Vec<Patch>,
    /// How many of these are about something that is gone.
    pub removed: usize,
}

impl RowChanges {
    /// Returns how many rows changed in some other way than by being removed.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.patches.len().saturating_sub(self.removed)
    }
}

/// Returns what has to be written of the health of ranges. `silent` are the sources of which nothing is known.
#[must_use]
pub fn health_changes(
    assessment: &Assessment,
    silent: &BTreeSet<&SourceName>,
    recorded: &[Recorded<HealthRow>],
) -> RowChanges {
    let wanted = assessment.ranges.iter().map(health_row);
    let silent: Vec<&str> = silent.iter().map(|name| name.as_str()).collect();
    changes(wanted, recorded, |row| {
        // What registries have that NetBox does not know is only seen in what they say.
        if silent.is_empty() || !row.key.starts_with(UNCLAIMED) {
            return row.removed();
        }
        let advice = format!("Nothing is judged: {} was not read yet.", silent.join(", "));
        let (verdict, level) = (Verdict::Unknown.name().to_owned(), Level::None.name().to_owned());
        Some(HealthRow { verdict, level, advice, ..row.clone() })
    })
}

/// Returns what has to be written of route objects. `silent` are the sources of which nothing is known, `asns` the rows of
/// NetBox's ASNs.
#[must_use]
pub fn route_changes(
    assessment: &Assessment,
    silent: &BTreeSet<&SourceName>,
    asns: &BTreeMap<Asn, RowId>,
    recorded: &[Recorded<RouteRow>],
) -> RowChanges {
    let wanted = assessment.routes.iter().map(|route| route_row(route, asns));
    changes(wanted, recorded, |row| {
        let is_silent = silent.iter().any(|name| name.as_str() == row.source);
        if is_silent { None } else { row.removed() }
    })
}

/// Compares rows; `gone` says what becomes of one that nothing was judged for.
fn changes<T: RoutingRow>(
    wanted: impl Iterator<Item = T>,
    recorded: &[Recorded<T>],
    gone: impl Fn(&T) -> Option<T>,
) -> RowChanges {
    let mut by_key: BTreeMap<&str, &Recorded<T>> = recorded.iter().map(|it| (it.row.key(), it)).collect();
    let mut changes = RowChanges::default();
    for wanted in wanted {
        match by_key.remove(wanted.key()) {
            Some(recorded) => changes.patches.extend(patch(recorded, &wanted)),
            None => changes.drafts.push(Draft { key: wanted.key().to_owned(), body: wanted.body() }),
        }
    }
    for recorded in by_key.into_values() {
        let patch = gone(&recorded.row).and_then(|row| patch(recorded, &row));
        changes.removed = changes.removed.saturating_add(usize::from(patch.is_some()));
        changes.patches.extend(patch);
    }
    changes
}

/// Returns the fields that a row should have and does not; `None` if it has all of them.
fn patch<T: RoutingRow>(recorded: &Recorded<T>, wanted: &T) -> Option<Patch> {
    if recorded.row == *wanted {
        return None;
    }
    let before = recorded.row.body();
    let body = wanted.body().into_iter().filter(|(name, value)| before.get(name) != Some(value)).collect();
    Some(Patch { id: recorded.id, key: wanted.key().to_owned(), body })
}

/// What the key of a range begins with that NetBox does not have.
const UNCLAIMED: &str = "range:";

fn health_row(judged: &RangeHealth) -> HealthRow {
    let key = match (judged.prefix, judged.aggregate) {
        (Some(prefix), _) => format!("prefix:{prefix}"),
        (None, Some(aggregate)) if judged.is_planned => format!("aggregate:{aggregate}"),
        (None, _) => format!("{UNCLAIMED}{}", judged.range),
    };
    HealthRow {
        key,
        range: judged.range.to_string(),
        verdict: judged.health.verdict.name().to_owned(),
        level: judged.health.level.name().to_owned(),
        advice: judged.health.advice.clone(),
        rpki: judged.health.rpki.name().to_owned(),
        registration: judged.health.registration.name().to_owned(),
        expected_origins: judged.expected_origins(),
        found: judged.found(),
        state: CURRENT.to_owned(),
        prefix: judged.prefix,
        aggregate: judged.aggregate,
    }
}

fn route_row(route: &OwnRoute, asns: &BTreeMap<Asn, RowId>) -> RouteRow {
    let object = &route.object;
    RouteRow {
        key: format!("{}:{}", object.source, object.key()),
        range: object.prefix.to_string(),
        origin: object.origin.to_string(),
        source: object.source.to_string(),
        maintainers: object.maintainers.join(", "),
        rpki: route.rpki.name().to_owned(),
        last_modified: object.last_modified.clone(),
        state: CURRENT.to_owned(),
        asn: asns.get(&object.origin).copied(),
        prefix: route.prefix,
        aggregate: route.aggregate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::SourceName,
        netbox::routing_rows::REMOVED,
        routing::{
            expected::Expected,
            health::{Health, Registration, RpkiState},
        },
    };

    fn judged(range: &str, prefix: Option<u64>, verdict: Verdict) -> RangeHealth {
        RangeHealth {
            range: range.parse().unwrap(),
            prefix: prefix.map(RowId),
            aggregate: Some(RowId(9)),
            is_planned: verdict != Verdict::UnclaimedSpace,
            expected: Expected::default(),
            health: Health {
                verdict,
                level: Level::Ok,
                rpki: RpkiState::Valid,
                registration: Registration::Registered,
                found: Vec::new(),
                advice: "Do it.".to_owned(),
            },
        }
    }

    fn compared(ranges: &[RangeHealth], silent: &[&SourceName], recorded: &[Recorded<HealthRow>]) -> String {
        let assessment = Assessment { ranges: ranges.to_vec(), routes: Vec::new() };
        let changes = health_changes(&assessment, &silent.iter().copied().collect(), recorded);
        let drafts = changes.drafts.iter().map(|draft| format!("+ {}", draft.key));
        let patches = changes.patches.iter().map(|patch| {
            let names: Vec<&str> = patch.body.keys().map(String::as_str).collect();
            format!("~ {} {}", patch.key, names.join(","))
        });
        drafts.chain(patches).collect::<Vec<_>>().join("\n")
    }

    /// The rows as NetBox has them once these ranges were recorded.
    fn recorded(ranges: &[RangeHealth]) -> Vec<Recorded<HealthRow>> {
        (1..).zip(ranges).map(|(id, range)| Recorded { id: RowId(id), row: health_row(range) }).collect()
    }

    #[test]
    fn only_what_differs_is_written() {
        let (one, other) = (judged("192.0.2.0/24", Some(1), Verdict::Ok), judged("192.0.2.0/23", None, Verdict::Ok));
        let unclaimed = judged("192.0.2.0/25", None, Verdict::UnclaimedSpace);
        let all = [one.clone(), other.clone(), unclaimed];
        assert_eq!(compared(&all, &[], &[]), "+ prefix:1\n+ aggregate:9\n+ range:192.0.2.0/25");
        let rows = recorded(&all);
        assert_eq!(compared(&all, &[], &rows), "");
        let stale = judged("192.0.2.0/24", Some(1), Verdict::Stale);
        assert_eq!(compared(&[stale, other.clone(), all[2].clone()], &[], &rows), "~ prefix:1 verdict");
        assert_eq!(compared(&[one, other], &[], &rows), "~ range:192.0.2.0/25 advice,level,state");
    }

    #[test]
    fn what_is_gone_is_marked_once_and_comes_back() {
        let one = judged("192.0.2.0/24", Some(1), Verdict::Ok);
        let mut rows = recorded(std::slice::from_ref(&one));
        assert_eq!(compared(&[], &[], &rows), "~ prefix:1 advice,level,state");
        rows[0].row = rows[0].row.removed().unwrap();
        assert_eq!(rows[0].row.state, REMOVED);
        assert_eq!(compared(&[], &[], &rows), "");
        assert_eq!(compared(&[one], &[], &rows), "~ prefix:1 advice,level,state");
    }

    #[test]
    fn what_a_source_that_is_lost_had_is_unknown_and_not_gone() {
        let radb: SourceName = "RADB".parse().unwrap();
        let rows = recorded(&[judged("192.0.2.0/25", None, Verdict::UnclaimedSpace)]);
        assert_eq!(compared(&[], &[&radb], &rows), "~ range:192.0.2.0/25 advice,level,verdict");
    }
}
