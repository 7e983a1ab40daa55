//! Reports a run in NetBox: log rows, the config's last result, and the pruning of old log rows.

use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;
use tracing::{Span, debug, error, info, info_span, warn};

use super::{
    looks::{self, Left, Looking},
    note::{Note, Objects},
    outcome::{Applied, Counts, Deed, Failure, InFull, Skip},
    progress::Phase,
    request::{Context, Request, RunName},
    result::{Ended, SyncRun, Verdict},
};
use crate::{
    arin,
    config::SyncLog,
    error_chain::error_chain,
    model::{AggregateProgress, Look, ObjectType, Resource, RowId, Scope, Standing},
    netbox::{DETAIL, Draft, Patch, schema},
    telemetry::metrics,
};

/// One row of the sync log, about one object or about several that were created together: a row costs NetBox as much as an
/// object.
struct Entry {
    operation: &'static str,
    object: Option<ObjectType>,
    handle: String,
    status: &'static str,
    message: String,
    /// The handles of its objects, if they are several.
    details: Vec<String>,
}

impl Entry {
    /// Begins a row about one object.
    fn about(object: ObjectType, handle: &str, operation: &'static str) -> Self {
        let (handle, object) = (handle.to_owned(), Some(object));
        Self { operation, object, handle, status: "success", message: String::new(), details: Vec::new() }
    }

    fn ended(self, status: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), ..self }
    }
}

/// A run as it goes, its log rows in NetBox, and what belongs into its next note.
pub(super) struct Report<'c> {
    pub(super) ctx: &'c Context,
    pub(super) run: SyncRun,
    /// Those that the run asks, once there are any.
    pub(super) asking: Option<Asking>,
    pub(super) looking: Looking,
    /// What the run leaves behind, once it has asked; `None` if it did not come to that.
    pub(super) left: Option<Left>,
    /// The beginning of the keys of its log rows.
    key: String,
    /// Log rows so far. The place of a row tells it apart, so that one whose writing was not answered is found again.
    rows: usize,
    /// Log rows that are not in NetBox yet.
    pending: Vec<Draft>,
    /// The number of the run's failures and skips that were taken up.
    failures: usize,
    skips: usize,
    /// Rows that were as they should be.
    unchanged: Objects,
    /// The work since the last note.
    since: Note,
    begun: Spent,
    noted: Spent,
}

/// The ones that a run asks, and what it did not have to ask.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) arin: arin::Client,
    pub(super) listing: Option<arin::Whois>,
    pub(super) spared: Arc<AtomicU64>,
}

/// The time and the requests that were spent up to a moment.
#[derive(Debug, Clone, Copy)]
struct Spent {
    at: Instant,
    arin: u64,
    listing: u64,
    spared: u64,
    netbox: u64,
}

impl<'c> Report<'c> {
    /// Begins the report of a run, which goes on from the notes of whoever had it before.
    pub(super) fn begin(ctx: &'c Context, request: &Request<'_>, notes: &[Note]) -> Self {
        let name = request.name.clone();
        let name = name.unwrap_or_else(|| RunName::new(Timestamp::now(), fastrand::u32(..), ""));
        let begun = Spent { at: Instant::now(), arin: 0, listing: 0, spared: 0, netbox: ctx.netbox.requests() };
        Self {
            key: if name.log.is_empty() { name.id.clone() } else { format!("{}:{}", name.id, name.log) },
            run: SyncRun {
                id: name.id,
                config: request.config.name.clone(),
                config_id: request.config.id,
                started: name.started,
                took: Duration::ZERO,
                user: None,
                applied: Vec::new(),
                unchanged: Vec::new(),
                failures: Vec::new(),
                skips: Vec::new(),
                in_full: Vec::new(),
                ended: None,
                unrecorded: None,
                before: Note::sum(notes),
                remark: None,
                arin_requests: 0,
                listing_requests: 0,
                spared: 0,
                netbox_requests: 0,
            },
            ctx,
            asking: None,
            looking: Looking::default(),
            left: None,
            rows: 0,
            pending: Vec::new(),
            failures: 0,
            skips: 0,
            unchanged: Objects::new(),
            since: Note::default(),
            begun,
            noted: begun,
        }
    }

    /// Returns the span of the run.
    pub(super) fn span(&self) -> Span {
        info_span!("sync", run = %self.run.id, config = %self.run.config)
    }

    fn spent(&self) -> Spent {
        let count = |of: &dyn Fn(&Asking) -> u64| self.asking.as_ref().map_or(0, of);
        Spent {
            at: Instant::now(),
            arin: count(&|asking| asking.arin.requests()),
            listing: count(&|asking| asking.listing.as_ref().map_or(0, arin::Whois::requests)),
            spared: count(&|asking| asking.spared.load(Ordering::Relaxed)),
            netbox: self.ctx.netbox.requests(),
        }
    }

    /// Adds a sentence about the run for people.
    pub(super) fn remark(&mut self, sentence: &str) {
        match &mut self.run.remark {
            Some(remark) => *remark = format!("{remark} {sentence}"),
            none => *none = Some(sentence.to_owned()),
        }
    }

    /// Takes up what came back about an organization or a customer, for whoever takes the run over as well.
    pub(super) fn stands(&mut self, name: (ObjectType, String), standing: Standing) {
        self.since.standings.push((name.clone(), standing.clone()));
        self.looking.standings.insert(name, standing);
    }

    /// Takes up rows that were as they should be.
    pub(super) fn unchanged(&mut self, unchanged: Objects) {
        self.since.unchanged.extend(unchanged.iter().cloned());
        self.unchanged.extend(unchanged);
    }

    /// Takes up what was written, and what failed and what was passed over since the last time. Counts it, and makes log
    /// rows of it.
    pub(super) fn take_up(&mut self, applied: Vec<Applied>) {
        for applied in &applied {
            self.ctx.metrics.change(applied.object, applied.outcome());
            self.since.applied(applied);
        }
        let mut entries = written(&applied);
        for failure in self.run.failures.iter().skip(self.failures) {
            self.ctx.metrics.change(failure.object, metrics::Deed::Failed);
            self.since.failure(failure);
            entries.push(failed(failure));
        }
        for skip in self.run.skips.iter().skip(self.skips) {
            self.ctx.metrics.change(skip.object, metrics::Deed::Skipped);
            self.since.skip(skip);
            entries.push(skipped(skip));
        }
        (self.failures, self.skips) = (self.run.failures.len(), self.run.skips.len());
        self.run.applied.extend(applied);
        entries.iter().for_each(|entry| self.push(entry));
    }

    /// Takes what was done since the last note, as the next one.
    pub(super) fn take_note(&mut self, organization: bool, aggregates: Vec<AggregateProgress>) -> Note {
        let (last, now) = (self.noted, self.spent());
        self.noted = now;
        Note {
            organization,
            aggregates,
            arin_requests: now.arin - last.arin,
            listing_requests: now.listing - last.listing,
            spared: now.spared - last.spared,
            netbox_requests: now.netbox - last.netbox,
            took: now.at.duration_since(last.at),
            ..mem::take(&mut self.since)
        }
    }

    fn push(&mut self, entry: &Entry) {
        let key = format!("{}:{}", self.key, self.rows);
        self.rows += 1;
        self.pending.push(Draft { body: self.body(&key, entry), key });
    }

    /// Takes the log rows that are not in NetBox yet.
    pub(super) fn take_pending(&mut self) -> Vec<Draft> {
        mem::take(&mut self.pending)
    }

    /// Writes log rows. They are a courtesy: that some could not be written is told in the process's own log, and the run
    /// goes on.
    pub(super) async fn write_log(&self, rows: Vec<Draft>) {
        if rows.is_empty() {
            return;
        }
        let results = self.ctx.netbox.writer(schema::SYNC_LOG, &change_message(&self.run.id)).create(rows).await;
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
        let mut body = body.as_object().cloned().unwrap_or_default();
        if !entry.details.is_empty() {
            // As a list of Markdown, which is how NetBox shows it.
            let lines: Vec<String> = entry.details.iter().map(|handle| format!("{DETAIL}{handle}")).collect();
            body.insert("details".to_owned(), lines.join("\n").into());
        }
        body
    }

    /// Takes up how the run ended, and adds up what it came to.
    pub(super) fn end(&mut self, ended: Result<(), Ended>) {
        self.run.ended = ended.err();
        self.take_up(Vec::new());
        let written = self.run.applied.iter().map(Applied::counted);
        let written: Objects = written.chain(self.run.before.written.iter().cloned()).collect();
        let mut unchanged = mem::take(&mut self.unchanged);
        unchanged.extend(self.run.before.unchanged.iter().cloned());
        self.run.unchanged = unchanged.difference(&written).cloned().collect();
        let (begun, now, before) = (self.begun, self.spent(), &self.run.before);
        self.run.took = before.took.saturating_add(now.at.duration_since(begun.at));
        self.run.arin_requests = before.arin_requests + now.arin;
        self.run.listing_requests = before.listing_requests + now.listing;
        self.run.spared = before.spared + now.spared;
        self.ctx.metrics.spared(now.spared);
        self.run.netbox_requests = before.netbox_requests + now.netbox - begun.netbox;
    }

    /// Writes the log rows so far of a run that somebody will take up again.
    pub(super) async fn interrupt(&mut self) {
        let rows = self.take_pending();
        self.write_log(rows).await;
    }

    /// Reports the end of the run: unchanged objects if they are wanted, the summary row, and, when it was about all of a
    /// config, the config's result. A run about a part says nothing about when the whole was last looked at. Old log rows are
    /// removed by the syncs of whole configs, so that a webhook costs no request for it.
    pub(super) async fn finish(&mut self, request: &Request<'_>) {
        self.ctx.progress.update(|at| at.phase = Phase::Report);
        // A run that wrote nothing, as a plan was not what was approved, says nothing about the objects or the config.
        let differs = self.run.difference().is_some();
        if differs {
            self.pending.clear();
        } else if self.ctx.settings.sync.sync_log == SyncLog::All {
            let unchanged = self.run.unchanged.iter().filter(|(object, _)| *object != ObjectType::Address);
            let entries: Vec<Entry> = unchanged.map(unchanged_entry).collect();
            entries.iter().for_each(|entry| self.push(entry));
        }
        let sent = self.ctx.netbox.requests();
        let looked = if differs { None } else { self.leave_looks(request).await };
        if request.is_whole()
            && !differs
            && let Err(why) = settle_config(self.ctx, &self.run, (request, looked)).await
        {
            self.run.unrecorded = Some(format!("its result could not be recorded with the RIR config: {why}"));
            self.ctx.metrics.unrecorded();
        }
        let verdict = self.run.verdict();
        self.push(&summary(&self.run, verdict));
        let whole = request.scope == Scope::Config && !differs;
        let rows = self.take_pending();
        let record = self.write_log(rows);
        let prune = async {
            if whole {
                prune(self.ctx, self.run.config_id, &self.run.id).await;
            }
        };
        tokio::join!(record, prune);
        self.run.netbox_requests += self.ctx.netbox.requests() - sent;
        tell(&self.run, verdict);
    }
}

impl Report<'_> {
    /// Records what the run leaves behind. Returns the time as of which all aggregates of the config were looked at, if
    /// that is what the run did and all of it is recorded.
    async fn leave_looks(&mut self, request: &Request<'_>) -> Option<Timestamp> {
        if !request.resources.contains(&Resource::Networks) {
            return None;
        }
        let left = match self.left.take() {
            Some(left) => left,
            None => self.nothing_asked(request).await?,
        };
        let config = (self.run.config_id, self.run.config.as_str());
        let (writes, message) = (self.looking.writes(&left, config), change_message(&self.run.id));
        let refusals = if writes.is_empty() { Vec::new() } else { self.ctx.netbox.write_looks(writes, &message).await };
        if let Some(first) = refusals.first() {
            warn!(rows = refusals.len(), error = %error_chain(first), "could not record how completely ARIN was asked");
            self.remark(&format!("How completely ARIN was asked could not be recorded: {}.", error_chain(first)));
            return None;
        }
        let looked = Some(self.run.started).filter(|_| left.all && self.looking.rows.is_some())?;
        if !request.is_whole() {
            // Nothing else is recorded with the config.
            let body = Map::from_iter([("looked".to_owned(), json!(looked))]);
            let patch = Patch { id: self.run.config_id, key: self.run.config.clone(), body };
            let results = self.ctx.netbox.writer(schema::CONFIG, &message).update(vec![patch]).await;
            if let Some(Err(refusal)) = results.into_iter().next() {
                self.remark(&format!("When ARIN was asked could not be recorded: {}.", error_chain(&refusal)));
            }
        }
        Some(looked)
    }

    /// Returns what a run leaves behind that could not ask anything: the looks that hold no longer.
    async fn nothing_asked(&mut self, request: &Request<'_>) -> Option<Left> {
        let why = self.run.reason()?.to_owned();
        if self.looking.rows.is_none() {
            match self.ctx.netbox.look_rows().await {
                Ok(rows) => self.looking.rows = Some(rows),
                Err(error) => {
                    debug!(error = %error_chain(&error), "could not read how completely ARIN was asked before");
                    return None;
                }
            }
        }
        let rows = self.looking.rows.as_ref()?;
        let wanted = |look: &&Look| match &request.scope {
            Scope::Config => look.config == self.run.config_id,
            Scope::Aggregate(id) => look.config == self.run.config_id && look.aggregate == *id,
            Scope::Prefixes(_) => false,
        };
        let looks = rows.looks.values().map(|row| &row.look).filter(wanted);
        Some(Left {
            looks: looks.filter_map(|look| Some((looks::next::failed(look, &why)?, None))).collect(),
            ..Left::default()
        })
    }
}

/// Returns the line of NetBox's change log for a row that a run wrote.
pub(super) fn change_message(run: &str) -> String {
    format!("rir-sidecar sync {run}")
}

/// Returns the rows about what was written in one round: for each type one about all that were created, and one about each
/// other object. An address is written with its object, and has none unless it failed.
fn written(applied: &[Applied]) -> Vec<Entry> {
    let (mut entries, mut created) = (Vec::new(), BTreeMap::<ObjectType, Vec<&Applied>>::new());
    for applied in applied.iter().filter(|applied| applied.object != ObjectType::Address || applied.result.is_err()) {
        match (&applied.deed, &applied.result) {
            (Deed::Create, Ok(_)) => created.entry(applied.object).or_default().push(applied),
            (Deed::Create | Deed::Update(_) | Deed::Retire, _) => entries.push(entry(applied)),
        }
    }
    let created = created.into_iter().map(|(object, applied)| match applied.as_slice() {
        [one] => entry(one),
        several => Entry {
            operation: "create",
            object: Some(object),
            handle: String::new(),
            status: "success",
            message: format!("{} {object}s created", several.len()),
            details: several.iter().map(|applied| applied.handle.clone()).collect(),
        },
    });
    created.chain(entries).collect()
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
    Entry::about(applied.object, &applied.handle, operation).ended(status, message)
}

fn failed(Failure { object, handle, message, .. }: &Failure) -> Entry {
    Entry::about(*object, handle, "sync").ended("error", message)
}

fn skipped(Skip { object, handle, message }: &Skip) -> Entry {
    Entry::about(*object, handle, "sync").ended("skipped", message)
}

fn unchanged_entry((object, handle): &(ObjectType, String)) -> Entry {
    Entry::about(*object, handle, "sync").ended("success", "unchanged")
}

fn summary(run: &SyncRun, verdict: Verdict) -> Entry {
    let status = match verdict {
        Verdict::Unchanged | Verdict::Changed => "success",
        Verdict::Partial | Verdict::Refused | Verdict::Failed => "error",
        Verdict::Interrupted => "skipped",
    };
    let message = sentence(run, verdict);
    Entry { operation: "sync", object: None, handle: String::new(), status, message, details: Vec::new() }
}

/// A run in a few sentences, for people.
pub(super) fn sentence(run: &SyncRun, verdict: Verdict) -> String {
    let why = match &run.ended {
        Some(Ended::Failed { why, .. } | Ended::Refused(why) | Ended::PlanDiffers { why, .. }) => {
            format!("{verdict}: {why}. ")
        }
        Some(Ended::Interrupted) => format!("{verdict}: the next run goes on from here. "),
        None => match &run.unrecorded {
            Some(why) => format!("{verdict}: {why}. "),
            None => format!("{verdict}: "),
        },
    };
    let mut user = run.user.as_ref().map_or_else(String::new, |user| format!(" API key of {user}."));
    if let Some(remark) = &run.remark {
        user = format!("{user} {remark}");
    }
    format!(
        "{why}{}. {} requests to ARIN{}, {} to NetBox, {:.1} s.{user}{}",
        totals(&run.counts()),
        run.arin_requests,
        spared(run.listing_requests, run.spared),
        run.netbox_requests,
        run.took.as_secs_f64(),
        in_full(&run.in_full),
    )
}

/// Tells what ARIN's public listing was asked and what that spared; nothing where it was not used.
pub(super) fn spared(listing_requests: u64, spared: u64) -> String {
    match (listing_requests, spared) {
        (0, 0) => String::new(),
        (asked, spared) => format!(" and {asked} to its listing, which spared {spared}"),
    }
}

/// Tells which aggregates had to be asked for in full, and why the first one.
fn in_full(all: &[InFull]) -> String {
    let Some(InFull { aggregate, why }) = all.first() else { return String::new() };
    let more = match all.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(" {aggregate}{more} asked for in full: {why}.")
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

/// Records the result with the config. Returns the reason for which NetBox did not take it.
async fn settle_config(
    ctx: &Context,
    run: &SyncRun,
    (request, looked): (&Request<'_>, Option<Timestamp>),
) -> Result<(), String> {
    let (now, verdict) = (Timestamp::now(), run.verdict());
    let body = json!({ "last_sync": now.to_string(), "last_result": verdict.code() });
    let mut body = body.as_object().cloned().unwrap_or_default();
    body.extend(looked.map(|looked| ("looked".to_owned(), json!(looked))));
    let waited = request.config.refreshed.map(|at| run.started.duration_since(at).unsigned_abs());
    if run.asked_everything() && counts_as_refresh(run.may_pass().is_some(), waited, ctx.settings.arin.refresh) {
        // An object whose turn comes while the run is under way is asked for by the next one.
        body.insert("refreshed".to_owned(), run.started.to_string().into());
    }
    let patch = Patch { id: run.config_id, key: run.config.clone(), body };
    let results = ctx.netbox.writer(schema::CONFIG, &change_message(&run.id)).update(vec![patch]).await;
    results.into_iter().collect::<Result<Vec<()>, _>>().map_err(|refusal| error_chain(&refusal))?;
    if verdict.is_success() {
        ctx.metrics.succeeded(&run.config, now);
    }
    Ok(())
}

/// Returns whether the objects whose turn has come since somebody `waited` for them have had it. Where one failed in a way
/// that may pass, all have it again in the next run; one that goes on to fail for a third of the period is not waited for, as
/// more and more others would be asked for each time.
fn counts_as_refresh(some_may_pass: bool, waited: Option<Duration>, period: Duration) -> bool {
    !some_may_pass || waited.is_none_or(|waited| waited > period / 3)
}

/// Removes log rows of a config that are older than the retention.
async fn prune(ctx: &Context, config: RowId, run: &str) {
    let retention = ctx.settings.sync.log_retention;
    if retention.is_zero() {
        return;
    }
    // NetBox has dated the rows. By a clock here that is ahead of it, rows of today would be too old.
    let Some(now) = ctx.netbox.clock() else {
        warn!("NetBox does not tell the time, so that no old rows of the sync log are removed");
        return;
    };
    let Ok(before) = now.checked_sub(retention) else { return };
    if let Err(error) = ctx.netbox.prune_log(config, before, &change_message(run)).await {
        warn!(error = %error_chain(&error), "could not remove old rows of the sync log");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Key, sync::outcome::NotTaken};

    #[test]
    fn whose_turn_came_and_failed_has_it_again_but_not_for_ever() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let counts = |may_pass, waited: Option<u64>| counts_as_refresh(may_pass, waited.map(hours), hours(6));
        assert_eq!([counts(false, Some(1)), counts(true, Some(1)), counts(true, Some(2))], [true, false, false]);
        assert_eq!([counts(true, Some(3)), counts(true, None)], [true, true]);
    }

    fn applied(object: ObjectType, handle: &str, deed: Deed, taken: bool) -> Applied {
        let refused = NotTaken { message: "no".to_owned(), may_pass: false };
        let result = if taken { Ok(RowId(1)) } else { Err(refused) };
        Applied { object, key: Key::recorded(handle), handle: handle.to_owned(), deed, result }
    }

    #[test]
    fn what_is_created_together_is_told_together_and_all_else_alone() {
        let create = |object, handle: &str| applied(object, handle, Deed::Create, true);
        let written = written(&[
            create(ObjectType::Address, "Main Street"),
            create(ObjectType::Network, "NET-1"),
            applied(ObjectType::Network, "NET-2", Deed::Create, false),
            create(ObjectType::Network, "NET-3"),
            applied(ObjectType::Network, "NET-4", Deed::Update(vec!["name"]), true),
            applied(ObjectType::Network, "NET-5", Deed::Retire, true),
            create(ObjectType::Customer, "C1"),
        ]);
        let told = |entry: &Entry| {
            let Entry { operation, handle, status, message, details, .. } = entry;
            format!("{operation} {handle:5} {status}: {message} {details:?}")
        };
        insta::assert_snapshot!(written.iter().map(told).collect::<Vec<_>>().join("\n"), @r#"
        create       success: 2 networks created ["NET-1", "NET-3"]
        create C1    success: created []
        create NET-2 error: no []
        update NET-4 success: changed name []
        update NET-5 success: ARIN does not have it any more; status is now not-found []
        "#);
    }
}
