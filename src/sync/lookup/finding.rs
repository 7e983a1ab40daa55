//! The things that a look-up passes on, and the reasons for which it ends early.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::super::{
    outcome::{Failure, InFull, Skip},
    result::Ended,
};
use crate::{
    arin,
    model::{
        AggregateProgress, Customer, Key, ListedNet, LookSource, Net, NetHandle, ObjectType, Org, Poc, PocFunction,
        PocHandle, RowId, Standing,
    },
    retry::Retry,
};

/// After so many look-ups in a row that the registry did not answer, in spite of their retries, or that something else
/// answered in its place, it counts as down.
pub(super) const OUTAGE_AFTER: u32 = 5;

/// One thing learnt from the registry.
#[derive(Debug)]
pub(in crate::sync) enum Finding {
    Org(Org),
    Functions(BTreeMap<PocHandle, BTreeSet<PocFunction>>),
    Poc(Poc),
    Net(Net),
    Customer(Customer),
    /// An organization, contact or customer that was not asked for, because nothing speaks for a change.
    AsRecorded(ObjectType, Key),
    /// The nets that the public listing has in and around an aggregate.
    Listed(Vec<ListedNet>),
    /// An aggregate is asked for in full, because what the public listing has in it cannot be believed.
    InFull(InFull),
    /// The net that answers for an aggregate, if one does.
    Answer(RowId, Option<NetHandle>),
    /// An organization or a customer that the registry does not have, or that the key may not see.
    Unseen((ObjectType, String), Standing),
    /// The question about a range in an aggregate was not answered; that about the aggregate itself, if it is its range.
    Unanswered(RowId, IpNet, String),
    /// An aggregate is asked for anew, and what was not answered before does not count.
    LookAgain(RowId),
    /// All questions about an aggregate have been asked, whatever the answers were.
    LookOver(RowId, LookSource),
    Failed(Failure),
    Skipped(Skip),
    /// Everything about the config's organization and its contacts has been passed on, and no question has to be
    /// asked again.
    OrganizationDone,
    /// Everything about an aggregate and the prefixes inside has been passed on, and no question has to be asked again.
    AggregateDone(AggregateProgress),
}

/// A reason to ask nothing more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// No request of this config can succeed.
    #[error(transparent)]
    Config(arin::Error),
    /// The registry does not answer, or something else does in its place.
    #[error("gave up after {OUTAGE_AFTER} look-ups in a row without an answer of ARIN's own")]
    Outage(#[source] arin::Error),
    /// A person or the system asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The run ended and takes no more findings.
    #[error("the run ended")]
    Unheard,
}

impl From<Stopped> for Ended {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Interrupted => Self::Interrupted,
            Stopped::Config(_) => Self::of(&stopped, Retry::Never),
            Stopped::Outage(_) | Stopped::Unheard => Self::of(&stopped, Retry::Backoff),
        }
    }
}
