//! The answer that a registry has to each call.

use std::net::IpAddr;

use super::{
    forms::Forms,
    options::{Lookup, Shown, Style},
    payload,
    reply::Reply,
    requests::{Operation, Request},
    state::Asking,
    xml::Element,
};
use crate::{
    served::Snapshot,
    world::{Customer, Range, Registry, Route},
};

/// Returns the answer to a request that nothing speaks against.
pub(super) fn answer(snapshot: &Snapshot, request: &Request, Asking { access, options, .. }: &Asking) -> Reply {
    let style = options.style;
    let handle = request.target.as_str();
    let (registry, index) = (&*snapshot.registry, &*snapshot.index);
    let forms = Forms::of(style, handle);
    let object = match request.operation {
        Operation::Org if options.foreign_orgs == Shown::Little && !access.is_over(handle) => {
            return Reply::no_authority();
        }
        Operation::Org => registry.orgs.get(handle).map(|org| payload::org(org, &forms)),
        Operation::Poc => registry.pocs.get(handle).map(|poc| payload::poc(poc, &forms)),
        Operation::Customer => registry.customers.get(handle).map(|of| match options.private_customers {
            Shown::Little if of.private == Some(true) => payload::customer(&masked(of, registry), &forms),
            Shown::All | Shown::Little => payload::customer(of, &forms),
        }),
        Operation::Net => registry.nets.get(handle).map(|net| payload::net(net, &forms)),
        Operation::MostSpecificNet => {
            let Some(range) = range(handle) else { return bad_range() };
            let found = match options.lookup {
                Lookup::Covering => index.covering(range),
                Lookup::Exact => index.exact(range),
            };
            return net(registry, found, style);
        }
        Operation::ParentNet => {
            let Some(range) = range(handle) else { return bad_range() };
            return net(registry, parent_of(snapshot, range), style);
        }
        Operation::Delegations => {
            let Some(net) = registry.nets.get(handle) else { return Reply::not_found("net") };
            let delegations = registry.delegations.get(&net.handle).into_iter().flatten();
            return collection(delegations.map(payload::delegation).collect(), &forms);
        }
        Operation::NetRoutes => {
            let Some(net) = registry.nets.get(handle) else { return Reply::not_found("net") };
            let reassignments = request.query.split('&').any(|pair| pair == "reassignments=true");
            let of_net = |route: &&Route| {
                let prefix = (route.prefix.network(), route.prefix.broadcast());
                let inside = net.blocks.iter().any(|block| block.contains(&route.prefix));
                inside && (reassignments || index.covering(prefix) == Some(&net.handle))
            };
            return collection(registry.routes.iter().filter(of_net).map(payload::route).collect(), &forms);
        }
        Operation::OrgRoutes => {
            let of_org = registry.routes.iter().filter(|route| route.org == handle);
            return collection(of_org.map(payload::route).collect(), &forms);
        }
        Operation::Reassign
        | Operation::Reallocate
        | Operation::CreateCustomer
        | Operation::ModifyCustomer
        | Operation::DeleteCustomer
        | Operation::ModifyNet
        | Operation::DeleteNet
        | Operation::RemoveNet
        | Operation::Ticket
        | Operation::TicketSummary
        | Operation::Tickets
        | Operation::TicketSummaries
        | Operation::CloseTicket
        | Operation::ModifyTicket
        | Operation::AddMessage
        | Operation::Message
        | Operation::Attachment
        | Operation::ReassignmentReport
        | Operation::AssociationsReport
        | Operation::Unknown => None,
    };
    object.map_or_else(|| Reply::not_found("record"), |object| Reply::found(object.document(&forms)))
}

fn collection(objects: Vec<Element>, forms: &Forms) -> Reply {
    Reply::found(Element::new("collection", objects).document(forms))
}

/// A private customer as the public sees it.
fn masked(customer: &Customer, registry: &Registry) -> Customer {
    let org = customer.parent_org.as_ref().and_then(|org| registry.orgs.get(org)).map(|org| org.name.as_str());
    let mut masked = Customer { name: format!("Private Customer - {}", org.unwrap_or("unknown")), ..customer.clone() };
    if let Some(address) = &mut masked.address {
        address.street = vec!["Private Residence".to_owned()];
    }
    masked
}

/// The parent of the net with this range, or else the net that this range would be cut from.
fn parent_of(snapshot: &Snapshot, range: Range) -> Option<&str> {
    match snapshot.index.exact(range) {
        Some(handle) => snapshot.registry.nets.get(handle)?.parent.as_deref(),
        None => snapshot.index.covering(range),
    }
}

/// A net found by range, in the forms it has when found by handle.
fn net(registry: &Registry, handle: Option<&str>, style: Style) -> Reply {
    match handle.and_then(|handle| registry.nets.get(handle)) {
        Some(net) => {
            let forms = Forms::of(style, &net.handle);
            Reply::found(payload::net(net, &forms).document(&forms))
        }
        None => Reply::not_found("net"),
    }
}

fn bad_range() -> Reply {
    Reply::bad_request("The start and end address are not a valid range.")
}

/// Reads `first/last`.
fn range(target: &str) -> Option<Range> {
    let (first, last) = target.split_once('/')?;
    let (first, last): Range = (first.parse::<IpAddr>().ok()?, last.parse::<IpAddr>().ok()?);
    (first.is_ipv4() == last.is_ipv4() && first <= last).then_some((first, last))
}
