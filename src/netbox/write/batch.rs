//! Drives one batch until every row of it has an outcome.
//!
//! NetBox writes an array as a whole or not at all, so a batch is sent again with fewer rows until the rest goes
//! through:
//!
//! | answer | then |
//! |---|---|
//! | 2xx without a field that was sent | those rows are written once more: a worker has an older form of the type |
//! | 500 of such a worker | sent again, after the types were renewed if the user may do that |
//! | 400, rows named | those are refused, the others sent again; a new row whose key is taken is updated instead |
//! | 400, links of a row named | it is sent again without them: what they lead to was deleted |
//! | 500 of a duplicate, or 4xx without names | rows whose keys turn out to exist are updated instead; else halves |
//! | 500 of another kind | three rows are sent alone: if all fail alike, nothing more is sent; else halves |
//! | one row, 500 | its key is asked for: the row that has it is updated instead, else it is refused |
//! | 500 of NetBox's database, as in maintenance mode | nothing more is sent |
//! | 403 | if the user may write no such rows, nothing more is sent; else halves, and one row is refused |
//! | none, or a gateway's | new rows that are not found by key are sent again, others always |
//! | 429, or no connection so that nothing was sent | sent again later |
//! | 405 for an array, or an array taken for a bad row (plugin before 0.7) | single rows from now on |
//! | 401, 404 | nothing more is sent |
//!
//! After no answer a batch may have been written. The unique key keeps a late first write from making twins, and an
//! update or a deletion does no harm twice. A key is looked for among the newest rows with one request, as NetBox needs
//! a tenth of a second for any. That may miss an old row, which then shows up as a duplicate and is looked for by an
//! exact filter.
//!
//! A row that was written without a field, and could not be written once more, loses its digest, an address its key: they
//! say that the row is as it should be, and the next run would pass over it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    judge::{Reason, Verdict, Written, judge},
    writer::{Action, Created, Refusal, RowToWrite, Settled, Writer},
};
use crate::{
    error_chain::error_chain,
    model::RowId,
    netbox::{
        change_requests::holds,
        client::objects_path,
        error::{Error, ErrorKind},
        permission::Permission,
        row::{Row, id_of},
        schema::document::ADDRESS,
        transport::Reply,
    },
    outbound::{AnswerLost, NoAnswer},
    retry::{Policy, Retry},
};

/// Limits how often a batch is sent again that came too early, or of which nobody knows what became of it.
const RESENDS: Policy = Policy { count: 3, backoff: std::time::Duration::from_secs(1) };
/// Limits how often a batch is sent again that came to a worker with an older form of the type. Each time it may come to
/// another one: with two workers, one of which is out of date, one of 1,000 batches meets that one each time.
const OTHER_WORKERS: Policy = Policy { count: 9, backoff: std::time::Duration::from_millis(100) };
/// Rows that have to fail alone and alike, and none be written meanwhile, before it is NetBox that fails and not the rows.
const ALIKE: usize = 3;
/// The field that says that a row is as it should be.
const DIGEST: &str = "digest";

/// Rows to send together.
#[derive(Debug)]
pub(super) struct Batch {
    action: Action,
    entries: Vec<RowToWrite>,
    /// Number of times it was sent before without an answer.
    tries: u32,
    /// The reason for sending it again.
    lost: Option<Arc<Error>>,
    /// Says that its keys were looked for after a duplicate.
    looked_for: bool,
    /// Says that rows of it were sent alone after NetBox failed over it.
    probed: bool,
    /// Number of times it came to a worker with an older form of the type.
    stale: u32,
}

/// One call of a [`Writer`]: all its batches, some of them at once.
pub(super) struct Delivery<'a> {
    pub(super) writer: Writer<'a>,
    /// The error that ended it early.
    hopeless: OnceLock<Arc<Error>>,
    /// Says that a batch was sent to other workers in vain.
    stale: AtomicBool,
    /// Rows that NetBox failed over alone since one was last written, by what it said.
    alike: Mutex<BTreeMap<String, BTreeSet<usize>>>,
    /// Rows that were written without a field that was sent, and what makes the next run write them again.
    lossy: Mutex<BTreeMap<usize, (RowId, Row)>>,
    /// Whether the user may write any such rows, once that was asked.
    may: OnceCell<bool>,
}

/// The result of sending a batch: rows with outcomes, and batches to send next.
#[derive(Default)]
struct Step {
    settled: Vec<Settled>,
    next: Vec<Batch>,
}

impl Batch {
    pub(super) fn new(action: Action, entries: Vec<RowToWrite>) -> Self {
        Self { action, entries, tries: 0, lost: None, looked_for: false, probed: false, stale: 0 }
    }

    /// Makes a batch of other rows in the same circumstances.
    fn with(&self, entries: Vec<RowToWrite>) -> Self {
        Self { entries, lost: self.lost.clone(), ..*self }
    }

    fn halves(mut self) -> Step {
        let second = self.entries.split_off(self.entries.len().div_ceil(2));
        let second = self.with(second);
        Step::then([second, self])
    }

    fn singles(self) -> Step {
        Step::then(self.entries.iter().rev().map(|entry| self.with(vec![entry.clone()])))
    }

    /// Puts three rows before the others, to be sent alone.
    fn probes(mut self) -> Step {
        self.probed = true;
        let last = self.entries.len().saturating_sub(1);
        let (mut alone, mut others) = (Vec::new(), Vec::new());
        for (position, entry) in self.entries.iter().cloned().enumerate() {
            if [0, last / 2, last].contains(&position) { alone.push(entry) } else { others.push(entry) }
        }
        let probes = alone.into_iter().map(|entry| self.with(vec![entry]));
        Step::then([self.with(others)].into_iter().chain(probes.rev()))
    }

    fn refused(self, refusal: &Refusal) -> Step {
        let settled = self.entries.into_iter().map(|entry| (entry.place, Err(refusal.clone()))).collect();
        Step { settled, next: Vec::new() }
    }
}

impl Step {
    fn then(batches: impl IntoIterator<Item = Batch>) -> Self {
        let next = batches.into_iter().filter(|batch| !batch.entries.is_empty()).collect();
        Self { settled: Vec::new(), next }
    }
}

impl<'a> Delivery<'a> {
    pub(super) fn new(writer: Writer<'a>) -> Self {
        Self {
            writer,
            hopeless: OnceLock::new(),
            stale: AtomicBool::new(false),
            alike: Mutex::default(),
            lossy: Mutex::default(),
            may: OnceCell::new(),
        }
    }

    /// Sends a batch, and what is left of it, until nothing is.
    pub(super) async fn settle(&self, batch: Batch) -> Vec<Settled> {
        let mut pending = vec![batch];
        let mut settled = Vec::new();
        while let Some(batch) = pending.pop() {
            let step = self.step(batch).await;
            if let Some(progress) = self.writer.progress {
                progress(step.settled.len());
            }
            settled.extend(step.settled);
            pending.extend(step.next);
        }
        let failed: Vec<usize> =
            settled.iter().filter(|(_, outcome)| outcome.is_err()).map(|(place, _)| *place).collect();
        self.disown(&failed).await;
        settled
    }

    /// Takes from those of these rows that are not whole what says that they are.
    async fn disown(&self, places: &[usize]) {
        let entry = |place: &usize| {
            let (id, body) = locked(&self.lossy).remove(place)?;
            Some(RowToWrite { place: *place, id: Some(id), key: String::new(), body, adopted: false })
        };
        let entries: Vec<RowToWrite> = places.iter().filter_map(entry).collect();
        let together = if self.writer.client.takes_arrays() { entries.len().max(1) } else { 1 };
        for some in entries.chunks(together) {
            let answer = self.send(&Batch::new(Action::Update, some.to_vec())).await;
            if let Err(error) = answer.and_then(Reply::found) {
                tracing::warn!(
                    error = %error_chain(&error), rows = some.len(), "rows lack a field, and the next run will not notice"
                );
            }
        }
    }

    async fn step(&self, batch: Batch) -> Step {
        let renewals = *self.writer.client.renewals.lock().await;
        // The semaphore is never closed, so there always is a permit.
        let permit = self.writer.client.write_permits.acquire().await;
        if let Some(refusal) = self.ended(&batch) {
            return batch.refused(&refusal);
        }
        if batch.entries.len() > 1 && !self.writer.client.takes_arrays() {
            return batch.singles();
        }
        let reply = self.send(&batch).await;
        drop(permit);
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => return self.unanswered(batch, error).await,
        };
        match judge(batch.action, &batch.entries, reply.status, &reply.json()) {
            Verdict::Done(written) => self.done(batch, written, &reply, renewals).await,
            Verdict::Named(reasons) => self.named(batch, &reasons).await,
            Verdict::Nameless => self.nameless(batch, reply.into_error()).await,
            Verdict::Failed => self.failed(batch, reply.into_error()).await,
            Verdict::Stale => self.stale(batch, reply.into_error(), renewals).await,
            Verdict::Forbidden => self.forbidden(batch, reply.into_error()).await,
            Verdict::Unknown => self.unknown(batch, reply.into_error()).await,
            Verdict::Throttled => self.later(batch, reply.into_error()).await,
            Verdict::NoArrays => {
                tracing::info!(
                    "this version of the Custom Objects plugin takes single rows only; writing will be slower"
                );
                self.writer.client.takes_no_arrays();
                batch.singles()
            }
            Verdict::Hopeless => self.hopeless(batch, reply.into_error()),
        }
    }

    /// Goes on without an answer. Only what certainly was not sent, now and before, is not written.
    async fn unanswered(&self, batch: Batch, error: Error) -> Step {
        let too_large = matches!(error.kind, ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::TooLarge(_))));
        if too_large && batch.action != Action::Create {
            // The next answer would be as large.
            batch.refused(&Refusal::Unknown(Arc::new(error)))
        } else if batch.lost.is_none() && matches!(error.kind, ErrorKind::NoAnswer(NoAnswer::NotSent(_))) {
            self.later(batch, error).await
        } else {
            self.unknown(batch, error).await
        }
    }

    /// Returns the reason for not sending the batch at all.
    fn ended(&self, batch: &Batch) -> Option<Refusal> {
        let unknown = batch.lost.clone().filter(|_| batch.action != Action::Create).map(Refusal::Unknown);
        if let Some(error) = self.hopeless.get() {
            return Some(unknown.unwrap_or_else(|| Refusal::GivenUp(error.clone())));
        }
        let stopped = self.writer.stop.is_some_and(tokio_util::sync::CancellationToken::is_cancelled);
        stopped.then(|| unknown.unwrap_or(Refusal::NotSent))
    }

    async fn send(&self, batch: &Batch) -> Result<Reply, Error> {
        let list = objects_path(self.writer.slug);
        let method = match batch.action {
            Action::Create => Method::POST,
            Action::Update => Method::PATCH,
            Action::Delete => Method::DELETE,
        };
        let (path, body) = match batch.entries.as_slice() {
            [entry] => (entry.id.map_or(list.clone(), |id| format!("{list}{id}/")), self.body(entry, false)),
            entries => (list, entries.iter().map(|entry| self.body(entry, true)).collect()),
        };
        self.writer.client.transport.send(method, &path, &body).await
    }

    fn body(&self, entry: &RowToWrite, in_array: bool) -> Value {
        let mut body = entry.body.clone();
        body.insert("changelog_message".to_owned(), self.writer.message.into());
        if let Some(id) = entry.id.filter(|_| in_array) {
            body.insert("id".to_owned(), id.0.into());
        }
        Value::Object(body)
    }

    /// Takes up what was written, and has it written once more where NetBox's answer lacks a field that was sent.
    async fn done(&self, batch: Batch, written: Vec<Written>, reply: &Reply, renewals: u64) -> Step {
        locked(&self.alike).clear();
        if batch.action == Action::Delete {
            let settled = batch.entries.iter().map(|entry| ok(entry, None)).collect();
            return Step { settled, next: Vec::new() };
        }
        let (mut settled, mut lossy, mut fields) = (Vec::new(), Vec::new(), None);
        for (entry, Written { id, lost }) in batch.entries.iter().zip(written) {
            if lost.is_some() {
                if let Some(body) = disowned(self.writer.slug, entry, id) {
                    locked(&self.lossy).insert(entry.place, (id, body));
                }
                lossy.push(RowToWrite { id: Some(id), ..entry.clone() });
                fields = lost;
            } else {
                settled.push(ok(entry, Some(id)));
            }
        }
        let Some(fields) = fields else { return Step { settled, next: Vec::new() } };
        let error = reply.failed_with(ErrorKind::StaleType(format!("it left out {fields}")));
        let again = Batch { action: Action::Update, ..batch.with(lossy) };
        let Step { settled: given_up, next } = self.stale(again, error, renewals).await;
        settled.extend(given_up);
        Step { settled, next }
    }

    /// Sends it again, to another worker or to one that knows the type anew.
    async fn stale(&self, mut batch: Batch, error: Error, renewals: u64) -> Step {
        let error = Arc::new(error);
        if batch.stale >= OTHER_WORKERS.count || self.stale.load(Ordering::Relaxed) {
            self.stale.store(true, Ordering::Relaxed);
            return batch.refused(&Refusal::Stale(error));
        }
        if batch.stale == 0 {
            tracing::warn!(error = %error_chain(&*error), "a worker of NetBox has an older form of a type");
        }
        self.writer.client.renew_types(renewals).await;
        tokio::time::sleep(OTHER_WORKERS.jittered(batch.stale)).await;
        batch.stale += 1;
        Step::then([batch])
    }

    async fn named(&self, batch: Batch, reasons: &BTreeMap<usize, Reason>) -> Step {
        let (mut settled, mut others) = (Vec::new(), Vec::new());
        let (mut twins, mut holders) = (Vec::new(), BTreeMap::new());
        for (position, entry) in batch.entries.iter().enumerate() {
            let Some(reason) = reasons.get(&position) else {
                others.push(entry.clone());
                continue;
            };
            if batch.action == Action::Delete && self.is_gone(entry).await {
                settled.push(ok(entry, None));
            } else if let Some(unlinked) = self.unlinked(entry, reason) {
                tracing::warn!(key = entry.key, reason = reason.text, "a row is written without what it was to link");
                others.push(unlinked);
            } else if let Some(id) = self.holder(&batch, entry, reason).await {
                holders.insert(entry.key.clone(), id);
                twins.push(entry.clone());
            } else {
                settled.push((entry.place, Err(Refusal::Rejected { reason: reason.text.clone() })));
            }
        }
        let Step { settled: left, mut next } = self.adopt(batch.with(twins), &holders, true).await;
        settled.extend(left);
        next.extend(Step::then([batch.with(others)]).next);
        Step { settled, next }
    }

    /// Returns the row without the links that NetBox refuses, if it refuses nothing else.
    fn unlinked(&self, entry: &RowToWrite, reason: &Reason) -> Option<RowToWrite> {
        let mut unlinked = entry.clone();
        unlinked.body.retain(|name, _| !reason.fields.contains(name));
        (reason.is_only_about(self.writer.links) && unlinked.body.len() < entry.body.len()).then_some(unlinked)
    }

    /// Returns the row that has the key of a new one, if that may be why it was refused.
    async fn holder(&self, batch: &Batch, entry: &RowToWrite, reason: &Reason) -> Option<RowId> {
        if batch.action != Action::Create || !reason.may_be_taken() {
            return None;
        }
        // If it cannot be found out, the row is refused for the reason that NetBox gave.
        self.exactly(&batch.with(vec![entry.clone()])).await.ok()?.remove(&entry.key)
    }

    /// Finds out whether the caller may write no such rows at all. If so no other row would fare better.
    async fn forbidden(&self, batch: Batch, error: Error) -> Step {
        if batch.stale > 0 && batch.action == Action::Update {
            // Whoever may only add rows cannot write one once more.
            return batch.refused(&Refusal::Stale(Arc::new(error)));
        }
        let permission = match batch.action {
            Action::Create => Permission::Add,
            Action::Update => Permission::Change,
            Action::Delete => Permission::Delete,
        };
        let path = objects_path(self.writer.slug);
        match self.may.get_or_try_init(|| self.writer.client.may(&path, permission)).await {
            Ok(true) if batch.entries.len() > 1 => batch.halves(),
            Ok(true) => batch.refused(&Refusal::Forbidden(Arc::new(error))),
            Ok(false) | Err(_) => self.hopeless(batch, error),
        }
    }

    /// Finds out whether NetBox fails over one row or over any.
    async fn failed(&self, batch: Batch, error: Error) -> Step {
        let [entry] = batch.entries.as_slice() else {
            return if batch.probed { self.nameless(batch, error).await } else { batch.probes() };
        };
        let alike = {
            let mut alike = locked(&self.alike);
            let rows = alike.entry(error.kind.to_string()).or_default();
            rows.insert(entry.place);
            rows.len()
        };
        if alike >= ALIKE { self.hopeless(batch, error) } else { self.nameless(batch, error).await }
    }

    async fn is_gone(&self, entry: &RowToWrite) -> bool {
        let Some(id) = entry.id else { return false };
        matches!(self.writer.client.get(&format!("{}{id}/", objects_path(self.writer.slug))).await, Ok(None))
    }

    async fn nameless(&self, mut batch: Batch, error: Error) -> Step {
        let alone = batch.entries.len() == 1;
        if batch.action == Action::Create && (alone || !batch.looked_for) {
            let found = if alone { self.exactly(&batch).await } else { self.among_newest(&batch).await };
            match found {
                Err(error) => return self.hopeless(batch, error),
                Ok(found) if !found.is_empty() => return self.adopt(batch, &found, true).await,
                Ok(_) => batch.looked_for = true,
            }
        }
        if alone { batch.refused(&Refusal::Failed(Arc::new(error))) } else { batch.halves() }
    }

    async fn unknown(&self, mut batch: Batch, error: Error) -> Step {
        let error = Arc::new(error);
        let rows = batch.entries.len();
        tracing::warn!(error = %error_chain(&*error), rows, "an answer to a write was lost");
        if batch.tries >= RESENDS.count {
            let _ = self.hopeless.set(error.clone());
            return batch.refused(&Refusal::Unknown(error));
        }
        tokio::time::sleep(RESENDS.jittered(batch.tries)).await;
        batch.tries += 1;
        batch.lost = Some(error.clone());
        if batch.action != Action::Create {
            return self.smaller(batch);
        }
        match self.among_newest(&batch).await {
            Ok(found) if found.is_empty() => self.smaller(batch),
            Ok(found) => self.adopt(batch, &found, false).await,
            Err(unreadable) => {
                let _ = self.hopeless.set(Arc::new(unreadable));
                batch.refused(&Refusal::Unknown(error))
            }
        }
    }

    /// Sends the same again, in two parts in case it was too much for the time a request may take.
    fn smaller(&self, batch: Batch) -> Step {
        if batch.entries.len() == 1 { Step::then([batch]) } else { batch.halves() }
    }

    async fn later(&self, mut batch: Batch, error: Error) -> Step {
        if batch.tries >= RESENDS.count {
            return self.hopeless(batch, error);
        }
        let wait = match error.retry() {
            Retry::After(wait) => wait.min(RESENDS.backoff * 30),
            Retry::Backoff | Retry::Never => RESENDS.jittered(batch.tries),
        };
        tokio::time::sleep(wait).await;
        batch.tries += 1;
        Step::then([batch])
    }

    fn hopeless(&self, batch: Batch, error: Error) -> Step {
        let error = Arc::new(error);
        let _ = self.hopeless.set(error.clone());
        batch.refused(&Refusal::GivenUp(error))
    }

    /// Turns the rows that exist into updates, which leave their links alone.
    async fn adopt(&self, batch: Batch, found: &BTreeMap<String, RowId>, adopted: bool) -> Step {
        if self.writer.leaves_others {
            return self.leave(batch, found).await;
        }
        let mut updates = Batch::new(Action::Update, Vec::new());
        let mut others = Vec::new();
        for mut entry in batch.entries.iter().cloned() {
            let Some(id) = found.get(&entry.key) else {
                others.push(entry);
                continue;
            };
            entry.body.retain(|name, _| name != "key" && !self.writer.links.contains(&name.as_str()));
            updates.entries.push(RowToWrite { id: Some(*id), adopted, ..entry });
        }
        let others = Batch { looked_for: batch.looked_for || adopted, ..batch.with(others) };
        Step::then([others, updates])
    }

    /// Leaves the rows that exist as they are. One that is exactly as it was sent is ours: its answer was lost.
    async fn leave(&self, batch: Batch, found: &BTreeMap<String, RowId>) -> Step {
        let (mut settled, mut others) = (Vec::new(), Vec::new());
        for entry in batch.entries.iter().cloned() {
            let Some(id) = found.get(&entry.key) else {
                others.push(entry);
                continue;
            };
            let path = format!("{}{id}/", objects_path(self.writer.slug));
            let ours = batch.lost.is_some()
                && match self.writer.client.get(&path).await {
                    Ok(row) => row.is_some_and(|row| holds(&row, &entry.body)),
                    Err(error) => {
                        settled.push((entry.place, Err(Refusal::Unknown(Arc::new(error)))));
                        continue;
                    }
                };
            settled.push(if ours { ok(&entry, Some(*id)) } else { (entry.place, Err(Refusal::Taken(*id))) });
        }
        Step { settled, next: Step::then([batch.with(others)]).next }
    }

    async fn among_newest(&self, batch: &Batch) -> Result<BTreeMap<String, RowId>, Error> {
        let path = objects_path(self.writer.slug);
        let client = self.writer.client;
        let rows = client.newest(&path, &[("fields", "id,key")], client.page_size as usize).await?;
        Ok(matching(batch, &rows))
    }

    /// Asks for the one key. The filter is not trusted: a row counts only if it has that key, and when there are more
    /// rows than came along, the filter did not filter.
    async fn exactly(&self, batch: &Batch) -> Result<BTreeMap<String, RowId>, Error> {
        let path = objects_path(self.writer.slug);
        let key = batch.entries.first().map(|entry| entry.key.as_str()).unwrap_or_default();
        let (rows, complete) = self.writer.client.some(&path, &[("fields", "id,key"), ("key", key)]).await?;
        let found = matching(batch, &rows);
        if found.is_empty() && !complete {
            return Err(Error::reading(path, ErrorKind::FilterIgnored));
        }
        Ok(found)
    }
}

/// Returns what has the next run write a row again: without its digest it differs from what it should be. The key of an
/// address stands for its content, and with another one it is another address.
fn disowned(slug: &str, entry: &RowToWrite, id: RowId) -> Option<Row> {
    let (name, value) = if entry.body.contains_key(DIGEST) {
        (DIGEST, Value::Null)
    } else if slug == ADDRESS {
        ("key", format!("{}:incomplete:{id}", entry.key).into())
    } else {
        return None;
    };
    Some(Row::from_iter([(name.to_owned(), value)]))
}

/// Locks; nothing here can fail while it is held.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn matching(batch: &Batch, rows: &[Row]) -> BTreeMap<String, RowId> {
    let key_and_id = |row: &Row| Some((row.get("key")?.as_str()?.to_owned(), id_of(row)?));
    let known: BTreeMap<String, RowId> = rows.iter().filter_map(key_and_id).collect();
    batch.entries.iter().filter_map(|entry| Some((entry.key.clone(), *known.get(&entry.key)?))).collect()
}

fn ok(entry: &RowToWrite, created: Option<RowId>) -> Settled {
    let id = created.or(entry.id).unwrap_or(RowId(0));
    (entry.place, Ok(Created { id, adopted: entry.adopted }))
}
