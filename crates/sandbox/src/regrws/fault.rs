//! Faults: what a server may do instead of answering, and when.

use super::{
    requests::{Operation, Request},
    service::RegRws,
};

/// What happens instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A bare status, without a payload.
    Status(u16),
    /// 503 with an `error` payload of code `E_OUTAGE`.
    Outage,
    /// The right answer, announced longer than it is, and then the connection closes.
    CutOff,
    /// A complete HTTP answer whose XML stops in the middle.
    TruncatedXml,
    /// No answer, until the client gives up or the server stops.
    Hang,
    /// 404 with an HTML page, as from a proxy that knows nothing of ARIN.
    Html404,
    /// 200 with bytes that are not XML.
    Garbage,
    /// 200 with the right payload behind a document type that declares entities in entities.
    Doctype,
}

/// When a fault strikes: always, unless there are conditions.
pub type Rule = crate::server::Rule<RegRws>;

/// The conditions of a [`Rule`].
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct When {
    operation: Option<Operation>,
    target: Option<String>,
}

impl Rule {
    /// Strikes only this operation.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.when.operation = Some(operation);
        self
    }

    /// Strikes only requests for this handle, or this range as `first/last`.
    #[must_use]
    pub fn about(mut self, target: &str) -> Self {
        self.when.target = Some(target.to_ascii_uppercase());
        self
    }
}

impl When {
    pub(super) fn fits(&self, request: &Request) -> bool {
        self.operation.is_none_or(|operation| operation == request.operation)
            && self.target.as_ref().is_none_or(|target| *target == request.target)
    }
}
