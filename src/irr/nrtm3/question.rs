//! What an upstream is asked.

use std::fmt;

pub use crate::config::NrtmVersion;
use crate::irr::source::{Serial, SourceName};

/// The changes that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Of which source.
    pub source: SourceName,
    /// In which form.
    pub version: NrtmVersion,
    /// From which one on.
    pub first: Serial,
    /// Up to which one; `None` is the newest.
    pub last: Option<Serial>,
}

/// Serials from one to another, of which the first is not above the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SerialRange {
    /// The first one.
    pub first: Serial,
    /// The last one.
    pub last: Serial,
}

impl SerialRange {
    /// Returns whether a serial is in it.
    #[must_use]
    pub fn contains(&self, serial: Serial) -> bool {
        self.first <= serial && serial <= self.last
    }
}

/// The line of the question, without its end.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-g {}:{}:{}-", self.source, self.version, self.first)?;
        match self.last {
            Some(last) => last.fmt(f),
            // Servers tell it from `last`.
            None => f.write_str("LAST"),
        }
    }
}

impl fmt::Display for SerialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_one_line() {
        let question = |version, last| {
            Question { source: "radb".parse().unwrap(), version, first: Serial(1012), last }.to_string()
        };
        assert_eq!(question(NrtmVersion::Three, None), "-g RADB:3:1012-LAST");
        assert_eq!(question(NrtmVersion::One, Some(Serial(1014))), "-g RADB:1:1012-1014");
    }
}
