//! What a look at the registry saw.

use std::collections::BTreeSet;

use super::super::answered::Answered;
use crate::{
    arin::Ticket,
    model::{Customer, Net},
};

/// What is registered after a call was carried out, as far as ARIN has shown it.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct Registered {
    pub net: Option<Net>,
    pub customer: Option<Customer>,
}

/// The answers to a look. What does not matter for a change is not asked for, and not known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The most specific net of the range that a net is cut for; else the net with the handle.
    pub net: Answered<Net>,
    /// The customer that is changed or deleted; of a new net, the customer that holds the net that was found.
    pub customer: Answered<Customer>,
    /// The open tickets that the key sees.
    pub tickets: Answered<Vec<Ticket>>,
    /// The numbers of tickets that are those of other requests.
    pub claimed: BTreeSet<String>,
}
