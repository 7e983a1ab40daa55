//! Whether what was asked for may be done, and what exactly is to be done then. Nothing here changes anything.
//!
//! The rules are those of ARIN's pages. Where these leave room, [`Options`] says which reading holds.

mod complaints;
mod customer;
mod cut;
mod modify;
mod names;
mod remove;

use super::{access::Access, change::Change, options::Options, reply::Reply, submission::Submission};
use crate::world::{Customer, Holder, Net, Registry};
use complaints::Complaints;
pub(super) use complaints::Component;

/// What a judgement rests on.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) registry: &'a Registry,
    pub(super) options: &'a Options,
    pub(super) access: &'a Access,
}

/// Returns the change that fulfils a submission, or the answer that refuses it.
pub(super) fn judge(terms: Terms<'_>, submission: &Submission) -> Result<Change, Reply> {
    match submission {
        Submission::Cut { parent, kind, net } => cut::judge(terms, parent, *kind, net),
        Submission::CreateCustomer { parent, customer } => customer::created(terms, parent, customer),
        Submission::ModifyCustomer { handle, customer } => customer::modified(terms, handle, customer),
        Submission::DeleteCustomer { handle } => remove::customer(terms, handle),
        Submission::ModifyNet { handle, net } => modify::judge(terms, handle, net),
        Submission::RemoveNet { handle, net } => remove::net(terms, handle, net.as_deref()),
    }
}

/// Refuses a report on a net that has none: only direct allocations and reallocations do.
pub(super) fn may_report(terms: Terms<'_>, net: &str) -> Result<(), Reply> {
    match terms.own_net(net)?.net_type.as_str() {
        "DA" | "A" => Ok(()),
        _ => Err(Reply::bad_request("The network is neither a direct allocation nor a reallocation.")),
    }
}

impl<'a> Terms<'a> {
    /// Returns the net with this handle.
    fn net(&self, handle: &str) -> Result<&'a Net, Reply> {
        self.registry.nets.get(handle).ok_or_else(|| Reply::not_found("net"))
    }

    /// Returns the customer with this handle, over which the key has to have authority.
    fn customer(&self, handle: &str) -> Result<&'a Customer, Reply> {
        let customer = self.registry.customers.get(handle).ok_or_else(|| Reply::not_found("customer"))?;
        match &customer.parent_org {
            Some(org) if !self.access.is_over(org) => Err(Reply::no_authority()),
            Some(_) | None => Ok(customer),
        }
    }

    /// Returns the net with this handle, over which the key has to have authority: over its holder, or over the holder
    /// of the net that it was cut from.
    fn own_net(&self, handle: &str) -> Result<&'a Net, Reply> {
        let net = self.net(handle)?;
        let parent = net.parent.as_ref().and_then(|parent| self.registry.nets.get(parent));
        let holders = [Some(net), parent].into_iter().flatten().filter_map(|net| self.holding_org(net));
        let mut holders = holders.peekable();
        // Of a net whose holder is not on record nobody can be said to have no authority.
        if holders.peek().is_none() || holders.any(|org| self.access.is_over(org)) {
            return Ok(net);
        }
        Err(Reply::no_authority())
    }

    /// Returns the net with this handle, of which parts may be given out by the key.
    fn parent(&self, handle: &str) -> Result<(&'a Net, &'a str), Reply> {
        let net = self.net(handle)?;
        match &net.holder {
            Holder::Org(org) if matches!(net.net_type.as_str(), "DA" | "A") && self.access.is_over(org) => {
                Ok((net, org))
            }
            Holder::Org(_) | Holder::Customer(_) => {
                Err(Reply::forbidden("The network is not one that you may reassign or reallocate parts of."))
            }
        }
    }

    /// Returns the organization that a net belongs to, directly or through its customer.
    fn holding_org(&self, net: &'a Net) -> Option<&'a str> {
        match &net.holder {
            Holder::Org(org) => Some(org),
            Holder::Customer(customer) => self.registry.customers.get(customer)?.parent_org.as_deref(),
        }
    }

    /// Returns the net that a customer has.
    fn net_of_customer(&self, handle: &str) -> Option<&'a Net> {
        let is_its = |net: &&Net| matches!(&net.holder, Holder::Customer(customer) if customer == handle);
        self.registry.nets.values().find(is_its)
    }
}
