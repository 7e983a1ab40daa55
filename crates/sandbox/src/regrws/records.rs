//! The registry behind a server, and what it has for each call.

use std::net::IpAddr;

use axum::http::StatusCode;

use super::{
    forms::Forms,
    index::{Index, Range},
    options::{Lookup, Style},
    payload,
    reply::{Code, Reply},
    requests::{Operation, Request},
};
use crate::world::Registry;

/// A registry and the index of its nets, which is made when a range is first asked after a change.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) registry: Registry,
    index: Option<Index>,
}

impl Records {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry, index: None }
    }

    /// Returns the registry to be edited; the index is made anew after it.
    pub(super) fn edit(&mut self) -> &mut Registry {
        self.index = None;
        &mut self.registry
    }

    /// Returns the answer to a request that nothing speaks against.
    pub(super) fn answer(&mut self, request: &Request, style: Style, lookup: Lookup) -> Reply {
        let handle = request.target.as_str();
        let forms = Forms::of(style, handle);
        let object = match request.operation {
            Operation::Org => self.registry.orgs.get(handle).map(|org| payload::org(org, &forms)),
            Operation::Poc => self.registry.pocs.get(handle).map(|poc| payload::poc(poc, &forms)),
            Operation::Customer => self.registry.customers.get(handle).map(|of| payload::customer(of, &forms)),
            Operation::Net => self.registry.nets.get(handle).map(|net| payload::net(net, &forms)),
            Operation::MostSpecificNet => {
                return self.by_range(handle, style, |_, index, range| match lookup {
                    Lookup::Covering => index.covering(range),
                    Lookup::Exact => index.exact(range),
                });
            }
            Operation::ParentNet => return self.by_range(handle, style, parent_of),
            Operation::Unknown => None,
        };
        object.map_or_else(|| Reply::not_found("record"), |object| Reply::found(object.document(&forms)))
    }

    fn by_range(
        &mut self,
        target: &str,
        style: Style,
        find: impl for<'a> FnOnce(&'a Registry, &'a Index, Range) -> Option<&'a str>,
    ) -> Reply {
        let Some(range) = range(target) else { return bad_range() };
        let (registry, index) = self.indexed();
        net(registry, find(registry, index, range), style)
    }

    fn indexed(&mut self) -> (&Registry, &Index) {
        let Self { registry, index } = self;
        let index = index.get_or_insert_with(|| Index::of(registry));
        (registry, index)
    }
}

/// The parent of the net with this range, or else the net that this range would be cut from.
fn parent_of<'a>(registry: &'a Registry, index: &'a Index, range: Range) -> Option<&'a str> {
    match index.exact(range) {
        Some(handle) => registry.nets.get(handle)?.parent.as_deref(),
        None => index.covering(range),
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
