//! Judges what an answer to a write means for the rows that were sent: a pure function of the answer.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::Value;

use super::writer::{Action, RowToWrite};
use crate::{
    model::RowId,
    netbox::{
        error::readable,
        fault::{Fault, lost_fields},
        row::{Row, id_of},
    },
};

/// The meaning of an answer. Rows are named by their position in the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All rows are deleted, or written as the answer shows them.
    Done(Vec<Written>),
    /// Nothing was written, for these rows and reasons.
    Named(BTreeMap<usize, Reason>),
    /// Nothing was written, and the answer does not say for which row; it may be a duplicate.
    Nameless,
    /// Nothing was written, because of a row or of all of them: NetBox failed over them.
    Failed,
    /// Nothing was written, because the worker that took it has an older form of a type.
    Stale,
    /// Nothing was written, because the caller may write no such rows, or not one of these.
    Forbidden,
    /// It was not even looked at: too many requests.
    Throttled,
    /// Nobody knows whether it was written.
    Unknown,
    /// The server does not take arrays.
    NoArrays,
    /// No other row would fare better.
    Hopeless,
}

/// A row that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) id: RowId,
    /// The fields that were sent and that NetBox has nothing of.
    pub(super) lost: Option<String>,
}

/// The reason for which a row was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) text: String,
    /// The fields that NetBox says are wrong.
    pub(super) fields: BTreeSet<String>,
}

/// Judges the answer to `entries`, which were sent as an array if there are several of them.
pub(super) fn judge(action: Action, entries: &[RowToWrite], status: StatusCode, body: &Value) -> Verdict {
    let alone = entries.len() == 1;
    if status.is_success() {
        return written(action, entries, body).map_or(Verdict::Unknown, Verdict::Done);
    }
    if let Some(named) = named(entries, body).filter(|_| !alone && status.is_client_error()) {
        return Verdict::Named(named);
    }
    match status {
        StatusCode::NOT_FOUND if alone && action == Action::Delete => Verdict::Done(Vec::new()),
        StatusCode::NOT_FOUND if alone && action == Action::Update => this_one("the row does not exist any more"),
        StatusCode::METHOD_NOT_ALLOWED if !alone => Verdict::NoArrays,
        // Before 0.7 the plugin takes an array for a row that is not an object.
        StatusCode::BAD_REQUEST if !alone && body.get("non_field_errors").is_some() => Verdict::NoArrays,
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Verdict::Unknown,
        StatusCode::TOO_MANY_REQUESTS => Verdict::Throttled,
        StatusCode::FORBIDDEN => Verdict::Forbidden,
        StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Verdict::Hopeless,
        StatusCode::CONFLICT => Verdict::Nameless,
        _ if status.is_redirection() => Verdict::Hopeless,
        _ if alone && status.is_client_error() => Verdict::Named(BTreeMap::from([(0, Reason::of(body))])),
        _ if status.is_client_error() => Verdict::Nameless,
        _ => match Fault::of(body) {
            Some(Fault::Constraint) => Verdict::Nameless,
            Some(Fault::StaleClass) => Verdict::Stale,
            Some(Fault::Database) => Verdict::Hopeless,
            Some(Fault::Other) | None => Verdict::Failed,
        },
    }
}

fn this_one(reason: &str) -> Verdict {
    Verdict::Named(BTreeMap::from([(0, Reason { text: reason.to_owned(), fields: BTreeSet::new() })]))
}

impl Reason {
    /// Reads the errors of a row, by field.
    fn of(errors: &Value) -> Self {
        let text = readable(errors).unwrap_or_else(|| "refused without a reason".to_owned());
        let fields = errors.as_object().into_iter().flat_map(|errors| errors.keys().cloned()).collect();
        Self { text, fields }
    }

    /// Says whether another row may have its key already. A duplicate is an error of the key, or of no field in
    /// particular where the key is one of several fields that are unique together.
    pub(super) fn may_be_taken(&self) -> bool {
        ["key", "__all__", "non_field_errors"].into_iter().any(|name| self.fields.contains(name))
    }

    /// Says whether nothing but these fields is wrong.
    pub(super) fn is_only_about(&self, names: &[&str]) -> bool {
        !self.fields.is_empty() && self.fields.iter().all(|field| names.contains(&field.as_str()))
    }
}

/// Reads the rows that were written, matched by id, or by key where rows have keys. `None` for an answer in which one
/// is missing, which is no better than no answer.
fn written(action: Action, entries: &[RowToWrite], body: &Value) -> Option<Vec<Written>> {
    if action == Action::Delete {
        return Some(Vec::new());
    }
    let rows: Vec<&Row> =
        body.as_array().map_or(std::slice::from_ref(body), Vec::as_slice).iter().map_while(Value::as_object).collect();
    let row_of = |position: usize, entry: &RowToWrite| {
        let has_key = |row: &&&Row| row.get("key").and_then(Value::as_str) == Some(entry.key.as_str());
        let has_id = |row: &&&Row| id_of(row) == entry.id;
        match action {
            Action::Create => {
                rows.iter().find(has_key).or_else(|| rows.get(position).filter(|row| row.get("key").is_none()))
            }
            Action::Update | Action::Delete => rows.iter().find(has_id),
        }
    };
    let one = |(position, entry): (usize, &RowToWrite)| {
        let row = row_of(position, entry)?;
        Some(Written { id: id_of(row)?, lost: lost_fields(&entry.body, row) })
    };
    // Two updates of one row are answered once.
    let complete = action == Action::Update || rows.len() == entries.len();
    entries.iter().enumerate().map(one).collect::<Option<_>>().filter(|_| complete)
}

/// The rows an answer names: by `index` or `id` (NetBox 4.7), or as a list as long as the batch (before). `None` when
/// it names none, or something that was not sent.
fn named(entries: &[RowToWrite], body: &Value) -> Option<BTreeMap<usize, Reason>> {
    let in_list = body.as_array().filter(|items| items.len() == entries.len());
    let named: BTreeMap<usize, Reason> = if let Some(items) = in_list {
        let bad = |(_, errors): &(usize, &Value)| errors.as_object().is_some_and(|errors| !errors.is_empty());
        items.iter().enumerate().filter(bad).map(|(position, errors)| (position, Reason::of(errors))).collect()
    } else {
        let errors = body.get("errors")?.as_array()?;
        let one = |error: &Value| Some((position(entries, error)?, Reason::of(error.get("errors")?)));
        errors.iter().map(one).collect::<Option<_>>()?
    };
    (!named.is_empty()).then_some(named)
}

fn position(entries: &[RowToWrite], error: &Value) -> Option<usize> {
    let by_index = || usize::try_from(error.get("index")?.as_u64()?).ok();
    let by_id = || {
        let id = error.get("id")?.as_u64()?;
        entries.iter().position(|entry| entry.id == Some(RowId(id)))
    };
    by_id().or_else(by_index).filter(|position| *position < entries.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::netbox::row::Row;

    fn entries(ids: &[u64]) -> Vec<RowToWrite> {
        let entry = |(place, id): (usize, &u64)| RowToWrite {
            place,
            id: Some(RowId(*id)),
            key: format!("k{id}"),
            body: Row::new(),
            adopted: false,
        };
        ids.iter().enumerate().map(entry).collect()
    }

    fn verdict(action: Action, ids: &[u64], status: u16, body: &Value) -> Verdict {
        judge(action, &entries(ids), StatusCode::from_u16(status).unwrap(), body)
    }

    fn names(pairs: &[(usize, &str)]) -> Verdict {
        let field = |text: &str| text.split_once(": ").map(|(field, _)| field.to_owned());
        let reason = |text: &str| Reason { text: text.to_owned(), fields: field(text).into_iter().collect() };
        Verdict::Named(pairs.iter().map(|(position, text)| (*position, reason(text))).collect())
    }

    fn done(rows: &[(u64, Option<&str>)]) -> Verdict {
        let written = |(id, lost): &(u64, Option<&str>)| Written { id: RowId(*id), lost: lost.map(str::to_owned) };
        Verdict::Done(rows.iter().map(written).collect())
    }

    #[test]
    fn written_rows_are_matched_by_key_or_id_whatever_their_order() {
        let body = json!([{"id": 8, "key": "k2"}, {"id": 9, "key": "k1"}]);
        assert_eq!(verdict(Action::Create, &[1, 2], 201, &body), done(&[(9, None), (8, None)]));
        assert_eq!(verdict(Action::Update, &[9, 8], 200, &body), done(&[(9, None), (8, None)]));
    }

    #[test]
    fn what_was_sent_and_is_not_answered_is_lost() {
        let sent = |name: &str| Row::from_iter([(name.to_owned(), "x".into())]);
        let entries: Vec<RowToWrite> =
            entries(&[1, 2]).into_iter().map(|entry| RowToWrite { body: sent("note"), ..entry }).collect();
        let body = json!([{"id": 1, "key": "k1", "note": "x"}, {"id": 2, "key": "k2"}]);
        for action in [Action::Create, Action::Update] {
            assert_eq!(judge(action, &entries, StatusCode::OK, &body), done(&[(1, None), (2, Some("note"))]));
        }
    }

    #[test]
    fn exceptions_say_whom_they_are_about() {
        let exception = |name: &str, error: &str| json!({"exception": name, "error": error});
        let told = |body: &Value| verdict(Action::Create, &[1], 500, body);
        assert_eq!(told(&exception("InternalError", "NetBox is in maintenance mode")), Verdict::Hopeless);
        assert_eq!(
            told(&exception("ValueError", "Cannot assign \"<A>\": \"B.c\" must be a \"A\" instance.")),
            Verdict::Stale
        );
        assert_eq!(told(&exception("TypeError", "unhashable")), Verdict::Failed);
        assert_eq!(told(&Value::Null), Verdict::Failed);
    }

    #[test]
    fn a_taken_key_is_told_by_name_by_newer_versions() {
        let errors = json!({"key": ["RIR network with this Key already exists."]});
        let expected = names(&[(0, "key: RIR network with this Key already exists.")]);
        assert_eq!(verdict(Action::Create, &[1], 400, &errors), expected);
        let body = json!({"errors": [{"index": 0, "errors": errors}]});
        assert_eq!(verdict(Action::Create, &[1, 2], 400, &body), expected);
        assert_eq!(verdict(Action::Create, &[1], 409, &Value::Null), Verdict::Nameless);
    }

    #[test]
    fn a_success_that_cannot_be_read_tells_nothing() {
        assert_eq!(verdict(Action::Create, &[1, 2], 201, &json!([{"id": 8, "key": "k2"}])), Verdict::Unknown);
        assert_eq!(verdict(Action::Create, &[1], 200, &Value::Null), Verdict::Unknown);
        assert_eq!(verdict(Action::Update, &[1], 200, &Value::Null), Verdict::Unknown);
    }

    #[test]
    fn bad_rows_are_named_by_index_or_id() {
        let errors = json!({"postal_code": ["This field is required."]});
        let by_index = json!({"detail": "1 of 2", "errors": [{"index": 1, "errors": errors}]});
        let by_id = json!({"detail": "1 of 2", "errors": [{"id": 7, "errors": errors}]});
        let expected = names(&[(1, "postal_code: This field is required.")]);
        assert_eq!(verdict(Action::Create, &[6, 7], 400, &by_index), expected);
        assert_eq!(verdict(Action::Update, &[6, 7], 400, &by_id), expected);
    }

    #[test]
    fn older_versions_name_bad_rows_by_their_place_in_a_list() {
        let body = json!([{}, {"handle": ["Bad."]}]);
        assert_eq!(verdict(Action::Create, &[1, 2], 400, &body), names(&[(1, "handle: Bad.")]));
    }

    #[test]
    fn a_name_that_was_not_sent_names_nothing() {
        let body = json!({"errors": [{"id": 99, "errors": {}}]});
        assert_eq!(verdict(Action::Update, &[1, 2], 400, &body), Verdict::Nameless);
    }

    #[test]
    fn a_duplicate_is_nameless_and_a_gateway_tells_nothing() {
        let body = json!({"exception": "IntegrityError", "error": "duplicate key"});
        assert_eq!(verdict(Action::Create, &[1, 2], 500, &body), Verdict::Nameless);
        assert_eq!(verdict(Action::Create, &[1], 500, &body), Verdict::Nameless);
        assert_eq!(verdict(Action::Create, &[1, 2], 502, &Value::Null), Verdict::Unknown);
    }

    #[test]
    fn a_row_that_is_gone_is_deleted_already_but_cannot_be_updated() {
        assert_eq!(verdict(Action::Delete, &[1], 404, &Value::Null), Verdict::Done(vec![]));
        assert_eq!(verdict(Action::Update, &[1], 404, &Value::Null), names(&[(0, "the row does not exist any more")]));
    }

    #[test]
    fn a_405_is_about_arrays_only_when_one_was_sent() {
        assert_eq!(verdict(Action::Update, &[1, 2], 405, &Value::Null), Verdict::NoArrays);
        assert_eq!(verdict(Action::Update, &[1], 405, &Value::Null), Verdict::Hopeless);
    }

    #[test]
    fn an_array_that_is_taken_for_a_bad_row_is_not_sent_again() {
        let body = json!({"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]});
        assert_eq!(verdict(Action::Create, &[1, 2], 400, &body), Verdict::NoArrays);
        assert!(matches!(verdict(Action::Create, &[1], 400, &body), Verdict::Named(_)));
    }

    #[test]
    fn a_missing_permission_is_about_the_rows_that_are_named() {
        assert_eq!(verdict(Action::Create, &[1, 2], 403, &json!({"detail": "No."})), Verdict::Forbidden);
        let one = json!({"errors": [{"index": 0, "errors": {"status": ["Not permitted."]}}]});
        assert_eq!(verdict(Action::Create, &[1, 2], 403, &one), names(&[(0, "status: Not permitted.")]));
    }
}
