//! Drafts of planted prefixes, nets and customers.
//!
//! [`World::new`] is a plan that is in order: an aggregate of each family, allocated to the config's organization.

mod again;
mod chance;
mod change;
mod create;
mod remove;
mod wishes;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use ipnet::IpNet;
use serde_json::json;

use super::*;
use crate::{
    arin::Document,
    config,
    findings::{
        AddressPlan, Registrations,
        address_plan::{JudgingConfig, PlannedAddress, PlannedAggregate, PlannedPrefix, Tenant},
        registrations::{RecordedCustomer, RecordedNet, RecordedOrg},
    },
    model::{
        Address, CustomerHandle, Holder, Instance, Net, NetBlock, NetHandle, NetType, Org, OrgHandle, Payload, RowId,
    },
    requests::{answered::Answered, operation::Operation},
};

/// The organization of the config.
const US: &str = "EXAMPLE-1";

#[derive(Debug)]
struct World {
    plan: AddressPlan,
    registrations: Registrations,
    policy: config::Findings,
    last_row: u64,
}

fn cidr(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn block(text: &str) -> NetBlock {
    NetBlock::from(cidr(text))
}

fn arin() -> Instance {
    Instance::of(&url::Url::parse(Instance::PRODUCTION).unwrap())
}

fn net_handle(text: &str) -> NetHandle {
    NetHandle::new(text).unwrap()
}

fn customer_handle(text: &str) -> CustomerHandle {
    CustomerHandle::new(text).unwrap()
}

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
        own_tenants: Some(BTreeSet::from(["us".to_owned()])),
        own_tenant_groups: None,
        public_vrfs: BTreeSet::new(),
        assigned_statuses: BTreeSet::from(["active".to_owned()]),
        deadline: Duration::from_secs(7 * 24 * 3600),
        since_field: String::new(),
        legal_name_field: "legal_name".into(),
        announced_tag: String::new(),
        residential_tag: "home".into(),
        opt_out_tag: "leave-alone".into(),
        net_name_template: String::new(),
        baseline: None,
        voluntary: false,
        ticket_age: Duration::from_secs(14 * 24 * 3600),
    }
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            plan: AddressPlan::default(),
            registrations: Registrations::default(),
            policy: policy(),
            last_row: 100,
        };
        world.plan.configs = vec![config(1, "Example"), JudgingConfig { rir: Some(RowId(8)), ..config(2, "Other") }];
        world.aggregate("23.0.0.0/16", 9);
        world.aggregate("2600:100::/32", 9);
        world.aggregate("24.0.0.0/16", 8);
        world.net("NET-23", "23.0.0.0/16", NetType::DirectAllocation, Some(US));
        world
    }

    fn row(&mut self) -> RowId {
        self.last_row += 1;
        RowId(self.last_row)
    }

    fn aggregate(&mut self, range: &str, rir: u64) -> RowId {
        let id = self.row();
        self.plan.aggregates.push(PlannedAggregate { id, prefix: cidr(range), rir: RowId(rir), tenant: None });
        id
    }

    /// A tenant without an address.
    fn tenant(&mut self, name: &str) -> RowId {
        let known = self.plan.tenants.iter().find(|(_, tenant)| tenant.name == name).map(|(id, _)| *id);
        if let Some(id) = known {
            return id;
        }
        let id = self.row();
        let slug = name.to_lowercase();
        let tenant = Tenant { name: name.into(), slug, group: None, tags: BTreeSet::new(), legal_name: None };
        self.plan.tenants.insert(id, tenant);
        id
    }

    /// An RIR address that is linked to a tenant.
    fn address(&mut self, address: Address, tenant: &str) -> RowId {
        let (tenant, row) = (self.tenant(tenant), self.row());
        self.plan.addresses.push(PlannedAddress { row, address, tenant: Some(tenant), site: None });
        row
    }

    /// An active prefix of the global table.
    fn prefix(&mut self, range: &str, tenant: Option<&str>) -> &mut PlannedPrefix {
        let tenant = tenant.map(|name| self.tenant(name));
        let id = self.row();
        self.plan.prefixes.push(PlannedPrefix {
            id,
            prefix: cidr(range),
            vrf: None,
            tenant,
            status: "active".into(),
            site: None,
            tags: BTreeSet::new(),
            assigned_on: None,
            created: None,
            last_updated: None,
        });
        self.plan.prefixes.last_mut().unwrap()
    }

    /// A prefix of a tenant that lives in Main Street.
    fn assigned(&mut self, range: &str, tenant: &str) -> &mut PlannedPrefix {
        let id = self.tenant(tenant);
        if !self.plan.addresses.iter().any(|address| address.tenant == Some(id)) {
            self.address(main_street(), tenant);
        }
        self.prefix(range, Some(tenant))
    }

    fn net(&mut self, handle: &str, range: &str, kind: NetType, org: Option<&str>) -> &mut RecordedNet {
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
            holder: org.and_then(OrgHandle::new).map(Holder::Org),
            registered_on: Some("2026-03-17".parse().unwrap()),
        });
        self.registrations.nets.last_mut().unwrap()
    }

    /// A net that is reassigned to a customer in Main Street. The customer's handle is the net's with a C before it.
    fn reassigned(&mut self, handle: &str, range: &str, name: &str) -> &mut RecordedCustomer {
        let (row, of) = (self.row(), customer_handle(&format!("C{handle}")));
        let net = self.net(handle, range, NetType::Reassigned, None);
        net.holder = Some(Holder::Customer(of.clone()));
        let network = Some(net.row);
        self.registrations.customers.push(RecordedCustomer {
            row,
            config: RowId(1),
            instance: arin(),
            handle: of,
            name: name.into(),
            registered: true,
            private: Some(false),
            address: Some(main_street()),
            network,
            tenant: None,
        });
        self.registrations.customers.last_mut().unwrap()
    }

    /// A recorded organization that is linked to a tenant.
    fn org(&mut self, handle: &str, tenant: &str) -> &mut RecordedOrg {
        let (tenant, row) = (self.tenant(tenant), self.row());
        self.registrations.orgs.push(RecordedOrg {
            row,
            config: RowId(1),
            instance: arin(),
            handle: OrgHandle::new(handle).unwrap(),
            name: "Linked LLC".into(),
            registered: true,
            tenant: Some(tenant),
        });
        self.registrations.orgs.last_mut().unwrap()
    }

    fn drafting(&self) -> Drafting<'_> {
        let now = "2026-03-20T12:00:00Z".parse().unwrap();
        Drafting::new((&self.plan, &self.registrations), &self.policy, now, RowId(1)).unwrap()
    }

    /// The draft of a wish, with the parent of each range being NET-23 unless something else was answered.
    fn draft(&self, wish: &Wish, asked: &Answers) -> Result<Draft, NotAskedFor> {
        let (drafting, mut asked) = (self.drafting(), asked.clone());
        for _ in 0..3 {
            for question in drafting.questions(wish, &asked) {
                answer(&mut asked, question);
            }
        }
        drafting.draft(wish, &asked)
    }

    /// What is drafted for a prefix, as text.
    fn shown(&self, range: &str, set: &[&str]) -> String {
        shown(self.draft(&wish(range, set), &Answers::default()))
    }
}

fn config(id: u64, name: &str) -> JudgingConfig {
    JudgingConfig {
        id: RowId(id),
        name: name.into(),
        instance: arin(),
        rir: Some(RowId(9)),
        org: OrgHandle::new(US),
        sync_interval: Duration::from_secs(24 * 3600),
    }
}

/// What ARIN answers unless a test says otherwise: it has the parent, and nothing else.
fn answer(asked: &mut Answers, question: Question) {
    match question {
        Question::Parent(range) => {
            let around = if range.first().is_ipv4() { "23.0.0.0/16" } else { "2600:100::/32" };
            let parent = parent("NET-23", around, NetType::DirectAllocation);
            asked.parents.insert(range, Answered::Found(parent));
        }
        Question::Exact(range) => drop(asked.exact.insert(range, Answered::Absent)),
        Question::Net(handle) => drop(asked.nets.insert(handle, Answered::Absent)),
        Question::Customer(handle) => drop(asked.customers.insert(handle, Answered::Absent)),
        Question::Org(handle) => drop(asked.orgs.insert(handle, Answered::<Org>::Absent)),
        Question::Delegations(handle) => drop(asked.delegations.insert(handle, Answered::Absent)),
        Question::Routes(handle) => drop(asked.routes.insert(handle, Answered::Absent)),
    }
}

fn parent(handle: &str, range: &str, kind: NetType) -> Net {
    Net {
        handle: net_handle(handle),
        name: "EXAMPLE".into(),
        kind: Some(kind),
        blocks: vec![block(range)],
        parent: None,
        holder: OrgHandle::new(US).map(Holder::Org),
        registration_date: None,
        raw: Payload::default(),
    }
}

fn fields(set: &[&str]) -> Fields {
    let mut fields = Fields::default();
    for text in set {
        let (name, value) = text.split_once('=').unwrap();
        fields.set(name, value).unwrap();
    }
    fields
}

fn wish(range: &str, set: &[&str]) -> Wish {
    Wish { set: fields(set), ..Wish::about(About::Prefix(Place::Range(cidr(range)))) }
}

fn chosen(wish: Wish, operation: Operation) -> Wish {
    Wish { chosen: Some(Choice::Operation(operation)), ..wish }
}

/// ARIN's document of a net that is reassigned to the customer whose handle is the net's with a C before it.
fn net_document(handle: &str, range: &str) -> Document {
    let block = block(range);
    let net = json!({
        "handle": handle,
        "netName": "EXAMPLE-CAFE",
        "registrationDate": "2026-03-17T09:00:00-04:00",
        "customerHandle": format!("C{handle}"),
        "parentNetHandle": "NET-23",
        "version": "4",
        "netBlocks": { "netBlock": {
            "type": "S", "startAddress": block.first().to_string(), "endAddress": block.last().to_string()
        } },
    });
    Document::from_json("net", &net).unwrap()
}

fn customer_document(handle: &str, name: &str) -> Document {
    let customer = json!({
        "handle": handle,
        "customerName": name,
        "streetAddress": { "line": { "@number": "0", "#text": "1 Main St" } },
        "city": "Springfield",
        "iso3166-1": { "code2": "US" },
        "iso3166-2": "VA",
        "postalCode": "22150",
        "privateCustomer": "false",
        "parentOrgHandle": US,
        "registrationDate": "2026-03-17T09:00:00-04:00",
    });
    Document::from_json("customer", &customer).unwrap()
}

/// ARIN has a net of a customer, and the customer.
fn registered(handle: &str, range: &str, name: &str) -> Answers {
    let customer = format!("C{handle}");
    let mut asked = Answers::default();
    asked.nets.insert(net_handle(handle), Answered::Found(net_document(handle, range)));
    let document = customer_document(&customer, name);
    asked.customers.insert(customer_handle(&customer), Answered::Found(document));
    asked
}

/// A draft as text: what it is, what is missing and looked at, and the call.
fn shown(draft: Result<Draft, NotAskedFor>) -> String {
    let draft = match draft {
        Ok(draft) => draft,
        Err(why) => return format!("refused: {why}"),
    };
    let content = &draft.content;
    let mut text = format!("{}: {}\n", draft.operation, draft.summary);
    for missing in &content.missing {
        writeln!(text, "missing {}: {}", missing.what, missing.where_to).unwrap();
    }
    for folded in &content.folded {
        writeln!(text, "folded {}: {} -> {}", folded.field, folded.from, folded.to).unwrap();
    }
    for check in &content.checks {
        writeln!(text, "{:?} {}: {}", check.verdict, check.name, check.reason).unwrap();
    }
    if let Some(follows) = &draft.follows {
        writeln!(text, "follows: {follows}").unwrap();
    }
    assert_eq!(content.change.is_some(), content.call.is_some());
    assert_eq!(content.change.is_some(), content.missing.is_empty());
    if let Some(change) = &content.change {
        assert_eq!((change.operation(), change.range()), (draft.operation, draft.range));
    }
    text + &content.call.as_ref().map(crate::arin::Call::text).unwrap_or_default()
}

/// A draft as text, without the call.
fn told(draft: Result<Draft, NotAskedFor>) -> String {
    let text = shown(draft);
    let told: Vec<&str> =
        text.lines().take_while(|line| !line.starts_with("PUT ") && !line.starts_with("DELETE ")).collect();
    told.join("\n")
}
