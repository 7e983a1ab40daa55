//! The answers of the API.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    config,
    coordination::Syncs,
    model::{PlanDigest, Resource, RowId},
    netbox::{ConfigRow, LogRow},
    queue::{JobId, Progress, Record, State, Trigger},
    scheduler::schedule::next_due,
};

/// An RIR config, with the state of its syncs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Config)]
pub(crate) struct ConfigView {
    /// Its id in NetBox.
    id: RowId,
    /// Its name.
    name: String,
    /// The id of the RIR whose aggregates it is about.
    rir: Option<RowId>,
    /// The kind of its registry.
    #[schema(example = "arin")]
    registry: String,
    /// Base URL of the registry; empty for its production.
    api_url: String,
    /// The handle of the organization.
    org_handle: Option<String>,
    /// True if it is synced by itself.
    is_active: bool,
    /// The time between syncs by itself, in seconds.
    interval_seconds: u64,
    /// The time at which its last sync ended.
    last_sync: Option<Timestamp>,
    /// The result of its last sync.
    #[schema(example = "unchanged")]
    last_result: Option<String>,
    /// The time at which it is due. Null when it is not synced by itself.
    due: Option<Timestamp>,
    /// True if there is an API key that you may sync it with.
    key_available: bool,
    /// The requests a second that may go to its registry now, by all processes together: by the settings, and by what the
    /// registry's 429s have taught. Null when there is no limit.
    #[schema(example = 10.0)]
    requests_per_second: Option<f64>,
    /// The job that is syncing or judging it.
    running_job: Option<JobId>,
}

/// What the processes know of a config besides what NetBox has.
pub(crate) struct Known {
    pub(crate) syncs: Syncs,
    pub(crate) running_job: Option<JobId>,
    pub(crate) requests_per_second: Option<f64>,
    /// True if there is an API key that the caller may sync it with.
    pub(crate) key_available: bool,
}

impl ConfigView {
    /// Makes the view of a config.
    pub(crate) fn new(row: ConfigRow, known: Known, schedule: &config::Schedule) -> Self {
        let ConfigRow { config, last_result } = row;
        let (interval, now) = (config.sync_interval.unwrap_or(schedule.interval), Timestamp::now());
        Self {
            due: (config.is_active && schedule.enabled)
                .then(|| next_due(&config, &known.syncs, schedule.interval, now).unwrap_or(now)),
            key_available: known.key_available,
            id: config.id,
            name: config.name,
            rir: config.rir,
            registry: config.registry,
            api_url: config.api_url,
            org_handle: config.org_handle.map(|handle| handle.to_string()),
            is_active: config.is_active,
            interval_seconds: interval.as_secs(),
            last_sync: config.last_sync,
            last_result,
            requests_per_second: known.requests_per_second,
            running_job: known.running_job,
        }
    }
}

/// RIR configs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Configs {
    /// Those you may view, by name.
    pub(crate) configs: Vec<ConfigView>,
}

/// A job, as the API and `rir-sidecar jobs` show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    /// Its id. Ids sort by the time of the request.
    pub(crate) id: JobId,
    /// The kind of work; null when this version of the service does not understand it.
    #[schema(value_type = Option<String>, example = "sync-config")]
    kind: Option<Value>,
    /// The RIR config it is about; null for one that looks for its configs itself, and for one about the mirror of a source.
    #[schema(value_type = Option<RowId>)]
    config: Option<Value>,
    /// The aggregate it is about.
    #[schema(value_type = Option<RowId>)]
    aggregate: Option<Value>,
    /// The prefixes it is about.
    #[schema(value_type = Option<BTreeSet<RowId>>)]
    prefixes: Option<Value>,
    /// The source of a routing registry whose mirror it updates.
    #[schema(value_type = Option<String>, example = "RADB")]
    source: Option<Value>,
    /// The kinds of registrations it is about.
    #[schema(value_type = Option<BTreeSet<Resource>>)]
    resources: Option<Value>,
    /// True if ARIN is asked for everything, and not only for what its public listing shows as changed; null when this
    /// version of the service does not understand the job.
    full: Option<bool>,
    /// The digest of the plan that it may write.
    #[schema(value_type = Option<PlanDigest>)]
    plan: Option<Value>,
    /// The NetBox user who asked for it.
    user: Option<String>,
    /// The NetBox user who cancelled it last, or `command line`.
    cancelled_by: Option<String>,
    /// The NetBox user who gave it its present life, or `command line`.
    retried_by: Option<String>,
    /// The way in which it was asked for.
    trigger: Option<Trigger>,
    /// Its state.
    state: State,
    /// The number of attempts that were begun.
    attempts: u32,
    /// Its progress.
    progress: Progress,
    /// The time at which it was first asked for.
    created: Timestamp,
    /// The time that it waits for, if it does.
    due: Option<Timestamp>,
    /// The time at which a worker last began it.
    started: Option<Timestamp>,
    /// The time at which it ended.
    ended: Option<Timestamp>,
    /// The error of the last attempt that failed, with its causes.
    error: Option<String>,
    /// Its result.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// A number that grows with each change of the job.
    version: u64,
}

impl From<Record> for JobView {
    fn from(record: Record) -> Self {
        let Record { id, job, state, attempts, created, due, started, ended, progress, error, result, version, .. } =
            record;
        let (cancelled_by, retried_by) = (record.cancelled_by, record.retried_by);
        let work = job.as_ref().and_then(|job| serde_json::to_value(&job.work).ok());
        let field = |name: &str| work.as_ref().and_then(|work| work.get(name)).cloned();
        Self {
            kind: field("kind"),
            config: field("config"),
            aggregate: field("aggregate"),
            prefixes: field("prefixes"),
            source: field("source"),
            resources: field("resources"),
            full: job.as_ref().map(|job| job.full),
            plan: field("plan"),
            user: job.as_ref().and_then(|job| job.user.clone()),
            trigger: job.as_ref().map(|job| job.trigger),
            cancelled_by,
            retried_by,
            id,
            state,
            attempts,
            progress,
            created,
            due,
            started,
            ended,
            error,
            result,
            version,
        }
    }
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Jobs {
    /// The jobs, the newest first.
    pub(crate) jobs: Vec<JobView>,
    /// `cursor` of the next page; null when there is none.
    pub(crate) next_cursor: Option<JobId>,
}

/// A job that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// The job that does it.
    pub(crate) job: JobView,
    /// True if that job was there before and now includes this request.
    pub(crate) coalesced: bool,
}

/// The answer to a request to sync several RIR configs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipts {
    /// One for each config.
    pub(crate) configs: Vec<Receipt>,
}

/// The answer for one RIR config.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// The config.
    pub(crate) config: RowId,
    /// Its name, if you may view it.
    pub(crate) name: Option<String>,
    /// Tells whether a job does it.
    pub(crate) outcome: Outcome,
    /// The reason why it is skipped.
    pub(crate) reason: Option<Skipped>,
    /// The job that does it.
    pub(crate) job: Option<JobId>,
}

/// The outcome of a request for one RIR config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// A new job does it.
    Queued,
    /// A job that was there before does it.
    Coalesced,
    /// Nothing is done.
    Skipped,
}

/// The reason why an RIR config is not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Skipped {
    /// There is none, or you may not view it.
    NotFound,
    /// You may not change it.
    NotPermitted,
    /// It is not active.
    Inactive,
    /// You have no API key for it.
    NoApiKey,
}

/// A page of the sync log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SyncLogs {
    /// The rows, the newest first.
    pub(crate) rows: Vec<SyncLog>,
    /// `cursor` of the next page; null when there is none.
    pub(crate) next_cursor: Option<RowId>,
}

/// A row of the sync log: what was done to one object or to several together, or the summary of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SyncLog {
    /// Its id in NetBox.
    pub(crate) id: RowId,
    /// The RIR config.
    config: RowId,
    /// The run.
    run: String,
    /// The operation.
    #[schema(example = "update")]
    operation: String,
    /// The type of its object; null in the summary of a run.
    #[schema(example = "network")]
    object_type: Option<String>,
    /// The handle of its object; null in the summary of a run, and for several objects.
    object_handle: Option<String>,
    /// The outcome.
    #[schema(example = "success")]
    status: String,
    /// More about it.
    message: Option<String>,
    /// The handles of objects that were created together, each in a line that begins with "- ".
    #[schema(example = "- NET-192-0-2-0-1\n- NET-198-51-100-0-1")]
    details: Option<String>,
    /// The time at which the row was written.
    created: Option<Timestamp>,
}

impl From<LogRow> for SyncLog {
    fn from(row: LogRow) -> Self {
        let LogRow { id, config, run, operation, object_type, object_handle, status, message, details, created } = row;
        Self { id, config, run, operation, object_type, object_handle, status, message, details, created }
    }
}

/// The caller, as the service knows them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Whoami {
    /// Your user name in NetBox.
    pub(crate) user: String,
    /// The RIR configs you may view.
    pub(crate) configs: Vec<ConfigAccess>,
}

/// Your access to an RIR config.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfigAccess {
    /// The config.
    pub(crate) id: RowId,
    /// Its name.
    pub(crate) name: String,
    /// True if NetBox lets you change it, and so sync it.
    pub(crate) may_sync: bool,
    /// True if there is an API key of yours for it.
    pub(crate) key_available: bool,
}

/// The state of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `live` or `ready`.
    #[schema(example = "ready")]
    pub(crate) status: &'static str,
}
