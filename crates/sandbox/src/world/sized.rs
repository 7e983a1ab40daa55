//! Worlds as large as a benchmark wants.
//!
//! Of the prefixes, 15 % are exactly a registered net (70 % of these simple reassignments, 25 % detailed ones, 5 %
//! reallocations with two nets of their own below), 35 % are smaller subnets inside such a net, and the rest lies
//! directly in the allocation. Each aggregate is one allocation: a /16 of IPv4, or for one aggregate in five a /32 of
//! IPv6. ARIN knows no simple reassignments of IPv6, so those are detailed or reallocations.
//!
//! The lower half of an allocation is cut into slots with one net in each, the upper half into slots with one direct
//! prefix in each.

use fastrand::Rng;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{
    Aggregate, Ipam, Prefix, World,
    companies::{self, PROVIDER},
    registry::{Holder, Registry},
    subnets,
};

const SEED: u64 = 0x5eed;

/// The way in which a net that a prefix stands for was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Simple,
    Detailed,
    Reallocation,
}

/// An allocation and how far its slots are used up.
struct Allocation {
    handle: String,
    /// The slots for nets.
    nets: Vec<IpNet>,
    /// The slots for direct prefixes.
    direct: Vec<IpNet>,
}

struct Builder {
    registry: Registry,
    ipam: Ipam,
    rng: Rng,
    /// Organizations that were given nets so far.
    recipients: usize,
}

impl World {
    /// Makes a world of `aggregates` aggregates and `prefixes` prefixes, for benchmarks: S is (4, 100), M (10, 1,000),
    /// L (40, 10,000). There is room for about 2,000 prefixes in each of at most 200 aggregates; beyond that it is
    /// smaller than asked.
    #[must_use]
    pub fn sized(aggregates: usize, prefixes: usize) -> Self {
        let rng = Rng::with_seed(SEED);
        let mut builder = Builder { registry: Registry::default(), ipam: Ipam::default(), rng, recipients: 0 };
        builder.registry.add_provider();
        builder.fill(aggregates, prefixes);
        let Builder { registry, ipam, .. } = builder;
        Self { registry, ipam, config: "example-arin".to_owned(), org_handle: PROVIDER.to_owned() }
    }
}

impl Builder {
    fn fill(&mut self, aggregates: usize, prefixes: usize) {
        let (exact, inside) = (prefixes * 15 / 100, prefixes * 35 / 100);
        let direct = prefixes - exact - inside;
        let mut allocations = self.allocations(aggregates, exact, direct);
        let nets = self.place_nets(&mut allocations, &kinds(exact));
        self.place_inside(&nets, inside);
        self.place_direct(&mut allocations, direct);
        self.rng.shuffle(&mut self.ipam.prefixes);
    }

    /// One allocation for each aggregate, those of IPv6 first.
    fn allocations(&mut self, aggregates: usize, nets: usize, direct: usize) -> Vec<Allocation> {
        let v6 = (aggregates + 1) / 5;
        let blocks = (0..aggregates).filter_map(|n| if n < v6 { v6_block(n) } else { v4_block(n - v6) });
        let each = |count: usize| count.div_ceil(aggregates.max(1));
        let mut allocations = Vec::new();
        for block in blocks.collect::<Vec<_>>() {
            let handle = self.registry.put_net("DA", &[block], None, Holder::Org(PROVIDER.to_owned()));
            self.ipam.aggregates.push(Aggregate { prefix: block, rir: "ARIN".to_owned() });
            let mut halves = subnets(block, block.prefix_len() + 1);
            let mut slots = |count| halves.next().map(|half| slots(half, count)).unwrap_or_default();
            allocations.push(Allocation { handle, nets: slots(each(nets)), direct: slots(each(direct)) });
        }
        allocations
    }

    /// Registers a net of each kind and a prefix for it. The kinds come in an order in which IPv6 has no simple ones.
    fn place_nets(&mut self, allocations: &mut [Allocation], kinds: &[Kind]) -> Vec<IpNet> {
        let mut placed = Vec::new();
        let slots = allocations.iter_mut().flat_map(|allocation| {
            let handle = allocation.handle.clone();
            std::mem::take(&mut allocation.nets).into_iter().map(move |slot| (handle.clone(), slot))
        });
        for ((parent, slot), kind) in slots.zip(kinds) {
            let block = self.shrunk(slot);
            self.register(&parent, block, *kind);
            self.prefix(block);
            placed.push(block);
        }
        placed
    }

    fn register(&mut self, parent: &str, block: IpNet, kind: Kind) {
        let (net_type, holder) = match kind {
            Kind::Simple => ("S", self.customer()),
            Kind::Detailed => ("S", self.recipient()),
            Kind::Reallocation => ("A", self.recipient()),
        };
        let handle = self.registry.put_net(net_type, &[block], Some(parent.to_owned()), holder);
        if kind == Kind::Reallocation {
            for below in subnets(block, block.prefix_len() + 2).take(2) {
                let holder = if block.network().is_ipv4() { self.customer() } else { self.recipient() };
                self.registry.put_net("S", &[below], Some(handle.clone()), holder);
            }
        }
    }

    /// Prefixes inside the nets, in turns; some are as long as can be.
    fn place_inside(&mut self, nets: &[IpNet], count: usize) {
        let turns = (0..).flat_map(|turn| nets.iter().map(move |net| (turn, *net)));
        for (turn, net) in turns.take(if nets.is_empty() { 0 } else { count }) {
            let step = if net.network().is_ipv4() { 3 } else { 8 };
            let Some(subnet) = subnets(net, net.prefix_len() + step).nth(turn) else { return };
            let tiny = self.rng.u8(..8) == 0;
            self.prefix(if tiny { subnets(subnet, subnet.max_prefix_len()).next().unwrap_or(subnet) } else { subnet });
        }
    }

    /// Prefixes that are nobody's but the allocation's, in turns among the allocations.
    fn place_direct(&mut self, allocations: &mut [Allocation], count: usize) {
        let mut left = count;
        while left > 0 {
            let before = left;
            for allocation in allocations.iter_mut() {
                if left > 0
                    && let Some(slot) = allocation.direct.pop()
                {
                    let block = self.shrunk(slot);
                    self.prefix(block);
                    left -= 1;
                }
            }
            if left == before {
                return;
            }
        }
    }

    /// The start of a slot, all of it or up to two bits less.
    fn shrunk(&mut self, slot: IpNet) -> IpNet {
        let length = slot.prefix_len() + self.rng.u8(..3);
        subnets(slot, length).next().unwrap_or(slot)
    }

    fn prefix(&mut self, prefix: IpNet) {
        let vrf = (self.rng.u8(..10) == 0).then(|| "customers".to_owned());
        self.ipam.prefixes.push(Prefix { prefix, vrf });
    }

    fn customer(&mut self) -> Holder {
        let number = self.registry.customers.len() + 1;
        let name = format!("Sample Customer {number}");
        Holder::Customer(self.registry.add_customer(PROVIDER, &name, Some(companies::somewhere(number))))
    }

    /// An organization; each is given three nets.
    fn recipient(&mut self) -> Holder {
        let number = self.recipients / 3 + 1;
        let handle = format!("SAMPLE-{number}");
        if self.recipients.is_multiple_of(3) {
            self.registry.add_org(&handle, &format!("Sample Organization {number}"), companies::denver);
        }
        self.recipients += 1;
        Holder::Org(handle)
    }
}

/// So many kinds in their shares: first detailed ones and reallocations, mixed, then simple ones.
fn kinds(count: usize) -> Vec<Kind> {
    let (detailed, reallocated) = ((count * 25 + 50) / 100, (count * 5 + 50) / 100);
    let every = (detailed + reallocated) / reallocated.max(1);
    let mut kinds = vec![Kind::Simple; count];
    for (at, kind) in kinds.iter_mut().take(detailed + reallocated).enumerate() {
        let turn = every > 0 && at % every == every - 1 && at / every < reallocated;
        *kind = if turn { Kind::Reallocation } else { Kind::Detailed };
    }
    kinds
}

/// The first `count` slots of a block, as large as can be but no larger than a site usually gets.
fn slots(block: IpNet, count: usize) -> Vec<IpNet> {
    let bits = u8::try_from(count.max(1).next_power_of_two().ilog2()).unwrap_or(u8::MAX);
    let (shortest, longest) = if block.network().is_ipv4() { (24, 27) } else { (46, 54) };
    let length = block.prefix_len().saturating_add(bits).clamp(shortest, longest);
    subnets(block, length).take(count).collect()
}

fn v4_block(number: usize) -> Option<IpNet> {
    let second = u8::try_from(number).ok()?;
    Ipv4Net::new([23, second, 0, 0].into(), 16).ok().map(IpNet::V4)
}

fn v6_block(number: usize) -> Option<IpNet> {
    let second = u16::try_from(number).ok()?;
    Ipv6Net::new([0x2600, 0x4000_u16.checked_add(second)?, 0, 0, 0, 0, 0, 0].into(), 32).ok().map(IpNet::V6)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const SIZES: [(usize, usize); 3] = [(4, 100), (10, 1_000), (40, 10_000)];

    /// Returns how many prefixes are simple reassignments, detailed ones, reallocations, inside of one, direct.
    fn census(world: &World) -> [usize; 5] {
        let nets: BTreeMap<IpNet, &super::super::Net> =
            world.registry.nets.values().filter(|net| net.parent.is_some()).map(|net| (net.blocks[0], net)).collect();
        let mut census = [0; 5];
        for Prefix { prefix, .. } in &world.ipam.prefixes {
            let around = std::iter::successors(prefix.supernet(), IpNet::supernet).filter(|net| nets.contains_key(net));
            let at = match nets.get(prefix) {
                Some(net) if net.net_type == "A" => 2,
                Some(net) if matches!(net.holder, Holder::Org(_)) => 1,
                Some(_) => 0,
                None if around.count() > 0 => 3,
                None => 4,
            };
            census[at] += 1;
        }
        census
    }

    #[test]
    fn the_same_size_is_the_same_world() {
        assert_eq!(World::sized(10, 1_000), World::sized(10, 1_000));
    }

    #[test]
    fn worlds_are_as_large_as_asked() {
        for (aggregates, prefixes) in SIZES {
            let world = World::sized(aggregates, prefixes);
            let distinct: BTreeSet<IpNet> = world.ipam.prefixes.iter().map(|p| p.prefix).collect();
            assert_eq!((world.ipam.aggregates.len(), distinct.len()), (aggregates, prefixes));
        }
    }

    #[test]
    fn the_shares_hold() {
        let all = SIZES.map(|(aggregates, prefixes)| census(&World::sized(aggregates, prefixes)));
        assert_eq!(all, [[10, 4, 1, 35, 50], [104, 38, 8, 350, 500], [1_050, 375, 75, 3_500, 5_000]]);
    }

    #[test]
    fn every_net_lies_in_its_parent_and_beside_its_siblings() {
        for (aggregates, prefixes) in SIZES {
            let registry = World::sized(aggregates, prefixes).registry;
            let mut by_parent = BTreeMap::<&String, Vec<IpNet>>::new();
            for net in registry.nets.values() {
                let Some(parent) = &net.parent else { continue };
                assert!(registry.nets[parent].blocks[0].contains(&net.blocks[0]), "{}", net.handle);
                by_parent.entry(parent).or_default().push(net.blocks[0]);
            }
            for siblings in by_parent.values_mut() {
                siblings.sort();
                assert!(siblings.windows(2).all(|pair| !pair[0].contains(&pair[1])), "{siblings:?}");
            }
        }
    }

    #[test]
    fn reallocations_have_nets_of_their_own() {
        let registry = World::sized(10, 1_000).registry;
        for net in registry.nets.values().filter(|net| net.net_type == "A") {
            assert_eq!(registry.nets.values().filter(|below| below.parent.as_ref() == Some(&net.handle)).count(), 2);
        }
    }

    #[test]
    fn simple_reassignments_are_of_ipv4_and_each_has_its_own_customer() {
        let registry = World::sized(40, 10_000).registry;
        let mut seen = BTreeSet::new();
        for net in registry.nets.values() {
            let Holder::Customer(customer) = &net.holder else { continue };
            assert!(net.blocks[0].network().is_ipv4() && seen.insert(customer), "{}", net.handle);
        }
        assert_eq!(seen.len(), registry.customers.len());
    }

    #[test]
    fn every_prefix_is_in_an_aggregate() {
        let world = World::sized(40, 10_000);
        for Prefix { prefix, .. } in &world.ipam.prefixes {
            assert!(world.ipam.aggregates.iter().any(|aggregate| aggregate.prefix.contains(prefix)), "{prefix}");
        }
    }
}
