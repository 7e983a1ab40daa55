//! Runs and plans for programs: what `rir-sidecar sync --output json` prints, and the HTTP API answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    outcome::{Counts, Failure, InFull, Skip},
    plan::{Change, ShownChange},
    result::{Preview, SyncRun, Verdict},
};
use crate::model::{ObjectType, PlanDigest};

/// The document that `rir-sidecar sync --output json` prints.
#[derive(Debug, Serialize)]
pub struct Document {
    /// The gravest result of all runs.
    result: Option<Verdict>,
    runs: Vec<RunView>,
}

/// A run, or the preview of one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Run)]
pub struct RunView {
    /// Name of the run.
    pub(super) run_id: String,
    /// Name of the RIR config.
    pub(super) config: String,
    /// The way it ended, or would end.
    pub(super) result: Verdict,
    /// The reason for which it ended early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// The number of objects of each type that went each way, or would go.
    pub(super) counts: BTreeMap<ObjectType, Counts>,
    /// The digest of what it would write; only a preview that came to its end has this. A sync with this digest writes
    /// exactly that or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<PlanDigest>,
    /// The rows that it would write; only a preview has this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<Vec<ShownChange>>,
    /// The objects that could not be asked for or written.
    pub(super) failures: Vec<ObjectView>,
    /// The objects that were passed over.
    pub(super) skipped: Vec<ObjectView>,
    /// The number of changes, failures and skips that are left out, by their type, because you may not view such rows in
    /// NetBox.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) withheld: BTreeMap<ObjectType, usize>,
    /// Requests sent to ARIN, retries included.
    pub(super) arin_requests: u64,
    /// Requests sent to ARIN's public listing, retries included.
    #[serde(default)]
    pub(super) listing_requests: u64,
    /// Questions to ARIN that the listing spared.
    #[serde(default)]
    pub(super) spared: u64,
    /// The aggregates that were asked for in full, because what the listing has in them could not be believed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) in_full: Vec<InFullView>,
    /// Requests sent to NetBox, retries included.
    pub(super) netbox_requests: u64,
    /// The time that it took.
    pub(super) duration_seconds: f64,
}

/// An object, and what there is to say about it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = RunObject)]
pub(super) struct ObjectView {
    /// The type of the object.
    #[serde(rename = "type")]
    pub(super) object: ObjectType,
    /// The handle, or the range that was asked for.
    pub(super) handle: String,
    /// The error, or the reason.
    pub(super) message: String,
}

/// An aggregate that was asked for in full.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = AskedInFull)]
pub(super) struct InFullView {
    /// The range of the aggregate.
    pub(super) aggregate: String,
    /// What speaks against the listing.
    pub(super) reason: String,
}

impl Document {
    /// Puts runs together.
    #[must_use]
    pub fn new(runs: Vec<RunView>) -> Self {
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
    /// Shows a run.
    #[must_use]
    pub fn of_run(run: &SyncRun) -> Self {
        let failures = run.all_failures().into_iter();
        Self {
            run_id: run.id.clone(),
            config: run.config.clone(),
            result: run.verdict(),
            reason: run.reason().map(str::to_owned),
            counts: run.counts(),
            digest: None,
            changes: None,
            failures: failures.map(ObjectView::from).collect(),
            skipped: run.skips.iter().cloned().map(ObjectView::from).collect(),
            withheld: BTreeMap::new(),
            arin_requests: run.arin_requests,
            listing_requests: run.listing_requests,
            spared: run.spared,
            in_full: run.in_full.iter().cloned().map(InFullView::from).collect(),
            netbox_requests: run.netbox_requests,
            duration_seconds: run.took.as_secs_f64(),
        }
    }

    /// Shows a preview without its rows.
    #[must_use]
    pub fn of_preview(preview: &Preview) -> Self {
        let (result, counts, digest) = (preview.verdict(), preview.counts(), preview.digest.clone());
        Self { result, counts, digest, ..Self::of_run(&preview.run) }
    }

    /// Returns it with the rows that it would write.
    #[must_use]
    pub fn with_changes(self, preview: &Preview) -> Self {
        Self { changes: Some(preview.plan.changes.iter().map(Change::shown).collect()), ..self }
    }

    /// Returns how it ended, or would end.
    #[must_use]
    pub fn result(&self) -> Verdict {
        self.result
    }
}

impl From<Failure> for ObjectView {
    fn from(Failure { object, handle, message, .. }: Failure) -> Self {
        Self { object, handle, message }
    }
}

impl From<InFull> for InFullView {
    fn from(InFull { aggregate, why }: InFull) -> Self {
        Self { aggregate: aggregate.to_string(), reason: why }
    }
}

impl From<Skip> for ObjectView {
    fn from(Skip { object, handle, message }: Skip) -> Self {
        Self { object, handle, message }
    }
}
