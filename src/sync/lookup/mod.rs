//! Asks the registry everything that a run wants to know, and passes it on as it comes.
//!
//! A [`Lookup`] asks in a task of its own, while whoever holds it takes up what was learnt, round after round. First it
//! asks for the [`Worklist`]; then, by handle, for what is recorded and did not come up. Findings come in an order in which
//! references point backwards: an organization before the nets it holds, a net before its customer. A lookup that is
//! dropped asks nothing more.
//!
//! Where ARIN's public listing may be asked, most questions are spared: the same walk goes over the same ranges, but its
//! questions are answered by a `source` that knows what is listed and what is recorded.

mod above;
mod ask;
mod finding;
#[cfg(test)]
mod fixtures;
mod listing;
mod listings;
mod net_match;
mod networks;
mod recall;
mod source;
mod worklist;

use std::{
    collections::BTreeSet,
    panic,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use ipnet::IpNet;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout_at,
};
use tracing::{Instrument, Span};

pub(super) use self::{
    ask::Answered,
    finding::Finding,
    recall::{Recall, Refresh},
    worklist::{Ours, Recorded, Worklist, recorded},
};
use self::{
    ask::Asker,
    finding::Stopped,
    listing::Listing,
    listings::{Extent, Listed},
};
use super::{progress::Phase, request::Context, result::Ended};
use crate::{
    arin,
    deadline::after,
    model::{Key, ObjectType},
};

/// A round is taken up when so much time has passed since its first finding, however small it is.
const LONGEST_ROUND: Duration = Duration::from_secs(2);
/// So many findings wait to be taken up; more make the asking wait for the writing.
const BACKLOG: usize = 4096;
/// A round takes up so many times what makes full batches at the most: what it holds is in memory as it is written.
const LARGEST_ROUND: usize = 16;

/// Recorded objects that the registry says it does not have, by their type and key.
pub(super) type Gone = BTreeSet<(ObjectType, Key)>;

/// A look-up under way.
pub(super) struct Lookup {
    asker: Asker,
    asking: JoinSet<Result<Gone, Stopped>>,
    findings: mpsc::Receiver<Finding>,
    /// Recorded objects, which are asked for by handle when the worklist did not bring them up.
    recorded: Option<Vec<(Recorded, Key)>>,
    /// Takes what is recorded, by which questions are spared.
    recall: Option<oneshot::Sender<Recall>>,
    /// A round of so many findings makes full batches.
    enough: usize,
    /// Recorded objects that are gone, once everything has been asked.
    pub(super) gone: Gone,
}

impl Lookup {
    /// Begins to ask for `worklist`. What `answered` names came up before and is not asked for again. With a listing what can
    /// be spared waits for what is recorded.
    pub(super) fn begin(
        ctx: &Context,
        (arin, listing): (&arin::Client, Option<arin::Whois>),
        worklist: Worklist,
        answered: Answered,
    ) -> Self {
        let (out, findings) = mpsc::channel(BACKLOG);
        let asker = Asker::new(ctx, arin.clone(), worklist.owner.clone(), answered);
        let (recall, recorded) = oneshot::channel();
        let spare = listing.filter(|_| !worklist.targets.is_empty()).map(|whois| Spare { whois, recorded });
        let netbox = &ctx.settings.netbox;
        let enough = netbox.batch_size * netbox.writes_in_flight;
        let mut lookup = Self {
            asker,
            asking: JoinSet::new(),
            findings,
            recorded: None,
            recall: Some(recall),
            enough,
            gone: Gone::new(),
        };
        let asker = lookup.asker.telling(out);
        lookup.spawn(async move { work_off(&asker, &worklist, spare).await.map(|()| Gone::new()) });
        lookup
    }

    /// Has what is recorded asked for by handle at the end, unless it has come up by then, and spares questions by it.
    pub(super) fn then_ask_for(&mut self, recorded: Vec<(Recorded, Key)>, recall: impl FnOnce() -> Recall) {
        self.recorded = Some(recorded);
        // Nobody waits for it where there is no listing.
        if let Some(waiting) = self.recall.take().filter(|waiting| !waiting.is_closed()) {
            drop(waiting.send(recall()));
        }
    }

    /// Returns the count of the questions that are spared.
    pub(super) fn spared(&self) -> Arc<AtomicU64> {
        self.asker.source.spared()
    }

    /// Returns why what the public listing has in an aggregate cannot be believed, if there was to be one.
    pub(super) fn doubt(&self, aggregate: IpNet) -> Option<String> {
        self.asker.source.doubt(aggregate).map(|doubt| doubt.to_string())
    }

    /// Returns what was learnt since the last round: as soon as it makes full batches, or some time after its first
    /// finding. Returns `None` when everything has been asked.
    ///
    /// # Errors
    /// When it made no sense to ask on. All findings until then are in the rounds before.
    pub(super) async fn next_round(&mut self) -> Result<Option<Vec<Finding>>, Ended> {
        loop {
            if let Some(round) = self.collect().await {
                return Ok(Some(round));
            }
            match self.asking.join_next().await {
                Some(Ok(ended)) => self.gone.extend(ended?),
                Some(Err(error)) => match error.try_into_panic() {
                    Ok(broken) => panic::resume_unwind(broken),
                    Err(_) => return Err(Ended::Interrupted),
                },
                None => {}
            }
            let Some(recorded) = self.recorded.take() else { return Ok(None) };
            self.asker.progress.update(|at| at.phase = Phase::Recorded);
            let (out, findings) = mpsc::channel(BACKLOG);
            self.findings = findings;
            let asker = self.asker.telling(out);
            self.spawn(async move { asker.recorded(recorded).await });
        }
    }

    fn spawn(&mut self, asking: impl Future<Output = Result<Gone, Stopped>> + Send + 'static) {
        self.asking.spawn(asking.instrument(Span::current()));
    }

    /// Waits for a finding, then for more: until there is enough for full batches, or for a moment.
    async fn collect(&mut self) -> Option<Vec<Finding>> {
        let (mut round, most) = (Vec::new(), self.enough * LARGEST_ROUND);
        self.findings.recv_many(&mut round, most).await;
        let until = after(LONGEST_ROUND);
        while !round.is_empty() && round.len() < self.enough {
            match timeout_at(until, self.findings.recv_many(&mut round, most)).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        (!round.is_empty()).then_some(round)
    }
}

/// What it takes to spare questions.
struct Spare {
    whois: arin::Whois,
    recorded: oneshot::Receiver<Recall>,
}

/// Asks for the organization and the listing, then for the organization's contacts and the networks at once.
async fn work_off(asker: &Asker, worklist: &Worklist, spare: Option<Spare>) -> Result<(), Stopped> {
    asker.progress.update(|at| {
        at.phase = Phase::Organization;
        at.asking = worklist.targets.iter().map(worklist::Target::progress).collect();
    });
    let listings = async {
        match spare {
            Some(spare) => asker.spare_by(spare, worklist).await,
            None => Ok(()),
        }
    };
    let (organization, ()) = tokio::try_join!(asker.organization(worklist), listings)?;
    asker.progress.update(|at| at.phase = Phase::Networks);
    asker.pass_over(worklist).await?;
    tokio::try_join!(asker.people(organization, worklist), networks::look_up(asker, worklist))?;
    Ok(())
}

impl Asker {
    /// Asks the listing about the aggregates, and spares questions from now on by that and by what is recorded.
    async fn spare_by(&self, Spare { whois, recorded }: Spare, worklist: &Worklist) -> Result<(), Stopped> {
        let listed = listings::ask(&whois, listings::extents(worklist), || self.may_go_on());
        let recall = async { recorded.await.map_err(|_| Stopped::Unheard) };
        let (listed, recall) = tokio::try_join!(listed, recall)?;
        let believed = |(Extent { range, whole }, nets): Listed| {
            (range, nets.and_then(|nets| Listing::new((range, whole), nets, &recall)))
        };
        let listings = listed.into_iter().map(believed).collect();
        self.source.spare_by(recall, listings);
        self.check_listings().await
    }
}
