//! A call as a value.

use serde::{Deserialize, Serialize};

/// The method of a [`Call`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "HTTP's own words")]
pub enum Verb {
    Put,
    Delete,
}

/// A call that changes something at ARIN, as it is approved, kept and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The method.
    pub method: Verb,
    /// The segments behind `/rest`.
    pub path: Vec<String>,
    /// The document that goes with it, as XML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}
