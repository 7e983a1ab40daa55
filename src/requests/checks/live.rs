//! What ARIN answers right now about what a change rests on.

use super::super::answered::{Answered, NOT_ASKED};
use crate::model::{Customer, Net, Org};

/// The answers. What a change does not rest on is not asked for, and not known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Live {
    /// The net that the range would be cut from (`parentNet`).
    pub parent: Answered<Net>,
    /// The net of exactly the range (`mostSpecificNet`), or one around it.
    pub exact: Answered<Net>,
    /// The organization that is to get the range.
    pub org: Answered<Org>,
    /// The net that is to be removed, or that a customer was made with.
    pub net: Answered<Net>,
    /// The customer that is to be deleted.
    pub customer: Answered<Customer>,
    /// The digest of the document that is to be changed.
    pub base: Answered<String>,
    /// The names that are delegated to name servers under the net.
    pub delegations: Answered<Vec<String>>,
    /// The route objects under the net.
    pub routes: Answered<Vec<String>>,
}

impl Live {
    /// Returns why one of the questions could not be answered just now.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        // What hangs on a net is only told, and an organization may be hidden from the key.
        let Self { parent, exact, org: _, net, customer, base, delegations: _, routes: _ } = self;
        let failures = [parent.failure(), exact.failure(), net.failure(), customer.failure(), base.failure()];
        failures.into_iter().flatten().find(|why| *why != NOT_ASKED).map(str::to_owned)
    }
}
