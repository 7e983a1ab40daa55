//! One request, read.

use axum::http::{HeaderMap, Method, Uri, header};
use serde_json::Value;

/// One request, read.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Query,
    /// What was sent: nothing, JSON, or something that is not JSON.
    pub(super) body: Result<Option<Value>, serde_json::Error>,
    /// The ETags of `If-Match`; empty without one, or with `*`.
    pub(super) if_match: Vec<String>,
    pub(super) authorization: Option<String>,
    /// Scheme and host as the client wrote them.
    pub(super) base: String,
}

/// The pairs of a query, in order.
#[derive(Debug, Default)]
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Call {
    pub(super) fn read(method: Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let etags = header(header::IF_MATCH).filter(|value| *value != "*");
        Self {
            method,
            path: uri.path().to_owned(),
            query: Query::read(uri.query().unwrap_or_default()),
            body: if body.is_empty() { Ok(None) } else { serde_json::from_slice(body).map(Some) },
            if_match: etags
                .map(|etags| etags.split(',').map(|etag| etag.trim().to_owned()).collect())
                .unwrap_or_default(),
            authorization: header(header::AUTHORIZATION).map(str::to_owned),
            base: format!("http://{}", header(header::HOST).unwrap_or("localhost")),
        }
    }

    /// How many objects its body holds.
    pub(super) fn rows(&self) -> usize {
        match &self.body {
            Ok(Some(Value::Array(rows))) => rows.len(),
            Ok(Some(_)) => 1,
            Ok(None) | Err(_) => 0,
        }
    }

    /// Whether an object of this ETag may be written.
    pub(super) fn matches(&self, etag: &str) -> bool {
        self.if_match.is_empty() || self.if_match.iter().any(|given| given == etag)
    }
}

impl Query {
    pub(super) fn read(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The value of a name; of several the last, as Django has it.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The names, each once, in alphabetical order.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|(key, _)| key.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The query again with these names set, or removed.
    pub(super) fn with(&self, changes: &[(&str, Option<usize>)]) -> String {
        let mut pairs: Vec<(&str, String)> = self.0.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        pairs.retain(|(key, _)| changes.iter().all(|(name, _)| name != key));
        pairs.extend(changes.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?.to_string()))));
        pairs.sort_by(|a, b| a.0.cmp(b.0));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}
