//! Syncs a config, or a part of it, under a checkpoint that the queue keeps.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::json;
use tracing::warn;

use super::ending::{Failed, done, gone};
use crate::{
    coordination::LastRun,
    error_chain::error_chain,
    model::{Resource, RowId, Scope},
    queue::Ending,
    sync::{Checkpoint, Request, Requester, SyncRun, Verdict, run},
    worker::{checkpoint::JobCheckpoint, task::Task},
};

/// Runs a sync, from where the worker that had it before has stopped.
pub(super) async fn sync(
    task: &Task,
    config: RowId,
    (scope, resources): (Scope, BTreeSet<Resource>),
) -> Result<Ending, Failed> {
    let configs = task.ctx.netbox.configs().await?;
    let Some(config) = configs.iter().find(|it| it.id == config) else { return Ok(gone("config")) };
    let checkpoint = JobCheckpoint::open(task).await?;
    let (requester, name) = (requester(task), task.run_name());
    let request = Request { scope, resources, requester, name, ..Request::of(config, &configs) };
    let run = run(&task.ctx, &request, &checkpoint).await;
    if !checkpoint.goes_on(&run) {
        task.ctx.metrics.run(run.verdict().code(), run.took);
        if request.is_whole() {
            remember(task, &run).await;
        }
    }
    Ok(ending(task, &checkpoint, &run))
}

/// Tells the other replicas that a config was synced. NetBox tells them, too, if it took the result.
async fn remember(task: &Task, run: &SyncRun) {
    let (started, result) = (run.started, run.verdict().code().to_owned());
    let last = LastRun { started, ended: Timestamp::now(), result };
    if let Err(error) = task.coordination.sync_ended(run.config_id, &last).await {
        warn!(error = %error_chain(&error), "could not remember the end of the run");
    }
}

fn requester(task: &Task) -> Requester<'_> {
    let job = &task.claim.job;
    match (job.asked_by(), &job.user) {
        (Some(user), _) => Requester::User(user),
        (None, Some(user)) => Requester::ChangedBy(user),
        (None, None) => Requester::Automatic,
    }
}

/// Decides what becomes of the job after its run.
fn ending(task: &Task, checkpoint: &JobCheckpoint<'_>, run: &SyncRun) -> Ending {
    if checkpoint.yielded() {
        return Ending::Again { wait: Duration::ZERO };
    }
    let verdict = run.verdict();
    if verdict == Verdict::Interrupted {
        return if task.cancelled.is_cancelled() { Ending::Cancelled } else { Ending::HandedBack };
    }
    let (attempt, result) = (
        checkpoint.attempt(),
        || json!({ "run": run.id, "result": verdict, "reason": run.reason(), "counts": run.counts() }),
    );
    match run.may_pass() {
        Some(error) if !task.is_last(attempt) => Ending::Failed { error, retry: Some(task.backoff(attempt)) },
        Some(error) if verdict == Verdict::Failed => Ending::Failed { error, retry: None },
        Some(_) | None => done(result()),
    }
}
