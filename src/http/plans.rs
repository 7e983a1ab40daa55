//! Previews: what a sync would write, found out within the request.

use axum::{Json, extract::State};

use super::{
    App,
    accounts::Caller,
    extract::{Id, Segment, Sent},
    problem::{Kind, Problem},
    refusals::{PostRefusals, Unseen},
    syncs::SyncConfig,
    views::Skipped,
};
use crate::sync::{Request, Requester, json::RunView, preview};

/// Shows what a sync of an RIR config would write, and writes nothing.
///
/// Asks ARIN with your API key, which may take minutes.
#[utoipa::path(post, path = "/api/v1/configs/{id}/plan", tag = "syncs", operation_id = "plan_config",
    params(("id" = Id, Path, description = "Its id in NetBox"), super::docs::IdempotencyKey),
    request_body(content = Option<SyncConfig>, content_type = "application/json"),
    responses(
        (status = 200, description = "What it would write, and what could not be found out", body = RunView),
        Unseen,
        PostRefusals))]
pub(super) async fn plan_config(
    State(app): State<App>,
    Caller(account): Caller,
    Segment(Id(id)): Segment<Id>,
    Sent(sent): Sent<SyncConfig>,
) -> Result<Json<RunView>, Problem> {
    let resources = sent.resources()?;
    let config = account.config(id).await?.config;
    if !app.has_key(&config.name, &account.name) {
        return Err(Skipped::NoApiKey.problem(&config, &account));
    }
    let going_away = |_| Problem::new(Kind::NotReady, "the service is going away");
    let _turn = app.previews.acquire().await.map_err(going_away)?;
    let configs = app.netbox.configs().await?;
    let context = (app.contexts)();
    let request = Request { resources, requester: Requester::User(&account.name), ..Request::of(&config, &configs) };
    let preview = preview(&context, &request).await;
    Ok(Json(RunView::new(&preview.run, Some(&preview.plan))))
}
