//! Asking for syncs.
//!
//! Who asks may change the RIR config in NetBox, and has an API key for it.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{AppendHeaders, IntoResponse, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    App,
    accounts::{Account, Caller},
    extract::{Id, Segment, Sent},
    problem::{Kind, Problem},
    refusals::{PostRefusals, Unpermitted, Unseen},
    trace::context,
    views::{Accepted, Outcome, Receipt, Receipts, Skipped},
};
use crate::{
    model::{Config, Resource, RowId},
    netbox,
    queue::{Delay, Enqueued, Job, JobId, Order, Trigger, Work},
};

/// Permissions asked about at once.
const QUESTIONS_IN_FLIGHT: usize = 4;

/// What to sync of an RIR config.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SyncConfig {
    /// The kinds of registrations; all of them if left out.
    #[schema(min_items = 1, value_type = Option<Vec<Resource>>)]
    resources: Option<BTreeSet<Resource>>,
}

/// Which RIR configs to sync.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SyncConfigs {
    /// Their ids; all that you may view if left out.
    #[schema(value_type = Option<Vec<Id>>)]
    ids: Option<BTreeSet<Id>>,
}

/// Syncs an RIR config, active or not.
#[utoipa::path(post, path = "/api/v1/configs/{id}/sync", tag = "syncs", operation_id = "sync_config",
    params(("id" = Id, Path, description = "Its id in NetBox"), super::docs::IdempotencyKey),
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
        Unpermitted,
        Unseen,
        PostRefusals))]
pub(super) async fn sync_config(
    State(app): State<App>,
    Caller(account): Caller,
    Segment(Id(id)): Segment<Id>,
    headers: HeaderMap,
    Sent(sent): Sent<SyncConfig>,
) -> Result<Response, Problem> {
    let resources = sent.resources()?;
    let config = account.config(id).await?.config;
    match obstacle(&app, &account, &config).await? {
        Some(skipped) => Err(skipped.problem(&config, &account)),
        None => accept(&app, asker(&account, &headers).order(Work::SyncConfig { config: id, resources })).await,
    }
}

/// Syncs several RIR configs.
///
/// Those that are not active are skipped, and so are those that you may not change or have no API key for.
#[utoipa::path(post, path = "/api/v1/configs/sync", tag = "syncs", operation_id = "sync_configs",
    params(super::docs::IdempotencyKey),
    request_body(content = Option<SyncConfigs>, content_type = "application/json"),
    responses((status = 202, description = "What becomes of each of them", body = Receipts), PostRefusals))]
pub(super) async fn sync_configs(
    State(app): State<App>,
    Caller(account): Caller,
    headers: HeaderMap,
    Sent(SyncConfigs { ids }): Sent<SyncConfigs>,
) -> Result<Response, Problem> {
    let ids: Option<BTreeSet<RowId>> = ids.map(|ids| ids.into_iter().map(|Id(id)| id).collect());
    let configs: Vec<Config> = account.configs().await?.into_iter().map(|row| row.config).collect();
    let unknown: Vec<RowId> =
        ids.iter().flatten().filter(|id| configs.iter().all(|config| config.id != **id)).copied().collect();
    let wanted = configs.into_iter().filter(|config| ids.as_ref().is_none_or(|ids| ids.contains(&config.id)));
    let judged = judge(&app, &account, wanted.collect()).await?;
    let work = |config: RowId| Work::SyncConfig { config, resources: Resource::all() };
    let mut configs = enqueue(&app, &asker(&account, &headers), &judged, work).await?;
    configs.extend(unknown.into_iter().map(|id| Receipt::skipped(id, None, Skipped::NotFound)));
    Ok((StatusCode::ACCEPTED, Json(Receipts { configs })).into_response())
}

/// Syncs an aggregate, and the prefixes inside it.
///
/// For each active RIR config of its RIR that you may change and have an API key for.
#[utoipa::path(post, path = "/api/v1/aggregates/{id}/sync", tag = "syncs", operation_id = "sync_aggregate",
    params(("id" = Id, Path, description = "Its id in NetBox"), super::docs::IdempotencyKey),
    responses(
        (status = 202, description = "What becomes of each config", body = Receipts),
        Unpermitted,
        Unseen,
        PostRefusals))]
pub(super) async fn sync_aggregate(
    State(app): State<App>,
    Caller(account): Caller,
    Segment(Id(id)): Segment<Id>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found("aggregate", id);
    let rir = visible(account.netbox.rir_of_aggregate(id).await)?.flatten().ok_or_else(missing)?;
    let work = |config| Work::SyncAggregate { config: Some(config), aggregate: id };
    of_rir(&app, &account, &headers, rir, work).await
}

/// Syncs a prefix.
///
/// For each active RIR config of the RIR of the aggregate around it that you may change and have an API key for.
#[utoipa::path(post, path = "/api/v1/prefixes/{id}/sync", tag = "syncs", operation_id = "sync_prefix",
    params(("id" = Id, Path, description = "Its id in NetBox"), super::docs::IdempotencyKey),
    responses(
        (status = 202, description = "What becomes of each config", body = Receipts),
        Unpermitted,
        Unseen,
        PostRefusals))]
pub(super) async fn sync_prefix(
    State(app): State<App>,
    Caller(account): Caller,
    Segment(Id(id)): Segment<Id>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let path = format!("/api/ipam/prefixes/{id}/");
    let prefix = visible(account.netbox.get(&path).await)?.flatten();
    prefix.ok_or_else(|| Problem::not_found("prefix", id))?;
    let rir = visible(account.netbox.rir_of_prefix(id).await)?.flatten();
    let rir =
        rir.ok_or_else(|| Problem::new(Kind::NoConfig, "no aggregate that you may view is around this prefix"))?;
    let work = |config| Work::SyncPrefix { config: Some(config), prefixes: BTreeSet::from([id]) };
    of_rir(&app, &account, &headers, rir, work).await
}

/// What NetBox shows this user; nothing where it refuses to.
fn visible<T>(answer: Result<T, netbox::Error>) -> Result<Option<T>, Problem> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_forbidden() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl SyncConfig {
    /// The kinds of registrations that are asked for.
    pub(super) fn resources(self) -> Result<BTreeSet<Resource>, Problem> {
        let resources = self.resources.unwrap_or_else(Resource::all);
        if resources.is_empty() {
            return Err(Problem::new(Kind::InvalidRequest, "`resources` is empty; leave it out for all of them"));
        }
        Ok(resources)
    }
}

/// One order for each active config of a RIR.
async fn of_rir(
    app: &App,
    account: &Account,
    headers: &HeaderMap,
    rir: RowId,
    work: impl Fn(RowId) -> Work,
) -> Result<Response, Problem> {
    let rows = account.configs().await?;
    let configs = rows.into_iter().map(|row| row.config);
    let configs: Vec<Config> = configs.filter(|config| config.serves(rir)).collect();
    let judged = judge(app, account, configs).await?;
    refuse_all(&judged, account)?;
    let configs = enqueue(app, &asker(account, headers), &judged, work).await?;
    Ok((StatusCode::ACCEPTED, Json(Receipts { configs })).into_response())
}

/// A config, and what stands in the way of syncing it.
type Judged = (Config, Option<Skipped>);

async fn judge(app: &App, account: &Account, configs: Vec<Config>) -> Result<Vec<Judged>, Problem> {
    let one = |config: Config| async move {
        let skipped = if config.is_active { obstacle(app, account, &config).await? } else { Some(Skipped::Inactive) };
        Ok((config, skipped))
    };
    stream::iter(configs).map(one).buffered(QUESTIONS_IN_FLIGHT).try_collect().await
}

/// What stands in the way of syncing a config, active or not.
async fn obstacle(app: &App, account: &Account, config: &Config) -> Result<Option<Skipped>, Problem> {
    if !account.may_change(Some(config.id)).await? {
        return Ok(Some(Skipped::NotPermitted));
    }
    Ok((!app.has_key(&config.name, &account.name)).then_some(Skipped::NoApiKey))
}

/// When nothing can be done for any config: why. A missing key is what is told first, as a permission is there then.
fn refuse_all(judged: &[Judged], account: &Account) -> Result<(), Problem> {
    if judged.iter().any(|(_, skipped)| skipped.is_none()) {
        return Ok(());
    }
    let keyless = judged.iter().find(|(_, skipped)| *skipped == Some(Skipped::NoApiKey));
    match keyless.or_else(|| judged.first()) {
        Some((config, Some(skipped))) => Err(skipped.problem(config, account)),
        Some((_, None)) | None => Err(Problem::new(Kind::NoConfig, "you may view no active config of its RIR")),
    }
}

impl Skipped {
    /// Why a single config cannot be synced.
    pub(super) fn problem(self, config: &Config, account: &Account) -> Problem {
        let (name, user) = (&config.name, &account.name);
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

/// Who asks for jobs.
struct Asker {
    user: String,
    traceparent: Option<String>,
}

fn asker(account: &Account, headers: &HeaderMap) -> Asker {
    Asker { user: account.name.clone(), traceparent: context(headers) }
}

impl Asker {
    fn order(&self, work: Work) -> Order {
        let job = Job { traceparent: self.traceparent.clone(), ..Job::new(work, Trigger::Api).by(&self.user) };
        Order { job, delay: Delay::None }
    }
}

/// Queues a job for each config that nothing stands in the way of; all of them or none.
async fn enqueue(
    app: &App,
    asker: &Asker,
    judged: &[Judged],
    work: impl Fn(RowId) -> Work,
) -> Result<Vec<Receipt>, Problem> {
    let free = judged.iter().filter(|(_, skipped)| skipped.is_none());
    let orders: Vec<Order> = free.map(|(config, _)| asker.order(work(config.id))).collect();
    let tickets = if orders.is_empty() { Vec::new() } else { app.queue.enqueue(&orders).await? };
    let mut tickets = tickets.into_iter();
    let receipt = |(config, skipped): &Judged| {
        let name = Some(config.name.clone());
        match skipped {
            Some(skipped) => Some(Receipt::skipped(config.id, name, *skipped)),
            None => tickets.next().map(|ticket| Receipt::of(config.id, name, ticket)),
        }
    };
    Ok(judged.iter().filter_map(receipt).collect())
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

/// Queues one job and shows it.
async fn accept(app: &App, order: Order) -> Result<Response, Problem> {
    let enqueued = app.queue.enqueue(&[order]).await?;
    let lost = || Problem::new(Kind::Internal, "the job is queued, but cannot be shown");
    let Enqueued { job, coalesced } = enqueued.into_iter().next().ok_or_else(lost)?;
    let location = AppendHeaders([(LOCATION, job_path(&job))]);
    let job = app.queue.find(&job).await?.ok_or_else(lost)?.into();
    Ok((StatusCode::ACCEPTED, location, Json(Accepted { job, coalesced })).into_response())
}

fn job_path(id: &JobId) -> String {
    format!("/api/v1/jobs/{id}")
}
