//! Output for programs: one document for a whole command.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    model::ObjectType,
    sync::{
        Action, Plan, SyncRun, Verdict,
        outcome::{Counts, Ended, Failure},
    },
};

/// What `rir-sidecar sync --output json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    /// The gravest result of all runs.
    result: Option<Verdict>,
    runs: Vec<Run>,
}

#[derive(Debug, Serialize)]
struct Run {
    run_id: String,
    config: String,
    result: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    counts: BTreeMap<ObjectType, Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<Change>>,
    failures: Vec<Object>,
    skipped: Vec<Object>,
    arin_requests: u64,
    netbox_requests: u64,
    duration_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Object {
    #[serde(rename = "type")]
    object: ObjectType,
    handle: String,
    message: String,
}

#[derive(Debug, Serialize)]
struct Change {
    action: &'static str,
    #[serde(rename = "type")]
    object: ObjectType,
    handle: String,
    fields: BTreeMap<&'static str, Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    was: Option<String>,
    becomes: String,
}

impl Document {
    pub(super) fn new<'a>(runs: impl Iterator<Item = (&'a SyncRun, Option<&'a Plan>)>) -> Self {
        let runs: Vec<Run> = runs.map(|(run, plan)| Run::new(run, plan)).collect();
        Self { result: runs.iter().map(|run| run.result).max(), runs }
    }

    /// The document as text.
    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

impl Run {
    fn new(run: &SyncRun, plan: Option<&Plan>) -> Self {
        let failures = run.all_failures().into_iter();
        Self {
            run_id: run.id.clone(),
            config: run.config.clone(),
            result: run.verdict(),
            reason: match &run.ended {
                Some(Ended::Failed(why) | Ended::Refused(why)) => Some(why.clone()),
                Some(Ended::Interrupted) | None => None,
            },
            counts: run.counts(),
            changes: plan.map(|plan| plan.changes.iter().map(Change::new).collect()),
            failures: failures.map(|Failure { object, handle, message }| Object { object, handle, message }).collect(),
            skipped: run
                .skips
                .iter()
                .map(|skip| Object { object: skip.object, handle: skip.handle.clone(), message: skip.message.clone() })
                .collect(),
            arin_requests: run.arin_requests,
            netbox_requests: run.netbox_requests,
            duration_seconds: run.took.as_secs_f64(),
        }
    }
}

impl Change {
    fn new(change: &crate::sync::Change) -> Self {
        let (action, fields) = match &change.action {
            Action::Create { fields } => {
                let field = |value: &crate::model::Value| Field { was: None, becomes: value.to_string() };
                ("create", change.visible().filter_map(|name| Some((name, field(fields.get(name)?)))).collect())
            }
            Action::Update { fields, .. } => {
                let field = |altered: &crate::sync::Altered| Field {
                    was: Some(altered.was.to_string()),
                    becomes: altered.becomes.to_string(),
                };
                ("update", change.visible().filter_map(|name| Some((name, field(fields.get(name)?)))).collect())
            }
            Action::Retire { .. } => ("retire", BTreeMap::new()),
        };
        Self { action, object: change.object, handle: change.handle.clone(), fields }
    }
}
