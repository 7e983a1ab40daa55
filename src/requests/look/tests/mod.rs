//! Each row of what a look may see, beside its neighbour that comes out the other way.

mod chance;
mod settled;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::{
        answered::Answered,
        change::{Change, CustomerChange, NetworkChange},
        intent::{Intent, Looked},
        tests::example::*,
    },
    Seen, Truth, judge, note,
};
use crate::{
    arin::{NewCustomer, NewHolder, NewNet, Ticket},
    model::{Address, Customer, Net, NetType, Payload},
};

const PAUSE: Duration = Duration::from_secs(180);
/// When the calls of these tests are sent.
const SENT: &str = "2026-11-27T12:00:00Z";
/// The same moment, as ARIN writes it.
const AT_ARIN: &str = "2026-11-27T07:00:00-05:00";

/// How many seconds after it was sent.
fn after(seconds: i64) -> Timestamp {
    time(SENT).checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap()
}

fn intent(change: Change) -> Intent {
    Intent::new(change, "alice", time(SENT), Some(&net(REGISTERED)))
}

/// One of which a look found nothing so many seconds after it was sent.
fn looked_for(change: Change, seconds: i64) -> Intent {
    let mut intent = intent(change);
    intent.note(Looked { at: after(seconds), nothing: true, saw: String::new() });
    intent
}

fn create() -> Change {
    Change::Create(simple())
}

/// What a look at a carried out reassignment sees.
fn made() -> Seen {
    Seen { net: Answered::Found(net(AT_ARIN)), customer: Answered::Found(customer()), ..nothing() }
}

/// What a look sees that finds no net, no customer and no ticket.
fn nothing() -> Seen {
    Seen { net: Answered::Absent, customer: Answered::Absent, tickets: Answered::Found(Vec::new()), ..Seen::default() }
}

fn unasked<T>() -> Answered<T> {
    Answered::NotKnown("ARIN did not answer in time".to_owned())
}

fn ticket(number: &str, kind: &str, created: Timestamp) -> Ticket {
    let text = |text: &str| Some(text.to_owned());
    let (status, created) = (text("PENDING_REVIEW"), Some(created));
    Ticket { kind: text(kind), status, created, ..unknown_ticket(number) }
}

/// The truth in one word, as seen long after it was sent.
fn truth(intent: &Intent, seen: &Seen) -> &'static str {
    word(&judge(intent, seen, after(600), PAUSE))
}

fn word(truth: &Truth) -> &'static str {
    match truth {
        Truth::Done(..) => "done",
        Truth::NotDone => "not done",
        Truth::Conflict(_) => "conflict",
        Truth::Ticket(_) => "ticket",
        Truth::Undecided(..) => "undecided",
    }
}

/// The truth about a reassignment of which a look has found nothing before.
fn created(seen: &Seen) -> &'static str {
    truth(&looked_for(create(), 60), seen)
}

#[test]
fn a_new_net_is_done_if_it_is_there_as_it_was_asked_for() {
    let with = |change: fn(&mut Net)| {
        let mut found = net(AT_ARIN);
        change(&mut found);
        created(&Seen { net: Answered::Found(found), ..made() })
    };
    assert_eq!(with(|_| {}), "done");
    assert_eq!(with(|net| net.name = "customer-17".to_owned()), "done", "a name has no case");
    assert_eq!(with(|net| net.name = "OTHER".to_owned()), "conflict");
    assert_eq!(with(|net| net.kind = Some(NetType::Reallocated)), "conflict");
    assert_eq!(with(|net| net.parent = Some(handle("NET-OTHER"))), "conflict");
    assert_eq!(with(|net| (net.parent, net.kind) = (None, None)), "done", "what ARIN does not tell is no other");
    assert_eq!(with(|net| net.holder = held_by_org("OTHER-1")), "conflict");
    assert_eq!(with(|net| net.holder = None), "conflict");
    assert_eq!(with(|net| net.blocks = vec![range("23.144.1.0/25")]), "conflict", "a part of the range");
}

#[test]
fn a_net_of_the_right_organization_is_done() {
    let held = |holder| {
        let found = Answered::Found(Net { holder, ..net(AT_ARIN) });
        truth(&intent(Change::Create(detailed())), &Seen { net: found, ..nothing() })
    };
    assert_eq!(held(held_by_org("SAMPLE-3")), "done");
    assert_eq!(held(held_by_org("OTHER-1")), "conflict");
    assert_eq!(held(held_by_customer(CUSTOMER)), "conflict");
}

#[test]
fn a_net_that_was_there_before_is_not_what_was_sent() {
    let registered = |at: &str| created(&Seen { net: Answered::Found(net(at)), ..made() });
    assert_eq!(registered("2026-11-27T07:09:00-05:00"), "done");
    assert_eq!(registered("2026-11-27T06:50:00-05:00"), "done", "clocks differ");
    assert_eq!(registered("2026-11-27T06:49:59-05:00"), "conflict");
    assert_eq!(registered("2026-11-27"), "done", "a day alone is enough");
    assert_eq!(registered("2026-11-26"), "done", "where ARIN is, the day may be the one before");
    assert_eq!(registered("2026-11-25"), "conflict");
    let undated = Net { registration_date: None, raw: Payload::default(), ..net(AT_ARIN) };
    assert_eq!(created(&Seen { net: Answered::Found(undated), ..made() }), "done");
}

#[test]
fn the_customer_made_with_a_net_is_compared_however_it_is_written() {
    let with = |change: &dyn Fn(&mut Customer)| {
        let mut found = customer();
        change(&mut found);
        created(&Seen { customer: Answered::Found(found), ..made() })
    };
    let city = |found: &mut Customer, city: &str| {
        found.address = Some(Address { city: Some(city.to_owned()), ..address() });
    };
    assert_eq!(with(&|found| found.name = "CUSTOMER SEVENTEEN INC".to_owned()), "done");
    assert_eq!(with(&|found| found.name = "Customer Eighteen, Inc.".to_owned()), "conflict");
    assert_eq!(with(&|found| city(found, "CHANTILLY")), "done");
    assert_eq!(with(&|found| city(found, "Reston")), "conflict");
    assert_eq!(with(&|found| found.private = Some(true)), "conflict");
    assert_eq!(with(&|found| found.handle = customer_handle("C00000002")), "undecided", "the holder changed meanwhile");
    let seen = |customer| created(&Seen { customer, ..made() });
    assert_eq!([seen(unasked()), seen(Answered::Absent)], ["undecided"; 2]);
}

#[test]
fn of_a_private_customer_nothing_is_compared_that_arin_may_hide() {
    let wanted = NewCustomer { private: true, ..new_customer() };
    let change = Change::Create(new_net(NewHolder::Customer(wanted)));
    let shown = |name: &str, private| {
        let shown = Customer { name: name.to_owned(), private, address: None, ..customer() };
        truth(&looked_for(change.clone(), 60), &Seen { customer: Answered::Found(shown), ..made() })
    };
    assert_eq!(shown("Private Customer - Example", None), "done");
    assert_eq!(shown("Customer Seventeen, Inc.", Some(true)), "done");
    assert_eq!(shown("Customer Seventeen, Inc.", Some(false)), "conflict");
}

#[test]
fn two_looks_that_find_nothing_decide_if_they_are_a_pause_apart() {
    let judged = |first: Option<i64>, now: i64| {
        let intent = first.map_or_else(|| intent(create()), |first| looked_for(create(), first));
        judge(&intent, &nothing(), after(now), PAUSE)
    };
    let again = |seconds| Truth::Undecided("ARIN shows nothing of it yet".to_owned(), Duration::from_secs(seconds));
    assert_eq!(judged(None, 600), again(180), "the first look, however late");
    assert_eq!(judged(Some(10), 100), again(90));
    assert_eq!(judged(Some(10), 189), again(1));
    assert_eq!(judged(Some(10), 190), Truth::NotDone);
    assert_eq!(judged(Some(-10), 600), again(180), "a look from before it was sent");
}

#[test]
fn a_look_that_was_not_answered_is_none() {
    let mut intent = intent(create());
    for (seconds, seen) in [(10, Seen { net: unasked(), ..nothing() }), (200, nothing())] {
        let truth = judge(&intent, &seen, after(seconds), PAUSE);
        assert_eq!(word(&truth), "undecided");
        note(&mut intent, &seen, &truth, after(seconds));
    }
    assert_eq!(word(&judge(&intent, &nothing(), after(379), PAUSE)), "undecided");
    assert_eq!(judge(&intent, &nothing(), after(380), PAUSE), Truth::NotDone);
}

#[test]
fn the_parent_in_the_place_of_a_net_says_that_there_is_none() {
    let found = |net: Net| created(&Seen { net: Answered::Found(net), ..nothing() });
    assert_eq!(found(parent()), "not done");
    let above = Net { handle: handle("NET-23-0-0-0-1"), blocks: vec![range("23.0.0.0/8")], ..parent() };
    assert_eq!(found(above), "not done");
    let wider = Net { handle: handle("NET-2"), blocks: vec![range("23.144.0.0/22")], ..net(AT_ARIN) };
    assert_eq!(found(wider), "conflict", "a reassignment of somebody else around it");
}

#[test]
fn a_new_ticket_of_the_fitting_type_is_taken_for_its_own() {
    let with = |ticket: Ticket| created(&Seen { tickets: Answered::Found(vec![ticket]), ..nothing() });
    let kind = "IPV4_SIMPLE_REASSIGN";
    assert_eq!(with(ticket("20261127-X1", kind, after(1))), "ticket");
    assert_eq!(with(ticket("20261127-X1", kind, after(-599))), "ticket", "clocks differ");
    assert_eq!(with(ticket("20261127-X1", kind, after(-601))), "not done", "it was there before");
    assert_eq!(with(ticket("20261127-X1", "IPV4_DETAILED_REASSIGN", after(1))), "not done");
    assert_eq!(with(Ticket { created: None, ..ticket("20261127-X1", kind, after(1)) }), "ticket", "it may be its own");
    assert_eq!(with(Ticket { kind: None, ..ticket("20261127-X1", kind, after(1)) }), "ticket", "it may be its own");
}

#[test]
fn a_ticket_of_another_request_is_not_taken_and_of_two_none() {
    let tickets = ["20261127-X1", "20261127-X2"].map(|number| ticket(number, "IPV4_SIMPLE_REASSIGN", after(1)));
    let seen = |claimed: &[&str]| {
        let claimed = claimed.iter().map(|number| (*number).to_owned()).collect();
        Seen { tickets: Answered::Found(tickets.to_vec()), claimed, ..nothing() }
    };
    let judged = |claimed| judge(&looked_for(create(), 60), &seen(claimed), after(600), PAUSE);
    assert_eq!(word(&judged(&[])), "undecided");
    assert_eq!(judged(&["20261127-X1"]), Truth::Ticket("20261127-X2".to_owned()));
    assert_eq!(judged(&["20261127-X1", "20261127-X2"]), Truth::NotDone);
}

#[test]
fn nothing_is_taken_for_not_done_while_the_tickets_are_not_known() {
    assert_eq!(created(&Seen { tickets: unasked(), ..nothing() }), "undecided");
    assert_eq!(created(&nothing()), "not done");
    assert_eq!(created(&Seen { tickets: unasked(), ..made() }), "done", "the net decides");
    assert_eq!(created(&Seen { net: unasked(), ..nothing() }), "undecided");
}

#[test]
fn each_operation_becomes_tickets_of_its_own_type() {
    let v6 = |net: NewNet| NewNet { range: range("2600:0:1::/48"), ..net };
    let reallocated = |net: NewNet| NewNet { kind: NetType::Reallocated, ..net };
    let all =
        [simple(), detailed(), reallocated(detailed()), v6(simple()), v6(detailed()), v6(reallocated(detailed()))];
    let types = |change: &Change| super::ticket::types(change).join(" ");
    let mut told: Vec<String> = all.into_iter().map(|net| types(&Change::Create(net))).collect();
    told.extend([removal(), rename_net("NEW"), customer_removal()].iter().map(types));
    insta::assert_snapshot!(told.join("\n").trim(), @"
    IPV4_SIMPLE_REASSIGN
    IPV4_DETAILED_REASSIGN
    IPV4_REALLOCATE
    IPV6_SIMPLE_REASSIGN IPV6_DETAILED_REASSIGN
    IPV6_DETAILED_REASSIGN
    IPV6_REALLOCATE
    NET_DELETE_REQUEST
    ");
}

#[test]
fn waits_for_what_is_not_known_grow_up_to_an_hour() {
    let wait = |seconds| match judge(&intent(create()), &Seen { net: unasked(), ..nothing() }, after(seconds), PAUSE) {
        Truth::Undecided(_, wait) => wait.as_secs(),
        truth @ (Truth::Done(_) | Truth::NotDone | Truth::Conflict(_) | Truth::Ticket(_)) => panic!("{truth:?}"),
    };
    assert_eq!([wait(-5), wait(60), wait(1000), wait(90_000)], [180, 180, 500, 3600]);
}

#[test]
fn what_was_sent_again_is_looked_for_from_then_on() {
    let mut intent = looked_for(create(), 60);
    assert_eq!((truth(&intent, &nothing()), intent.may_be_sent_again()), ("not done", true));
    intent.sent_again = Some(after(610));
    assert!(!intent.may_be_sent_again());
    assert_eq!(word(&judge(&intent, &nothing(), after(900), PAUSE)), "undecided", "no look since then");
    intent.note(Looked { at: after(620), nothing: true, saw: String::new() });
    assert_eq!(judge(&intent, &nothing(), after(900), PAUSE), Truth::NotDone);
    let late = Seen { net: Answered::Found(net("2026-11-27T07:00:01-05:00")), ..made() };
    assert_eq!(word(&judge(&intent, &late, after(900), PAUSE)), "done", "what was sent first, carried out late");
}

/// A net as it is now, with a document.
fn documented(document: Value) -> Net {
    Net { raw: Payload::new(&document), ..net(REGISTERED) }
}

#[test]
fn a_changed_net_is_done_if_it_shows_what_was_changed() {
    let renamed =
        |net: Net| truth(&looked_for(rename_net("NEW-NAME"), 60), &Seen { net: Answered::Found(net), ..nothing() });
    assert_eq!(renamed(Net { name: "new-name".to_owned(), ..net(REGISTERED) }), "done");
    assert_eq!(renamed(net(REGISTERED)), "not done");
    let other = Net { name: "NEW-NAME".to_owned(), ..net(AT_ARIN) };
    assert_eq!(renamed(other), "conflict", "its handle was used again");
    let seen = |net| truth(&looked_for(rename_net("NEW-NAME"), 60), &Seen { net, ..nothing() });
    assert_eq!([seen(Answered::Absent), seen(unasked())], ["conflict", "undecided"]);
}

#[test]
fn a_changed_comment_is_compared_line_by_line() {
    let commented = |asked: &[&str], document: Value| {
        let comment = Some(asked.iter().map(|line| (*line).to_owned()).collect());
        let change = Change::ChangeNetwork(NetworkChange { net: target(), name: None, comment });
        truth(&looked_for(change, 60), &Seen { net: Answered::Found(documented(document)), ..nothing() })
    };
    let line = |number: u8, text: &str| json!({ "@number": number.to_string(), "#text": text });
    let two = json!({ "comment": { "line": [line(0, "One"), line(1, "Two")] } });
    assert_eq!(commented(&["One", "Two"], two.clone()), "done");
    assert_eq!(commented(&["Two", "One"], two.clone()), "not done");
    assert_eq!(commented(&[], two), "not done");
    assert_eq!(commented(&["One"], json!({ "comment": { "line": "One" } })), "done");
    assert_eq!(commented(&[], json!({ "handle": "NET-1" })), "done", "a comment that was cleared is left out");
    assert_eq!(commented(&["One"], json!({ "x": "x".repeat(40_000) })), "undecided", "the document was not kept");
}

#[test]
fn a_changed_customer_is_done_if_it_shows_the_same_letters() {
    let changed = |change: CustomerChange, found: Customer| {
        truth(&looked_for(Change::ChangeCustomer(change), 60), &Seen { customer: Answered::Found(found), ..nothing() })
    };
    let named = |name: &str| CustomerChange { name: Some(name.to_owned()), ..customer_change() };
    assert_eq!(changed(named("Customer Seventeen,  Inc."), customer()), "done");
    assert_eq!(changed(named("Customer Seventeen Inc"), customer()), "not done", "the change is about letters");
    let moved = |city: &str| {
        let address = Address { city: Some(city.to_owned()), ..address() };
        CustomerChange { address: Some(address), ..customer_change() }
    };
    assert_eq!([changed(moved("Chantilly"), customer()), changed(moved("Reston"), customer())], ["done", "not done"]);
    let hidden = |private| CustomerChange { private: Some(private), ..customer_change() };
    assert_eq!([changed(hidden(false), customer()), changed(hidden(true), customer())], ["done", "not done"]);
    let masked = Customer { name: "Private Customer - Example".to_owned(), private: None, ..customer() };
    assert_eq!(changed(hidden(true), masked.clone()), "done");
    assert_eq!(changed(named("Customer Eighteen"), masked), "undecided", "ARIN hides its name");
    let seen = |customer| truth(&looked_for(Change::ChangeCustomer(named("New")), 60), &Seen { customer, ..nothing() });
    assert_eq!([seen(Answered::Absent), seen(unasked())], ["conflict", "undecided"]);
}

#[test]
fn a_removed_net_is_gone_or_its_handle_is_anothers() {
    let seen = |net| truth(&looked_for(removal(), 60), &Seen { net, ..nothing() });
    assert_eq!(seen(Answered::Absent), "done");
    assert_eq!(seen(Answered::Found(net(REGISTERED))), "not done");
    assert_eq!(seen(Answered::Found(net(AT_ARIN))), "done", "another date");
    assert_eq!(seen(Answered::Found(net("2026-01-05T10:00:01-05:00"))), "done", "another time of the same day");
    let other = Net { holder: held_by_customer("C00000002"), ..net(REGISTERED) };
    assert_eq!(seen(Answered::Found(other)), "conflict", "the same date, but another holder");
    assert_eq!(seen(unasked()), "undecided");
}

#[test]
fn without_its_time_a_net_is_told_by_its_day() {
    let mut intent = looked_for(removal(), 60);
    intent.registered_at = None;
    let seen = |text: &str| truth(&intent, &Seen { net: Answered::Found(net(text)), ..nothing() });
    assert_eq!([seen("2026-01-05T23:00:00-05:00"), seen("2026-01-06")], ["not done", "done"]);
}

#[test]
fn a_removal_may_have_become_a_ticket() {
    let with = |kind: &str, created| {
        let (net, tickets) = (Answered::Found(net(REGISTERED)), vec![ticket("20261127-X9", kind, created)]);
        truth(&looked_for(removal(), 60), &Seen { net, tickets: Answered::Found(tickets), ..nothing() })
    };
    assert_eq!(with("NET_DELETE_REQUEST", after(1)), "ticket");
    assert_eq!(with("NET_DELETE_REQUEST", after(-3600)), "not done");
    assert_eq!(with("IPV4_SIMPLE_REASSIGN", after(1)), "not done");
}

#[test]
fn a_deleted_customer_is_gone() {
    let seen = |customer| truth(&looked_for(customer_removal(), 60), &Seen { customer, ..Seen::default() });
    assert_eq!(seen(Answered::Absent), "done");
    assert_eq!(seen(Answered::Found(customer())), "not done", "no ticket is made of it, so none is asked for");
    assert_eq!(seen(unasked()), "undecided");
}

#[test]
fn looks_are_kept_but_not_all_of_them() {
    let mut intent = intent(create());
    for minute in 0..40 {
        let seen = if minute == 3 { nothing() } else { Seen { net: unasked(), ..nothing() } };
        let truth = judge(&intent, &seen, after(60 * minute), PAUSE);
        note(&mut intent, &seen, &truth, after(60 * minute));
    }
    assert_eq!(intent.looked.len(), 10);
    assert_eq!(intent.looked.iter().map(|look| look.at).min(), Some(after(180)), "the first one that found nothing");
    assert_eq!(judge(&intent, &nothing(), after(2400), PAUSE), Truth::NotDone);
}

#[test]
fn an_intent_is_read_with_more_and_with_less_in_it() {
    let mut intent = looked_for(create(), 60);
    intent.became("20261127-X1", true);
    intent.ticket_is_over(after(90));
    intent.ticket_is_over(after(95));
    let mut written = serde_json::to_value(&intent).unwrap();
    written["later"] = json!("what a newer process keeps");
    assert_eq!(serde_json::from_value::<Intent>(written.clone()).unwrap(), intent);
    assert_eq!(intent.ticket.as_ref().unwrap().over, Some(after(90)), "the first time counts");
    let least = json!({ "at": written["at"], "by": "alice", "change": written["change"] });
    let least: Intent = serde_json::from_value(least).unwrap();
    assert_eq!((least.looked.len(), least.may_be_sent_again(), least.ticket), (0, true, None));
}
