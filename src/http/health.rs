//! Whether the service lives, whether it can work, and its figures.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use tokio::{sync::Mutex, time::Instant};
use tracing::warn;

use super::{
    App,
    problem::{Kind, Problem},
    refusals::{Unmeasured, Unready},
    views::Health,
};
use crate::{error_chain::error_chain, netbox::Client, telemetry::metrics};

/// How long the queue and NetBox may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long NetBox's answer is believed.
const BELIEVED: Duration = Duration::from_secs(5);

/// Says that the process runs.
#[utoipa::path(get, path = "/health/live", tag = "health", operation_id = "check_liveness", security(()),
    responses((status = 200, description = "It runs", body = Health)))]
pub(super) async fn check_liveness() -> Json<Health> {
    Json(Health { status: "live" })
}

/// Says whether the queue and NetBox answer.
#[utoipa::path(get, path = "/health/ready", tag = "health", operation_id = "check_readiness", security(()),
    responses(
        (status = 200, description = "Both answer", body = Health),
        Unready))]
pub(super) async fn check_readiness(State(app): State<App>) -> Result<Json<Health>, Problem> {
    let missing = |what: &str| Problem::new(Kind::NotReady, what);
    if app.stop.is_cancelled() {
        return Err(missing("the service is going away"));
    }
    let (queue, netbox) = tokio::join!(queue_answers(&app), app.pulse.netbox_answers(&app.netbox));
    match (queue, netbox) {
        (true, true) => Ok(Json(Health { status: "ready" })),
        (false, true) => Err(missing("the queue does not answer")),
        (true, false) => Err(missing("NetBox does not answer")),
        (false, false) => Err(missing("neither the queue nor NetBox answers")),
    }
}

async fn queue_answers(app: &App) -> bool {
    match tokio::time::timeout(PATIENCE, app.queue.ping()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            warn!(error = %error_chain(&error), "the queue does not answer");
            false
        }
        Err(_) => {
            warn!("the queue does not answer in time");
            false
        }
    }
}

/// What NetBox answered last, so that many questions for health are one to it.
#[derive(Debug, Default)]
pub(super) struct Pulse(Mutex<Option<(Instant, bool)>>);

impl Pulse {
    /// Whether NetBox answers; who asks while somebody else does, waits for the same answer.
    async fn netbox_answers(&self, netbox: &Client) -> bool {
        let mut last = self.0.lock().await;
        if let Some((when, answers)) = *last
            && when.elapsed() < BELIEVED
        {
            return answers;
        }
        let answers = match tokio::time::timeout(PATIENCE, netbox.status()).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                warn!(error = %error_chain(&error), "NetBox does not answer");
                false
            }
            Err(_) => {
                warn!("NetBox does not answer in time");
                false
            }
        };
        *last = Some((Instant::now(), answers));
        answers
    }
}

/// Gives figures about the service in the text form that Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "health", operation_id = "list_metrics", security(()),
    responses(
        (status = 200, description = "Figures", body = String, content_type = "application/openmetrics-text"),
        Unmeasured))]
pub(super) async fn list_metrics(State(app): State<App>) -> Result<Response, Problem> {
    let figures = match tokio::time::timeout(PATIENCE, app.queue.figures()).await {
        Ok(Ok(figures)) => Some(figures),
        Ok(Err(_)) | Err(_) => None,
    };
    let by_state = |jobs: BTreeMap<crate::queue::State, u64>| {
        jobs.into_iter().map(|(state, count)| (state.name(), count)).collect()
    };
    app.metrics.queue(figures.map(|figures| (by_state(figures.jobs), figures.oldest_ready)));
    let text = app.metrics.text().map_err(|_| Problem::new(Kind::Internal, "the figures cannot be written"))?;
    Ok(([(CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response())
}
