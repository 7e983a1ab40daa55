//! Judges anew whether the world will accept what is announced.

use std::{error::Error, sync::Arc};

use jiff::Timestamp;
use tracing::{info, warn};

use super::ending::{Failed, done};
use crate::{
    error_chain::error_chain,
    queue::Ending,
    retry::Retry,
    routing::{Context, LAST_JUDGED, LastJudged, refresh},
    worker::task::Task,
};

/// Judges all prefixes. What does not help to try again is left to the next time: it is due anyway.
pub(super) async fn judge(task: &Task) -> Result<Ending, Failed> {
    let ctx = Context {
        netbox: task.ctx.netbox.clone(),
        store: task.mirror.store.clone(),
        own: task.own_routes.clone(),
        settings: Arc::clone(&task.ctx.settings),
        stop: task.ctx.stop.clone(),
        now: Timestamp::now(),
        run: task.claim.id.to_string(),
    };
    let refreshed = refresh(&ctx).await;
    if task.ctx.stop.is_cancelled() {
        return Ok(if task.cancelled.is_cancelled() { Ending::Cancelled } else { Ending::HandedBack });
    }
    match refreshed {
        Ok(refreshed) => {
            info!("routing: {}", refreshed.tally);
            keep(task, LastJudged { at: ctx.now, tally: refreshed.tally.clone() }).await;
            Ok(done(refreshed.json()))
        }
        Err(error) => {
            let retry = error.retry();
            if retry == Retry::Never {
                warn!(error = %error_chain(&error), "could not judge how prefixes stand in the routing registries");
            }
            Err(Failed::of(&error, retry))
        }
    }
}

/// Keeps how it went, for the processes that report it.
async fn keep(task: &Task, last: LastJudged) {
    let kept = async {
        let text = serde_json::to_string(&last)?;
        Ok::<_, Box<dyn Error>>(task.coordination.set_cursor(LAST_JUDGED, &text).await?)
    };
    if let Err(error) = kept.await {
        warn!(error = %error_chain(&*error), "could not keep the figures of the routing registries");
    }
}
