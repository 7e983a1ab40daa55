//! Brings NetBox in line with what the RIR has registered.
//!
//! A run walks one way: look up, plan, apply, report. The registry is asked while what it said before is planned and
//! written, round after round. Only marking rows as not found waits for the end. The worker, the command line and the
//! preview run the same flow; a preview is a run whose plan nobody applies.
//!
//! | step | where | touches |
//! |---|---|---|
//! | read NetBox, choose the API key | `run` | NetBox |
//! | look up | `lookup` | the registry |
//! | plan | [`mod@plan`] | nothing |
//! | apply | `apply` | NetBox |
//! | leave behind how completely the registry was asked | [`looks`] | NetBox |
//! | report | `report` | NetBox |
//! | go on where another worker stopped | [`checkpoint`] | nothing |

mod apply;
pub mod approved;
pub mod checkpoint;
pub mod json;
pub mod kept_plan;
pub mod looks;
mod lookup;
pub mod note;
pub mod outcome;
pub mod plan;
pub mod progress;
mod report;
pub mod request;
pub mod result;
mod run;
#[cfg(test)]
mod tests;
pub mod text;
pub mod withheld;

use std::mem;

use tracing::Instrument;

pub use self::{
    approved::Approved,
    checkpoint::{Checkpoint, NoCheckpoint},
    plan::Plan,
    progress::Progress,
    request::{Context, Request, Requester, RunName},
    result::{Preview, SyncRun, Verdict},
};
use self::{lookup::Lookup, report::Report, result::Ended, run::Run};

/// Brings NetBox in line with what the RIR has registered for one config, and reports how it went.
pub async fn run(ctx: &Context, request: &Request<'_>, checkpoint: &impl Checkpoint) -> SyncRun {
    let mut report = Report::begin(ctx, request, checkpoint.notes());
    let span = report.span();
    async {
        let ended = match &request.approved {
            Some(approved) => run::write_approved(request, approved, (&mut report, checkpoint)).await,
            None => write_all(request, &mut report, checkpoint).await,
        };
        report.end(ended);
        match checkpoint.goes_on(&report.run) {
            true => report.interrupt().await,
            false => report.finish(request).await,
        }
        report.run
    }
    .instrument(span)
    .await
}

async fn write_all(request: &Request<'_>, report: &mut Report<'_>, checkpoint: &impl Checkpoint) -> Result<(), Ended> {
    let (mut run, mut lookup) = Run::begin(request, report).await?;
    let ended = write_rounds((&mut run, &mut lookup), checkpoint).await;
    run.leave_looks(request, &lookup, ended.as_ref().err());
    ended
}

async fn write_rounds(
    (run, lookup): (&mut Run<'_, '_>, &mut Lookup),
    checkpoint: &impl Checkpoint,
) -> Result<(), Ended> {
    while let Some(round) = lookup.next_round().await? {
        let learnt = run.learn(round);
        let plan = run.plan_round(&learnt);
        run.apply(plan).await?;
        run.append_to(checkpoint, &learnt).await?;
    }
    let (plan, allowed) = run.plan_all(mem::take(&mut lookup.gone));
    run.apply(plan).await?;
    allowed
}

/// Looks up and plans, and leaves it at that.
pub async fn preview(ctx: &Context, request: &Request<'_>) -> Preview {
    let mut report = Report::begin(ctx, request, &[]);
    let span = report.span();
    async {
        let (plan, ended) = match run::plan_only(request, &mut report).await {
            Ok((plan, allowed)) => (Some(plan), allowed),
            Err(ended) => (None, Err(ended)),
        };
        report.end(ended);
        let digest = plan.as_ref().map(|plan| plan.digest(request.subject()));
        Preview { digest, plan: plan.unwrap_or_default(), run: report.run }
    }
    .instrument(span)
    .await
}
