//! The meaning of a failure inside NetBox: whether it is about the rows that were sent, about a worker, or about NetBox.
//!
//! NetBox answers an exception that nobody caught with 500 and `{"exception": "ValueError", "error": "…"}`. The name of
//! the exception is all that tells one from another, and for a worker with an older form of a type not even that: so
//! this is the one place where words of NetBox's are looked at.

use serde_json::Value;

use super::row::Row;

/// The kind of an exception inside NetBox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A row breaks a constraint of the database: a duplicate.
    Constraint,
    /// The database does not write at all: maintenance mode, a read-only replica, no connection.
    Database,
    /// The worker has an older class of a type that the row refers to, and so takes no row of it.
    StaleClass,
    /// Another exception.
    Other,
}

impl Fault {
    /// Reads the body of a 500; `None` when it tells of no exception, as an error page of a web server.
    pub(super) fn of(body: &Value) -> Option<Self> {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        Some(match text("exception")? {
            "IntegrityError" => Self::Constraint,
            // An OperationalError may be about a single row, whose value is too long for an index.
            "InternalError" | "InterfaceError" => Self::Database,
            // `Cannot assign "<Table4Model: X>": "Table6Model.organization" must be a "Table4Model" instance.`
            "ValueError" if text("error").is_some_and(|error| error.starts_with("Cannot assign")) => Self::StaleClass,
            _ => Self::Other,
        })
    }
}

/// Returns the fields that were sent and of which the answer has nothing, `None` when there are none. A worker with an
/// older form of a type passes over fields that it does not know, and answers without them.
pub(super) fn lost_fields(sent: &Row, answered: &Row) -> Option<String> {
    let lost = |(name, value): &(&String, &Value)| match answered.get(*name) {
        None => true,
        Some(Value::Null) => !is_nothing(value),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => false,
    };
    let names: Vec<&str> = sent.iter().filter(lost).map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(value: &Value) -> Row {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn exceptions_are_told_apart() {
        let stale =
            "Cannot assign \"<Table4Model: X>\": \"Table6Model.organization\" must be a \"Table4Model\" instance.";
        for (exception, error, fault) in [
            ("IntegrityError", "duplicate key value", Fault::Constraint),
            ("InternalError", "NetBox is currently operating in maintenance mode", Fault::Database),
            ("OperationalError", "index row size 20016 exceeds btree version 4 maximum 2704", Fault::Other),
            ("ValueError", stale, Fault::StaleClass),
            ("ValueError", "invalid literal for int()", Fault::Other),
        ] {
            assert_eq!(Fault::of(&json!({ "exception": exception, "error": error })), Some(fault), "{error}");
        }
        assert_eq!(Fault::of(&Value::Null), None);
    }

    #[test]
    fn a_field_is_lost_when_the_answer_has_nothing_of_it() {
        let sent = row(&json!({ "key": "k", "net_name": "N", "raw_data": {}, "prefix": null, "roles": [] }));
        let lost = |answered: &Value| lost_fields(&sent, &row(answered));
        let whole = json!({ "key": "k", "net_name": "n", "raw_data": {}, "prefix": null, "roles": null, "more": 1 });
        assert_eq!(lost(&whole), None);
        let parts = json!({ "key": "k", "net_name": null, "prefix": null, "roles": [] });
        assert_eq!(lost(&parts).as_deref(), Some("net_name, raw_data"));
    }
}
