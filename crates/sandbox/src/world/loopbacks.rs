//! A benchmark's world with a great many loopbacks and links, of which ARIN knows nothing.

use ipnet::IpNet;

use super::{Prefix, World, subnets};

impl World {
    /// Makes the world M of [`World::sized`] with `count` more prefixes, none of which is registered or lies in a
    /// reassigned net: of IPv4 loopbacks (/32) and links (/31, /30), of IPv6 a /64 each. They take turns among the
    /// aggregates. There is room for about 60,000; beyond that it is smaller than asked.
    #[must_use]
    pub fn with_loopbacks(count: usize) -> Self {
        let mut world = Self::sized(10, 1_000);
        let mut sources: Vec<_> = world.ipam.aggregates.iter().map(|aggregate| small(aggregate.prefix)).collect();
        let mut more = Vec::with_capacity(count);
        while more.len() < count {
            let before = more.len();
            let turn = sources.iter_mut().filter_map(Iterator::next);
            more.extend(turn.take(count - before).map(|prefix| Prefix { prefix, vrf: None }));
            if more.len() == before {
                break;
            }
        }
        world.ipam.prefixes.extend(more);
        world
    }
}

/// The loopbacks and links of an aggregate. They lie in its last quarter, which [`World::sized`] leaves empty in M.
fn small(aggregate: IpNet) -> Box<dyn Iterator<Item = IpNet>> {
    let mut parts = aggregate.subnets(aggregate.prefix_len() + 4).into_iter().flatten().skip(12);
    let mut part = move |length| parts.next().into_iter().flat_map(move |part| subnets(part, length));
    if aggregate.network().is_ipv6() {
        return Box::new(part(64));
    }
    let (mut links, mut pairs) = (part(30), part(31));
    let mut loopbacks = part(32).chain(part(32));
    let turns = (0..).map_while(move |turn: usize| match turn % 25 {
        0..4 => links.next(),
        4..10 => pairs.next(),
        _ => loopbacks.next(),
    });
    Box::new(turns)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::world::Index;

    #[test]
    fn loopbacks_and_links_lie_in_allocations_and_nowhere_else() {
        let (plain, world) = (World::sized(10, 1_000), World::with_loopbacks(50_000));
        let index = Index::of(&world.registry);
        let mut lengths = BTreeMap::<u8, usize>::new();
        for Prefix { prefix, .. } in world.ipam.prefixes.iter().skip(1_000) {
            let range = (prefix.network(), prefix.broadcast());
            let allocation = index.covering(range).unwrap();
            assert_eq!(world.registry.nets[allocation].parent, None, "{prefix} lies in {allocation}");
            assert_eq!(index.inside(range).count(), 0, "{prefix}");
            *lengths.entry(prefix.prefix_len()).or_default() += 1;
        }
        assert_eq!(lengths, BTreeMap::from([(30, 6_400), (31, 9_600), (32, 24_000), (64, 10_000)]));
        assert_eq!((&world.registry, &world.ipam.aggregates), (&plain.registry, &plain.ipam.aggregates));
    }

    #[test]
    fn no_prefix_is_there_twice_or_inside_of_another_than_those_of_m() {
        let world = World::with_loopbacks(50_000);
        let distinct: BTreeSet<IpNet> = world.ipam.prefixes.iter().map(|prefix| prefix.prefix).collect();
        assert_eq!(distinct.len(), 51_000);
        let sorted: Vec<IpNet> = distinct.into_iter().collect();
        let small = |net: &IpNet| matches!(net.prefix_len(), 30..=32 | 64);
        let overlaps = sorted.windows(2).filter(|pair| pair[0].contains(&pair[1]) && small(&pair[0]));
        assert_eq!(overlaps.count(), 0);
    }

    #[test]
    fn the_same_number_is_the_same_world() {
        assert_eq!(World::with_loopbacks(100), World::with_loopbacks(100));
    }
}
