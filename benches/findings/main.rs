//! Measures how long it takes to judge a large address plan by a large registry, and how much memory, and prints
//! Markdown.
//!
//! ```text
//! cargo bench --bench findings -- [prefixes/nets]...
//! ```
//!
//! The aggregates are 400 allocations of a /16, each with as many prefixes and reassigned nets as any other. As many
//! prefixes as there are nets are registered; one in ten of these for a customer of another name. Of the others every
//! second one is assigned and not registered, and has a history of three changes. The bound is to copy all of it once,
//! as whoever judges has to look at everything.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use ipnet::{IpNet, Ipv4Net};
use jiff::{Timestamp, civil::date};
use rir_sidecar::{
    config,
    findings::{
        AddressPlan, Kind, Registrations,
        address_plan::{
            JudgingConfig, PlannedAddress, PlannedAggregate, PlannedPrefix, PrefixChange, PrefixState, Tenant,
        },
        judge,
        registrations::{RecordedCustomer, RecordedNet},
    },
    model::{
        Address, CustomerHandle, Holder, Instance, Look, LookSource, NetBlock, NetHandle, NetType, OrgHandle, RowId,
    },
};
use url::Url;

const AGGREGATES: u32 = 400;
const FIRST_AGGREGATE: u32 = 20 << 24;
const TENANTS: u64 = 2000;
const CONFIG: RowId = RowId(1);
const RIR: RowId = RowId(1);
const ORG: &str = "EXAMPLE-1";
/// Without an argument: the worlds of docs/benchmarks.md.
const WORLDS: [&str; 2] = ["10000/2000", "100000/20000"];
/// How often each is judged; the median is told.
const TIMES: usize = 3;

/// An address plan and its registrations.
#[derive(Clone)]
struct World {
    plan: AddressPlan,
    registrations: Registrations,
}

fn main() {
    let mut asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if asked.is_empty() {
        asked = WORLDS.map(str::to_owned).to_vec();
    }
    println!("| prefixes | nets | findings | seconds | bound s | ratio | input MB | peak MB |");
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for text in asked {
        let (prefixes, nets) = text.split_once('/').unwrap();
        let (prefixes, nets) = (prefixes.parse().unwrap(), nets.parse().unwrap());
        println!("| {prefixes} | {nets} | {}", measure(prefixes, nets));
    }
}

/// Judges a world several times and returns the rest of its row.
fn measure(prefixes: u32, nets: u32) -> String {
    let world = World::new(prefixes / AGGREGATES, nets / AGGREGATES);
    let input = memory("VmRSS:");
    let (policy, now) = (policy(), "2026-03-20T12:00:00Z".parse().unwrap());
    let (mut took, mut findings) = (Vec::new(), 0);
    for _ in 0..TIMES {
        let started = Instant::now();
        let mut all = Vec::new();
        judge((&world.plan, &world.registrations), &policy, now, &mut |finding| all.push(finding));
        took.push(started.elapsed().as_secs_f64());
        let count = |kind| all.iter().filter(|finding| finding.kind == kind).count();
        let (late, renamed) = (count(Kind::Unregistered) + count(Kind::Overdue), count(Kind::CustomerName));
        assert_eq!(late, ((prefixes - nets) / 2) as usize, "what is assigned and not registered is found");
        assert_eq!(renamed, (nets / 10) as usize, "what is registered for others is found");
        findings = all.len();
    }
    // Before the copy, which takes memory too.
    let peak = memory("VmHWM:");
    let started = Instant::now();
    let copy = std::hint::black_box(world.clone());
    let bound = started.elapsed().as_secs_f64();
    drop(copy);
    took.sort_by(f64::total_cmp);
    let median = took.get(TIMES / 2).copied().unwrap();
    let ratio = median / bound;
    format!("{findings} | {median:.2} | {bound:.3} | {ratio:.1} | {input:.0} | {peak:.0} |")
}

/// Returns a figure about the memory of this process, in MB.
fn memory(figure: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

fn policy() -> config::Findings {
    config::Findings {
        own_tenants: Some(BTreeSet::new()),
        own_tenant_groups: None,
        public_vrfs: BTreeSet::new(),
        assigned_statuses: BTreeSet::from(["active".to_owned()]),
        deadline: Duration::from_secs(7 * 24 * 3600),
        since_field: String::new(),
        legal_name_field: String::new(),
        announced_tag: String::new(),
        residential_tag: String::new(),
        opt_out_tag: String::new(),
        net_name_template: String::new(),
        baseline: None,
        voluntary: false,
        ticket_age: Duration::from_secs(14 * 24 * 3600),
    }
}

fn arin() -> Instance {
    Instance::of(&Url::parse(Instance::PRODUCTION).unwrap())
}

fn range(aggregate: u32, number: u32) -> IpNet {
    let first = Ipv4Addr::from(FIRST_AGGREGATE + (aggregate << 16) + number * 8);
    Ipv4Net::new(first, 29).unwrap().into()
}

fn address() -> Address {
    Address {
        street: vec!["100 Example Way".to_owned()],
        city: Some("Example".to_owned()),
        state_province: Some("VA".to_owned()),
        postal_code: Some("20151".to_owned()),
        country: Some("US".to_owned()),
    }
}

fn tenant(number: u64) -> String {
    format!("Tenant {number}")
}

impl World {
    /// A world with so many prefixes and nets in each aggregate.
    fn new(prefixes: u32, nets: u32) -> Self {
        let mut world = Self { plan: AddressPlan::default(), registrations: Registrations::default() };
        world.plan.configs.push(JudgingConfig {
            id: CONFIG,
            name: "Example".to_owned(),
            instance: arin(),
            rir: Some(RIR),
            org: OrgHandle::new(ORG),
            sync_interval: Duration::from_secs(24 * 3600),
        });
        world.plan.oldest_change = Some("2025-12-20T00:00:00Z".parse().unwrap());
        for number in 1..=TENANTS {
            let (name, id) = (tenant(number), RowId(number));
            let slug = format!("tenant-{number}");
            let tenant = Tenant { name, slug, group: None, tags: BTreeSet::new(), legal_name: None };
            world.plan.tenants.insert(id, tenant);
            world.plan.addresses.push(PlannedAddress { row: id, address: address(), tenant: Some(id), site: None });
        }
        for aggregate in 0..AGGREGATES {
            world.add_aggregate(aggregate);
            for number in 0..prefixes {
                let at = range(aggregate, number);
                let id = world.plan.prefixes.len() as u64 + 1;
                let registered = number < nets;
                world.add_prefix(id, at, registered || (number - nets).is_multiple_of(2));
                if registered {
                    world.add_net(id, at, aggregate);
                }
            }
        }
        world
    }

    fn add_aggregate(&mut self, number: u32) {
        let first = Ipv4Addr::from(FIRST_AGGREGATE + (number << 16));
        let (id, prefix) = (RowId(number.into()), IpNet::V4(Ipv4Net::new(first, 16).unwrap()));
        self.plan.aggregates.push(PlannedAggregate { id, prefix, rir: RIR, tenant: None });
        self.registrations.looks.aggregates.push(Look {
            config: CONFIG,
            aggregate: id,
            complete: Some("2026-03-20T11:00:00Z".parse().unwrap()),
            source: LookSource::Listing,
            failed: None,
            unanswered: BTreeMap::new(),
            asked: BTreeMap::new(),
            listed: Vec::new(),
        });
        let holder = OrgHandle::new(ORG).map(Holder::Org);
        let net = Self::net(&format!("NET-{number}"), prefix, (NetType::DirectAllocation, holder));
        self.registrations.nets.push(net);
    }

    fn add_prefix(&mut self, id: u64, prefix: IpNet, assigned: bool) {
        let tenant = assigned.then_some(RowId(id % TENANTS + 1));
        let made: Timestamp = "2025-06-01T00:00:00Z".parse().unwrap();
        if assigned {
            self.plan.histories.insert(RowId(id), history(prefix, tenant));
        }
        self.plan.prefixes.push(PlannedPrefix {
            id: RowId(id),
            prefix,
            vrf: None,
            tenant,
            status: "active".into(),
            site: None,
            tags: BTreeSet::new(),
            assigned_on: None,
            created: Some(made),
            last_updated: Some(made),
        });
    }

    /// A net for the tenant of a prefix; one in ten has a customer of another name.
    fn add_net(&mut self, id: u64, at: IpNet, aggregate: u32) {
        let customer = CustomerHandle::new(&format!("C{id}")).unwrap();
        let holder = Some(Holder::Customer(customer.clone()));
        let mut net = Self::net(&format!("NET-S-{id}"), at, (NetType::Reassigned, holder));
        (net.row, net.parent) = (RowId(id), NetHandle::new(&format!("NET-{aggregate}")));
        self.registrations.nets.push(net);
        let name = tenant(id % TENANTS + 1);
        self.registrations.customers.push(RecordedCustomer {
            row: RowId(id),
            config: CONFIG,
            instance: arin(),
            handle: customer,
            name: if self.registrations.customers.len().is_multiple_of(10) { format!("Formerly {name}") } else { name },
            registered: true,
            private: Some(false),
            address: Some(address()),
            network: Some(RowId(id)),
            tenant: None,
        });
    }

    fn net(handle: &str, range: IpNet, (kind, holder): (NetType, Option<Holder>)) -> RecordedNet {
        RecordedNet {
            row: RowId(u64::MAX),
            config: CONFIG,
            instance: arin(),
            handle: NetHandle::new(handle).unwrap(),
            name: handle.to_owned(),
            registered: true,
            kind: Some(kind),
            blocks: vec![NetBlock::from(range)],
            parent: None,
            holder,
            registered_on: Some(date(2026, 3, 17)),
        }
    }
}

/// It was created free, given to the tenant on the 10th, and tagged later.
fn history(prefix: IpNet, tenant: Option<RowId>) -> Vec<PrefixChange> {
    let state = |tenant, tag: &str| PrefixState {
        prefix: Some(prefix),
        vrf: None,
        tenant,
        status: "active".to_owned(),
        tags: [tag].into_iter().filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
    };
    let states = [
        ("2026-03-01T08:00:00Z", state(None, "")),
        ("2026-03-10T08:00:00Z", state(tenant, "")),
        ("2026-03-12T08:00:00Z", state(tenant, "Something")),
    ];
    let mut before = None;
    let mut changes = Vec::new();
    for (at, after) in states {
        changes.push(PrefixChange {
            at: at.parse().unwrap(),
            before: before.replace(after.clone()),
            after: Some(after),
        });
    }
    changes
}
