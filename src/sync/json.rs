//! Runs and plans for programs: what `rir-sidecar sync --output json` prints, and the HTTP API answers.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    outcome::{Counts, Failure},
    plan::{Action, Altered, Change, Plan},
    result::{SyncRun, Verdict},
};
use crate::model::{ObjectType, Value};

/// The document that `rir-sidecar sync --output json` prints.
#[derive(Debug, Serialize)]
pub struct Document {
    /// The gravest result of all runs.
    result: Option<Verdict>,
    runs: Vec<RunView>,
}

/// A run, or the preview of one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunView {
    /// Name of the run.
    run_id: String,
    /// Name of the RIR config.
    config: String,
    /// The way it ended, or would end.
    result: Verdict,
    /// The reason for which it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The number of objects of each type that went each way.
    counts: BTreeMap<ObjectType, Counts>,
    /// The rows that it would write; only a preview has this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<Vec<ChangeView>>,
    /// The objects that could not be asked for or written.
    pub(super) failures: Vec<ObjectView>,
    /// The objects that were passed over.
    pub(super) skipped: Vec<ObjectView>,
    /// The number of changes, failures and skips that are left out, by their type, because you may not view such rows in
    /// NetBox.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) withheld: BTreeMap<ObjectType, usize>,
    /// Requests sent to ARIN, retries included.
    arin_requests: u64,
    /// Requests sent to NetBox, retries included.
    netbox_requests: u64,
    /// The time that it took.
    duration_seconds: f64,
}

/// An object, and what there is to say about it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunObject)]
pub(super) struct ObjectView {
    /// The type of the object.
    #[serde(rename = "type")]
    pub(super) object: ObjectType,
    /// The handle, or the range that was asked for.
    handle: String,
    /// The error, or the reason.
    message: String,
}

/// A row that would be written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlannedChange)]
pub(super) struct ChangeView {
    /// `create`, `update` or `retire`.
    action: &'static str,
    /// The type of the object.
    #[serde(rename = "type")]
    pub(super) object: ObjectType,
    /// The handle; for an address the address itself.
    handle: String,
    /// The fields that would be written.
    fields: BTreeMap<&'static str, FieldView>,
}

/// A field before and after.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlannedField)]
struct FieldView {
    /// The recorded value; null in a row that is new.
    was: Option<String>,
    /// The value that it would become.
    becomes: String,
}

impl Document {
    /// Puts runs together; each with what it would write, if that is all it did.
    pub fn new<'a>(runs: impl Iterator<Item = (&'a SyncRun, Option<&'a Plan>)>) -> Self {
        let runs: Vec<RunView> = runs.map(|(run, plan)| RunView::new(run, plan)).collect();
        Self { result: runs.iter().map(|run| run.result).max(), runs }
    }

    /// The document as text.
    ///
    /// # Errors
    /// When it has no written form, for which there is no known reason.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

impl RunView {
    /// A run; with `plan` what it would write.
    #[must_use]
    pub fn new(run: &SyncRun, plan: Option<&Plan>) -> Self {
        let failures = run.all_failures().into_iter();
        Self {
            run_id: run.id.clone(),
            config: run.config.clone(),
            result: run.verdict(),
            reason: run.reason().map(str::to_owned),
            counts: run.counts(),
            changes: plan.map(|plan| plan.changes.iter().map(ChangeView::new).collect()),
            failures: failures
                .map(|Failure { object, handle, message, .. }| ObjectView { object, handle, message })
                .collect(),
            skipped: run
                .skips
                .iter()
                .map(|skip| ObjectView {
                    object: skip.object,
                    handle: skip.handle.clone(),
                    message: skip.message.clone(),
                })
                .collect(),
            withheld: BTreeMap::new(),
            arin_requests: run.arin_requests,
            netbox_requests: run.netbox_requests,
            duration_seconds: run.took.as_secs_f64(),
        }
    }
}

impl ChangeView {
    fn new(change: &Change) -> Self {
        let (action, fields) = match &change.action {
            Action::Create { fields } => {
                let field = |value: &Value| FieldView { was: None, becomes: value.to_string() };
                ("create", change.visible().filter_map(|name| Some((name, field(fields.get(name)?)))).collect())
            }
            Action::Update { fields, .. } => {
                let field = |altered: &Altered| FieldView {
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
