//! The registry's side, as far as it is judged: what syncs recorded in NetBox.

use jiff::{Timestamp, civil::Date};

use super::names::is_masked;
use crate::model::{Address, CustomerHandle, Holder, Instance, Looks, NetBlock, NetHandle, NetType, OrgHandle, RowId};

/// What is recorded of the registrations, and how completely the registry was asked.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Registrations {
    /// Recorded nets, those that the registry does not have any more included. Those that only the public listing has are
    /// in `looks`.
    pub nets: Vec<RecordedNet>,
    pub customers: Vec<RecordedCustomer>,
    pub orgs: Vec<RecordedOrg>,
    pub looks: Looks,
    pub requests: Vec<ChangeRequest>,
    pub tickets: Vec<Ticket>,
}

/// A recorded net.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct RecordedNet {
    pub row: RowId,
    pub config: RowId,
    pub instance: Instance,
    pub handle: NetHandle,
    pub name: String,
    /// The registry had it when it was last asked.
    pub registered: bool,
    pub kind: Option<NetType>,
    /// The blocks that make up its range, in address order; never empty.
    pub blocks: Vec<NetBlock>,
    pub parent: Option<NetHandle>,
    /// The organization that is recorded with it, or the customer that is recorded to hold it.
    pub holder: Option<Holder>,
    pub registered_on: Option<Date>,
}

/// A recorded customer.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct RecordedCustomer {
    pub row: RowId,
    pub config: RowId,
    pub instance: Instance,
    pub handle: CustomerHandle,
    pub name: String,
    /// The registry had it when it was last asked.
    pub registered: bool,
    pub private: Option<bool>,
    pub address: Option<Address>,
    /// The row of the net that it holds.
    pub network: Option<RowId>,
    /// The tenant that the operator linked to it.
    pub tenant: Option<RowId>,
}

impl RecordedCustomer {
    /// Returns whether what ARIN shows of it is not its name and address.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.private == Some(true) || is_masked(&self.name)
    }
}

/// A recorded organization.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct RecordedOrg {
    pub row: RowId,
    pub config: RowId,
    pub instance: Instance,
    pub handle: OrgHandle,
    pub name: String,
    /// The registry had it when it was last asked.
    pub registered: bool,
    /// The tenant that the operator linked to it.
    pub tenant: Option<RowId>,
}

/// A request for a change at the registry.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct ChangeRequest {
    pub row: RowId,
    pub config: RowId,
    /// A sentence that says what it is about.
    pub summary: String,
    /// `reassign-simple`, `remove-network` and so on.
    pub operation: String,
    /// `waiting`, `unknown` and so on.
    pub state: String,
    /// The range that it is about.
    pub range: Option<NetBlock>,
    /// The row of the net that it is about, or that it made.
    pub network: Option<RowId>,
}

impl ChangeRequest {
    /// Returns whether it asks for a net to be made.
    #[must_use]
    pub fn creates(&self) -> bool {
        matches!(self.operation.as_str(), "reassign-simple" | "reassign-detailed" | "reallocate")
    }
}

/// A ticket at the registry.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Ticket {
    pub row: RowId,
    /// `20261127-X1`
    pub number: String,
    /// ARIN's code: `PENDING_REVIEW`.
    pub status: String,
    /// ARIN's code: `ACCEPTED`.
    pub resolution: Option<String>,
    /// The row of the change request that it came from.
    pub request: Option<RowId>,
    pub created: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    /// Whoever follows it found that it waits for us.
    pub waiting_for_us: bool,
}
