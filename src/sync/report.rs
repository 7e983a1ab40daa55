//! Records a run in NetBox: log rows, the config's last result, and the pruning of old log rows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use tracing::{error, info, warn};

use super::{
    Context,
    outcome::{Applied, Counts, Deed, Ended, Failure, Skip, SyncRun, Verdict},
};
use crate::{
    config::SyncLog,
    error_chain::error_chain,
    model::{ObjectType, RowId},
    netbox::{self, Draft, Patch, schema},
    telemetry::metrics,
};

/// One row of the sync log.
struct Entry {
    operation: &'static str,
    object: Option<ObjectType>,
    handle: String,
    status: &'static str,
    message: String,
}

/// A run as it goes, and its log rows in NetBox.
pub(super) struct Journal<'a> {
    ctx: &'a Context,
    pub(super) run: SyncRun,
    /// What the keys of its rows begin with.
    part: String,
    /// Rows so far. A row's place tells it apart, so that one whose writing was not answered is found again.
    rows: usize,
    /// Rows that are not in NetBox yet.
    pending: Vec<Draft>,
    /// How many of the run's failures and skips have their rows.
    failures: usize,
    skips: usize,
}

impl<'a> Journal<'a> {
    pub(super) fn new(ctx: &'a Context, part: String, run: SyncRun) -> Self {
        Self { ctx, run, part, rows: 0, pending: Vec::new(), failures: 0, skips: 0 }
    }

    /// Takes up what was written, what failed and what was passed over since the last time, and counts it. It is in NetBox
    /// after the next [`Journal::flush`].
    pub(super) fn note(&mut self, applied: Vec<Applied>) {
        self.count(&applied);
        let run = &self.run;
        let worth_a_row = |applied: &&Applied| applied.object != ObjectType::Address || applied.result.is_err();
        let mut entries: Vec<Entry> = applied.iter().filter(worth_a_row).map(entry).collect();
        entries.extend(run.failures.iter().skip(self.failures).map(failed));
        entries.extend(run.skips.iter().skip(self.skips).map(skipped));
        (self.failures, self.skips) = (run.failures.len(), run.skips.len());
        self.run.applied.extend(applied);
        entries.iter().for_each(|entry| self.push(entry));
    }

    fn count(&self, applied: &[Applied]) {
        let (run, count) = (&self.run, |object, deed| self.ctx.metrics.change(object, deed));
        applied.iter().for_each(|applied| count(applied.object, applied.outcome()));
        run.failures.iter().skip(self.failures).for_each(|failure| count(failure.object, metrics::Deed::Failed));
        run.skips.iter().skip(self.skips).for_each(|skip| count(skip.object, metrics::Deed::Skipped));
    }

    fn push(&mut self, entry: &Entry) {
        let key = format!("{}:{}", self.part, self.rows);
        self.rows += 1;
        self.pending.push(Draft { body: self.body(&key, entry), key });
    }

    /// Writes all rows that are not in NetBox yet. Log rows are a courtesy: that some could not be written is told in the
    /// process's own log, and the run goes on.
    pub(super) async fn flush(&mut self) {
        let drafts = std::mem::take(&mut self.pending);
        if drafts.is_empty() {
            return;
        }
        let results = self.ctx.netbox.writer(schema::SYNC_LOG, &change_message(&self.run.id)).create(drafts).await;
        let refused: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        if let Some(first) = refused.first() {
            warn!(rows = refused.len(), error = %error_chain(first), "could not write rows of the sync log");
        }
    }

    fn body(&self, key: &str, entry: &Entry) -> Map<String, Json> {
        let object = entry.object.filter(|object| *object != ObjectType::Address).map(ObjectType::name);
        let body = json!({
            "key": key,
            "config": self.run.config_id,
            "run": self.run.id,
            "operation": entry.operation,
            "object_type": object,
            "object_handle": (!entry.handle.is_empty()).then_some(&entry.handle),
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

fn entry(applied: &Applied) -> Entry {
    let (operation, message) = match &applied.deed {
        Deed::Create => ("create", "created".to_owned()),
        Deed::Update(fields) => ("update", format!("changed {}", fields.join(", "))),
        Deed::Retire => ("update", "ARIN does not have it any more; status is now not-found".to_owned()),
    };
    let (status, message) = match &applied.result {
        Ok(_) => ("success", message),
        Err(refused) => ("error", refused.message.clone()),
    };
    Entry { operation, object: Some(applied.object), handle: applied.handle.clone(), status, message }
}

fn failed(failure: &Failure) -> Entry {
    let Failure { object, handle, message, .. } = failure;
    Entry {
        operation: "sync",
        object: Some(*object),
        handle: handle.clone(),
        status: "error",
        message: message.clone(),
    }
}

fn skipped(skip: &Skip) -> Entry {
    let Skip { object, handle, message } = skip;
    Entry {
        operation: "sync",
        object: Some(*object),
        handle: handle.clone(),
        status: "skipped",
        message: message.clone(),
    }
}

/// Records the end of a run: unchanged objects if they are wanted, the summary row, and, when it was about `all` of a config,
/// the config's result. A run about a part says nothing about when the whole was last looked at.
pub(super) async fn record(ctx: &Context, journal: &mut Journal<'_>, all: bool) {
    let run = &journal.run;
    let verdict = run.verdict();
    let mut entries = Vec::new();
    if ctx.settings.sync.sync_log == SyncLog::All {
        let unchanged = run.unchanged.iter().filter(|(object, _)| *object != ObjectType::Address);
        entries.extend(unchanged.map(|(object, handle)| Entry {
            operation: "sync",
            object: Some(*object),
            handle: handle.clone(),
            status: "success",
            message: "unchanged".into(),
        }));
    }
    entries.push(summary(run, verdict));
    entries.iter().for_each(|entry| journal.push(entry));
    journal.flush().await;
    let run = &journal.run;
    if all {
        settle_config(ctx, run, verdict).await;
    }
    tell(run, verdict);
}

fn summary(run: &SyncRun, verdict: Verdict) -> Entry {
    let status = match verdict {
        Verdict::Unchanged | Verdict::Changed => "success",
        Verdict::Partial | Verdict::Refused | Verdict::Failed => "error",
        Verdict::Interrupted => "skipped",
    };
    Entry { operation: "sync", object: None, handle: String::new(), status, message: sentence(run, verdict) }
}

/// A run in a few sentences, for people.
pub(super) fn sentence(run: &SyncRun, verdict: Verdict) -> String {
    let why = match &run.ended {
        Some(Ended::Failed { why, .. } | Ended::Refused(why)) => format!("{verdict}: {why}. "),
        Some(Ended::Interrupted) => format!("{verdict}: the next run goes on from here. "),
        None => format!("{verdict}: "),
    };
    let mut user = run.user.as_ref().map_or_else(String::new, |user| format!(" API key of {user}."));
    if let Some(note) = &run.note {
        user = format!("{user} {note}");
    }
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
    let now = Timestamp::now();
    if verdict.is_success() {
        ctx.metrics.succeeded(&run.config, now);
    }
    let body = json!({ "last_sync": now.to_string(), "last_result": verdict.code() });
    let body = body.as_object().cloned().unwrap_or_default();
    let patch = Patch { id: run.config_id, key: run.config.clone(), body };
    let results = ctx.netbox.writer(schema::CONFIG, &change_message(&run.id)).update(vec![patch]).await;
    for refusal in results.into_iter().filter_map(Result::err) {
        warn!(error = %error_chain(&refusal), "could not record the result with the config");
    }
}

pub(super) async fn prune(ctx: &Context, config: RowId, run: &str) {
    if let Err(error) = prune_log(ctx, config, &change_message(run)).await {
        warn!(error = %error_chain(&error), "could not remove old rows of the sync log");
    }
}

/// Removes log rows of a config that are older than the retention. Gives how many.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn prune_log(ctx: &Context, config: RowId, message: &str) -> Result<usize, netbox::Error> {
    let retention = ctx.settings.sync.log_retention;
    let before = (!retention.is_zero()).then(|| Timestamp::now().checked_sub(retention).ok()).flatten();
    match before {
        Some(before) => ctx.netbox.prune_log(config, before, message).await,
        None => Ok(0),
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
