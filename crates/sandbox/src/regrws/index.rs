//! Finding nets by range.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use crate::world::{Net, Registry};

/// First and last address.
pub(super) type Range = (IpAddr, IpAddr);

/// The ranges of a registry's nets. Must be made anew when the registry changes.
///
/// Ranges nest or are disjoint; where the same range is registered twice, the net with more ancestors is the more
/// specific one.
#[derive(Debug)]
pub(super) struct Index {
    /// By first address, outer before inner.
    spans: Vec<Span>,
    exact: HashMap<Range, String>,
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
    pub(super) fn of(registry: &Registry) -> Self {
        let mut nets: Vec<(Range, usize, &Net)> = registry
            .nets
            .values()
            .filter_map(|net| net.range().map(|range| (range, ancestors(net, &registry.nets), net)))
            .collect();
        nets.sort_by_key(|((first, last), ancestors, net)| (*first, Reverse(*last), *ancestors, net.handle.as_str()));
        let mut index = Self { spans: Vec::with_capacity(nets.len()), exact: HashMap::with_capacity(nets.len()) };
        for (range, _, net) in nets {
            index.push(range, &net.handle);
        }
        index
    }

    /// Returns the most specific net that covers the range.
    pub(super) fn covering(&self, range: Range) -> Option<&str> {
        self.cover(range).map(|span| span.handle.as_str())
    }

    /// Returns the most specific net whose range is exactly this one.
    pub(super) fn exact(&self, range: Range) -> Option<&str> {
        self.exact.get(&range).map(String::as_str)
    }

    fn cover(&self, range: Range) -> Option<&Span> {
        let after = self.spans.partition_point(|span| span.range.0 <= range.0);
        let mut at = self.spans.get(after.checked_sub(1)?)?;
        while !covers(at.range, range) {
            at = self.spans.get(at.outer?)?;
        }
        Some(at)
    }

    fn push(&mut self, range: Range, handle: &str) {
        let mut outer = self.spans.len().checked_sub(1);
        while let Some(span) = outer.and_then(|at| self.spans.get(at)) {
            if covers(span.range, range) {
                break;
            }
            outer = span.outer;
        }
        self.spans.push(Span { range, handle: handle.to_owned(), outer });
        self.exact.insert(range, handle.to_owned());
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
    use crate::world::Holder;

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
    fn ranges_outside_of_everything_are_covered_by_nothing() {
        let index = Index::of(&nested());
        for outside in ["22.0.0.0/8", "23.0.0.0/8", "23.1.0.0/16", "2601::/32", "::/0"] {
            assert_eq!(index.covering(range(outside)), None, "{outside}");
        }
    }
}
