//! Keys, and what they are good for.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, StatusCode, Uri, header};

use super::{
    options::Options,
    reply::{Code, Reply},
};

/// What the key of a request is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    /// The user whose key it is.
    pub(super) user: String,
    /// The organizations over which it has authority; all, if `None`.
    orgs: Option<BTreeSet<String>>,
}

impl Access {
    /// Returns what a request may do, or the answer to one whose key is not let in.
    pub(super) fn of(uri: &Uri, headers: &HeaderMap, options: &Options) -> Result<Self, Reply> {
        let refused = |message| Err(Reply::error(StatusCode::BAD_REQUEST, Code::Authentication, message));
        match key(uri, headers) {
            None => refused("An API key is required."),
            Some(key) if options.keys.contains(&key) => Ok(Self::of_key(key, options)),
            Some(_) => refused("The API key is not valid."),
        }
    }

    fn of_key(key: String, options: &Options) -> Self {
        Self { orgs: options.authority.get(&key).cloned(), user: options.users.get(&key).cloned().unwrap_or(key) }
    }

    /// Returns whether the key has authority over this organization.
    pub(super) fn is_over(&self, org: &str) -> bool {
        self.orgs.as_ref().is_none_or(|orgs| orgs.contains(org))
    }
}

/// Returns the key in the `Authorization` header, or else in the query.
fn key(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let header = header.and_then(|value| value.split_once(' '));
    let header = header.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("ApiKey"));
    header.map(|(_, key)| key.trim().to_owned()).or_else(|| {
        let mut pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        pairs.find(|(name, _)| name == "apikey").map(|(_, key)| key.into_owned())
    })
}
