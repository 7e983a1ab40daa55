//! Drives one batch until every row of it has an outcome.
//!
//! NetBox writes an array as a whole or not at all, so a batch is sent again with fewer rows until the rest goes
//! through:
//!
//! | answer | then |
//! |---|---|
//! | 400, rows named | those are refused, the others sent again |
//! | 500 (a duplicate), or 4xx without names | rows whose keys turn out to exist are updated instead; else halves |
//! | one row, 500 | its key is asked for: the row that has it is updated instead, else it is refused |
//! | none, or a gateway's | new rows that are not found by key are sent again, others always |
//! | 429, or no connection so that nothing was sent | sent again later |
//! | 405 for an array, or an array taken for a bad row (plugin before 0.7) | single rows from now on |
//! | 401, 403, 404 | nothing more is sent |
//!
//! After no answer a batch may have been written. The unique key keeps a late first write from making twins, and an
//! update or a deletion does no harm twice. A key is looked for among the newest rows with one request, as NetBox needs
//! a tenth of a second for any. That may miss an old row, which then shows up as a duplicate and is looked for by an
//! exact filter.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use reqwest::Method;
use serde_json::Value;

use super::{
    judge::{Verdict, judge},
    writer::{Action, Created, Entry, Refusal, Settled, Writer},
};
use crate::{
    model::RowId,
    netbox::{
        client::objects_path,
        error::{Error, ErrorKind},
        row::{Row, id_of},
        transport::Reply,
    },
    outbound::{AnswerLost, NoAnswer},
    retry::{Policy, Retry},
};

/// Limits how often a batch is sent again that came too early, or of which nobody knows what became of it.
const RESENDS: Policy = Policy { count: 3, backoff: std::time::Duration::from_secs(1) };

/// Rows to send together.
#[derive(Debug)]
pub(super) struct Batch {
    action: Action,
    entries: Vec<Entry>,
    /// Number of times it was sent before without an answer.
    tries: u32,
    /// The reason for sending it again.
    lost: Option<Arc<Error>>,
    /// Says that its keys were looked for after a duplicate.
    looked_for: bool,
}

/// One call of a [`Writer`]: all its batches, some of them at once.
pub(super) struct Delivery<'a> {
    pub(super) writer: Writer<'a>,
    /// The error that ended it early.
    hopeless: OnceLock<Arc<Error>>,
}

/// The result of sending a batch: rows with outcomes, and batches to send next.
#[derive(Default)]
struct Step {
    settled: Vec<Settled>,
    next: Vec<Batch>,
}

impl Batch {
    pub(super) fn new(action: Action, entries: Vec<Entry>) -> Self {
        Self { action, entries, tries: 0, lost: None, looked_for: false }
    }

    /// Makes a batch of other rows in the same circumstances.
    fn with(&self, entries: Vec<Entry>) -> Self {
        Self { action: self.action, entries, tries: self.tries, lost: self.lost.clone(), looked_for: self.looked_for }
    }

    fn halves(mut self) -> Step {
        let second = self.entries.split_off(self.entries.len().div_ceil(2));
        let second = self.with(second);
        Step::then([second, self])
    }

    fn singles(self) -> Step {
        Step::then(self.entries.iter().rev().map(|entry| self.with(vec![entry.clone()])))
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
        Self { writer, hopeless: OnceLock::new() }
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
        settled
    }

    async fn step(&self, batch: Batch) -> Step {
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
            Verdict::Done(ids) => done(batch, &ids),
            Verdict::Named(reasons) => self.named(batch, &reasons).await,
            Verdict::Nameless => self.nameless(batch, reply.into_error()).await,
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

    fn body(&self, entry: &Entry, in_array: bool) -> Value {
        let mut body = entry.body.clone();
        body.insert("changelog_message".to_owned(), self.writer.message.into());
        if let Some(id) = entry.id.filter(|_| in_array) {
            body.insert("id".to_owned(), id.0.into());
        }
        Value::Object(body)
    }

    async fn named(&self, batch: Batch, reasons: &BTreeMap<usize, String>) -> Step {
        let (mut settled, mut others) = (Vec::new(), Vec::new());
        for (position, entry) in batch.entries.iter().enumerate() {
            match reasons.get(&position) {
                None => others.push(entry.clone()),
                Some(_) if batch.action == Action::Delete && self.is_gone(entry).await => settled.push(ok(entry, None)),
                Some(reason) => settled.push((entry.place, Err(Refusal::Rejected { reason: reason.clone() }))),
            }
        }
        Step { settled, ..Step::then([batch.with(others)]) }
    }

    async fn is_gone(&self, entry: &Entry) -> bool {
        let Some(id) = entry.id else { return false };
        matches!(self.writer.client.get(&format!("{}{id}/", objects_path(self.writer.slug))).await, Ok(None))
    }

    async fn nameless(&self, mut batch: Batch, error: Error) -> Step {
        let alone = batch.entries.len() == 1;
        if batch.action == Action::Create && (alone || !batch.looked_for) {
            let found = if alone { self.exactly(&batch).await } else { self.among_newest(&batch).await };
            match found {
                Err(error) => return self.hopeless(batch, error),
                Ok(found) if !found.is_empty() => return self.adopt(batch, &found, true),
                Ok(_) => batch.looked_for = true,
            }
        }
        if alone { batch.refused(&Refusal::Failed(Arc::new(error))) } else { batch.halves() }
    }

    async fn unknown(&self, mut batch: Batch, error: Error) -> Step {
        let error = Arc::new(error);
        let rows = batch.entries.len();
        tracing::warn!(error = &*error as &dyn std::error::Error, rows, "an answer to a write was lost");
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
            Ok(found) => self.adopt(batch, &found, false),
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

    /// Turns the rows that exist into updates, which leave alone what the writer keeps.
    fn adopt(&self, batch: Batch, found: &BTreeMap<String, RowId>, adopted: bool) -> Step {
        let mut updates = Batch::new(Action::Update, Vec::new());
        let mut others = Vec::new();
        for mut entry in batch.entries.iter().cloned() {
            let Some(id) = found.get(&entry.key) else {
                others.push(entry);
                continue;
            };
            entry.body.retain(|name, _| name != "key" && !self.writer.keep.contains(&name.as_str()));
            updates.entries.push(Entry { id: Some(*id), adopted, ..entry });
        }
        let others = Batch { looked_for: batch.looked_for || adopted, ..batch.with(others) };
        Step::then([others, updates])
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

fn matching(batch: &Batch, rows: &[Row]) -> BTreeMap<String, RowId> {
    let key_and_id = |row: &Row| Some((row.get("key")?.as_str()?.to_owned(), id_of(row)?));
    let known: BTreeMap<String, RowId> = rows.iter().filter_map(key_and_id).collect();
    batch.entries.iter().filter_map(|entry| Some((entry.key.clone(), *known.get(&entry.key)?))).collect()
}

fn done(batch: Batch, ids: &[RowId]) -> Step {
    let settled = batch.entries.iter().enumerate().map(|(position, entry)| ok(entry, ids.get(position).copied()));
    Step { settled: settled.collect(), next: Vec::new() }
}

fn ok(entry: &Entry, created: Option<RowId>) -> Settled {
    let id = created.or(entry.id).unwrap_or(RowId(0));
    (entry.place, Ok(Created { id, adopted: entry.adopted }))
}
