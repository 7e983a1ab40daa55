//! Tickets: what is asked for and not done yet, and reports.

mod answers;
mod payload;
mod staff;
mod store;
mod ticket;

pub(super) use answers::answer;
pub(super) use payload::{ticket, ticketed};
pub use staff::{TicketError, Tickets};
pub use store::Ticketing;
pub(super) use store::{Store, Way, Work};
pub use ticket::{Attachment, Message, Resolution, Ticket, TicketStatus};
pub(super) use ticket::{submitted_messages, ticket_type};
