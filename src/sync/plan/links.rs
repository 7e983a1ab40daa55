//! Finds the aggregate or prefix of NetBox that a network stands for.
//!
//! A network has one link. It is matched by exact CIDR of its blocks, aggregates before prefixes, the global table before
//! any VRF; the first match wins, and a link that exists is never changed, whoever made it.
//!
//! One allocation may cover several aggregates. Its network links the first, and names the others in
//! `covered_aggregates`, so that each of them shows the network on its own page and none looks unregistered.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::{references::References, rules::Rules};
use crate::model::{Aggregate, Fields, Inventory, Net, NetBlock, ObjectType, Registration, Row, RowId, Value};

/// Returns the link fields that a network's row should get. A field that stays as it is, is not among them.
pub(super) fn links(net: &Net, row: Option<&Row>, known: &References<'_>) -> Fields {
    let References { registered, recorded, .. } = known;
    let cidrs = cidrs(net);
    let covered = covered(&cidrs, known.answers.of(&net.handle), recorded);
    let exists = row.and_then(recorded_link);
    let link = exists.or_else(|| first_match(&covered, &cidrs, recorded));
    // Besides the linked one: those it answers for now, and recorded ones that nothing else answers for.
    let mut further = row.map(|row| row.field("covered_aggregates").as_netbox_rows()).unwrap_or_default();
    further.retain(|id| registered.aggregates.get(id).is_none_or(|answer| answer.as_ref() == Some(&net.handle)));
    further.extend(covered.iter().map(|aggregate| aggregate.id));
    further.retain(|id| link != Some(Link::Aggregate(*id)));
    let further = if further.is_empty() { Value::Empty } else { Value::NetBoxRows(further) };
    let mut fields = Fields::from([("covered_aggregates", further)]);
    match link.filter(|_| exists.is_none()) {
        Some(Link::Aggregate(id)) => fields.insert("aggregate", Value::NetBoxRow(id)),
        Some(Link::Prefix(id)) => fields.insert("prefix", Value::NetBoxRow(id)),
        None => None,
    };
    fields
}

/// Returns the networks whose link does not fit any more, as after somebody gave a prefix another range, with a sentence
/// about each. A link to something out of scope is not judged.
pub(in crate::sync) fn misfits(
    registered: &Registration,
    recorded: &Inventory,
    rules: &Rules,
) -> Vec<(String, String)> {
    let row = |net: &Net| recorded.row(ObjectType::Network, &rules.instance.key(&net.handle));
    let linked: Vec<(&Net, Link)> =
        registered.nets.values().filter_map(|net| Some((net, recorded_link(row(net)?)?))).collect();
    let ids: BTreeSet<RowId> = linked.iter().map(|(_, link)| link.id()).collect();
    let aggregates = recorded.aggregates.iter().map(|it| (Link::Aggregate(it.id), it.prefix));
    let prefixes =
        recorded.prefixes.iter().filter(|it| ids.contains(&it.id)).map(|it| (Link::Prefix(it.id), it.prefix));
    let ranges: BTreeMap<Link, IpNet> = aggregates.chain(prefixes).collect();
    let misfit = |(net, link): (&Net, Link)| {
        let range = ranges.get(&link)?;
        let whole = net.range()?;
        let fits = match link {
            // An allocation may cover several aggregates, and one that answers for an aggregate fits it in any case.
            Link::Aggregate(id) => {
                let answered =
                    registered.aggregates.get(&id).is_some_and(|answer| answer.as_ref() == Some(&net.handle));
                answered || whole.covers(&NetBlock::from(*range))
            }
            Link::Prefix(_) => cidrs(net).contains(range),
        };
        let what = link.name();
        let sentence =
            format!("it is linked to the {what} {range}, which does not fit its range {whole}; correct the link");
        (!fits).then(|| (net.handle.to_string(), sentence))
    };
    linked.into_iter().filter_map(misfit).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Link {
    Aggregate(RowId),
    Prefix(RowId),
}

impl Link {
    fn id(self) -> RowId {
        match self {
            Self::Aggregate(id) | Self::Prefix(id) => id,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Aggregate(_) => "aggregate",
            Self::Prefix(_) => "prefix",
        }
    }
}

fn recorded_link(row: &Row) -> Option<Link> {
    let aggregate = row.field("aggregate").as_netbox_row().map(Link::Aggregate);
    aggregate.or_else(|| row.field("prefix").as_netbox_row().map(Link::Prefix))
}

/// Returns the CIDRs that stand for a net: those of each block, and that of the whole range if it is one.
fn cidrs(net: &Net) -> Vec<IpNet> {
    let mut cidrs = net.prefixes();
    if let Some([whole]) = net.range().as_ref().map(NetBlock::prefixes).as_deref() {
        cidrs.push(*whole);
    }
    cidrs
}

/// Returns the aggregates that a net answers for, those with exactly its range first.
fn covered<'a>(cidrs: &[IpNet], answered: &[&'a Aggregate], recorded: &'a Inventory) -> Vec<&'a Aggregate> {
    let exact: BTreeSet<&Aggregate> = cidrs.iter().flat_map(|cidr| recorded.aggregates_at(*cidr)).collect();
    let others = answered.iter().copied().filter(|aggregate| !exact.contains(aggregate));
    exact.iter().copied().chain(others).collect()
}

fn first_match(covered: &[&Aggregate], cidrs: &[IpNet], recorded: &Inventory) -> Option<Link> {
    let aggregate = covered.first().map(|aggregate| Link::Aggregate(aggregate.id));
    aggregate.or_else(|| {
        let prefix = cidrs.iter().find_map(|cidr| recorded.prefix_at(*cidr))?;
        Some(Link::Prefix(prefix.id))
    })
}
