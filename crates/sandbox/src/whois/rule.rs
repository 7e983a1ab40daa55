//! When a fault strikes.

use super::{requests::Operation, service::Whois};

/// When a fault strikes: always, unless there are conditions.
pub type Rule = crate::server::Rule<Whois>;

impl Rule {
    /// Strikes only this operation.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.when.operation = Some(operation);
        self
    }

    /// Strikes only requests for this handle, or this range as `address/length`.
    #[must_use]
    pub fn about(mut self, target: &str) -> Self {
        self.when.target = Some(target.to_ascii_uppercase());
        self
    }
}
