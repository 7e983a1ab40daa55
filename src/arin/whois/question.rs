//! The questions to the listing.

use std::fmt;

use ipnet::IpNet;

/// A question about the nets of a range; shown as `listing of 192.0.2.0/24 more`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    pub(super) about: Relation,
    pub(super) range: IpNet,
}

/// The place of the nets asked for, seen from the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// Inside of it, at any depth.
    Inside,
    /// Exactly there.
    At,
    /// Around it.
    Around,
}

impl Question {
    pub(super) fn new(about: Relation, range: IpNet) -> Self {
        Self { about, range: range.trunc() }
    }

    /// Returns its name in metrics.
    pub(super) fn name(&self) -> &'static str {
        match self.about {
            Relation::Inside => "whois-inside",
            Relation::At => "whois-at",
            Relation::Around => "whois-around",
        }
    }

    /// Returns the segments behind the base URL.
    pub(super) fn path(&self) -> Vec<String> {
        let range = ["cidr".to_owned(), self.range.addr().to_string(), self.range.prefix_len().to_string()];
        range.into_iter().chain(self.last_segment().map(str::to_owned)).collect()
    }

    fn last_segment(&self) -> Option<&'static str> {
        match self.about {
            Relation::Inside => Some("more"),
            Relation::At => None,
            Relation::Around => Some("less"),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listing of {}", self.range)?;
        self.last_segment().map_or(Ok(()), |segment| write!(f, " {segment}"))
    }
}
