//! What holds for changes of nets.

use super::{Complaints, Terms, customer, names::net_name};
use crate::{
    regrws::{change::Change, payload, reply::Reply, submitted::SubmittedNet},
    world::{Holder, Net},
};

/// The functions that a point of contact of a net may have.
const FUNCTIONS: [&str; 3] = ["T", "AB", "N"];

const FIXED: &str = "This element cannot be modified.";

/// Another name, comment or other points of contact of a net; and of a simple reassignment another customer, if that is
/// sent along.
pub(super) fn judge(terms: Terms<'_>, handle: &str, sent: &SubmittedNet) -> Result<Change, Reply> {
    let now = terms.own_net(handle)?;
    let mut complaints = Complaints::default();
    unchanged(terms, now, sent, &mut complaints);
    let name = complaints.value("netName", net_name(sent.name.as_deref(), terms.options.net_name_limit));
    for link in &sent.pocs {
        let allowed = FUNCTIONS.contains(&link.function.as_str());
        complaints.say_if(!allowed, "pocLinks", "A point of contact of a network is one of T, AB and N.");
        let known = terms.registry.pocs.contains_key(&link.handle);
        complaints.say_if(!known, "pocLinks", "There is no such point of contact.");
    }
    let customer = match (&sent.customer, &now.holder) {
        (None, _) => None,
        (Some(sent), Holder::Customer(handle)) => {
            let now = terms.customer(handle)?;
            customer::changed(terms, now, sent, &mut complaints).map(Box::new)
        }
        (Some(_), Holder::Org(_)) => {
            complaints.say("customer", "The network has no customer.");
            None
        }
    };
    let name = complaints.settled(name)?;
    let kept = if terms.options.absent_comment_stays { now.comment.clone() } else { Vec::new() };
    let net = Net { name, comment: sent.comment.clone().unwrap_or(kept), pocs: sent.pocs.clone(), ..now.clone() };
    Ok(Change::ReplaceNet { net: Box::new(net), customer })
}

/// Complains of everything that has to come back as it was and does not.
pub(super) fn unchanged(terms: Terms<'_>, now: &Net, sent: &SubmittedNet, complaints: &mut Complaints) {
    let (org, customer) = match &now.holder {
        Holder::Org(org) => (Some(org), None),
        Holder::Customer(customer) => (None, Some(customer)),
    };
    let embedded = sent.customer.as_ref().and_then(|customer| customer.handle.as_ref());
    let version = if now.blocks.iter().all(|block| block.addr().is_ipv4()) { "4" } else { "6" };
    let date = payload::shown_moment(now.registered, terms.options.style, &now.handle);
    complaints.say_if(sent.handle.as_ref() != Some(&now.handle), "handle", FIXED);
    complaints.say_if(sent.version.as_deref() != Some(version), "version", FIXED);
    complaints.say_if(sent.org.as_ref() != org, "orgHandle", FIXED);
    let same_customer = sent.customer_handle.as_ref().or(embedded) == customer;
    complaints.say_if(!same_customer, "customerHandle", FIXED);
    complaints.say_if(sent.parent != now.parent, "parentNetHandle", FIXED);
    complaints.say_if(sent.registered != date, "registrationDate", FIXED);
    complaints.say_if(!has_blocks_of(sent, now), "netBlocks", FIXED);
}

fn has_blocks_of(sent: &SubmittedNet, now: &Net) -> bool {
    let Ok(blocks) = &sent.blocks else { return false };
    let same_type = |net_type: &Option<String>| net_type.as_ref().is_none_or(|net_type| *net_type == now.net_type);
    blocks.iter().map(|block| block.cidr).eq(now.blocks.iter().copied())
        && blocks.iter().all(|block| same_type(&block.net_type))
}
