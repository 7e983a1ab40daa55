//! What the API answers with.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    config::{self, keys::Keyring},
    model::{Resource, RowId},
    netbox::{ConfigRow, LogRow},
    queue::{JobId, Progress, Record, State, Trigger, Work},
};

/// An RIR config, with how its syncs stand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Config)]
pub(super) struct ConfigView {
    /// Its id in NetBox.
    id: RowId,
    /// Its name.
    name: String,
    /// Id of the RIR whose aggregates it is about.
    rir: Option<RowId>,
    /// Which kind of registry it is.
    #[schema(example = "arin")]
    registry: String,
    /// Base URL of the registry; empty for its production.
    api_url: String,
    /// Handle of the organization.
    org_handle: Option<String>,
    /// Whether it is synced by itself.
    is_active: bool,
    /// How often it is synced by itself, in seconds.
    interval_seconds: u64,
    /// When its last sync ended.
    last_sync: Option<Timestamp>,
    /// How its last sync ended.
    #[schema(example = "unchanged")]
    last_result: Option<String>,
    /// When it is due. Null when it is not synced by itself.
    due: Option<Timestamp>,
    /// Whether there is an API key that you may sync it with.
    key_available: bool,
    /// The job whose run is at work at it.
    running_job: Option<JobId>,
}

impl ConfigView {
    /// A config as `user` sees it.
    pub(super) fn new(
        row: ConfigRow,
        schedule: &config::Schedule,
        keys: &Keyring,
        user: &str,
        running_job: Option<JobId>,
    ) -> Self {
        let ConfigRow { config, last_result } = row;
        let interval = config.sync_interval.unwrap_or(schedule.interval);
        Self {
            due: (config.is_active && schedule.enabled)
                .then(|| config.due_at(schedule.interval).unwrap_or_else(Timestamp::now)),
            key_available: keys.choose(&config.name, Some(user), None).is_ok(),
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
            running_job,
        }
    }
}

/// RIR configs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Configs {
    /// Those you may view, by name.
    pub(super) configs: Vec<ConfigView>,
}

/// A job, as the API and `rir-sidecar jobs` show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    /// Its id; sorts by the time it was asked for.
    pub(super) id: JobId,
    /// What is to be done; null when this version of the service does not understand it.
    #[schema(example = "sync-config")]
    kind: Option<&'static str>,
    /// The RIR config it is about; null for one that finds out by itself.
    config: Option<RowId>,
    /// The aggregate it is about.
    aggregate: Option<RowId>,
    /// The prefixes it is about.
    prefixes: Option<BTreeSet<RowId>>,
    /// The kinds of registrations it is about.
    resources: Option<BTreeSet<Resource>>,
    /// NetBox user who asked for it.
    user: Option<String>,
    /// How it was asked for.
    trigger: Option<Trigger>,
    /// Where it is in its life.
    state: State,
    /// Attempts begun.
    attempts: u32,
    /// How far it is.
    progress: Progress,
    /// When it was first asked for.
    created: Timestamp,
    /// When it is due, if it waits for a time.
    due: Option<Timestamp>,
    /// When a worker last began it.
    started: Option<Timestamp>,
    /// When it ended.
    ended: Option<Timestamp>,
    /// What the last failed attempt met, with its causes.
    error: Option<String>,
    /// What came of it.
    #[schema(value_type = Option<Object>)]
    result: Option<serde_json::Value>,
    /// Grows with each change of the job.
    version: u64,
}

impl From<Record> for JobView {
    fn from(record: Record) -> Self {
        let Record { id, job, state, attempts, created, due, started, ended, progress, error, result, version, .. } =
            record;
        let work = job.as_ref().map(|job| &job.work);
        Self {
            kind: work.map(Work::name),
            config: work.and_then(Work::config),
            aggregate: work.and_then(aggregate),
            prefixes: work.and_then(prefixes),
            resources: work.and_then(resources),
            user: job.as_ref().and_then(|job| job.user.clone()),
            trigger: job.as_ref().map(|job| job.trigger),
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

fn aggregate(work: &Work) -> Option<RowId> {
    match work {
        Work::SyncAggregate { aggregate, .. } => Some(*aggregate),
        Work::SyncConfig { .. } | Work::SyncPrefix { .. } => None,
    }
}

fn prefixes(work: &Work) -> Option<BTreeSet<RowId>> {
    match work {
        Work::SyncPrefix { prefixes, .. } => Some(prefixes.clone()),
        Work::SyncConfig { .. } | Work::SyncAggregate { .. } => None,
    }
}

fn resources(work: &Work) -> Option<BTreeSet<Resource>> {
    match work {
        Work::SyncConfig { resources, .. } => Some(resources.clone()),
        Work::SyncAggregate { .. } | Work::SyncPrefix { .. } => None,
    }
}

/// Some jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Jobs {
    /// The newest first.
    pub(super) jobs: Vec<JobView>,
    /// `cursor` of the next page; null when there is none.
    pub(super) next_cursor: Option<JobId>,
}

/// A job that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Accepted {
    /// The job that does it.
    pub(super) job: JobView,
    /// Whether that job was there before: what was asked for is a part of it.
    pub(super) coalesced: bool,
}

/// What became of a request to sync several RIR configs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Receipts {
    /// One for each config.
    pub(super) configs: Vec<Receipt>,
}

/// What became of one of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Receipt {
    /// The config.
    pub(super) config: RowId,
    /// Its name, if you may view it.
    pub(super) name: Option<String>,
    /// Whether a job does it.
    pub(super) outcome: Outcome,
    /// Why it was skipped.
    pub(super) reason: Option<Skipped>,
    /// The job that does it.
    pub(super) job: Option<JobId>,
}

/// Whether a job does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// A new job does it.
    Queued,
    /// A job that was there before does it.
    Coalesced,
    /// Nothing is done.
    Skipped,
}

/// Why a config is not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Skipped {
    /// There is none, or you may not view it.
    NotFound,
    /// You may not change it.
    NotPermitted,
    /// It is not active.
    Inactive,
    /// You have no API key for it.
    NoApiKey,
}

/// Some rows of the sync log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SyncLogs {
    /// The newest first.
    pub(super) rows: Vec<SyncLog>,
    /// `cursor` of the next page; null when there is none.
    pub(super) next_cursor: Option<RowId>,
}

/// A row of the sync log: what was done to one object, or the summary of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SyncLog {
    /// Its id in NetBox.
    pub(super) id: RowId,
    /// The RIR config.
    config: RowId,
    /// The run.
    run: String,
    /// What was done.
    #[schema(example = "update")]
    operation: String,
    /// What it was done to; null in the summary of a run.
    #[schema(example = "network")]
    object_type: Option<String>,
    /// Its handle.
    object_handle: Option<String>,
    /// How it went.
    #[schema(example = "success")]
    status: String,
    /// What there is to say about it.
    message: Option<String>,
    /// When it was written.
    created: Option<Timestamp>,
}

impl From<LogRow> for SyncLog {
    fn from(row: LogRow) -> Self {
        let LogRow { id, config, run, operation, object_type, object_handle, status, message, created } = row;
        Self { id, config, run, operation, object_type, object_handle, status, message, created }
    }
}

/// You, as the service knows you.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Whoami {
    /// NetBox user name.
    pub(super) user: String,
    /// The RIR configs you may view.
    pub(super) configs: Vec<ConfigAccess>,
}

/// What you may do with an RIR config.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConfigAccess {
    /// The config.
    pub(super) id: RowId,
    /// Its name.
    pub(super) name: String,
    /// Whether NetBox lets you change it, and so sync it.
    pub(super) may_sync: bool,
    /// Whether there is an API key of yours for it.
    pub(super) key_available: bool,
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `live` or `ready`.
    #[schema(example = "ready")]
    pub(super) status: &'static str,
}
