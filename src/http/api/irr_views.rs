//! The answers about the mirrors of routing registries. `rir-sidecar irr status` shows the same.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    config::IrrSource,
    irr::{rejects::Rejects, source::Serial, store::SourceState},
    model::SourceName,
    queue::{self, JobId, Queue, Record},
};

/// The mirror of a source of a routing registry, as the API and `rir-sidecar irr status` show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IrrSource)]
pub struct SourceView {
    /// Its name.
    #[schema(value_type = String, example = "RADB")]
    pub(crate) name: SourceName,
    /// The server or file that it is asked of.
    #[schema(example = "whois.radb.net:43")]
    upstream: String,
    /// The newest serial that is held; null for a source that tells none, and before the first dump was taken.
    pub(crate) serial: Option<Serial>,
    /// The objects of the last dump or compaction; null before the first dump was taken.
    pub(crate) objects: Option<u64>,
    /// The bytes that these take in the store, without the journal of the changes since.
    stored: Option<u64>,
    /// The time at which its registry was last asked successfully.
    pub(crate) checked: Option<Timestamp>,
    /// The time at which objects last changed.
    changed: Option<Timestamp>,
    /// What keeps it from being updated.
    pub(crate) trouble: Option<String>,
    /// The time at which that began.
    trouble_since: Option<Timestamp>,
    /// The objects of a dump that was refused for having too few.
    refused_objects: Option<u64>,
    /// True if it will be taken anew from its dump, or is being so.
    pub(crate) reload_asked: bool,
    /// The objects that were left out since the last dump was taken, that included.
    pub(crate) rejected: Rejects,
    /// The job that is updating it.
    running_job: Option<JobId>,
    /// The objects of a dump that this job has read until now; null without such a job.
    pub(crate) objects_read: Option<u64>,
}

impl SourceView {
    /// Makes the view of a source, with the job that is updating it.
    pub(crate) fn new(source: &IrrSource, state: SourceState, running: Option<Record>) -> Self {
        let reload_asked = state.wants_reload();
        let SourceState { holding, notes, .. } = state;
        Self {
            name: source.name.clone(),
            upstream: source.upstream(),
            serial: holding.as_ref().and_then(|holding| holding.serial),
            objects: holding.as_ref().map(|holding| holding.objects),
            stored: holding.as_ref().map(|holding| holding.stored),
            checked: notes.checked,
            changed: notes.changed,
            trouble_since: notes.trouble.as_ref().map(|trouble| trouble.since),
            trouble: notes.trouble.map(|trouble| trouble.message),
            refused_objects: notes.refused.map(|refused| refused.objects),
            reload_asked,
            rejected: notes.rejected,
            objects_read: running.as_ref().map(|job| job.progress.done),
            running_job: running.map(|job| job.id),
        }
    }
}

/// The mirrors.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IrrSources)]
pub(crate) struct Sources {
    /// Those of the settings, in their order there.
    pub(crate) sources: Vec<SourceView>,
}

/// Finds the job that is updating a source.
pub(crate) async fn running_job(queue: &Queue, source: &SourceName) -> Result<Option<Record>, queue::Error> {
    match queue.active(source).await? {
        Some(job) => queue.find(&job).await,
        None => Ok(None),
    }
}
