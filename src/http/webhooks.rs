//! NetBox's webhooks: the jobs that follow from one are queued before it is answered.
//!
//! NetBox sends each webhook once, and never again after an answer that is no 2xx. So a 2xx means that the jobs are
//! durable, or that nothing follows from the change. NetBox is not asked anything here: it may be waiting for the
//! answer.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tracing::{Instrument, debug, info_span, warn};
use utoipa::ToSchema;

use super::{
    app::App,
    auth::webhook_signature,
    error_responses::WebhookErrors,
    extract::RawBody,
    middleware::trace_context,
    problem::{Kind, Problem},
};
use crate::{
    error_chain::error_chain,
    intake,
    netbox::changes::{Change, WebhookBody},
    queue::{JobId, Order, Trigger},
    telemetry::metrics::Webhook,
};

/// The result of a webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "result", rename_all = "lowercase")]
pub(super) enum WebhookResult {
    /// Jobs are queued for it.
    Queued {
        /// Their ids.
        #[schema(value_type = Vec<String>)]
        jobs: Vec<JobId>,
    },
    /// Nothing follows from it.
    Ignored {
        /// The reason.
        reason: String,
    },
}

/// Takes a change in NetBox.
///
/// For NetBox's webhooks only: `rir-sidecar bootstrap --webhook-url` sets them up. The body is NetBox's default one.
#[utoipa::path(post, path = "/webhooks/netbox", tag = "webhooks", operation_id = "receive_webhook",
    security(("netbox_webhook" = [])),
    request_body(content = WebhookBody, content_type = "application/json"),
    responses(
        (status = 200, description = "Nothing follows from it", body = WebhookResult),
        (status = 202, description = "Jobs are queued for it, and will not be lost", body = WebhookResult),
        WebhookErrors,
    ))]
pub(super) async fn receive_webhook(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let refuse = |result: Webhook, problem: Problem| {
        app.services.metrics.webhook(result);
        problem
    };
    let signature = headers.get(webhook_signature::HEADER).map(|value| value.as_bytes());
    app.webhook_secrets.verify(&body, signature).map_err(|problem| {
        warn!("refused a webhook without the right signature");
        refuse(Webhook::Unsigned, problem)
    })?;
    let change = Change::of_webhook(&body).map_err(|error| {
        warn!(error = %error_chain(&error), "refused a webhook that cannot be read");
        refuse(Webhook::Malformed, Problem::new(Kind::InvalidRequest, error_chain(&error)))
    })?;
    let orders = match intake::orders(&change, Trigger::Webhook, &app.services.settings.webhook) {
        Ok(orders) => orders,
        Err(reason) => {
            debug!(%reason, "ignored a webhook about {} {}", change.object_type, change.id);
            app.services.metrics.webhook(Webhook::Ignored);
            return Ok(Json(WebhookResult::Ignored { reason: reason.to_string() }).into_response());
        }
    };
    let span = info_span!("webhook", object.type = %change.object_type, object.id = %change.id);
    let queued = enqueue(&app, &headers, &change, orders).instrument(span).await;
    let jobs = queued.map_err(|problem| refuse(Webhook::Unavailable, problem))?;
    app.services.metrics.webhook(Webhook::Queued);
    Ok((StatusCode::ACCEPTED, Json(WebhookResult::Queued { jobs })).into_response())
}

async fn enqueue(
    app: &App,
    headers: &HeaderMap,
    change: &Change,
    mut orders: Vec<Order>,
) -> Result<Vec<JobId>, Problem> {
    orders.iter_mut().for_each(|order| order.job.traceparent = trace_context(headers));
    let enqueued = app.services.queue.enqueue(&orders).await?;
    if let Err(error) = app.services.coordination.remember_change(&change.key()).await {
        warn!(error = %error_chain(&error), "a change could not be marked as seen; the sweep will order it again");
    }
    let jobs: Vec<JobId> = enqueued.into_iter().map(|enqueued| enqueued.job).collect();
    debug!(?jobs, user = change.user.as_deref(), "queued a change of {} {}", change.object_type, change.id);
    Ok(jobs)
}
