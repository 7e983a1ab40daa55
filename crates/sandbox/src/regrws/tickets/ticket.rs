//! What a ticket is.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::civil::DateTime;

use super::{super::tree::Node, store::Work};
use crate::{regrws::change::Change, world::Holder};

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its number, `20261127-X1`.
    pub number: String,
    /// What it is about, `NET_DELETE_REQUEST`.
    pub ticket_type: &'static str,
    /// How far it is.
    pub status: TicketStatus,
    /// How it ended, if it did.
    pub resolution: Option<Resolution>,
    /// The user who made it, and sees it.
    pub user: String,
    /// The moment at which it was made, in ARIN's local time.
    pub created: DateTime,
    /// The moment of its last change.
    pub updated: DateTime,
    /// The moment at which it was resolved.
    pub resolved: Option<DateTime>,
    /// The moment at which it was closed.
    pub closed: Option<DateTime>,
    /// What was said, in the order in which it was.
    pub messages: Vec<Message>,
    /// What is yet to be done for it.
    pub(in super::super) work: Option<Work>,
}

/// How far a ticket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the statuses are")]
pub enum TicketStatus {
    PendingConfirmation,
    PendingReview,
    PendingCustomerReview,
    WaitList,
    Assigned,
    InProgress,
    Approved,
    Resolved,
    Closed,
}

/// How a ticket ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the resolutions are")]
pub enum Resolution {
    Accepted,
    Denied,
    Abandoned,
    Answered,
    Processed,
    Duplicate,
    Withdrawn,
    Unsuccessful,
    Other,
}

/// Something that was said in a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number, which the server gives.
    pub id: String,
    /// The moment, in ARIN's local time, which the server gives.
    pub created: Option<DateTime>,
    /// The subject.
    pub subject: String,
    /// The lines.
    pub text: Vec<String>,
    /// `NONE` or `JUSTIFICATION`.
    pub category: String,
    /// The files.
    pub attachments: Vec<Attachment>,
}

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its number, which the server gives.
    pub id: String,
    /// Its name.
    pub filename: String,
    /// What is in it.
    pub data: Vec<u8>,
}

impl TicketStatus {
    /// All there are.
    pub(super) const ALL: [Self; 9] = [
        Self::PendingConfirmation,
        Self::PendingReview,
        Self::PendingCustomerReview,
        Self::WaitList,
        Self::Assigned,
        Self::InProgress,
        Self::Approved,
        Self::Resolved,
        Self::Closed,
    ];

    /// Returns it as it is written.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::PendingConfirmation => "PENDING_CONFIRMATION",
            Self::PendingReview => "PENDING_REVIEW",
            Self::PendingCustomerReview => "PENDING_CUSTOMER_REVIEW",
            Self::WaitList => "WAIT_LIST",
            Self::Assigned => "ASSIGNED",
            Self::InProgress => "IN_PROGRESS",
            Self::Approved => "APPROVED",
            Self::Resolved => "RESOLVED",
            Self::Closed => "CLOSED",
        }
    }
}

impl Resolution {
    /// Returns it as it is written.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Denied => "DENIED",
            Self::Abandoned => "ABANDONED",
            Self::Answered => "ANSWERED",
            Self::Processed => "PROCESSED",
            Self::Duplicate => "DUPLICATE",
            Self::Withdrawn => "WITHDRAWN",
            Self::Unsuccessful => "UNSUCCESSFUL",
            Self::Other => "OTHER",
        }
    }
}

impl Message {
    /// A message without files.
    #[must_use]
    pub fn new(subject: &str, text: &str) -> Self {
        Self {
            id: String::new(),
            created: None,
            subject: subject.to_owned(),
            text: text.lines().map(str::to_owned).collect(),
            category: "NONE".to_owned(),
            attachments: Vec::new(),
        }
    }

    /// The message with one more file.
    #[must_use]
    pub fn with(mut self, filename: &str, data: &[u8]) -> Self {
        let (filename, data) = (filename.to_owned(), data.to_vec());
        self.attachments.push(Attachment { id: String::new(), filename, data });
        self
    }

    /// Reads a `message`. An error is a sentence for whoever sent it.
    pub(super) fn read(node: &Node) -> Result<Self, &'static str> {
        let attachments = node.child("attachments").into_iter().flat_map(|list| list.all("attachment"));
        let attachment = |node: &Node| {
            let data: String = node.text_of("data").unwrap_or_default().split_whitespace().collect();
            let data = BASE64_STANDARD.decode(data).map_err(|_| "The data of an attachment are not Base64.")?;
            Ok::<_, &'static str>(Attachment {
                id: String::new(),
                filename: node.text_of("filename").unwrap_or_default(),
                data,
            })
        };
        Ok(Self {
            subject: node.text_of("subject").unwrap_or_default(),
            text: node.lines_of("text"),
            category: node.text_of("category").unwrap_or_else(|| "NONE".to_owned()),
            attachments: attachments.map(attachment).collect::<Result<_, _>>()?,
            ..Self::new("", "")
        })
    }
}

/// Returns the messages inside of a document.
pub(in super::super) fn submitted_messages(node: &Node) -> Result<Vec<Message>, &'static str> {
    node.child("messages").into_iter().flat_map(|list| list.all("message")).map(Message::read).collect()
}

/// Returns the type of the ticket that a change can become, if it can become one.
pub(in super::super) fn ticket_type(change: &Change) -> Option<&'static str> {
    match change {
        Change::Register { net, .. } => {
            let is_v4 = net.blocks.iter().all(|block| block.addr().is_ipv4());
            Some(match (is_v4, net.net_type.as_str(), &net.holder) {
                (true, "A", _) => "IPV4_REALLOCATE",
                (true, _, Holder::Org(_)) => "IPV4_DETAILED_REASSIGN",
                (true, _, Holder::Customer(_)) => "IPV4_SIMPLE_REASSIGN",
                (false, "A", _) => "IPV6_REALLOCATE",
                // No type is documented for simple reassignments of IPv6.
                (false, _, _) => "IPV6_DETAILED_REASSIGN",
            })
        }
        Change::RemoveNet { .. } => Some("NET_DELETE_REQUEST"),
        Change::RegisterCustomer(_)
        | Change::ReplaceNet { .. }
        | Change::ReplaceCustomer(_)
        | Change::RemoveCustomer(_) => None,
    }
}
