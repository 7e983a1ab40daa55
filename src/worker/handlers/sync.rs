//! Syncs a config, or a part of it, under a checkpoint that the queue keeps.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::{
    ending::{Failed, gone},
    findings::told,
    plan::approved,
};
use crate::{
    coordination::{LastRun, lease_by_hand},
    error_chain::error_chain,
    model::{PlanDigest, Resource, RowId, Scope},
    queue::{Ending, Order},
    sync::{Checkpoint, Request, SyncRun, Verdict, run},
    worker::{
        checkpoint::JobCheckpoint,
        findings::{Subject, refresh_findings},
        standing::register,
        task::Task,
    },
};

/// The wait of a job whose config is being synced by hand.
const WAIT_FOR_HAND: Duration = Duration::from_secs(5);

/// Runs a sync, from where the worker that had it before has stopped. With a plan it writes that or nothing.
pub(super) async fn sync(
    task: &Task,
    config: RowId,
    (scope, resources): (Scope, BTreeSet<Resource>),
    plan: Option<&PlanDigest>,
) -> Result<Ending, Failed> {
    if let Some(holder) = task.coordination.lease_holder(&lease_by_hand(config)).await? {
        info!(holder, "the config is being synced by hand; the job waits");
        return Ok(Ending::Again { wait: WAIT_FOR_HAND });
    }
    let configs = task.ctx.netbox.configs().await?;
    let Some(config) = configs.iter().find(|it| it.id == config) else { return Ok(gone("config")) };
    let checkpoint = JobCheckpoint::open(task).await?;
    let approved = match plan {
        Some(plan) => Some(approved(task, config.id, plan).await?),
        None => None,
    };
    let request = Request { scope, resources, approved, ..task.request(config, &configs) };
    let run = run(&task.ctx, &request, &checkpoint).await;
    // A plan that differs is told to whoever approved it. Nobody else has to look, as at other runs that are refused.
    let (mut findings, mut then) = (None, Vec::new());
    if !checkpoint.goes_on(&run) && run.difference().is_none() {
        task.ctx.metrics.run(run.verdict().code(), run.took);
        if request.is_whole() {
            remember(task, &run).await;
        }
        if run.verdict() != Verdict::Interrupted {
            let subject = Subject { config, configs: &configs, scope: &request.scope, run: &run.id };
            let refreshed = refresh_findings(&task.ctx, &task.coordination, subject).await;
            let learnt_all = matches!(run.verdict(), Verdict::Unchanged | Verdict::Changed);
            if learnt_all && matches!(refreshed, Ok(Some(_))) {
                then.extend(register(task, (config, &configs)).await);
            }
            findings = Some(told(&refreshed));
        }
    }
    Ok(ending(task, &checkpoint, &run, (findings, then)))
}

/// Tells the other replicas that a config was synced. NetBox tells them, too, if it took the result.
async fn remember(task: &Task, run: &SyncRun) {
    let (started, result) = (run.started, run.verdict().code().to_owned());
    let last = LastRun { started, ended: Timestamp::now(), result };
    if let Err(error) = task.coordination.sync_ended(run.config_id, &last).await {
        warn!(error = %error_chain(&error), "could not remember the end of the run");
    }
}

/// Decides what becomes of the job after its run.
fn ending(
    task: &Task,
    checkpoint: &JobCheckpoint<'_>,
    run: &SyncRun,
    (findings, then): (Option<(&'static str, Value)>, Vec<Order>),
) -> Ending {
    if checkpoint.yielded() {
        return Ending::Again { wait: Duration::ZERO };
    }
    let verdict = run.verdict();
    if verdict == Verdict::Interrupted {
        return if task.cancelled.is_cancelled() { Ending::Cancelled } else { Ending::HandedBack };
    }
    let attempt = checkpoint.attempt();
    match run.may_pass() {
        Some(error) if !task.is_last(attempt) => Ending::Failed { error, retry: Some(task.backoff(attempt)) },
        Some(error) if verdict == Verdict::Failed => Ending::Failed { error, retry: None },
        Some(_) | None => Ending::Done { result: result(run, findings), then },
    }
}

fn result(run: &SyncRun, findings: Option<(&'static str, Value)>) -> Value {
    let (result, reason, counts) = (run.verdict(), run.reason(), run.counts());
    let facts =
        [("run", json!(run.id)), ("result", json!(result)), ("reason", json!(reason)), ("counts", json!(counts))];
    let difference = run.difference().map(|difference| ("difference", json!(difference)));
    facts.into_iter().chain(difference).chain(findings).map(|(name, value)| (name.to_owned(), value)).collect()
}
