//! Tickets and reports.

use std::collections::BTreeSet;

use super::lab::*;
use crate::{
    regrws::{Jobs, KEY, Message, Operation, Options, Resolution, TicketError, TicketStatus, Ticketing, tree::Node},
    world::World,
};

const OTHER: &str = "API-OTHER";

impl Lab {
    /// Asks for a reassignment that becomes a ticket, and returns its number.
    async fn ticket(&self) -> String {
        self.server.tickets().instead_of(Operation::Reassign, Ticketing::Next(1));
        let root = self.reassign(&simple()).await.root();
        assert_eq!((root.name.as_str(), root.child("net")), ("ticketedRequest", None));
        root.child("ticket").unwrap().text_of("ticketNo").unwrap()
    }

    async fn summary(&self, number: &str) -> Node {
        self.get(&format!("ticket/{number}/summary")).await.root()
    }

    async fn status_of(&self, number: &str) -> String {
        let summary = self.summary(number).await;
        let text = |name: &str| summary.text_of(name).unwrap_or_else(|| "-".to_owned());
        format!("{} {}", text("webTicketStatus"), text("webTicketResolution"))
    }

    /// The numbers in a list.
    async fn listed(&self, path: &str) -> String {
        let root = self.get(path).await.root();
        assert_eq!(root.name, "collection");
        root.all("ticket").map(|ticket| ticket.text_of("ticketNo").unwrap()).collect::<Vec<_>>().join(" ")
    }
}

// Methods: a write may be answered by a ticket. Fixture: a fresh one lacks much of what others have.
#[tokio::test]
async fn a_fresh_ticket_lacks_what_is_not_yet() {
    let lab = Lab::demo().await;
    let number = lab.ticket().await;
    assert_eq!(number.split_once("-X").map(|(date, count)| (date.len(), count)), Some((8, "1")));
    let summary = lab.summary(&number).await;
    let names: BTreeSet<&str> = summary.children.iter().map(|child| child.name.as_str()).collect();
    let there = ["createdDate", "ticketNo", "updatedDate", "webTicketStatus", "webTicketType"];
    assert_eq!(names, BTreeSet::from(there));
    assert_eq!(summary.text_of("webTicketType").as_deref(), Some("IPV4_SIMPLE_REASSIGN"));
    assert_eq!(lab.get("net/NET-23-144-12-0-1").await.status, 404);
    assert_eq!(lab.server.registry().customers.len(), World::demo().registry.customers.len());
}

// Payloads, "Ticket Payload": the statuses and their order. A write is done when its ticket is accepted.
#[tokio::test]
async fn an_accepted_ticket_does_what_was_asked_for() {
    let lab = Lab::demo().await;
    let number = lab.ticket().await;
    let mut seen = vec![lab.status_of(&number).await];
    for _ in 0..5 {
        lab.server.tickets().advance(&number).unwrap();
        seen.push(lab.status_of(&number).await);
        let is_there = lab.get("net/NET-23-144-12-0-1").await.status == 200;
        assert_eq!(is_there, seen.len() > 4, "{seen:?}");
    }
    let way = ["PENDING_REVIEW -", "ASSIGNED -", "IN_PROGRESS -", "APPROVED -", "RESOLVED ACCEPTED", "CLOSED ACCEPTED"];
    assert_eq!(seen, way);
    let summary = lab.summary(&number).await;
    assert!(summary.text_of("resolvedDate").is_some() && summary.text_of("closedDate").is_some());
}

#[tokio::test]
async fn a_denied_ticket_does_nothing_and_other_endings_can_be_set() {
    let lab = Lab::demo().await;
    let number = lab.ticket().await;
    lab.server.tickets().deny(&number).unwrap();
    assert_eq!(lab.status_of(&number).await, "RESOLVED DENIED");
    assert_eq!(lab.get("net/NET-23-144-12-0-1").await.status, 404);
    lab.server.tickets().set_resolution(&number, None).unwrap();
    lab.server.tickets().set_status(&number, TicketStatus::PendingCustomerReview).unwrap();
    assert_eq!(lab.status_of(&number).await, "PENDING_CUSTOMER_REVIEW -");
    lab.server.tickets().resolve(&number, Resolution::Duplicate).unwrap();
    assert_eq!(lab.status_of(&number).await, "RESOLVED DUPLICATE");
    lab.server.tickets().forget(&number).unwrap();
    assert_eq!(lab.get(&format!("ticket/{number}/summary")).await.refusal(), "404 E_OBJECT_NOT_FOUND");
    assert_eq!(lab.server.tickets().deny(&number), Err(TicketError::Unknown { number }));
}

#[tokio::test]
async fn what_became_impossible_cannot_be_accepted() {
    let lab = Lab::demo().await;
    let number = lab.ticket().await;
    lab.reassigned().await;
    let refused = lab.server.tickets().accept(&number).unwrap_err();
    assert!(matches!(refused, TicketError::Refused { status: 400, .. }), "{refused}");
    assert_eq!(lab.status_of(&number).await, "PENDING_REVIEW -");
}

// Payloads: the sample of a `ticketedRequest` has both. Templates: their schema wants one of them.
#[tokio::test]
async fn a_ticket_may_come_beside_a_net() {
    let lab = Lab::demo().await;
    lab.server.tickets().instead_of(Operation::Reassign, Ticketing::Beside);
    let root = lab.reassign(&simple()).await.root();
    assert!(root.child("ticket").is_some() && root.child("net").is_some());
    assert_eq!(lab.get("net/NET-23-144-12-0-1").await.status, 200);
}

// Methods, "Ticket": one by number, and lists by matrix parameters; a key sees the tickets of its user.
#[tokio::test]
async fn lists_are_made_by_type_and_status() {
    let lab = Lab::demo().await;
    lab.server.configure(|options| {
        options.keys.insert(OTHER.to_owned());
    });
    let first = lab.ticket().await;
    lab.server.tickets().instead_of(Operation::DeleteNet, Ticketing::Always);
    assert_eq!(lab.delete("net/NET-23-144-2-0-1").await.status, 200);
    let second = lab.server.tickets().all()[1].number.clone();
    lab.server.tickets().accept(&second).unwrap();
    let both = format!("{first} {second}");
    assert_eq!(lab.listed("ticket/summary;ticketType=ANY;ticketStatus=ANY_OPEN").await, both);
    assert_eq!(lab.listed("ticket;ticketType=IPV4_SIMPLE_REASSIGN;ticketStatus=ANY").await, first);
    assert_eq!(lab.listed("ticket/summary;ticketType=NET_DELETE_REQUEST;ticketStatus=RESOLVED").await, second);
    assert_eq!(lab.listed("ticket;ticketStatus=ASSIGNED").await, "");
    assert_eq!(lab.get("ticket;ticketStatus=LOST").await.refusal(), "400 E_BAD_REQUEST");
    lab.call("PUT", &format!("ticket/{second}/ticketStatus/CLOSED"), "").await.root();
    assert_eq!(lab.listed("ticket/summary;ticketType=ANY;ticketStatus=ANY_OPEN").await, first);
    let url = format!("{}/rest/ticket/{first}/summary?apikey={OTHER}", lab.server.url());
    assert_eq!(Answer::of(lab.client.get(&url)).await.refusal(), "401 E_AUTHENTICATION");
    lab.server.configure(|options| {
        options.users = [(KEY.to_owned(), "ann".to_owned()), (OTHER.to_owned(), "ann".to_owned())].into();
    });
    let third = {
        lab.server.tickets().instead_of(Operation::Reassign, Ticketing::Next(1));
        lab.reassign(&simple()).await.root().child("ticket").unwrap().text_of("ticketNo").unwrap()
    };
    let url = format!("{}/rest/ticket/{third}/summary?apikey={OTHER}", lab.server.url());
    assert_eq!(Answer::of(lab.client.get(&url)).await.status, 200);
}

// Methods: only a resolved ticket can be closed. Seen: a closed one is a bad request.
#[tokio::test]
async fn only_a_resolved_ticket_can_be_closed() {
    let lab = Lab::demo().await;
    let number = lab.ticket().await;
    let close = async || lab.call("PUT", &format!("ticket/{number}/ticketStatus/CLOSED?msgRefs=true"), "").await;
    assert_eq!(close().await.refusal(), "400 E_BAD_REQUEST");
    lab.server.tickets().accept(&number).unwrap();
    let again = lab.call("PUT", &format!("ticket/{number}/ticketStatus/ASSIGNED"), "").await;
    assert_eq!(again.refusal(), "400 E_BAD_REQUEST");
    assert_eq!(close().await.root().text_of("webTicketStatus").as_deref(), Some("CLOSED"));
    assert_eq!(close().await.refusal(), "400 E_BAD_REQUEST");
}

// Methods: a ticket can be closed by its own payload, too, of which nothing else can be changed.
#[tokio::test]
async fn a_ticket_can_be_closed_by_its_payload() {
    let lab = Lab::demo().await;
    let number = lab.ticket().await;
    lab.server.tickets().accept(&number).unwrap();
    let known = lab.get(&format!("ticket/{number}/summary")).await.body;
    let other = edited(&known, "ACCEPTED", "DENIED");
    let path = format!("ticket/{number}");
    assert_eq!(lab.call("PUT", &path, &other).await.refusal(), "400 E_ENTITY_VALIDATION webTicketResolution");
    let closed = lab.call("PUT", &path, &edited(&known, "RESOLVED", "CLOSED")).await.root();
    assert_eq!(closed.text_of("webTicketStatus").as_deref(), Some("CLOSED"));
}

// Methods, "Add Message", "Get Ticket Message", "Get Ticket Attachment".
#[tokio::test]
async fn messages_go_both_ways() {
    let lab = Lab::demo().await;
    let number = lab.ticket().await;
    let answer = Message::new("Why?", "Please explain.").with("form.txt", b"a form");
    lab.server.tickets().say(&number, answer).unwrap();
    let message = format!(
        "<message xmlns=\"{}\"><subject>Because</subject><text><line number=\"0\">So.</line></text>\
         <category>JUSTIFICATION</category><attachments><attachment><data>YSBwbGFu</data><filename>plan.txt</filename>\
         </attachment></attachments></message>",
        super::super::tree::CORE
    );
    let made = lab.call("PUT", &format!("ticket/{number}/message"), &message).await.root();
    let said = made.children.iter().find(|child| child.name == "messageId").unwrap();
    assert_eq!(said.namespace, "http://www.arin.net/regrws/messages/v1");
    let whole = lab.get(&format!("ticket/{number}")).await.root();
    let subjects = whole.child("messages").unwrap().all("message").map(|said| said.text_of("subject").unwrap());
    assert_eq!(subjects.collect::<Vec<_>>(), ["Why?", "Because"]);
    let references = lab.get(&format!("ticket/{number}?msgRefs=true")).await.root();
    let references = references.child("messageReferences").unwrap();
    let first = references.all("messageReference").next().unwrap();
    let file = first.child("attachmentReferences").unwrap().child("attachmentReference").unwrap();
    let (id, file) = (first.text_of("messageId").unwrap(), file.text_of("attachmentId").unwrap());
    let one = lab.get(&format!("ticket/{number}/message/{id}")).await.root();
    assert_eq!(one.lines_of("text"), ["Please explain."]);
    let request = lab.request("GET", &format!("ticket/{number}/message/{id}/attachment/{file}"), "");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"form.txt\"");
    assert_eq!(response.bytes().await.unwrap(), "a form");
    lab.server.tickets().set_status(&number, TicketStatus::Closed).unwrap();
    assert_eq!(lab.call("PUT", &format!("ticket/{number}/message"), &message).await.refusal(), "400 E_BAD_REQUEST");
}

// Methods: a ticket whose attachments are too large is asked for with references.
#[tokio::test]
async fn large_attachments_are_only_referred_to() {
    let lab = Lab::demo().await;
    let number = lab.ticket().await;
    let large = Message::new("Large", "").with("large.bin", &vec![0; 2 * 1024 * 1024]);
    lab.server.tickets().say(&number, large).unwrap();
    assert_eq!(lab.get(&format!("ticket/{number}")).await.refusal(), "413 E_BAD_REQUEST");
    assert_eq!(lab.get(&format!("ticket/{number}?msgRefs=true")).await.status, 200);
    assert_eq!(lab.get(&format!("ticket/{number}/summary")).await.status, 200);
}

// Methods and Templates: the removal of a net that has others below it is a ticket and a job.
#[tokio::test]
async fn a_net_with_others_below_it_is_removed_in_the_background() {
    for jobs in [Jobs::AtOnce, Jobs::WhenAccepted] {
        let lab = Lab::of(Options { jobs, ..Options::default() }).await;
        let root = lab.delete("net/NET-23-144-8-0-1").await.root();
        let ticket = root.child("ticket").unwrap();
        assert_eq!(ticket.text_of("webTicketType").as_deref(), Some("NET_DELETE_REQUEST"));
        let number = ticket.text_of("ticketNo").unwrap();
        if jobs == Jobs::WhenAccepted {
            assert_eq!(lab.get("net/NET-23-144-8-0-2").await.status, 200);
            lab.server.tickets().accept(&number).unwrap();
        }
        assert!(lab.status_of(&number).await.ends_with(" PROCESSED"));
        for net in ["NET-23-144-8-0-1", "NET-23-144-8-0-2", "NET-23-144-8-128-1"] {
            assert_eq!(lab.get(&format!("net/{net}")).await.status, 404, "{net}");
        }
    }
}

// Methods: a report is asked for by a GET that makes a ticket. Seen: such tickets close themselves.
#[tokio::test]
async fn a_report_is_a_ticket_that_closes_itself() {
    let lab = Lab::demo().await;
    let fresh = lab.get(&format!("report/reassignment/{PARENT}")).await.root();
    assert_eq!(fresh.text_of("webTicketType").as_deref(), Some("REASSIGNMENT_REPORT"));
    assert_eq!(fresh.text_of("webTicketStatus").as_deref(), Some("PENDING_REVIEW"));
    let number = fresh.text_of("ticketNo").unwrap();
    assert_eq!(lab.status_of(&number).await, "CLOSED PROCESSED");
    let ticket = lab.server.tickets().all().remove(0);
    assert!(String::from_utf8_lossy(&ticket.messages[0].attachments[0].data).contains("NET-23-144-2-0-1"));
    let associations = lab.get("report/associations").await.root();
    assert_eq!(associations.text_of("webTicketType").as_deref(), Some("ASSOCIATIONS_REPORT"));
    assert_eq!(lab.get("report/reassignment/NET-23-144-2-0-1").await.refusal(), "400 E_BAD_REQUEST");
    assert_eq!(lab.get("report/reassignment/NET-X").await.refusal(), "404 E_OBJECT_NOT_FOUND");
    assert_eq!(lab.server.tickets().all().len(), 2);
}
