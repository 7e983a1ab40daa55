//! What an answer to a call means, and what it means that none came.

use super::{
    super::{change::Change, intent::Intent},
    compare,
    seen::Registered,
};
use crate::{
    arin::{NewNet, Receipt, Unwritten},
    error_chain::error_chain,
    model::{Customer, CustomerHandle, Net, NetBlock, NetHandle},
};

/// What came of sending a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// ARIN has done it and answered with this, and perhaps with the number of a ticket that it made as well.
    Done(Box<Registered>, Option<String>),
    /// ARIN has accepted it and not done it: it became this ticket.
    Ticket(String),
    /// ARIN has done something else than was asked for, as this sentence says. A person has to look at it.
    SomethingElse(String),
    /// Nothing has left this machine.
    NotSent(String),
    /// ARIN has refused it, and done nothing.
    Refused(String),
    /// It is not known, and has to be looked up.
    Unknown(String),
}

/// Judges an answer that says that a call was taken.
#[must_use]
pub fn settled(change: &Change, receipt: &Receipt) -> Sent {
    let ticket = receipt.ticket.as_ref().map(|ticket| ticket.number.clone());
    let done = match change {
        Change::Create(asked) => receipt.net.as_ref().map(|net| created(asked, net)),
        Change::ChangeNetwork(asked) => receipt.net.as_ref().map(|net| is_net(&asked.net.handle, asked.net.range, net)),
        Change::RemoveNetwork(asked) => receipt.net.as_ref().map(|net| is_net(&asked.net.handle, asked.net.range, net)),
        Change::ChangeCustomer(asked) => {
            receipt.customer.as_ref().map(|customer| is_customer(&asked.customer, customer))
        }
        Change::DeleteCustomer(asked) => {
            receipt.customer.as_ref().map(|customer| is_customer(&asked.customer, customer))
        }
    };
    match (done, ticket) {
        // The net counts as done, whatever the ticket is for.
        (Some(Ok(())), ticket) => {
            Sent::Done(Box::new(Registered { net: receipt.net.clone(), customer: receipt.customer.clone() }), ticket)
        }
        (Some(Err(why)), _) => Sent::SomethingElse(why),
        (None, Some(number)) => Sent::Ticket(number),
        (None, None) => Sent::Unknown("ARIN answered neither with what was done nor with a ticket".to_owned()),
    }
}

/// Judges a call that is not known to be taken.
#[must_use]
pub fn unsettled(intent: &Intent, unwritten: &Unwritten) -> Sent {
    match unwritten {
        Unwritten::NotSent(error) if intent.sent_again.is_none() => Sent::NotSent(error_chain(error)),
        Unwritten::Refused(error) if intent.sent_again.is_none() && !may_be_gone(&intent.change, unwritten) => {
            Sent::Refused(error_chain(error))
        }
        // What was sent first may be the reason of the refusal: ARIN may have done it late. And what is refused
        // because it is not there is what a removal wants; only the registry says so for sure.
        Unwritten::NotSent(error) | Unwritten::Refused(error) | Unwritten::Unknown(error) => {
            Sent::Unknown(error_chain(error))
        }
    }
}

/// Returns whether a removal was refused because there is nothing to remove.
fn may_be_gone(change: &Change, unwritten: &Unwritten) -> bool {
    match change {
        Change::RemoveNetwork(_) | Change::DeleteCustomer(_) => unwritten.says_gone(),
        Change::Create(_) | Change::ChangeNetwork(_) | Change::ChangeCustomer(_) => false,
    }
}

fn created(asked: &NewNet, net: &Net) -> Result<(), String> {
    let mut differences = compare::new_net(asked, net);
    differences.extend(net.holder.as_ref().and_then(|_| compare::new_holder(&asked.holder, net)));
    if differences.is_empty() {
        return Ok(());
    }
    let differences = differences.join(", ");
    Err(format!("ARIN registered {}, which is not what was asked for: {differences}.", net.handle))
}

fn is_net(handle: &NetHandle, range: NetBlock, net: &Net) -> Result<(), String> {
    if net.handle == *handle && net.range() == Some(range) {
        return Ok(());
    }
    let shown = net.range().map(|range| range.to_string()).unwrap_or_default();
    Err(format!("ARIN answered about {} ({shown}), not about {handle} ({range}).", net.handle))
}

fn is_customer(handle: &CustomerHandle, customer: &Customer) -> Result<(), String> {
    if customer.handle == *handle {
        return Ok(());
    }
    Err(format!("ARIN answered about customer {}, not about {handle}.", customer.handle))
}
