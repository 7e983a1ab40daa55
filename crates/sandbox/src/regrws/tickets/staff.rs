//! What ARIN's staff does with tickets, when a test says so.

use super::{
    store::{Store, Ticketing, Work},
    ticket::{Message, Resolution, Ticket, TicketStatus},
};
use crate::{
    regrws::{clock, requests::Operation, service::RegRws},
    server::{Shared, lock},
};

/// The tickets of a server.
pub struct Tickets<'a>(pub(in super::super) &'a Shared<RegRws>);

/// A ticket with which nothing could be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named in the sentences")]
pub enum TicketError {
    /// There is none of this number.
    #[error("there is no ticket {number}")]
    Unknown { number: String },
    /// What was asked for cannot be done any more.
    #[error("what ticket {number} asks for is refused with status {status}: {body}")]
    Refused { number: String, status: u16, body: String },
}

impl Tickets<'_> {
    /// Says which writes of a kind become tickets.
    pub fn instead_of(&self, operation: Operation, when: Ticketing) {
        lock(&self.0.backing.state.tickets).ticketing.insert(operation, when);
    }

    /// Returns all tickets, in the order in which they were made.
    #[must_use]
    pub fn all(&self) -> Vec<Ticket> {
        lock(&self.0.backing.state.tickets).tickets.clone()
    }

    /// Does what a ticket asks for, and resolves it as accepted, or as processed if it is a job. A report is closed.
    ///
    /// # Errors
    /// When there is no such ticket, or what it asks for cannot be done any more; it stays as it is then.
    pub fn accept(&self, number: &str) -> Result<(), TicketError> {
        let options = lock(&self.0.options).clone();
        let state = &self.0.backing.state;
        let tickets = &mut *lock(&state.tickets);
        let at = clock::moment(options.clock, lock(&state.served).now());
        let work = found(tickets, number)?.work.clone();
        let resolution = match work {
            Some(Work::Write(access, submission)) => {
                let refused = |(status, body)| TicketError::Refused { number: number.to_owned(), status, body };
                state.do_later(&options, access, &submission).map_err(refused)?
            }
            Some(Work::Report(_)) => {
                state.finish_report(tickets, number, at);
                return Ok(());
            }
            None => Resolution::Accepted,
        };
        let ticket = found(tickets, number)?;
        ticket.work = None;
        ticket.resolve(resolution, at);
        Ok(())
    }

    /// Resolves a ticket in this way, without doing what it asks for.
    ///
    /// # Errors
    /// When there is no such ticket.
    pub fn resolve(&self, number: &str, resolution: Resolution) -> Result<(), TicketError> {
        self.change(number, |ticket, at| ticket.resolve(resolution, at))
    }

    /// Denies what a ticket asks for.
    ///
    /// # Errors
    /// When there is no such ticket.
    pub fn deny(&self, number: &str) -> Result<(), TicketError> {
        self.resolve(number, Resolution::Denied)
    }

    /// Sets how far a ticket is, and nothing else.
    ///
    /// # Errors
    /// When there is no such ticket.
    pub fn set_status(&self, number: &str, status: TicketStatus) -> Result<(), TicketError> {
        self.change(number, |ticket, at| ticket.set_status(status, at))
    }

    /// Sets how a ticket ended, and nothing else.
    ///
    /// # Errors
    /// When there is no such ticket.
    pub fn set_resolution(&self, number: &str, resolution: Option<Resolution>) -> Result<(), TicketError> {
        self.change(number, |ticket, _| ticket.resolution = resolution)
    }

    /// Moves a ticket one step on the way that ARIN's pages tell of. What is approved is accepted by that.
    ///
    /// # Errors
    /// When there is no such ticket, or what it asks for cannot be done any more.
    pub fn advance(&self, number: &str) -> Result<TicketStatus, TicketError> {
        let now = found(&mut lock(&self.0.backing.state.tickets), number)?.status;
        let next = match now {
            TicketStatus::PendingConfirmation | TicketStatus::WaitList => TicketStatus::PendingReview,
            TicketStatus::PendingReview => TicketStatus::Assigned,
            TicketStatus::Assigned | TicketStatus::PendingCustomerReview => TicketStatus::InProgress,
            TicketStatus::InProgress => TicketStatus::Approved,
            TicketStatus::Approved => {
                self.accept(number)?;
                return Ok(TicketStatus::Resolved);
            }
            TicketStatus::Resolved | TicketStatus::Closed => TicketStatus::Closed,
        };
        self.set_status(number, next)?;
        Ok(next)
    }

    /// Says something in a ticket.
    ///
    /// # Errors
    /// When there is no such ticket.
    pub fn say(&self, number: &str, message: Message) -> Result<(), TicketError> {
        let at = self.now();
        let tickets = &mut *lock(&self.0.backing.state.tickets);
        let message = tickets.numbered(message, at);
        let ticket = found(tickets, number)?;
        ticket.updated = at;
        ticket.messages.push(message);
        Ok(())
    }

    /// Forgets a ticket, as ARIN does with reports after 90 days.
    ///
    /// # Errors
    /// When there is no such ticket.
    pub fn forget(&self, number: &str) -> Result<(), TicketError> {
        let tickets = &mut *lock(&self.0.backing.state.tickets);
        let number = found(tickets, number)?.number.clone();
        tickets.tickets.retain(|ticket| ticket.number != number);
        Ok(())
    }

    fn now(&self) -> jiff::civil::DateTime {
        let clock = lock(&self.0.options).clock;
        clock::moment(clock, lock(&self.0.backing.state.served).now())
    }

    fn change(&self, number: &str, change: impl FnOnce(&mut Ticket, jiff::civil::DateTime)) -> Result<(), TicketError> {
        let at = self.now();
        change(found(&mut lock(&self.0.backing.state.tickets), number)?, at);
        Ok(())
    }
}

fn found<'s>(tickets: &'s mut Store, number: &str) -> Result<&'s mut Ticket, TicketError> {
    tickets.find(number).ok_or_else(|| TicketError::Unknown { number: number.to_owned() })
}
