//! Asks the registry everything that a run wants to know, and passes it on as it comes.
//!
//! A [`Lookup`] asks in a task of its own, while whoever holds it takes up what was learnt, round after round. First it
//! asks for the [`Worklist`]; then, by handle, for what is recorded and did not come up. Findings come in an order in which
//! references point backwards: an organization before the nets it holds, a net before its customer. A lookup that is
//! dropped asks nothing more.

mod above;
mod ask;
mod finding;
mod net_match;
mod networks;
mod worklist;

use std::{collections::BTreeSet, panic, time::Duration};

use tokio::{sync::mpsc, task::JoinSet, time::timeout_at};
use tracing::{Instrument, Span};

pub(super) use self::{
    ask::Answered,
    finding::Finding,
    worklist::{Ours, Recorded, Worklist, recorded},
};
use self::{ask::Asker, finding::Stopped};
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
    /// A round of so many findings makes full batches.
    enough: usize,
    /// Recorded objects that are gone, once everything has been asked.
    pub(super) gone: Gone,
}

impl Lookup {
    /// Begins to ask for `worklist`. What `answered` names came up before and is not asked for again.
    pub(super) fn begin(ctx: &Context, arin: &arin::Client, worklist: Worklist, answered: Answered) -> Self {
        let (out, findings) = mpsc::channel(BACKLOG);
        let asker = Asker::new(ctx, arin.clone(), worklist.owner.clone(), answered);
        let netbox = &ctx.settings.netbox;
        let enough = netbox.batch_size * netbox.writes_in_flight;
        let mut lookup =
            Self { asker, asking: JoinSet::new(), findings, recorded: None, enough, gone: BTreeSet::new() };
        let asker = lookup.asker.telling(out);
        lookup.spawn(async move { work_off(&asker, &worklist).await.map(|()| Gone::new()) });
        lookup
    }

    /// Has what is recorded asked for by handle at the end, unless it has come up by then.
    pub(super) fn then_ask_for(&mut self, recorded: Vec<(Recorded, Key)>) {
        self.recorded = Some(recorded);
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

/// Asks for the organization, then for its contacts and the networks at once.
async fn work_off(asker: &Asker, worklist: &Worklist) -> Result<(), Stopped> {
    asker.progress.update(|at| {
        at.phase = Phase::Organization;
        at.asking = worklist.targets.iter().map(worklist::Target::progress).collect();
    });
    let organization = asker.organizations(worklist).await?;
    asker.progress.update(|at| at.phase = Phase::Networks);
    asker.pass_over(worklist).await?;
    tokio::try_join!(asker.contacts(organization), networks::look_up(asker, worklist))?;
    Ok(())
}
