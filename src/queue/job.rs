//! Jobs: small, versioned values that name their subject by id and never copy it.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{PlanDigest, Resource, RowId, SourceName};

/// The version of [`Job`]'s written form. A job of a newer one is not understood, and goes to the dead letters.
pub const VERSION: u32 = 2;

/// Id of a job; sorts by the time it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(pattern = "^[0-9a-f]{24}$", example = "019aab3d5c2e0123456789ab")]
pub struct JobId(String);

impl JobId {
    /// Makes an id of twelve hex digits of milliseconds and twelve of chance.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(format!("{:012x}{:012x}", now.as_millisecond().max(0), fastrand::u64(..1 << 48)))
    }

    /// Returns when it was made.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        let millis = self.0.get(..12).and_then(|hex| i64::from_str_radix(hex, 16).ok()).unwrap_or_default();
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    /// Reads an id that somebody sent; `None` for text that cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 24 && text.bytes().all(hex)).then(|| Self(text.to_owned()))
    }

    /// Returns the id as text.
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

/// The work that a job stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Work {
    /// Sync a config: its organization, contacts, aggregates and prefixes.
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
    /// Sync single prefixes.
    SyncPrefix {
        /// The config; `None` stands for each active one of the RIR around each prefix, and makes a job for each.
        config: Option<RowId>,
        /// The prefixes. Asking for more while the job is pending adds to them.
        prefixes: BTreeSet<RowId>,
    },
    /// Find out what a sync of a config would write, and write nothing.
    PlanConfig {
        /// The config.
        config: RowId,
        /// The kinds of registrations.
        resources: BTreeSet<Resource>,
    },
    /// Sync a config if that would still write what a plan says, else write nothing.
    ApplyPlan {
        /// The config.
        config: RowId,
        /// The kinds of registrations that the plan is about.
        resources: BTreeSet<Resource>,
        /// The plan.
        plan: PlanDigest,
    },
    /// Judge a config anew by what is recorded, and ask no registry.
    Findings {
        /// The config.
        config: RowId,
    },
    /// Go on with the change requests of a config: send what is approved, look up what is not answered, follow tickets.
    Requests {
        /// The config.
        config: RowId,
    },
    /// Bring the mirror of a routing registry up to date.
    UpdateIrr {
        /// Its source.
        source: SourceName,
    },
    /// Judge anew whether the world will accept what is announced, by what the mirrors have.
    Routing {},
}

impl Work {
    /// Returns the config it is about.
    #[must_use]
    pub fn config(&self) -> Option<RowId> {
        match self {
            Self::SyncConfig { config, .. }
            | Self::PlanConfig { config, .. }
            | Self::ApplyPlan { config, .. }
            | Self::Findings { config }
            | Self::Requests { config } => Some(*config),
            Self::SyncAggregate { config, .. } | Self::SyncPrefix { config, .. } => *config,
            Self::UpdateIrr { .. } | Self::Routing {} => None,
        }
    }

    /// Returns the source of a routing registry that it is about.
    #[must_use]
    pub fn source(&self) -> Option<&SourceName> {
        match self {
            Self::UpdateIrr { source } => Some(source),
            Self::SyncConfig { .. }
            | Self::SyncAggregate { .. }
            | Self::SyncPrefix { .. }
            | Self::PlanConfig { .. }
            | Self::ApplyPlan { .. }
            | Self::Findings { .. }
            | Self::Requests { .. }
            | Self::Routing {} => None,
        }
    }

    /// Returns whether it asks the registry, for which it needs somebody's API key.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        match self {
            Self::SyncConfig { .. }
            | Self::SyncAggregate { .. }
            | Self::SyncPrefix { .. }
            | Self::PlanConfig { .. }
            | Self::ApplyPlan { .. }
            | Self::Requests { .. } => true,
            Self::Findings { .. } | Self::UpdateIrr { .. } | Self::Routing {} => false,
        }
    }

    /// Adds the rows that another order of the same key asks for.
    pub fn absorb(&mut self, more: impl IntoIterator<Item = RowId>) {
        if let Self::SyncPrefix { prefixes, .. } = self {
            prefixes.extend(more);
        }
    }

    /// Returns the rows that an order adds to a job of the same key; none for work that is the same for all of them.
    #[must_use]
    pub fn additions(&self) -> BTreeSet<RowId> {
        match self {
            Self::SyncPrefix { prefixes, .. } => prefixes.clone(),
            Self::SyncConfig { .. }
            | Self::SyncAggregate { .. }
            | Self::PlanConfig { .. }
            | Self::ApplyPlan { .. }
            | Self::Findings { .. }
            | Self::Requests { .. }
            | Self::UpdateIrr { .. }
            | Self::Routing {} => BTreeSet::new(),
        }
    }

    /// All names that [`Work::name`] returns.
    pub const NAMES: [&str; 9] = [
        "sync-config",
        "sync-aggregate",
        "sync-prefix",
        "plan-config",
        "apply-plan",
        "findings",
        "requests",
        "update-irr",
        "routing",
    ];

    /// Returns the name that logs, metrics and answers use.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SyncConfig { .. } => "sync-config",
            Self::SyncAggregate { .. } => "sync-aggregate",
            Self::SyncPrefix { .. } => "sync-prefix",
            Self::PlanConfig { .. } => "plan-config",
            Self::ApplyPlan { .. } => "apply-plan",
            Self::Findings { .. } => "findings",
            Self::Requests { .. } => "requests",
            Self::UpdateIrr { .. } => "update-irr",
            Self::Routing {} => "routing",
        }
    }
}

/// The occasion of a job.
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

/// Where one job at a time is at work: see [`Job::alone_at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workplace<'a> {
    /// A config.
    Config(RowId),
    /// The previews of a NetBox user; of all jobs that nobody asked for, if the name is empty.
    Plans(&'a str),
    /// The change requests of a config.
    Requests(RowId),
    /// The mirror of a source.
    Mirror(&'a SourceName),
    /// The health of all prefixes.
    Routing,
}

impl From<RowId> for Workplace<'_> {
    fn from(config: RowId) -> Self {
        Self::Config(config)
    }
}

impl<'a> From<&'a SourceName> for Workplace<'a> {
    fn from(source: &'a SourceName) -> Self {
        Self::Mirror(source)
    }
}

impl fmt::Display for Workplace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(config) => config.fmt(f),
            Self::Plans(user) => write!(f, "plans:{user}"),
            Self::Requests(config) => write!(f, "requests:{config}"),
            Self::Mirror(source) => write!(f, "irr:{source}"),
            Self::Routing => f.write_str("routing"),
        }
    }
}

/// A job as it is queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// [`VERSION`] of whoever queued it.
    pub v: u32,
    /// The work.
    pub work: Work,
    /// NetBox user who asked; `None` when nobody did.
    pub user: Option<String>,
    /// The occasion.
    pub trigger: Trigger,
    /// True if ARIN is asked for everything, and not only for what its public listing shows as changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// W3C trace context of whoever asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Job {
    /// Makes a job of this version that nobody in particular asked for.
    #[must_use]
    pub fn new(work: Work, trigger: Trigger) -> Self {
        Self { v: VERSION, work, user: None, trigger, full: false, traceparent: None }
    }

    /// Returns the same job, asked for by a NetBox user.
    #[must_use]
    pub fn by(self, user: impl Into<String>) -> Self {
        Self { user: Some(user.into()), ..self }
    }

    /// Returns the NetBox user who asked for it themselves, and whose API key it uses, or none. A change that somebody
    /// made in NetBox is no such request.
    #[must_use]
    pub fn asked_by(&self) -> Option<&str> {
        match self.trigger {
            Trigger::Webhook | Trigger::Sweep => None,
            Trigger::Schedule | Trigger::Api | Trigger::Job => self.user.as_deref(),
        }
    }

    /// Returns the same work, asked for by a NetBox user instead of whoever asked for it before.
    #[must_use]
    pub fn taken_over_by(self, user: impl Into<String>) -> Self {
        Self { trigger: Trigger::Api, ..self.by(user) }
    }

    /// Returns where the job wants to be the only one that runs; `None` when it may run beside any other. A sync is
    /// alone at its config, and so is what judges the config by what syncs leave behind. A preview writes nothing, so that
    /// it neither waits for the syncs of its config nor holds them up; it is alone among the previews of whoever asked, so
    /// that nobody takes all workers with them. Change requests wait for no sync, and are alone among those of their
    /// config: what another process has left half done is told by that from what is being done. Each mirror is updated by
    /// one job at a time, and all prefixes are judged by one.
    #[must_use]
    pub fn alone_at(&self) -> Option<Workplace<'_>> {
        match &self.work {
            Work::PlanConfig { .. } => Some(Workplace::Plans(self.user.as_deref().unwrap_or(""))),
            Work::SyncConfig { .. }
            | Work::SyncAggregate { .. }
            | Work::SyncPrefix { .. }
            | Work::ApplyPlan { .. }
            | Work::Findings { .. } => self.work.config().map(Workplace::Config),
            Work::Requests { config } => Some(Workplace::Requests(*config)),
            Work::UpdateIrr { source } => Some(Workplace::Mirror(source)),
            Work::Routing {} => Some(Workplace::Routing),
        }
    }

    /// Returns the key: equal keys mean equal work.
    #[must_use]
    pub fn key(&self) -> String {
        let id = |config: &Option<RowId>| config.map_or_else(|| "*".to_owned(), |config| config.to_string());
        let kinds = |resources: &BTreeSet<Resource>| {
            let names: Vec<&str> = resources.iter().map(|resource| resource.name()).collect();
            names.join("+")
        };
        let what = match &self.work {
            Work::SyncConfig { config, resources } => format!("sync-config:{config}:{}", kinds(resources)),
            Work::PlanConfig { config, resources } => format!("plan-config:{config}:{}", kinds(resources)),
            Work::ApplyPlan { config, resources, plan } => {
                format!("apply-plan:{config}:{}:{plan}", kinds(resources))
            }
            Work::SyncAggregate { config, aggregate } => format!("sync-aggregate:{}:{aggregate}", id(config)),
            Work::SyncPrefix { config, .. } => format!("sync-prefix:{}", id(config)),
            Work::Findings { config } => format!("findings:{config}"),
            Work::Requests { config } => format!("requests:{config}"),
            Work::UpdateIrr { source } => format!("update-irr:{source}"),
            Work::Routing {} => "routing".to_owned(),
        };
        let full = if self.full { "full:" } else { "" };
        format!("{full}{what}:{}", self.user.as_deref().unwrap_or(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job::new(Work::SyncPrefix { config: Some(RowId(7)), prefixes: BTreeSet::from([RowId(1)]) }, Trigger::Api)
            .by("ann")
    }

    #[test]
    fn a_job_that_asks_for_everything_is_other_work_than_one_that_does_not() {
        assert_eq!(job().key(), "sync-prefix:7:ann");
        assert_eq!(Job { full: true, ..job() }.key(), "full:sync-prefix:7:ann");
    }

    #[test]
    fn a_job_says_that_it_asks_for_everything_and_one_of_an_earlier_build_does_not() {
        let written = |job: &Job| serde_json::to_string(job).unwrap();
        let earlier = r#"{"v":2,"work":{"kind":"sync-prefix","config":7,"prefixes":[1]},"user":"ann","trigger":"api"}"#;
        assert_eq!(written(&job()), earlier, "and an earlier build reads one of this");
        assert_eq!(serde_json::from_str::<Job>(earlier).unwrap(), job());
        let full = Job { full: true, ..job() };
        assert_eq!(serde_json::from_str::<Job>(&written(&full)).unwrap(), full);
    }
}
