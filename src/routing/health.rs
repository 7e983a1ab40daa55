//! What a judgement comes to.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::model::{Asn, SourceName};

/// How a prefix stands in the routing registries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Each expected origin has an object in a source that counts, and there is no other origin anywhere.
    Ok,
    /// Some expected origin has no object anywhere.
    Missing,
    /// It has no object, but a wider range has one with the right origin.
    Covered,
    /// What it needs is there, but only in a source that does not count.
    Elsewhere,
    /// What it needs is there, and an object of somebody else, too.
    OtherOrigin,
    /// It has objects, of which none has an expected origin.
    WrongOrigin,
    /// An object inside an aggregate is about a range that NetBox does not have.
    UnclaimedSpace,
    /// It has objects, but by its status or its VRF in NetBox nothing of it is announced.
    Unexpected,
    /// It is no more than a part of what is announced, and has no object: that is in order.
    NotAnnounced,
    /// Nobody has said who announces it, or something was never read that is needed.
    Unknown,
    /// Something that is needed is too old.
    Stale,
}

/// How urgent it is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RoutingLevel)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing can be said.
    None,
    /// All is well.
    Ok,
    /// Something could be better.
    Info,
    /// Something has to be put right.
    Warning,
    /// Somebody may lose the prefix now.
    Danger,
}

/// What RPKI says of a prefix and its origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "RFC 6811 says what they mean, and the names of the last ones say it")]
pub enum RpkiState {
    Valid,
    NotFound,
    InvalidLength,
    InvalidOrigin,
    /// Neither the length nor the origin fits.
    InvalidBoth,
    /// There are no origins to ask about.
    NoOrigin,
    /// No VRPs were ever read.
    Unknown,
    /// The VRPs are too old.
    Stale,
}

/// Whether a prefix is registered, as the last sync says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registration {
    /// A recorded network has its range, or is around it.
    Registered,
    /// There is none.
    NotFound,
    /// No sync has looked.
    Unknown,
}

/// An origin that route objects have, and the sources that have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "they are called so")]
pub struct Found {
    pub origin: Asn,
    pub sources: BTreeSet<SourceName>,
}

/// How a prefix stands, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Health {
    pub verdict: Verdict,
    pub level: Level,
    pub rpki: RpkiState,
    pub registration: Registration,
    /// The objects about exactly this range.
    pub found: Vec<Found>,
    /// The next step, in a sentence.
    pub advice: String,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Ok,
        Self::Missing,
        Self::Covered,
        Self::Elsewhere,
        Self::OtherOrigin,
        Self::WrongOrigin,
        Self::UnclaimedSpace,
        Self::Unexpected,
        Self::NotAnnounced,
        Self::Unknown,
        Self::Stale,
    ];

    /// Returns its name in NetBox, in the API and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Covered => "covered",
            Self::Elsewhere => "elsewhere",
            Self::OtherOrigin => "other-origin",
            Self::WrongOrigin => "wrong-origin",
            Self::UnclaimedSpace => "unclaimed-space",
            Self::Unexpected => "unexpected",
            Self::NotAnnounced => "not-announced",
            Self::Unknown => "unknown",
            Self::Stale => "stale",
        }
    }
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::None, Self::Ok, Self::Info, Self::Warning, Self::Danger];

    /// Returns its name in NetBox, in the API and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }
}

impl RpkiState {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Valid,
        Self::NotFound,
        Self::InvalidLength,
        Self::InvalidOrigin,
        Self::InvalidBoth,
        Self::NoOrigin,
        Self::Unknown,
        Self::Stale,
    ];

    /// Returns its name in NetBox and in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotFound => "not-found",
            Self::InvalidLength => "invalid-length",
            Self::InvalidOrigin => "invalid-origin",
            Self::InvalidBoth => "invalid-both",
            Self::NoOrigin => "no-origin",
            Self::Unknown => "unknown",
            Self::Stale => "stale",
        }
    }

    /// Returns whether a router that validates drops such an announcement.
    #[must_use]
    pub const fn is_invalid(self) -> bool {
        matches!(self, Self::InvalidLength | Self::InvalidOrigin | Self::InvalidBoth)
    }
}

impl Registration {
    /// Returns its name in NetBox and in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::NotFound => "not-found",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<&str> = self.sources.iter().map(SourceName::as_str).collect();
        write!(f, "{} in {}", self.origin, sources.join(", "))
    }
}
