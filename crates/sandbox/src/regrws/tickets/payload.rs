//! The payloads about tickets.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::civil::DateTime;

use super::ticket::{Attachment, Message, Ticket};
use crate::regrws::{
    forms::Forms,
    payload::moment,
    xml::{Element, Namespaced},
};

/// How much of the messages stands in a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Messages {
    Whole,
    References,
    None,
}

/// The `ticket` that a write became.
pub(in super::super) fn ticket(ticket: &Ticket, forms: &Forms) -> Element {
    document(ticket, Messages::None, forms)
}

/// The `ticketedRequest` with these inside.
pub(in super::super) fn ticketed(inside: Vec<Element>, forms: &Forms) -> String {
    Element::new("ticketedRequest", inside).document(forms)
}

/// The `ticket` payload. What a ticket does not have yet is not there at all, whatever the forms.
pub(super) fn document(ticket: &Ticket, messages: Messages, forms: &Forms) -> Element {
    let date = |name: &'static str, at: Option<DateTime>| at.map(|at| Element::text(name, moment(at, forms)));
    let resolution = ticket.resolution.map(|resolution| Element::text("webTicketResolution", resolution.code()));
    let messages = match messages {
        Messages::None => None,
        _ if ticket.messages.is_empty() => None,
        Messages::Whole => {
            Some(Element::new("messages", ticket.messages.iter().map(|said| message(said, forms)).collect()))
        }
        Messages::References => {
            Some(Element::new("messageReferences", ticket.messages.iter().map(reference).collect()))
        }
    };
    let children = [
        messages,
        Some(Element::text("ticketNo", &ticket.number)),
        date("createdDate", Some(ticket.created)),
        date("resolvedDate", ticket.resolved),
        date("closedDate", ticket.closed),
        date("updatedDate", Some(ticket.updated)),
        Some(Element::text("webTicketType", ticket.ticket_type)),
        Some(Element::text("webTicketStatus", ticket.status.code())),
        resolution,
    ];
    Element::new("ticket", children.into_iter().flatten().collect())
}

/// The `message` payload.
pub(super) fn message(message: &Message, forms: &Forms) -> Element {
    let line = |(at, text): (usize, &String)| Element::text("line", text).with("number", at);
    let created = message.created.map(|at| moment(at, forms)).unwrap_or_default();
    Element::new(
        "message",
        vec![
            Element::text("messageId", &message.id).of(Namespaced::Messages),
            Element::text("createdDate", created).of(Namespaced::Messages),
            Element::text("subject", &message.subject),
            Element::new("text", message.text.iter().enumerate().map(line).collect()),
            Element::text("category", &message.category),
            Element::new("attachments", message.attachments.iter().map(attachment).collect()),
        ],
    )
}

fn attachment(file: &Attachment) -> Element {
    let data = Element::text("data", BASE64_STANDARD.encode(&file.data));
    Element::new("attachment", vec![data, Element::text("filename", &file.filename)])
}

fn reference(message: &Message) -> Element {
    let file = |file: &Attachment| {
        let name = Element::text("attachmentFilename", &file.filename);
        Element::new("attachmentReference", vec![name, Element::text("attachmentId", &file.id)])
    };
    let files = Element::new("attachmentReferences", message.attachments.iter().map(file).collect());
    Element::new("messageReference", vec![files, Element::text("messageId", &message.id)])
}
