//! Tickets: what ARIN has not done at once.
//!
//! A ticket does not say which net it is about. Its status and its resolution stay as ARIN writes them, since the lists of
//! them are open; most of its elements are missing while it is new.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    convert::{Unfit, owned},
    xml::{Element, text},
};

/// A ticket (`ticket` payload), without its messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its number, `20260922-X1`.
    pub number: String,
    /// What it is about, `IPV4_SIMPLE_REASSIGN`.
    pub kind: Option<String>,
    /// How far it has come, `PENDING_REVIEW`.
    pub status: Option<String>,
    /// How it ended, `ACCEPTED`. A missing one says nothing.
    pub resolution: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// When it was decided.
    pub resolved: Option<Timestamp>,
    /// When it was closed.
    pub closed: Option<Timestamp>,
}

impl Ticket {
    /// Makes one of which nothing but the number is known.
    #[must_use]
    pub fn numbered(number: &str) -> Self {
        let (kind, status, resolution, created) = (None, None, None, None);
        let (updated, resolved, closed) = (None, None, None);
        Self { number: number.to_owned(), kind, status, resolution, created, updated, resolved, closed }
    }
}

/// Which tickets to list. What is `None` is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// ARIN's word for what they are about.
    pub kind: Option<String>,
    /// ARIN's word for how far they have come.
    pub status: Option<String>,
}

impl TicketFilter {
    /// All tickets that are not over.
    #[must_use]
    pub fn open() -> Self {
        Self { kind: None, status: Some("ANY_OPEN".to_owned()) }
    }
}

/// Reads a `ticket` payload.
pub(super) fn ticket(from: &Element) -> Result<Ticket, Unfit> {
    let moment = |name: &str| from.text_of(name).and_then(text::timestamp);
    Ok(Ticket {
        number: owned(from, "ticketNo").ok_or(Unfit::NoHandle)?,
        kind: owned(from, "webTicketType"),
        status: owned(from, "webTicketStatus"),
        resolution: owned(from, "webTicketResolution"),
        created: moment("createdDate"),
        updated: moment("updatedDate"),
        resolved: moment("resolvedDate"),
        closed: moment("closedDate"),
    })
}

/// Reads a `collection` of tickets. One that cannot be read is no reason to do without the others silently: it may be the
/// one that is looked for.
pub(super) fn tickets(from: &Element) -> Result<Vec<Ticket>, Unfit> {
    from.children("ticket").filter(|element| !element.is_silent()).map(ticket).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::xml, *};

    fn read(body: &str) -> Result<Ticket, Unfit> {
        ticket(&xml::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn a_ticket_that_is_over_has_everything() {
        let ticket = read(
            "<ticket xmlns='http://www.arin.net/regrws/core/v1' xmlns:m='http://www.arin.net/regrws/messages/v1' \
             xmlns:s='http://www.arin.net/regrws/shared-ticket/v1'><s:shared>true</s:shared><s:orgHandle>EXAMPLE-1</s:orgHandle>\
             <messages><message><m:createdDate>2026-09-01T00:00:00Z</m:createdDate></message></messages>\
             <ticketNo>20260922-X1</ticketNo><createdDate>2026-09-22T10:00:00.000-04:00</createdDate>\
             <resolvedDate>Tue Sep 22 16:17:18 EDT 2026</resolvedDate><closedDate>Tue Jan 05 16:17:18 EST 2027</closedDate>\
             <updatedDate>2026-09-23T00:00:00Z</updatedDate><webTicketType>IPV4_SIMPLE_REASSIGN</webTicketType>\
             <webTicketStatus>CLOSED</webTicketStatus><webTicketResolution>ACCEPTED</webTicketResolution></ticket>",
        );
        insta::assert_debug_snapshot!(ticket.unwrap(), @r#"
        Ticket {
            number: "20260922-X1",
            kind: Some(
                "IPV4_SIMPLE_REASSIGN",
            ),
            status: Some(
                "CLOSED",
            ),
            resolution: Some(
                "ACCEPTED",
            ),
            created: Some(
                2026-09-22T14:00:00Z,
            ),
            updated: Some(
                2026-09-23T00:00:00Z,
            ),
            resolved: Some(
                2026-09-22T20:17:18Z,
            ),
            closed: Some(
                2027-01-05T21:17:18Z,
            ),
        }
        "#);
    }

    #[test]
    fn a_new_ticket_has_little_and_may_say_something_new() {
        let ticket = read(
            "<ticket><ticketNo>20260922-X2</ticketNo><webTicketStatus>ON_THE_MOON</webTicketStatus><closedDate/>\
             <createdDate>yesterday</createdDate><webTicketResolution/><messages/></ticket>",
        );
        insta::assert_debug_snapshot!(ticket.unwrap(), @r#"
        Ticket {
            number: "20260922-X2",
            kind: None,
            status: Some(
                "ON_THE_MOON",
            ),
            resolution: None,
            created: None,
            updated: None,
            resolved: None,
            closed: None,
        }
        "#);
    }

    #[test]
    fn a_ticket_without_a_number_is_none() {
        assert_eq!(read("<ticket><ticketNo> </ticketNo></ticket>"), Err(Unfit::NoHandle));
    }

    #[test]
    fn a_list_has_all_its_tickets_or_is_unfit() {
        let numbers = |inner: &str| {
            let list = xml::parse(format!("<collection>{inner}</collection>").as_bytes()).unwrap();
            tickets(&list).map(|tickets| tickets.into_iter().map(|ticket| ticket.number).collect::<Vec<_>>())
        };
        let one = "<ticket><ticketNo>20260922-X1</ticketNo></ticket>";
        let other = "<ticket><ticketNo>20260922-X2</ticketNo></ticket>";
        assert_eq!(numbers("").unwrap(), [] as [&str; 0]);
        assert_eq!(numbers(&format!("{one}<ticket/><other/>{other}")).unwrap(), ["20260922-X1", "20260922-X2"]);
        assert_eq!(
            numbers(&format!("{one}<ticket><webTicketStatus>X</webTicketStatus></ticket>")),
            Err(Unfit::NoHandle)
        );
    }
}
