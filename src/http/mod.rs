//! The HTTP interface: NetBox's webhooks, the API, health, figures and documentation.
//!
//! [`router`] lists all calls; what is not listed, and so not in the OpenAPI document ([`openapi`]), is not served. A call
//! passes `trace` (id, span, figures, patience) and, if it is a POST of the API, `idempotency`; its handler takes the caller
//! (`accounts`) and what was sent (`extract`), and answers with one of the `views` or a `problem`.
//!
//! | file | calls |
//! |---|---|
//! | `webhooks` | NetBox tells what changed |
//! | `configs`, `syncs`, `plans` | RIR configs, syncs and previews |
//! | `jobs`, `events` | what was asked for, and how far it is |
//! | `logs` | what syncs did |
//! | `health`, `docs` | whether it works, and how to use it |
//!
//! Nothing here syncs, but for previews: everything else is put into the queue. A process that only works serves
//! [`health_router`].

mod accounts;
mod configs;
mod docs;
mod doorman;
mod events;
mod extract;
mod health;
mod idempotency;
mod jobs;
mod logs;
mod plans;
mod problem;
mod refusals;
mod serve;
mod signature;
mod syncs;
mod trace;
mod views;
mod webhooks;

use std::{fmt, ops::Deref, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::from_fn_with_state,
};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use accounts::Accounts;
use problem::{Kind, Problem};
pub use serve::serve;
use signature::Signatures;
pub use views::JobView;

use crate::{
    config::{Settings, keys::Keyring},
    coordination::Coordination,
    netbox,
    queue::Queue,
    sync,
    telemetry::metrics::Metrics,
};

/// How long a preview may take.
const PREVIEW: Duration = Duration::from_secs(300);
/// Previews under way at once; each holds what NetBox has in memory.
const PREVIEWS: usize = 2;

/// Makes what a preview works with; the API keys in it are those of now.
pub type Contexts = Arc<dyn Fn() -> sync::Context + Send + Sync>;

/// What the HTTP interface works with.
pub struct Parts {
    /// All settings.
    pub settings: Arc<Settings>,
    /// Where jobs go.
    pub queue: Queue,
    /// The facts that replicas share.
    pub coordination: Coordination,
    /// NetBox, as rir-sidecar itself.
    pub netbox: netbox::Client,
    /// The API keys as they are now.
    pub keys: watch::Receiver<Keyring>,
    /// What previews work with.
    pub contexts: Contexts,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the service goes away.
    pub stop: CancellationToken,
}

/// What handlers work with; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What all clones of an [`App`] share.
pub struct Shared {
    parts: Parts,
    accounts: Accounts,
    signatures: Signatures,
    pulse: health::Pulse,
    previews: Semaphore,
    document: String,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Shared {
            accounts: Accounts::new(&parts.settings.http, parts.netbox.clone()),
            signatures: Signatures::new(&parts.settings.webhook),
            pulse: health::Pulse::default(),
            previews: Semaphore::new(PREVIEWS),
            document: openapi(),
            parts,
        }))
    }

    /// Whether a user has an API key for an RIR config.
    fn has_key(&self, config: &str, user: &str) -> bool {
        self.keys.borrow().choose(config, Some(user), None).is_ok()
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Deref for Shared {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

/// The calls of the API that are answered at once.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(configs::show_whoami))
        .routes(routes!(configs::list_configs))
        .routes(routes!(configs::find_config))
        .routes(routes!(syncs::sync_config))
        .routes(routes!(syncs::sync_configs))
        .routes(routes!(syncs::sync_aggregate))
        .routes(routes!(syncs::sync_prefix))
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(jobs::find_job, jobs::cancel_job))
        .routes(routes!(jobs::retry_job))
        .routes(routes!(events::watch_job))
        .routes(routes!(logs::list_sync_logs))
}

/// The calls of the API that may take minutes.
fn slow_api() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(plans::plan_config))
}

/// The calls for machines: NetBox, probes, scrapers.
fn machines() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::receive_webhook))
        .merge(wellbeing())
        .routes(routes!(docs::show_openapi))
}

/// The calls for probes and scrapers, which every process answers.
fn wellbeing() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(health::check_liveness))
        .routes(routes!(health::check_readiness))
        .routes(routes!(health::list_metrics))
}

/// All that is served.
pub fn router(app: App) -> Router {
    let patience = app.settings.http.timeout;
    let once = || from_fn_with_state(app.clone(), idempotency::remember);
    let within = |patience: Duration| from_fn_with_state(patience, trace::limit);
    let quick = Router::from(api()).layer(once()).merge(Router::from(machines()).merge(docs::page()));
    let slow = Router::from(slow_api()).layer(once());
    outfit(app, quick.layer(within(patience)).merge(slow.layer(within(PREVIEW))))
}

/// What a process serves that only works: whether it is well, and its figures.
pub fn health_router(app: App) -> Router {
    let within = from_fn_with_state(app.settings.http.timeout, trace::limit);
    outfit(app, Router::from(wellbeing()).layer(within))
}

/// What all calls have in common.
fn outfit(app: App, calls: Router<App>) -> Router {
    let largest = app.settings.http.max_body_bytes;
    calls
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(DefaultBodyLimit::max(largest))
        .layer(from_fn_with_state(app.clone(), trace::trace))
        .with_state(app)
}

/// The OpenAPI document, the same for every build of one version.
#[must_use]
pub fn openapi() -> String {
    let all = OpenApiRouter::with_openapi(docs::Document::openapi()).merge(api()).merge(slow_api()).merge(machines());
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
