//! The behaviour of the simulated listing.

use std::time::Duration;

use crate::limit::Limit;

/// Behaviour of a listing. All of it can be changed while it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Nets that a list holds at most; one that would hold more says so and has the first of them.
    pub records: usize,
    /// The same of the lists inside of whole nets, which say so for themselves.
    pub related: usize,
    /// `more` tells of the nets whose range is the one asked, too.
    pub itself: bool,
    /// How a net of several blocks lies inside a range.
    pub blocks: Blocks,
    /// The namespace of the elements.
    pub namespace: Namespace,
    /// The requests that are taken; each one beyond is answered by 429.
    pub limit: Option<Limit>,
    /// The wait before each answer.
    pub latency: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            records: 256,
            related: 256,
            itself: true,
            blocks: Blocks::Each,
            namespace: Namespace::Https,
            limit: None,
            latency: Duration::ZERO,
        }
    }
}

/// How a net of several blocks lies inside a range; ARIN's page tells only of a block that is the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// With one of its blocks.
    Each,
    /// With all of them, or with one that is the range.
    All,
}

/// The forms in which ARIN's namespace was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// `https://www.arin.net/whoisrws/core/v1`
    Https,
    /// `http://www.arin.net/whoisrws/core/v1`
    Http,
}

impl Namespace {
    pub(super) fn url(self) -> &'static str {
        match self {
            Self::Https => "https://www.arin.net/whoisrws/core/v1",
            Self::Http => "http://www.arin.net/whoisrws/core/v1",
        }
    }
}
