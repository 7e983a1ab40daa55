//! Changes of the schema that lose data.

use std::fmt;

/// Changes that lose data, one a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destructive(pub Vec<String>);

impl Destructive {
    /// Returns whether nothing is lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Destructive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
