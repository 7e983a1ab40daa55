//! What somebody asks for.

use std::{fmt, str::FromStr};

use serde_json::Value;

use super::{
    fields::{Field, Fields},
    place::Place,
    refusal::NotAskedFor,
};
use crate::{
    model::{CustomerHandle, NetHandle, OrgHandle},
    requests::operation::{NoSuchOperation, Operation},
};

/// A change that somebody asks for: about what, and what they chose themselves.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Wish {
    pub about: About,
    /// What is to be done; `None` for what is usual about such an object.
    pub chosen: Option<Choice>,
    /// The organization that gets the range.
    pub org: Option<OrgHandle>,
    pub set: Fields,
    /// What was assigned anew is to be registered when this is done.
    pub is_followed: bool,
}

/// The object that a wish is about.
#[derive(Debug, Clone, PartialEq)]
pub enum About {
    /// A prefix of NetBox.
    Prefix(Place),
    /// A net at ARIN, or one that was there.
    Network(NetHandle),
    /// A customer at ARIN.
    Customer(CustomerHandle),
    /// What an earlier request has taken from ARIN: what it kept in [`before`](crate::requests::Content::before).
    Former(Value),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// This.
    Operation(Operation),
    /// A net that is gone is registered again as it was.
    RegisterAgain,
}

impl Wish {
    /// Asks for what is usual about an object.
    #[must_use]
    pub fn about(about: About) -> Self {
        Self { about, chosen: None, org: None, set: Fields::default(), is_followed: false }
    }

    /// Asks for this operation about an object.
    #[must_use]
    pub fn of(about: About, operation: Operation) -> Self {
        Self { chosen: Some(Choice::Operation(operation)), ..Self::about(about) }
    }

    /// Adds what a person chose, which wins over what was usual.
    ///
    /// # Errors
    /// When two organizations are named.
    pub fn with(self, chosen: Option<Choice>, org: Option<OrgHandle>, set: Fields) -> Result<Self, NotAskedFor> {
        let set_org = set.text(Field::OrgHandle).and_then(OrgHandle::new);
        if let Some((org, other)) = org.as_ref().zip(set_org).filter(|(org, other)| *org != other) {
            return Err(NotAskedFor::TwoOrgs(org.clone(), other));
        }
        // What a person chose instead of a removal is followed by nothing.
        let is_followed = self.is_followed && chosen.is_none_or(|chosen| Some(chosen) == self.chosen);
        Ok(Self { chosen: chosen.or(self.chosen), org: org.or(self.org), set, is_followed, about: self.about })
    }

    /// Returns the organization that was named, in either of the two ways.
    pub(super) fn org(&self) -> Option<OrgHandle> {
        self.org.clone().or_else(|| self.set.text(Field::OrgHandle).and_then(OrgHandle::new))
    }
}

impl FromStr for Choice {
    type Err = NoSuchOperation;

    fn from_str(text: &str) -> Result<Self, NoSuchOperation> {
        if text == REGISTER_AGAIN { Ok(Self::RegisterAgain) } else { text.parse().map(Self::Operation) }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(operation) => operation.fmt(f),
            Self::RegisterAgain => f.write_str(REGISTER_AGAIN),
        }
    }
}

const REGISTER_AGAIN: &str = "register-again";

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(place) => write!(f, "prefix {place}"),
            Self::Network(handle) => write!(f, "network {handle}"),
            Self::Customer(handle) => write!(f, "customer {handle}"),
            Self::Former(_) => f.write_str("an earlier request"),
        }
    }
}
