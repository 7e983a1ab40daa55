//! What is kept of a request before its first byte goes out, so that a lost answer can be looked for.
//!
//! It is JSON in the row of the request. Members that are missing are as if nothing had happened yet, and unknown ones
//! are left alone, so that older and newer processes read each other's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{change::Change, identity};
use crate::model::Net;

/// The most looks that are kept, besides the first one that found nothing.
const MOST_LOOKS: usize = 10;

/// The clocks of ARIN and of this machine may differ by so much.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(10);

/// A call that is about to be sent, and what was seen of it since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// When it was about to be sent for the first time.
    pub at: Timestamp,
    /// The person whose API key it is sent with.
    pub by: String,
    /// What it changes.
    pub change: Change,
    /// When the net that is to be removed was registered, as the last check saw it. The day alone does not tell it
    /// from one that got its handle on the same day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<Timestamp>,
    /// The looks at the registry since, the last one at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looked: Vec<Looked>,
    /// When it was about to be sent once more, because looks had found nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_again: Option<Timestamp>,
    /// When it is worth another look; while it is being sent, when whoever sends it has given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
    /// The ticket that ARIN made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<HeldTicket>,
}

/// A look at the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// When.
    pub at: Timestamp,
    /// ARIN answered, and nothing of the change was to be seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nothing: bool,
    /// What was seen, for people.
    pub saw: String,
}

/// The ticket of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldTicket {
    /// Its number.
    pub number: String,
    /// ARIN did not name it in an answer: it was found in the list, and is only probably that of the request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
    /// When it was first seen to be over, or not to be there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Timestamp>,
}

impl Intent {
    /// Makes the intent of a call that is about to be sent, with the net to be removed as the last check saw it.
    #[must_use]
    pub fn new(change: Change, by: &str, at: Timestamp, net: Option<&Net>) -> Self {
        let registered_at = net.and_then(identity::registered_at);
        Self {
            at,
            by: by.to_owned(),
            change,
            registered_at,
            looked: Vec::new(),
            sent_again: None,
            again_at: None,
            ticket: None,
        }
    }

    /// Returns when it was last about to be sent.
    #[must_use]
    pub fn sent_at(&self) -> Timestamp {
        self.sent_again.unwrap_or(self.at)
    }

    /// Returns the earliest moment that ARIN can give to what came of it.
    pub(super) fn earliest(&self) -> Timestamp {
        self.at.checked_sub(CLOCK_SLACK).unwrap_or(self.at)
    }

    /// Returns whether it may be sent once more without asking anybody, after looks have shown that it is not done.
    #[must_use]
    pub fn may_be_sent_again(&self) -> bool {
        self.sent_again.is_none()
    }

    /// Notes the ticket that it became: ARIN named it, or it was found among the open ones.
    pub fn became(&mut self, number: &str, found: bool) {
        self.ticket = Some(HeldTicket { number: number.to_owned(), found, over: None });
    }

    /// Notes that its ticket is over, if that is new.
    pub fn ticket_is_over(&mut self, now: Timestamp) {
        if let Some(ticket) = &mut self.ticket {
            ticket.over.get_or_insert(now);
        }
    }

    /// Notes a look, and forgets those that decide nothing any more.
    pub fn note(&mut self, look: Looked) {
        self.looked.push(look);
        if self.looked.len() > MOST_LOOKS {
            let first = self.first_nothing_since(self.decided_from());
            let oldest = self.looked.iter().position(|look| Some(look.at) != first);
            if let Some(oldest) = oldest {
                self.looked.remove(oldest);
            }
        }
    }

    /// Returns how long ago a look first found nothing of it, since it was last sent or its ticket was over.
    pub(super) fn nothing_for(&self, now: Timestamp) -> Option<Duration> {
        let first = self.first_nothing_since(self.decided_from())?;
        Some(elapsed(first, now))
    }

    /// Returns the moment from which looks count.
    fn decided_from(&self) -> Timestamp {
        let over = self.ticket.as_ref().and_then(|ticket| ticket.over);
        over.map_or(self.sent_at(), |over| over.max(self.sent_at()))
    }

    fn first_nothing_since(&self, from: Timestamp) -> Option<Timestamp> {
        self.looked.iter().find(|look| look.nothing && look.at >= from).map(|look| look.at)
    }
}

/// Returns the time from one moment to a later one; none if the clock was set back.
pub(super) fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}
