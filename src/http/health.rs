//! The probes of the service, and its metrics.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use futures_util::future::join_all;
use tokio::time::timeout;
use tracing::warn;

use super::{
    api::views::Health,
    app::App,
    error_responses::{MetricsErrors, ReadinessErrors},
    problem::{Kind, Problem},
};
use crate::{
    config::IrrSource,
    error_chain::error_chain,
    irr::store::SourceState,
    queue::State as JobState,
    routing::{LAST_JUDGED, LastJudged, Level, Verdict},
    services::Services,
    telemetry::metrics::{self, SourceFigures},
};

/// The path of the liveness probe.
pub(super) const LIVENESS: &str = "/health/live";
/// Limits how long the queue and NetBox may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Says that the process runs.
#[utoipa::path(get, path = LIVENESS, tag = "health", operation_id = "check_liveness", security(()),
    responses((status = 200, description = "It runs", body = Health)))]
pub(super) async fn check_liveness() -> Json<Health> {
    Json(Health { status: "live" })
}

/// Says whether the queue and NetBox answer.
#[utoipa::path(get, path = "/health/ready", tag = "health", operation_id = "check_readiness", security(()),
    responses(
        (status = 200, description = "Both answer", body = Health),
        ReadinessErrors))]
pub(super) async fn check_readiness(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    let not_ready = |why: &str| Err(Problem::new(Kind::NotReady, why));
    if app.stop.is_cancelled() {
        return not_ready("the service is going away");
    }
    let queue = answers("the queue", app.services.queue.ping());
    let netbox = app.netbox_answers.get_with((), answers("NetBox", app.services.netbox.status()));
    match tokio::join!(queue, netbox) {
        (true, true) => Ok(Json(Health { status: "ready" })),
        (false, true) => not_ready("the queue does not answer"),
        (true, false) => not_ready("NetBox does not answer"),
        (false, false) => not_ready("neither the queue nor NetBox answers"),
    }
}

/// Returns whether a question is answered in time.
async fn answers<T, E: std::error::Error>(who: &str, question: impl Future<Output = Result<T, E>>) -> bool {
    match timeout(PROBE_TIMEOUT, question).await {
        Ok(Ok(_)) => return true,
        Ok(Err(error)) => warn!(error = %error_chain(&error), "{who} does not answer"),
        Err(_) => warn!("{who} does not answer in time"),
    }
    false
}

/// Returns the metrics of the service in the text form that Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "health", operation_id = "list_metrics", security(()),
    responses(
        (status = 200, description = "Figures", body = String, content_type = "application/openmetrics-text"),
        MetricsErrors))]
pub(super) async fn list_metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let figures = timeout(PROBE_TIMEOUT, app.services.queue.figures()).await.ok().and_then(Result::ok);
    let by_name =
        |jobs: BTreeMap<JobState, u64>| jobs.into_iter().map(|(state, count)| (state.name(), count)).collect();
    let metrics = &app.services.metrics;
    metrics.queue(figures.map(|figures| (by_name(figures.jobs), figures.oldest_ready)));
    measure_mirrors(&app.services).await;
    measure_routing(&app.services).await;
    let text = metrics.text().map_err(|_| Problem::new(Kind::Internal, "the figures cannot be written"))?;
    Ok(([(CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response())
}

/// Records how the mirrors stand. The figures of those that the store does not tell of in time stay as they were.
async fn measure_mirrors<'a>(services: &'a Services) {
    let ask = |source: &'a IrrSource| async move {
        let state = timeout(PROBE_TIMEOUT, services.mirror.store.state(&source.name)).await.ok()?.ok()?;
        Some(figures_of(source, state))
    };
    let figures = join_all(services.settings.irr.source.iter().map(ask)).await;
    services.metrics.sources(&figures.into_iter().flatten().collect::<Vec<_>>());
}

/// Records how prefixes stood in the routing registries when they were last judged, by whichever replica.
async fn measure_routing(services: &Services) {
    let kept = timeout(PROBE_TIMEOUT, services.coordination.cursor(LAST_JUDGED)).await;
    let last = kept.ok().and_then(Result::ok).flatten().and_then(|text| serde_json::from_str::<LastJudged>(&text).ok());
    if let Some(LastJudged { at, tally }) = last {
        let verdicts = Verdict::ALL.map(|verdict| (verdict.name(), tally.verdict(verdict)));
        let levels = Level::ALL.map(|level| (level.name(), tally.level(level)));
        services.metrics.routing(&verdicts, &levels, at);
    }
}

fn figures_of(source: &IrrSource, state: SourceState) -> SourceFigures<'_> {
    let is_shrink_refused = state.notes.refused.is_some() && !state.shrink_is_accepted();
    let (holding, notes) = (state.holding.as_ref(), state.notes);
    SourceFigures {
        name: source.name.as_str(),
        interval: source.interval(),
        checked: notes.checked,
        serial: holding.and_then(|holding| holding.serial).map(|serial| serial.0),
        objects: holding.map_or(0, |holding| holding.objects),
        stored: holding.map_or(0, |holding| holding.stored),
        is_in_trouble: notes.trouble.is_some(),
        is_shrink_refused,
        rejected: notes.rejected.by_reason,
    }
}
