//! Requests for syncs.
//!
//! A caller needs NetBox's permission to change the RIR config, and an API key for it.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{AppendHeaders, IntoResponse, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{
    approval::approve,
    views::{Accepted, Outcome, Receipt, Receipts, Skipped},
};
use crate::{
    http::{
        app::App,
        auth::{caller::Caller, users::User},
        docs::IdempotencyKey,
        error_responses::{NotFound, NotPermitted, PostErrors},
        extract::{Id, JsonBody, PathParam},
        middleware::trace_context,
        problem::{Kind, Problem},
    },
    model::{Config, PlanDigest, Resource, RowId},
    netbox,
    queue::{Delay, Enqueued, Job, JobId, Order, Trigger, Work},
};

/// Limits how many permissions are asked about at once.
const QUESTIONS_IN_FLIGHT: usize = 4;
/// Limits how many configs one request names, since the answer has a line for each.
const MOST_IDS: usize = 1000;

/// True if ARIN is to be asked for everything, instead of only for what its public listing shows as changed.
///
/// That takes a request to ARIN for each prefix outside reassigned nets. It is needed when a change has to be seen at once
/// that the listing does not show, as that of a customer; otherwise such a change is found within `arin.refresh`.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(default = false)]
pub(crate) struct Full(pub(crate) bool);

/// The part of an RIR config to sync.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncConfig {
    /// The kinds of registrations; all of them if left out.
    #[schema(min_items = 1, value_type = Option<Vec<Resource>>)]
    resources: Option<BTreeSet<Resource>>,
    #[serde(default)]
    full: Full,
    /// The digest of a plan: exactly that is written, or nothing. The kinds of registrations are those of the plan, and
    /// ARIN is asked for everything if it was for the plan.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = PlanDigest)]
    plan: Option<PlanDigest>,
}

/// Reads a digest that is there. Null, which a failed preview has as its digest, is none and stands for no sync at all.
fn named<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PlanDigest>, D::Error> {
    PlanDigest::deserialize(from).map(Some)
}

/// The RIR configs to sync.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncConfigs {
    /// Their ids, at most 1000; all that you may view if left out.
    #[schema(value_type = Option<Vec<Id>>, max_items = 1000)]
    ids: Option<BTreeSet<Id>>,
    #[serde(default)]
    full: Full,
}

/// The way in which to sync an aggregate or a prefix.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncPart {
    #[serde(default)]
    full: Full,
}

/// Syncs an RIR config, active or not.
///
/// With `plan` the job writes only what that plan says. If it finds that something else would be written, it writes
/// nothing, and ends as *refused* with the `difference` in its result. If a newer plan already shows that, or the plan is
/// not kept any more, there is no job.
#[utoipa::path(post, path = "/api/v1/configs/{id}/sync", tag = "syncs", operation_id = "sync_config",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    request_body(content = Option<SyncConfig>, content_type = "application/json"),
    responses(
        (status = 202, description = "A job will do it", body = Accepted,
            headers(("Location" = String, description = "Path of the job")),
            links(
                ("find" = (operation_id = "find_job", parameters(("id" = "$response.body#/job/id")))),
                ("watch" = (operation_id = "watch_job", parameters(("id" = "$response.body#/job/id")))),
                ("cancel" = (operation_id = "cancel_job", parameters(("id" = "$response.body#/job/id")))),
                ("retry" = (operation_id = "retry_job", parameters(("id" = "$response.body#/job/id"))))
            )),
        NotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn sync_config(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
    headers: HeaderMap,
    JsonBody(sent): JsonBody<SyncConfig>,
) -> Result<Response, Problem> {
    let SyncConfig { resources, full: Full(full), plan } = sent;
    let kinds = resources.is_some();
    let resources = wanted(resources)?;
    let config = user.config(id).await?.config;
    if let Some(skipped) = obstacle(&app, &user, &config).await? {
        return Err(skipped.problem(&config, &user));
    }
    let (work, full) = match plan {
        Some(plan) => {
            let approved = approve(&app, id, kinds.then_some(resources), &plan).await?;
            (Work::ApplyPlan { config: id, resources: approved.resources, plan }, full || approved.full)
        }
        None => (Work::SyncConfig { config: id, resources }, full),
    };
    accept(&app, origin(&user, &headers, full).order(work), job_path).await
}

/// Syncs several RIR configs.
///
/// Those that are not active are skipped, and so are those that you may not change or have no API key for.
#[utoipa::path(post, path = "/api/v1/configs/sync", tag = "syncs", operation_id = "sync_configs",
    params(IdempotencyKey),
    request_body(content = Option<SyncConfigs>, content_type = "application/json"),
    responses((status = 202, description = "What becomes of each of them", body = Receipts), PostErrors))]
pub(crate) async fn sync_configs(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    headers: HeaderMap,
    JsonBody(SyncConfigs { ids, full: Full(full) }): JsonBody<SyncConfigs>,
) -> Result<Response, Problem> {
    if ids.as_ref().is_some_and(|ids| ids.len() > MOST_IDS) {
        return Err(Problem::new(
            Kind::InvalidRequest,
            format!("`ids` has more than {MOST_IDS} ids; send some of them"),
        ));
    }
    let ids: Option<BTreeSet<RowId>> = ids.map(|ids| ids.into_iter().map(|Id(id)| id).collect());
    let configs: Vec<Config> = user.configs().await?.into_iter().map(|row| row.config).collect();
    let unknown: Vec<RowId> =
        ids.iter().flatten().filter(|id| configs.iter().all(|config| config.id != **id)).copied().collect();
    let wanted = configs.into_iter().filter(|config| ids.as_ref().is_none_or(|ids| ids.contains(&config.id)));
    let checked = check(&app, &user, wanted.collect()).await?;
    let work = |config: RowId| Work::SyncConfig { config, resources: Resource::all() };
    let mut configs = enqueue(&app, &origin(&user, &headers, full), &checked, work).await?;
    configs.extend(unknown.into_iter().map(|id| Receipt::skipped(id, None, Skipped::NotFound)));
    Ok((StatusCode::ACCEPTED, Json(Receipts { configs })).into_response())
}

/// Syncs an aggregate, and the prefixes inside it.
///
/// For each active RIR config of its RIR that you may change and have an API key for.
#[utoipa::path(post, path = "/api/v1/aggregates/{id}/sync", tag = "syncs", operation_id = "sync_aggregate",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    request_body(content = Option<SyncPart>, content_type = "application/json"),
    responses(
        (status = 202, description = "What becomes of each config", body = Receipts),
        NotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn sync_aggregate(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
    headers: HeaderMap,
    JsonBody(SyncPart { full: Full(full) }): JsonBody<SyncPart>,
) -> Result<Response, Problem> {
    let rir = visible(user.netbox.rir_of_aggregate(id).await)?;
    let rir = rir.ok_or_else(|| Problem::not_found("aggregate", id))?;
    let work = |config| Work::SyncAggregate { config: Some(config), aggregate: id };
    sync_configs_of_rir(&app, &user, &origin(&user, &headers, full), rir, work).await
}

/// Syncs a prefix.
///
/// For each active RIR config of the RIR of the aggregate around it that you may change and have an API key for.
#[utoipa::path(post, path = "/api/v1/prefixes/{id}/sync", tag = "syncs", operation_id = "sync_prefix",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    request_body(content = Option<SyncPart>, content_type = "application/json"),
    responses(
        (status = 202, description = "What becomes of each config", body = Receipts),
        NotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn sync_prefix(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
    headers: HeaderMap,
    JsonBody(SyncPart { full: Full(full) }): JsonBody<SyncPart>,
) -> Result<Response, Problem> {
    let prefix = visible(user.netbox.get(&format!("/api/ipam/prefixes/{id}/")).await)?;
    prefix.ok_or_else(|| Problem::not_found("prefix", id))?;
    let rir = visible(user.netbox.rir_of_prefix(id).await)?;
    let outside = || Problem::new(Kind::NoConfig, "no aggregate that you may view is around this prefix");
    let work = |config| Work::SyncPrefix { config: Some(config), prefixes: BTreeSet::from([id]) };
    sync_configs_of_rir(&app, &user, &origin(&user, &headers, full), rir.ok_or_else(outside)?, work).await
}

/// Returns what NetBox shows this user; nothing where it refuses to.
fn visible<T>(answer: Result<Option<T>, netbox::Error>) -> Result<Option<T>, Problem> {
    match answer {
        Ok(found) => Ok(found),
        Err(error) if error.is_forbidden() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the kinds of registrations that a caller wants: all of them if nothing is said of it.
pub(crate) fn wanted(resources: Option<BTreeSet<Resource>>) -> Result<BTreeSet<Resource>, Problem> {
    let resources = resources.unwrap_or_else(Resource::all);
    if resources.is_empty() {
        return Err(Problem::new(Kind::InvalidRequest, "`resources` is empty; leave it out for all of them"));
    }
    Ok(resources)
}

/// Queues a job for each active config of a RIR.
async fn sync_configs_of_rir(
    app: &App,
    user: &User,
    origin: &Origin,
    rir: RowId,
    work: impl Fn(RowId) -> Work,
) -> Result<Response, Problem> {
    let rows = user.configs().await?;
    let configs = rows.into_iter().map(|row| row.config);
    let configs: Vec<Config> = configs.filter(|config| config.serves(rir)).collect();
    let checked = check(app, user, configs).await?;
    refuse_all(&checked, user)?;
    let configs = enqueue(app, origin, &checked, work).await?;
    Ok((StatusCode::ACCEPTED, Json(Receipts { configs })).into_response())
}

/// A config, and the reason why it cannot be synced, if there is one.
type Checked = (Config, Option<Skipped>);

async fn check(app: &App, user: &User, configs: Vec<Config>) -> Result<Vec<Checked>, Problem> {
    let one = |config: Config| async move {
        let skipped = if config.is_active { obstacle(app, user, &config).await? } else { Some(Skipped::Inactive) };
        Ok((config, skipped))
    };
    stream::iter(configs).map(one).buffered(QUESTIONS_IN_FLIGHT).try_collect().await
}

/// Returns the reason why a config, active or not, cannot be synced.
async fn obstacle(app: &App, user: &User, config: &Config) -> Result<Option<Skipped>, Problem> {
    if !user.may_change(config.id).await? {
        return Ok(Some(Skipped::NotPermitted));
    }
    Ok((!app.has_key(&config.name, &user.name)).then_some(Skipped::NoApiKey))
}

/// Refuses a request for which no config at all can be synced. A missing key is reported first, because a permission is
/// there then.
fn refuse_all(checked: &[Checked], user: &User) -> Result<(), Problem> {
    if checked.iter().any(|(_, skipped)| skipped.is_none()) {
        return Ok(());
    }
    let keyless = checked.iter().find(|(_, skipped)| *skipped == Some(Skipped::NoApiKey));
    match keyless.or_else(|| checked.first()) {
        Some((config, Some(skipped))) => Err(skipped.problem(config, user)),
        Some((_, None)) | None => Err(Problem::new(Kind::NoConfig, "you may view no active config of its RIR")),
    }
}

impl Skipped {
    /// Makes the problem of a single config that cannot be synced.
    pub(crate) fn problem(self, config: &Config, user: &User) -> Problem {
        let (name, user) = (&config.name, &user.name);
        match self {
            Self::NotFound => Problem::not_found("RIR config", config.id),
            Self::NotPermitted => {
                let detail = format!("{user} needs the permission to change the RIR config {name:?} in NetBox");
                Problem::new(Kind::NotPermitted, detail)
            }
            Self::Inactive => Problem::new(Kind::NoConfig, format!("the RIR config {name:?} is not active")),
            Self::NoApiKey => {
                let detail = format!("{user} has no API key for the RIR config {name:?}; the keys file needs one");
                Problem::new(Kind::NoApiKey, detail)
            }
        }
    }
}

/// The origin of jobs: the user who asks, whether for everything, and the trace of the request.
pub(crate) struct Origin {
    user: String,
    full: bool,
    traceparent: Option<String>,
}

pub(crate) fn origin(user: &User, headers: &HeaderMap, full: bool) -> Origin {
    Origin { user: user.name.clone(), full, traceparent: trace_context(headers) }
}

impl Origin {
    pub(crate) fn order(&self, work: Work) -> Order {
        let (full, traceparent) = (self.full, self.traceparent.clone());
        let job = Job { full, traceparent, ..Job::new(work, Trigger::Api).by(&self.user) };
        Order { job, delay: Delay::None }
    }
}

/// Queues a job for each config that can be synced: all of these jobs or none.
async fn enqueue(
    app: &App,
    origin: &Origin,
    checked: &[Checked],
    work: impl Fn(RowId) -> Work,
) -> Result<Vec<Receipt>, Problem> {
    let free = checked.iter().filter(|(_, skipped)| skipped.is_none());
    let orders: Vec<Order> = free.map(|(config, _)| origin.order(work(config.id))).collect();
    let enqueued = if orders.is_empty() { Vec::new() } else { app.services.queue.enqueue(&orders).await? };
    let mut enqueued = enqueued.into_iter();
    let receipt = |(config, skipped): &Checked| {
        let name = Some(config.name.clone());
        match skipped {
            Some(skipped) => Some(Receipt::skipped(config.id, name, *skipped)),
            None => enqueued.next().map(|enqueued| Receipt::of(config.id, name, enqueued)),
        }
    };
    Ok(checked.iter().filter_map(receipt).collect())
}

impl Receipt {
    fn skipped(config: RowId, name: Option<String>, reason: Skipped) -> Self {
        Self { config, name, outcome: Outcome::Skipped, reason: Some(reason), job: None }
    }

    fn of(config: RowId, name: Option<String>, enqueued: Enqueued) -> Self {
        let outcome = if enqueued.coalesced { Outcome::Coalesced } else { Outcome::Queued };
        Self { config, name, outcome, reason: None, job: Some(enqueued.job) }
    }
}

/// Queues one job and answers with it, and with the path where the client has to look next.
pub(crate) async fn accept(app: &App, order: Order, path: impl Fn(&JobId) -> String) -> Result<Response, Problem> {
    let enqueued = app.services.queue.enqueue(&[order]).await?;
    let lost = || Problem::new(Kind::Internal, "the job is queued, but cannot be shown");
    let Enqueued { job, coalesced } = enqueued.into_iter().next().ok_or_else(lost)?;
    let location = AppendHeaders([(LOCATION, path(&job))]);
    let job = app.services.queue.find(&job).await?.ok_or_else(lost)?.into();
    Ok((StatusCode::ACCEPTED, location, Json(Accepted { job, coalesced })).into_response())
}

pub(crate) fn job_path(id: &JobId) -> String {
    format!("/api/v1/jobs/{id}")
}
