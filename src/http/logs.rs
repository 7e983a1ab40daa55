//! Rows of the sync log, as far as the caller may view their RIR configs.

use axum::{Json, extract::State};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    App,
    accounts::Caller,
    extract::{Asked, Id},
    jobs::page_size,
    problem::Problem,
    refusals::Refusals,
    views::SyncLogs,
};
use crate::{
    model::RowId,
    netbox::{LogFilter, LogRow},
};

/// Rows in a page, if nobody says.
const PAGE: usize = 50;
/// Most rows in a page.
const LARGEST_PAGE: usize = 200;
/// Configs whose rows are read at once.
const CONFIGS_IN_FLIGHT: usize = 4;

/// Which rows to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListSyncLogs {
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
    object_type: Option<LogObject>,
    /// Go on after the page that gave this as `next_cursor`.
    #[param(value_type = Option<Id>)]
    cursor: Option<Id>,
    /// How many at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogStatus {
    Success,
    Error,
    Skipped,
}

/// Types of objects in the log.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogObject {
    Organization,
    Contact,
    Network,
    Customer,
}

/// Lists rows of the sync log, the newest first.
#[utoipa::path(get, path = "/api/v1/sync-logs", tag = "sync-logs", operation_id = "list_sync_logs", params(ListSyncLogs),
    responses((status = 200, description = "Those of configs that you may view", body = SyncLogs), Refusals))]
pub(super) async fn list_sync_logs(
    State(app): State<App>,
    Caller(account): Caller,
    Asked(asked): Asked<ListSyncLogs>,
) -> Result<Json<SyncLogs>, Problem> {
    let limit = page_size(asked.limit, PAGE, LARGEST_PAGE)?;
    let wanted = asked.config.map(|Id(id)| id);
    let visible = account.visible().await?;
    let configs: Vec<RowId> = visible.into_iter().filter(|id| wanted.is_none_or(|wanted| wanted == *id)).collect();
    let filter = asked.filter();
    // One more than asked for, to see whether there are more.
    let read = |config: RowId| app.netbox.sync_log(config, &filter, limit + 1);
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
            status: self.status.map(|status| status.name().to_owned()),
            object_type: self.object_type.map(|object| object.name().to_owned()),
            before: self.cursor.map(|Id(id)| id),
        }
    }
}

impl LogStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

impl LogObject {
    fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Contact => "contact",
            Self::Network => "network",
            Self::Customer => "customer",
        }
    }
}
