//! What the two services of a registry have in common: a request is a call about something. By that requests are counted,
//! and faults strike.

use crate::server::{Requests, Rule, System};

/// A request that is one of several calls, about a handle or a range.
pub trait Call {
    /// The calls there are.
    type Operation: Copy + PartialEq;

    /// Returns the call.
    fn operation(&self) -> Self::Operation;

    /// Returns what it is about, in upper case.
    fn target(&self) -> &str;
}

/// The conditions under which a fault strikes.
#[doc(hidden)]
#[derive(Debug)]
pub struct When<O> {
    operation: Option<O>,
    target: Option<String>,
}

impl<O> Default for When<O> {
    fn default() -> Self {
        Self { operation: None, target: None }
    }
}

impl<O: Copy + PartialEq> When<O> {
    pub(crate) fn fits(&self, call: &impl Call<Operation = O>) -> bool {
        self.operation.is_none_or(|operation| operation == call.operation())
            && self.target.as_ref().is_none_or(|target| target == call.target())
    }
}

impl<O, S: System<When = When<O>>> Rule<S> {
    /// Strikes only this operation.
    #[must_use]
    pub fn on(mut self, operation: O) -> Self {
        self.when.operation = Some(operation);
        self
    }

    /// Strikes only requests for this handle, or this range in the form that the service's requests have.
    #[must_use]
    pub fn about(mut self, target: &str) -> Self {
        self.when.target = Some(target.to_ascii_uppercase());
        self
    }
}

impl<C: Call> Requests<C> {
    /// Returns how many there were of one operation.
    #[must_use]
    pub fn count(&self, operation: C::Operation) -> usize {
        self.0.iter().filter(|request| request.operation() == operation).count()
    }

    /// Returns how often an operation was asked about one handle, or one range in the form that its requests have.
    #[must_use]
    pub fn count_about(&self, operation: C::Operation, target: &str) -> usize {
        let target = target.to_ascii_uppercase();
        self.0.iter().filter(|request| request.operation() == operation && request.target() == target).count()
    }
}
