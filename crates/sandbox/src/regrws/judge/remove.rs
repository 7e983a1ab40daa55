//! What holds for the removal of nets and customers.

use super::{Complaints, Terms};
use crate::regrws::{change::Change, reply::Reply, submitted::SubmittedNet};

/// A net, with all that is below it.
pub(super) fn net(terms: Terms<'_>, handle: &str, sent: Option<&SubmittedNet>) -> Result<Change, Reply> {
    let now = terms.own_net(handle)?;
    if !matches!(now.net_type.as_str(), "S" | "A") {
        return Err(Reply::bad_request("Only reassigned and reallocated networks can be removed."));
    }
    if let Some(sent) = sent {
        let mut complaints = Complaints::default();
        let other = sent.handle.as_ref().is_some_and(|sent| *sent != now.handle);
        complaints.say_if(other, "handle", "It is not the network in the URL.");
        complaints.refusal()?;
    }
    Ok(Change::RemoveNet { handle: now.handle.clone(), below: terms.registry.below(&now.handle) })
}

/// A customer without a net.
pub(super) fn customer(terms: Terms<'_>, handle: &str) -> Result<Change, Reply> {
    let customer = terms.customer(handle)?;
    if let Some(net) = terms.net_of_customer(handle) {
        let message = format!("The customer has the network {}.", net.handle);
        return Err(Reply::not_removable(&message));
    }
    Ok(Change::RemoveCustomer(customer.handle.clone()))
}
