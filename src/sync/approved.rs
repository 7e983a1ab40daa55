//! A plan that somebody approved, and how what would be written now differs from it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::{Plan, ShownAction, ShownChange};
use crate::model::{ObjectType, PlanDigest};

/// Limits how many rows a difference names of each kind; it counts all of them.
const MOST_NAMED: usize = 50;

/// A plan that a run may write, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// Its digest.
    pub digest: PlanDigest,
    /// Its rows by their digests, if they are known.
    pub rows: Option<BTreeMap<String, PlannedRow>>,
}

/// A row of a plan, without what would be written to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedRow {
    /// What would be done to it.
    pub action: ShownAction,
    /// The type of the object.
    #[serde(rename = "type")]
    pub object: ObjectType,
    /// The handle; for an address the address itself.
    pub handle: String,
}

/// How a plan differs from an approved one. A row to which something else would be written counts on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The digest of the plan that was approved.
    pub approved: PlanDigest,
    /// The digest of what would be written now.
    pub now: PlanDigest,
    /// Rows that would be written now, and are not in the approved plan.
    pub added: DifferentRows,
    /// Rows of the approved plan that would not be written now.
    pub dropped: DifferentRows,
}

/// Rows on one side of a difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DifferentRows {
    /// The number of them; null when the rows of the approved plan are not known.
    pub count: Option<usize>,
    /// The first of them. Whoever may view a job reads this, so that contacts and addresses are counted only.
    pub first: Vec<PlannedRow>,
}

impl Approved {
    /// Returns how `plan`, whose digest is `now`, differs; `None` when it may be written.
    ///
    /// With `begun` a run has begun to write the approved plan. What is left of it may be written then.
    #[must_use]
    pub fn difference(&self, plan: &Plan, now: PlanDigest, begun: bool) -> Option<Difference> {
        if now == self.digest {
            return None;
        }
        let Some(approved) = &self.rows else {
            let (added, dropped) = (DifferentRows::default(), DifferentRows::default());
            return Some(Difference { approved: self.digest.clone(), now, added, dropped });
        };
        let planned = plan.changes.iter().map(|change| named(&change.shown())).collect();
        let difference = Difference::between((&self.digest, approved), (&now, &planned));
        let is_rest = difference.added.count == Some(0);
        (!(begun && is_rest)).then_some(difference)
    }
}

/// Returns a row by its digest.
#[must_use]
pub fn named(change: &ShownChange) -> (String, PlannedRow) {
    let ShownChange { action, object, handle, digest, .. } = change;
    (digest.clone(), PlannedRow { action: *action, object: *object, handle: handle.clone() })
}

impl Difference {
    /// Compares the rows of two plans.
    #[must_use]
    pub fn between(
        (approved, before): (&PlanDigest, &BTreeMap<String, PlannedRow>),
        (now, after): (&PlanDigest, &BTreeMap<String, PlannedRow>),
    ) -> Self {
        let only = |of: &BTreeMap<String, PlannedRow>, other: &BTreeMap<String, PlannedRow>| {
            let rows = of.iter().filter(|(digest, _)| !other.contains_key(*digest)).map(|(_, row)| row);
            let named = rows.clone().filter(|row| !is_about_persons(row.object));
            DifferentRows { count: Some(rows.count()), first: named.take(MOST_NAMED).cloned().collect() }
        };
        let (added, dropped) = (only(after, before), only(before, after));
        Self { approved: approved.clone(), now: now.clone(), added, dropped }
    }

    /// Describes it in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { approved, now, .. } = self;
        format!("the plan is {now} now, and {approved} was approved{}", self.rows())
    }

    /// Counts the rows and names some of them, to be appended to a sentence.
    #[must_use]
    pub fn rows(&self) -> String {
        [self.added.sentence("new"), self.dropped.sentence("gone")].map(Option::unwrap_or_default).concat()
    }
}

fn is_about_persons(object: ObjectType) -> bool {
    match object {
        ObjectType::Address | ObjectType::Contact => true,
        ObjectType::Organization | ObjectType::Network | ObjectType::Customer => false,
    }
}

impl DifferentRows {
    /// Counts them and names the first few; nothing where there is none, or where they are not known.
    fn sentence(&self, what: &str) -> Option<String> {
        const FEW: usize = 3;
        let count = self.count.filter(|count| *count > 0)?;
        let names = self.first.iter().take(FEW);
        let names: Vec<String> = names.map(|PlannedRow { object, handle, .. }| format!("{object} {handle}")).collect();
        Some(match (names.len(), names.join(", ")) {
            (0, _) => format!("; rows that are {what}: {count}"),
            (all, names) if all == count => format!("; rows that are {what}: {count} ({names})"),
            (_, names) => format!("; rows that are {what}: {count} ({names}, ...)"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Fields, Key, Resource, RowId, Scope, Value},
        sync::plan::{Action, Change, Subject},
    };

    fn plan(rows: &[(&str, &str)]) -> Plan {
        plan_of(ObjectType::Network, rows)
    }

    fn plan_of(object: ObjectType, rows: &[(&str, &str)]) -> Plan {
        let change = |(handle, name): &(&str, &str)| Change {
            object,
            key: Key::recorded(format!("arin:{handle}")),
            handle: (*handle).to_owned(),
            action: Action::Create { fields: Fields::from([("net_name", Value::Text((*name).to_owned()))]) },
        };
        Plan { changes: rows.iter().map(change).collect(), ..Plan::default() }
    }

    fn digest(plan: &Plan) -> PlanDigest {
        plan.digest(Subject { config: RowId(1), scope: &Scope::Config, resources: &Resource::all() })
    }

    fn approve(plan: &Plan) -> Approved {
        let rows = plan.changes.iter().map(|change| named(&change.shown())).collect();
        Approved { digest: digest(plan), rows: Some(rows) }
    }

    fn difference(approved: &Approved, plan: &Plan, begun: bool) -> Option<(Option<usize>, Option<usize>)> {
        let difference = approved.difference(plan, digest(plan), begun)?;
        Some((difference.added.count, difference.dropped.count))
    }

    #[test]
    fn only_the_very_plan_may_be_written() {
        let approved = approve(&plan(&[("NET-A", "A"), ("NET-B", "B")]));
        assert_eq!(difference(&approved, &plan(&[("NET-B", "B"), ("NET-A", "A")]), false), None);
        for (rows, differs) in [
            (&[("NET-A", "A")][..], (Some(0), Some(1))),
            (&[("NET-A", "A"), ("NET-B", "C")], (Some(1), Some(1))),
            (&[("NET-A", "A"), ("NET-B", "B"), ("NET-C", "C")], (Some(1), Some(0))),
        ] {
            assert_eq!(difference(&approved, &plan(rows), false), Some(differs), "{rows:?}");
        }
    }

    #[test]
    fn a_run_that_was_interrupted_may_write_what_is_left_and_nothing_else() {
        let approved = approve(&plan(&[("NET-A", "A"), ("NET-B", "B")]));
        assert_eq!(difference(&approved, &plan(&[("NET-B", "B")]), true), None);
        assert_eq!(difference(&approved, &plan(&[]), true), None);
        assert_eq!(difference(&approved, &plan(&[("NET-B", "C")]), true), Some((Some(1), Some(2))));
    }

    #[test]
    fn without_the_rows_of_the_approved_plan_its_digest_decides() {
        let whole = plan(&[("NET-A", "A"), ("NET-B", "B")]);
        let approved = Approved { rows: None, ..approve(&whole) };
        assert_eq!(difference(&approved, &whole, false), None);
        assert_eq!(difference(&approved, &plan(&[("NET-B", "B")]), true), Some((None, None)));
    }

    #[test]
    fn a_difference_counts_the_rows_and_names_some() {
        let approved = approve(&plan(&[("NET-A", "A")]));
        let rows: Vec<(String, String)> = (10..90).map(|n| (format!("NET-{n}"), n.to_string())).collect();
        let rows: Vec<(&str, &str)> = rows.iter().map(|(handle, name)| (handle.as_str(), name.as_str())).collect();
        let now = plan(&rows);
        let difference = approved.difference(&now, digest(&now), false).unwrap();
        assert_eq!((difference.added.count, difference.added.first.len()), (Some(80), MOST_NAMED));
        let sentence = difference.sentence();
        assert!(sentence.contains("; rows that are new: 80 (network NET-"), "{sentence}");
        assert!(sentence.ends_with("; rows that are gone: 1 (network NET-A)"), "{sentence}");
    }

    #[test]
    fn a_difference_names_neither_persons_nor_where_they_live() {
        let approved = approve(&plan(&[]));
        for object in [ObjectType::Contact, ObjectType::Address] {
            let now = plan_of(object, &[("SOMEBODY", "A")]);
            let difference = approved.difference(&now, digest(&now), false).unwrap();
            assert_eq!((difference.added.count, difference.added.first.len()), (Some(1), 0));
            assert!(difference.sentence().ends_with("; rows that are new: 1"), "{}", difference.sentence());
        }
    }
}
