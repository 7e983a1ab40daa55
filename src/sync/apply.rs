//! Writes a plan to NetBox, in stages so that references find their rows. A change that fails is a value.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::json;

use super::{
    Context,
    outcome::{Applied, NotTaken},
    plan::{Action, Change, Plan},
    report::Journal,
    rules::Rules,
};
use crate::{
    error_chain::error_chain,
    model::{Fields, Inventory, Key, ObjectType, Row, RowId},
    netbox::{self, Draft, Patch, Refusal, fields},
    retry::Retry,
};

/// Links are never overwritten: when a row turns out to exist already, these fields of it are left alone.
const LINKS: [&str; 3] = ["aggregate", "prefix", "covered_aggregates"];

/// What is written with every row: when, with whose key, and a line for NetBox's change log.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    pub(super) now: Timestamp,
    pub(super) user: String,
    pub(super) message: String,
}

/// Applies `plan`, and notes in `recorded` what NetBox has afterwards, in `journal` what was done. Rows that NetBox did not
/// take are given up in `rules`, so that this run does not try them again. Gives why there is no sense in writing on, when
/// NetBox does not answer any more.
pub(super) async fn apply(
    plan: Plan,
    recorded: &mut Inventory,
    rules: &mut Rules,
    ctx: &Context,
    stamp: &Stamp,
    journal: &mut Journal<'_>,
) -> Option<Arc<netbox::Error>> {
    ctx.progress.update(|at| at.writes.total += plan.changes.len() as u64);
    let mut stages: BTreeMap<u8, BTreeMap<ObjectType, Vec<Change>>> = BTreeMap::new();
    for change in plan.changes {
        stages.entry(stage(change.object)).or_default().entry(change.object).or_default().push(change);
    }
    let mut hopeless = None;
    for changes in stages.into_values() {
        let writing = join_all(changes.iter().map(|(object, changes)| write(*object, changes, recorded, ctx, stamp)));
        let (results, ()) = tokio::join!(writing, journal.flush());
        let changes: Vec<Change> = changes.into_values().flatten().collect();
        let mut applied = Vec::with_capacity(changes.len());
        ctx.progress.update(|at| at.writes.done += changes.len() as u64);
        for (change, result) in changes.iter().zip(results.into_iter().flatten()) {
            let result = match result {
                // What was not sent because somebody asked to stop is no failure: the next run does it.
                Err(Refusal::NotSent) => continue,
                Err(refusal) => {
                    rules.given_up.insert(change.key.clone());
                    let message = error_chain(&refusal);
                    let error = unanswered(refusal);
                    let may_pass = error.is_some();
                    hopeless = hopeless.or(error);
                    Err(NotTaken { message, may_pass })
                }
                Ok(id) => {
                    absorb(change, id, recorded);
                    Ok(id)
                }
            };
            applied.push(Applied::new(change, result));
        }
        journal.note(applied);
        if hopeless.is_some() {
            break;
        }
    }
    hopeless
}

/// When rows of a type are written: after those that they refer to, together with those that have nothing to do with them.
fn stage(object: ObjectType) -> u8 {
    match object {
        ObjectType::Address => 0,
        ObjectType::Organization => 1,
        ObjectType::Contact | ObjectType::Network => 2,
        ObjectType::Customer => 3,
    }
}

/// The error behind a refusal that any further row would meet for as long as NetBox does not answer.
fn unanswered(refusal: Refusal) -> Option<Arc<netbox::Error>> {
    match refusal {
        Refusal::Unknown(error) | Refusal::GivenUp(error) => Some(error).filter(|error| error.retry() != Retry::Never),
        Refusal::Rejected { .. } | Refusal::Failed(_) | Refusal::NotSent => None,
    }
}

/// Writes the changes of one type: new rows, and changed ones. Gives the results in the order of the changes.
async fn write(
    object: ObjectType,
    changes: &[Change],
    recorded: &Inventory,
    Context { netbox, stop, .. }: &Context,
    stamp: &Stamp,
) -> Vec<Result<RowId, Refusal>> {
    let (mut drafts, mut patches) = (Vec::new(), Vec::new());
    for change in changes {
        let (key, body) = (change.key.to_string(), body(change, recorded, stamp));
        match row_of(change) {
            None => drafts.push(Draft { key, body }),
            Some(id) => patches.push(Patch { id, key, body }),
        }
    }
    let slug = fields::slug(object);
    let writer = netbox.writer(slug, &stamp.message).keeping(&LINKS).until(stop);
    let mut created = writer.create(drafts).await.into_iter();
    let mut updated = writer.update(patches).await.into_iter();
    let result = |change: &Change| match row_of(change) {
        None => created.next().map(|result| result.map(|created| created.id)),
        Some(id) => updated.next().map(|result| result.map(|()| id)),
    };
    changes.iter().map(result).map(|result| result.unwrap_or(Err(Refusal::NotSent))).collect()
}

fn row_of(change: &Change) -> Option<RowId> {
    match change.action {
        Action::Update { id, .. } | Action::Retire { id } => Some(id),
        Action::Create { .. } => None,
    }
}

fn body(change: &Change, recorded: &Inventory, stamp: &Stamp) -> serde_json::Map<String, serde_json::Value> {
    let id_of = |object, key: &Key| recorded.row(object, key).map(|row| row.id);
    let mut body = fields::body(change.object, &change.fields(), id_of);
    if change.object != ObjectType::Address {
        body.insert("last_synced".into(), json!(stamp.now.to_string()));
        body.insert("synced_by".into(), json!(stamp.user));
    }
    body
}

/// Notes what was written, so that planning again finds nothing left to do.
pub(super) fn absorb(change: &Change, id: RowId, recorded: &mut Inventory) {
    let rows = recorded.rows.entry(change.object).or_default();
    let empty = || Row { id, fields: Fields::new(), last_synced: None, synced_by: None };
    let row = rows.entry(change.key.clone()).or_insert_with(empty);
    row.fields.extend(change.fields());
    row.fields.remove("raw_data");
}
