//! Jobs: looking at them, cancelling them, giving them another life.
//!
//! A caller sees the jobs of the RIR configs they may view, and cancels or retries those of configs they may change. A job
//! that names no config is seen by whoever may view any.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    App,
    accounts::{Account, Caller},
    extract::{Asked as Query, Id, JobSegment},
    problem::{Kind, Problem},
    refusals::{Over, PostRefusals, Refusals, Unpermitted, Unseen},
    views::{JobView, Jobs},
};
use crate::queue::{Asked, Filter, JobId, Record, State as JobState, Work};

/// Jobs in a page, if nobody says.
const PAGE: usize = 50;
/// Most jobs in a page.
const LARGEST_PAGE: usize = 200;
/// Pages of the queue looked through for one answer.
const LOOKS: usize = 10;

/// Which jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListJobs {
    /// Only those in this state.
    state: Option<JobState>,
    /// Only those of this RIR config.
    #[param(value_type = Option<Id>)]
    config: Option<Id>,
    /// Go on after the page that gave this as `next_cursor`.
    #[param(value_type = Option<JobId>)]
    cursor: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// Lists jobs, the newest first.
///
/// A page may hold fewer jobs than `limit` though more follow: go by `next_cursor`.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", operation_id = "list_jobs", params(ListJobs),
    responses((status = 200, description = "Those of configs that you may view", body = Jobs), Refusals))]
pub(super) async fn list_jobs(
    State(app): State<App>,
    Caller(account): Caller,
    Query(asked): Query<ListJobs>,
) -> Result<Json<Jobs>, Problem> {
    let limit = page_size(asked.limit, PAGE, LARGEST_PAGE)?;
    let unfit = || Problem::new(Kind::InvalidRequest, "`cursor` has to be a `next_cursor` from before");
    let before = asked.cursor.map(|text| JobId::parse(&text).ok_or_else(unfit)).transpose()?;
    let config = asked.config.map(|Id(id)| id);
    let mut filter = Filter { state: asked.state, config, before, limit };
    let mut jobs: Vec<JobView> = Vec::new();
    for _ in 0..LOOKS {
        let page = app.queue.list(&filter).await?;
        let more = page.len() == filter.limit;
        for record in page {
            filter.before = Some(record.id.clone());
            if may_view(&account, &record).await? {
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

/// The size of a page that is asked for.
pub(super) fn page_size(asked: Option<usize>, usual: usize, largest: usize) -> Result<usize, Problem> {
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
        Unseen,
        Refusals))]
pub(super) async fn find_job(
    State(app): State<App>,
    Caller(account): Caller,
    JobSegment(id): JobSegment,
) -> Result<Json<JobView>, Problem> {
    Ok(Json(visible(&app, &account, &id).await?.into()))
}

/// Cancels a job.
///
/// One that waits is over at once; one that runs comes to an end soon.
#[utoipa::path(delete, path = "/api/v1/jobs/{id}", tag = "jobs", operation_id = "cancel_job",
    params(("id" = JobId, Path, description = "Its id")),
    responses(
        (status = 202, description = "It is, or will be, cancelled", body = JobView),
        Unpermitted,
        Unseen,
        Over,
        Refusals))]
pub(super) async fn cancel_job(
    State(app): State<App>,
    Caller(account): Caller,
    JobSegment(id): JobSegment,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    changeable(&app, &account, &id).await?;
    let asked = app.queue.cancel(&id).await?;
    settled(&app, &id, asked, "cancelled").await
}

/// Gives a job that is dead or was cancelled a new life with all its attempts.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/retry", tag = "jobs", operation_id = "retry_job",
    params(("id" = JobId, Path, description = "Its id"), super::docs::IdempotencyKey),
    responses(
        (status = 202, description = "It will be done again", body = JobView),
        Unpermitted,
        Unseen,
        PostRefusals))]
pub(super) async fn retry_job(
    State(app): State<App>,
    Caller(account): Caller,
    JobSegment(id): JobSegment,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    changeable(&app, &account, &id).await?;
    let asked = app.queue.retry(&id).await?;
    settled(&app, &id, asked, "retried").await
}

/// The job, if the caller may view it.
pub(super) async fn visible(app: &App, account: &Account, id: &JobId) -> Result<Record, Problem> {
    let missing = || Problem::not_found("job", id);
    let record = app.queue.find(id).await?.ok_or_else(missing)?;
    if may_view(account, &record).await? { Ok(record) } else { Err(missing()) }
}

async fn may_view(account: &Account, record: &Record) -> Result<bool, Problem> {
    account.may_view(record.job.as_ref().map(|job| &job.work).and_then(Work::config)).await
}

async fn changeable(app: &App, account: &Account, id: &JobId) -> Result<(), Problem> {
    let record = visible(app, account, id).await?;
    let config = record.job.as_ref().map(|job| &job.work).and_then(Work::config);
    if account.may_change(config).await? {
        return Ok(());
    }
    let detail = format!("{} needs the permission to change the job's RIR config in NetBox", account.name);
    Err(Problem::new(Kind::NotPermitted, detail))
}

/// Shows the job as it is after what was asked for.
async fn settled(app: &App, id: &JobId, asked: Asked, what: &str) -> Result<(StatusCode, Json<JobView>), Problem> {
    let missing = || Problem::not_found("job", id);
    match asked {
        Asked::Taken => {
            let record = app.queue.find(id).await?.ok_or_else(missing)?;
            Ok((StatusCode::ACCEPTED, Json(record.into())))
        }
        Asked::Unknown => Err(missing()),
        Asked::Unfit(state) => {
            Err(Problem::new(Kind::JobState, format!("a job that is {} cannot be {what}", state.name())))
        }
    }
}
