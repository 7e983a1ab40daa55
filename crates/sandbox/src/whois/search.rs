//! The nets that answer a call.

use super::{
    fault::Fault,
    options::{Blocks, Options},
    requests::{Operation, Request},
};
use crate::{
    served::Snapshot,
    world::{Net, Range, Registry},
};

/// The nets of an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// One net, which is the whole answer.
    One(Box<Net>),
    /// A list.
    List {
        nets: Vec<Net>,
        /// There are more.
        exceeded: bool,
    },
}

/// The reason why there is no net to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nothing {
    /// Nothing is registered in this place.
    NoResults,
    /// The handle is unknown, or nothing belongs to it.
    NoRelatedResources,
    /// The range is none.
    BadRequest,
}

/// Returns the nets that answer a request.
pub(super) fn search(snapshot: &Snapshot, request: &Request, options: &Options) -> Result<Found, Nothing> {
    let nets = nets(snapshot, request, options)?;
    match (request.operation, nets.as_slice()) {
        (_, []) => Err(nothing(request.operation)),
        (Operation::Exact | Operation::Net, [net]) => Ok(Found::One(Box::new((*net).clone()))),
        (_, nets) => Ok(Found::List {
            nets: nets.iter().take(options.records).map(|net| (*net).clone()).collect(),
            exceeded: nets.len() > options.records,
        }),
    }
}

/// Returns the answer that a fault makes of the right one; most faults leave it as it is.
pub(super) fn falsified(found: Result<Found, Nothing>, request: &Request, fault: &Fault) -> Result<Found, Nothing> {
    match fault {
        Fault::Missing(handle) => without(found?, handle).ok_or(nothing(request.operation)),
        Fault::LimitExceeded => limit_exceeded(found),
        Fault::Twice(handle) => Ok(with_another(found?, handle)),
        Fault::Status(_)
        | Fault::Outage
        | Fault::CutOff
        | Fault::TruncatedXml
        | Fault::Hang
        | Fault::Html404
        | Fault::Html200
        | Fault::Refusal(..)
        | Fault::Garbage
        | Fault::Doctype
        | Fault::Namespace(_)
        | Fault::OldSnapshot => found,
    }
}

fn without(found: Found, handle: &str) -> Option<Found> {
    match found {
        Found::One(net) => (net.handle != handle).then_some(Found::One(net)),
        Found::List { mut nets, exceeded } => {
            nets.retain(|net| net.handle != handle);
            (!nets.is_empty()).then_some(Found::List { nets, exceeded })
        }
    }
}

fn limit_exceeded(found: Result<Found, Nothing>) -> Result<Found, Nothing> {
    match found {
        Ok(Found::List { nets, .. }) => Ok(Found::List { nets, exceeded: true }),
        Err(Nothing::NoResults) => Ok(Found::List { nets: Vec::new(), exceeded: true }),
        Ok(Found::One(_)) | Err(Nothing::NoRelatedResources | Nothing::BadRequest) => found,
    }
}

/// The list with this net once more, as it might be in a later answer.
fn with_another(found: Found, handle: &str) -> Found {
    match found {
        Found::One(net) => Found::One(net),
        Found::List { mut nets, exceeded } => {
            let again = nets.iter().find(|net| net.handle == handle).cloned();
            nets.extend(again.map(|net| Net { name: format!("{}-AGAIN", net.name), updated: net.registered, ..net }));
            Found::List { nets, exceeded }
        }
    }
}

fn nets<'a>(snapshot: &'a Snapshot, request: &Request, options: &Options) -> Result<Vec<&'a Net>, Nothing> {
    let Snapshot { registry, index } = snapshot;
    let (registry, handle) = (&**registry, request.target.as_str());
    let shown = |net: &&Net| request.show_arin || !is_arins(net);
    Ok(match request.operation {
        Operation::More => {
            let range = asked(request)?;
            let listed = |net: &&Net| inside(net, range, options);
            known(registry, index.inside(range)).filter(shown).filter(listed).collect()
        }
        Operation::Exact => exact(snapshot, asked(request)?).into_iter().filter(shown).collect(),
        Operation::Less => known(registry, index.around(asked(request)?)).filter(shown).collect(),
        Operation::Net => registry.nets.get(handle).into_iter().collect(),
        Operation::Children => known(registry, index.children(handle)).collect(),
        Operation::OrgNets => known(registry, index.held_by(handle)).collect(),
        Operation::Unknown => Vec::new(),
    })
}

fn nothing(operation: Operation) -> Nothing {
    match operation {
        Operation::More | Operation::Exact | Operation::Less | Operation::Unknown => Nothing::NoResults,
        Operation::Net | Operation::Children | Operation::OrgNets => Nothing::NoRelatedResources,
    }
}

fn asked(request: &Request) -> Result<Range, Nothing> {
    request.range().map(|range| (range.network(), range.broadcast())).ok_or(Nothing::BadRequest)
}

/// Returns whether a net of which a block lies in the range counts as more specific.
fn inside(net: &Net, range: Range, options: &Options) -> bool {
    let within = |(first, last): Range| range.0 <= first && last <= range.1;
    let is_range = |block: &ipnet::IpNet| (block.network(), block.broadcast()) == range;
    match net.range() {
        Some(whole) if whole == range => options.itself,
        Some(whole) => match options.blocks {
            Blocks::Each => true,
            Blocks::All => within(whole) || net.blocks.iter().any(is_range),
        },
        None => false,
    }
}

/// The nets with this range, or else the net of several blocks of which it is one, or else ARIN's own net if nobody
/// else has anything there.
fn exact(snapshot: &Snapshot, range: Range) -> Vec<&Net> {
    let Snapshot { registry, index } = snapshot;
    let found: Vec<&Net> = known(registry, index.all_exact(range)).collect();
    if !found.is_empty() {
        return found;
    }
    let of_block = known(registry, index.of_block(range));
    let unallocated = known(registry, index.covering(range)).filter(|net| is_arins(net));
    of_block.chain(unallocated).take(1).collect()
}

/// Returns whether a net is one that ARIN's allocations are cut from.
fn is_arins(net: &Net) -> bool {
    net.net_type == "AR"
}

fn known<'a>(registry: &'a Registry, handles: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a Net> {
    handles.into_iter().filter_map(|handle| registry.nets.get(handle))
}
