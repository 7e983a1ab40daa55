//! The rules of planning, each as a sentence.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    apply::absorb,
    plan::{Learnt, Limits, Plan, Rules, misfits, plan, plan_round},
};
use crate::{
    model::{
        Address, Aggregate, Config, Customer, CustomerHandle, Holder, Instance, Inventory, Key, Net, NetBlock,
        NetHandle, NetType, ObjectType, Org, OrgHandle, Payload, Poc, PocFunction, PocHandle, Prefix, Registration,
        RowId, Value,
    },
    netbox::fields::{self, Table},
};

const OURS: RowId = RowId(1);
const THEIRS: RowId = RowId(2);

fn arin() -> Instance {
    Instance::of(&url::Url::parse(Instance::PRODUCTION).unwrap())
}

fn config(id: RowId, org: &str) -> Config {
    let org_handle = OrgHandle::new(org);
    Config { rir: Some(RowId(9)), org_handle, ..Config::new(id, &format!("config of {org}")) }
}

/// The rules for a run of `config` where both configs look at the same registry instance.
fn rules_of(config_id: RowId) -> Rules {
    let configs = [config(OURS, "OURS"), config(THEIRS, "THEIRS")];
    let this = configs.iter().find(|config| config.id == config_id).unwrap();
    Rules::new(this, &configs, &arin(), |_| Some(arin()))
}

fn rules() -> Rules {
    rules_of(OURS)
}

fn place(city: &str) -> Address {
    Address { street: vec!["1 Main St".into()], city: Some(city.into()), ..Address::default() }
}

fn org(handle: &str) -> Org {
    Org {
        handle: OrgHandle::new(handle).unwrap(),
        name: format!("{handle} Inc"),
        dba_name: None,
        url: None,
        address: Some(place("Springfield")),
        registration_date: None,
        pocs: BTreeMap::new(),
        accepts_reassignments: None,
        raw: Payload::new(&serde_json::json!({ "handle": handle })),
    }
}

fn poc(handle: &str) -> Poc {
    Poc {
        handle: PocHandle::new(handle).unwrap(),
        kind: None,
        company_name: None,
        first_name: None,
        middle_name: None,
        last_name: Some(handle.into()),
        emails: Vec::new(),
        phones: Vec::new(),
        address: Some(place("Springfield")),
        registration_date: None,
        raw: Payload::default(),
    }
}

fn net(handle: &str, cidr: &str) -> Net {
    Net {
        handle: NetHandle::new(handle).unwrap(),
        name: handle.into(),
        kind: Some(NetType::DirectAllocation),
        blocks: vec![NetBlock::from(cidr.parse::<ipnet::IpNet>().unwrap())],
        parent: None,
        holder: None,
        registration_date: None,
        raw: Payload::new(&serde_json::json!({ "handle": handle })),
    }
}

fn held_by(net: Net, org: &str) -> Net {
    Net { holder: OrgHandle::new(org).map(Holder::Org), ..net }
}

fn customer(handle: &str, net: &mut Net) -> Customer {
    let handle = CustomerHandle::new(handle).unwrap();
    net.holder = Some(Holder::Customer(handle.clone()));
    Customer {
        name: "Customer".into(),
        parent_org: None,
        private: None,
        address: None,
        registration_date: None,
        raw: Payload::default(),
        handle,
    }
}

fn registered(nets: impl IntoIterator<Item = Net>) -> Registration {
    let mut registered = Registration::default();
    nets.into_iter().for_each(|net| registered.add_net(net));
    registered
}

fn with_orgs(mut registered: Registration, orgs: impl IntoIterator<Item = Org>) -> Registration {
    registered.orgs = orgs.into_iter().map(|org| (org.handle.clone(), org)).collect();
    registered
}

fn functions(pocs: &[(&str, PocFunction)]) -> Option<BTreeMap<PocHandle, BTreeSet<PocFunction>>> {
    let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (handle, function) in pocs {
        all.entry(PocHandle::new(handle).unwrap()).or_default().insert(function.clone());
    }
    Some(all)
}

/// Notes a plan as written, without a NetBox.
fn write(plan: &Plan, recorded: &mut Inventory) {
    let mut next = 1000 + recorded.rows.values().map(BTreeMap::len).sum::<usize>() as u64;
    for change in &plan.changes {
        next += 1;
        let id = recorded.row(change.object, &change.key).map_or(RowId(next), |row| row.id);
        absorb(change, id, recorded);
    }
}

/// Returns the rows of NetBox after one sync.
fn synced(registered: &Registration, mut recorded: Inventory, rules: &Rules) -> Inventory {
    let plan = plan(registered, &recorded, rules);
    write(&plan, &mut recorded);
    recorded
}

fn with_aggregates(cidrs: &[&str]) -> Inventory {
    let aggregate = |(id, cidr): (usize, &&str)| Aggregate { prefix: cidr.parse().unwrap(), id: RowId(id as u64 + 10) };
    Inventory { aggregates: cidrs.iter().enumerate().map(aggregate).collect(), ..Inventory::default() }
}

fn with_prefixes(mut recorded: Inventory, prefixes: &[(&str, Option<u64>, u64)]) -> Inventory {
    recorded.prefixes = prefixes
        .iter()
        .map(|(cidr, vrf, id)| Prefix { prefix: cidr.parse().unwrap(), vrf: vrf.map(RowId), id: RowId(*id) })
        .collect();
    recorded.prefixes.sort_unstable();
    recorded
}

fn field(recorded: &Inventory, object: ObjectType, handle: &str, name: &str) -> Value {
    recorded.row(object, &arin().key(handle)).unwrap().field(name).clone()
}

fn key(handle: &str) -> (ObjectType, Key) {
    (ObjectType::Network, arin().key(handle))
}

#[test]
fn a_renamed_net_is_updated_a_gone_one_retired_and_a_new_one_created() {
    let before = registered([net("NET-A", "23.0.0.0/24"), net("NET-B", "23.0.1.0/24")]);
    let recorded = synced(&before, Inventory::default(), &rules());
    let mut renamed = net("NET-A", "23.0.0.0/24");
    renamed.name = "RENAMED".into();
    let mut now = registered([renamed, net("NET-C", "23.0.2.0/24")]);
    now.gone = BTreeSet::from([key("NET-B")]);
    insta::assert_snapshot!(plan(&now, &recorded, &rules()), @"
    ~ network NET-A
        net_name: NET-A -> RENAMED
    + network NET-C
        cidrs: 23.0.2.0/24
        end_address: 23.0.2.255
        net_name: NET-C
        net_type: DA
        start_address: 23.0.2.0
        version: 4
    - network NET-B
        status: registered -> not-found
    ");
}

#[test]
fn a_change_that_only_the_raw_document_shows_is_written() {
    let recorded = synced(&registered([net("NET-A", "23.0.0.0/24")]), Inventory::default(), &rules());
    let mut commented = net("NET-A", "23.0.0.0/24");
    commented.raw = Payload::new(&serde_json::json!({ "handle": "NET-A", "comment": "new" }));
    insta::assert_snapshot!(plan(&registered([commented]), &recorded, &rules()), @"
    ~ network NET-A
        raw_data: changed
    ");
}

#[test]
fn what_was_retired_and_comes_back_is_registered_again() {
    let found = registered([net("NET-A", "23.0.0.0/24")]);
    let recorded = synced(&found, Inventory::default(), &rules());
    let gone = Registration { gone: BTreeSet::from([key("NET-A")]), ..Registration::default() };
    let recorded = synced(&gone, recorded, &rules());
    insta::assert_snapshot!(plan(&found, &recorded, &rules()), @"
    ~ network NET-A
        status: not-found -> registered
    ");
}

#[test]
fn equal_addresses_are_one_row() {
    let found = with_orgs(Registration::default(), [org("OURS"), org("OTHER")]);
    let plan = plan(&found, &Inventory::default(), &rules());
    assert_eq!(plan.changes.iter().filter(|change| change.object == ObjectType::Address).count(), 1);
}

#[test]
fn whoever_moves_points_at_another_address_and_the_others_stay() {
    let both = with_orgs(Registration::default(), [org("OURS"), org("OTHER")]);
    let recorded = synced(&both, Inventory::default(), &rules());
    let mut moved = org("OURS");
    moved.address = Some(place("Shelbyville"));
    let plan = plan(&with_orgs(Registration::default(), [moved, org("OTHER")]), &recorded, &rules());
    let written: Vec<String> =
        plan.changes.iter().map(|change| format!("{} {}", change.object, change.handle)).collect();
    assert_eq!(written, ["address 1 Main St, Shelbyville", "organization OURS"]);
}

#[test]
fn a_customer_without_postal_code_is_written_like_any_other() {
    let mut net = net("NET-A", "23.0.0.0/24");
    let mut customer = customer("C1", &mut net);
    customer.address = Some(place("Springfield"));
    let mut found = registered([net]);
    found.customers.insert(customer.handle.clone(), customer);
    let recorded = synced(&found, Inventory::default(), &rules());
    assert_eq!(field(&recorded, ObjectType::Customer, "C1", "network"), Value::OurRow(arin().key("NET-A")));
}

#[test]
fn a_customer_of_several_nets_keeps_the_one_that_is_recorded() {
    let (mut first, mut second) = (net("NET-A", "23.0.0.0/24"), net("NET-B", "23.0.1.0/24"));
    let (customer, _) = (customer("C1", &mut first), customer("C1", &mut second));
    let with_customer = |nets: Vec<Net>| {
        let mut found = registered(nets);
        found.customers.insert(customer.handle.clone(), customer.clone());
        found
    };
    let recorded = synced(&with_customer(vec![second.clone()]), Inventory::default(), &rules());
    let recorded = synced(&with_customer(vec![first.clone(), second]), recorded, &rules());
    assert_eq!(field(&recorded, ObjectType::Customer, "C1", "network"), Value::OurRow(arin().key("NET-B")));
    let recorded = synced(&with_customer(vec![first]), recorded, &rules());
    assert_eq!(field(&recorded, ObjectType::Customer, "C1", "network"), Value::OurRow(arin().key("NET-A")));
}

#[test]
fn a_network_links_its_aggregate_before_a_prefix_of_the_same_range() {
    let recorded = with_prefixes(with_aggregates(&["23.0.0.0/24"]), &[("23.0.0.0/24", None, 70)]);
    let recorded = synced(&registered([net("NET-A", "23.0.0.0/24")]), recorded, &rules());
    assert_eq!(field(&recorded, ObjectType::Network, "NET-A", "aggregate"), Value::NetBoxRow(RowId(10)));
    assert_eq!(field(&recorded, ObjectType::Network, "NET-A", "prefix"), Value::Empty);
}

#[test]
fn the_prefix_of_the_global_table_is_linked_before_one_in_a_vrf() {
    let prefixes = [("23.0.0.0/25", Some(3), 70), ("23.0.0.0/25", None, 71)];
    let recorded = with_prefixes(with_aggregates(&["23.0.0.0/24"]), &prefixes);
    let recorded = synced(&registered([net("NET-S", "23.0.0.0/25")]), recorded, &rules());
    assert_eq!(field(&recorded, ObjectType::Network, "NET-S", "prefix"), Value::NetBoxRow(RowId(71)));
}

#[test]
fn a_prefix_inside_a_reassigned_net_does_not_get_its_link() {
    let recorded = with_prefixes(with_aggregates(&["23.0.0.0/24"]), &[("23.0.0.0/26", None, 70)]);
    let recorded = synced(&registered([net("NET-S", "23.0.0.0/25")]), recorded, &rules());
    assert_eq!(field(&recorded, ObjectType::Network, "NET-S", "prefix"), Value::Empty);
}

#[test]
fn a_link_that_exists_is_never_changed() {
    let found = registered([net("NET-A", "23.0.0.0/24")]);
    let mut recorded = synced(&found, with_aggregates(&["23.0.0.0/24"]), &rules());
    let rows = recorded.rows.get_mut(&ObjectType::Network).unwrap();
    rows.get_mut(&arin().key("NET-A")).unwrap().fields.insert("aggregate", Value::NetBoxRow(RowId(77)));
    let again = plan(&found, &recorded, &rules());
    let touched: Vec<_> = again.changes.iter().flat_map(|change| change.fields().into_keys()).collect();
    assert!(!touched.contains(&"aggregate"), "{again}");
}

#[test]
fn a_link_that_does_not_fit_any_more_is_told() {
    let found = registered([net("NET-A", "23.0.0.0/23"), net("NET-S", "23.0.8.0/25"), net("NET-T", "23.0.9.0/25")]);
    let prefixes = [("23.0.8.0/25", None, 70), ("23.0.9.0/25", None, 71)];
    let mut recorded = synced(&found, with_prefixes(with_aggregates(&["23.0.0.0/23"]), &prefixes), &rules());
    assert_eq!(misfits(&found, &recorded, &rules()), []);
    let told = |recorded: &Inventory, found: &Registration| {
        let line = |(handle, sentence): (String, String)| format!("{handle}: {sentence}");
        misfits(found, recorded, &rules()).into_iter().map(line).collect::<Vec<_>>().join("\n")
    };
    recorded.prefixes[0].prefix = "23.0.8.0/26".parse().unwrap();
    recorded.prefixes.retain(|prefix| prefix.id != RowId(71));
    insta::assert_snapshot!(told(&recorded, &found), @"NET-S: it is linked to the prefix 23.0.8.0/26, which does not fit its range 23.0.8.0 - 23.0.8.127; correct the link");
    recorded.prefixes.clear();
    recorded.aggregates[0].prefix = "23.0.1.0/24".parse().unwrap();
    assert_eq!(told(&recorded, &found), "", "a part of the net fits, and a prefix that is out of scope is not judged");
    recorded.aggregates[0].prefix = "23.0.0.0/22".parse().unwrap();
    insta::assert_snapshot!(told(&recorded, &found), @"NET-A: it is linked to the aggregate 23.0.0.0/22, which does not fit its range 23.0.0.0 - 23.0.1.255; correct the link");
    let answer = |handle: &str| Registration {
        aggregates: BTreeMap::from([(RowId(10), NetHandle::new(handle))]),
        ..found.clone()
    };
    assert_eq!(told(&recorded, &answer("NET-A")), "", "what answers for an aggregate fits it");
    assert!(told(&recorded, &answer("NET-S")).starts_with("NET-A: "));
}

#[test]
fn no_link_is_set_where_links_are_switched_off() {
    let off = Rules { link: false, ..rules() };
    let recorded = with_prefixes(with_aggregates(&["23.0.0.0/24"]), &[("23.0.0.0/25", None, 70)]);
    let found = registered([net("NET-A", "23.0.0.0/24"), net("NET-S", "23.0.0.0/25")]);
    let plan = plan(&found, &recorded, &off);
    let linked = |name: &&str| ["aggregate", "prefix", "covered_aggregates"].contains(name);
    assert!(!plan.changes.iter().flat_map(|change| change.fields().into_keys()).any(|name| linked(&name)));
}

#[test]
fn an_allocation_over_two_aggregates_links_the_first_and_names_the_second() {
    let mut found = registered([net("NET-A", "23.0.0.0/23")]);
    let answer = NetHandle::new("NET-A");
    found.aggregates = BTreeMap::from([(RowId(10), answer.clone()), (RowId(11), answer)]);
    let recorded = synced(&found, with_aggregates(&["23.0.0.0/24", "23.0.1.0/24"]), &rules());
    assert_eq!(field(&recorded, ObjectType::Network, "NET-A", "aggregate"), Value::NetBoxRow(RowId(10)));
    let others = field(&recorded, ObjectType::Network, "NET-A", "covered_aggregates");
    assert_eq!(others, Value::NetBoxRows(BTreeSet::from([RowId(11)])));
}

#[test]
fn an_aggregate_that_was_not_asked_for_stays_covered() {
    let mut found = registered([net("NET-A", "23.0.0.0/23")]);
    let answer = NetHandle::new("NET-A");
    found.aggregates = BTreeMap::from([(RowId(10), answer.clone()), (RowId(11), answer)]);
    let recorded = synced(&found, with_aggregates(&["23.0.0.0/24", "23.0.1.0/24"]), &rules());
    found.aggregates.remove(&RowId(11));
    insta::assert_snapshot!(plan(&found, &recorded, &rules()), @"");
    found.aggregates.insert(RowId(11), None);
    insta::assert_snapshot!(plan(&found, &recorded, &rules()), @"
    ~ network NET-A
        covered_aggregates: #11 -> (none)
    ");
}

#[test]
fn a_net_belongs_to_the_config_whose_org_holds_it_or_its_nearest_ancestor() {
    let parent = held_by(net("NET-P", "23.0.0.0/16"), "THEIRS");
    let child = Net { parent: Some(parent.handle.clone()), ..net("NET-S", "23.0.0.0/24") };
    let recorded = synced(&registered([parent, child]), Inventory::default(), &rules_of(OURS));
    assert_eq!(field(&recorded, ObjectType::Network, "NET-P", "config"), Value::NetBoxRow(THEIRS));
    assert_eq!(field(&recorded, ObjectType::Network, "NET-S", "config"), Value::NetBoxRow(THEIRS));
}

#[test]
fn a_run_speaks_for_rows_that_no_other_active_config_speaks_for() {
    let speaks_for = |config: Option<u64>| rules().speaks_for(config.map(RowId));
    assert_eq!([None, Some(OURS.0), Some(THEIRS.0), Some(7)].map(speaks_for), [true, true, false, true]);
}

#[test]
fn a_round_is_about_what_was_learnt_in_it_and_retires_nothing() {
    let mut found = registered([net("NET-A", "23.0.0.0/24"), net("NET-B", "23.0.1.0/24")]);
    let recorded = synced(&registered([net("NET-C", "23.0.2.0/24")]), Inventory::default(), &rules());
    found.gone = BTreeSet::from([key("NET-C")]);
    let learnt = Learnt { nets: NetHandle::new("NET-B").into_iter().collect(), ..Learnt::default() };
    let planned = plan_round(&learnt, &found, &recorded, &rules());
    assert_eq!(planned.changes.iter().map(|change| change.handle.as_str()).collect::<Vec<_>>(), ["NET-B"]);
    let whole = plan(&found, &recorded, &rules());
    assert_eq!(
        whole.changes.iter().map(|change| change.handle.as_str()).collect::<Vec<_>>(),
        ["NET-A", "NET-B", "NET-C"]
    );
}

#[test]
fn only_the_documents_that_were_written_are_dropped() {
    let mut held = net("NET-B", "23.0.1.0/24");
    let customer = Customer { raw: Payload::new(&"customer".into()), ..customer("C1", &mut held) };
    let contact = Poc { raw: Payload::new(&"contact".into()), ..poc("P1") };
    let mut found = with_orgs(registered([net("NET-A", "23.0.0.0/24"), held]), [org("OURS"), org("OTHER")]);
    let learnt = Learnt {
        orgs: OrgHandle::new("OURS").into_iter().collect(),
        pocs: BTreeSet::from([contact.handle.clone()]),
        nets: NetHandle::new("NET-A").into_iter().collect(),
        customers: BTreeSet::from([customer.handle.clone()]),
        ..Learnt::default()
    };
    found.pocs.insert(contact.handle.clone(), contact);
    found.customers.insert(customer.handle.clone(), customer);
    learnt.drop_documents(&mut found);
    let dropped = |raw: &Payload| raw.json().is_null();
    assert_eq!(found.orgs.values().map(|org| dropped(&org.raw)).collect::<Vec<_>>(), [false, true], "OTHER, OURS");
    assert_eq!(found.nets.values().map(|net| dropped(&net.raw)).collect::<Vec<_>>(), [true, false]);
    assert!(found.pocs.values().all(|poc| dropped(&poc.raw)));
    assert!(found.customers.values().all(|customer| dropped(&customer.raw)));
}

#[test]
fn a_net_that_nobodys_org_holds_stays_with_who_recorded_it_first() {
    let found = with_orgs(registered([held_by(net("NET-X", "23.0.0.0/24"), "STRANGER")]), [org("STRANGER")]);
    let recorded = synced(&found, Inventory::default(), &rules_of(THEIRS));
    insta::assert_snapshot!(plan(&found, &recorded, &rules_of(OURS)), @"");
}

#[test]
fn two_configs_that_share_a_contact_do_not_take_it_from_each_other() {
    let run = |org_handle: &str, function| Registration {
        functions: functions(&[("SHARED-ARIN", function)]),
        pocs: BTreeMap::from([(PocHandle::new("SHARED-ARIN").unwrap(), poc("SHARED-ARIN"))]),
        ..with_orgs(Registration::default(), [org(org_handle)])
    };
    let (ours, theirs) = (run("OURS", PocFunction::Admin), run("THEIRS", PocFunction::Tech));
    let recorded = synced(&ours, Inventory::default(), &rules_of(OURS));
    let recorded = synced(&theirs, recorded, &rules_of(THEIRS));
    assert_eq!(plan(&ours, &recorded, &rules_of(OURS)).changes, []);
    assert_eq!(plan(&theirs, &recorded, &rules_of(THEIRS)).changes, []);
}

#[test]
fn a_contact_that_serves_the_org_no_longer_loses_its_roles_only() {
    let before = Registration {
        functions: functions(&[("GONE-ARIN", PocFunction::Admin), ("GONE-ARIN", PocFunction::Tech)]),
        pocs: BTreeMap::from([(PocHandle::new("GONE-ARIN").unwrap(), poc("GONE-ARIN"))]),
        ..with_orgs(Registration::default(), [org("OURS")])
    };
    let recorded = synced(&before, Inventory::default(), &rules());
    let now = Registration { functions: functions(&[]), ..before };
    insta::assert_snapshot!(plan(&now, &recorded, &rules()), @"
    ~ contact GONE-ARIN
        organization: OURS -> (none)
        roles: AD T -> (none)
    ");
}

#[test]
fn a_row_that_could_not_be_written_is_left_for_the_next_run() {
    let found = with_orgs(registered([held_by(net("NET-A", "23.0.0.0/24"), "OURS")]), [org("OURS")]);
    let given_up = Rules { given_up: BTreeSet::from([arin().key("OURS")]), ..rules() };
    let recorded = synced(&found, Inventory::default(), &given_up);
    assert_eq!(field(&recorded, ObjectType::Network, "NET-A", "organization"), Value::Empty);
    insta::assert_snapshot!(plan(&found, &recorded, &rules()), @"
    + organization OURS
        name: OURS Inc
    ~ network NET-A
        organization: (none) -> OURS
    ");
}

/// The rows of so many nets, and the plan of a run in which some of them are gone and one is new.
fn with_gone(all: u8, gone: u8) -> (Inventory, Plan) {
    let nets = registered((0..all).map(|n| net(&format!("NET-{n}"), &format!("23.0.{n}.0/24"))));
    let recorded = synced(&nets, Inventory::default(), &rules());
    let mut now = registered([net("NET-NEW", "23.1.0.0/24")]);
    now.gone = (0..gone).map(|n| key(&format!("NET-{n}"))).collect();
    let plan = plan(&now, &recorded, &rules());
    (recorded, plan)
}

fn limits(max_retired_share: f64) -> Limits {
    Limits { max_retired_share, since: "2026-01-31T12:00:00Z".parse().unwrap() }
}

#[test]
fn more_retirements_than_allowed_are_refused_and_the_rest_may_be_written() {
    let allow = |share: f64, gone: u8| {
        let (recorded, plan) = with_gone(40, gone);
        limits(share).allow(plan, &recorded, &rules())
    };
    assert!(allow(0.2, 8).is_ok());
    let refused = allow(0.2, 9).unwrap_err();
    assert_eq!((refused.retired, refused.registered, refused.rest.changes.len()), (9, 40, 1));
    assert!(allow(0.3, 9).is_ok());
}

#[test]
fn a_handful_may_always_be_retired() {
    for (all, gone, allowed) in [(5, 2, true), (5, 5, true), (6, 5, true), (6, 6, false), (20, 6, false)] {
        let (recorded, plan) = with_gone(all, gone);
        assert_eq!(limits(0.0).allow(plan, &recorded, &rules()).is_ok(), allowed, "{gone} of {all}");
    }
}

#[test]
fn what_was_retired_within_the_day_counts_as_well() {
    let after_retiring = |before: u8, at: &str| {
        let (mut recorded, _) = with_gone(40, 0);
        for n in 30..30 + before {
            let rows = recorded.rows.get_mut(&ObjectType::Network).unwrap();
            let row = rows.get_mut(&arin().key(format!("NET-{n}"))).unwrap();
            row.fields.insert("status", Value::Text("not-found".into()));
            row.last_synced = Some(at.parse().unwrap());
        }
        let (_, plan) = with_gone(40, 3);
        limits(0.2).allow(plan, &recorded, &rules())
    };
    assert!(after_retiring(5, "2026-01-31T12:00:00Z").is_ok());
    let refused = after_retiring(6, "2026-01-31T12:00:00Z").unwrap_err();
    assert_eq!((refused.retired, refused.before, refused.registered), (3, 6, 40));
    assert!(after_retiring(6, "2026-01-31T11:59:59Z").is_ok(), "longer ago than a day");
}

prop_compose! {
    fn any_net()(n in 0u8..12, name in "[A-Z]{3}", parent in 0u8..12, holder in 0u8..5, len in 22u8..=32) -> Net {
        let mut net = net(&format!("NET-{n}"), &format!("23.0.{n}.0/{len}"));
        net.blocks = vec![NetBlock::from(format!("23.0.{n}.0/{len}").parse::<ipnet::IpNet>().unwrap().trunc())];
        net.name = name;
        net.parent = NetHandle::new(&format!("NET-{parent}"));
        net.holder = match holder {
            0 => OrgHandle::new("OURS").map(Holder::Org),
            1 => OrgHandle::new("THEIRS").map(Holder::Org),
            2 => OrgHandle::new("STRANGER").map(Holder::Org),
            3 => CustomerHandle::new(&format!("C{n}")).map(Holder::Customer),
            _ => None,
        };
        net
    }
}

fn any_registration() -> impl Strategy<Value = Registration> {
    let orgs = prop::sample::subsequence(vec!["OURS", "THEIRS", "STRANGER"], 0..=3);
    let answers = prop::collection::btree_map(10u64..13, prop::option::of(0u8..12), 0..3);
    (prop::collection::vec(any_net(), 0..12), orgs, answers).prop_map(|(nets, orgs, answers)| {
        let mut found = with_orgs(registered(nets), orgs.into_iter().map(org));
        for mut net in found.nets.values().cloned().collect::<Vec<_>>() {
            if let Some(handle) = net.customer().cloned() {
                found.customers.insert(handle.clone(), customer(handle.as_str(), &mut net));
            }
        }
        let handle = |n: u8| NetHandle::new(&format!("NET-{n}")).unwrap();
        found.aggregates = answers.into_iter().map(|(id, net)| (RowId(id), net.map(handle))).collect();
        found
    })
}

fn ipam() -> Inventory {
    let aggregates = with_aggregates(&["23.0.0.0/22", "23.0.4.0/24", "23.0.5.0/24"]);
    with_prefixes(aggregates, &[("23.0.4.0/24", None, 70), ("23.0.4.0/32", Some(3), 71), ("23.0.5.0/31", None, 72)])
}

proptest! {
    #[test]
    fn planning_again_after_applying_finds_nothing(first in any_registration(), then in any_registration()) {
        let recorded = synced(&first, ipam(), &rules());
        let recorded = synced(&then, recorded, &rules());
        prop_assert_eq!(plan(&then, &recorded, &rules()).changes, vec![]);
    }

    #[test]
    fn two_configs_at_one_instance_come_to_rest(found in any_registration()) {
        let mut recorded = ipam();
        for config in [OURS, THEIRS, OURS, THEIRS] {
            recorded = synced(&found, recorded, &rules_of(config));
        }
        prop_assert_eq!(plan(&found, &recorded, &rules_of(OURS)).changes, vec![]);
        prop_assert_eq!(plan(&found, &recorded, &rules_of(THEIRS)).changes, vec![]);
    }
}

/// Registrations with a value for every field, and the aggregate and the prefix that their nets link.
fn complete() -> (Registration, Inventory) {
    let date = Some(jiff::civil::date(2001, 2, 3));
    let mut place = place("Springfield");
    (place.state_province, place.postal_code, place.country) = (Some("VA".into()), Some("1".into()), Some("US".into()));
    let place = Some(place);
    let ours = Org {
        dba_name: Some("Trade name".into()),
        url: Some("https://example.net".into()),
        registration_date: date,
        address: place.clone(),
        ..org("OURS")
    };
    let ann = Poc {
        kind: Some(crate::model::PocType::Person),
        company_name: Some("Ours".into()),
        first_name: Some("Ann".into()),
        middle_name: Some("B".into()),
        emails: vec!["ann@example.net".into()],
        phones: vec!["+1".into()],
        address: place.clone(),
        ..poc("ANN")
    };
    let parent = Net { registration_date: date, ..held_by(net("NET-P", "23.0.0.0/23"), "OURS") };
    let mut child = Net { parent: Some(parent.handle.clone()), ..net("NET-S", "23.0.0.0/25") };
    let mut customer = customer("C1", &mut child);
    (customer.private, customer.address, customer.registration_date) = (Some(true), place, date);
    let mut found = with_orgs(registered([parent, child]), [ours]);
    found.pocs.insert(ann.handle.clone(), ann);
    found.functions = functions(&[("ANN", PocFunction::Admin)]);
    found.customers.insert(customer.handle.clone(), customer);
    let answer = NetHandle::new("NET-P");
    found.aggregates = BTreeMap::from([(RowId(10), answer.clone()), (RowId(11), answer)]);
    let recorded = with_aggregates(&["23.0.0.0/24", "23.0.1.0/24"]);
    (found, with_prefixes(recorded, &[("23.0.0.0/25", None, 70)]))
}

#[test]
fn every_field_of_ours_in_the_table_is_written_and_no_other() {
    let (found, recorded) = complete();
    let mut written: BTreeMap<ObjectType, BTreeSet<&str>> = BTreeMap::new();
    for change in plan(&found, &recorded, &rules()).changes {
        let fields = change.fields();
        let named = fields.iter().filter(|(_, value)| **value != Value::Empty).map(|(name, _)| *name);
        written.entry(change.object).or_default().extend(named);
    }
    for object in ObjectType::ALL {
        assert_eq!(written[&object], Table::of(object).names(), "{object}");
    }
}

#[test]
fn a_row_that_was_written_is_read_back_as_it_was_meant() {
    let (found, recorded) = complete();
    let recorded = synced(&found, recorded, &rules());
    let id_of = |object, key: &Key| recorded.row(object, key).map(|row| row.id);
    let key_of = |object, id| recorded.rows(object).find(|(_, row)| row.id == id).map(|(key, _)| key.clone());
    for object in ObjectType::ALL {
        for (key, row) in recorded.rows(object) {
            let mut json = fields::body(object, &row.fields, id_of);
            json.insert("id".into(), row.id.0.into());
            for name in Table::of(object).names().into_iter().chain(["last_synced", "synced_by", "listed", "tenant"]) {
                json.entry(name).or_insert(serde_json::Value::Null);
            }
            let tenant = matches!(object, ObjectType::Organization | ObjectType::Customer).then_some(RowId(70));
            json.insert("tenant".into(), tenant.map(|id| serde_json::json!({ "id": id })).into());
            let mut read = Table::of(object).record(&json).unwrap();
            read.refer(key_of);
            assert_eq!((read.row.tenant, read.row.fields.get("tenant")), (tenant, None), "{object}");
            assert_eq!(&read.key, key);
            for (name, value) in &read.row.fields {
                assert_eq!(row.field(name), value, "{object} {name}");
            }
        }
    }
}
