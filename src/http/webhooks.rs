//! NetBox's webhooks: the jobs that follow from one are queued before it is answered.
//!
//! NetBox sends each webhook once, and never again after an answer that is no 2xx. So a 2xx means that the jobs are
//! durable, or that nothing follows from the change. NetBox is not asked anything here: it may be waiting for the
//! answer.
//!
//! A body is read only for whoever claims to have signed it ([`SignedBody`]). NetBox's time in it tells a webhook from
//! one that somebody recorded and sends again: an old one is refused, and one of the last minutes is taken once. What a
//! refused webhook was about is found by the sweep.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::{Instrument, debug, info_span, warn};
use utoipa::ToSchema;

use super::{
    app::App,
    error_responses::WebhookErrors,
    middleware::trace_context,
    problem::{Kind, Problem},
};
use crate::{
    error_chain::error_chain,
    intake::{self, Following},
    netbox::changes::{Change, WebhookBody},
    outbound::excerpt::excerpt,
    queue::{JobId, Order, Trigger},
    telemetry::metrics::Webhook,
};

/// Limits how far NetBox's time in a webhook may lie from now.
const LONGEST_AGE: SignedDuration = SignedDuration::from_mins(5);
/// The longest name of a type, user or change: NetBox's own are shorter.
const LONGEST_NAME: usize = 255;
/// The most that is said of why nothing comes of a webhook, in characters.
const LONGEST_REASON: usize = 200;

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
/// For NetBox's webhooks only: `rir-sidecar bootstrap --webhook-url URL` sets them up. The body is NetBox's default one.
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
    SignedBody(body): SignedBody,
) -> Result<Response, Problem> {
    let count = |result: Webhook| app.services.metrics.webhook(result);
    let (change, made) = read(&body).map_err(|problem| refuse(&app, Webhook::Malformed, problem))?;
    drop(body);
    // NetBox has dated it by its own clock.
    let now = app.services.netbox.clock().unwrap_or_else(Timestamp::now);
    check_age(made, now).map_err(|problem| refuse(&app, Webhook::Stale, problem))?;
    let orders = match intake::orders(&change, Trigger::Webhook, &Following::of(&app.services.settings)) {
        Ok(orders) => orders,
        Err(reason) => {
            let reason = excerpt(&reason.to_string(), LONGEST_REASON);
            debug!(reason, "ignored a webhook about {} {}", change.object_type, change.id);
            count(Webhook::Ignored);
            return Ok(ignored(reason));
        }
    };
    let span = info_span!("webhook", object.type = %change.object_type, object.id = %change.id);
    let delivery = format!("{}@{made}", change.key());
    match take(&app, &headers, (&change, &delivery), orders).instrument(span).await {
        Ok(Some(jobs)) => {
            count(Webhook::Queued);
            Ok((StatusCode::ACCEPTED, Json(WebhookResult::Queued { jobs })).into_response())
        }
        Ok(None) => {
            count(Webhook::Repeated);
            Ok(ignored("this webhook was taken before".to_owned()))
        }
        Err(problem) => {
            count(Webhook::Unavailable);
            Err(problem)
        }
    }
}

/// The body of a webhook that was signed with one of our secrets, or by nobody where that is allowed.
pub(super) struct SignedBody(Bytes);

impl FromRequest<Arc<App>> for SignedBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let unsigned = |problem| refuse(app, Webhook::Unsigned, problem);
        let claim = app.webhook_secrets.claim(request.headers()).map_err(unsigned)?;
        let body = app.unverified_bodies.read(request.into_body()).await;
        let body = body.map_err(|problem| refuse(app, Webhook::Unread, problem))?;
        app.webhook_secrets.verify(&body, &claim).map_err(unsigned)?;
        Ok(Self(body))
    }
}

/// Counts and logs a webhook that is refused.
fn refuse(app: &App, result: Webhook, problem: Problem) -> Problem {
    app.services.metrics.webhook(result);
    warn!("refused a webhook: {}", problem.detail());
    problem
}

fn ignored(reason: String) -> Response {
    Json(WebhookResult::Ignored { reason }).into_response()
}

/// Reads the change that a webhook tells of, and when NetBox made the webhook.
fn read(body: &[u8]) -> Result<(Change, Timestamp), Problem> {
    let unfit = |detail: String| Problem::new(Kind::InvalidRequest, detail);
    let change = Change::of_webhook(body).map_err(|error| unfit(excerpt(&error_chain(&error), LONGEST_REASON)))?;
    let user = change.user.as_deref().unwrap_or_default();
    if [&change.object_type, user, &change.key()].iter().any(|name| name.len() > LONGEST_NAME) {
        return Err(unfit(format!("a name or an id in it has more than {LONGEST_NAME} bytes")));
    }
    let timeless = || unfit("it has no `timestamp` that can be read; NetBox's default body has one".to_owned());
    let made = change.time.ok_or_else(timeless)?;
    Ok((change, made))
}

/// Checks that a webhook was made about now.
fn check_age(made: Timestamp, now: Timestamp) -> Result<(), Problem> {
    let age = now.duration_since(made);
    if age.abs() <= LONGEST_AGE {
        return Ok(());
    }
    let stale = |detail: String| Err(Problem::new(Kind::StaleWebhook, detail));
    let off = humantime::format_duration(std::time::Duration::from_secs(age.unsigned_abs().as_secs()));
    if age.is_negative() {
        return stale(format!("it was made {off} from now: set the clocks of NetBox and of this machine"));
    }
    stale(format!(
        "it was made {off} ago, and is refused after 5m; the sweep of the change log finds what it was about"
    ))
}

/// Queues the jobs of a webhook; `None` when it was taken before.
async fn take(
    app: &App,
    headers: &HeaderMap,
    (change, delivery): (&Change, &str),
    mut orders: Vec<Order>,
) -> Result<Option<Vec<JobId>>, Problem> {
    let coordination = &app.services.coordination;
    if !coordination.remember_delivery(delivery).await? {
        return Ok(None);
    }
    orders.iter_mut().for_each(|order| order.job.traceparent = trace_context(headers));
    let enqueued = match app.services.queue.enqueue(&orders).await {
        Ok(enqueued) => enqueued,
        Err(error) => {
            // Somebody may have NetBox send it again.
            if let Err(error) = coordination.forget_delivery(delivery).await {
                warn!(error = %error_chain(&error), "a webhook that was not taken counts as taken for a while");
            }
            return Err(error.into());
        }
    };
    let seen = [(change.key(), change.time.unwrap_or_else(Timestamp::now))];
    if let Err(error) = coordination.remember_changes(&seen).await {
        warn!(error = %error_chain(&error), "a change could not be marked as seen; the sweep will order it again");
    }
    let jobs: Vec<JobId> = enqueued.into_iter().map(|enqueued| enqueued.job).collect();
    debug!(?jobs, user = change.user.as_deref(), "queued a change of {} {}", change.object_type, change.id);
    Ok(Some(jobs))
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_of_the_last_five_minutes() {
        let now: Timestamp = "2026-11-22T22:34:57Z".parse().unwrap();
        let of = |seconds: i64| check_age(now + SignedDuration::from_secs(seconds), now);
        for good in [-300, -1, 0, 1, 300] {
            assert!(of(good).is_ok(), "{good}");
        }
        let refused = |seconds| of(seconds).unwrap_err().detail().to_owned();
        assert!(refused(-301).starts_with("it was made 5m 1s ago"), "{}", refused(-301));
        assert!(refused(301).starts_with("it was made 5m 1s from now"), "{}", refused(301));
    }

    #[test]
    fn long_names_are_refused_without_repeating_them() {
        let body = |user: &str| {
            let change = serde_json::json!({ "event": "created", "object_type": "ipam.prefix", "data": { "id": 1 },
                                             "timestamp": Timestamp::UNIX_EPOCH,
                                             "request": { "id": "1", "user": user } });
            change.to_string()
        };
        assert!(read(body(&"u".repeat(255)).as_bytes()).is_ok());
        let long = "u".repeat(256);
        assert!(!read(body(&long).as_bytes()).unwrap_err().detail().contains(&long));
        let odd = serde_json::json!({ "event": "created", "object_type": { "x".repeat(10_000): 1 } }).to_string();
        assert!(read(odd.as_bytes()).unwrap_err().detail().len() < 300);
    }
}
