//! The failures of requests to NetBox.

use std::{fmt, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::permission::Permission;
use crate::{
    http_client,
    outbound::{self, NoAnswer},
    retry::Retry,
};

/// A request, as a person would look for it in NetBox's access log: `GET /api/status/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub(super) method: Method,
    pub(super) path: String,
}

impl Request {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into() }
    }

    /// Returns its name in metrics: its method, and its path without ids and without what all paths of a list have in
    /// common.
    pub(super) fn name(&self) -> String {
        let path = self.path.trim_start_matches("/api/").trim_start_matches("plugins/custom-objects/");
        let words = path.split('/').filter(|word| !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit()));
        format!("{} {}", self.method, words.collect::<Vec<_>>().join("/"))
    }

    /// Returns the permission it needs on the objects at its path.
    pub(super) fn permission(&self) -> Permission {
        Permission::of(&self.method)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// A failure of NetBox to do what it was asked.
pub type Error = outbound::Error<Request, ErrorKind>;

/// The ways to fail. [`ErrorKind::NoAnswer`] tells a request that never left from one whose answer was lost.
#[derive(Debug, thiserror::Error)]
pub enum ErrorKind {
    /// No client can be made from the settings.
    #[error("cannot make an HTTP client for NetBox")]
    Client(#[source] http_client::Error),
    /// The token has characters that no header can carry.
    #[error("the NetBox API token has characters that cannot be sent; it must be one line of ASCII")]
    Token,
    /// No whole answer came.
    #[error("NetBox {0}")]
    NoAnswer(#[from] NoAnswer),
    /// NetBox, or something in front of it, could not do it now (502, 503, 504) or failed over it (500).
    #[error("NetBox failed over it with {0}: {1}")]
    Failed(StatusCode, String),
    /// The worker of NetBox that took it has an older form of the type: it failed over a reference, or left out what was
    /// sent for these fields.
    #[error(
        "one of NetBox's workers has an older form of this type ({0}); restart NetBox's web workers, or run \
         `rir-sidecar bootstrap` again"
    )]
    StaleType(String),
    /// There were too many requests (429); with the wait, if the answer asks for one.
    #[error("NetBox, or something in front of it, is asked too often")]
    Throttled(Option<Duration>),
    /// The token is unknown, expired or not allowed to do this (401, 403); with NetBox's reason and the permission that
    /// the request needs.
    #[error(
        "NetBox refused it with {0} ({1}); the token has to be valid{write}, and its user needs the \"{2}\" permission on \
         these objects", write = write_enabled(*.2)
    )]
    Forbidden(StatusCode, String, Permission),
    /// There is nothing at this path (404): another NetBox version, no plugin, or `bootstrap` has not run yet.
    #[error("NetBox has nothing there")]
    NotFound,
    /// NetBox sent us elsewhere. Tokens are not carried along, so the setting has to name the right place.
    #[error("NetBox redirected it to {0}; set netbox.url to where it answers itself")]
    Redirected(String),
    /// NetBox refused it for another reason (4xx).
    #[error("NetBox refused it with {0}: {1}")]
    Refused(StatusCode, String),
    /// The answer, which begins so, is not this document; without a source it is JSON of another form.
    #[error("NetBox's answer is not {0}: {1}")]
    Malformed(&'static str, String, #[source] Option<serde_json::Error>),
    /// A filter had no effect.
    #[error("NetBox ignored the filter; has `bootstrap` been run?")]
    FilterIgnored,
    /// The schema would lose data.
    #[error("the change of the schema would lose data, and needs to be allowed expressly:\n{0}")]
    Destructive(String),
}

impl Error {
    /// Returns the failure of reading a path.
    pub(super) fn reading(path: impl Into<String>, kind: ErrorKind) -> Self {
        Self::of(Request::new(Method::GET, path), kind)
    }

    /// Returns whether trying again may help, for a request that may be sent twice.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match &self.kind {
            ErrorKind::NoAnswer(no_answer) => no_answer.retry(),
            ErrorKind::Failed(..) | ErrorKind::StaleType(_) | ErrorKind::Throttled(None) => Retry::Backoff,
            ErrorKind::Throttled(Some(wait)) => Retry::After(*wait),
            ErrorKind::Client(_)
            | ErrorKind::Token
            | ErrorKind::Forbidden(..)
            | ErrorKind::NotFound
            | ErrorKind::Redirected(_)
            | ErrorKind::Refused(..)
            | ErrorKind::Malformed(..)
            | ErrorKind::FilterIgnored
            | ErrorKind::Destructive(_) => Retry::Never,
        }
    }

    /// Returns whether the token may not do this.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self.kind, ErrorKind::Forbidden(..))
    }

    /// Returns whether there is nothing at the path.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.kind, ErrorKind::NotFound)
    }
}

/// Returns what else a token has to be, for what it does: NetBox refuses a write with a token that may only read in the same
/// words as one without permission.
fn write_enabled(permission: Permission) -> &'static str {
    match permission {
        Permission::View => "",
        Permission::Add | Permission::Change | Permission::Delete => " and write-enabled",
    }
}

/// Returns the errors in a body of NetBox's on one line, such as
/// `postal_code: This field is required.; roles: 1: XX is not a valid choice.`
/// `None` when there is nothing to tell.
pub(super) fn readable(body: &Value) -> Option<String> {
    let text = match body {
        Value::Null => String::new(),
        Value::String(text) => text.replace('\n', " "),
        Value::Array(items) => items.iter().filter_map(readable).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => match fields.get("detail").or_else(|| fields.get("error")) {
            Some(detail) => readable(detail).unwrap_or_default(),
            None => {
                fields.iter().filter_map(|(name, errors)| field_errors(name, errors)).collect::<Vec<_>>().join("; ")
            }
        },
        Value::Bool(_) | Value::Number(_) => body.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// Returns the errors of a field; those of no field in particular stand for themselves.
fn field_errors(name: &str, errors: &Value) -> Option<String> {
    let errors = readable(errors)?;
    Some(if matches!(name, "__all__" | "non_field_errors") { errors } else { format!("{name}: {errors}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_metrics_has_no_ids() {
        let name = |method, path: &str| Request::new(method, path).name();
        assert_eq!(name(Method::GET, "/api/ipam/prefixes/"), "GET ipam/prefixes");
        assert_eq!(name(Method::GET, "/api/ipam/prefixes/17/"), "GET ipam/prefixes");
        assert_eq!(name(Method::POST, "/api/plugins/custom-objects/rir-network/"), "POST rir-network");
        assert_eq!(name(Method::GET, "/api/status/"), "GET status");
    }

    #[test]
    fn errors_of_fields_read_as_one_line() {
        let body = serde_json::json!({
            "postal_code": ["This field is required."],
            "roles": {"1": ["XX is not a valid choice."]},
            "__all__": ["Not like this.", "Nor that."],
        });
        insta::assert_snapshot!(readable(&body).unwrap(), @"Not like this. Nor that.; postal_code: This field is required.; roles: 1: XX is not a valid choice.");
    }

    #[test]
    fn a_detail_speaks_for_the_whole_body() {
        let body = serde_json::json!({"detail": "Invalid v2 token"});
        assert_eq!(readable(&body).unwrap(), "Invalid v2 token");
    }
}
