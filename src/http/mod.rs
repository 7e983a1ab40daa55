//! The HTTP interface: NetBox's webhooks, the API, health, metrics and documentation.
//!
//! [`router`] lists all calls. A call that is not listed here is neither served nor in the OpenAPI document
//! ([`openapi`]). Each call passes `middleware` (id, span, metrics, timeout) and, if it is a POST of the API,
//! `api::idempotency`. Its handler takes the caller (`auth::caller`) and the input (`extract`), and answers with one of
//! `api::views` or with a `problem`.
//!
//! | files | calls |
//! |---|---|
//! | `webhooks` | changes that NetBox reports |
//! | `api/configs`, `api/syncs`, `api/plans` | RIR configs, syncs and previews |
//! | `api/jobs`, `api/job_events` | jobs and their progress |
//! | `api/findings` | where the address plan and the registry differ |
//! | `api/requests` | change requests |
//! | `api/logs` | the sync log |
//! | `api/irr` | the mirrors of routing registries |
//! | `api/routing` | how prefixes stand in them |
//! | `health`, `docs` | the state of the service, and its documentation |
//!
//! What a stranger can make the process hold has limits: `server` counts connections, `bodies` what arrives over them, and
//! `event_streams` the answers that go on.
//!
//! What takes time is put into the queue, and no request waits for it. A process that only works off jobs serves
//! [`health_router`].

mod api;
mod app;
mod auth;
mod bodies;
mod docs;
mod error_responses;
mod event_streams;
mod extract;
mod health;
mod listener;
mod middleware;
mod problem;
mod server;
mod webhooks;

use std::sync::Arc;

use axum::{Extension, Router, extract::Request, middleware::from_fn_with_state};
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::services::Services;
pub(crate) use api::irr_views::running_job;
use api::{configs, findings, idempotency, irr, job_events, jobs, logs, plans, requests, routing, syncs};
pub use api::{
    finding_views::FindingView,
    irr_views::SourceView,
    request_views::RequestView,
    routing_views::{HealthView, LookupView, RouteView, WitnessView},
    views::JobView,
};
use app::App;
use docs::{Document, DocumentText};
pub use listener::{listen, try_to_bind};
use problem::{Kind, Problem};
pub use server::serve;

/// Returns the calls of the API.
fn api_routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(configs::show_whoami))
        .routes(routes!(configs::list_configs))
        .routes(routes!(configs::find_config))
        .routes(routes!(syncs::sync_config))
        .routes(routes!(syncs::sync_configs))
        .routes(routes!(syncs::sync_aggregate))
        .routes(routes!(syncs::sync_prefix))
        .routes(routes!(plans::plan_config))
        .routes(routes!(plans::find_plan))
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(jobs::find_job, jobs::cancel_job))
        .routes(routes!(jobs::retry_job))
        .routes(routes!(job_events::watch_job))
        .routes(routes!(findings::list_findings))
        .routes(routes!(requests::list_requests))
        .routes(routes!(requests::find_request))
        .routes(routes!(requests::ask_for_changes))
        .routes(routes!(requests::approve_request))
        .routes(routes!(requests::reject_request))
        .routes(routes!(requests::withdraw_request))
        .routes(routes!(requests::submit_request))
        .routes(routes!(requests::look_at_request))
        .routes(routes!(logs::list_sync_logs))
        .routes(routes!(irr::list_irr_sources))
        .routes(routes!(irr::find_irr_source))
        .routes(routes!(irr::update_irr_source))
        .routes(routes!(irr::accept_irr_shrink))
        .routes(routes!(routing::list_prefix_health))
        .routes(routes!(routing::find_prefix_health))
        .routes(routes!(routing::look_up_prefix))
}

/// Returns the calls for machines: NetBox, probes, scrapers.
fn machine_routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::receive_webhook))
        .merge(health_routes())
        .routes(routes!(docs::show_openapi))
}

/// Returns the calls for probes and scrapers, which every process answers.
fn health_routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(health::check_liveness))
        .routes(routes!(health::check_readiness))
        .routes(routes!(health::list_metrics))
}

/// Makes the router of all calls. Its event streams end when `stop` is cancelled, and it says that it is not ready
/// then.
pub fn router(services: Services, stop: CancellationToken) -> Router {
    let app = App::new(services, stop);
    let idempotent = from_fn_with_state(Arc::clone(&app), idempotency::remember);
    let document = Extension(DocumentText(openapi().into()));
    let machines = Router::from(machine_routes()).merge(docs::page()).layer(document);
    let calls = Router::from(api_routes()).layer(idempotent).merge(machines);
    let timeout = from_fn_with_state(app.services.settings.http.timeout, middleware::time_out);
    with_middleware(app, calls.layer(timeout))
}

/// Makes the router of a process that only works off jobs: its health and its metrics.
pub fn health_router(services: Services, stop: CancellationToken) -> Router {
    let app = App::new(services, stop);
    let timeout = from_fn_with_state(app.services.settings.http.timeout, middleware::time_out);
    with_middleware(app, Router::from(health_routes()).layer(timeout))
}

/// Adds what all calls have in common.
fn with_middleware(app: Arc<App>, calls: Router<Arc<App>>) -> Router {
    calls
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(from_fn_with_state(Arc::clone(&app), middleware::catch_panic))
        .layer(from_fn_with_state(Arc::clone(&app), middleware::trace))
        .with_state(app)
}

/// Returns the OpenAPI document, which is the same for every build of one version.
#[must_use]
pub fn openapi() -> String {
    let all = OpenApiRouter::with_openapi(Document::openapi());
    let all = all.merge(api_routes()).merge(machine_routes());
    // Maps with strings as keys always have a written form.
    let mut text = all.into_openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

async fn unknown_path(request: Request) -> Problem {
    Problem::new(Kind::NotFound, format!("there is nothing at {}", request.uri().path()))
}

async fn unknown_method(request: Request) -> Problem {
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    Problem::new(Kind::MethodNotAllowed, detail)
}
