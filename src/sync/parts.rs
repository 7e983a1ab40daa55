//! A run in parts, for a queue: each part is done by whoever takes it, and may be done again without harm.
//!
//! [`begin`] syncs the organization, the contacts and the aggregates, and says which parts follow: [`inside`] each
//! aggregate, its prefixes. [`conclude`] puts the parts together when all have ended: it asks for what is recorded and
//! came up in none of them, marks what is gone, and records the run. Together they do what [`super::run()`] does at once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Context, Request,
    outcome::{Ended, Failure, SyncRun, Tally},
    report::Journal,
    run::{Performed, begin as begin_run, perform, record},
};
use crate::model::{NetHandle, ObjectType, Resource, RowId, Scope};

/// What a part came to, as it is kept until the run is put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    user: Option<String>,
    note: Option<String>,
    ended: Option<Ended>,
    tally: Tally,
    unchanged: BTreeSet<(ObjectType, String)>,
    written: BTreeSet<(ObjectType, String)>,
    may_pass: Option<String>,
    arin_requests: u64,
    netbox_requests: u64,
}

/// A part that follows: the prefixes inside an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// The aggregate.
    pub aggregate: RowId,
    /// The net that answers for it, if one does.
    pub parent: Option<NetHandle>,
}

impl Part {
    /// What failed and may pass by itself, in words: doing the part again soon makes sense.
    #[must_use]
    pub fn may_pass(&self) -> Option<&str> {
        self.may_pass.as_deref()
    }

    /// Whether it ended before everything was done.
    #[must_use]
    pub fn ended_early(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether it stopped because it was asked to.
    #[must_use]
    pub fn was_interrupted(&self) -> bool {
        self.ended == Some(Ended::Interrupted)
    }

    fn of(run: &SyncRun) -> Self {
        let written = run.applied.iter().map(|applied| (applied.object, applied.handle.clone()));
        let mut tally = Tally::default();
        tally.add(&run.counts());
        Self {
            user: run.user.clone(),
            note: run.note.clone(),
            ended: run.ended.clone(),
            tally,
            unchanged: run.unchanged.iter().cloned().collect(),
            written: written.collect(),
            may_pass: run.may_pass(),
            arin_requests: run.arin_requests,
            netbox_requests: run.netbox_requests,
        }
    }
}

/// Begins a run: everything but the prefixes. Gives what follows.
pub async fn begin(ctx: &Context, request: &Request<'_>) -> (Part, Vec<Inside>) {
    let request = Request { scope: Scope::Head, ..request.clone() };
    let Performed { journal, at } = perform(ctx, &request, begin_run(&request)).await;
    let mut follow = Vec::new();
    if let Some(at) = at.filter(|_| journal.run.ended.is_none() && request.resources.contains(&Resource::Networks)) {
        let with_prefixes = at
            .recorded
            .aggregates
            .iter()
            .filter(|aggregate| !super::questions::ranges_inside(aggregate, &at.recorded).is_empty());
        follow.extend(with_prefixes.map(|aggregate| Inside {
            aggregate: aggregate.id,
            parent: at.registered.aggregates.get(&aggregate.id).cloned().flatten(),
        }));
    }
    (Part::of(&journal.run), follow)
}

/// Syncs the prefixes inside an aggregate.
pub async fn inside(ctx: &Context, request: &Request<'_>, Inside { aggregate, parent }: Inside) -> Part {
    let request = Request { scope: Scope::Inside { aggregate, parent }, ..request.clone() };
    let Performed { journal, .. } = perform(ctx, &request, begin_run(&request)).await;
    Part::of(&journal.run)
}

/// Puts the parts of a run together. A part that is missing says why.
pub async fn conclude(ctx: &Context, request: &Request<'_>, parts: Vec<Result<Part, String>>) -> SyncRun {
    let mut run = begin_run(request);
    let mut parts = merge(parts, &mut run);
    let complete = run.failures.is_empty() && run.ended.is_none();
    let mut journal = if complete {
        let seen = parts.unchanged.union(&parts.written).cloned().collect();
        let scope = Scope::Rest { seen, complete: run.before.failed() == 0 };
        perform(ctx, &Request { scope, ..request.clone() }, run).await.journal
    } else {
        let mut journal = Journal::new(&ctx.netbox, format!("{}:end", run.id), run);
        journal.log(Vec::new()).await;
        journal
    };
    parts.unchanged.extend(std::mem::take(&mut journal.run.unchanged));
    parts.written.extend(journal.run.applied.iter().map(|applied| (applied.object, applied.handle.clone())));
    journal.run.unchanged = parts.unchanged.difference(&parts.written).cloned().collect();
    journal.run.took = Timestamp::now().duration_since(journal.run.started).try_into().unwrap_or_default();
    record(ctx, request, &mut journal).await;
    journal.run
}

/// What all parts came to.
#[derive(Debug, Default)]
struct Together {
    unchanged: BTreeSet<(ObjectType, String)>,
    written: BTreeSet<(ObjectType, String)>,
}

/// Adds the parts up. What ended the first one ended the run; a missing one is a failure of its own.
fn merge(parts: Vec<Result<Part, String>>, run: &mut SyncRun) -> Together {
    let mut together = Together::default();
    let any = parts.iter().any(Result::is_ok);
    for part in parts {
        match part {
            Ok(part) => {
                run.before.add_tally(&part.tally);
                run.user = run.user.take().or(part.user);
                run.note = run.note.take().or(part.note);
                run.ended = run.ended.take().or(part.ended);
                run.arin_requests += part.arin_requests;
                run.netbox_requests += part.netbox_requests;
                together.unchanged.extend(part.unchanged);
                together.written.extend(part.written);
            }
            Err(why) if any => run.failures.push(Failure::new(ObjectType::Network, "", why)),
            Err(why) => run.ended = Some(Ended::failed(why)),
        }
    }
    together
}
