//! Following tickets: when to ask for one again, and what its end means.
//!
//! What decides is always the registry. A ticket names no net, and its resolution may be missing or new; it only says
//! when it is worth a look. Nothing here asks ARIN: one list of all open tickets serves all requests, and a single
//! question is only needed for a ticket that is not in it ([`not_listed`]).

use std::time::Duration;

use jiff::Timestamp;

use super::{
    answered::Answered,
    intent::{HeldTicket, Intent, Looked, elapsed},
    look::{Registered, RegistryState, Seen, Waiting, registry_state, waiting_ticket},
};
use crate::arin::Ticket;

const MINUTE: u64 = 60;
const HOUR: Duration = Duration::from_secs(60 * MINUTE);
const DAY: Duration = Duration::from_secs(24 * 60 * MINUTE);

/// The waits while a ticket is young: up to this age in minutes, this many minutes.
const YOUNG: [(u64, u64); 4] = [(1, 1), (3, 2), (8, 5), (23, 15)];

/// A week after it was sent, a ticket is asked for once a day.
const OLD: Duration = Duration::from_secs(7 * 24 * 60 * MINUTE);

/// What ARIN says of a ticket that has done what was asked for.
const SUCCESSES: [&str; 4] = ["ACCEPTED", "PROCESSED", "OTHER", "ANSWERED"];
/// What ARIN says of one that has not.
const FAILURES: [&str; 5] = ["DENIED", "ABANDONED", "WITHDRAWN", "UNSUCCESSFUL", "DUPLICATE"];

/// What to do about a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To ask for it again after this time. It waits for us, or it does not; `None` says that it is not known.
    Wait(Duration, Option<bool>),
    /// It is over, or not there any more: to look at the registry, and to judge by [`end`].
    Look,
}

/// Decides what to do about a ticket, which comes from a call sent at some time.
#[must_use]
pub fn next(ticket: &Answered<Ticket>, sent: Timestamp, now: Timestamp) -> Next {
    match ticket {
        Answered::Found(ticket) if is_over(ticket) => Next::Look,
        Answered::Found(ticket) => Next::Wait(wait(elapsed(sent, now)), Some(waits_for_us(ticket))),
        Answered::Absent => Next::Look,
        Answered::NotKnown(_) => Next::Wait(wait(elapsed(sent, now)), None),
    }
}

/// Returns the numbers that have to be asked for one by one: those that are not in the list of open tickets. A ticket
/// that is missing there is over, is gone, or is one that the list does not have.
#[must_use]
pub fn not_listed<'a>(numbers: &[&'a str], listed: &Answered<Vec<Ticket>>) -> Vec<&'a str> {
    match listed {
        Answered::Found(tickets) => {
            numbers.iter().copied().filter(|number| !tickets.iter().any(|ticket| ticket.number == **number)).collect()
        }
        Answered::Absent => numbers.to_vec(),
        // Who could not give the list is not asked for each of them.
        Answered::NotKnown(_) => Vec::new(),
    }
}

/// Returns what the list of open tickets says about one.
#[must_use]
pub fn listed(number: &str, listed: &Answered<Vec<Ticket>>) -> Answered<Ticket> {
    match listed {
        Answered::Found(tickets) => match tickets.iter().find(|ticket| ticket.number == number) {
            Some(ticket) => Answered::Found(ticket.clone()),
            None => Answered::NotKnown("it is not among the open tickets".to_owned()),
        },
        Answered::Absent => Answered::NotKnown("there is no list of open tickets".to_owned()),
        Answered::NotKnown(why) => Answered::NotKnown(why.clone()),
    }
}

/// Returns whether nothing moves at ARIN until somebody here does something.
#[must_use]
pub fn waits_for_us(ticket: &Ticket) -> bool {
    matches!(ticket.status.as_deref(), Some("PENDING_CONFIRMATION" | "PENDING_CUSTOMER_REVIEW"))
}

fn is_over(ticket: &Ticket) -> bool {
    matches!(ticket.status.as_deref(), Some("RESOLVED" | "CLOSED"))
}

/// Returns the wait before a ticket of this age is asked for again.
fn wait(age: Duration) -> Duration {
    let young = YOUNG.iter().find(|(until, _)| age < Duration::from_secs(until * MINUTE));
    match young {
        Some((_, wait)) => Duration::from_secs(wait * MINUTE),
        None if age < OLD => HOUR,
        None => DAY,
    }
}

/// What became of a request whose ticket is over.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It is done, and this is registered now.
    Done(Box<Registered>),
    /// ARIN has not done it, as this sentence says.
    Refused(String),
    /// The registry shows something that does not go with the ticket. A person has to decide.
    Conflict(String),
    /// Another ticket stands for it.
    Ticket(String),
    /// It cannot be told yet, for this reason. It is worth another look after the wait.
    Later(String, Duration),
}

/// Judges a request whose ticket is over or gone by what the registry shows; two looks that show nothing of it have to
/// be `pause` apart. The end of the ticket has to be noted with the intent ([`Intent::ticket_is_over`]).
#[must_use]
pub fn end(intent: &Intent, ticket: &Answered<Ticket>, seen: &Seen, (now, pause): (Timestamp, Duration)) -> End {
    match registry_state(intent, seen) {
        RegistryState::AsAsked(registered) => End::Done(registered),
        RegistryState::Other(why) => End::Conflict(why),
        RegistryState::NotKnown(why) => End::Later(why, pause),
        RegistryState::Nothing => nothing(intent, ticket, seen, (now, pause)),
    }
}

/// Judges the end of a ticket of which the registry shows nothing.
fn nothing(intent: &Intent, ticket: &Answered<Ticket>, seen: &Seen, (now, pause): (Timestamp, Duration)) -> End {
    let number = intent.ticket.as_ref().map(|held| held.number.as_str()).unwrap_or_default();
    let resolution = match ticket {
        Answered::Found(ticket) => ticket.resolution.as_deref(),
        Answered::Absent => None,
        Answered::NotKnown(why) => return End::Later(why.clone(), pause),
    };
    let shown_for = intent.nothing_for(now).unwrap_or_default();
    let refused = |how: &str| End::Refused(format!("{} {how}, and ARIN shows nothing of it.", told(intent, number)));
    match resolution {
        // It says that there is another one, which may still be worked on.
        Some("DUPLICATE") => match waiting_ticket(intent, seen) {
            Waiting::One(other) => End::Ticket(other),
            Waiting::NotKnown(why) => End::Later(why, pause),
            Waiting::None => refused("ended as DUPLICATE"),
        },
        Some(failure) if FAILURES.contains(&failure) => refused(&format!("ended as {failure}")),
        // What ARIN does in the background may take its time after that.
        Some(success) if SUCCESSES.contains(&success) && shown_for < HOUR => {
            End::Later(format!("ticket {number} ended as {success}, and ARIN does not show it yet"), pause)
        }
        Some(success) if SUCCESSES.contains(&success) => {
            End::Conflict(format!("Ticket {number} ended as {success}, but ARIN shows nothing of it."))
        }
        Some(unknown) if shown_for >= pause => refused(&format!("ended as {unknown}")),
        None if shown_for >= pause && ticket.found().is_some() => refused("does not say how it ended"),
        None if shown_for >= pause => refused("is not there any more"),
        Some(_) | None => {
            End::Later(format!("ticket {number} does not say how it ended, and ARIN shows nothing of it yet"), pause)
        }
    }
}

fn told(intent: &Intent, number: &str) -> String {
    match &intent.ticket {
        Some(HeldTicket { found: true, .. }) => format!("Ticket {number}, which was probably its,"),
        Some(HeldTicket { found: false, .. }) | None => format!("Ticket {number}"),
    }
}

/// Keeps what was seen after a ticket was over.
pub fn note(intent: &mut Intent, seen: &Seen, end: &End, now: Timestamp) {
    let nothing = matches!(registry_state(intent, seen), RegistryState::Nothing);
    let saw = match end {
        End::Done(..) => "It is done.".to_owned(),
        End::Refused(why) | End::Conflict(why) => why.clone(),
        End::Ticket(number) => format!("Ticket {number} stands for it."),
        End::Later(why, _) => format!("It cannot be told yet: {why}."),
    };
    intent.note(Looked { at: now, nothing, saw });
}

/// Returns whether a ticket is to be closed: ARIN has resolved it, it is known what became of it, and it is surely
/// ours. One that is closed already would be refused.
#[must_use]
pub fn is_to_be_closed(held: &HeldTicket, ticket: &Ticket, end: &End) -> bool {
    let known = match end {
        End::Done(..) | End::Refused(_) => true,
        End::Conflict(_) | End::Ticket(_) | End::Later(..) => false,
    };
    known && !held.found && ticket.status.as_deref() == Some("RESOLVED")
}

#[cfg(test)]
mod tests;
