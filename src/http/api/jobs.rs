//! Jobs: their list, and the calls that cancel and retry one. `job_access` says who may.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use tracing::info;
use utoipa::IntoParams;

use super::{
    job_access::JobAccess,
    pages::page_size,
    views::{JobView, Jobs},
};
use crate::{
    http::{
        app::App,
        auth::caller::Caller,
        docs::IdempotencyKey,
        error_responses::{ApiErrors, JobOver, NotFound, NotPermitted, PostErrors},
        extract::{Id, JobIdParam, QueryParams},
        problem::{Kind, Problem},
    },
    model::SourceName,
    queue::{Asked, Filter, JobId, State as JobState},
};

/// The jobs in a page that names no `limit`.
const DEFAULT_PAGE: usize = 50;
/// The most jobs in a page.
const LARGEST_PAGE: usize = 200;
/// Limits how many pages of the queue are read for one answer.
const QUEUE_PAGES: usize = 10;

/// The jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListJobs {
    /// Only those in this state.
    state: Option<JobState>,
    /// Only those of this RIR config.
    #[param(value_type = Option<Id>)]
    config: Option<Id>,
    /// Only those about the mirror of this source of a routing registry.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
    source: Option<SourceName>,
    /// Go on after the page that gave this as `next_cursor`.
    #[param(value_type = Option<JobId>)]
    cursor: Option<String>,
    /// The most jobs in the answer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// Lists jobs, the newest first.
///
/// A page may hold fewer jobs than `limit` though more follow: go by `next_cursor`.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", operation_id = "list_jobs", params(ListJobs),
    responses((status = 200, description = "Those of configs that you may view", body = Jobs), ApiErrors))]
pub(crate) async fn list_jobs(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    QueryParams(asked): QueryParams<ListJobs>,
) -> Result<Json<Jobs>, Problem> {
    let limit = page_size(asked.limit, DEFAULT_PAGE, LARGEST_PAGE)?;
    let unfit = || Problem::new(Kind::InvalidRequest, "`cursor` has to be a `next_cursor` from before");
    let before = asked.cursor.map(|text| JobId::parse(&text).ok_or_else(unfit)).transpose()?;
    let config = asked.config.map(|Id(id)| id);
    let access = JobAccess::of(&app, &user);
    let mut filter = Filter { state: asked.state, config, source: asked.source, before, limit };
    let mut jobs: Vec<JobView> = Vec::new();
    for _ in 0..QUEUE_PAGES {
        let page = app.services.queue.list(&filter).await?;
        let more = page.len() == filter.limit;
        for record in page {
            filter.before = Some(record.id.clone());
            if access.may_view(&record).await? {
                jobs.push(record.into());
            }
            if jobs.len() == limit {
                return Ok(Json(Jobs { jobs, next_cursor: filter.before }));
            }
        }
        if !more {
            return Ok(Json(Jobs { jobs, next_cursor: None }));
        }
    }
    Ok(Json(Jobs { jobs, next_cursor: filter.before }))
}

/// Returns a job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs", operation_id = "find_job",
    params(("id" = JobId, Path, description = "Its id")),
    responses(
        (status = 200, description = "The job", body = JobView),
        NotFound,
        ApiErrors))]
pub(crate) async fn find_job(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    JobIdParam(id): JobIdParam,
) -> Result<Json<JobView>, Problem> {
    Ok(Json(JobAccess::of(&app, &user).visible(&id).await?.into()))
}

/// Cancels a job.
///
/// One that waits is over at once; one that runs comes to an end soon.
#[utoipa::path(delete, path = "/api/v1/jobs/{id}", tag = "jobs", operation_id = "cancel_job",
    params(("id" = JobId, Path, description = "Its id")),
    responses(
        (status = 202, description = "It is, or will be, cancelled", body = JobView),
        NotPermitted,
        NotFound,
        JobOver,
        ApiErrors))]
pub(crate) async fn cancel_job(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    JobIdParam(id): JobIdParam,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    JobAccess::of(&app, &user).changeable(&id).await?;
    let asked = app.services.queue.cancel(&id, &user.name).await?;
    info!(job = %id, user = user.name, "{} cancels job {id}: {asked:?}", user.name);
    answer(&app, &id, asked, "cancelled").await
}

/// Retries a job that is dead or was cancelled, with all its attempts.
///
/// A job that you did not ask for yourself becomes yours: you need an API key of your own for its RIR config, which it
/// then uses.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/retry", tag = "jobs", operation_id = "retry_job",
    params(("id" = JobId, Path, description = "Its id"), IdempotencyKey),
    responses(
        (status = 202, description = "It will be done again", body = JobView),
        NotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn retry_job(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    JobIdParam(id): JobIdParam,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    JobAccess::of(&app, &user).retriable(&id).await?;
    let asked = app.services.queue.retry(&id, &user.name, Some(&user.name)).await?;
    info!(job = %id, user = user.name, "{} retries job {id}: {asked:?}", user.name);
    answer(&app, &id, asked, "retried").await
}

/// Answers with the job as it is after the call.
async fn answer(app: &App, id: &JobId, asked: Asked, what: &str) -> Result<(StatusCode, Json<JobView>), Problem> {
    let missing = || Problem::not_found("job", id);
    match asked {
        Asked::Taken => {
            let record = app.services.queue.find(id).await?.ok_or_else(missing)?;
            Ok((StatusCode::ACCEPTED, Json(record.into())))
        }
        Asked::Unknown => Err(missing()),
        Asked::Unfit(state) => {
            Err(Problem::new(Kind::JobState, format!("a job that is {} cannot be {what}", state.name())))
        }
    }
}
