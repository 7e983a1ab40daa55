//! How prefixes stand in the routing registries: the rows that the caller may view, and what is held of any prefix.

use std::sync::Arc;

use axum::{Json, extract::State};
use ipnet::IpNet;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use super::{
    job_access::JobAccess,
    pages::{cut, page_size},
    routing_views::{HealthPage, HealthView, LookupView, WitnessView},
};
use crate::{
    findings::order::subject_order,
    http::{
        app::App,
        auth::{caller::Caller, users::User},
        error_responses::{ApiErrors, HealthNotPermitted, MirrorsNotPermitted, NoPrefix, NotJudged},
        extract::{PathParam, QueryParams},
        problem::{Kind, Problem},
    },
    netbox::{self, HealthRow, Recorded, routing_rows::CURRENT},
    outbound::excerpt::excerpt,
    routing::{Level, Verdict, lookup, witnesses_of},
};

/// The ranges in a page that names no `limit`.
const DEFAULT_PAGE: usize = 50;
/// The most ranges in a page.
const LARGEST_PAGE: usize = 200;
/// So many look-ups run at once: each reads all that is held of each source.
static LOOKUPS: Semaphore = Semaphore::const_new(1);

/// The ranges to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListHealth {
    /// Only those of this verdict.
    #[param(inline)]
    verdict: Option<Verdict>,
    /// Only those of this level.
    #[param(inline)]
    level: Option<Level>,
    /// Go on after the page that gave this as `next_cursor`.
    cursor: Option<String>,
    /// The most ranges in the answer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// The prefix to look up.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookUp {
    /// The prefix.
    #[param(example = "192.0.2.0/24")]
    prefix: String,
}

/// Lists how ranges stand in the routing registries, and what to do.
///
/// They are those that were judged last: prefixes and aggregates of NetBox, and ranges inside aggregates that registries have
/// objects about and NetBox does not have.
#[utoipa::path(get, path = "/api/v1/irr/health", tag = "irr", operation_id = "list_prefix_health", params(ListHealth),
    responses(
        (status = 200, description = "The ranges", body = HealthPage),
        HealthNotPermitted,
        ApiErrors))]
pub(crate) async fn list_prefix_health(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    QueryParams(asked): QueryParams<ListHealth>,
) -> Result<Json<HealthPage>, Problem> {
    let limit = page_size(asked.limit, DEFAULT_PAGE, LARGEST_PAGE)?;
    let (rows, next_cursor) = asked.page(rows(&user).await?, limit);
    let ranges = rows.into_iter().map(HealthView::from).collect();
    Ok(Json(HealthPage { ranges, next_cursor, sources: sources(&app).await? }))
}

/// Returns how a prefix stands in the routing registries.
///
/// NetBox may have it several times, in several VRFs.
#[utoipa::path(get, path = "/api/v1/irr/health/{address}/{length}", tag = "irr", operation_id = "find_prefix_health",
    params(
        ("address" = String, Path, description = "Its address", example = "192.0.2.0"),
        ("length" = String, Path, description = "Its length", example = "24")),
    responses(
        (status = 200, description = "Its health", body = HealthPage),
        NotJudged,
        NoPrefix,
        HealthNotPermitted,
        ApiErrors))]
pub(crate) async fn find_prefix_health(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam((address, length)): PathParam<(String, String)>,
) -> Result<Json<HealthPage>, Problem> {
    let text = read_prefix(&format!("{address}/{length}"))?.to_string();
    let of_range = rows(&user).await?.into_iter().filter(|recorded| recorded.row.range == text);
    let ranges: Vec<HealthView> = of_range.map(HealthView::from).collect();
    if ranges.is_empty() {
        let detail = format!("{text} was not judged: NetBox does not have it inside an aggregate of public space");
        return Err(Problem::new(Kind::NotFound, detail));
    }
    Ok(Json(HealthPage { ranges, next_cursor: None, sources: sources(&app).await? }))
}

/// Returns what all sources have about a prefix, around it and inside it, and what RPKI says of that.
#[utoipa::path(get, path = "/api/v1/irr/lookup", tag = "irr", operation_id = "look_up_prefix", params(LookUp),
    responses(
        (status = 200, description = "What was found", body = LookupView),
        NoPrefix,
        MirrorsNotPermitted,
        ApiErrors))]
pub(crate) async fn look_up_prefix(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    QueryParams(LookUp { prefix }): QueryParams<LookUp>,
) -> Result<Json<LookupView>, Problem> {
    JobAccess::of(&app, &user).view_mirrors().await?;
    let prefix = read_prefix(&prefix)?;
    let _turn = LOOKUPS.acquire().await;
    let services = &app.services;
    let found = lookup(&services.mirror.store, &services.settings, prefix, Timestamp::now()).await?;
    Ok(Json(LookupView::of(prefix, found)))
}

/// Reads a prefix. Bits behind its length do not matter.
fn read_prefix(text: &str) -> Result<IpNet, Problem> {
    let no_prefix =
        |_| Problem::new(Kind::NoPrefix, format!("`{}` is no prefix such as 192.0.2.0/24", excerpt(text, 50)));
    text.parse::<IpNet>().map(|prefix| prefix.trunc()).map_err(no_prefix)
}

/// Reads the rows about what is there, with the caller's own permission.
async fn rows(user: &User) -> Result<Vec<Recorded<HealthRow>>, Problem> {
    let mut rows = user.netbox.routing_rows::<HealthRow>().await.map_err(|error| refused(error, user))?;
    rows.retain(|recorded| recorded.row.state == CURRENT);
    Ok(rows)
}

fn refused(error: netbox::Error, user: &User) -> Problem {
    if error.is_forbidden() {
        let detail = format!("{} needs the permission to view RIR prefix health in NetBox", user.name);
        return Problem::new(Kind::NotPermitted, detail);
    }
    error.into()
}

/// Names and times only: they take no permission.
async fn sources(app: &App) -> Result<Vec<WitnessView>, Problem> {
    let services = &app.services;
    let witnesses = witnesses_of(&services.mirror.store, &services.settings, Timestamp::now()).await?;
    Ok(witnesses.iter().map(WitnessView::from).collect())
}

impl ListHealth {
    /// Cuts a page from all ranges, and says where the next one begins.
    fn page(&self, rows: Vec<Recorded<HealthRow>>, limit: usize) -> (Vec<Recorded<HealthRow>>, Option<String>) {
        let wanted = rows.into_iter().filter(|recorded| self.wants(&recorded.row));
        cut(wanted, place, self.cursor.as_deref(), limit)
    }

    fn wants(&self, row: &HealthRow) -> bool {
        self.verdict.is_none_or(|verdict| row.verdict == verdict.name())
            && self.level.is_none_or(|level| row.level == level.name())
    }
}

/// The place of a range among others, as text that sorts as people read: the most urgent first, then by address. It goes
/// into a URL as it is.
fn place(recorded: &Recorded<HealthRow>) -> String {
    let urgency = Level::ALL.iter().rev().position(|level| level.name() == recorded.row.level);
    let range = subject_order(&recorded.row.range);
    format!("{}.{range}.{}", urgency.unwrap_or(Level::ALL.len()), recorded.id)
}
