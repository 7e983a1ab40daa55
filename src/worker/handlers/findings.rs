//! Judges a config anew: once a day, as what is due may be overdue by then.

use std::time::Duration;

use serde_json::{Value, json};
use tracing::info;

use super::ending::{Failed, done, gone};
use crate::{
    coordination::lease_by_hand,
    error_chain::error_chain,
    findings::{Error, Refreshed},
    model::{RowId, Scope},
    queue::Ending,
    retry::Retry,
    worker::{
        findings::{Subject, refresh_findings},
        task::Task,
    },
};

/// The wait of a job whose config is being synced by hand.
const WAIT_FOR_HAND: Duration = Duration::from_secs(5);

/// Judges a config. What does not help to try again is left to the next day, and to whoever is told: nobody has to
/// retry what comes back by itself.
pub(super) async fn judge(task: &Task, config: RowId) -> Result<Ending, Failed> {
    if let Some(holder) = task.coordination.lease_holder(&lease_by_hand(config)).await? {
        info!(holder, "the config is being synced by hand; the job waits");
        return Ok(Ending::Again { wait: WAIT_FOR_HAND });
    }
    let configs = task.ctx.netbox.configs().await?;
    let Some(config) = configs.iter().find(|it| it.id == config) else { return Ok(gone("config")) };
    let run = task.claim.id.as_str();
    let subject = Subject { config, configs: &configs, scope: &Scope::Config, run };
    let refreshed = refresh_findings(&task.ctx, &task.coordination, subject).await;
    if task.ctx.stop.is_cancelled() {
        return Ok(if task.cancelled.is_cancelled() { Ending::Cancelled } else { Ending::HandedBack });
    }
    let attempt = task.claim.attempt;
    match &refreshed {
        Err(error) if error.retry() != Retry::Never && !task.is_last(attempt) => {
            Ok(Ending::Failed { error: error_chain(error), retry: Some(task.backoff(attempt)) })
        }
        Ok(_) | Err(_) => {
            let (name, told) = told(&refreshed);
            Ok(done(json!({ name: told })))
        }
    }
}

/// Returns how a refresh went as a field of a job's result.
pub(super) fn told(refreshed: &Result<Option<Refreshed>, Error>) -> (&'static str, Value) {
    match refreshed {
        Ok(Some(refreshed)) => ("findings", refreshed.json()),
        Ok(None) => ("findings", json!({ "skipped": "the config is not active" })),
        Err(error) => ("findings_failed", error_chain(error).into()),
    }
}
