//! A run in parts, for a queue: each part is done by whoever takes it, and may be done again without harm.
//!
//! [`begin`] syncs the organization, the contacts and the aggregates, and says which parts follow: [`inside`] each
//! aggregate, its prefixes. [`conclude`] puts the parts together when all have ended: it asks for what is recorded and
//! came up in none of them, marks what is gone, and records the run. Together they do what [`super::run()`] does at once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use super::{
    Context, Request, Rows,
    outcome::{Ended, Failure, SyncRun, Tally},
    prepare::Prepared,
    questions::ranges_inside,
    report::Journal,
    run::{perform, record, span},
};
use crate::model::{Aggregate, NetHandle, ObjectType, Resource, RowId, Scope};

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

/// A part that was done.
#[derive(Debug)]
pub struct Outcome {
    /// What it came to.
    pub part: Part,
    /// What follows from it.
    pub follow: Vec<Inside>,
    /// What NetBox has recorded now, for a part that comes right after this one.
    pub rows: Option<Rows>,
}

/// Begins a run: everything but the prefixes.
pub async fn begin(ctx: &Context, request: &Request<'_>) -> Outcome {
    let request = Request { scope: Scope::Head, ..request.clone() };
    let run = request.begin();
    let span = span(&run);
    let mut done = perform(ctx, &request, run, None).instrument(span).await;
    let goes_on = done.journal.run.ended.is_none() && request.resources.contains(&Resource::Networks);
    let follow = done.at.as_ref().filter(|_| goes_on).map(follow).unwrap_or_default();
    Outcome { part: Part::of(&done.journal.run), follow, rows: done.take_rows() }
}

/// A part for each aggregate with prefixes that somebody can register.
fn follow(at: &Prepared) -> Vec<Inside> {
    let aggregates =
        at.recorded.aggregates.iter().filter(|aggregate| !ranges_inside(aggregate, &at.recorded).is_empty());
    let inside = |aggregate: &Aggregate| Inside {
        aggregate: aggregate.id,
        parent: at.registered.aggregates.get(&aggregate.id).cloned().flatten(),
    };
    aggregates.map(inside).collect()
}

/// Syncs the prefixes inside an aggregate. `rows` are the recorded rows, if the part right before this one left them.
pub async fn inside(ctx: &Context, request: &Request<'_>, part: Inside, rows: Option<Rows>) -> Outcome {
    let Inside { aggregate, parent } = part;
    let request = Request { scope: Scope::Inside { aggregate, parent }, ..request.clone() };
    let run = request.begin();
    let span = span(&run);
    let mut done = perform(ctx, &request, run, rows).instrument(span).await;
    Outcome { part: Part::of(&done.journal.run), follow: Vec::new(), rows: done.take_rows() }
}

/// Puts the parts of a run together. A part that is missing says why. `rows` as with [`inside`].
pub async fn conclude(
    ctx: &Context,
    request: &Request<'_>,
    parts: Vec<Result<Part, String>>,
    rows: Option<Rows>,
) -> SyncRun {
    let run = request.begin();
    let span = span(&run);
    put_together(ctx, request, run, parts, rows).instrument(span).await
}

async fn put_together(
    ctx: &Context,
    request: &Request<'_>,
    mut run: SyncRun,
    parts: Vec<Result<Part, String>>,
    rows: Option<Rows>,
) -> SyncRun {
    let mut parts = merge(parts, &mut run);
    let complete = run.failures.is_empty() && run.ended.is_none();
    let mut journal = if complete {
        let seen = parts.unchanged.union(&parts.written).cloned().collect();
        let scope = Scope::Rest { seen, complete: run.before.failed() == 0 };
        perform(ctx, &Request { scope, ..request.clone() }, run, rows).await.journal
    } else {
        let mut journal = Journal::new(ctx, format!("{}:end", run.id), run);
        journal.note(Vec::new());
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
