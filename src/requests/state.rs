//! How far a request has come, and what may follow.
//!
//! ```text
//! draft -> waiting -> approved -> submitting -> done | refused | failed | unknown | ticket
//!                     approved <- submitting                (never sent, or what it was made of has changed: draft)
//!                                 unknown -> done | refused | ticket | approved | failed
//!                                 ticket  -> done | refused | failed
//! draft, waiting, approved -> rejected | withdrawn;  waiting, approved -> expired
//! ```

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ChangeRequestState)]
pub enum State {
    /// Something is missing, or a check blocks it.
    Draft,
    /// It is complete, and waits for somebody to approve it.
    Waiting,
    /// Somebody approved it; it is about to be sent.
    Approved,
    /// A process has claimed it, and sends it.
    Submitting,
    /// It was sent and no answer came that says what became of it: it is being looked up.
    Unknown,
    /// ARIN made a ticket of it.
    Ticket,
    /// ARIN has done it.
    Done,
    /// ARIN does not do it.
    Refused,
    /// Somebody decided against it.
    Rejected,
    /// Whoever asked for it does not want it any more.
    Withdrawn,
    /// Nobody sent it in time after it was approved.
    Expired,
    /// It came to nothing: something else stands in the registry where it was to be.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Draft,
        Self::Waiting,
        Self::Approved,
        Self::Submitting,
        Self::Unknown,
        Self::Ticket,
        Self::Done,
        Self::Refused,
        Self::Rejected,
        Self::Withdrawn,
        Self::Expired,
        Self::Failed,
    ];

    /// Returns its name in NetBox, in JSON and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Submitting => "submitting",
            Self::Unknown => "unknown",
            Self::Ticket => "ticket",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// Returns whether it is not over yet. One open request a range is allowed.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Draft | Self::Waiting | Self::Approved | Self::Submitting | Self::Unknown | Self::Ticket => true,
            Self::Done | Self::Refused | Self::Rejected | Self::Withdrawn | Self::Expired | Self::Failed => false,
        }
    }

    /// Returns whether something may have been sent that ARIN has not answered for good.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Submitting | Self::Unknown | Self::Ticket => true,
            Self::Draft
            | Self::Waiting
            | Self::Approved
            | Self::Done
            | Self::Refused
            | Self::Rejected
            | Self::Withdrawn
            | Self::Expired
            | Self::Failed => false,
        }
    }
}

/// There is no such state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no state `{0}`")]
pub struct NoSuchState(String);

impl FromStr for State {
    type Err = NoSuchState;

    fn from_str(text: &str) -> Result<Self, NoSuchState> {
        Self::ALL.into_iter().find(|known| known.name() == text).ok_or_else(|| NoSuchState(text.to_owned()))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
