//! What can go wrong between us and NetBox.

use std::{fmt, io, path::PathBuf, time::Duration};

use reqwest::{Method, StatusCode};

use serde_json::Value;

use super::permission::Permission;
use crate::retry::Retry;

/// What was being done, as a person would look for it in NetBox's access log: `GET /api/status/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    method: Method,
    path: String,
}

impl Operation {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into() }
    }

    /// What kind of operation it is, for figures: its method, and its path without ids and without what all paths of a list
    /// have in common.
    pub(super) fn kind(&self) -> String {
        let path = self.path.trim_start_matches("/api/").trim_start_matches("plugins/custom-objects/");
        let words = path.split('/').filter(|word| !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit()));
        format!("{} {}", self.method, words.collect::<Vec<_>>().join("/"))
    }

    /// Returns the permission it needs on the objects at its path.
    fn permission(&self) -> Permission {
        Permission::of(&self.method)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Why NetBox did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client can be made from the settings.
    #[error("cannot make an HTTP client for NetBox")]
    Client(#[source] reqwest::Error),
    /// The file with the certificate authority cannot be read.
    #[error("cannot read NetBox's certificate authority from {}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The token has characters that no header can carry.
    #[error("the NetBox API token has characters that cannot be sent; it must be one line of ASCII")]
    Token,
    /// No whole answer came: no connection, a cut one, or none in time. A write may or may not have been done.
    #[error("NetBox did not answer {operation}")]
    Unreachable {
        /// What was being done.
        operation: Operation,
        /// Why.
        source: reqwest::Error,
    },
    /// NetBox, or something in front of it, could not do it now (502, 503, 504) or failed over it (500).
    #[error("NetBox failed over {operation} with {status}: {detail}")]
    Failed {
        /// What was being done.
        operation: Operation,
        /// The status.
        status: StatusCode,
        /// What NetBox said about it.
        detail: String,
    },
    /// Too many requests (429).
    #[error("NetBox, or something in front of it, is asked too often: {operation}")]
    Throttled {
        /// What was being done.
        operation: Operation,
        /// How long to wait, if it said so.
        wait: Option<Duration>,
    },
    /// The token is unknown, expired or not allowed to do this (401, 403).
    #[error(
        "NetBox refused {operation} with {status} ({detail}); the token has to be valid, and its user needs the \"{}\" \
         permission on these objects", operation.permission()
    )]
    Forbidden {
        /// What was being done.
        operation: Operation,
        /// The status.
        status: StatusCode,
        /// What NetBox said about it.
        detail: String,
    },
    /// There is nothing at this path (404): another NetBox version, no plugin, or `bootstrap` has not run yet.
    #[error("NetBox has nothing at {operation}")]
    NotFound {
        /// What was being done.
        operation: Operation,
    },
    /// NetBox sent us elsewhere. Tokens are not carried along, so the setting has to name the right place.
    #[error("NetBox redirected {operation} to {location}; set netbox.url to where it answers itself")]
    Redirected {
        /// What was being done.
        operation: Operation,
        /// Where it sent us.
        location: String,
    },
    /// NetBox refused it for another reason (4xx).
    #[error("NetBox refused {operation} with {status}: {detail}")]
    Refused {
        /// What was being done.
        operation: Operation,
        /// The status.
        status: StatusCode,
        /// What NetBox said about it.
        detail: String,
    },
    /// The answer is not what NetBox documents.
    #[error("NetBox's answer to {operation} is not {wanted}: {excerpt}")]
    Malformed {
        /// What was being done.
        operation: Operation,
        /// What was expected.
        wanted: &'static str,
        /// The beginning of what came.
        excerpt: String,
        /// Why it cannot be read, where it is not JSON at all.
        source: Option<serde_json::Error>,
    },
    /// The answer is larger than anything we ask for.
    #[error("NetBox's answer to {operation} is larger than {limit} bytes")]
    TooLarge {
        /// What was being done.
        operation: Operation,
        /// The limit.
        limit: usize,
    },
    /// A filter had no effect.
    #[error("NetBox ignored the filter of {operation}; has `bootstrap` been run?")]
    FilterIgnored {
        /// What was being done.
        operation: Operation,
    },
    /// The schema would lose data.
    #[error("the change of the schema would lose data, and needs to be allowed expressly:\n{changes}")]
    Destructive {
        /// What would be lost.
        changes: String,
    },
}

impl Error {
    /// Whether trying again helps.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. } | Self::Failed { .. } | Self::Throttled { wait: None, .. } => Retry::Backoff,
            Self::Throttled { wait: Some(wait), .. } => Retry::After(*wait),
            Self::Client(_)
            | Self::CaFile { .. }
            | Self::Token
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Redirected { .. }
            | Self::Refused { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. }
            | Self::FilterIgnored { .. }
            | Self::Destructive { .. } => Retry::Never,
        }
    }
}

/// The beginning of a body, for an error.
pub(super) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The errors in a body of NetBox's on one line: `postal_code: This field is required.; roles: 1: XX is not a valid choice.`
/// `None` when there is nothing to tell.
pub(super) fn readable(body: &Value) -> Option<String> {
    let text = match body {
        Value::Null => String::new(),
        Value::String(text) => text.replace('\n', " "),
        Value::Array(items) => items.iter().filter_map(readable).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => match fields.get("detail").or_else(|| fields.get("error")) {
            Some(detail) => readable(detail).unwrap_or_default(),
            None => fields.iter().filter_map(|(name, errors)| named(name, errors)).collect::<Vec<_>>().join("; "),
        },
        Value::Bool(_) | Value::Number(_) => body.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// Errors of a field; those of no field in particular stand for themselves.
fn named(name: &str, errors: &Value) -> Option<String> {
    let errors = readable(errors)?;
    Some(if matches!(name, "__all__" | "non_field_errors") { errors } else { format!("{name}: {errors}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_operation_has_no_ids() {
        let kind = |method, path: &str| Operation::new(method, path).kind();
        assert_eq!(kind(Method::GET, "/api/ipam/prefixes/"), "GET ipam/prefixes");
        assert_eq!(kind(Method::GET, "/api/ipam/prefixes/17/"), "GET ipam/prefixes");
        assert_eq!(kind(Method::POST, "/api/plugins/custom-objects/rir-network/"), "POST rir-network");
        assert_eq!(kind(Method::GET, "/api/status/"), "GET status");
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

    #[test]
    fn a_long_body_is_cut_between_characters() {
        assert_eq!(excerpt("ü".repeat(300).as_bytes()), format!("{}…", "ü".repeat(200)));
    }
}
