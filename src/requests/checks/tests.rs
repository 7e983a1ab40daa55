//! Each check beside its neighbour that comes out the other way.

use super::{
    super::{
        answered::Answered,
        change::{Change, Check, Content, CustomerChange, CustomerRemoval, NetworkRemoval, Verdict},
        tests::example::*,
    },
    Known, Live, UnderWay, check,
};
use crate::{
    arin::{Call, NewHolder, NewNet, Verb},
    model::{Address, Instance, Net, NetType, Org, PocFunction, PocHandle, RowId},
};

/// What is asked for, what ARIN answers and what NetBox knows.
struct Case {
    change: Change,
    content: Content,
    live: Live,
    known: Known,
}

impl Case {
    fn of(change: Change, live: Live) -> Self {
        let content = Content { call: call_of(&change), ..Content::default() };
        Self { change, content, live, known: known() }
    }

    fn all(&self) -> Vec<Check> {
        check(&self.change, &self.content, &self.live, &self.known)
    }

    /// How one check stands.
    fn verdict(&self, name: &str) -> Verdict {
        let all = self.all();
        let found = all.iter().find(|check| check.name == name);
        found.unwrap_or_else(|| panic!("no check {name} in {all:#?}")).verdict
    }

    fn told(&self) -> String {
        let line = |check: Check| format!("{:?} {}: {}", check.verdict, check.name, check.reason);
        self.all().into_iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The call for a change; that of a modification with some document.
fn call_of(change: &Change) -> Option<Call> {
    let put = |path: &[&str]| {
        let path = path.iter().map(|segment| (*segment).to_owned()).collect();
        Some(Call { method: Verb::Put, path, query: Vec::new(), body: Some("<net/>".to_owned()) })
    };
    match change {
        Change::Create(net) => Call::create(net).ok(),
        Change::ChangeNetwork(asked) => put(&["net", asked.net.handle.as_str()]),
        Change::ChangeCustomer(asked) => put(&["customer", asked.customer.as_str()]),
        Change::RemoveNetwork(asked) => Some(Call::remove_net(&asked.net.handle)),
        Change::DeleteCustomer(asked) => Some(Call::delete_customer(&asked.customer)),
    }
}

fn free() -> Live {
    Live { parent: Answered::Found(parent()), exact: Answered::Absent, ..Live::default() }
}

fn unasked<T>() -> Answered<T> {
    Answered::NotKnown("ARIN did not answer in time".to_owned())
}

/// A reassignment to a customer, changed by the test.
fn simple_with(change: impl FnOnce(&mut NewNet)) -> Case {
    let mut net = simple();
    change(&mut net);
    Case::of(Change::Create(net), free())
}

fn simple_when(change: impl FnOnce(&mut Live, &mut Known)) -> Case {
    let mut case = simple_with(|_| {});
    change(&mut case.live, &mut case.known);
    case
}

fn detailed_when(change: impl FnOnce(&mut Live)) -> Case {
    let mut live = Live { org: Answered::Found(org()), ..free() };
    change(&mut live);
    Case::of(Change::Create(detailed()), live)
}

fn removal_when(change: impl FnOnce(&mut Live, &mut Known)) -> Case {
    let live = Live {
        net: Answered::Found(net(REGISTERED)),
        delegations: Answered::Found(Vec::new()),
        routes: Answered::Absent,
        ..Live::default()
    };
    let mut case = Case::of(removal(), live);
    case.known.nets.push(recorded(&net(REGISTERED)));
    change(&mut case.live, &mut case.known);
    case
}

fn customer_when(change: impl FnOnce(&mut Live, &mut Known)) -> Case {
    let live = Live { customer: Answered::Found(customer()), net: Answered::Absent, ..Live::default() };
    let mut case = Case::of(customer_removal(), live);
    change(&mut case.live, &mut case.known);
    case
}

use Verdict::{Blocked, Look, Passed};

#[test]
fn a_reassignment_to_a_customer_passes_all_checks() {
    insta::assert_snapshot!(simple_with(|_| {}).told(), @"
    Passed range: 23.144.1.0/24 lies inside aggregate 23.144.0.0/20.
    Passed key: ARIN answers this API key; whether it may cut from NET-23-144-0-0-1 only shows when it is sent.
    Passed parent: 23.144.1.0/24 would be cut from NET-23-144-0-0-1, held by organization EXAMPLE-1.
    Passed whole parent: 23.144.1.0/24 is only a part of NET-23-144-0-0-1.
    Passed free: ARIN has no net of exactly 23.144.1.0/24.
    Passed inside: No net inside 23.144.1.0/24 is recorded in NetBox.
    Passed name: CUSTOMER-17 is a name that ARIN takes.
    Passed customer: What ARIN needs to know of customer Customer Seventeen, Inc. is complete.
    Passed under way: No other request about these addresses waits for an answer of ARIN.
    Passed call: The call is the one for what is asked for.
    ");
}

#[test]
fn whether_the_contacts_of_an_organization_are_validated_is_for_a_person_to_look_at() {
    insta::assert_snapshot!(detailed_when(|_| {}).told(), @"
    Passed range: 23.144.1.0/24 lies inside aggregate 23.144.0.0/20.
    Passed key: ARIN answers this API key; whether it may cut from NET-23-144-0-0-1 only shows when it is sent.
    Passed parent: 23.144.1.0/24 would be cut from NET-23-144-0-0-1, held by organization EXAMPLE-1.
    Passed whole parent: 23.144.1.0/24 is only a part of NET-23-144-0-0-1.
    Passed free: ARIN has no net of exactly 23.144.1.0/24.
    Passed inside: No net inside 23.144.1.0/24 is recorded in NetBox.
    Passed name: CUSTOMER-17 is a name that ARIN takes.
    Passed organization: SAMPLE-3 (Sample) has the contacts it needs and takes reassignments.
    Look contacts: Reg-RWS does not say whether a contact of SAMPLE-3 is validated; ARIN may refuse if none is.
    Passed under way: No other request about these addresses waits for an answer of ARIN.
    Passed call: The call is the one for what is asked for.
    ");
}

#[test]
fn a_removal_passes_all_checks() {
    insta::assert_snapshot!(removal_when(|_, _| {}).told(), @"
    Passed net: NET-23-144-1-0-1 has the range, the holder and the registration date that are meant.
    Passed type: NET-23-144-1-0-1 is of type S.
    Passed holder: Customer C00000001 stays at ARIN, and gets a request to be deleted.
    Passed below: No net below NET-23-144-1-0-1 is recorded in NetBox.
    Passed delegations: There are no delegations under the net.
    Passed routes: There are no routes under the net.
    Passed under way: No other request about these addresses waits for an answer of ARIN.
    Passed call: The call is the one for what is asked for.
    ");
}

#[test]
fn the_range_has_to_lie_inside_an_aggregate_and_be_registrable() {
    let ranged = |text: &str| simple_with(|net| net.range = range(text)).verdict("range");
    assert_eq!(ranged("23.144.0.0/20"), Passed);
    assert_eq!(ranged("23.144.1.0-23.144.3.127"), Passed);
    assert_eq!(ranged("23.144.0.0/19"), Blocked);
    assert_eq!(ranged("23.144.15.0-23.144.16.0"), Blocked);
    let v6 = |aggregate: &str, text: &str| {
        let mut case = simple_with(|net| net.range = range(text));
        case.known.aggregates = vec![aggregate.parse().unwrap()];
        case.verdict("range")
    };
    assert_eq!(v6("2600::/32", "2600:0:1::/64"), Passed);
    assert_eq!(v6("2600::/32", "2600:0:1::/65"), Blocked);
    assert_eq!(v6("10.0.0.0/8", "10.1.0.0/24"), Blocked, "private space");
}

#[test]
fn the_parent_is_the_planned_one_that_can_be_cut_and_is_ours() {
    let with = |change: fn(&mut Net)| {
        let mut net = parent();
        change(&mut net);
        simple_when(|live, _| live.parent = Answered::Found(net)).verdict("parent")
    };
    assert_eq!(with(|_| {}), Passed);
    assert_eq!(with(|net| net.kind = Some(NetType::Reallocated)), Passed);
    assert_eq!(with(|net| net.kind = Some(NetType::Reassigned)), Blocked);
    assert_eq!(with(|net| net.kind = Some(NetType::Registry("AR".to_owned()))), Blocked);
    assert_eq!(with(|net| net.kind = None), Blocked);
    assert_eq!(with(|net| net.handle = handle("NET-23-144-0-0-2")), Blocked, "another one than planned");
    assert_eq!(with(|net| net.blocks = vec![range("23.144.2.0/23")]), Blocked, "not around the range");
    assert_eq!(with(|net| net.holder = held_by_org("OTHER-1")), Blocked);
    assert_eq!(with(|net| net.holder = held_by_customer("C1")), Blocked);
    assert_eq!(with(|net| net.holder = None), Blocked);
    assert_eq!(simple_when(|live, _| live.parent = Answered::Absent).verdict("parent"), Blocked);
    assert_eq!(simple_when(|live, _| live.parent = unasked()).verdict("parent"), Blocked);
    let linked = |live: &mut Live, known: &mut Known| {
        live.parent = Answered::Found(Net { holder: held_by_org("OTHER-1"), ..parent() });
        known.ours.insert(org_handle("OTHER-1"));
    };
    assert_eq!(simple_when(linked).verdict("parent"), Passed, "one of ours");
}

#[test]
fn a_key_that_gets_no_answer_blocks() {
    assert_eq!(simple_with(|_| {}).verdict("key"), Passed);
    assert_eq!(simple_when(|live, _| live.parent = unasked()).verdict("key"), Blocked);
}

#[test]
fn the_whole_of_the_parent_is_for_a_person_to_look_at() {
    assert_eq!(simple_with(|_| {}).verdict("whole parent"), Passed);
    let mut whole = simple_with(|net| net.range = range("23.144.0.0/20"));
    whole.live.exact = Answered::Found(parent());
    assert_eq!((whole.verdict("whole parent"), whole.verdict("free")), (Look, Passed));
}

#[test]
fn only_a_range_without_a_net_of_its_own_is_free() {
    let exact = |answer| simple_when(|live, _| live.exact = answer).verdict("free");
    assert_eq!(exact(Answered::Absent), Passed);
    assert_eq!(exact(Answered::Found(parent())), Passed, "a registry that answers with the net around it");
    assert_eq!(exact(Answered::Found(net(REGISTERED))), Blocked);
    let wider = Net { blocks: vec![range("23.144.0.0/22")], ..net(REGISTERED) };
    assert_eq!(exact(Answered::Found(wider)), Blocked, "a wider reassignment");
    assert_eq!(exact(unasked()), Blocked);
}

#[test]
fn no_registered_net_may_overlap_without_lying_around() {
    let beside = |blocks: &str, change: fn(&mut crate::findings::registrations::RecordedNet)| {
        let other = Net { handle: handle("NET-2"), blocks: vec![range(blocks)], ..net(REGISTERED) };
        let mut other = recorded(&other);
        change(&mut other);
        simple_when(|_, known| known.nets.push(other)).verdict("inside")
    };
    assert_eq!(beside("23.144.1.128/25", |_| {}), Blocked);
    assert_eq!(beside("23.144.0.128-23.144.1.3", |_| {}), Blocked, "an overlap");
    assert_eq!(beside("23.144.2.0/24", |_| {}), Passed, "beside it");
    assert_eq!(beside("23.144.0.0/23", |_| {}), Passed, "around it, which the parent tells");
    assert_eq!(beside("23.144.1.128/25", |net| net.registered = false), Passed, "gone");
    let other = |net: &mut crate::findings::registrations::RecordedNet| net.instance = instance(Instance::OTE);
    assert_eq!(beside("23.144.1.128/25", other), Passed, "at another registry");
}

#[test]
fn a_net_has_a_name_that_is_valid_under_all_readings_of_the_rules() {
    let named = |name: &str| simple_with(|net| net.name = name.to_owned()).verdict("name");
    assert_eq!([named("A"), named("0-"), named(&"A".repeat(50))], [Passed; 3]);
    for name in ["", "-A", "a", "A B", "A.B", "A/24", "É", &"A".repeat(51)] {
        assert_eq!(named(name), Blocked, "{name}");
    }
}

#[test]
fn a_customer_has_all_that_arin_needs_in_ascii() {
    let with = |change: &dyn Fn(&mut String, &mut Address)| {
        let mut wanted = new_customer();
        change(&mut wanted.name, &mut wanted.address);
        simple_with(|net| net.holder = NewHolder::Customer(wanted)).verdict("customer")
    };
    let set = |text: &str| Some(text.to_owned());
    assert_eq!(with(&|_, _| {}), Passed);
    assert_eq!(with(&|name, _| " ".clone_into(name)), Blocked);
    assert_eq!(with(&|name, _| "Café".clone_into(name)), Blocked);
    assert_eq!(with(&|name, _| "A\nB".clone_into(name)), Blocked);
    assert_eq!(with(&|_, address| address.street.clear()), Blocked);
    assert_eq!(with(&|_, address| address.street = vec!["Straße 1".to_owned()]), Blocked);
    assert_eq!(with(&|_, address| address.city = None), Blocked);
    assert_eq!(with(&|_, address| address.city = set("Montréal")), Blocked);
    assert_eq!(with(&|_, address| address.country = None), Blocked);
    assert_eq!(with(&|_, address| address.postal_code = set("  ")), Blocked);
    for country in ["US", "USA", "CA", "can"] {
        assert_eq!(with(&|_, address| (address.country, address.state_province) = (set(country), None)), Blocked);
        assert_eq!(with(&|_, address| (address.country, address.postal_code) = (set(country), None)), Blocked);
    }
    let german = |address: &mut Address| {
        (address.country, address.state_province, address.postal_code) = (set("DE"), None, None);
    };
    assert_eq!(with(&|_, address| german(address)), Passed);
}

#[test]
fn an_organization_has_its_contacts_and_takes_reassignments() {
    let with = |change: fn(&mut Org)| {
        let mut org = org();
        change(&mut org);
        detailed_when(|live| live.org = Answered::Found(org)).verdict("organization")
    };
    let poc = |name: &str| PocHandle::new(name).unwrap();
    assert_eq!(with(|_| {}), Passed);
    assert_eq!(with(|org| org.accepts_reassignments = None), Passed, "only a no is a no");
    assert_eq!(with(|org| org.accepts_reassignments = Some(false)), Blocked);
    assert_eq!(with(|org| drop(org.pocs.pop_first())), Blocked, "no Admin");
    assert_eq!(with(|org| drop(org.pocs.pop_last())), Blocked, "neither Tech nor Abuse");
    let mut two = org();
    two.pocs.insert(poc("OTHER-ARIN"), [PocFunction::Admin].into());
    assert_eq!(detailed_when(|live| live.org = Answered::Found(two.clone())).verdict("organization"), Blocked);
    assert_eq!(detailed_when(|live| live.org = Answered::Absent).verdict("organization"), Blocked);
    assert_eq!(detailed_when(|live| live.org = unasked()).verdict("organization"), Look, "it cannot be checked");
}

#[test]
fn organizations_that_cannot_be_given_space_are_known_by_their_handle() {
    let called = |name: &str| {
        let mut case = detailed_when(|_| {});
        case.change = Change::Create(new_net(NewHolder::Org(org_handle(name))));
        case.verdict("organization")
    };
    assert_eq!([called("SAMPLE-3"), called("SAMPLE-Z"), called("SAMPLE-ZONE-1")], [Passed, Blocked, Look]);
}

#[test]
fn nothing_is_sent_about_addresses_of_which_an_answer_is_missing() {
    let other = |text: &str| {
        let other = UnderWay { id: RowId(17), name: "request 17".to_owned(), range: range(text) };
        simple_when(|_, known| known.under_way.push(other)).verdict("under way")
    };
    assert_eq!([other("23.144.0.0/23"), other("23.144.1.7/32"), other("23.144.2.0/24")], [Blocked, Blocked, Passed]);
}

#[test]
fn a_document_is_only_sent_back_if_it_is_still_what_it_was() {
    let based = |base: Option<&str>, now: Answered<&str>| {
        let mut case = Case::of(rename_net("NEW"), Live { base: now.map(str::to_owned), ..Live::default() });
        case.content.base = base.map(str::to_owned);
        case.verdict("base")
    };
    assert_eq!(based(Some("1"), Answered::Found("1")), Passed);
    assert_eq!(based(Some("1"), Answered::Found("2")), Blocked);
    assert_eq!(based(None, Answered::Found("1")), Blocked);
    assert_eq!(based(Some("1"), Answered::Absent), Blocked);
    assert_eq!(based(Some("1"), unasked()), Blocked);
}

#[test]
fn what_is_changed_is_what_arin_takes() {
    let named = |name: &str| Case::of(rename_net(name), Live::default()).verdict("name");
    assert_eq!([named("NEW"), named("new")], [Passed, Blocked]);
    let changed =
        |change: CustomerChange| Case::of(Change::ChangeCustomer(change), Live::default()).verdict("customer");
    let name = |name: &str| CustomerChange { name: Some(name.to_owned()), ..customer_change() };
    assert_eq!([changed(customer_change()), changed(name("Cafe")), changed(name("Café"))], [Passed, Passed, Blocked]);
    let moved = |address| changed(CustomerChange { address: Some(address), ..customer_change() });
    assert_eq!([moved(address()), moved(Address { city: None, ..address() })], [Passed, Blocked]);
}

#[test]
fn a_net_is_only_removed_if_it_is_the_one_that_was_meant() {
    let with = |change: fn(&mut Net)| {
        let mut net = net(REGISTERED);
        change(&mut net);
        removal_when(|live, _| live.net = Answered::Found(net)).verdict("net")
    };
    assert_eq!(with(|_| {}), Passed);
    assert_eq!(with(|net| net.name = "OTHER".to_owned()), Passed, "a name may change");
    assert_eq!(with(|net| net.blocks = vec![range("23.144.1.0/25")]), Blocked);
    assert_eq!(with(|net| net.holder = held_by_customer("C00000002")), Blocked);
    assert_eq!(with(|net| net.registration_date = "2026-01-06".parse().ok()), Blocked, "its handle was used again");
    assert_eq!(with(|net| net.registration_date = None), Blocked);
    assert_eq!(removal_when(|live, _| live.net = Answered::Absent).verdict("net"), Blocked);
    assert_eq!(removal_when(|live, _| live.net = unasked()).verdict("net"), Blocked);
}

#[test]
fn only_what_was_cut_from_another_net_is_removed() {
    let of_type =
        |kind| removal_when(|live, _| live.net = Answered::Found(Net { kind, ..net(REGISTERED) })).verdict("type");
    assert_eq!([of_type(Some(NetType::Reassigned)), of_type(Some(NetType::Reallocated))], [Passed, Passed]);
    assert_eq!([of_type(Some(NetType::DirectAllocation)), of_type(None)], [Blocked, Blocked]);
}

#[test]
fn leaves_go_before_the_net_that_they_were_cut_from() {
    let below = |change: &dyn Fn(&mut Net)| {
        let mut leaf = Net { handle: handle("NET-LEAF"), blocks: vec![range("23.144.1.0/26")], ..net(REGISTERED) };
        change(&mut leaf);
        removal_when(|_, known| known.nets.push(recorded(&leaf))).verdict("below")
    };
    assert_eq!(below(&|_| {}), Blocked);
    assert_eq!(below(&|leaf| leaf.blocks = vec![range("23.144.2.0/26")]), Passed);
    let whole = |leaf: &mut Net| (leaf.blocks, leaf.parent) = (vec![range(RANGE)], Some(handle(NET)));
    assert_eq!(below(&whole), Blocked, "a leaf of all of it");
}

#[test]
fn what_hangs_on_a_net_is_told_before_it_goes() {
    let names = || Answered::Found((1..=12).map(|number| format!("{number}.144.23.in-addr.arpa.")).collect());
    let with = |change: fn(&mut Live), name: &str| removal_when(|live, _| change(live)).verdict(name);
    assert_eq!(removal_when(|live, _| live.delegations = names()).verdict("delegations"), Look);
    assert_eq!(removal_when(|live, _| live.routes = names()).verdict("routes"), Look);
    assert_eq!(with(|live| live.delegations = Answered::Absent, "delegations"), Passed);
    assert_eq!(with(|live| live.delegations = unasked(), "delegations"), Look);
    assert_eq!(with(|live| live.routes = unasked(), "routes"), Look);
    let told = removal_when(|live, _| live.delegations = names()).told();
    assert!(told.contains("10.144.23.in-addr.arpa. and 2 more."), "{told}");
}

#[test]
fn space_of_ones_own_is_not_given_back_unseen() {
    let held = |holder: &str| {
        let mut case = removal_when(|_, _| {});
        let Change::RemoveNetwork(removal) = &mut case.change else { panic!("{:?}", case.change) };
        removal.net.holder = held_by_org(holder);
        case.verdict("holder")
    };
    assert_eq!([held("SAMPLE-3"), held("EXAMPLE-1")], [Passed, Look]);
}

#[test]
fn a_customer_goes_after_its_net() {
    let with = |answer| customer_when(|live, _| live.net = answer).verdict("net");
    assert_eq!(with(Answered::Absent), Passed);
    assert_eq!(with(Answered::Found(net(REGISTERED))), Blocked);
    assert_eq!(with(unasked()), Blocked);
    let other = |holder| Answered::Found(Net { holder, ..net("2026-02-01T10:00:00-05:00") });
    assert_eq!(with(other(held_by_customer("C00000002"))), Passed, "its handle was used again");
    assert_eq!(with(other(held_by_customer(CUSTOMER))), Blocked, "it holds that one, too");
    assert_eq!(with(other(None)), Blocked);
    let second = Net { handle: handle("NET-2"), ..net(REGISTERED) };
    assert_eq!(customer_when(|_, known| known.nets.push(recorded(&second))).verdict("net"), Blocked);
    let mut unknown = customer_when(|_, _| {});
    unknown.change = Change::DeleteCustomer(CustomerRemoval { customer: customer_handle(CUSTOMER), net: None });
    assert_eq!(unknown.verdict("net"), Look);
    let there = |answer| customer_when(|live, _| live.customer = answer).verdict("customer");
    assert_eq!(
        [there(Answered::Found(customer())), there(Answered::Absent), there(unasked())],
        [Passed, Blocked, Blocked]
    );
}

#[test]
fn what_is_sent_is_what_is_asked_for() {
    let changed = CustomerChange { name: Some("New".to_owned()), ..customer_change() };
    let all = [
        Change::Create(simple()),
        Change::Create(detailed()),
        rename_net("NEW"),
        Change::ChangeCustomer(changed),
        removal(),
        customer_removal(),
    ];
    for (place, change) in all.iter().enumerate() {
        for (other, call) in all.iter().map(call_of).enumerate() {
            let mut case = Case::of(change.clone(), Live::default());
            case.content.call = call;
            let wanted = if place == other { Passed } else { Blocked };
            assert_eq!(case.verdict("call"), wanted, "{change:?} {:?}", case.content.call);
        }
        let mut case = Case::of(change.clone(), Live::default());
        case.content.call = None;
        assert_eq!(case.verdict("call"), Blocked, "{change:?}");
    }
    let mut edited = simple_with(|_| {});
    let body = edited.content.call.as_mut().and_then(|call| call.body.as_mut()).unwrap();
    *body = body.replace("Seventeen", "Eighteen");
    assert_eq!(edited.verdict("call"), Blocked, "a customer in the document who was not asked for");
}

#[test]
fn a_removal_with_a_reason_is_another_call() {
    let reason = Some("It was returned".to_owned());
    let change = Change::RemoveNetwork(NetworkRemoval { net: target(), reason });
    let mut case = Case::of(change, Live::default());
    assert_eq!(case.verdict("call"), Blocked, "the plain one");
    let path = ["net", NET, "remove"].map(str::to_owned).into();
    case.content.call = Some(Call { method: Verb::Put, path, query: Vec::new(), body: Some("<net/>".to_owned()) });
    assert_eq!(case.verdict("call"), Passed);
}

#[test]
fn what_was_not_asked_for_never_passes() {
    for change in [Change::Create(simple()), removal(), rename_net("NEW"), customer_removal()] {
        let case = Case::of(change, Live::default());
        assert!(case.all().iter().any(|check| check.verdict == Blocked), "{}", case.told());
    }
}
