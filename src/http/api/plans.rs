//! Previews of syncs: jobs that are asked for here, and the plans that they leave.
//!
//! A plan may have very many rows. It is sent as it is kept, part by part, so that no caller has more than one part of it
//! in this process's memory, however slowly they read.

use std::{collections::BTreeSet, io, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use futures_util::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::warn;
use utoipa::{IntoParams, ToSchema};

use super::{
    approval::plan_path,
    job_access::JobAccess,
    syncs::{Full, accept, origin, wanted},
    views::{Accepted, JobView, Skipped},
};
use crate::{
    coordination::{Coordination, KeptPlan},
    error_chain::error_chain,
    http::{
        app::App,
        auth::caller::Caller,
        docs::IdempotencyKey,
        error_responses::{ApiErrors, NotFound, PlanFailed, PostErrors},
        extract::{Id, JsonBody, PathParam, QueryParams},
        problem::{Kind, Problem},
    },
    model::{ObjectType, Resource, RowId},
    queue::{JobId, Record, State as JobState, Work},
    sync::{
        kept_plan::{PlanHead, unpack_rows},
        plan::ShownChange,
        text,
    },
};

/// The seconds after which to ask again for a plan that is being made.
const ASK_AGAIN: u64 = 2;

/// The part of an RIR config to preview a sync of.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanConfig {
    /// The kinds of registrations; all of them if left out.
    #[schema(min_items = 1, value_type = Option<Vec<Resource>>)]
    resources: Option<BTreeSet<Resource>>,
    #[serde(default)]
    full: Full,
}

/// Finds out what a sync of an RIR config would write, and writes nothing.
///
/// A job asks ARIN with your API key, which may take minutes. Its plan is then kept for a day. One preview of yours is
/// made at a time.
#[utoipa::path(post, path = "/api/v1/configs/{id}/plan", tag = "syncs", operation_id = "plan_config",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    request_body(content = Option<PlanConfig>, content_type = "application/json"),
    responses(
        (status = 202, description = "A job will find it out", body = Accepted,
            headers(("Location" = String, description = "Path of the plan")),
            links(
                ("plan" = (operation_id = "find_plan", parameters(("id" = "$response.body#/job/id")))),
                ("find" = (operation_id = "find_job", parameters(("id" = "$response.body#/job/id")))),
                ("watch" = (operation_id = "watch_job", parameters(("id" = "$response.body#/job/id")))),
                ("cancel" = (operation_id = "cancel_job", parameters(("id" = "$response.body#/job/id"))))
            )),
        NotFound,
        PostErrors))]
pub(crate) async fn plan_config(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
    headers: HeaderMap,
    JsonBody(sent): JsonBody<PlanConfig>,
) -> Result<Response, Problem> {
    let PlanConfig { resources, full: Full(full) } = sent;
    let resources = wanted(resources)?;
    let config = user.config(id).await?.config;
    if !app.has_key(&config.name, &user.name) {
        return Err(Skipped::NoApiKey.problem(&config, &user));
    }
    let order = origin(&user, &headers, full).order(Work::PlanConfig { config: id, resources });
    accept(&app, order, |job| plan_path(job.as_str())).await
}

/// The form in which to return a plan.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindPlan {
    /// `json`, or `text` for people.
    #[param(inline)]
    format: Option<Format>,
}

/// The form of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// For programs.
    #[default]
    Json,
    /// For people.
    Text,
}

/// A plan: what a sync would write, and what could not be found out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanView {
    /// Its id, which is that of the job that made it.
    #[schema(value_type = JobId)]
    id: String,
    /// The id of the RIR config in NetBox.
    config_id: RowId,
    /// The kinds of registrations that it is about.
    #[schema(value_type = Vec<Resource>)]
    resources: BTreeSet<Resource>,
    /// True if ARIN was asked for everything, and not only for what its public listing shows as changed.
    full: bool,
    /// The NetBox user whom it was made for.
    user: String,
    /// The time at which it was made.
    made: Timestamp,
    /// What it says, without the rows.
    #[serde(flatten)]
    head: PlanHead,
}

/// Returns a plan.
///
/// While it is being made you get 202 and the job that makes it. A plan is kept for a day, and up to 20 of each user. What it
/// says of objects of a type that you may not view in NetBox is left out, and counted.
#[utoipa::path(get, path = "/api/v1/plans/{id}", tag = "syncs", operation_id = "find_plan",
    params(("id" = JobId, Path, description = "Its id, which is that of the job that makes it"), FindPlan),
    responses(
        (status = 200, description = "The plan", content(
            (PlanView = "application/json"),
            (String = "text/plain"))),
        (status = 202, description = "It is being made", body = JobView,
            headers(("Retry-After" = u64, description = "Seconds after which to ask again"))),
        NotFound,
        PlanFailed,
        ApiErrors))]
pub(crate) async fn find_plan(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(id): PathParam<String>,
    QueryParams(asked): QueryParams<FindPlan>,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found("plan", &id);
    let job = JobId::parse(&id).ok_or_else(missing)?;
    let facts = &app.services.coordination;
    let Some(plan) = facts.plans().await?.into_iter().find(|plan| plan.id == id) else {
        let job = JobAccess::of(&app, &user).visible(&job).await.map_err(|problem| instead(problem, missing))?;
        return unfinished(job).unwrap_or_else(|| Err(missing()));
    };
    user.config(plan.config).await.map_err(|problem| instead(problem, missing))?;
    let head = PlanHead::unpack(&facts.plan_part(&id, 0).await?.ok_or_else(missing)?)?;
    let viewable = user.viewable_types().await?;
    let (parts, view) = (plan.parts, PlanView::new(plan, head.shown_to(&viewable)));
    let (facts, format) = (facts.clone(), asked.format.unwrap_or_default());
    Ok(PlanReader { facts, parts, next: 0, view, viewable, any: false, format }.response())
}

/// Has something else not be found than what was looked for.
fn instead(problem: Problem, missing: impl Fn() -> Problem) -> Problem {
    if problem.kind() == Kind::NotFound { missing() } else { problem }
}

/// Answers for a plan that is not there: it is being made, or nothing came of it. `None` when there was none, or it is not
/// kept any more.
fn unfinished(record: Record) -> Option<Result<Response, Problem>> {
    if !matches!(record.job.as_ref()?.work, Work::PlanConfig { .. }) {
        return None;
    }
    match record.state {
        JobState::Delayed | JobState::Parked | JobState::Ready | JobState::Running => {
            let again = [(RETRY_AFTER, ASK_AGAIN.to_string())];
            Some(Ok((StatusCode::ACCEPTED, again, Json(JobView::from(record))).into_response()))
        }
        JobState::Cancelled => Some(Err(Problem::new(Kind::PlanFailed, "the job that was to make it was cancelled"))),
        JobState::Dead => {
            let error = record.error.unwrap_or_default();
            Some(Err(Problem::new(Kind::PlanFailed, format!("the job that was to make it failed: {error}"))))
        }
        JobState::Done => None,
    }
}

impl PlanView {
    fn new(plan: KeptPlan, head: PlanHead) -> Self {
        let KeptPlan { id, config, resources, full, user, made, .. } = plan;
        Self { id, config_id: config, resources, full, user, made, head }
    }
}

/// Sends a plan as it is read, part by part.
struct PlanReader {
    facts: Coordination,
    parts: usize,
    /// The number of the next part; the first one is the head.
    next: usize,
    view: PlanView,
    /// The types of rows that the reader may view; others are left out.
    viewable: BTreeSet<ObjectType>,
    /// A row was sent.
    any: bool,
    format: Format,
}

impl PlanReader {
    fn response(self) -> Response {
        let media_type = match self.format {
            Format::Json => "application/json",
            Format::Text => "text/plain; charset=utf-8",
        };
        let pieces = stream::try_unfold(self, |mut reader| async move {
            let piece = reader.piece().await;
            // The answer has begun: all that can be done is to break it off.
            let piece =
                piece.inspect_err(|error| warn!(error = %error_chain(error), "could not send all of a plan"))?;
            Ok::<_, io::Error>(piece.map(|piece| (piece, reader)))
        });
        ([(CONTENT_TYPE, media_type)], Body::from_stream(pieces)).into_response()
    }

    /// Returns the next piece of the answer; `None` after the last.
    async fn piece(&mut self) -> Result<Option<String>, io::Error> {
        let number = self.next;
        self.next += 1;
        Ok(match number {
            0 => Some(self.beginning()?),
            rows if rows < self.parts => Some(self.rows(rows).await?),
            end if end == self.parts => Some(self.end()),
            _ => None,
        })
    }

    fn beginning(&self) -> Result<String, io::Error> {
        match self.format {
            Format::Json => {
                // The rows come last into the object that this is the beginning of.
                let head = serde_json::to_string(&self.view)?;
                Ok(format!("{},\"changes\":[", head.strip_suffix('}').unwrap_or(&head)))
            }
            Format::Text => Ok(text::heading(&self.view.head.run)),
        }
    }

    /// Returns the rows of one part.
    async fn rows(&mut self, number: usize) -> Result<String, io::Error> {
        let part = self.facts.plan_part(&self.view.id, number).await.map_err(io::Error::other)?;
        let part = part.ok_or_else(|| io::Error::other("a part of the plan is not kept any more"))?;
        let mut rows = unpack_rows(&part).map_err(io::Error::other)?;
        rows.retain(|row| self.viewable.contains(&row.object));
        match self.format {
            Format::Json => {
                let rows = rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?.join(",\n");
                let comma = if self.any && !rows.is_empty() { ",\n" } else { "" };
                self.any |= !rows.is_empty();
                Ok(format!("{comma}{rows}"))
            }
            Format::Text => Ok(rows.iter().map(ShownChange::to_string).collect()),
        }
    }

    fn end(&self) -> String {
        let head = &self.view.head;
        match (self.format, head.left_out.changes) {
            (Format::Json, _) => "]}".to_owned(),
            (Format::Text, 0) => text::closing(&head.run),
            (Format::Text, rows) => format!("... and {rows} rows that are not kept\n{}", text::closing(&head.run)),
        }
    }
}
