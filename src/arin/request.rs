//! The calls of Reg-RWS, a line for each.
//!
//! A [`Request`] says all in which calls differ: method, path, payload, the element that answers it, and whether it may
//! be sent twice. `transport` adds the base URL and the key, `response` reads the answer.

use std::fmt;

use reqwest::Method;

use crate::model::{CustomerHandle, NetBlock, NetHandle, OrgHandle, PocHandle};

/// A call as a value; its path is also its text, as in `org EXAMPLE-1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The name in metrics.
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// The segments behind `/rest`.
    pub(super) path: Vec<String>,
    /// The document to send, as XML.
    pub(super) payload: Option<String>,
    /// The root element of the answer.
    pub(super) expects: &'static str,
    /// The handle of the object that answers it, if that is known.
    pub(super) handle: Option<String>,
    /// True if sending it twice does no harm. Any other is not sent again once it may have arrived.
    pub(super) repeatable: bool,
}

impl Request {
    pub(super) fn org(handle: &OrgHandle) -> Self {
        Self::object("org", handle.as_str())
    }

    pub(super) fn poc(handle: &PocHandle) -> Self {
        Self::object("poc", handle.as_str())
    }

    pub(super) fn customer(handle: &CustomerHandle) -> Self {
        Self::object("customer", handle.as_str())
    }

    pub(super) fn net(handle: &NetHandle) -> Self {
        Self::object("net", handle.as_str())
    }

    pub(super) fn most_specific_net(range: NetBlock) -> Self {
        let (first, last) = (range.first().to_string(), range.last().to_string());
        Self::get("most-specific-net", ["net", "mostSpecificNet", &first, &last], "net")
    }

    /// Asks for the net that a range lies in or would be cut from.
    pub(super) fn parent_net(range: NetBlock) -> Self {
        let (first, last) = (range.first().to_string(), range.last().to_string());
        Self::get("parent-net", ["net", "parentNet", &first, &last], "net")
    }

    fn object(kind: &'static str, handle: &str) -> Self {
        Self { handle: Some(handle.to_owned()), ..Self::get(kind, [kind, handle], kind) }
    }

    fn get<const N: usize>(name: &'static str, path: [&str; N], expects: &'static str) -> Self {
        let path = path.map(str::to_owned).into();
        Self { name, method: Method::GET, path, payload: None, expects, handle: None, repeatable: true }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join(" "))
    }
}
