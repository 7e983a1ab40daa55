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
