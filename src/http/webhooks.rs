//! NetBox's webhooks: what they ask for is queued before they are answered.
//!
//! NetBox sends each webhook once, and never again after an answer that is no 2xx. So a 2xx means that the jobs are
//! durable, or that nothing follows from the change. NetBox is not asked anything here: it may be waiting for the answer.

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
    App,
    extract::Raw,
    problem::{Kind, Problem},
    refusals::Unheard,
    signature,
    trace::context,
};
use crate::{
    error_chain::error_chain,
    netbox::schema,
    queue::{
        JobId, Order, Trigger,
        hints::{self, Change},
    },
    telemetry::metrics::Webhook,
};

/// What became of a webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "result", rename_all = "lowercase")]
pub(super) enum Heard {
    /// Jobs are queued for it.
    Queued {
        /// Their ids.
        #[schema(value_type = Vec<String>)]
        jobs: Vec<JobId>,
    },
    /// Nothing follows from it.
    Ignored {
        /// Why.
        reason: String,
    },
}

/// A change as NetBox tells of it; what else it says does not matter here.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is there for the document; `hints` reads what NetBox sends")]
pub(super) struct NetboxChange {
    /// `created`, `updated` or `deleted`; others are ignored.
    event: String,
    /// Type of the object.
    #[schema(example = "ipam.prefix")]
    object_type: String,
    /// The object.
    data: NetboxObject,
    /// The request that changed it.
    request: Option<NetboxRequest>,
    /// Its fields before and after, foreign keys as ids.
    snapshots: Option<NetboxSnapshots>,
}

/// The object.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as above")]
pub(super) struct NetboxObject {
    /// Its id.
    id: u64,
    /// Where the REST API has it.
    url: Option<String>,
}

/// The request.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as above")]
pub(super) struct NetboxRequest {
    /// Its id.
    id: Option<String>,
    /// Name of the user who made it.
    user: Option<String>,
}

/// The fields.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as above")]
pub(super) struct NetboxSnapshots {
    /// Before; null for a new object.
    #[schema(value_type = Option<Object>)]
    prechange: Option<()>,
    /// After; null for one that is gone.
    #[schema(value_type = Option<Object>)]
    postchange: Option<()>,
}

/// Takes a change in NetBox.
///
/// For NetBox's webhooks only (`rir-sidecar bootstrap --webhook-url` sets them up). The body is what NetBox sends by default.
#[utoipa::path(post, path = "/webhooks/netbox", tag = "webhooks", operation_id = "receive_webhook",
    security(("netbox_webhook" = [])),
    request_body(content = NetboxChange, content_type = "application/json"),
    responses(
        (status = 200, description = "Nothing follows from it", body = Heard),
        (status = 202, description = "Jobs are queued for it, and will not be lost", body = Heard),
        Unheard,
    ))]
pub(super) async fn receive_webhook(
    State(app): State<App>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    let refuse = |result: Webhook, problem: Problem| {
        app.metrics.webhook(result);
        problem
    };
    let signature = headers.get(signature::HEADER).map(|value| value.as_bytes());
    app.signatures.verify(&body, signature).map_err(|problem| {
        warn!("refused a webhook without the right signature");
        refuse(Webhook::Unsigned, problem)
    })?;
    let change = Change::of_webhook(&body, schema::CONFIG).map_err(|error| {
        warn!(error = %error_chain(&error), "refused a webhook that cannot be read");
        refuse(Webhook::Malformed, Problem::new(Kind::InvalidRequest, error_chain(&error)))
    })?;
    let orders = match hints::orders(&change, Trigger::Webhook, &app.settings.webhook) {
        Ok(orders) => orders,
        Err(reason) => {
            debug!(%reason, "ignored a webhook about {} {}", change.object_type, change.id);
            app.metrics.webhook(Webhook::Ignored);
            return Ok(Json(Heard::Ignored { reason: reason.to_string() }).into_response());
        }
    };
    let span = info_span!("webhook", object.type = %change.object_type, object.id = %change.id);
    let queued = queue(&app, &headers, &change, orders).instrument(span).await;
    let jobs = queued.map_err(|problem| refuse(Webhook::Unavailable, problem))?;
    app.metrics.webhook(Webhook::Queued);
    Ok((StatusCode::ACCEPTED, Json(Heard::Queued { jobs })).into_response())
}

async fn queue(app: &App, headers: &HeaderMap, change: &Change, mut orders: Vec<Order>) -> Result<Vec<JobId>, Problem> {
    orders.iter_mut().for_each(|order| order.job.traceparent = context(headers));
    let enqueued = app.queue.enqueue(&orders).await?;
    if let Err(error) = app.coordination.remember_change(&change.hint()).await {
        warn!(error = %error_chain(&error), "a change could not be marked as seen; the sweep will order it again");
    }
    let jobs: Vec<JobId> = enqueued.into_iter().map(|enqueued| enqueued.job).collect();
    debug!(?jobs, user = change.user.as_deref(), "queued a change of {} {}", change.object_type, change.id);
    Ok(jobs)
}
