//! Brings the mirror of a routing registry up to date.

use serde_json::json;
use tracing::{info, warn};

use super::ending::{Failed, done, gone};
use crate::{
    error_chain::error_chain,
    irr::update::{Did, UpdateError},
    model::SourceName,
    queue::Ending,
    sync::progress::Phase,
    worker::task::Task,
};

/// What an update is called that failed, beside the names of what others did.
const FAILED: &str = "failed";

/// Returns all that an update may be called in the metrics.
pub(in crate::worker) fn results() -> Vec<&'static str> {
    Did::NAMES.into_iter().chain([FAILED]).collect()
}

/// Updates a source. What its upstream does wrong is noted with the source, and the job is done with that: the next one is
/// due in a while anyway.
pub(super) async fn update(task: &Task, name: &SourceName) -> Result<Ending, Failed> {
    let Some(source) = task.ctx.settings.irr.named(name) else { return Ok(gone("source")) };
    let read = |objects| task.ctx.progress.update(|at| (at.phase, at.objects) = (Phase::Mirror, objects));
    read(0);
    let updating = task.mirror.update(source, read);
    let updated = tokio::select! {
        updated = updating => updated,
        // What was fetched is thrown away; nothing was changed.
        () = task.ctx.stop.cancelled() => {
            return Ok(if task.cancelled.is_cancelled() { Ending::Cancelled } else { Ending::HandedBack });
        }
    };
    let result = updated.as_ref().map_or(FAILED, |updated| updated.did.name());
    task.ctx.metrics.source_updated(name.as_str(), result);
    match updated {
        Ok(updated) => {
            info!(source = %name, "{name}: {updated}");
            Ok(done(
                json!({ "result": updated.did.name(), "serial": updated.serial, "rejected": updated.rejects.total() }),
            ))
        }
        Err(error) if error.is_ours() => Err(error.into()),
        Err(error) => {
            warn!(source = %name, error = %error_chain(&error), "{name} is not up to date");
            Ok(done(json!({ "result": FAILED, "reason": error_chain(&error) })))
        }
    }
}

impl From<UpdateError> for Failed {
    fn from(error: UpdateError) -> Self {
        let retry = error.retry();
        Self::of(&error, retry)
    }
}
