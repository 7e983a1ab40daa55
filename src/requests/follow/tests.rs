//! Each end of a ticket beside its neighbour that comes out the other way.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        answered::Answered,
        change::Change,
        intent::{Intent, Looked},
        look::Seen,
        tests::example::*,
    },
    End, Next, end, is_to_be_closed, listed, next, not_listed,
};
use crate::{arin::Ticket, model::Net};

const PAUSE: Duration = Duration::from_secs(180);
const SENT: &str = "2026-11-27T12:00:00Z";
const NUMBER: &str = "20261127-X1";

fn after(seconds: i64) -> Timestamp {
    time(SENT).checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn ticket(status: &str, resolution: Option<&str>) -> Ticket {
    let text = |text: &str| Some(text.to_owned());
    let kind = text("IPV4_SIMPLE_REASSIGN");
    let resolution = resolution.and_then(text);
    Ticket { status: text(status), resolution, kind, created: Some(after(1)), ..unknown_ticket(NUMBER) }
}

fn nothing() -> Seen {
    Seen { net: Answered::Absent, tickets: Answered::Found(Vec::new()), ..Seen::default() }
}

/// A request whose ticket was seen to be over, and of which a look right then found nothing.
fn over(found: bool) -> Intent {
    let mut intent = Intent::new(Change::Create(simple()), "alice", time(SENT), None);
    intent.note(Looked { at: after(30), nothing: true, saw: String::new() });
    intent.became(NUMBER, found);
    intent.ticket_is_over(after(1000));
    intent.note(Looked { at: after(1000), nothing: true, saw: String::new() });
    intent
}

/// How a request ends, so many seconds after its ticket was over.
fn ended(resolution: Option<&str>, seen: &Seen, seconds: i64) -> String {
    told(&Answered::Found(ticket("RESOLVED", resolution)), seen, seconds)
}

fn told(ticket: &Answered<Ticket>, seen: &Seen, seconds: i64) -> String {
    match end(&over(false), ticket, seen, (after(1000 + seconds), PAUSE)) {
        End::Done(_) => "done".to_owned(),
        End::Refused(why) => format!("refused: {why}"),
        End::Conflict(why) => format!("conflict: {why}"),
        End::Ticket(number) => format!("ticket {number}"),
        End::Later(why, wait) => format!("in {} s: {why}", wait.as_secs()),
    }
}

#[test]
fn an_open_ticket_is_asked_for_less_and_less_often() {
    let wait = |seconds| match next(&Answered::Found(ticket("ASSIGNED", None)), time(SENT), after(seconds)) {
        Next::Wait(wait, _) => wait.as_secs() / 60,
        Next::Look => 0,
    };
    let (minute, day) = (60, 24 * 3600);
    assert_eq!([wait(-5), wait(0), wait(minute), wait(3 * minute), wait(8 * minute)], [1, 1, 2, 5, 15]);
    assert_eq!([wait(23 * minute), wait(7 * day - 1), wait(7 * day)], [60, 60, 24 * 60]);
}

#[test]
fn a_ticket_that_is_over_or_gone_is_worth_a_look() {
    let of = |ticket| next(&ticket, time(SENT), after(10));
    let found = |status| of(Answered::Found(ticket(status, None)));
    assert_eq!([found("RESOLVED"), found("CLOSED"), of(Answered::Absent)], [Next::Look; 3]);
    let minute = Duration::from_secs(60);
    for status in ["APPROVED", "IN_PROGRESS", "WAIT_LIST", "SOMETHING_NEW"] {
        assert_eq!(found(status), Next::Wait(minute, Some(false)), "{status}");
    }
    for status in ["PENDING_CONFIRMATION", "PENDING_CUSTOMER_REVIEW"] {
        assert_eq!(found(status), Next::Wait(minute, Some(true)), "{status} waits for us");
    }
    let without = Ticket { status: None, ..ticket("", None) };
    assert_eq!(of(Answered::Found(without)), Next::Wait(minute, Some(false)));
    assert_eq!(of(Answered::NotKnown("401".to_owned())), Next::Wait(minute, None), "it is not known whose turn it is");
}

#[test]
fn one_list_serves_all_tickets_that_are_in_it() {
    let list = Answered::Found(vec![ticket("ASSIGNED", None)]);
    assert_eq!(not_listed(&[NUMBER, "20261127-X2"], &list), ["20261127-X2"]);
    assert_eq!(not_listed(&[NUMBER], &Answered::Absent), [NUMBER]);
    assert_eq!(not_listed(&[NUMBER], &Answered::NotKnown("silence".to_owned())), [""; 0]);
    assert_eq!(listed(NUMBER, &list), Answered::Found(ticket("ASSIGNED", None)));
    for list in [list, Answered::Absent, Answered::NotKnown("silence".to_owned())] {
        assert!(matches!(listed("20261127-X2", &list), Answered::NotKnown(_)), "no list says that a ticket is gone");
    }
}

#[test]
fn the_registry_decides_whatever_the_ticket_says() {
    let made =
        Seen { net: Answered::Found(net("2026-11-27T12:00:00Z")), customer: Answered::Found(customer()), ..nothing() };
    for resolution in [Some("ACCEPTED"), Some("DENIED"), Some("DUPLICATE"), Some("NEW"), None] {
        assert_eq!(ended(resolution, &made, 0), "done", "{resolution:?}");
    }
    assert_eq!(told(&Answered::Absent, &made, 0), "done", "the ticket is gone");
    let other = Seen { net: Answered::Found(Net { holder: held_by_org("OTHER-1"), ..net(SENT) }), ..nothing() };
    assert!(ended(Some("ACCEPTED"), &other, 0).starts_with("conflict"), "somebody else has the range");
    let silent = Seen { net: Answered::NotKnown("silence".to_owned()), ..nothing() };
    assert_eq!(ended(Some("DENIED"), &silent, 0), "in 180 s: silence");
}

#[test]
fn a_ticket_that_failed_is_a_refusal_once_the_registry_shows_nothing() {
    for resolution in ["DENIED", "ABANDONED", "WITHDRAWN", "UNSUCCESSFUL"] {
        let told = ended(Some(resolution), &nothing(), 0);
        assert_eq!(told, format!("refused: Ticket {NUMBER} ended as {resolution}, and ARIN shows nothing of it."));
    }
}

#[test]
fn a_ticket_that_succeeded_may_take_an_hour_to_show() {
    for resolution in ["ACCEPTED", "PROCESSED", "OTHER", "ANSWERED"] {
        assert!(ended(Some(resolution), &nothing(), 3599).starts_with("in 180 s"), "{resolution}");
        assert!(ended(Some(resolution), &nothing(), 3600).starts_with("conflict"), "{resolution}");
    }
}

#[test]
fn a_ticket_that_does_not_say_how_it_ended_takes_two_looks() {
    for ticket in [
        Answered::Found(ticket("RESOLVED", None)),
        Answered::Found(ticket("CLOSED", Some("SOMETHING_NEW"))),
        Answered::Absent,
    ] {
        assert!(told(&ticket, &nothing(), 179).starts_with("in 180 s"), "{ticket:?}");
        assert!(told(&ticket, &nothing(), 180).starts_with("refused"), "{ticket:?}");
    }
    let unknown = Answered::NotKnown("silence".to_owned());
    assert_eq!(told(&unknown, &nothing(), 7200), "in 180 s: silence");
    insta::assert_snapshot!(told(&Answered::Absent, &nothing(), 180), @"refused: Ticket 20261127-X1 is not there any more, and ARIN shows nothing of it.");
}

#[test]
fn a_duplicate_stands_back_for_the_ticket_that_it_doubles() {
    let first = Ticket { number: "20261127-X0".to_owned(), ..ticket("ASSIGNED", None) };
    let with = |tickets| ended(Some("DUPLICATE"), &Seen { tickets, ..nothing() }, 0);
    assert_eq!(with(Answered::Found(vec![first])), "ticket 20261127-X0");
    assert!(with(Answered::Found(Vec::new())).starts_with("refused"));
    assert!(with(Answered::NotKnown("silence".to_owned())).starts_with("in 180 s"));
}

#[test]
fn only_a_ticket_of_ones_own_that_arin_has_resolved_is_closed() {
    let closed = |found, status: &str, end: &End| {
        is_to_be_closed(over(found).ticket.as_ref().unwrap(), &ticket(status, None), end)
    };
    let (done, refused) = (End::Done(Box::default()), End::Refused(String::new()));
    assert!(closed(false, "RESOLVED", &done) && closed(false, "RESOLVED", &refused));
    assert!(!closed(false, "CLOSED", &done), "ARIN refuses to close what is closed");
    assert!(!closed(true, "RESOLVED", &done), "it may be somebody else's");
    for end in [End::Conflict(String::new()), End::Ticket(NUMBER.to_owned()), End::Later(String::new(), PAUSE)] {
        assert!(!closed(false, "RESOLVED", &end), "{end:?}");
    }
}

#[test]
fn a_ticket_that_was_only_found_is_told_as_such() {
    let denied = Answered::Found(ticket("RESOLVED", Some("DENIED")));
    let End::Refused(why) = end(&over(true), &denied, &nothing(), (after(1000), PAUSE)) else { panic!("no refusal") };
    insta::assert_snapshot!(why, @"Ticket 20261127-X1, which was probably its, ended as DENIED, and ARIN shows nothing of it.");
}
