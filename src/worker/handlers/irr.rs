//! Brings the mirror of a routing registry up to date, or asks the registry about our own space.

use serde_json::json;
use tracing::{info, warn};

use super::ending::{Failed, gone};
use crate::{
    config::{IrrSource, SourceKind},
    error_chain::error_chain,
    irr::{
        store::SourceState,
        update::{Did, UpdateError, Updated},
    },
    model::SourceName,
    netbox,
    queue::{Delay, Ending, Job, Order, Trigger, Work},
    routing::own_space,
    sync::progress::Phase,
    worker::{SourceRun, SourceTeller, task::Task},
};

/// What an update is called that failed, beside the names of what others did.
const FAILED: &str = "failed";

/// Returns all that an update may be called in the metrics.
pub(in crate::worker) fn results() -> Vec<&'static str> {
    Did::NAMES.into_iter().chain([FAILED]).collect()
}

/// Updates a source, and tells NetBox. What its upstream does wrong is noted with the source, and the job is done with
/// that: the next one is due in a while anyway.
pub(super) async fn update(task: &Task, name: &SourceName) -> Result<Ending, Failed> {
    let Some(source) = task.ctx.settings.irr.named(name) else {
        teller(task).forget_removed().await;
        return Ok(gone("source"));
    };
    let before = task.mirror.store.state(name).await.map_err(UpdateError::from)?;
    let read = |objects| task.ctx.progress.update(|at| (at.phase, at.objects) = (Phase::Mirror, objects));
    read(0);
    let updating = async {
        match source.kind {
            SourceKind::Mirror | SourceKind::Rpki => Ok::<_, netbox::Error>(task.mirror.update(source, read).await),
            SourceKind::Query => {
                let own = own_space(&task.ctx.netbox, &task.ctx.settings).await?;
                Ok(task.mirror.ask_own(source, &own, read).await)
            }
        }
    };
    let updated = tokio::select! {
        updated = updating => updated?,
        // What was fetched is thrown away; nothing was changed.
        () = task.ctx.stop.cancelled() => {
            return Ok(if task.cancelled.is_cancelled() { Ending::Cancelled } else { Ending::HandedBack });
        }
    };
    let result = updated.as_ref().map_or(FAILED, |updated| updated.did.name());
    task.ctx.metrics.source_updated(name.as_str(), result);
    tokio::select! {
        () = tell(task, source, &before, updated.as_ref()) => {}
        // The mirror is what counts; NetBox is told after the next run.
        () = task.ctx.stop.cancelled() => {}
    }
    match updated {
        Ok(updated) => {
            info!(source = %name, "{name}: {updated}");
            let is_news = !matches!(updated.did, Did::Nothing | Did::NothingToAsk)
                && task.own_routes.has_news(&task.mirror.store, name).await.unwrap_or_else(|error| {
                    // The update itself is done, and would find nothing new if it were done again.
                    warn!(source = %name, error = %error_chain(&error), "it is not known whether {name} has news about own space");
                    true
                });
            let result =
                json!({ "result": updated.did.name(), "serial": updated.serial, "rejected": updated.rejects.total() });
            Ok(Ending::Done { result, then: if is_news { judging() } else { Vec::new() } })
        }
        Err(error) if error.is_ours() => Err(error.into()),
        Err(error) => {
            warn!(source = %name, error = %error_chain(&error), "{name} is not up to date");
            let result = json!({ "result": FAILED, "reason": error_chain(&error) });
            let is_new = matches!(&error, UpdateError::Shrunk(_)) && before.notes.refused.is_none();
            Ok(Ending::Done { result, then: if is_new { judging() } else { Vec::new() } })
        }
    }
}

/// Has the prefixes judged by what is new.
fn judging() -> Vec<Order> {
    vec![Order { job: Job::new(Work::Routing {}, Trigger::Job), delay: Delay::None }]
}

/// Tells NetBox of a run that is over, unless it says nothing of the source.
async fn tell(task: &Task, source: &IrrSource, before: &SourceState, updated: Result<&Updated, &UpdateError>) {
    let says_nothing = match updated {
        Ok(updated) => updated.did == Did::NothingToAsk,
        Err(error) => error.is_ours(),
    };
    if says_nothing {
        return;
    }
    match task.mirror.store.state(&source.name).await {
        Ok(after) => teller(task).tell(SourceRun { source, before, after: &after, updated }).await,
        Err(error) => warn!(source = %source.name, error = %error_chain(&error), "NetBox is not told of a run"),
    }
}

fn teller(task: &Task) -> SourceTeller<'_> {
    let run = task.claim.id.as_str();
    SourceTeller { netbox: &task.ctx.netbox, coordination: &task.coordination, settings: &task.ctx.settings, run }
}

impl From<UpdateError> for Failed {
    fn from(error: UpdateError) -> Self {
        let retry = error.retry();
        Self::of(&error, retry)
    }
}
