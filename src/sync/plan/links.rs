//! Which aggregate or prefix of NetBox a network stands for.
//!
//! A network has one link. It is matched by exact CIDR of its blocks, aggregates before prefixes, the global table before
//! any VRF; the first match wins, and a link that exists is never changed, whoever made it.
//!
//! One allocation may cover several aggregates. Its network links the first, and names the others in
//! `covered_aggregates`, so that each of them shows the network on its own page and none looks unregistered.

use std::collections::BTreeSet;

use ipnet::IpNet;

use crate::model::{Aggregate, Fields, Inventory, Net, NetBlock, Registration, Row, RowId, Value};

/// The link fields a network's row should get; a field that is to stay as it is, is not among them.
pub(super) fn links(net: &Net, row: Option<&Row>, registered: &Registration, recorded: &Inventory) -> Fields {
    let cidrs = cidrs(net);
    let covered = covered(net, &cidrs, registered, recorded);
    let exists = row.and_then(recorded_link);
    let link = exists.or_else(|| first_match(&covered, &cidrs, recorded));
    let further = further(net, row, link, &covered, registered);
    let mut fields = Fields::from([("covered_aggregates", further)]);
    match link.filter(|_| exists.is_none()) {
        Some(Link::Aggregate(id)) => fields.insert("aggregate", Value::NetBoxRow(id)),
        Some(Link::Prefix(id)) => fields.insert("prefix", Value::NetBoxRow(id)),
        None => None,
    };
    fields
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Aggregate(RowId),
    Prefix(RowId),
}

fn recorded_link(row: &Row) -> Option<Link> {
    let aggregate = row.field("aggregate").as_netbox_row().map(Link::Aggregate);
    aggregate.or_else(|| row.field("prefix").as_netbox_row().map(Link::Prefix))
}

/// The CIDRs that stand for a net: those of each block, and that of the whole range if it is one.
fn cidrs(net: &Net) -> Vec<IpNet> {
    let mut cidrs = net.prefixes();
    if let Some([whole]) = net.range().as_ref().map(NetBlock::prefixes).as_deref() {
        cidrs.push(*whole);
    }
    cidrs
}

/// The aggregates this net answers for, those with exactly its range first.
fn covered<'a>(net: &Net, cidrs: &[IpNet], registered: &Registration, recorded: &'a Inventory) -> Vec<&'a Aggregate> {
    let exact = |aggregate: &&Aggregate| cidrs.contains(&aggregate.prefix);
    let answered = |aggregate: &&Aggregate| {
        registered.aggregates.get(&aggregate.id).is_some_and(|answer| answer.as_ref() == Some(&net.handle))
    };
    let (mut first, then): (Vec<_>, Vec<_>) =
        recorded.aggregates.iter().filter(|aggregate| exact(aggregate) || answered(aggregate)).partition(exact);
    first.extend(then);
    first
}

fn first_match(covered: &[&Aggregate], cidrs: &[IpNet], recorded: &Inventory) -> Option<Link> {
    let aggregate = covered.first().map(|aggregate| Link::Aggregate(aggregate.id));
    aggregate.or_else(|| {
        let prefix = cidrs.iter().find_map(|cidr| recorded.prefix_at(*cidr))?;
        Some(Link::Prefix(prefix.id))
    })
}

/// The aggregates besides the linked one: those it answers for now, and recorded ones that nothing else answers for.
fn further(
    net: &Net,
    row: Option<&Row>,
    link: Option<Link>,
    covered: &[&Aggregate],
    registered: &Registration,
) -> Value {
    let mut ids: BTreeSet<RowId> = row.map(|row| row.field("covered_aggregates").as_netbox_rows()).unwrap_or_default();
    ids.retain(|id| registered.aggregates.get(id).is_none_or(|answer| answer.as_ref() == Some(&net.handle)));
    ids.extend(covered.iter().map(|aggregate| aggregate.id));
    ids.retain(|id| link != Some(Link::Aggregate(*id)));
    if ids.is_empty() { Value::Empty } else { Value::NetBoxRows(ids) }
}
