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
