//! When a fault strikes.

use super::memory::NetBox;

/// When a fault strikes: always, unless there are conditions.
pub type Rule = crate::server::Rule<NetBox>;

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
