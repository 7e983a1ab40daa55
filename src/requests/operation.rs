//! What can be asked for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A kind of change at ARIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Gives a range to a customer, whom ARIN makes in the same call.
    ReassignSimple,
    /// Gives a range to an organization, which may not give it on.
    ReassignDetailed,
    /// Gives a range to an organization, which may give out parts of it.
    Reallocate,
    /// Changes the name or the comment of a net.
    ChangeNetwork,
    /// Changes name, address or privacy of a customer.
    ChangeCustomer,
    /// Returns a range to the net that it was cut from.
    RemoveNetwork,
    /// Deletes a customer who holds nothing any more.
    DeleteCustomer,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ReassignSimple,
        Self::ReassignDetailed,
        Self::Reallocate,
        Self::ChangeNetwork,
        Self::ChangeCustomer,
        Self::RemoveNetwork,
        Self::DeleteCustomer,
    ];

    /// Returns its name in NetBox, in JSON and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReassignSimple => "reassign-simple",
            Self::ReassignDetailed => "reassign-detailed",
            Self::Reallocate => "reallocate",
            Self::ChangeNetwork => "change-network",
            Self::ChangeCustomer => "change-customer",
            Self::RemoveNetwork => "remove-network",
            Self::DeleteCustomer => "delete-customer",
        }
    }

    /// Returns whether it makes a net.
    #[must_use]
    pub fn creates(self) -> bool {
        match self {
            Self::ReassignSimple | Self::ReassignDetailed | Self::Reallocate => true,
            Self::ChangeNetwork | Self::ChangeCustomer | Self::RemoveNetwork | Self::DeleteCustomer => false,
        }
    }
}

/// There is no such operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no operation `{0}`")]
pub struct NoSuchOperation(String);

impl FromStr for Operation {
    type Err = NoSuchOperation;

    fn from_str(text: &str) -> Result<Self, NoSuchOperation> {
        Self::ALL.into_iter().find(|known| known.name() == text).ok_or_else(|| NoSuchOperation(text.to_owned()))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
