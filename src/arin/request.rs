//! The calls of Reg-RWS, a line for each.
//!
//! A [`Request`] says all in which calls differ: method, path, parameters, and the element that answers it. The document
//! that goes with a call that changes something is not part of it, as a request is shown when it fails. `transport` adds
//! the base URL and the key, `response` reads the answer.

use std::fmt;

use reqwest::Method;

use super::{
    ticket::TicketFilter,
    write::{Call, CallKind, Verb},
};
use crate::model::{CustomerHandle, NetBlock, NetHandle, OrgHandle, PocHandle};

/// A call as a value; its path is also its text, as in `org EXAMPLE-1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The name in metrics.
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// The segments behind `/rest`.
    pub(super) path: Vec<String>,
    /// The parameters behind the path.
    pub(super) query: Vec<(String, String)>,
    /// The root element of the answer.
    pub(super) expects: &'static str,
    /// The handle of the object that answers it, if that is known.
    pub(super) handle: Option<String>,
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

    /// Asks for a ticket without its messages, which may be too large to be answered.
    pub(super) fn ticket(number: &str) -> Self {
        Self { handle: Some(number.to_uppercase()), ..Self::get("ticket", ["ticket", number, "summary"], "ticket") }
    }

    pub(super) fn tickets(filter: &TicketFilter) -> Self {
        let parameter = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!(";{name}={value}"));
        let parameters = [parameter("ticketType", &filter.kind), parameter("ticketStatus", &filter.status)];
        let summary = format!("summary{}", parameters.into_iter().flatten().collect::<String>());
        Self::get("tickets", ["ticket", &summary], "collection")
    }

    pub(super) fn delegations(net: &NetHandle) -> Self {
        Self::get("delegations", ["net", net.as_str(), "delegations"], "collection")
    }

    pub(super) fn routes(net: &NetHandle) -> Self {
        Self::get("routes", ["net", net.as_str(), "routes"], "collection")
    }

    /// Makes the request of a call that changes something.
    pub(super) fn of_call(call: &Call, kind: CallKind) -> Self {
        let method = match call.method {
            Verb::Put => Method::PUT,
            Verb::Delete => Method::DELETE,
        };
        let (path, query) = (call.path.clone(), call.query.clone());
        Self { name: kind.name(), method, path, query, expects: kind.expects(), handle: None }
    }

    fn object(kind: &'static str, handle: &str) -> Self {
        Self { handle: Some(handle.to_owned()), ..Self::get(kind, [kind, handle], kind) }
    }

    fn get<const N: usize>(name: &'static str, path: [&str; N], expects: &'static str) -> Self {
        let path = path.map(str::to_owned).into();
        Self { name, method: Method::GET, path, query: Vec::new(), expects, handle: None }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join(" "))
    }
}
