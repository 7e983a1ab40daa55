//! What is to be found in a world of an address plan and registrations, and what beside it is not.
//!
//! Each test plants what it is about beside its nearest innocent neighbour, and expects all findings of that world in
//! the form of [`found`]. [`World::new`] is a plan that is in order: two aggregates, IPv4 and IPv6, both allocated to
//! the config's organization, and looked at an hour ago.

mod aggregates;
mod assigned;
mod chance;
mod covering;
mod customers;
mod differing;
mod holders;
mod interplay;
mod leave_alone;
mod not_known;
mod recorded_only;
mod requests;
mod since;
mod table;
mod whose;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    time::Duration,
};

use ipnet::IpNet;
use jiff::{Timestamp, civil::Date};

use super::{Judgement, judge};
use crate::{
    config,
    findings::{
        AddressPlan, Finding, Kind, Registrations, Subject,
        address_plan::{
            Deletion, JudgingConfig, PlannedAddress, PlannedAggregate, PlannedPrefix, PrefixChange, PrefixState,
            Tenant, TenantGroup,
        },
        registrations::{ChangeRequest, RecordedCustomer, RecordedNet, RecordedOrg, Ticket},
    },
    model::{
        Address, Answer, CustomerHandle, Holder, Instance, ListedNet, Look, LookSource, NetBlock, NetHandle, NetType,
        ObjectType, OrgHandle, PocFunction, Recipient, RowId, Standing,
    },
};

/// The organization of the config.
const US: &str = "EXAMPLE-1";
/// The RIR of the aggregates.
const RIR: RowId = RowId(9);
/// What is found where all is well.
const NOTHING: [&str; 0] = [];

/// An address plan, the registrations, and what the operator wants.
#[derive(Debug, Clone)]
struct World {
    plan: AddressPlan,
    registrations: Registrations,
    policy: config::Findings,
    now: Timestamp,
    last_row: u64,
}

fn cidr(text: &str) -> IpNet {
    let net: IpNet = text.parse().unwrap();
    assert_eq!(net, net.trunc(), "the prefix has host bits");
    net
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// A time, or the beginning of a day.
fn time(text: &str) -> Timestamp {
    if text.contains('T') { text.parse().unwrap() } else { format!("{text}T00:00:00Z").parse().unwrap() }
}

fn texts<const N: usize>(all: [&str; N]) -> BTreeSet<String> {
    all.into_iter().map(str::to_owned).collect()
}

fn arin() -> Instance {
    Instance::of(&url::Url::parse(Instance::PRODUCTION).unwrap())
}

fn net_handle(text: &str) -> NetHandle {
    NetHandle::new(text).unwrap()
}

fn org_handle(text: &str) -> OrgHandle {
    OrgHandle::new(text).unwrap()
}

/// A range as a prefix, `23.0.0.0/24`, or from first to last address, `23.0.0.0-23.0.1.127`.
fn block(text: &str) -> NetBlock {
    match text.split_once('-') {
        Some((first, last)) => NetBlock::new(first.parse().unwrap(), last.parse().unwrap()).unwrap(),
        None => NetBlock::from(cidr(text)),
    }
}

/// The address that every tenant and every customer has, unless a test says otherwise.
fn main_street() -> Address {
    Address {
        street: vec!["1 Main St".into()],
        city: Some("Springfield".into()),
        state_province: Some("VA".into()),
        postal_code: Some("22150".into()),
        country: Some("US".into()),
    }
}

fn policy() -> config::Findings {
    config::Findings {
        own_tenants: Some(texts(["us"])),
        own_tenant_groups: None,
        public_vrfs: texts(["internet"]),
        assigned_statuses: texts(["active"]),
        deadline: Duration::from_secs(7 * 24 * 3600),
        since_field: "assigned_on".into(),
        legal_name_field: "legal_name".into(),
        announced_tag: "announced".into(),
        residential_tag: String::new(),
        opt_out_tag: "leave-alone".into(),
        net_name_template: String::new(),
        baseline: None,
        voluntary: false,
        ticket_age: Duration::from_secs(14 * 24 * 3600),
    }
}

impl World {
    /// Noon of the 20th of March 2026, in a plan that is in order.
    fn new() -> Self {
        let mut world = Self {
            plan: AddressPlan::default(),
            registrations: Registrations::default(),
            policy: policy(),
            now: time("2026-03-20T12:00:00Z"),
            last_row: 1000,
        };
        world.plan.oldest_change = Some(time("2026-01-01"));
        world.plan.deletions = Some(Vec::new());
        world.config("Example", US);
        world.allocated("NET-23", "23.0.0.0/16", US);
        world.allocated("NET6-2600", "2600:100::/32", US);
        world
    }

    fn row(&mut self) -> RowId {
        self.last_row += 1;
        RowId(self.last_row)
    }

    /// One more config of the same RIR, at ARIN's production.
    fn config(&mut self, name: &str, org: &str) -> &mut JudgingConfig {
        let id = RowId(self.plan.configs.len() as u64 + 1);
        self.plan.configs.push(JudgingConfig {
            id,
            name: name.into(),
            instance: arin(),
            rir: Some(RIR),
            org: OrgHandle::new(org),
            sync_interval: Duration::from_secs(24 * 3600),
        });
        self.plan.configs.last_mut().unwrap()
    }

    /// An aggregate, at which the first config looked an hour ago.
    fn aggregate(&mut self, range: &str) -> &mut PlannedAggregate {
        let id = self.row();
        self.looked(RowId(1), id);
        self.plan.aggregates.push(PlannedAggregate { id, prefix: cidr(range), rir: RIR, tenant: None });
        self.plan.aggregates.last_mut().unwrap()
    }

    /// A complete look with the public listing, an hour ago.
    fn looked(&mut self, config: RowId, aggregate: RowId) {
        self.registrations.looks.aggregates.push(Look {
            config,
            aggregate,
            complete: Some(time("2026-03-20T11:00:00Z")),
            source: LookSource::Listing,
            failed: None,
            unanswered: BTreeMap::new(),
            asked: BTreeMap::new(),
            listed: Vec::new(),
        });
    }

    /// An aggregate and its allocation.
    fn allocated(&mut self, handle: &str, range: &str, org: &str) {
        self.aggregate(range);
        self.allocate(handle, range, org);
    }

    fn look(&mut self, range: &str) -> &mut Look {
        let aggregate = self.plan.aggregates.iter().find(|aggregate| aggregate.prefix == cidr(range)).unwrap().id;
        self.registrations.looks.aggregates.iter_mut().find(|look| look.aggregate == aggregate).unwrap()
    }

    /// A tenant with an address in Main Street. Its slug is its name in lower case.
    fn tenant(&mut self, name: &str) -> RowId {
        if let Some((id, _)) = self.plan.tenants.iter().find(|(_, tenant)| tenant.name == name) {
            return *id;
        }
        let id = self.row();
        let slug = name.to_lowercase();
        let tenant = Tenant { name: name.into(), slug, group: None, tags: BTreeSet::new(), legal_name: None };
        self.plan.tenants.insert(id, tenant);
        self.address(main_street(), Some(id), None);
        id
    }

    fn change_tenant(&mut self, name: &str) -> &mut Tenant {
        let id = self.tenant(name);
        self.plan.tenants.get_mut(&id).unwrap()
    }

    /// A group, and the one around it.
    fn group(&mut self, slug: &str, parent: Option<RowId>) -> RowId {
        let id = self.row();
        self.plan.tenant_groups.insert(id, TenantGroup { slug: slug.into(), parent });
        id
    }

    fn vrf(&mut self, name: &str) -> RowId {
        let id = self.row();
        self.plan.vrfs.insert(id, name.into());
        id
    }

    fn address(&mut self, address: Address, tenant: Option<RowId>, site: Option<RowId>) {
        let row = self.row();
        self.plan.addresses.push(PlannedAddress { row, address, tenant, site });
    }

    fn without_address(&mut self, tenant: &str) {
        let id = self.tenant(tenant);
        self.plan.addresses.retain(|address| address.tenant != Some(id));
    }

    /// The tenant's address is another one.
    fn moved(&mut self, tenant: &str, address: Address) {
        self.without_address(tenant);
        let id = self.tenant(tenant);
        self.address(address, Some(id), None);
    }

    /// An active prefix of the global table without a tenant, of which nobody says since when it is so.
    fn prefix(&mut self, range: &str) -> &mut PlannedPrefix {
        let id = self.row();
        self.plan.prefixes.push(PlannedPrefix {
            id,
            prefix: cidr(range),
            vrf: None,
            tenant: None,
            status: "active".into(),
            site: None,
            tags: BTreeSet::new(),
            assigned_on: None,
            created: Some(time("2025-06-01")),
            last_updated: Some(time("2025-06-01")),
        });
        self.plan.prefixes.last_mut().unwrap()
    }

    /// A prefix that a tenant has had since the 16th: it has to be registered until the 23rd.
    fn assign(&mut self, range: &str, tenant: &str) -> &mut PlannedPrefix {
        let tenant = self.tenant(tenant);
        let prefix = self.prefix(range);
        (prefix.tenant, prefix.assigned_on) = (Some(tenant), Some(date("2026-03-16")));
        prefix
    }

    /// As [`World::assign`], but only the change log tells since when.
    fn assign_by_log(&mut self, range: &str, tenant: &str) -> &mut PlannedPrefix {
        let prefix = self.assign(range, tenant);
        prefix.assigned_on = None;
        prefix
    }

    fn prefix_at(&self, range: &str) -> &PlannedPrefix {
        self.plan.prefixes.iter().find(|prefix| prefix.prefix == cidr(range)).unwrap()
    }

    /// What a prefix is now, as the change log writes it.
    fn state(&self, range: &str) -> PrefixState {
        let prefix = self.prefix_at(range);
        let name = |slug: &String| {
            self.plan.tags.iter().find(|(_, of)| *of == slug).map_or_else(|| slug.clone(), |(name, _)| name.clone())
        };
        PrefixState {
            prefix: Some(prefix.prefix),
            vrf: prefix.vrf,
            tenant: prefix.tenant,
            status: prefix.status.clone().into_owned(),
            tags: prefix.tags.iter().map(name).collect(),
        }
    }

    /// The states of a prefix one after the other, each with the time from which it was so; before the first of them
    /// it was not there.
    fn history<const N: usize>(&mut self, range: &str, states: [(&str, PrefixState); N]) {
        let mut before = None;
        let mut changes = Vec::new();
        for (at, after) in states {
            changes.push(PrefixChange { at: time(at), before: before.replace(after.clone()), after: Some(after) });
        }
        let id = self.prefix_at(range).id;
        self.plan.histories.insert(id, changes);
    }

    /// The change log has forgotten the oldest changes of a prefix.
    fn cut(&mut self, range: &str, forgotten: usize) {
        let id = self.prefix_at(range).id;
        self.plan.histories.get_mut(&id).unwrap().drain(..forgotten);
    }

    fn deleted(&mut self, range: &str, at: &str, user: &str) -> &mut Deletion {
        let deletion = Deletion { prefix: cidr(range), vrf: None, at: time(at), user: Some(user.into()) };
        let deletions = self.plan.deletions.get_or_insert_default();
        deletions.push(deletion);
        deletions.last_mut().unwrap()
    }

    /// A recorded net, registered on the 17th.
    fn net(&mut self, handle: &str, range: &str, kind: NetType) -> &mut RecordedNet {
        let row = self.row();
        self.registrations.nets.push(RecordedNet {
            row,
            config: RowId(1),
            instance: arin(),
            handle: net_handle(handle),
            name: handle.into(),
            registered: true,
            kind: Some(kind),
            blocks: vec![block(range)],
            parent: None,
            holder: None,
            registered_on: Some(date("2026-03-17")),
        });
        self.registrations.nets.last_mut().unwrap()
    }

    fn held_by_org(&mut self, handle: &str, range: &str, (kind, org): (NetType, &str)) -> &mut RecordedNet {
        let net = self.net(handle, range, kind);
        net.holder = OrgHandle::new(org).map(Holder::Org);
        net
    }

    fn allocate(&mut self, handle: &str, range: &str, org: &str) -> &mut RecordedNet {
        let net = self.held_by_org(handle, range, (NetType::DirectAllocation, org));
        net.registered_on = Some(date("2010-01-01"));
        net
    }

    fn reallocate(&mut self, handle: &str, range: &str, org: &str) -> &mut RecordedNet {
        self.held_by_org(handle, range, (NetType::Reallocated, org))
    }

    fn reassign_to_org(&mut self, handle: &str, range: &str, org: &str) -> &mut RecordedNet {
        self.held_by_org(handle, range, (NetType::Reassigned, org))
    }

    /// A net of a customer that lives in Main Street. The customer's handle is the net's with a C before it.
    fn reassign(&mut self, handle: &str, range: &str, customer: &str) -> &mut RecordedNet {
        let (row, of) = (self.row(), CustomerHandle::new(&format!("C{handle}")).unwrap());
        let network = self.net(handle, range, NetType::Reassigned).row;
        self.registrations.customers.push(RecordedCustomer {
            row,
            config: RowId(1),
            instance: arin(),
            handle: of.clone(),
            name: customer.into(),
            registered: true,
            private: Some(false),
            address: Some(main_street()),
            network: Some(network),
            tenant: None,
        });
        let net = self.registrations.nets.last_mut().unwrap();
        net.holder = Some(Holder::Customer(of));
        net
    }

    /// A prefix that is assigned to a tenant and registered for it.
    fn registered(&mut self, handle: &str, range: &str, tenant: &str) -> &mut PlannedPrefix {
        self.reassign(handle, range, tenant);
        self.assign(range, tenant)
    }

    fn change_net(&mut self, handle: &str) -> &mut RecordedNet {
        self.registrations.nets.iter_mut().find(|net| net.handle == net_handle(handle)).unwrap()
    }

    /// The customer that holds a net.
    fn customer_of(&mut self, net: &str) -> &mut RecordedCustomer {
        let handle = CustomerHandle::new(&format!("C{net}")).unwrap();
        self.registrations.customers.iter_mut().find(|customer| customer.handle == handle).unwrap()
    }

    /// A recorded organization, and the tenant that it is linked to.
    fn org(&mut self, handle: &str, tenant: Option<&str>) {
        let tenant = tenant.map(|name| self.tenant(name));
        let (row, handle, name) = (self.row(), org_handle(handle), handle.to_owned());
        self.registrations.orgs.push(RecordedOrg {
            row,
            config: RowId(1),
            instance: arin(),
            handle,
            name,
            registered: true,
            tenant,
        });
    }

    /// A net that only the public listing has.
    fn list(&mut self, aggregate: &str, handle: &str, (range, holder): (&str, Holder)) {
        self.look(aggregate).listed.push(ListedNet {
            handle: net_handle(handle),
            name: handle.into(),
            kind: Some(NetType::Reassigned),
            blocks: vec![block(range)],
            parent: None,
            holder: Some(holder),
            registration_date: Some(date("2026-03-17")),
            updated: None,
        });
    }

    fn answer(&mut self, object: ObjectType, handle: &str, standing: Standing) -> &mut Answer {
        self.registrations.looks.answers.push(Answer {
            config: RowId(1),
            object,
            handle: handle.into(),
            standing,
            since: time("2026-03-19T11:00:00Z"),
            times: 2,
            net: None,
            left: false,
        });
        self.registrations.looks.answers.last_mut().unwrap()
    }

    /// A request about a range, of which nothing more is known.
    fn request(&mut self, operation: &str, state: &str, range: &str) -> &mut ChangeRequest {
        let row = self.row();
        self.registrations.requests.push(ChangeRequest {
            row,
            config: RowId(1),
            summary: format!("{operation} {range}"),
            operation: operation.into(),
            state: state.into(),
            range: Some(block(range)),
            network: None,
        });
        self.registrations.requests.last_mut().unwrap()
    }

    /// A ticket of the last request, two days old.
    fn ticket(&mut self, number: &str, status: &str) -> &mut Ticket {
        let (row, request) = (self.row(), self.registrations.requests.last().map(|request| request.row));
        self.registrations.tickets.push(Ticket {
            row,
            number: number.into(),
            status: status.into(),
            resolution: None,
            request,
            created: Some(time("2026-03-18")),
            updated: Some(time("2026-03-18")),
            waiting_for_us: false,
        });
        self.registrations.tickets.last_mut().unwrap()
    }

    fn judged(&self) -> Judged {
        let (registrations, mut findings) = (with_parents(&self.registrations), Vec::new());
        let found = &mut |finding| findings.push(finding);
        let judgement = judge((&self.plan, &registrations), &self.policy, self.now, found);
        findings.sort_by_cached_key(|it: &Finding| (it.urgency(), it.subject.clone(), it.instance.clone()));
        Judged { findings, judgement }
    }
}

/// What came of judging a world.
#[derive(Debug, Clone, PartialEq)]
struct Judged {
    /// The findings, in the order in which people read them.
    findings: Vec<Finding>,
    judgement: Judgement,
}

impl Deref for Judged {
    type Target = Judgement;

    fn deref(&self) -> &Judgement {
        &self.judgement
    }
}

/// Gives every net the net around it as its parent, as ARIN has it.
fn with_parents(registrations: &Registrations) -> Registrations {
    let mut all = registrations.clone();
    let around = |handle: &NetHandle, blocks: &[NetBlock]| {
        let range = NetBlock::spanning(blocks)?;
        let parents = registrations.nets.iter().filter(|net| {
            let may = matches!(net.kind, Some(NetType::DirectAllocation | NetType::Reallocated));
            may && net.handle != *handle && net.blocks.iter().any(|block| block.covers(&range))
        });
        let narrower = |one: &&RecordedNet, other: &&RecordedNet| {
            let covers = one.blocks[0].covers(&other.blocks[0]);
            if covers { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less }
        };
        parents.min_by(narrower).map(|net| net.handle.clone())
    };
    for net in &mut all.nets {
        if net.parent.is_none() && net.kind != Some(NetType::DirectAllocation) {
            net.parent = around(&net.handle, &net.blocks);
        }
    }
    for net in all.looks.aggregates.iter_mut().flat_map(|look| &mut look.listed) {
        if net.parent.is_none() {
            net.parent = around(&net.handle, &net.blocks);
        }
    }
    all
}

/// What a finding is about, as a person would say: the net for all that is about a net.
fn place(finding: &Finding) -> String {
    let about_a_net = matches!(
        finding.kind,
        Kind::Stale
            | Kind::CustomerName
            | Kind::TenantLink
            | Kind::OtherOrg
            | Kind::UnlinkedOrg
            | Kind::WrongKind
            | Kind::Address
            | Kind::Privacy
            | Kind::NetName
            | Kind::CustomerMissing
    );
    let net = finding.links.network.as_ref().filter(|_| about_a_net);
    net.map_or_else(|| finding.subject.to_string(), |net| net.name.clone())
}

fn line(finding: &Finding) -> String {
    let due = finding.due.map(|due| format!(" due {due}")).unwrap_or_default();
    format!("{} {} {}{due}", finding.level, finding.kind, place(finding))
}

/// All findings, each as `level kind place`, and `due` with the date; in alphabetical order.
fn found(world: &World) -> Vec<String> {
    let mut lines: Vec<String> = world.judged().findings.iter().map(line).collect();
    lines.sort();
    lines
}

/// As [`found`], with the time since when it is so.
fn found_since(world: &World) -> Vec<String> {
    let since = |finding: &Finding| match finding.since {
        Some(since) if since.at_least => format!(" since {} at least", since.at),
        Some(since) => format!(" since {}", since.at),
        None => String::new(),
    };
    let mut lines: Vec<String> =
        world.judged().findings.iter().map(|finding| line(finding) + &since(finding)).collect();
    lines.sort();
    lines
}

/// What is said of a place by the only finding of a kind about it.
fn message(world: &World, kind: Kind, about: &str) -> String {
    let judgement = world.judged();
    let mut all = judgement.findings.iter().filter(|finding| finding.kind == kind && place(finding) == about);
    match (all.next(), all.next()) {
        (Some(finding), None) => finding.message.clone(),
        _ => panic!("not one {kind} about {about}: {:#?}", found(world)),
    }
}
