//! A ticket instead of a net: it is followed until it is known what became of it.

use rir_sandbox::{
    regrws::{Fault, Operation, Resolution, Rule, Server, TicketStatus, Ticketing},
    world::Holder,
};
use rir_sidecar::netbox::schema;
use serde_json::Value;

use super::{Changes, DETAILED, LOOK_AGAIN, choice, count};
use crate::scene::{Row, Target};

const RANGE: &str = "23.144.4.0/24";

/// ARIN's people accept what they have on their desk, and deny what cannot be done any more.
pub(super) fn accept_all(arin: &Server) {
    let tickets = arin.tickets();
    let open = tickets.all().into_iter().filter(|ticket| !is_over(ticket.status));
    for number in open.map(|ticket| ticket.number) {
        if tickets.accept(&number).is_err() {
            tickets.deny(&number).unwrap();
        }
    }
}

fn is_over(status: TicketStatus) -> bool {
    [TicketStatus::Resolved, TicketStatus::Closed].contains(&status)
}

/// A reassignment that ARIN has made a ticket of, and the number of that.
async fn ticketed(target: Target) -> (Changes, Value, String) {
    let changes = Changes::new(target).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    changes.assign(RANGE, tenant).await;
    changes.sync().await;
    changes.scene.arin.tickets().instead_of(Operation::Reassign, Ticketing::Always);
    let request = changes.approved(&["--prefix", RANGE]).await;
    let request = changes.submit(&changes.bob, &[&request]).await.expect(0).one();
    let number = only_ticket(&changes);
    assert_eq!(
        (request["state"].as_str(), request["ticket"].as_str()),
        (Some("ticket"), Some(number.as_str())),
        "{request:#}"
    );
    (changes, request, number)
}

fn only_ticket(changes: &Changes) -> String {
    let tickets = changes.scene.arin.tickets().all();
    assert_eq!(tickets.len(), 1, "{tickets:#?}");
    tickets[0].number.clone()
}

/// The row of a ticket.
async fn row(changes: &Changes, number: &str) -> Row {
    let rows = changes.scene.rows_of(schema::TICKET).await;
    rows.into_iter().find(|row| row["number"] == number).unwrap_or_else(|| panic!("no row of ticket {number}"))
}

/// Sees to it that a reassignment was sent once.
#[track_caller]
fn assert_sent_once(changes: &Changes) {
    assert_eq!(count(&changes.writes(), Operation::Reassign), 1, "{:#?}", changes.wrote());
}

pub(crate) async fn a_ticket_is_followed_until_the_net_is_there(target: Target) {
    let (changes, request, number) = ticketed(target).await;
    assert_eq!(changes.nets(RANGE).len(), 0);
    assert_eq!(row(&changes, &number).await["change_request"]["id"], request["id"]);
    changes.sync().await;
    let kinds: Vec<String> = changes.open_findings(RANGE).await.into_keys().collect();
    assert_eq!(kinds, ["pending"], "it is under way");
    changes.take_up().await.expect(0);
    assert_eq!(changes.state(&request).await, "ticket", "nothing has happened yet");

    changes.scene.arin.tickets().accept(&number).unwrap();
    changes.look("ticket").await;
    assert_eq!(changes.state(&request).await, "done");
    assert_sent_once(&changes);
    let net = changes.net(RANGE);
    let recorded = changes.scene.row(schema::NETWORK, &net.handle).await;
    assert_eq!(recorded["prefix"]["prefix"], RANGE, "{recorded:#?}");
    assert!(["RESOLVED", "CLOSED"].contains(&row(&changes, &number).await["status"].as_str().unwrap()));
    assert_eq!(changes.open_findings(RANGE).await.into_keys().collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn a_ticket_of_the_sandbox_is_followed_until_the_net_is_there() {
    a_ticket_is_followed_until_the_net_is_there(Target::sandbox().await).await;
}

#[tokio::test]
async fn what_is_denied_is_refused_and_not_sent_again() {
    let (changes, request, number) = ticketed(Target::sandbox().await).await;
    changes.scene.arin.tickets().deny(&number).unwrap();
    for _ in 0..3 {
        changes.look("ticket").await;
        changes.take_up().await;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let row = changes.row(&request).await;
    assert_eq!((choice(&row, "state").as_str(), changes.nets(RANGE).len()), ("refused", 0), "{row:#?}");
    assert!(row["message"].as_str().unwrap().contains("DENIED"), "{row:#?}");
    assert_sent_once(&changes);
}

/// What decides is what is registered, and not what the ticket says of it.
#[tokio::test]
async fn a_net_that_is_there_is_done_whatever_the_ticket_says() {
    for resolution in [None, Some(Resolution::Processed), Some(Resolution::Other), Some(Resolution::Denied)] {
        let (changes, request, number) = ticketed(Target::sandbox().await).await;
        changes.scene.arin.tickets().accept(&number).unwrap();
        changes.scene.arin.tickets().set_resolution(&number, resolution).unwrap();
        changes.look("ticket").await;
        assert_eq!(changes.state(&request).await, "done", "{resolution:?}");
        assert_sent_once(&changes);
    }
}

#[tokio::test]
async fn a_ticket_that_claims_a_net_that_is_not_there_is_not_believed() {
    for resolution in [Resolution::Accepted, Resolution::Processed] {
        let (changes, request, number) = ticketed(Target::sandbox().await).await;
        changes.scene.arin.tickets().resolve(&number, resolution).unwrap();
        for _ in 0..3 {
            changes.look("ticket").await;
            changes.take_up().await;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        assert_ne!(changes.state(&request).await, "done", "{resolution:?}");
        assert_sent_once(&changes);
    }
}

#[tokio::test]
async fn a_ticket_that_waits_for_us_says_so() {
    for status in [TicketStatus::PendingConfirmation, TicketStatus::PendingCustomerReview] {
        let (changes, request, number) = ticketed(Target::sandbox().await).await;
        changes.scene.arin.tickets().set_status(&number, status).unwrap();
        changes.look("ticket").await;
        let row = row(&changes, &number).await;
        assert_eq!((&row["status"], &row["waiting_for_us"]), (&status.code().into(), &true.into()), "{row:#?}");
        assert_eq!(changes.state(&request).await, "ticket");
        changes.sync().await;
        let findings = changes.open_findings(&number).await;
        assert!(findings.contains_key("ticket-waits"), "{findings:?}");
    }
}

/// The ticket was made, and its number lost on the way: it is found in the list, and counts as ours.
#[tokio::test]
async fn a_ticket_whose_number_was_lost_is_found() {
    let changes = Changes::new(Target::sandbox().await).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    changes.assign(RANGE, tenant).await;
    changes.sync().await;
    changes.scene.arin.tickets().instead_of(Operation::Reassign, Ticketing::Always);
    changes.scene.arin.fail(Rule::new(Fault::LostAfter).on(Operation::Reassign).times(1));
    let request = changes.approved(&["--prefix", RANGE]).await;
    changes.submit(&changes.bob, &[&request]).await;
    let number = only_ticket(&changes);
    for _ in 0..4 {
        tokio::time::sleep(LOOK_AGAIN + std::time::Duration::from_millis(100)).await;
        changes.take_up().await;
    }
    let row = changes.row(&request).await;
    assert_eq!((choice(&row, "state").as_str(), row["ticket"].as_str()), ("ticket", Some(number.as_str())), "{row:#?}");
    changes.scene.arin.tickets().accept(&number).unwrap();
    changes.look("ticket").await;
    assert_eq!((changes.state(&request).await.as_str(), changes.nets(RANGE).len()), ("done", 1));
    assert_sent_once(&changes);
}

#[tokio::test]
async fn a_net_and_a_ticket_in_one_answer_are_done() {
    let changes = Changes::new(Target::sandbox().await).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    changes.assign(RANGE, tenant).await;
    changes.sync().await;
    changes.scene.arin.tickets().instead_of(Operation::Reassign, Ticketing::Beside);
    let done = changes.done(&["--prefix", RANGE]).await;
    assert_eq!(done["ticket"], only_ticket(&changes), "{done:#}");
    changes.net(RANGE);
}

#[tokio::test]
async fn a_removal_is_done_when_its_ticket_was_worked_off() {
    let changes = Changes::new(Target::sandbox().await).await;
    let tenant = changes.tenant("Sample Hosting LLC").await;
    changes.assign("23.144.2.0/24", tenant).await;
    changes.sync().await;
    changes.scene.arin.tickets().instead_of(Operation::DeleteNet, Ticketing::Always);
    let request = changes.approved(&["--network", DETAILED, "--operation", "remove-network"]).await;
    let request = changes.submit(&changes.bob, &[&request]).await.expect(0).one();
    assert_eq!((request["state"].as_str(), changes.nets("23.144.2.0/24").len()), (Some("ticket"), 1), "{request:#}");
    changes.take_up().await;
    assert_eq!(changes.state(&request).await, "ticket");
    assert!(matches!(changes.net("23.144.2.0/24").holder, Holder::Org(_)));
    changes.scene.arin.tickets().accept(&only_ticket(&changes)).unwrap();
    changes.look("ticket").await;
    assert_eq!((changes.state(&request).await.as_str(), changes.nets("23.144.2.0/24").len()), ("done", 0));
    assert_eq!(count(&changes.writes(), Operation::DeleteNet), 1);
}

#[tokio::test]
async fn each_of_many_tickets_leads_to_its_own_net() {
    let changes = Changes::new(Target::sandbox().await).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    let ranges = ["23.144.4.0/28", "23.144.4.16/28", "23.144.4.32/28", "23.144.4.48/28", "23.144.4.64/28"];
    for range in ranges {
        changes.assign(range, tenant).await;
    }
    changes.sync().await;
    changes.scene.arin.tickets().instead_of(Operation::Reassign, Ticketing::Always);
    for range in ranges {
        let request = changes.approved(&["--prefix", range]).await;
        changes.submit(&changes.bob, &[&request]).await.expect(0);
    }
    changes.scene.arin.forget_requests();
    changes.look("ticket").await;
    let asked: Vec<String> = changes.scene.arin.requests().0.iter().map(|request| request.path.clone()).collect();
    eprintln!("measured: five open tickets were followed by {} requests: {asked:#?}", asked.len());
    let tickets = changes.scene.arin.tickets().all();
    changes.scene.arin.tickets().accept(&tickets[3].number).unwrap();
    changes.look("ticket").await;
    let states: Vec<String> = changes.states().await.into_values().collect();
    assert_eq!(states, ["ticket", "ticket", "ticket", "done", "ticket"]);
    accept_all(&changes.scene.arin);
    changes.look("ticket").await;
    assert!(changes.states().await.values().all(|state| state == "done"), "{:?}", changes.states().await);
    for range in ranges {
        changes.net(range);
    }
}
