//! How long and how much a fetch may take.

use std::time::Duration;

/// What a fetch may take. Whatever goes beyond is refused, and what was there before stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// The time until there is a connection.
    pub connect: Duration,
    /// The time without a byte. IRRd gives up after as long.
    pub idle: Duration,
    /// The time until all files of a dump are in, which includes that of whoever reads them: against servers that drip.
    pub total: Duration,
    /// The bytes of all files of a dump as they come.
    pub received: u64,
    /// The bytes of their text: a file of 1 MB can unpack to 1 GB.
    pub text: u64,
}

impl Default for FetchLimits {
    /// Enough for several times RADB, the largest source that publishes one file: about 1.4 million objects, 420 MB of text
    /// and 70 MB packed.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(10),
            total: Duration::from_secs(3600),
            received: 1 << 30,
            text: 8 << 30,
        }
    }
}
