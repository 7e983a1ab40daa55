//! All tickets of a server.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use super::ticket::{Attachment, Message, Resolution, Ticket, TicketStatus};
use crate::regrws::{access::Access, requests::Operation, submission::Submission};

/// When a write becomes a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticketing {
    /// Only when it cannot be done at once.
    Never,
    /// Always.
    Always,
    /// So many times.
    Next(u32),
    /// Always, and it is done nevertheless: the answer has both.
    Beside,
}

/// What is to be done for a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Work {
    /// What was asked for, by whom.
    Write(Access, Box<Submission>),
    /// A list of what was cut from a net; of no net if there is none.
    Report(Option<String>),
}

/// The tickets, and what becomes one.
#[derive(Debug, Default)]
pub(in super::super) struct Store {
    pub(super) tickets: Vec<Ticket>,
    pub(super) ticketing: BTreeMap<Operation, Ticketing>,
    /// Tickets that there ever were.
    made: u32,
    /// Messages and files that there ever were.
    said: u32,
}

/// The way in which a write is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Way {
    AtOnce,
    Ticket,
    Both,
}

impl Store {
    /// Returns the way of a write that could be done, which counts as one of those that become a ticket.
    pub(in super::super) fn way(&mut self, operation: Operation) -> Way {
        match self.ticketing.get_mut(&operation) {
            None | Some(Ticketing::Never) => Way::AtOnce,
            Some(Ticketing::Always) => Way::Ticket,
            Some(Ticketing::Beside) => Way::Both,
            Some(Ticketing::Next(times)) => match times.checked_sub(1) {
                Some(left) => {
                    *times = left;
                    Way::Ticket
                }
                None => Way::AtOnce,
            },
        }
    }

    /// Makes a ticket.
    pub(in super::super) fn open(&mut self, ticket_type: &'static str, user: &str, at: DateTime) -> &mut Ticket {
        self.made += 1;
        let ticket = Ticket {
            number: format!("{}-X{}", at.strftime("%Y%m%d"), self.made),
            ticket_type,
            status: TicketStatus::PendingReview,
            resolution: None,
            user: user.to_owned(),
            created: at,
            updated: at,
            resolved: None,
            closed: None,
            messages: Vec::new(),
            work: None,
        };
        self.tickets.push_mut(ticket)
    }

    /// Returns what is to be done for a ticket.
    pub(in super::super) fn work(&mut self, number: &str) -> Option<Work> {
        self.find(number)?.work.clone()
    }

    /// Changes a ticket, if there is one of this number.
    pub(in super::super) fn change(&mut self, number: &str, change: impl FnOnce(&mut Ticket)) {
        if let Some(ticket) = self.find(number) {
            change(ticket);
        }
    }

    pub(super) fn find(&mut self, number: &str) -> Option<&mut Ticket> {
        self.tickets.iter_mut().find(|ticket| ticket.number.eq_ignore_ascii_case(number))
    }

    /// Numbers a message and its files.
    pub(in super::super) fn numbered(&mut self, message: Message, at: DateTime) -> Message {
        let mut number = || {
            self.said += 1;
            self.said.to_string()
        };
        let id = number();
        let attachments = message.attachments.into_iter().map(|file| Attachment { id: number(), ..file }).collect();
        Message { id, created: Some(at), attachments, ..message }
    }
}

impl Ticket {
    /// Sets how far it is.
    pub(in super::super) fn set_status(&mut self, status: TicketStatus, at: DateTime) {
        self.status = status;
        self.updated = at;
        match status {
            TicketStatus::Resolved => self.resolved = Some(at),
            TicketStatus::Closed => {
                self.resolved = self.resolved.or(Some(at));
                self.closed = Some(at);
            }
            TicketStatus::PendingConfirmation
            | TicketStatus::PendingReview
            | TicketStatus::PendingCustomerReview
            | TicketStatus::WaitList
            | TicketStatus::Assigned
            | TicketStatus::InProgress
            | TicketStatus::Approved => {}
        }
    }

    /// Ends it.
    pub(in super::super) fn resolve(&mut self, resolution: Resolution, at: DateTime) {
        self.resolution = Some(resolution);
        self.set_status(TicketStatus::Resolved, at);
    }
}
