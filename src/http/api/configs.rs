//! RIR configs as the caller may see them, and the caller as NetBox sees them.

use std::sync::Arc;

use axum::{Json, extract::State};
use futures_util::future::try_join_all;

use super::views::{ConfigAccess, ConfigView, Configs, Known, Whoami};
use crate::{
    http::{
        app::App,
        auth::caller::Caller,
        error_responses::{ApiErrors, NotFound},
        extract::{Id, PathParam},
        problem::Problem,
    },
    netbox::ConfigRow,
};

/// Lists the RIR configs that you may view.
#[utoipa::path(get, path = "/api/v1/configs", tag = "configs", operation_id = "list_configs",
    responses((status = 200, description = "The configs by name", body = Configs), ApiErrors))]
pub(crate) async fn list_configs(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Configs>, Problem> {
    let rows = caller.0.configs().await?;
    let configs = try_join_all(rows.into_iter().map(|row| view(&app, &caller, row))).await?;
    Ok(Json(Configs { configs }))
}

/// Returns an RIR config.
#[utoipa::path(get, path = "/api/v1/configs/{id}", tag = "configs", operation_id = "find_config",
    params(("id" = Id, Path, description = "Its id in NetBox")),
    responses(
        (status = 200, description = "The config", body = ConfigView),
        NotFound,
        ApiErrors))]
pub(crate) async fn find_config(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathParam(Id(id)): PathParam<Id>,
) -> Result<Json<ConfigView>, Problem> {
    let row = caller.0.config(id).await?;
    view(&app, &caller, row).await.map(Json)
}

async fn view(app: &App, caller: &Caller, row: ConfigRow) -> Result<ConfigView, Problem> {
    let services = &app.services;
    let known = Known {
        syncs: services.coordination.syncs(row.config.id).await?,
        running_job: services.queue.active(row.config.id).await?,
        requests_per_second: services.arin.per_second(&row.config.api_url).await,
        key_available: app.has_key(&row.config.name, &caller.0.name),
    };
    Ok(ConfigView::new(row, known, &services.settings.schedule))
}

/// Returns who you are, and what you may do.
#[utoipa::path(get, path = "/api/v1/whoami", tag = "configs", operation_id = "show_whoami",
    responses((status = 200, description = "You, as NetBox and the keys file know you", body = Whoami), ApiErrors))]
pub(crate) async fn show_whoami(State(app): State<Arc<App>>, Caller(user): Caller) -> Result<Json<Whoami>, Problem> {
    let mut configs = Vec::new();
    for ConfigRow { config, .. } in user.configs().await? {
        configs.push(ConfigAccess {
            id: config.id,
            may_sync: user.may_change(config.id).await?,
            key_available: app.has_key(&config.name, &user.name),
            name: config.name,
        });
    }
    Ok(Json(Whoami { user: user.name.clone(), configs }))
}
