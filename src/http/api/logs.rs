//! The sync log of the RIR configs that the caller may view.
//!
//! It is read with the caller's own permission. A row can quote values of its object, so that one about an object of a
//! type that the caller may not view is left out.

use axum::Json;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    pages::page_size,
    views::{SyncLog, SyncLogs},
};
use crate::{
    http::{
        auth::{caller::Caller, users::User},
        error_responses::{ApiErrors, LogNotPermitted},
        extract::{Id, QueryParams},
        problem::{Kind, Problem},
    },
    model::{ObjectType, RowId},
    netbox::{self, LogFilter, LogRow},
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
    /// Only those about the object with this handle, alone or among others that were created with it.
    handle: Option<String>,
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
///
/// Rows about objects of a type that you may not view in NetBox are left out. A page may hold fewer rows than `limit`
/// though more follow: go by `next_cursor`.
#[utoipa::path(get, path = "/api/v1/sync-logs", tag = "sync-logs", operation_id = "list_sync_logs", params(ListSyncLogs),
    responses(
        (status = 200, description = "Those of configs that you may view", body = SyncLogs),
        LogNotPermitted,
        ApiErrors))]
pub(crate) async fn list_sync_logs(
    Caller(user): Caller,
    QueryParams(asked): QueryParams<ListSyncLogs>,
) -> Result<Json<SyncLogs>, Problem> {
    let limit = page_size(asked.limit, DEFAULT_PAGE, LARGEST_PAGE)?;
    let wanted = asked.config.map(|Id(id)| id);
    let visible = user.visible().await?;
    let configs: Vec<RowId> = visible.into_iter().filter(|id| wanted.is_none_or(|wanted| wanted == *id)).collect();
    let filter = asked.filter();
    // One more than asked for, to see whether there are more.
    let read = |config: RowId| user.netbox.sync_log(config, &filter, limit + 1);
    let pages: Result<Vec<Vec<LogRow>>, netbox::Error> =
        stream::iter(configs).map(read).buffer_unordered(CONFIGS_IN_FLIGHT).try_collect().await;
    let pages = pages.map_err(|error| if error.is_forbidden() { not_permitted(&user) } else { error.into() })?;
    let mut rows: Vec<LogRow> = pages.into_iter().flatten().collect();
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().map(|row| row.id).filter(|_| more);
    let rows = shown_to(&user, rows).await?;
    Ok(Json(SyncLogs { rows, next_cursor }))
}

fn not_permitted(user: &User) -> Problem {
    let detail = format!("{} needs the permission to view RIR sync logs in NetBox", user.name);
    Problem::new(Kind::NotPermitted, detail)
}

/// Leaves out the rows about objects of a type that the caller may not view.
async fn shown_to(user: &User, rows: Vec<LogRow>) -> Result<Vec<SyncLog>, Problem> {
    let viewable = user.viewable_types().await?;
    let shown = |row: &LogRow| type_of(row).is_none_or(|object| viewable.contains(&object));
    Ok(rows.into_iter().filter(shown).map(Into::into).collect())
}

/// Returns the type of the object that a row is about; `None` for the summary of a run.
fn type_of(row: &LogRow) -> Option<ObjectType> {
    ObjectType::ALL.into_iter().find(|object| row.object_type.as_deref() == Some(object.name()))
}

impl ListSyncLogs {
    fn filter(self) -> LogFilter {
        LogFilter {
            run: self.run.filter(|run| !run.is_empty()),
            status: self.status.and_then(word),
            object_type: self.object_type.and_then(word),
            handle: self.handle.filter(|handle| !handle.is_empty()),
            before: self.cursor.map(|Id(id)| id),
        }
    }
}

/// Returns a word as NetBox has it, which is the word of the API.
fn word(value: impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}
