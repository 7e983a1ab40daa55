//! Writes a plan to NetBox, in stages so that references find their rows. A change that fails is a value.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::json;
use tracing::debug;

use super::{
    outcome::{Applied, NotTaken},
    plan::{Action, Change, Plan},
    result::Ended,
    run::Run,
};
use crate::{
    error_chain::error_chain,
    model::{Fields, Inventory, Key, ObjectType, Row, RowId, Value},
    netbox::{self, Draft, Patch, Refusal, fields},
    retry::Retry,
};

/// Links to what belongs to the operator.
const LINKS: [&str; 3] = ["aggregate", "prefix", "covered_aggregates"];

impl Run<'_, '_> {
    /// Writes a plan, stage by stage, and notes what NetBox has afterwards and what was done. Rows that NetBox did not take
    /// are given up, so that this run does not try them again.
    ///
    /// # Errors
    /// When NetBox does not answer any more, or somebody asked to stop.
    pub(super) async fn apply(&mut self, plan: Plan) -> Result<(), Ended> {
        let mut stages: BTreeMap<u8, BTreeMap<ObjectType, Vec<Change>>> = BTreeMap::new();
        self.ctx.progress.update(|at| at.writes.total += plan.changes.len() as u64);
        for change in plan.changes {
            stages.entry(stage(change.object)).or_default().entry(change.object).or_default().push(change);
        }
        let mut listed = plan.listed;
        for changes in stages.into_values() {
            let log = self.report.take_pending();
            let writing = join_all(changes.iter().map(|(object, changes)| self.write(*object, changes, &listed)));
            let (results, ()) = tokio::join!(writing, self.report.write_log(log));
            self.ctx
                .progress
                .update(|at| at.writes.done += changes.values().map(|changes| changes.len() as u64).sum::<u64>());
            let results: Vec<_> = changes.into_values().flatten().zip(results.into_iter().flatten()).collect();
            for (change, _) in &results {
                if let (Some(at), Some(rows)) = (listed.remove(&change.key), self.recorded.rows.get_mut(&change.object))
                {
                    rows.entry(change.key.clone())
                        .and_modify(|row| drop(row.fields.insert(fields::LISTED, Value::Text(at))));
                }
            }
            self.take_up(results)?;
        }
        self.remember(listed).await;
        self.report.take_up(Vec::new());
        if self.ctx.stop.is_cancelled() { Err(Ended::Interrupted) } else { Ok(()) }
    }

    /// Writes the dates of the listing to rows that are otherwise as they should be. One that is not written costs a question
    /// in the next sync.
    async fn remember(&mut self, listed: BTreeMap<Key, String>) {
        let rows = self.recorded.rows.entry(ObjectType::Network).or_default();
        let patch = |(key, at): &(Key, String)| {
            let body = serde_json::Map::from_iter([(fields::LISTED.to_owned(), json!(at))]);
            Some(Patch { id: rows.get(key)?.id, key: key.to_string(), body })
        };
        let listed: Vec<(Key, String)> = listed.into_iter().filter(|(key, _)| rows.contains_key(key)).collect();
        let patches: Vec<Patch> = listed.iter().filter_map(patch).collect();
        let writer = self.ctx.netbox.writer(fields::slug(ObjectType::Network), &self.stamp.message);
        let results = writer.until(&self.ctx.stop).update(patches).await;
        for ((key, at), result) in listed.into_iter().zip(results) {
            match result {
                Ok(()) => drop(rows.get_mut(&key).map(|row| row.fields.insert(fields::LISTED, Value::Text(at)))),
                Err(refusal) => debug!(%key, error = %error_chain(&refusal), "could not write when it was listed"),
            }
        }
    }

    /// Notes what came of each change.
    fn take_up(&mut self, results: Vec<(Change, Result<RowId, Refusal>)>) -> Result<(), Ended> {
        let (mut applied, mut ended) = (Vec::with_capacity(results.len()), Ok(()));
        for (change, result) in results {
            let result = match result {
                // What was not sent because somebody asked to stop is no failure: the next run does it.
                Err(Refusal::NotSent) => continue,
                Err(refusal) => {
                    self.rules.given_up.insert(change.key.clone());
                    let (message, error) = (error_chain(&refusal), unanswered(&refusal));
                    let may_pass = error.is_some() || matches!(refusal, Refusal::Stale(_));
                    if let (Some(error), Ok(())) = (error, &ended) {
                        let why = format!("writing to NetBox came to an end: {}", error_chain(error));
                        ended = Err(Ended::Failed { why, may_pass });
                    }
                    Err(NotTaken { message, may_pass })
                }
                Ok(id) => {
                    absorb(&change, id, &mut self.recorded);
                    Ok(id)
                }
            };
            applied.push(Applied::new(&change, result));
        }
        self.report.take_up(applied);
        ended
    }

    /// Writes the changes of one type: new rows, and changed ones. Returns the results in the order of the changes.
    async fn write(
        &self,
        object: ObjectType,
        changes: &[Change],
        listed: &BTreeMap<Key, String>,
    ) -> Vec<Result<RowId, Refusal>> {
        let (mut drafts, mut patches) = (Vec::new(), Vec::new());
        for change in changes {
            let (key, mut body) = (change.key.to_string(), self.body(change));
            body.extend(listed.get(&change.key).map(|at| (fields::LISTED.to_owned(), json!(at))));
            match row_of(change) {
                None => drafts.push(Draft { key, body }),
                Some(id) => patches.push(Patch { id, key, body }),
            }
        }
        let slug = fields::slug(object);
        let writer = self.ctx.netbox.writer(slug, &self.stamp.message).linking(&LINKS).until(&self.ctx.stop);
        let mut created = writer.create(drafts).await.into_iter();
        let mut updated = writer.update(patches).await.into_iter();
        let result = |change: &Change| match row_of(change) {
            None => created.next().map(|result| result.map(|created| created.id)),
            Some(id) => updated.next().map(|result| result.map(|()| id)),
        };
        changes.iter().map(result).map(|result| result.unwrap_or(Err(Refusal::NotSent))).collect()
    }

    fn body(&self, change: &Change) -> serde_json::Map<String, serde_json::Value> {
        let id_of = |object, key: &Key| self.recorded.row(object, key).map(|row| row.id);
        let mut body = fields::body(change.object, &change.fields(), id_of);
        if row_of(change).is_none() {
            // A list that is not sent is empty, and costs NetBox nothing.
            body.retain(|_, value| !value.as_array().is_some_and(Vec::is_empty));
        }
        if change.object != ObjectType::Address {
            body.insert("last_synced".into(), json!(self.stamp.now.to_string()));
            body.insert("synced_by".into(), json!(self.stamp.user));
        }
        body
    }
}

/// Returns the stage in which rows of a type are written: after those that they refer to, together with those that have nothing to do with them.
fn stage(object: ObjectType) -> u8 {
    match object {
        ObjectType::Address => 0,
        ObjectType::Organization => 1,
        ObjectType::Contact | ObjectType::Network => 2,
        ObjectType::Customer => 3,
    }
}

/// Returns the error behind a refusal that any further row would meet for as long as NetBox does not answer.
fn unanswered(refusal: &Refusal) -> Option<&netbox::Error> {
    match refusal {
        Refusal::Unknown(error) | Refusal::GivenUp(error) => {
            Some(error.as_ref()).filter(|error| error.retry() != Retry::Never)
        }
        Refusal::Rejected { .. }
        | Refusal::Taken(_)
        | Refusal::Failed(_)
        | Refusal::Forbidden(_)
        | Refusal::Stale(_)
        | Refusal::NotSent => None,
    }
}

fn row_of(change: &Change) -> Option<RowId> {
    match change.action {
        Action::Update { id, .. } | Action::Retire { id } => Some(id),
        Action::Create { .. } => None,
    }
}

/// Notes what was written, so that planning again finds nothing left to do.
pub(super) fn absorb(change: &Change, id: RowId, recorded: &mut Inventory) {
    let rows = recorded.rows.entry(change.object).or_default();
    let empty = || Row { id, fields: Fields::new(), last_synced: None, synced_by: None, tenant: None };
    let row = rows.entry(change.key.clone()).or_insert_with(empty);
    row.fields.extend(change.fields());
    row.fields.remove("raw_data");
}
