//! The answer that a registry has to each call.

use std::net::IpAddr;

use axum::http::StatusCode;

use super::{
    forms::Forms,
    options::{Lookup, Style},
    payload,
    reply::{Code, Reply},
    requests::{Operation, Request},
};
use crate::{
    served::Snapshot,
    world::{Range, Registry},
};

/// Returns the answer to a request that nothing speaks against.
pub(super) fn answer(snapshot: &Snapshot, request: &Request, style: Style, lookup: Lookup) -> Reply {
    let handle = request.target.as_str();
    let (registry, index) = (&*snapshot.registry, &*snapshot.index);
    let forms = Forms::of(style, handle);
    let object = match request.operation {
        Operation::Org => registry.orgs.get(handle).map(|org| payload::org(org, &forms)),
        Operation::Poc => registry.pocs.get(handle).map(|poc| payload::poc(poc, &forms)),
        Operation::Customer => registry.customers.get(handle).map(|of| payload::customer(of, &forms)),
        Operation::Net => registry.nets.get(handle).map(|net| payload::net(net, &forms)),
        Operation::MostSpecificNet => {
            let Some(range) = range(handle) else { return bad_range() };
            let found = match lookup {
                Lookup::Covering => index.covering(range),
                Lookup::Exact => index.exact(range),
            };
            return net(registry, found, style);
        }
        Operation::ParentNet => {
            let Some(range) = range(handle) else { return bad_range() };
            return net(registry, parent_of(snapshot, range), style);
        }
        Operation::Unknown => None,
    };
    object.map_or_else(|| Reply::not_found("record"), |object| Reply::found(object.document(&forms)))
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
    Reply::error(StatusCode::BAD_REQUEST, Code::BadRequest, "The start and end address are not a valid range.")
}

/// Reads `first/last`.
fn range(target: &str) -> Option<Range> {
    let (first, last) = target.split_once('/')?;
    let (first, last): Range = (first.parse::<IpAddr>().ok()?, last.parse::<IpAddr>().ok()?);
    (first.is_ipv4() == last.is_ipv4() && first <= last).then_some((first, last))
}
