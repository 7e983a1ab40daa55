//! Change requests and tickets: `pending`, `ticket-waits`, `ticket-old`, `ticket-failed`, `uncertain`.

use super::*;

#[test]
fn what_is_being_registered_is_pending_and_stays_due() {
    let mut world = World::new();
    for (range, operation, state) in [
        ("23.0.1.0/29", "reassign-simple", "waiting"),
        ("23.0.2.0/29", "reassign-detailed", "approved"),
        ("23.0.3.0/29", "reallocate", "ticket"),
        ("2600:100:10::/47", "reassign-simple", "submitting"),
        // Over, another operation.
        ("23.0.4.0/29", "reassign-simple", "refused"),
        ("23.0.5.0/29", "reassign-simple", "withdrawn"),
        ("23.0.6.0/29", "reassign-simple", "expired"),
        ("23.0.7.0/29", "change-network", "waiting"),
    ] {
        world.assign(range, "Acme");
        world.request(operation, state, range);
    }
    // Of another range.
    world.assign("23.0.8.0/29", "Acme");
    world.request("reassign-simple", "waiting", "23.0.8.0/28");
    let open = ["23.0.1.0/29", "23.0.2.0/29", "23.0.3.0/29", "2600:100:10::/47"];
    let over = (4..=8).map(|at| format!("notice unregistered 23.0.{at}.0/29 due 2026-03-23"));
    let expected: Vec<String> =
        open.into_iter().map(|range| format!("info pending {range} due 2026-03-23")).chain(over).collect();
    assert_eq!(found(&world), expected);
}

/// It is no longer only good to know once the day has passed, and nothing else is said meanwhile.
#[test]
fn what_is_still_pending_when_it_is_due_is_a_notice() {
    let mut world = World::new();
    world.without_address("Acme");
    for (range, since) in
        [("23.0.1.0/29", "2026-03-12"), ("2600:100:10::/47", "2026-03-10"), ("23.0.3.0/29", "2026-03-13")]
    {
        world.assign(range, "Acme").assigned_on = Some(date(since));
        world.request("reassign-simple", "waiting", range);
    }
    assert_eq!(
        found(&world),
        [
            "info pending 23.0.3.0/29 due 2026-03-20",
            "notice pending 23.0.1.0/29 due 2026-03-19",
            "notice pending 2600:100:10::/47 due 2026-03-17",
        ]
    );
}

#[test]
fn a_pending_one_stays_the_same_finding() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    let before = world.judged().findings[0].key();
    world.request("reassign-simple", "waiting", "23.0.1.0/29");
    assert_eq!(world.judged().findings[0].key(), before);
    assert_eq!(Finding::key_of(&arin(), Kind::Overdue, &Subject::Prefix(cidr("23.0.1.0/29"))), before);
}

#[test]
fn a_ticket_waiting_for_us() {
    let mut world = World::new();
    world.request("reallocate", "ticket", "23.0.1.0/24");
    for (number, status) in [
        ("20260318-X1", "PENDING_CONFIRMATION"),
        ("20260318-X2", "PENDING_CUSTOMER_REVIEW"),
        ("20260318-X3", "PENDING_REVIEW"),
        ("20260318-X4", "IN_PROGRESS"),
        ("20260318-X5", "IN_PROGRESS"),
    ] {
        world.ticket(number, status);
    }
    world.registrations.tickets[4].waiting_for_us = true;
    // Not ours: it came from no request.
    world.ticket("20260318-X6", "PENDING_CONFIRMATION").request = None;
    assert_eq!(
        found(&world),
        ["alert ticket-waits 20260318-X1", "alert ticket-waits 20260318-X2", "alert ticket-waits 20260318-X5",]
    );
}

#[test]
fn a_ticket_that_has_been_open_for_long_is_old() {
    let mut world = World::new();
    world.request("reallocate", "ticket", "23.0.1.0/24");
    for (number, status, created) in [
        ("20260301-X1", "PENDING_REVIEW", "2026-03-01"),
        ("20260306-X2", "ASSIGNED", "2026-03-06T11:00:00Z"),
        ("20260306-X3", "ASSIGNED", "2026-03-06T13:00:00Z"),
        ("20260301-X4", "CLOSED", "2026-03-01"),
        ("20260301-X5", "RESOLVED", "2026-03-01"),
    ] {
        let ticket = world.ticket(number, status);
        ticket.created = Some(time(created));
        if status == "CLOSED" || status == "RESOLVED" {
            ticket.resolution = Some("ACCEPTED".into());
        }
    }
    assert_eq!(found(&world), ["notice ticket-old 20260301-X1", "notice ticket-old 20260306-X2"]);
    world.policy.ticket_age = Duration::from_secs(30 * 24 * 3600);
    assert_eq!(found(&world), NOTHING);
}

/// A ticket that ended badly is told of only where the registry is not as wanted.
#[test]
fn a_ticket_that_was_denied_has_failed() {
    let mut world = World::new();
    for (at, number, resolution) in [
        (1, "20260318-X1", "DENIED"),
        (2, "20260318-X2", "ABANDONED"),
        (3, "20260318-X3", "WITHDRAWN"),
        (4, "20260318-X4", "UNSUCCESSFUL"),
        (5, "20260318-X5", "DUPLICATE"),
        (6, "20260318-X6", "ACCEPTED"),
        (7, "20260318-X7", "PROCESSED"),
    ] {
        world.request("reassign-simple", "refused", &format!("23.0.{at}.0/29"));
        world.ticket(number, "CLOSED").resolution = Some(resolution.into());
    }
    // Denied, but registered.
    world.request("reassign-simple", "refused", "2600:100:10::/47");
    world.ticket("20260318-X8", "CLOSED").resolution = Some("DENIED".into());
    world.registered("NET-1", "2600:100:10::/47", "Acme");
    let expected: Vec<String> = (1..=5).map(|at| format!("alert ticket-failed 20260318-X{at}")).collect();
    assert_eq!(found(&world), expected);
}

#[test]
fn a_ticket_to_remove_a_net_has_failed_while_the_net_is_there() {
    let mut world = World::new();
    world.registered("NET-1", "23.0.1.0/29", "Acme");
    world.registered("NET-2", "23.0.2.0/30", "Acme");
    for (net, range, number) in [("NET-1", "23.0.1.0/29", "20260318-X1"), ("NET-2", "23.0.2.0/30", "20260318-X2")] {
        let row = world.change_net(net).row;
        world.request("remove-network", "refused", range).network = Some(row);
        world.ticket(number, "CLOSED").resolution = Some("DENIED".into());
    }
    world.change_net("NET-2").registered = false;
    assert_eq!(found(&world), ["alert ticket-failed 20260318-X1"]);
}

#[test]
fn a_request_without_an_answer_is_uncertain() {
    let mut world = World::new();
    for (range, operation, state) in [
        ("23.0.1.0/29", "reassign-simple", "unknown"),
        ("2600:100:10::/47", "remove-network", "unknown"),
        ("23.0.3.0/29", "reassign-simple", "waiting"),
        ("23.0.4.0/29", "reassign-simple", "done"),
        ("23.0.5.0/29", "reassign-simple", "failed"),
    ] {
        world.request(operation, state, range);
    }
    let rows: Vec<String> =
        world.registrations.requests[..2].iter().map(|request| format!("alert uncertain {}", request.row)).collect();
    assert_eq!(found(&world), rows);
}
