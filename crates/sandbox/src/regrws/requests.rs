//! The requests that a server was asked.

use axum::http::{HeaderMap, HeaderName, header, request::Parts};

pub use super::operation::Operation;
use super::{operation::call, submitted::SubmittedNet, tree::Node};
use crate::call::Call;

/// One request as received, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The call.
    pub operation: Operation,
    /// What it is about. Of a range, also one that is to be reassigned or reallocated, it is `first/last`; of anything
    /// else the handle in upper case; and of [`Operation::Unknown`] the path.
    pub target: String,
    /// The method, `PUT`.
    pub method: String,
    /// The path from `/rest` on, as it was sent.
    pub path: String,
    /// The query without the key.
    pub query: String,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The header `Accept`.
    pub accept: Option<String>,
    /// The body; what was not UTF-8 is replaced.
    pub body: String,
}

/// Requests in the order they came.
pub type Requests = crate::server::Requests<Request>;

impl Call for Request {
    type Operation = Operation;

    fn operation(&self) -> Operation {
        self.operation
    }

    fn target(&self) -> &str {
        &self.target
    }
}

impl Request {
    pub(super) fn read(head: &Parts, body: &[u8]) -> Self {
        let (path, body) = (head.uri.path(), String::from_utf8_lossy(body).into_owned());
        let (operation, target) = call(head.method.as_str(), path);
        let has_range = matches!(operation, Operation::Reassign | Operation::Reallocate);
        let range = if has_range { range(&body) } else { None };
        Self {
            operation,
            target: range.unwrap_or(target),
            method: head.method.as_str().to_owned(),
            path: path.to_owned(),
            query: without_key(head.uri.query().unwrap_or_default()),
            content_type: text(&head.headers, header::CONTENT_TYPE),
            accept: text(&head.headers, header::ACCEPT),
            body,
        }
    }

    /// Returns the value of a matrix parameter.
    pub(super) fn matrix(&self, name: &str) -> Option<String> {
        let mut pairs = self.path.split(';').skip(1).filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_ascii_uppercase())
    }

    /// Returns the handle or number in the path, in upper case.
    pub(super) fn handle(&self) -> String {
        self.path.split('/').nth(3).unwrap_or_default().to_ascii_uppercase()
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The range that a `net` has, if one can be made out.
fn range(body: &str) -> Option<String> {
    let blocks = SubmittedNet::read(&Node::read(body).ok()?).blocks.ok()?;
    let first = blocks.iter().map(|block| block.cidr.network()).min()?;
    let last = blocks.iter().map(|block| block.cidr.broadcast()).max()?;
    Some(format!("{first}/{last}"))
}

fn without_key(query: &str) -> String {
    query.split('&').filter(|pair| !pair.starts_with("apikey=")).collect::<Vec<_>>().join("&")
}
