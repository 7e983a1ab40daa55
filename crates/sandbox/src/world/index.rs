//! Finding nets by range, parent and holder.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use super::{Holder, Net, Registry};

/// First and last address.
pub(crate) type Range = (IpAddr, IpAddr);

/// The ranges of a registry's nets. Must be made anew when the registry changes.
///
/// Ranges nest or are disjoint; where the same range is registered twice, the net with more ancestors is the more
/// specific one.
#[derive(Debug)]
pub(crate) struct Index {
    /// By first address, outer before inner.
    spans: Vec<Span>,
    /// The positions of the spans with one range, outer before inner.
    exact: HashMap<Range, Vec<usize>>,
    /// Every block of every net with the position of its span, in the order of the spans.
    blocks: Vec<(Range, usize)>,
    /// The positions of the nets that were cut from a net.
    children: HashMap<String, Vec<usize>>,
    /// The positions of the nets that an organization holds.
    held: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct Span {
    range: Range,
    handle: String,
    /// Position of the smallest span around this one.
    outer: Option<usize>,
}

impl Index {
    /// Indexes all nets of a registry.
    pub(crate) fn of(registry: &Registry) -> Self {
        let mut nets: Vec<(Range, usize, &Net)> = registry
            .nets
            .values()
            .filter_map(|net| net.range().map(|range| (range, ancestors(net, &registry.nets), net)))
            .collect();
        nets.sort_by_key(|((first, last), ancestors, net)| (*first, Reverse(*last), *ancestors, net.handle.as_str()));
        let mut index = Self {
            spans: Vec::with_capacity(nets.len()),
            exact: HashMap::with_capacity(nets.len()),
            blocks: Vec::with_capacity(nets.len()),
            children: HashMap::new(),
            held: HashMap::new(),
        };
        for (range, _, net) in nets {
            index.push(range, net);
        }
        index.blocks.sort_by_key(|((first, last), at)| (*first, Reverse(*last), *at));
        index
    }

    /// Returns the most specific net that covers the range.
    pub(crate) fn covering(&self, range: Range) -> Option<&str> {
        self.cover(range).map(|span| span.handle.as_str())
    }

    /// Returns the most specific net whose range is exactly this one.
    pub(crate) fn exact(&self, range: Range) -> Option<&str> {
        self.all_exact(range).last()
    }

    /// Returns the nets whose range is exactly this one, the most specific last.
    pub(crate) fn all_exact(&self, range: Range) -> impl Iterator<Item = &str> {
        self.at(self.exact.get(&range))
    }

    /// Returns the nets of which a block lies in the range, in address order, outer before inner.
    pub(crate) fn inside(&self, range: Range) -> impl Iterator<Item = &str> {
        let from = self.blocks.partition_point(|((first, _), _)| *first < range.0);
        let blocks = self.blocks.iter().skip(from).take_while(|((first, _), _)| *first <= range.1);
        let found: BTreeSet<usize> = blocks.filter(|(block, _)| covers(range, *block)).map(|(_, at)| *at).collect();
        found.into_iter().filter_map(|at| self.handle(at))
    }

    /// Returns the most specific net of several blocks of which one is this range.
    pub(crate) fn of_block(&self, range: Range) -> Option<&str> {
        let from = self.blocks.partition_point(|((first, _), _)| *first < range.0);
        let blocks = self.blocks.iter().skip(from).take_while(|((first, _), _)| *first == range.0);
        let spans = blocks.filter(|(block, _)| *block == range).filter_map(|(_, at)| self.spans.get(*at));
        spans.filter(|span| span.range != range).last().map(|span| span.handle.as_str())
    }

    /// Returns the nets that reach beyond the range on one side at least and cover it, the widest first.
    pub(crate) fn around(&self, range: Range) -> impl Iterator<Item = &str> {
        let outer = |span: &&Span| self.spans.get(span.outer?);
        let mut spans: Vec<&Span> = std::iter::successors(self.cover(range), outer).collect();
        spans.reverse();
        spans.into_iter().filter(move |span| span.range != range).map(|span| span.handle.as_str())
    }

    /// Returns the nets that were cut from this one, in address order.
    pub(crate) fn children(&self, handle: &str) -> impl Iterator<Item = &str> {
        self.at(self.children.get(handle))
    }

    /// Returns the nets that this organization holds, in address order.
    pub(crate) fn held_by(&self, org: &str) -> impl Iterator<Item = &str> {
        self.at(self.held.get(org))
    }

    fn at(&self, positions: Option<&Vec<usize>>) -> impl Iterator<Item = &str> {
        positions.into_iter().flatten().filter_map(|at| self.handle(*at))
    }

    fn handle(&self, at: usize) -> Option<&str> {
        self.spans.get(at).map(|span| span.handle.as_str())
    }

    fn cover(&self, range: Range) -> Option<&Span> {
        let after = self.spans.partition_point(|span| span.range.0 <= range.0);
        let mut at = self.spans.get(after.checked_sub(1)?)?;
        while !covers(at.range, range) {
            at = self.spans.get(at.outer?)?;
        }
        Some(at)
    }

    fn push(&mut self, range: Range, net: &Net) {
        let mut outer = self.spans.len().checked_sub(1);
        while let Some(span) = outer.and_then(|at| self.spans.get(at)) {
            if covers(span.range, range) {
                break;
            }
            outer = span.outer;
        }
        let at = self.spans.len();
        self.spans.push(Span { range, handle: net.handle.clone(), outer });
        self.exact.entry(range).or_default().push(at);
        self.blocks.extend(net.blocks.iter().map(|block| ((block.network(), block.broadcast()), at)));
        if let Some(parent) = &net.parent {
            self.children.entry(parent.clone()).or_default().push(at);
        }
        if let Holder::Org(org) = &net.holder {
            self.held.entry(org.clone()).or_default().push(at);
        }
    }
}

fn covers(outer: Range, inner: Range) -> bool {
    outer.0.is_ipv4() == inner.0.is_ipv4() && outer.0 <= inner.0 && inner.1 <= outer.1
}

/// Returns how many nets are above this one; a registry edited into a circle has a great many.
fn ancestors(net: &Net, nets: &BTreeMap<String, Net>) -> usize {
    let parent = |net: &&Net| net.parent.as_ref().and_then(|parent| nets.get(parent));
    std::iter::successors(Some(net), parent).take(64).count()
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::*;
    use crate::world::World;

    fn range(net: &str) -> Range {
        let net: IpNet = net.parse().unwrap();
        (net.network(), net.broadcast())
    }

    fn blocks(text: &str) -> Vec<IpNet> {
        text.split(' ').map(|block| block.parse().unwrap()).collect()
    }

    /// An allocation, a reallocation that takes up half of it, and two nets of which one is all of that half.
    fn nested() -> Registry {
        let mut registry = Registry::default();
        let holder = || Holder::Org("EXAMPLE-1".to_owned());
        let allocation = registry.allocate(&blocks("23.0.0.0/16"), "EXAMPLE-1");
        let half = registry.cut(&allocation, "A", &blocks("23.0.0.0/17"), holder()).unwrap();
        registry.reassign(&half, &blocks("23.0.0.0/17"), holder()).unwrap();
        registry.reassign(&allocation, &blocks("23.0.128.0/24 23.0.129.0/25"), holder()).unwrap();
        registry.allocate(&blocks("2600::/32"), "EXAMPLE-1");
        registry
    }

    #[test]
    fn the_innermost_of_equal_ranges_is_the_most_specific() {
        let index = Index::of(&nested());
        assert_eq!(index.exact(range("23.0.0.0/17")), Some("NET-23-0-0-0-3"));
        assert_eq!(index.covering(range("23.0.1.0/24")), Some("NET-23-0-0-0-3"));
    }

    #[test]
    fn a_range_off_all_smaller_nets_is_covered_by_the_larger_one() {
        let index = Index::of(&nested());
        assert_eq!(index.covering(range("23.0.129.0/25")), Some("NET-23-0-128-0-1"));
        assert_eq!(index.covering(range("23.0.129.0/24")), Some("NET-23-0-0-0-1"));
        assert_eq!(index.covering(range("23.0.255.0/24")), Some("NET-23-0-0-0-1"));
        assert_eq!(index.exact(range("23.0.129.0/25")), None);
    }

    #[test]
    fn equal_ranges_are_all_found_the_most_specific_last() {
        let index = Index::of(&nested());
        assert_eq!(index.all_exact(range("23.0.0.0/17")).collect::<Vec<_>>(), ["NET-23-0-0-0-2", "NET-23-0-0-0-3"]);
        assert_eq!(index.children("NET-23-0-0-0-1").collect::<Vec<_>>(), ["NET-23-0-0-0-2", "NET-23-0-128-0-1"]);
        assert_eq!(index.held_by("EXAMPLE-1").count(), 5);
    }

    #[test]
    fn a_net_is_found_by_each_of_its_blocks_and_once() {
        let index = Index::of(&nested());
        let inside = |net| index.inside(range(net)).collect::<Vec<_>>();
        assert_eq!(inside("23.0.128.0/24"), ["NET-23-0-128-0-1"]);
        assert_eq!(inside("23.0.129.0/24"), ["NET-23-0-128-0-1"]);
        assert_eq!(inside("23.0.128.0/17"), ["NET-23-0-128-0-1"]);
        assert_eq!(index.of_block(range("23.0.129.0/25")), Some("NET-23-0-128-0-1"));
        assert_eq!((index.of_block(range("23.0.129.0/24")), index.of_block(range("23.0.0.0/17"))), (None, None));
    }

    #[test]
    fn the_nets_around_a_range_are_wider_than_it() {
        let index = Index::of(&nested());
        assert_eq!(index.around(range("23.0.129.0/25")).collect::<Vec<_>>(), ["NET-23-0-0-0-1", "NET-23-0-128-0-1"]);
        assert_eq!(index.around(range("23.0.0.0/17")).collect::<Vec<_>>(), ["NET-23-0-0-0-1"]);
    }

    #[test]
    fn the_index_finds_what_a_look_at_every_net_finds() {
        let World { registry, ipam, .. } = World::sized(10, 1_000);
        let index = Index::of(&registry);
        let asked = ipam.prefixes.iter().map(|prefix| prefix.prefix).chain(ipam.aggregates.iter().map(|of| of.prefix));
        for asked in asked.map(|net| (net.network(), net.broadcast())) {
            let ranges = || registry.nets.values().map(|net| (net.range().unwrap(), net.handle.as_str()));
            let sorted = |handles: Vec<&'_ str>| handles.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
            let inside: Vec<&str> = ranges().filter(|(net, _)| covers(asked, *net)).map(|(_, handle)| handle).collect();
            let around = |(net, _): &(Range, &str)| covers(*net, asked) && *net != asked;
            let around: Vec<&str> = ranges().filter(around).map(|(_, handle)| handle).collect();
            assert_eq!(sorted(index.inside(asked).collect()), sorted(inside), "{asked:?}");
            assert_eq!(sorted(index.around(asked).collect()), sorted(around), "{asked:?}");
        }
    }

    #[test]
    fn ranges_outside_of_everything_are_covered_by_nothing() {
        let index = Index::of(&nested());
        for outside in ["22.0.0.0/8", "23.0.0.0/8", "23.1.0.0/16", "2601::/32", "::/0"] {
            assert_eq!(index.covering(range(outside)), None, "{outside}");
        }
    }
}
