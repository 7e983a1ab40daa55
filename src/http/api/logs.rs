//! The sync log of the RIR configs that the caller may view.

use std::sync::Arc;

use axum::{Json, extract::State};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{jobs::page_size, views::SyncLogs};
use crate::{
    http::{
        app::App,
        auth::caller::Caller,
        error_responses::ApiErrors,
        extract::{Id, QueryParams},
        problem::Problem,
    },
    model::RowId,
    netbox::{LogFilter, LogRow},
};

/// The rows in a page that names no `limit`.
const DEFAULT_PAGE: usize = 50;
/// The most rows in a page.
const LARGEST_PAGE: usize = 200;
/// Limits how many configs' rows are read at once.
const CONFIGS_IN_FLIGHT: usize = 4;

/// The rows to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListSyncLogs {
    /// Only those of this RIR config.
    #[param(value_type = Option<Id>)]
    config: Option<Id>,
    /// Only those of this run.
    run: Option<String>,
    /// Only those that ended so.
    #[param(inline)]
    status: Option<LogStatus>,
    /// Only those about objects of this type.
    #[param(inline)]
    object_type: Option<LoggedType>,
    /// Go on after the page that gave this as `next_cursor`.
    #[param(value_type = Option<Id>)]
    cursor: Option<Id>,
    /// The most rows in the answer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// The outcome of an operation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogStatus {
    Success,
    Error,
    Skipped,
}

/// The types of objects that rows are about. An address has no row of its own: it is written with its object.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LoggedType {
    Organization,
    Contact,
    Network,
    Customer,
}

/// Lists rows of the sync log, the newest first.
#[utoipa::path(get, path = "/api/v1/sync-logs", tag = "sync-logs", operation_id = "list_sync_logs", params(ListSyncLogs),
    responses((status = 200, description = "Those of configs that you may view", body = SyncLogs), ApiErrors))]
pub(crate) async fn list_sync_logs(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    QueryParams(asked): QueryParams<ListSyncLogs>,
) -> Result<Json<SyncLogs>, Problem> {
    let limit = page_size(asked.limit, DEFAULT_PAGE, LARGEST_PAGE)?;
    let wanted = asked.config.map(|Id(id)| id);
    let visible = user.visible().await?;
    let configs: Vec<RowId> = visible.into_iter().filter(|id| wanted.is_none_or(|wanted| wanted == *id)).collect();
    let filter = asked.filter();
    // One more than asked for, to see whether there are more.
    let read = |config: RowId| app.services.netbox.sync_log(config, &filter, limit + 1);
    let pages: Vec<Vec<LogRow>> =
        stream::iter(configs).map(read).buffer_unordered(CONFIGS_IN_FLIGHT).try_collect().await?;
    let mut rows: Vec<LogRow> = pages.into_iter().flatten().collect();
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().map(|row| row.id).filter(|_| more);
    Ok(Json(SyncLogs { rows: rows.into_iter().map(Into::into).collect(), next_cursor }))
}

impl ListSyncLogs {
    fn filter(self) -> LogFilter {
        LogFilter {
            run: self.run.filter(|run| !run.is_empty()),
            status: self.status.and_then(word),
            object_type: self.object_type.and_then(word),
            before: self.cursor.map(|Id(id)| id),
        }
    }
}

/// Returns a word as NetBox has it, which is the word of the API.
fn word(value: impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}
