//! Goes on with the change requests of a config: sends what is approved, looks for what was not answered, follows tickets.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};
use serde_json::json;
use tracing::warn;

use super::ending::{Failed, gone};
use crate::{
    error_chain::error_chain,
    model::RowId,
    queue::{Delay, Ending, Job, Order, Trigger, Work},
    requests::{ChangeRequest, Flow, Progress},
    retry::Retry,
    worker::{requests::Touched, task::Task},
};

/// How many requests are gone on with at once.
const AT_ONCE: usize = 4;
/// The wait before what could not be done now is tried again.
const NOT_NOW: Duration = Duration::from_secs(60);

/// Goes on with all that is under way. Each request is recorded by itself, so that a worker that takes the job over sees in the
/// rows how far the one before it came.
pub(super) async fn go_on(task: &Task, config: RowId) -> Result<Ending, Failed> {
    let ctx = &task.ctx;
    let configs = ctx.netbox.configs().await?;
    let Some(config) = configs.iter().find(|it| it.id == config) else { return Ok(gone("config")) };
    if !ctx.settings.requests.enabled {
        return Ok(Ending::Done { result: json!({ "skipped": "requests.enabled is off" }), then: Vec::new() });
    }
    let systems = (ctx.netbox.clone(), ctx.arin.clone());
    let run = task.claim.id.to_string();
    let flow = Flow::new(systems, ctx.keys.clone(), ctx.settings.clone(), (ctx.stop.clone(), run));
    let requests = flow.work(config).await?;
    let (mut states, mut changed, mut again) = (BTreeMap::<&str, usize>::new(), Vec::new(), None::<Duration>);
    let mut waits = |wait: Duration| again = Some(again.map_or(wait, |other| other.min(wait)));
    let gone_on = stream::iter(requests).map(|id| flow.take_up(config, id, false)).buffer_unordered(AT_ONCE);
    let mut failed = 0_usize;
    for progress in gone_on.collect::<Vec<_>>().await {
        match progress {
            Ok(Progress { request, has_changed_registry, again }) => {
                *states.entry(request.state.name()).or_default() += 1;
                again.into_iter().for_each(&mut waits);
                changed.extend(has_changed_registry.then_some(request));
            }
            Err(error) => {
                failed += 1;
                warn!(error = %error_chain(&error), "a change request waits");
                if error.retry() != Retry::Never {
                    waits(NOT_NOW);
                }
            }
        }
    }
    let mut then = Vec::new();
    let approver = |request: &ChangeRequest| request.approval.as_ref().map(|approval| approval.by.clone());
    let mut of_approver: BTreeMap<String, Vec<&ChangeRequest>> = BTreeMap::new();
    for request in &changed {
        of_approver.entry(approver(request).unwrap_or_default()).or_default().push(request);
    }
    for (person, requests) in of_approver {
        then.extend(Touched::by(&ctx.netbox, config, &requests).await?.orders(config.id, &person));
    }
    if ctx.stop.is_cancelled() {
        // What was done is recorded; what it changed is synced by whoever goes on, or by the next sync.
        task.queue.enqueue(&then).await?;
        return Ok(if task.cancelled.is_cancelled() { Ending::Cancelled } else { Ending::HandedBack });
    }
    if let Some(wait) = again {
        let job = Job::new(Work::Requests { config: config.id }, Trigger::Schedule);
        then.push(Order { job, delay: Delay::For(wait) });
    }
    Ok(Ending::Done { result: json!({ "requests": states, "failed": failed }), then })
}
