//! What a request needs next: pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::requests::{intent::Intent, record::ChangeRequest, state::State};

/// What a request needs next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing: it waits for a person, or is over.
    Rest,
    /// Nothing until some time has passed.
    Wait(Duration),
    /// It is approved: to be sent.
    Send,
    /// It was sent, and there is no answer: to be looked for.
    Look(Box<Intent>),
    /// It has become a ticket: to be asked for.
    Follow(Box<Intent>),
}

/// Returns what a request needs next, by what was noted when it was sent; with `now_too` also what it is not time for yet. A claim is left alone until it ends
/// in any case: somebody may be sending.
#[must_use]
pub fn step(request: &ChangeRequest, intent: Option<Intent>, now: Timestamp, now_too: bool) -> Step {
    match request.state {
        State::Approved => Step::Send,
        State::Submitting | State::Unknown | State::Ticket => {
            let Some(intent) = intent else { return Step::Rest };
            let wait = intent.again_at.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
            match wait.filter(|wait| !wait.is_zero()) {
                Some(wait) if !now_too || request.state == State::Submitting => Step::Wait(wait),
                Some(_) | None if request.state == State::Ticket => Step::Follow(Box::new(intent)),
                Some(_) | None => Step::Look(Box::new(intent)),
            }
        }
        State::Draft
        | State::Waiting
        | State::Done
        | State::Refused
        | State::Rejected
        | State::Withdrawn
        | State::Expired
        | State::Failed => Step::Rest,
    }
}
