//! Faults: what a server may do instead of answering, and when.

use super::Request;

/// What happens instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status, with nothing done.
    Status(u16),
    /// No answer and nothing done, until the client gives up or the server stops.
    Hang,
    /// The request is carried out, then the connection closes before the answer.
    LoseAnswer,
    /// The request is carried out, but the answer never comes.
    HangAfter,
    /// A row whose `field` is `value` is refused with 400, as if the server had a validator for it.
    RefuseRow {
        /// The field looked at.
        field: String,
        /// The text it must not have.
        value: String,
    },
}

/// When a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    fault: Fault,
    method: Option<String>,
    path: Option<String>,
    skip: u32,
    times: Option<u32>,
}

impl Rule {
    /// Strikes every request, always.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, method: None, path: None, skip: 0, times: None }
    }

    /// Strikes only requests of this method.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_ascii_uppercase()), ..self }
    }

    /// Strikes only requests whose path contains this.
    #[must_use]
    pub fn path(self, part: &str) -> Self {
        Self { path: Some(part.to_owned()), ..self }
    }

    /// Lets so many fitting requests pass first.
    #[must_use]
    pub fn after(self, requests: u32) -> Self {
        Self { skip: requests, ..self }
    }

    /// Strikes only so often.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    fn fits(&self, request: &Request) -> bool {
        self.times != Some(0)
            && self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.path.as_ref().is_none_or(|part| request.path.contains(part.as_str()))
    }
}

/// The rules of a server, in the order they were added.
#[derive(Debug, Default)]
pub(super) struct Rules(pub(super) Vec<Rule>);

impl Rules {
    /// The fault of the first rule that fits, which has struck once more by this.
    pub(super) fn strike(&mut self, request: &Request) -> Option<Fault> {
        let rule = self.0.iter_mut().find(|rule| rule.fits(request))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times = rule.times.map(|times| times.saturating_sub(1));
        Some(rule.fault.clone())
    }
}
