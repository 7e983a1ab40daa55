//! Faults: what a server may do instead of answering, and when.

use super::{memory::NetBox, requests::Request};

/// What happens instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status, with nothing done.
    Status(u16),
    /// No answer and nothing done, until the client gives up or the server stops.
    Hang,
    /// The request is carried out, then the connection closes before the answer.
    LoseAnswer,
    /// A row whose field has this text is refused with 400, as if the server had a validator for it.
    #[expect(missing_docs, reason = "the names say it")]
    RefuseRow { field: String, value: String },
}

/// When a fault strikes: always, unless there are conditions.
pub type Rule = crate::server::Rule<NetBox>;

/// The conditions of a [`Rule`].
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct When {
    method: Option<String>,
    path: Option<String>,
}

impl Rule {
    /// Strikes only requests of this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.when.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Strikes only requests whose path contains this.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.when.path = Some(part.to_owned());
        self
    }
}

impl When {
    pub(super) fn fits(&self, request: &Request) -> bool {
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.path.as_ref().is_none_or(|part| request.path.contains(part.as_str()))
    }
}
