//! Jobs: their list, and the calls that cancel and retry one.
//!
//! A caller sees the jobs of the RIR configs they may view, and cancels or retries those of configs they may change. A
//! job that names no config is seen by those who may view any config.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{JobView, Jobs};
use crate::{
    http::{
        app::App,
        auth::{caller::Caller, users::User},
        docs::IdempotencyKey,
        error_responses::{ApiErrors, JobOver, NotFound, NotPermitted, PostErrors},
        extract::{Id, JobIdParam, QueryParams},
        problem::{Kind, Problem},
    },
    queue::{Asked, Filter, JobId, Record, State as JobState, Work},
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
    let mut filter = Filter { state: asked.state, config, before, limit };
    let mut jobs: Vec<JobView> = Vec::new();
    for _ in 0..QUEUE_PAGES {
        let page = app.services.queue.list(&filter).await?;
        let more = page.len() == filter.limit;
        for record in page {
            filter.before = Some(record.id.clone());
            if may_view(&user, &record).await? {
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

/// Returns the size of the page that a caller wants.
pub(crate) fn page_size(asked: Option<usize>, usual: usize, largest: usize) -> Result<usize, Problem> {
    let size = asked.unwrap_or(usual);
    if (1..=largest).contains(&size) {
        return Ok(size);
    }
    Err(Problem::new(Kind::InvalidRequest, format!("`limit` has to be between 1 and {largest}")))
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
    Ok(Json(visible(&app, &user, &id).await?.into()))
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
    changeable(&app, &user, &id).await?;
    let asked = app.services.queue.cancel(&id).await?;
    answer(&app, &id, asked, "cancelled").await
}

/// Retries a job that is dead or was cancelled, with all its attempts.
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
    changeable(&app, &user, &id).await?;
    let asked = app.services.queue.retry(&id).await?;
    answer(&app, &id, asked, "retried").await
}

/// Returns the job, if the caller may view it.
pub(crate) async fn visible(app: &App, user: &User, id: &JobId) -> Result<Record, Problem> {
    let missing = || Problem::not_found("job", id);
    let record = app.services.queue.find(id).await?.ok_or_else(missing)?;
    if may_view(user, &record).await? { Ok(record) } else { Err(missing()) }
}

async fn may_view(user: &User, record: &Record) -> Result<bool, Problem> {
    user.may_view(record.job.as_ref().map(|job| &job.work).and_then(Work::config)).await
}

async fn changeable(app: &App, user: &User, id: &JobId) -> Result<(), Problem> {
    let record = visible(app, user, id).await?;
    let config = record.job.as_ref().map(|job| &job.work).and_then(Work::config);
    if user.may_change(config).await? {
        return Ok(());
    }
    let detail = format!("{} needs the permission to change the job's RIR config in NetBox", user.name);
    Err(Problem::new(Kind::NotPermitted, detail))
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
