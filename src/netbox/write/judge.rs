//! Judges what an answer to a write means for the rows that were sent: a pure function of the answer.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::Value;

use super::writer::{Action, Entry};
use crate::{model::RowId, netbox::error::readable};

/// The meaning of an answer. Rows are named by their position in the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All rows are written; of created ones these are the ids.
    Done(Vec<RowId>),
    /// Nothing was written, for these rows and reasons.
    Named(BTreeMap<usize, String>),
    /// Nothing was written, and the answer does not say for which row.
    Nameless,
    /// It was not even looked at: too many requests.
    Throttled,
    /// Nobody knows whether it was written.
    Unknown,
    /// The server does not take arrays.
    NoArrays,
    /// No other row would fare better.
    Hopeless,
}

/// Judges the answer to `entries`, which were sent as an array if there are several of them.
pub(super) fn judge(action: Action, entries: &[Entry], status: StatusCode, body: &Value) -> Verdict {
    let alone = entries.len() == 1;
    if status.is_success() {
        return written(action, entries, body);
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
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            Verdict::Hopeless
        }
        _ if status.is_redirection() => Verdict::Hopeless,
        _ if alone && status.is_client_error() => {
            this_one(&readable(body).unwrap_or_else(|| format!("NetBox answered {status}")))
        }
        _ => Verdict::Nameless,
    }
}

fn this_one(reason: &str) -> Verdict {
    Verdict::Named(BTreeMap::from([(0, reason.to_owned())]))
}

/// A success: with the ids of created rows, matched by key where rows have keys. One that cannot be read tells us no
/// ids, which is no better than no answer.
fn written(action: Action, entries: &[Entry], body: &Value) -> Verdict {
    if action != Action::Create {
        return Verdict::Done(Vec::new());
    }
    let rows = body.as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
    let id_at = |(position, entry): (usize, &Entry)| {
        let has_key = |row: &&Value| row.get("key").and_then(Value::as_str) == Some(entry.key.as_str());
        let row = rows.iter().find(has_key).or_else(|| rows.get(position).filter(|row| row.get("key").is_none()))?;
        row.get("id").and_then(Value::as_u64).map(RowId)
    };
    match entries.iter().enumerate().map(id_at).collect() {
        Some(ids) if rows.len() == entries.len() => Verdict::Done(ids),
        Some(_) | None => Verdict::Unknown,
    }
}

/// The rows an answer names: by `index` or `id` (NetBox 4.7), or as a list as long as the batch (before). `None` when
/// it names none, or something that was not sent.
fn named(entries: &[Entry], body: &Value) -> Option<BTreeMap<usize, String>> {
    let reason = |errors: &Value| readable(errors).unwrap_or_else(|| "refused without a reason".to_owned());
    let in_list = body.as_array().filter(|items| items.len() == entries.len());
    let named: BTreeMap<usize, String> = if let Some(items) = in_list {
        let bad = |(_, errors): &(usize, &Value)| errors.as_object().is_some_and(|errors| !errors.is_empty());
        items.iter().enumerate().filter(bad).map(|(position, errors)| (position, reason(errors))).collect()
    } else {
        let errors = body.get("errors")?.as_array()?;
        let one = |error: &Value| Some((position(entries, error)?, reason(error.get("errors")?)));
        errors.iter().map(one).collect::<Option<_>>()?
    };
    (!named.is_empty()).then_some(named)
}

fn position(entries: &[Entry], error: &Value) -> Option<usize> {
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

    fn entries(ids: &[u64]) -> Vec<Entry> {
        let entry = |(place, id): (usize, &u64)| Entry {
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
        Verdict::Named(pairs.iter().map(|(position, reason)| (*position, (*reason).to_owned())).collect())
    }

    #[test]
    fn created_rows_are_matched_by_key_whatever_their_order() {
        let body = json!([{"id": 8, "key": "k2"}, {"id": 9, "key": "k1"}]);
        assert_eq!(verdict(Action::Create, &[1, 2], 201, &body), Verdict::Done(vec![RowId(9), RowId(8)]));
    }

    #[test]
    fn a_success_that_cannot_be_read_tells_nothing() {
        assert_eq!(verdict(Action::Create, &[1, 2], 201, &json!([{"id": 8, "key": "k2"}])), Verdict::Unknown);
        assert_eq!(verdict(Action::Create, &[1], 200, &Value::Null), Verdict::Unknown);
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
    fn a_missing_permission_is_hopeless_unless_rows_are_named() {
        assert_eq!(verdict(Action::Create, &[1, 2], 403, &json!({"detail": "No."})), Verdict::Hopeless);
        let one = json!({"errors": [{"index": 0, "errors": {"__all__": ["Not permitted."]}}]});
        assert_eq!(verdict(Action::Create, &[1, 2], 403, &one), names(&[(0, "Not permitted.")]));
    }
}
