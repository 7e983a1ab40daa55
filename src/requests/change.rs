//! What a request asks for, and what is kept of it in its row in NetBox.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operation::Operation;
use crate::{
    arin::{Call, NewHolder, NewNet},
    model::{Address, CustomerHandle, Holder, NetBlock, NetHandle, NetType},
};

/// A change at ARIN: all by which its call is made, and by which a look at the registry tells whether it was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A net is cut from another one.
    Create(NewNet),
    /// A net gets another name or comment.
    ChangeNetwork(NetworkChange),
    /// A customer gets another name, address or privacy.
    ChangeCustomer(CustomerChange),
    /// A net is returned.
    RemoveNetwork(NetworkRemoval),
    /// A customer is deleted.
    DeleteCustomer(CustomerRemoval),
}

/// A registered net, told from any other one: ARIN uses handles again, so range, holder and date belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct NetTarget {
    pub handle: NetHandle,
    pub range: NetBlock,
    pub holder: Option<Holder>,
    pub registered_on: Option<Date>,
}

/// Other texts of a net. What is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct NetworkChange {
    pub net: NetTarget,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// All lines of the comment; none clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Vec<String>>,
}

/// Other facts of a customer. What is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct CustomerChange {
    pub customer: CustomerHandle,
    /// The range of the net that the customer holds, by which requests are told apart.
    pub range: Option<NetBlock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
}

/// A net to be returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkRemoval {
    /// The net.
    pub net: NetTarget,
    /// A message to ARIN, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A customer to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRemoval {
    /// The customer.
    pub customer: CustomerHandle,
    /// The net that the customer was made with, which has to be gone or somebody else's.
    pub net: Option<NetTarget>,
}

impl Change {
    /// Returns what is asked for.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::Create(NewNet { holder: NewHolder::Customer(_), .. }) => Operation::ReassignSimple,
            Self::Create(NewNet { kind: NetType::Reallocated, .. }) => Operation::Reallocate,
            Self::Create(_) => Operation::ReassignDetailed,
            Self::ChangeNetwork(_) => Operation::ChangeNetwork,
            Self::ChangeCustomer(_) => Operation::ChangeCustomer,
            Self::RemoveNetwork(_) => Operation::RemoveNetwork,
            Self::DeleteCustomer(_) => Operation::DeleteCustomer,
        }
    }

    /// Returns the range that it is about. Only one open request at a time may be about addresses in common.
    #[must_use]
    pub fn range(&self) -> Option<NetBlock> {
        match self {
            Self::Create(net) => Some(net.range),
            Self::ChangeNetwork(change) => Some(change.net.range),
            Self::ChangeCustomer(change) => change.range,
            Self::RemoveNetwork(removal) => Some(removal.net.range),
            Self::DeleteCustomer(removal) => removal.net.as_ref().map(|net| net.range),
        }
    }
}

/// What is kept with a request besides its state: the field `payload` of its row, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// What is asked for; `None` while something is missing for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// What is sent, byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    /// The digest of the document at ARIN that a modification was made of. Another one makes it a draft again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The net and the customer as ARIN had them, by `net` and `customer`: what it takes to register them again.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// What is missing.
    pub missing: Vec<Missing>,
    /// Texts of NetBox that ARIN gets in other letters.
    pub folded: Vec<Folded>,
    /// What the last check found.
    pub checks: Vec<Check>,
}

/// Something that is missing to make a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Missing {
    /// ARIN's name of what is missing, `city`.
    pub what: String,
    /// Where to put it, as a sentence.
    pub where_to: String,
}

/// A text that ARIN gets in other letters than NetBox has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Folded {
    /// ARIN's name of the element.
    pub field: String,
    /// As NetBox has it.
    pub from: String,
    /// As it is sent.
    pub to: String,
}

/// One thing that has to hold before a call is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Check {
    /// What was looked at, `parent`.
    pub name: String,
    /// How it stands.
    pub verdict: Verdict,
    /// Why, as a sentence.
    pub reason: String,
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CheckVerdict)]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It cannot be known, or is unusual: whoever approves should look at it.
    Look,
    /// It does not hold: the call is not sent.
    Blocked,
}

impl Content {
    /// Returns whether it is complete, and nothing is known that speaks against sending it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.call.is_some() && self.missing.is_empty() && !self.is_blocked()
    }

    /// Returns why checks do not hold, in their words.
    #[must_use]
    pub fn blocked_because(&self) -> String {
        let blocked = self.checks.iter().filter(|check| check.verdict == Verdict::Blocked);
        blocked.map(|check| check.reason.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Returns whether a check does not hold.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.checks.iter().any(|check| check.verdict == Verdict::Blocked)
    }
}
