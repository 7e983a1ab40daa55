//! What holds for reassignments and reallocations.

use ipnet::IpNet;

use super::{Complaints, Terms, customer, names::net_name};
use crate::{
    regrws::{
        change::Change,
        reply::Reply,
        submission::Kind,
        submitted::{Block, SubmittedNet},
    },
    world::{Customer, Holder, Net, Org},
};

/// The longest prefix of IPv6 that may be given out.
const LONGEST_V6: u8 = 64;
/// The functions of which a recipient has to have a point of contact each.
const FUNCTIONS: [&str; 3] = ["AD", "T", "AB"];

/// Who is to get the net.
enum Recipient {
    Org(String),
    Customer(String),
    NewCustomer(Box<Customer>),
}

pub(super) fn judge(terms: Terms<'_>, parent: &str, kind: Kind, sent: &SubmittedNet) -> Result<Change, Reply> {
    let (parent, org) = terms.parent(parent)?;
    let mut complaints = Complaints::default();
    left_out(sent, parent, &mut complaints);
    let name = complaints.value("netName", net_name(sent.name.as_deref(), terms.options.net_name_limit));
    let blocks = complaints.value("netBlocks", sent.blocks.as_deref().map_err(String::clone));
    let cidrs = blocks.map(|blocks| cidrs(blocks, kind, sent.version.as_deref(), &mut complaints));
    let recipient = recipient(terms, kind, sent, org, &mut complaints);
    let ((name, blocks), recipient) = complaints.settled(name.zip(cidrs).zip(recipient))?;
    fits(terms, parent, &blocks)?;
    let (holder, customer) = accepted(terms, recipient, org)?;
    let net = Net {
        handle: String::new(),
        name,
        net_type: kind.net_type().to_owned(),
        blocks,
        parent: Some(parent.handle.clone()),
        holder,
        registered: None,
        updated: None,
        comment: sent.comment.clone().unwrap_or_default(),
        pocs: Vec::new(),
    };
    Ok(Change::Register { net: Box::new(net), customer })
}

/// What ARIN sets, or wants to be as the URL has it.
fn left_out(sent: &SubmittedNet, parent: &Net, complaints: &mut Complaints) {
    let other_parent = sent.parent.as_ref().is_some_and(|handle| *handle != parent.handle);
    complaints.say_if(other_parent, "parentNetHandle", "It is not the network in the URL.");
    complaints.say_if(sent.handle.is_some(), "handle", "The handle has to be empty.");
    complaints.say_if(sent.registered.is_some(), "registrationDate", "The date has to be empty.");
    complaints.say_if(!sent.pocs.is_empty(), "pocLinks", "Points of contact cannot be given here.");
}

fn cidrs(blocks: &[Block], kind: Kind, version: Option<&str>, complaints: &mut Complaints) -> Vec<IpNet> {
    for Block { cidr, net_type } in blocks {
        let too_long = !cidr.addr().is_ipv4() && cidr.prefix_len() > LONGEST_V6;
        complaints.say_if(too_long, "netBlocks", "A block of IPv6 may be a /64 at the smallest.");
        let other_type = net_type.as_deref().is_some_and(|net_type| net_type != kind.net_type());
        complaints.say_if(other_type, "type", "It is not the type of what is asked for.");
        let fitting = if cidr.addr().is_ipv4() { "4" } else { "6" };
        let other_version = version.is_some_and(|version| version != fitting);
        complaints.say_if(other_version, "version", "It is not the version of the addresses.");
    }
    blocks.iter().map(|block| block.cidr).collect()
}

fn recipient(
    terms: Terms<'_>,
    kind: Kind,
    sent: &SubmittedNet,
    org: &str,
    complaints: &mut Complaints,
) -> Option<Recipient> {
    if kind == Kind::Reallocate && (sent.customer.is_some() || sent.customer_handle.is_some()) {
        complaints.say("customerHandle", "A network can be reallocated to an organization only.");
    }
    match (&sent.org, &sent.customer_handle, &sent.customer) {
        (Some(org), None, None) => Some(Recipient::Org(org.clone())),
        (None, Some(customer), None) => Some(Recipient::Customer(customer.clone())),
        (None, None, Some(_)) if !terms.options.embedded_customer => {
            complaints.say("customer", "This element is not accepted here.");
            None
        }
        (None, None, Some(customer)) => {
            customer::new(customer, org, complaints).map(|customer| Recipient::NewCustomer(Box::new(customer)))
        }
        (_, _, _) => {
            complaints.say("orgHandle", "Exactly one of orgHandle, customerHandle and customer is required.");
            None
        }
    }
}

/// Whether the range lies inside of the parent, and clear of what is there.
fn fits(terms: Terms<'_>, parent: &Net, blocks: &[IpNet]) -> Result<(), Reply> {
    let invalid = |message: &str| {
        let mut complaints = Complaints::default();
        complaints.say("netBlocks", message);
        complaints.refusal()
    };
    if !blocks.iter().all(|block| parent.blocks.iter().any(|outer| outer.contains(block))) && !inside(parent, blocks) {
        return Err(Reply::conflict("The range is not inside of the parent network."));
    }
    let whole = range(blocks) == parent.range();
    if whole && !terms.options.whole_parent {
        return invalid("The range is the whole parent network.");
    }
    let is_child = |net: &&Net| net.parent.as_ref() == Some(&parent.handle);
    let overlaps = |net: &Net| net.blocks.iter().any(|one| blocks.iter().any(|other| overlap(one, other)));
    match terms.registry.nets.values().filter(is_child).find(|net| overlaps(net)) {
        Some(net) => invalid(&format!("The range overlaps with the network {}.", net.handle)),
        None => Ok(()),
    }
}

fn range(blocks: &[IpNet]) -> Option<(std::net::IpAddr, std::net::IpAddr)> {
    Some((blocks.iter().map(IpNet::network).min()?, blocks.iter().map(IpNet::broadcast).max()?))
}

/// Whether the whole range is inside, however the parent is cut into blocks.
fn inside(parent: &Net, blocks: &[IpNet]) -> bool {
    let is_v4 = |net: &IpNet| net.addr().is_ipv4();
    let one_family = blocks.iter().chain(&parent.blocks).all(is_v4) || !blocks.iter().chain(&parent.blocks).any(is_v4);
    let (Some(outer), Some(inner)) = (parent.range(), range(blocks)) else { return false };
    one_family && outer.0 <= inner.0 && inner.1 <= outer.1
}

/// Blocks are nested or apart.
fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// The holder, and the customer that is yet to be made.
fn accepted(terms: Terms<'_>, recipient: Recipient, org: &str) -> Result<(Holder, Option<Box<Customer>>), Reply> {
    match recipient {
        Recipient::Org(handle) => {
            let org = terms.registry.orgs.get(&handle).ok_or_else(|| Reply::not_found("organization"))?;
            fit(org)?;
            Ok((Holder::Org(handle), None))
        }
        Recipient::Customer(handle) => {
            let customer = terms.customer(&handle)?;
            let mut complaints = Complaints::default();
            let taken = terms.net_of_customer(&handle).is_some();
            complaints.say_if(taken, "customerHandle", "The customer has a network already.");
            let foreign = customer.parent_org.as_deref().is_some_and(|parent| parent != org);
            complaints.say_if(foreign, "customerHandle", "The customer belongs to another organization.");
            complaints.refusal()?;
            Ok((Holder::Customer(handle), None))
        }
        Recipient::NewCustomer(customer) => Ok((Holder::Customer(String::new()), Some(customer))),
    }
}

/// Whether an organization may be given a net.
fn fit(org: &Org) -> Result<(), Reply> {
    if org.accepts_reassignments == Some(false) {
        return Err(Reply::forbidden("The organization does not accept reassignments."));
    }
    let mut complaints = Complaints::default();
    for function in FUNCTIONS {
        let missing = !org.pocs.iter().any(|link| link.function == function);
        let message = format!("The organization has no point of contact of the function {function}.");
        complaints.say_if(missing, "orgHandle", &message);
    }
    complaints.refusal()
}
