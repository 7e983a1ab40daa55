//! The permissions of NetBox.

use std::fmt;

use reqwest::Method;

/// An action on the objects of a list that a token may be allowed to do.
#[expect(missing_docs, reason = "NetBox's own words")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    View,
    Add,
    Change,
    Delete,
}

impl Permission {
    /// Returns the permission that a request with this method needs.
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::POST => Self::Add,
            Method::PUT | Method::PATCH => Self::Change,
            Method::DELETE => Self::Delete,
            _ => Self::View,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Add => "add",
            Self::Change => "change",
            Self::Delete => "delete",
        })
    }
}
