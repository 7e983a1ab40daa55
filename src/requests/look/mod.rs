//! Looking: what became of a call whose answer did not come.
//!
//! [`look()`] asks ARIN, [`judge()`] says what the answers mean, [`note()`] keeps them with the [`Intent`]. A call is
//! only taken for not done after two looks that are a pause apart, both after it was last sent, have found nothing of
//! it, neither at its range nor among the open tickets. It is sent once more then, and after that a person decides.
//!
//! [`settled()`] judges an answer that did come, [`unsettled()`] the want of one.

mod ask;
mod compare;
mod registry;
mod seen;
mod settled;
#[cfg(test)]
mod tests;
mod ticket;

use std::time::Duration;

use jiff::Timestamp;

pub(in crate::requests) use self::registry::{RegistryState, registry_state};
pub use self::{
    ask::look,
    seen::{Registered, Seen},
    settled::{Sent, settled, unsettled},
};
use super::{
    answered::Answered,
    intent::{Intent, Looked, elapsed},
};
use crate::arin::Ticket;

/// The longest wait between two looks.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Truth {
    /// It was carried out, and this is registered now.
    Done(Box<Registered>),
    /// It was not, and nothing waits at ARIN. [`Intent::may_be_sent_again`] says whether a person has to decide.
    NotDone,
    /// Something else stands in the registry, as this sentence says. A person has to decide.
    Conflict(String),
    /// It has probably become this ticket.
    Ticket(String),
    /// It cannot be told yet, for this reason. It is worth another look after the wait.
    Undecided(String, Duration),
}

/// Judges what was seen of a call; two looks that find nothing of it have to be `pause` apart.
#[must_use]
pub fn judge(intent: &Intent, seen: &Seen, now: Timestamp, pause: Duration) -> Truth {
    let later = || next_look(intent, now, pause);
    match registry_state(intent, seen) {
        RegistryState::AsAsked(registered) => Truth::Done(registered),
        RegistryState::Other(why) => Truth::Conflict(why),
        RegistryState::NotKnown(why) => Truth::Undecided(why, later()),
        RegistryState::Nothing => match waiting_ticket(intent, seen) {
            Waiting::One(number) => Truth::Ticket(number),
            Waiting::NotKnown(why) => Truth::Undecided(why, later()),
            Waiting::None => nothing(intent, now, pause),
        },
    }
}

/// Judges a look that found nothing anywhere.
fn nothing(intent: &Intent, now: Timestamp, pause: Duration) -> Truth {
    let seen_for = intent.nothing_for(now);
    if seen_for.is_some_and(|seen_for| seen_for >= pause) {
        return Truth::NotDone;
    }
    let wait = seen_for.map_or(pause, |seen_for| pause.saturating_sub(seen_for));
    Truth::Undecided("ARIN shows nothing of it yet".to_owned(), wait)
}

/// Returns the wait before another look at what cannot be told yet: it grows with the time since the call was sent.
#[must_use]
pub fn next_look(intent: &Intent, now: Timestamp, pause: Duration) -> Duration {
    pause.max(half_of(elapsed(intent.sent_at(), now)).min(LONGEST_WAIT))
}

/// Returns half of a time.
fn half_of(time: Duration) -> Duration {
    time.checked_div(2).unwrap_or_default()
}

/// Whether a ticket waits that a call may have become.
pub(in crate::requests) enum Waiting {
    None,
    One(String),
    NotKnown(String),
}

/// Finds the ticket that was made since the call was first sent, and that no other request has.
pub(in crate::requests) fn waiting_ticket(intent: &Intent, seen: &Seen) -> Waiting {
    let types = ticket::types(&intent.change);
    if types.is_empty() {
        return Waiting::None;
    }
    let tickets = match &seen.tickets {
        Answered::Found(tickets) => tickets.as_slice(),
        Answered::Absent => &[],
        Answered::NotKnown(why) => return Waiting::NotKnown(format!("the tickets are not known: {why}")),
    };
    let fits = |ticket: &&Ticket| {
        ticket.kind.as_deref().is_none_or(|kind| types.contains(&kind))
            && ticket.created.is_none_or(|created| created >= intent.earliest())
            && !seen.claimed.contains(&ticket.number)
    };
    let fitting: Vec<&str> = tickets.iter().filter(fits).map(|ticket| ticket.number.as_str()).collect();
    match fitting.as_slice() {
        [] => Waiting::None,
        [number] => Waiting::One((*number).to_owned()),
        several => Waiting::NotKnown(format!("any of these tickets may be its: {}", several.join(", "))),
    }
}

/// Keeps what was seen with the intent.
pub fn note(intent: &mut Intent, seen: &Seen, truth: &Truth, now: Timestamp) {
    let nothing = matches!(registry_state(intent, seen), RegistryState::Nothing);
    let saw = match truth {
        Truth::Done(..) => "It is done.".to_owned(),
        Truth::NotDone => "It is not done, and no ticket waits.".to_owned(),
        Truth::Conflict(why) => why.clone(),
        Truth::Ticket(number) => format!("Ticket {number} is probably its."),
        Truth::Undecided(why, _) => format!("It cannot be told yet: {why}."),
    };
    intent.note(Looked { at: now, nothing, saw });
}

/// Returns a ticket that is among the open ones.
#[must_use]
pub fn open_ticket(seen: &Seen, number: &str) -> Ticket {
    let open = seen.tickets.found().and_then(|tickets| tickets.iter().find(|ticket| ticket.number == number));
    open.cloned().unwrap_or_else(|| Ticket::numbered(number))
}
