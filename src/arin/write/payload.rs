//! What a new registration is to be.

use serde::{Deserialize, Serialize};

use crate::model::{Address, NetBlock, NetHandle, NetType, OrgHandle};

/// A net to be cut from another one (`net` payload of reassign and reallocate).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewNet {
    /// Upper case letters, digits and hyphens, at most 50: valid under all readings of the rules.
    pub name: String,
    /// The net that it is cut from.
    pub parent: NetHandle,
    /// Its range, which may be no CIDR.
    pub range: NetBlock,
    /// [`NetType::Reassigned`] or [`NetType::Reallocated`].
    pub kind: NetType,
    /// Who gets it.
    pub holder: NewHolder,
    /// Public remarks, line by line. The only place where ARIN takes other letters than ASCII.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comment: Vec<String>,
}

/// Who gets a net.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewHolder {
    /// An organization that ARIN has.
    Org(OrgHandle),
    /// A customer whom ARIN makes together with the net, so that none is left over if the net is refused.
    Customer(NewCustomer),
}

/// A customer to be made (`customer` payload). All texts but the comment are ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct NewCustomer {
    pub name: String,
    pub address: Address,
    /// ARIN hides name and street of a private customer.
    pub private: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comment: Vec<String>,
}

/// The reasons why something cannot be sent to ARIN. An element goes by ARIN's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// A comment or a reason has a character that no line can have.
    #[error("`{0}` has the character {code}, which no line can have", code = .1.escape_unicode())]
    Character(String, char),
    /// Another text has one that ARIN takes in comments only.
    #[error("`{0}` has the character {shown}, which ARIN takes in comments only", shown = shown(*.1))]
    NotAscii(String, char),
    /// Nets of this type are not made by a request, or not for such a holder.
    #[error(
        "a net of type {code} cannot be given to this holder: `S` is a reassignment, `A` a reallocation, which needs an \
         organization", code = .0.code()
    )]
    Kind(NetType),
    /// It is no code of a country of two or three letters.
    #[error("`{0}` is no code of a country of two or three letters, as ARIN wants it")]
    Country(String),
}

fn shown(character: char) -> String {
    if character.is_control() { character.escape_unicode().to_string() } else { format!("`{character}`") }
}
