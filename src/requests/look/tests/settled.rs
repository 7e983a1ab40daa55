//! What an answer means, and what it means that none came.

use super::super::{
    super::{change::Change, intent::Intent, tests::example::*},
    Sent, settled, unsettled,
};
use crate::{
    arin::{Error, ErrorKind, Fault, Receipt, Ticket, Unwritten},
    model::{Customer, Net, NetType, Payload},
};

const AT_ARIN: &str = "2026-11-27T07:00:00-05:00";

fn answer(net: Option<Net>, customer: Option<Customer>, ticket: Option<Ticket>) -> Receipt {
    Receipt { net, customer, ticket, document: Payload::default() }
}

fn word(sent: &Sent) -> String {
    match sent {
        Sent::Done(_, None) => "done".to_owned(),
        Sent::Done(_, Some(number)) => format!("done, {number}"),
        Sent::Ticket(number) => format!("ticket {number}"),
        Sent::SomethingElse(why) => format!("something else: {why}"),
        Sent::NotSent(why) => format!("not sent: {why}"),
        Sent::Refused(why) => format!("refused: {why}"),
        Sent::Unknown(why) => format!("unknown: {why}"),
    }
}

fn judged(change: &Change, answer: &Receipt) -> String {
    word(&settled(change, answer))
}

fn created(change: fn(&mut Net)) -> String {
    let mut net = net(AT_ARIN);
    change(&mut net);
    judged(&Change::Create(simple()), &answer(Some(net), None, None))
}

#[test]
fn a_net_at_the_place_that_was_asked_for_is_done() {
    assert_eq!(created(|_| {}), "done");
    assert_eq!(created(|net| net.name = "ANOTHER-NAME".to_owned()), "done", "ARIN may change a name");
    assert_eq!(created(|net| (net.kind, net.parent, net.holder) = (None, None, None)), "done", "what it does not tell");
}

#[test]
fn a_net_at_another_place_is_something_else() {
    for change in [
        |net: &mut Net| net.blocks = vec![range("23.144.2.0/24")],
        |net: &mut Net| net.kind = Some(NetType::Reallocated),
        |net: &mut Net| net.parent = Some(handle("NET-OTHER")),
        |net: &mut Net| net.holder = held_by_org("EXAMPLE-1"),
    ] {
        assert!(created(change).starts_with("something else"), "{}", created(change));
    }
    insta::assert_snapshot!(created(|net| net.blocks = vec![range("23.144.2.0/24")]), @"something else: ARIN registered NET-23-144-1-0-1, which is not what was asked for: its range is 23.144.2.0/24, not 23.144.1.0/24.");
}

#[test]
fn a_ticket_says_that_nothing_is_done_yet_unless_a_net_stands_beside_it() {
    let ticket = || Some(unknown_ticket("20261127-X1"));
    let of = |receipt| judged(&Change::Create(simple()), &receipt);
    assert_eq!(of(answer(None, None, ticket())), "ticket 20261127-X1");
    assert_eq!(of(answer(Some(net(AT_ARIN)), None, ticket())), "done, 20261127-X1");
    assert_eq!(of(answer(None, None, None)), "unknown: ARIN answered neither with what was done nor with a ticket");
    assert!(of(answer(None, Some(customer()), None)).starts_with("unknown"), "a customer is no net");
}

#[test]
fn other_changes_are_done_if_the_answer_is_about_what_was_meant() {
    let found = || Some(net(REGISTERED));
    let other = || Some(Net { handle: handle("NET-OTHER"), ..net(REGISTERED) });
    for change in [removal(), rename_net("NEW")] {
        assert_eq!(judged(&change, &answer(found(), None, None)), "done", "{change:?}");
        assert!(judged(&change, &answer(other(), None, None)).starts_with("something else"), "{change:?}");
    }
    let stranger = || Some(Customer { handle: customer_handle("C00000002"), ..customer() });
    for change in [Change::ChangeCustomer(customer_change()), customer_removal()] {
        assert_eq!(judged(&change, &answer(None, Some(customer()), None)), "done", "{change:?}");
        assert!(judged(&change, &answer(None, stranger(), None)).starts_with("something else"), "{change:?}");
        assert!(judged(&change, &answer(found(), None, None)).starts_with("unknown"), "{change:?}");
    }
}

fn refusal(status: u16, code: &str) -> Error {
    ErrorKind::Refused(Fault { status, code: Some(code.to_owned()), message: None }).into()
}

fn not_taken(change: Change, again: bool, unwritten: &Unwritten) -> String {
    let mut intent = Intent::new(change, "alice", time(AT_ARIN), None);
    intent.sent_again = again.then(|| time(AT_ARIN));
    let told = word(&unsettled(&intent, unwritten));
    told.split(':').next().unwrap_or_default().to_owned()
}

#[test]
fn the_three_ways_of_not_being_taken_stay_apart() {
    let first = |unwritten: &Unwritten| not_taken(Change::Create(simple()), false, unwritten);
    assert_eq!(first(&Unwritten::NotSent(ErrorKind::UnusableKey.into())), "not sent");
    assert_eq!(first(&Unwritten::Refused(refusal(400, "E_ENTITY_VALIDATION"))), "refused");
    assert_eq!(first(&Unwritten::Refused(refusal(404, "E_OBJECT_NOT_FOUND"))), "refused", "no such parent");
    assert_eq!(first(&Unwritten::Unknown(refusal(500, "E_UNSPECIFIED"))), "unknown");
}

#[test]
fn whatever_becomes_of_a_repeat_is_looked_up() {
    let repeat = |unwritten: &Unwritten| not_taken(Change::Create(simple()), true, unwritten);
    assert_eq!(repeat(&Unwritten::NotSent(ErrorKind::UnusableKey.into())), "unknown", "the first one was sent");
    assert_eq!(repeat(&Unwritten::Refused(refusal(400, "E_ENTITY_VALIDATION"))), "unknown", "it may overlap the first");
}

#[test]
fn a_removal_of_what_is_not_there_is_looked_up() {
    let gone = Unwritten::Refused(refusal(404, "E_OBJECT_NOT_FOUND"));
    let tied = Unwritten::Refused(refusal(409, "E_NOT_REMOVEABLE"));
    for change in [removal(), customer_removal()] {
        assert_eq!(not_taken(change.clone(), false, &gone), "unknown", "{change:?}");
        assert_eq!(not_taken(change.clone(), false, &tied), "refused", "{change:?}");
    }
    assert_eq!(not_taken(rename_net("NEW"), false, &gone), "refused", "nothing is left to change");
}
