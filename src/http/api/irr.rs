//! The mirrors of routing registries: how they stand, and the calls that have one updated.
//!
//! A mirror belongs to no RIR config and serves all of them; `job_access` says who may view and update it. Nobody needs an
//! API key for that.

use std::sync::Arc;

use axum::{Json, extract::State, http::HeaderMap, response::Response};
use futures_util::future::try_join_all;
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;

use super::{
    irr_views::{SourceView, Sources, running_job},
    job_access::JobAccess,
    syncs::{accept, job_path, origin},
    views::Accepted,
};
use crate::{
    config::IrrSource,
    http::{
        app::App,
        auth::{caller::Caller, users::User},
        docs::IdempotencyKey,
        error_responses::{ApiErrors, MirrorsNotPermitted, NoSource, PostErrors},
        extract::{JsonBody, PathParam},
        problem::{Kind, Problem},
    },
    model::SourceName,
    queue::Work,
};

/// The way in which to update a mirror.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateSource {
    #[serde(default)]
    mode: UpdateMode,
}

/// How a mirror is brought up to date: `update` takes what is new, `reload` takes all of the dump anew and drops the
/// journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(default = "update")]
pub(crate) enum UpdateMode {
    #[default]
    Update,
    Reload,
}

/// Lists the mirrors of routing registries.
#[utoipa::path(get, path = "/api/v1/irr/sources", tag = "irr", operation_id = "list_irr_sources",
    responses(
        (status = 200, description = "The sources of the settings", body = Sources),
        MirrorsNotPermitted,
        ApiErrors))]
pub(crate) async fn list_irr_sources(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
) -> Result<Json<Sources>, Problem> {
    JobAccess::of(&app, &user).view_mirrors().await?;
    let sources = app.services.settings.irr.source.iter().map(|source| view(&app, source));
    Ok(Json(Sources { sources: try_join_all(sources).await? }))
}

/// Returns the mirror of a source.
///
/// While a job updates it, `objects_read` says how far that is; the job's events tell it as it happens.
#[utoipa::path(get, path = "/api/v1/irr/sources/{source}", tag = "irr", operation_id = "find_irr_source",
    params(("source" = String, Path, description = "Its name", pattern = "^[A-Za-z][A-Za-z0-9_-]{0,31}$")),
    responses(
        (status = 200, description = "The source", body = SourceView),
        MirrorsNotPermitted,
        NoSource,
        ApiErrors))]
pub(crate) async fn find_irr_source(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(name): PathParam<SourceName>,
) -> Result<Json<SourceView>, Problem> {
    JobAccess::of(&app, &user).view_mirrors().await?;
    view(&app, known(&app, &name)?).await.map(Json)
}

/// Updates the mirror of a source at once.
///
/// A reload is done by the next run that begins, also if one is under way now.
#[utoipa::path(post, path = "/api/v1/irr/sources/{source}/updates", tag = "irr", operation_id = "update_irr_source",
    params(
        ("source" = String, Path, description = "Its name", pattern = "^[A-Za-z][A-Za-z0-9_-]{0,31}$"),
        IdempotencyKey),
    request_body(content = Option<UpdateSource>, content_type = "application/json"),
    responses(
        (status = 202, description = "A job will do it", body = Accepted,
            headers(("Location" = String, description = "Path of the job")),
            links(
                ("find" = (operation_id = "find_job", parameters(("id" = "$response.body#/job/id")))),
                ("watch" = (operation_id = "watch_job", parameters(("id" = "$response.body#/job/id")))),
                ("cancel" = (operation_id = "cancel_job", parameters(("id" = "$response.body#/job/id"))))
            )),
        MirrorsNotPermitted,
        NoSource,
        PostErrors))]
pub(crate) async fn update_irr_source(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(name): PathParam<SourceName>,
    headers: HeaderMap,
    JsonBody(UpdateSource { mode }): JsonBody<UpdateSource>,
) -> Result<Response, Problem> {
    JobAccess::of(&app, &user).change_mirrors().await?;
    let source = known(&app, &name)?;
    if mode == UpdateMode::Reload {
        // It is counted first: whichever run begins from now on does it.
        app.services.mirror.store.ask_reload(&source.name).await?;
    }
    queue(&app, &user, &headers, source).await
}

/// Accepts the dump that was refused last for having too few objects.
#[utoipa::path(post, path = "/api/v1/irr/sources/{source}/accept-shrink", tag = "irr", operation_id = "accept_irr_shrink",
    params(
        ("source" = String, Path, description = "Its name", pattern = "^[A-Za-z][A-Za-z0-9_-]{0,31}$"),
        IdempotencyKey),
    responses(
        (status = 202, description = "A job will take a dump with so few objects", body = Accepted,
            headers(("Location" = String, description = "Path of the job"))),
        MirrorsNotPermitted,
        NoSource,
        PostErrors))]
pub(crate) async fn accept_irr_shrink(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(name): PathParam<SourceName>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    JobAccess::of(&app, &user).change_mirrors().await?;
    let source = known(&app, &name)?;
    let refused = app.services.mirror.store.accept_shrink(&name).await?;
    let nothing =
        || Problem::new(Kind::NothingRefused, format!("no dump of {name} was refused for having too few objects"));
    let objects = refused.ok_or_else(nothing)?.objects;
    info!(source = %name, user = user.name, objects, "{} accepts the dump of {name} with {objects} objects", user.name);
    queue(&app, &user, &headers, source).await
}

async fn view(app: &App, source: &IrrSource) -> Result<SourceView, Problem> {
    let state = app.services.mirror.store.state(&source.name).await?;
    let running = running_job(&app.services.queue, &source.name).await?;
    Ok(SourceView::new(source, state, running))
}

fn known<'a>(app: &'a App, name: &SourceName) -> Result<&'a IrrSource, Problem> {
    let known = app.services.settings.irr.known(name);
    known.map_err(|unknown| Problem::new(Kind::NotFound, unknown.to_string()))
}

/// Has a source updated at once, and answers with the job.
async fn queue(app: &App, user: &User, headers: &HeaderMap, source: &IrrSource) -> Result<Response, Problem> {
    let work = Work::UpdateIrr { source: source.name.clone() };
    accept(app, origin(user, headers, false).order(work), job_path).await
}
