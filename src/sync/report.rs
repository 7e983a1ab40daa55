//! Records a run in NetBox: log rows, the config's last result, and the pruning of old log rows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use tracing::{error, info, warn};

use super::{
    Context,
    outcome::{Applied, Counts, Deed, Ended, Failure, Skip, SyncRun, Verdict, chain},
};
use crate::{
    config::SyncLog,
    model::{ObjectType, RowId},
    netbox::{Client, Draft, Patch, schema},
};

/// One row of the sync log.
struct Entry<'a> {
    operation: &'static str,
    object: Option<ObjectType>,
    handle: &'a str,
    status: &'static str,
    message: String,
}

/// Writes the log rows of one run.
pub(super) struct Journal<'a> {
    netbox: &'a Client,
    run: String,
    config: RowId,
    /// Rows written so far. A row's place tells it apart, so that one whose writing was not answered is found again.
    written: usize,
}

impl<'a> Journal<'a> {
    pub(super) fn new(netbox: &'a Client, run: &SyncRun) -> Self {
        Self { netbox, run: run.id.clone(), config: run.config_id, written: 0 }
    }

    /// Logs what was written, what failed and what was passed over.
    pub(super) async fn log(&mut self, applied: &[Applied], failures: &[Failure], skips: &[Skip]) {
        let worth_a_row = |applied: &&Applied| applied.object != ObjectType::Address || applied.result.is_err();
        let written = applied.iter().filter(worth_a_row).map(entry);
        self.write(written.chain(failures.iter().map(failed)).chain(skips.iter().map(skipped)).collect()).await;
    }

    /// Log rows are a courtesy: that some could not be written is told in the process's own log, and the run goes on.
    async fn write(&mut self, entries: Vec<Entry<'_>>) {
        let mut drafts = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = format!("{}:{}", self.run, self.written);
            self.written += 1;
            drafts.push(Draft { body: self.body(&key, &entry), key });
        }
        let results = self.netbox.writer(schema::SYNC_LOG, &change_message(&self.run)).create(drafts).await;
        let refused: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        if let Some(first) = refused.first() {
            warn!(rows = refused.len(), error = %chain(first), "could not write rows of the sync log");
        }
    }

    fn body(&self, key: &str, entry: &Entry<'_>) -> Map<String, Json> {
        let object = entry.object.filter(|object| *object != ObjectType::Address).map(ObjectType::name);
        let body = json!({
            "key": key,
            "config": self.config,
            "run": self.run,
            "operation": entry.operation,
            "object_type": object,
            "object_handle": (!entry.handle.is_empty()).then_some(entry.handle),
            "status": entry.status,
            "message": entry.message,
        });
        body.as_object().cloned().unwrap_or_default()
    }
}

/// What NetBox's change log says of a row that a run wrote.
pub(super) fn change_message(run: &str) -> String {
    format!("rir-sidecar sync {run}")
}

fn entry(applied: &Applied) -> Entry<'_> {
    let (operation, message) = match &applied.deed {
        Deed::Create => ("create", "created".to_owned()),
        Deed::Update(fields) => ("update", format!("changed {}", fields.join(", "))),
        Deed::Retire => ("update", "ARIN does not have it any more; status is now not-found".to_owned()),
    };
    let (status, message) = match &applied.result {
        Ok(_) => ("success", message),
        Err(refused) => ("error", refused.clone()),
    };
    Entry { operation, object: Some(applied.object), handle: &applied.handle, status, message }
}

fn failed(failure: &Failure) -> Entry<'_> {
    let Failure { object, handle, message } = failure;
    Entry { operation: "sync", object: Some(*object), handle, status: "error", message: message.clone() }
}

fn skipped(skip: &Skip) -> Entry<'_> {
    let Skip { object, handle, message } = skip;
    Entry { operation: "sync", object: Some(*object), handle, status: "skipped", message: message.clone() }
}

/// Records the end of a run: unchanged objects if they are wanted, the summary row, the config's result. Prunes old rows.
pub(super) async fn record(ctx: &Context, run: &SyncRun, journal: &mut Journal<'_>) {
    let verdict = run.verdict();
    let mut entries = Vec::new();
    if ctx.settings.sync.sync_log == SyncLog::All {
        let unchanged = run.unchanged.iter().filter(|(object, _)| *object != ObjectType::Address);
        entries.extend(unchanged.map(|(object, handle)| Entry {
            operation: "sync",
            object: Some(*object),
            handle,
            status: "success",
            message: "unchanged".into(),
        }));
    }
    entries.push(summary(run, verdict));
    journal.write(entries).await;
    settle_config(ctx, run, verdict).await;
    prune(ctx, run).await;
    tell(run, verdict);
}

fn summary(run: &SyncRun, verdict: Verdict) -> Entry<'_> {
    let status = match verdict {
        Verdict::Unchanged | Verdict::Changed => "success",
        Verdict::Partial | Verdict::Refused | Verdict::Failed => "error",
        Verdict::Interrupted => "skipped",
    };
    Entry { operation: "sync", object: None, handle: "", status, message: sentence(run, verdict) }
}

/// A run in a few sentences, for people.
pub(super) fn sentence(run: &SyncRun, verdict: Verdict) -> String {
    let why = match &run.ended {
        Some(Ended::Failed(why) | Ended::Refused(why)) => format!("{verdict}: {why}. "),
        Some(Ended::Interrupted) => format!("{verdict}: the next run goes on from here. "),
        None => format!("{verdict}: "),
    };
    let user = run.user.as_ref().map_or_else(String::new, |user| format!(" API key of {user}."));
    format!(
        "{why}{}. {} requests to ARIN, {} to NetBox, {:.1} s.{user}",
        totals(&run.counts()),
        run.arin_requests,
        run.netbox_requests,
        run.took.as_secs_f64()
    )
}

fn totals(counts: &BTreeMap<ObjectType, Counts>) -> String {
    let sum = |of: fn(&Counts) -> usize| counts.values().map(of).sum::<usize>();
    format!(
        "{} created, {} updated, {} not found any more, {} unchanged, {} skipped, {} failed",
        sum(|counts| counts.created),
        sum(|counts| counts.updated),
        sum(|counts| counts.retired),
        sum(|counts| counts.unchanged),
        sum(|counts| counts.skipped),
        sum(|counts| counts.failed),
    )
}

async fn settle_config(ctx: &Context, run: &SyncRun, verdict: Verdict) {
    let body = json!({ "last_sync": Timestamp::now().to_string(), "last_result": verdict.code() });
    let body = body.as_object().cloned().unwrap_or_default();
    let patch = Patch { id: run.config_id.0, key: run.config.clone(), body };
    let results = ctx.netbox.writer(schema::CONFIG, &change_message(&run.id)).update(vec![patch]).await;
    for refusal in results.into_iter().filter_map(Result::err) {
        warn!(error = %chain(&refusal), "could not record the result with the config");
    }
}

/// Removes log rows of this config that are older than the retention.
async fn prune(ctx: &Context, run: &SyncRun) {
    let retention = ctx.settings.sync.log_retention;
    let Some(before) = (!retention.is_zero()).then(|| run.started.checked_sub(retention).ok()).flatten() else {
        return;
    };
    if let Err(error) = ctx.netbox.prune_log(run.config_id, before, &change_message(&run.id)).await {
        warn!(error = %chain(&error), "could not remove old rows of the sync log");
    }
}

fn tell(run: &SyncRun, verdict: Verdict) {
    let text = sentence(run, verdict);
    match verdict {
        Verdict::Failed | Verdict::Refused => error!(run = %run.id, config = %run.config, "{text}"),
        Verdict::Partial | Verdict::Interrupted => warn!(run = %run.id, config = %run.config, "{text}"),
        Verdict::Changed | Verdict::Unchanged => info!(run = %run.id, config = %run.config, "{text}"),
    }
}
