//! Makes the preview of a sync, and keeps it for whoever asked for it; and reads one that was approved.
//!
//! A preview has no notes: it holds all that it has learnt until its end, so that another worker begins it anew.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{FutureExt, TryFutureExt};
use jiff::Timestamp;
use serde_json::json;

use super::ending::{Failed, done, gone};
use crate::{
    coordination::{KeptPlan, PlanQuota},
    model::{PlanDigest, Resource, RowId},
    queue::Ending,
    sync::{
        Approved, Preview, Request, Verdict,
        kept_plan::{LARGEST_PLAN, PlanHead, named_rows, pack_rows},
        preview,
    },
    worker::task::Task,
};

/// How much is kept for one user, and how long.
const QUOTA: PlanQuota = PlanQuota { plans: 20, bytes: 32 << 20, ttl: Duration::from_secs(24 * 3600) };

/// Makes a preview and keeps it.
pub(super) async fn plan(task: &Task, config: RowId, resources: &BTreeSet<Resource>) -> Result<Ending, Failed> {
    let configs = task.ctx.netbox.configs().await?;
    let Some(config) = configs.iter().find(|it| it.id == config) else { return Ok(gone("config")) };
    let request = Request { resources: resources.clone(), ..task.request(config, &configs) };
    let preview = preview(&task.ctx, &request).await;
    if preview.run.verdict() == Verdict::Interrupted {
        return Ok(if task.cancelled.is_cancelled() { Ending::Cancelled } else { Ending::HandedBack });
    }
    let attempt = task.claim.attempt;
    if let (Verdict::Failed, Some(error), false) =
        (preview.run.verdict(), preview.run.may_pass(), task.is_last(attempt))
    {
        return Ok(Ending::Failed { error, retry: Some(task.backoff(attempt)) });
    }
    let kept = keep(task, &request, &preview).await?;
    Ok(done(json!({
        "run": preview.run.id,
        "result": preview.verdict(),
        "reason": preview.run.reason(),
        "counts": preview.counts(),
        "digest": kept.digest,
        "plan": format!("/api/v1/plans/{}", kept.id),
    })))
}

/// Keeps a preview, part by part. Rows beyond the limit are left out.
async fn keep(task: &Task, request: &Request<'_>, preview: &Preview) -> Result<KeptPlan, Failed> {
    let (id, facts) = (task.claim.id.as_str(), &task.coordination);
    let changes = &preview.plan.changes;
    let (mut parts, mut bytes, mut left_out) = (1, 0, changes.len());
    for part in pack_rows(changes, LARGEST_PLAN) {
        let part = part?;
        facts.add_plan_part(id, parts, &part.bytes).await?;
        (parts, bytes, left_out) = (parts + 1, bytes + part.bytes.len(), left_out.saturating_sub(part.rows));
    }
    let head = PlanHead::new(preview, left_out).pack()?;
    facts.add_plan_part(id, 0, &head).await?;
    let plan = KeptPlan {
        id: id.to_owned(),
        config: request.config.id,
        resources: request.resources.clone(),
        full: request.full,
        user: task.claim.job.user.clone().unwrap_or_default(),
        digest: preview.digest.clone(),
        complete: preview.digest.is_some() && preview.run.failures.is_empty(),
        made: Timestamp::now(),
        parts,
        bytes: bytes + head.len(),
    };
    facts.keep_plan(&plan, QUOTA).await?;
    Ok(plan)
}

/// Reads the rows of a plan that was approved, if it is still kept whole.
pub(super) async fn approved(task: &Task, config: RowId, digest: &PlanDigest) -> Result<Approved, Failed> {
    let plans = task.coordination.plans().await?;
    let approved = plans.into_iter().find(|plan| plan.config == config && plan.digest.as_ref() == Some(digest));
    let rows = match &approved {
        Some(plan) => {
            let part = |number| task.coordination.plan_part(&plan.id, number).map_err(Failed::from).boxed();
            named_rows(plan.parts, part).await?
        }
        None => None,
    };
    Ok(Approved { digest: digest.clone(), rows })
}
