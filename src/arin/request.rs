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
    /// True if sending it twice does no harm. Any other is not sent again once it may have arrived.
    pub(super) repeatable: bool,
}

impl Request {
    pub(super) fn org(handle: &OrgHandle) -> Self {
        Self::get("org", ["org", handle.as_str()], "org")
    }

    pub(super) fn poc(handle: &PocHandle) -> Self {
        Self::get("poc", ["poc", handle.as_str()], "poc")
    }

    pub(super) fn customer(handle: &CustomerHandle) -> Self {
        Self::get("customer", ["customer", handle.as_str()], "customer")
    }

    pub(super) fn net(handle: &NetHandle) -> Self {
        Self::get("net", ["net", handle.as_str()], "net")
    }

    pub(super) fn most_specific_net(range: NetBlock) -> Self {
        let (first, last) = (range.first().to_string(), range.last().to_string());
        Self::get("most-specific-net", ["net", "mostSpecificNet", &first, &last], "net")
    }

    fn get<const N: usize>(name: &'static str, path: [&str; N], expects: &'static str) -> Self {
        let path = path.map(str::to_owned).into();
        Self { name, method: Method::GET, path, payload: None, expects, repeatable: true }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join(" "))
    }
}
