//! The digest of a plan: equal if and only if the same would be written, in whatever order it was found out.
//!
//! It covers the values that are written, and not those that they replace; a document counts by its own digest, which is
//! among the fields. Who writes, and when, is no part of it.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::change::{Action, Change, Plan};
use crate::{
    hex,
    model::{Fields, PlanDigest, Resource, RowId, Scope, Value},
};

/// The hex digits of a row's digest: enough to tell the rows of one plan apart.
const ROW_DIGITS: usize = 16;

/// What a plan is about. Two plans about different things are never the same, even when both write nothing.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The config.
    pub config: RowId,
    /// The part of it.
    pub scope: &'a Scope,
    /// The kinds of registrations.
    pub resources: &'a BTreeSet<Resource>,
}

impl Plan {
    /// Returns the digest of everything that it would write.
    #[must_use]
    pub fn digest(&self, subject: Subject<'_>) -> PlanDigest {
        let mut rows: Vec<[u8; 32]> = self.changes.iter().map(Change::sha256).collect();
        rows.sort_unstable();
        let mut all = Sha256::new();
        all.update(subject.text());
        for row in rows {
            all.update(row);
        }
        PlanDigest::of_sha256(&hex::encode(&all.finalize()))
    }
}

impl Subject<'_> {
    fn text(&self) -> String {
        let scope = match self.scope {
            Scope::Config => json!("config"),
            Scope::Aggregate(id) => json!({ "aggregate": id }),
            Scope::Prefixes(ids) => json!({ "prefixes": ids }),
        };
        json!([self.config, scope, self.resources]).to_string()
    }
}

impl Change {
    /// Returns a digest of what would be written to the row, short enough to be kept with each.
    pub(super) fn digest(&self) -> String {
        let mut digits = hex::encode(&self.sha256());
        digits.truncate(ROW_DIGITS);
        digits
    }

    fn sha256(&self) -> [u8; 32] {
        let fields = match &self.action {
            Action::Create { fields } => written(fields),
            Action::Update { .. } => written(&self.fields()),
            Action::Retire { .. } => Json::Null,
        };
        let action = match self.action {
            Action::Create { .. } => "create",
            Action::Update { .. } => "update",
            Action::Retire { .. } => "retire",
        };
        let row = json!([self.object, self.key.as_str(), action, fields]);
        Sha256::digest(row.to_string().as_bytes()).into()
    }
}

/// Returns the fields as a list, in the order of their names. Two values of different kinds never read the same.
fn written(fields: &Fields) -> Json {
    let field = |(name, value): (&&str, &Value)| {
        let (kind, value) = match value {
            Value::Empty => ("empty", Json::Null),
            Value::Text(text) => ("text", json!(text)),
            Value::Flag(flag) => ("flag", json!(flag)),
            Value::Number(number) => ("number", json!(number)),
            Value::Date(date) => ("date", json!(date)),
            Value::Choices(codes) => ("choices", json!(codes)),
            Value::OurRow(key) => ("our-row", json!(key.as_str())),
            Value::NetBoxRow(id) => ("netbox-row", json!(id)),
            Value::NetBoxRows(ids) => ("netbox-rows", json!(ids)),
            // The row's field `digest` stands for it.
            Value::Json(_) => return None,
        };
        Some(json!([name, kind, value]))
    };
    fields.iter().filter_map(field).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        model::{Key, ObjectType},
        sync::plan::Altered,
    };

    fn change(handle: &str, action: Action) -> Change {
        let key = Key::recorded(format!("arin:{handle}"));
        Change { object: ObjectType::Network, key, handle: handle.to_owned(), action }
    }

    fn create(handle: &str, name: Value) -> Change {
        change(handle, Action::Create { fields: Fields::from([("net_name", name)]) })
    }

    fn update(handle: &str, was: &str, becomes: &str) -> Change {
        let altered = Altered { was: Value::Text(was.into()), becomes: Value::Text(becomes.into()) };
        change(handle, Action::Update { id: RowId(1), fields: BTreeMap::from([("net_name", altered)]) })
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn digest(changes: impl IntoIterator<Item = Change>) -> PlanDigest {
        digest_of(RowId(1), &Scope::Config, &Resource::all(), changes)
    }

    fn digest_of(
        config: RowId,
        scope: &Scope,
        resources: &BTreeSet<Resource>,
        changes: impl IntoIterator<Item = Change>,
    ) -> PlanDigest {
        let plan = Plan { changes: changes.into_iter().collect(), ..Plan::default() };
        plan.digest(Subject { config, scope, resources })
    }

    #[test]
    fn a_row_is_told_apart_by_what_would_be_written_to_it() {
        let changes = [
            update("NET-A", "ONE", "TWO"),
            update("NET-A", "ELSE", "TWO"),
            update("NET-A", "ONE", "THREE"),
            update("NET-B", "ONE", "TWO"),
            create("NET-A", text("TWO")),
        ];
        let [row, from_another_name, others @ ..] = changes.map(|change| change.digest());
        assert_eq!((row.len(), row.chars().all(|digit| digit.is_ascii_hexdigit())), (ROW_DIGITS, true), "{row}");
        assert_eq!(row, from_another_name, "what was there before is no part of it");
        assert!(!others.contains(&row), "{others:?}");
    }

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let rows =
            [create("NET-A", text("A")), update("NET-B", "B", "C"), change("NET-C", Action::Retire { id: RowId(3) })];
        let mut turned = rows.clone();
        turned.reverse();
        assert_eq!(digest(rows), digest(turned));
    }

    #[test]
    fn whatever_would_be_written_otherwise_is_another_plan() {
        let plans = [
            digest([]),
            digest([create("NET-A", text("A"))]),
            digest([create("NET-A", text("B"))]),
            digest([create("NET-B", text("A"))]),
            digest([create("NET-A", Value::Empty)]),
            digest([create("NET-A", Value::Choices(BTreeSet::from(["A".to_owned()])))]),
            digest([create("NET-A", Value::OurRow(Key::recorded("A".to_owned())))]),
            digest([create("NET-A", text("A")), create("NET-B", text("A"))]),
            digest([update("NET-A", "Z", "A")]),
            digest([change("NET-A", Action::Retire { id: RowId(1) })]),
        ];
        assert_eq!(BTreeSet::from(plans.clone()).len(), plans.len());
    }

    #[test]
    fn what_was_there_before_is_no_part_of_it() {
        assert_eq!(digest([update("NET-A", "A", "C")]), digest([update("NET-A", "B", "C")]));
    }

    #[test]
    fn a_plan_is_for_one_config_and_one_part_of_it() {
        let some = BTreeSet::from([Resource::Contacts]);
        let all = Resource::all();
        let plans = [
            digest([]),
            digest_of(RowId(2), &Scope::Config, &all, []),
            digest_of(RowId(1), &Scope::Aggregate(RowId(1)), &all, []),
            digest_of(RowId(1), &Scope::Prefixes(BTreeSet::from([RowId(1)])), &all, []),
            digest_of(RowId(1), &Scope::Config, &some, []),
        ];
        assert_eq!(BTreeSet::from(plans.clone()).len(), plans.len());
    }

    #[test]
    fn a_document_counts_by_its_digest() {
        let row = |document: Json| {
            let fields = [("digest", text("d")), ("raw_data", Value::Json(document))];
            change("NET-A", Action::Create { fields: Fields::from(fields) })
        };
        assert_eq!(digest([row(json!({ "net": 1 }))]), digest([row(Json::Null)]));
    }
}
