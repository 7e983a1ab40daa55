//! Faults: what a server may do instead of answering, and when.

use super::{Operation, Request, RetryAfter};

/// What happens instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A bare status, without a payload.
    Status(u16),
    /// 503 with an `error` payload of code `E_OUTAGE`.
    Outage,
    /// 429.
    Throttled(RetryAfter),
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
    /// 200 with an empty body.
    Empty,
    /// 302 to this URL.
    Redirect(String),
    /// 200 with a body that does not end (it does after a gigabyte).
    HugeBody,
    /// 200 with the right payload behind a document type that declares entities in entities.
    Doctype,
}

/// When a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    fault: Fault,
    operation: Option<Operation>,
    target: Option<String>,
    times: Option<u32>,
}

impl Rule {
    /// Strikes every request, always.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, operation: None, target: None, times: None }
    }

    /// Strikes only this operation.
    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        Self { operation: Some(operation), ..self }
    }

    /// Strikes only requests for this handle, or this range as `first/last`.
    #[must_use]
    pub fn about(self, target: &str) -> Self {
        Self { target: Some(target.to_ascii_uppercase()), ..self }
    }

    /// Strikes only so often.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// The rules of a server, in the order they were added.
#[derive(Debug, Default)]
pub(super) struct Rules(pub(super) Vec<Rule>);

impl Rules {
    /// The fault of the first rule that fits, which has struck once more by this.
    pub(super) fn strike(&mut self, request: &Request) -> Option<Fault> {
        let rule = self.0.iter_mut().find(|rule| rule.fits(request))?;
        rule.times = rule.times.map(|times| times.saturating_sub(1));
        Some(rule.fault.clone())
    }
}

impl Rule {
    fn fits(&self, request: &Request) -> bool {
        self.times != Some(0)
            && self.operation.is_none_or(|operation| operation == request.operation)
            && self.target.as_ref().is_none_or(|target| *target == request.target)
    }
}
