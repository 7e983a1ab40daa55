//! A request, read.

use axum::http::{HeaderMap, Method, Uri, header};
use serde_json::Value;

#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Query,
    pub(super) body: Option<Value>,
    /// The ETags of which the object has to have one, if it came with `If-Match`.
    pub(super) if_match: Option<Vec<String>>,
    pub(super) authorization: Option<String>,
    /// Scheme and host as the client wrote them.
    pub(super) base: String,
}

/// The pairs of a query, in order.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Call {
    pub(super) fn read(method: Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let query = uri.query().unwrap_or_default();
        Self {
            method,
            path: uri.path().to_owned(),
            query: Query(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()),
            body: serde_json::from_slice(body).ok(),
            if_match: header(header::IF_MATCH)
                .filter(|etags| *etags != "*")
                .map(|etags| etags.split(',').map(|etag| etag.trim().to_owned()).collect()),
            authorization: header(header::AUTHORIZATION).map(str::to_owned),
            base: format!("http://{}", header(header::HOST).unwrap_or("localhost")),
        }
    }

    /// Returns how many objects its body holds.
    pub(super) fn rows(&self) -> usize {
        match &self.body {
            Some(Value::Array(rows)) => rows.len(),
            Some(_) => 1,
            None => 0,
        }
    }

    /// Returns whether a row of its body has this text in a field.
    pub(super) fn has_row_with(&self, field: &str, value: &str) -> bool {
        let has = |row: &Value| row.get(field).and_then(Value::as_str) == Some(value);
        self.body.as_ref().is_some_and(|body| has(body) || body.as_array().is_some_and(|rows| rows.iter().any(has)))
    }

    /// Returns whether a field is to be answered: those in `fields=`, without it all.
    pub(super) fn wants(&self, field: &str) -> bool {
        self.query.last("fields").is_none_or(|fields| fields.split(',').any(|wanted| wanted == field))
    }
}

impl Query {
    /// Returns the value of a name; of several the last, as Django has it.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last().copied()
    }

    /// Returns all values of a name; those that are empty do not count.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(key, value)| key == name && !value.is_empty());
        values.map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}
