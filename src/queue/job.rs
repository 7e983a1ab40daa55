//! What can be asked for: small, versioned values that name their subject by id and never copy it.

use std::{collections::BTreeSet, fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{NetHandle, Resource, RowId};

/// The version of [`Job`]'s written form. A job of a newer one is not understood, and goes to the dead letters.
pub const VERSION: u32 = 1;

/// Id of a job; sorts by the time it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(pattern = "^[0-9a-f]{24}$", example = "019aab3d5c2e0123456789ab")]
pub struct JobId(String);

impl JobId {
    /// A new id: twelve hex digits of milliseconds, twelve of chance.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(format!("{:012x}{:012x}", now.as_millisecond().max(0), fastrand::u64(..1 << 48)))
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        let millis = self.0.get(..12).and_then(|hex| i64::from_str_radix(hex, 16).ok()).unwrap_or_default();
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    /// Reads an id that somebody sent; `None` for what can be none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 24 && text.bytes().all(hex)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Work {
    /// Sync a config: its organization, contacts and aggregates; then, as parts of the same run, the prefixes.
    SyncConfig {
        /// The config.
        config: RowId,
        /// The kinds of registrations.
        resources: BTreeSet<Resource>,
    },
    /// Sync an aggregate and the prefixes inside it.
    SyncAggregate {
        /// The config; `None` stands for each active one of the aggregate's RIR, and makes a job for each.
        config: Option<RowId>,
        /// The aggregate.
        aggregate: RowId,
    },
    /// A part of a config's run: the prefixes inside an aggregate.
    SyncPrefixes {
        /// The config.
        config: RowId,
        /// The aggregate.
        aggregate: RowId,
        /// The net that answers for the aggregate, if one does.
        parent: Option<NetHandle>,
    },
    /// Sync single prefixes.
    SyncPrefix {
        /// The config; `None` stands for each active one of the RIR around each prefix, and makes a job for each.
        config: Option<RowId>,
        /// The prefixes. Asking for more while the job is pending adds to them.
        prefixes: BTreeSet<RowId>,
    },
    /// Remove log rows of a config that are older than the retention.
    Prune {
        /// The config.
        config: RowId,
    },
    /// Put the parts of a run together, when all of them have ended: look after what did not come up, and record it.
    RecordRun {
        /// The config.
        config: RowId,
    },
}

impl Work {
    /// The config it is about; only one run of a config is at work at a time.
    #[must_use]
    pub fn config(&self) -> Option<RowId> {
        match self {
            Self::SyncConfig { config, .. }
            | Self::SyncPrefixes { config, .. }
            | Self::Prune { config }
            | Self::RecordRun { config } => Some(*config),
            Self::SyncAggregate { config, .. } | Self::SyncPrefix { config, .. } => *config,
        }
    }

    /// Whether it begins a run of several parts, which a [`Work::RecordRun`] ends.
    #[must_use]
    pub fn begins_run(&self) -> bool {
        matches!(self, Self::SyncConfig { .. })
    }

    /// Takes in what another order of the same key asks for.
    pub fn absorb(&mut self, more: impl IntoIterator<Item = RowId>) {
        if let Self::SyncPrefix { prefixes, .. } = self {
            prefixes.extend(more);
        }
    }

    /// What another order of the same key adds to; empty for work that is the same for all of them.
    #[must_use]
    pub fn additions(&self) -> BTreeSet<RowId> {
        match self {
            Self::SyncPrefix { prefixes, .. } => prefixes.clone(),
            Self::SyncConfig { .. }
            | Self::SyncAggregate { .. }
            | Self::SyncPrefixes { .. }
            | Self::Prune { .. }
            | Self::RecordRun { .. } => BTreeSet::new(),
        }
    }

    /// All names that [`Work::name`] gives.
    pub const NAMES: [&str; 6] =
        ["sync-config", "sync-aggregate", "sync-prefixes", "sync-prefix", "prune", "record-run"];

    /// What it is called in logs, metrics and answers.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SyncConfig { .. } => "sync-config",
            Self::SyncAggregate { .. } => "sync-aggregate",
            Self::SyncPrefixes { .. } => "sync-prefixes",
            Self::SyncPrefix { .. } => "sync-prefix",
            Self::Prune { .. } => "prune",
            Self::RecordRun { .. } => "record-run",
        }
    }
}

/// Who or what asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A change in NetBox, told by a webhook.
    Webhook,
    /// The schedule.
    Schedule,
    /// A caller of the HTTP API.
    Api,
    /// A change in NetBox, found by the sweep.
    Sweep,
    /// Another job.
    Job,
}

/// A job as it is queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// [`VERSION`] of whoever queued it.
    pub v: u32,
    /// What is to be done.
    pub work: Work,
    /// NetBox user who asked; `None` when nobody did.
    pub user: Option<String>,
    /// How it was asked for.
    pub trigger: Trigger,
    /// The run it is a part of: the id of the job that began it.
    pub run: Option<JobId>,
    /// W3C trace context of whoever asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Job {
    /// A job of this version that is part of no run and that nobody in particular asked for.
    #[must_use]
    pub fn new(work: Work, trigger: Trigger) -> Self {
        Self { v: VERSION, work, user: None, trigger, run: None, traceparent: None }
    }

    /// The same, asked for by a NetBox user.
    #[must_use]
    pub fn by(self, user: impl Into<String>) -> Self {
        Self { user: Some(user.into()), ..self }
    }

    /// The job that records the run which this one, of the given id, begins; `None` when it begins none. It is asked for by
    /// the same user in the same way, and so uses the same API key.
    #[must_use]
    pub fn recorder(&self, id: &JobId) -> Option<Self> {
        let config = self.work.config().filter(|_| self.work.begins_run())?;
        Some(Self { work: Work::RecordRun { config }, run: Some(id.clone()), ..self.clone() })
    }

    /// Equal keys mean equal work. A part of a run has a key of its own, so that it is never taken for another run's.
    #[must_use]
    pub fn key(&self) -> String {
        let id = |config: &Option<RowId>| config.map_or_else(|| "*".to_owned(), |config| config.to_string());
        let what = match &self.work {
            Work::SyncConfig { config, resources } => {
                let kinds: Vec<&str> = resources.iter().map(|resource| resource.name()).collect();
                format!("sync-config:{config}:{}", kinds.join("+"))
            }
            Work::SyncAggregate { config, aggregate } => format!("sync-aggregate:{}:{aggregate}", id(config)),
            Work::SyncPrefixes { config, aggregate, .. } => format!("sync-prefixes:{config}:{aggregate}"),
            Work::SyncPrefix { config, .. } => format!("sync-prefix:{}", id(config)),
            Work::Prune { config } => format!("prune:{config}"),
            Work::RecordRun { config } => format!("record-run:{config}"),
        };
        let run = self.run.as_ref().map_or("", JobId::as_str);
        format!("{what}:{run}:{}", self.user.as_deref().unwrap_or(""))
    }
}

/// A job and when it is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The job.
    pub job: Job,
    /// How long it waits at least.
    pub delay: Delay,
}

/// How long an order waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// Not at all. A twin that is still waiting is brought forward.
    None,
    /// This long, as for a start that is spread out. A twin that is waiting keeps the earlier time of the two.
    For(Duration),
    /// Until nothing more was asked for during `quiet`, but at most `longest` after the first time.
    Debounce {
        /// Each further order of the same key begins it anew.
        quiet: Duration,
        /// The end of patience, from the first order on.
        longest: Duration,
    },
}
