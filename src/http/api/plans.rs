//! Previews of syncs, made within the request.

use std::sync::Arc;

use axum::{Json, extract::State};
use tokio_util::sync::CancellationToken;

use super::{syncs::SyncConfig, views::Skipped};
use crate::{
    http::{
        app::App,
        auth::caller::Caller,
        docs::IdempotencyKey,
        error_responses::{NotFound, PostErrors},
        extract::{Id, JsonBody, PathParam},
        problem::{Kind, Problem},
    },
    sync::{Request, Requester, json::RunView, preview},
};

/// Shows what a sync of an RIR config would write, and writes nothing.
///
/// Asks ARIN with your API key, which may take minutes. What is said of objects of a type that you may not view in NetBox
/// is left out, and counted.
#[utoipa::path(post, path = "/api/v1/configs/{id}/plan", tag = "syncs", operation_id = "plan_config",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    request_body(content = Option<SyncConfig>, content_type = "application/json"),
    responses(
        (status = 200, description = "What it would write, and what could not be found out", body = RunView),
        NotFound,
        PostErrors))]
pub(crate) async fn plan_config(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
    JsonBody(sent): JsonBody<SyncConfig>,
) -> Result<Json<RunView>, Problem> {
    let resources = sent.resources()?;
    let config = user.config(id).await?.config;
    if !app.has_key(&config.name, &user.name) {
        return Err(Skipped::NoApiKey.problem(&config, &user));
    }
    let going_away = |_| Problem::new(Kind::NotReady, "the service is going away");
    let _permit = app.previews.acquire().await.map_err(going_away)?;
    let configs = app.services.netbox.configs().await?;
    let context = app.services.context(CancellationToken::new());
    let request = Request { resources, requester: Requester::User(&user.name), ..Request::of(&config, &configs) };
    let preview = preview(&context, &request).await;
    let view = RunView::new(&preview.run, Some(&preview.plan));
    Ok(Json(view.shown_to(user.viewable_types().await?)))
}
