//! The approval of a plan: whether it is kept, and still the newest that is known.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{FutureExt, TryFutureExt};

use crate::{
    coordination::{Coordination, KeptPlan},
    http::{
        app::App,
        problem::{Kind, Problem},
    },
    model::{PlanDigest, Resource, RowId},
    sync::{
        approved::{Difference, PlannedRow},
        kept_plan::named_rows,
    },
};

/// Returns a plan of a config that may be written. Which kinds of registrations it is about is known from when it was
/// made; where a caller names some, it has to be about these. Of several that say the same it is one for which ARIN was
/// asked for everything: what that brought up may come up in no other way.
///
/// A newer plan without failures that is about the same, and was found out in the same way, shows by itself whether this
/// one still comes out. The job looks again, as the plan may have changed since.
pub(crate) async fn approve(
    app: &App,
    config: RowId,
    kinds: Option<BTreeSet<Resource>>,
    plan: &PlanDigest,
) -> Result<KeptPlan, Problem> {
    let facts = &app.services.coordination;
    let plans = facts.plans().await?;
    let fits = |kept: &&KeptPlan| {
        kept.is_about(config, kinds.as_ref().unwrap_or(&kept.resources)) && kept.digest.as_ref() == Some(plan)
    };
    let Some(approved) = plans.iter().filter(fits).min_by_key(|kept| !kept.full) else {
        let detail = format!("no plan {plan} of this RIR config is kept, as it is for a day: make a new one");
        return Err(Problem::new(Kind::PlanUnknown, detail));
    };
    let alike = |kept: &&KeptPlan| kept.is_about(config, &approved.resources) && kept.full == approved.full;
    let newest = plans.iter().filter(alike).find(|kept| kept.complete);
    if let Some(newer) = newest.filter(|newest| newest.made > approved.made && newest.digest != approved.digest) {
        let rows = different_rows(facts, approved, newer).await?;
        // The digests would leave no room for the rows: a detail is cut.
        let detail = format!("{} is newer, and something else would be written now{rows}", plan_path(&newer.id));
        return Err(Problem::new(Kind::PlanDiffers, detail));
    }
    Ok(approved.clone())
}

/// Returns where a plan is found.
pub(crate) fn plan_path(id: &str) -> String {
    format!("/api/v1/plans/{id}")
}

/// Tells which rows differ between two plans, as far as both are kept whole.
async fn different_rows(facts: &Coordination, approved: &KeptPlan, newer: &KeptPlan) -> Result<String, Problem> {
    let (Some(before), Some(after)) = (&approved.digest, &newer.digest) else { return Ok(String::new()) };
    let (rows, newer_rows) = (rows(facts, approved).await?, rows(facts, newer).await?);
    Ok(match (rows, newer_rows) {
        (Some(rows), Some(newer_rows)) => Difference::between((before, &rows), (after, &newer_rows)).rows(),
        (Some(_) | None, _) => String::new(),
    })
}

async fn rows(facts: &Coordination, plan: &KeptPlan) -> Result<Option<BTreeMap<String, PlannedRow>>, Problem> {
    let part = |number| facts.plan_part(&plan.id, number).map_err(Problem::from).boxed();
    named_rows(plan.parts, part).await
}
