//! The small world: one of every peculiarity.
//!
//! | aggregate | at ARIN |
//! |---|---|
//! | 23.144.0.0/20 | an allocation with reassignments, simple and detailed, and a reallocation with nets of its own |
//! | 23.145.0.0/22, 23.145.4.0/22 | two halves of one allocation |
//! | 23.150.0.0/22 | the larger of the two blocks of one allocation |
//! | 2600:4000::/32 | an allocation with detailed reassignments and a reallocation |
//! | 2600:5000:100::/40 | reallocated by another organization |
//! | 23.160.0.0/24 | nobody's: only ARIN's own net covers it |
//! | 10.0.0.0/8 | private, not to be asked about |

use ipnet::IpNet;

use super::{
    Aggregate, Ipam, Prefix, World, calendar,
    companies::{self, ARIN, PROVIDER},
    registry::{Address, Holder, Net, Registry},
    subnets,
};

const AGGREGATES: [&str; 8] = [
    "23.144.0.0/20",
    "23.145.0.0/22",
    "23.145.4.0/22",
    "23.150.0.0/22",
    "2600:4000::/32",
    "2600:5000:100::/40",
    "23.160.0.0/24",
    "10.0.0.0/8",
];

/// Prefixes: so many subnets, of this length, from the start of this block on, in this VRF.
const PREFIXES: [(&str, u8, usize, Option<&str>); 42] = [
    ("23.144.0.0/24", 24, 1, None),
    ("23.144.0.0/24", 27, 8, None),
    ("23.144.1.0/24", 24, 1, None),
    ("23.144.1.0/24", 24, 1, Some("blue")),
    ("23.144.1.0/24", 28, 16, None),
    ("23.144.2.0/24", 24, 1, None),
    ("23.144.2.0/24", 27, 8, None),
    ("23.144.3.0/24", 26, 4, None),
    ("23.144.4.0/23", 23, 1, None),
    ("23.144.6.0/24", 24, 1, None),
    ("23.144.8.0/22", 22, 1, None),
    ("23.144.8.0/24", 25, 2, None),
    ("23.144.8.128/25", 26, 2, None),
    ("23.144.9.0/24", 28, 8, None),
    ("23.144.10.0/23", 24, 2, None),
    ("23.144.12.0/24", 24, 1, None),
    ("23.144.12.128/25", 25, 1, Some("blue")),
    ("23.144.12.128/25", 25, 1, Some("red")),
    ("23.144.13.0/31", 31, 1, None),
    ("23.144.13.2/32", 32, 1, None),
    ("23.144.13.8/29", 29, 1, None),
    ("23.144.13.16/28", 29, 2, None),
    ("23.144.14.0/24", 28, 16, None),
    ("23.144.15.0/24", 27, 8, None),
    ("23.145.0.0/22", 24, 4, None),
    ("23.145.0.0/24", 27, 8, None),
    ("23.145.4.0/22", 24, 4, None),
    ("23.145.5.0/24", 26, 4, None),
    ("23.150.0.0/22", 25, 8, None),
    ("2600:4000::/40", 48, 20, None),
    ("2600:4000:100::/40", 48, 6, None),
    ("2600:4000:8000::/40", 40, 1, None),
    ("2600:4000:8000::/40", 48, 10, None),
    ("2600:4000::/48", 64, 10, None),
    ("2600:4000:0:f::/64", 127, 3, None),
    ("2600:5000:100::/40", 48, 12, None),
    ("23.160.0.0/24", 26, 4, None),
    ("10.0.0.0/8", 16, 12, None),
    ("10.0.0.0/8", 16, 1, Some("red")),
    ("192.168.10.0/23", 24, 2, None),
    ("203.0.113.0/24", 24, 1, None),
    ("2001:db8::/32", 32, 1, None),
];

/// The tenants of prefixes: the provider itself, customers whose nets have their names, and one whose net has another
/// name.
const TENANTS: [(&str, &str); 7] = [
    ("23.144.0.0/24", "Example Networks"),
    ("23.144.1.0/24", "Caf\u{e9} Ex\u{e4}mple"),
    ("23.144.3.0/26", "Harbour Catch Ltd"),
    ("23.144.3.128/26", "Sample <Bakery> & Co"),
    ("23.144.13.8/29", "Sample Garage"),
    ("23.145.5.64/26", "Sample Clinic"),
    ("23.150.0.128/25", "Sample Museum"),
];

impl World {
    /// A small world with one of every peculiarity: one organization with six points of contact, eight aggregates, 200
    /// prefixes.
    #[must_use]
    pub fn demo() -> Self {
        let mut registry = Registry::default();
        registry.add_provider();
        registry.add_org(ARIN, "Example Regional Registry", companies::reston);
        registry.add_org("SAMPLE-3", "Sample Hosting LLC", companies::denver);
        registry.add_org("RESELLER-5", "R\u{e9}seau Exemple lt\u{e9}e", companies::montreal);
        registry.add_org("CARRIER-7", "Example Carrier & Sons GmbH", companies::berlin);
        fill_v4(&mut registry);
        fill_v6(&mut registry);
        Self { registry, ipam: ipam(), config: "example-arin".to_owned(), org_handle: PROVIDER.to_owned() }
    }
}

fn ipam() -> Ipam {
    let aggregate = |text: &str| Aggregate { prefix: net(text), rir: "ARIN".to_owned() };
    let prefixes = PREFIXES.iter().flat_map(|(base, length, count, vrf)| {
        subnets(net(base), *length).take(*count).map(|prefix| Prefix { prefix, vrf: vrf.map(str::to_owned) })
    });
    let tenants = TENANTS.iter().map(|(prefix, tenant)| (net(prefix), (*tenant).to_owned()));
    Ipam { aggregates: AGGREGATES.map(aggregate).to_vec(), prefixes: prefixes.collect(), tenants: tenants.collect() }
}

fn fill_v4(registry: &mut Registry) {
    let arin = arins_own(registry, "NET-23-0-0-0-0", "23.0.0.0/8");
    let first = allocation(registry, &arin, "23.144.0.0/20");
    simple(registry, &first, "23.144.1.0/24", "Caf\u{e9} Ex\u{e4}mple lt\u{e9}e", companies::montreal());
    detailed(registry, &first, "23.144.2.0/24", "SAMPLE-3");
    simple(registry, &first, "23.144.3.0/26", "Sample Fisheries", companies::bridgetown());
    let private = simple(registry, &first, "23.144.3.64/26", "Private Customer", companies::denver());
    if let Some(customer) = registry.customers.get_mut(&private) {
        customer.private = Some(true);
    }
    simple(registry, &first, "23.144.3.128/26", "Sample <Bakery> & Co", companies::denver());
    simple(registry, &first, "23.144.4.0/23 23.144.6.0/24", "Sample School District", companies::somewhere(11));
    simple(registry, &first, "23.144.13.8/29", "Sample Garage", companies::somewhere(12));
    let resold = cut(registry, &first, "A", "23.144.8.0/22", Holder::Org("RESELLER-5".to_owned()));
    simple(registry, &resold, "23.144.8.0/25", "Sample Theatre", companies::somewhere(16));
    detailed(registry, &resold, "23.144.8.128/26", "SAMPLE-3");
    let halves = allocation(registry, &arin, "23.145.0.0/21");
    simple(registry, &halves, "23.145.0.32/27", "Sample Library", companies::somewhere(17));
    simple(registry, &halves, "23.145.5.64/26", "Sample Clinic", companies::somewhere(20));
    let blocks = allocation(registry, &arin, "23.150.0.0/22 23.150.4.0/23");
    simple(registry, &blocks, "23.150.0.128/25", "Sample Museum", companies::somewhere(21));
    detailed(registry, &blocks, "23.150.1.0/25", "SAMPLE-3");
}

fn fill_v6(registry: &mut Registry) {
    let arin = arins_own(registry, "NET6-2600-0", "2600::/12");
    let own = allocation(registry, &arin, "2600:4000::/32");
    detailed(registry, &own, "2600:4000:100::/48", "SAMPLE-3");
    detailed(registry, &own, "2600:4000:102::/48", "CARRIER-7");
    let resold = cut(registry, &own, "A", "2600:4000:8000::/40", Holder::Org("RESELLER-5".to_owned()));
    detailed(registry, &resold, "2600:4000:8001::/48", "SAMPLE-3");
    let carrier = cut(registry, &arin, "DA", "2600:5000::/24", Holder::Org("CARRIER-7".to_owned()));
    let ours = cut(registry, &carrier, "A", "2600:5000:100::/40", Holder::Org(PROVIDER.to_owned()));
    detailed(registry, &ours, "2600:5000:103::/48", "SAMPLE-3");
}

/// The net that ARIN's allocations are cut from.
fn arins_own(registry: &mut Registry, handle: &str, block: &str) -> String {
    let net = Net {
        handle: handle.to_owned(),
        name: "EXAMPLE-REGISTRY".to_owned(),
        net_type: "AR".to_owned(),
        blocks: nets(block),
        parent: None,
        holder: Holder::Org(ARIN.to_owned()),
        registered: None,
        updated: Some(calendar::last_change(0)),
        comment: vec!["Space held by the registry.".to_owned()],
        pocs: Vec::new(),
    };
    registry.nets.insert(handle.to_owned(), net);
    handle.to_owned()
}

fn allocation(registry: &mut Registry, arin: &str, blocks: &str) -> String {
    cut(registry, arin, "DA", blocks, Holder::Org(PROVIDER.to_owned()))
}

fn detailed(registry: &mut Registry, parent: &str, blocks: &str, org: &str) {
    cut(registry, parent, "S", blocks, Holder::Org(org.to_owned()));
}

/// Reassigns a net to a new customer, and returns the handle of that customer.
fn simple(registry: &mut Registry, parent: &str, blocks: &str, name: &str, address: Address) -> String {
    let customer = registry.add_customer(PROVIDER, name, Some(address));
    cut(registry, parent, "S", blocks, Holder::Customer(customer.clone()));
    customer
}

fn cut(registry: &mut Registry, parent: &str, net_type: &str, blocks: &str, holder: Holder) -> String {
    registry.put_net(net_type, &nets(blocks), Some(parent.to_owned()), holder)
}

fn nets(blocks: &str) -> Vec<IpNet> {
    blocks.split(' ').map(net).collect()
}

#[expect(clippy::expect_used, reason = "all texts are in this file, and its tests read every one of them")]
fn net(text: &str) -> IpNet {
    text.parse().expect("a block")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn the_demo_is_as_large_as_it_says() {
        let world = World::demo();
        let org = &world.registry.orgs[&world.org_handle];
        let pocs: BTreeSet<&str> = org.pocs.iter().map(|link| link.handle.as_str()).collect();
        assert_eq!((pocs.len(), world.ipam.aggregates.len(), world.ipam.prefixes.len()), (6, 8, 200));
    }

    #[test]
    fn every_function_is_taken_and_one_poc_has_several() {
        let world = World::demo();
        let links = &world.registry.orgs[&world.org_handle].pocs;
        let functions: BTreeSet<&str> = links.iter().map(|link| link.function.as_str()).collect();
        assert_eq!(functions, BTreeSet::from(["AB", "AD", "D", "N", "R", "T"]));
        assert_eq!(links.iter().filter(|link| link.handle == "NETOP3-ARIN").count(), 3);
    }

    #[test]
    fn nothing_is_twice_in_one_table() {
        let world = World::demo();
        let distinct: BTreeSet<_> = world.ipam.prefixes.iter().map(|p| (p.prefix, &p.vrf)).collect();
        assert_eq!(distinct.len(), 200);
    }

    #[test]
    fn a_poc_lives_at_the_orgs_address() {
        let registry = World::demo().registry;
        assert_eq!(registry.pocs["EXAMP1-ARIN"].address, registry.orgs[PROVIDER].address);
    }

    #[test]
    fn the_kinds_of_nets_are_all_there() {
        let registry = World::demo().registry;
        let mut kinds = BTreeMap::<String, usize>::new();
        for net in registry.nets.values() {
            let holder = if matches!(net.holder, Holder::Customer(_)) { "customer" } else { "org" };
            let blocks = if net.blocks.len() > 1 { " in blocks" } else { "" };
            *kinds.entry(format!("{} {holder}{blocks}", net.net_type)).or_default() += 1;
        }
        insta::assert_debug_snapshot!(kinds, @r#"
        {
            "A org": 3,
            "AR org": 2,
            "DA org": 4,
            "DA org in blocks": 1,
            "S customer": 9,
            "S customer in blocks": 1,
            "S org": 7,
        }
        "#);
    }
}
