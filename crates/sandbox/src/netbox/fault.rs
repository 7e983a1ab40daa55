//! Faults: what a server may do instead of answering, and the conditions.

use super::requests::Request;

/// An event instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status, with nothing done.
    Status(u16),
    /// Nothing is done and no answer given, until the client gives up or the server stops.
    Hang,
    /// The request is carried out, then the connection closes before the answer.
    LoseAnswer,
    /// A row whose field has this text is refused with 400, as if the server had a validator for it.
    #[expect(missing_docs, reason = "the names say it")]
    RefuseRow { field: String, value: String },
    /// A request with a row whose field has this text is refused with 403, as if a permission were for other rows only.
    #[expect(missing_docs, reason = "the names say it")]
    ForbidRow { field: String, value: String },
    /// A 500 of an exception that nobody caught, with nothing done.
    #[expect(missing_docs, reason = "the names say it")]
    Exception { exception: String, error: String },
}

/// The conditions under which a fault strikes.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct When {
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
}

impl When {
    pub(super) fn fits(&self, request: &Request) -> bool {
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.path.as_ref().is_none_or(|part| request.path.contains(part.as_str()))
    }
}
