//! The order for a run, and the systems that it works with.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{approved::Approved, plan::Subject, progress::Progress};
use crate::{
    arin,
    config::{self, keys::Keyring},
    model::{Config, Resource, Scope},
    netbox,
    telemetry::metrics::Metrics,
};

/// The systems and settings of a run.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Context {
    pub netbox: netbox::Client,
    /// The registry instances that may be asked.
    pub arin: arin::Pool,
    /// The API keys.
    pub keys: Keyring,
    pub settings: Arc<config::Settings>,
    /// Receives the progress of the run.
    pub progress: Progress,
    /// Cancelled when the run is to stop.
    pub stop: CancellationToken,
    /// Counts what the run does.
    pub metrics: Arc<Metrics>,
}

/// The order for one run.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The config.
    pub config: &'a Config,
    /// All configs: those at the same registry instance share rows.
    pub configs: &'a [Config],
    /// The part of the config that is synced.
    pub scope: Scope,
    /// The kinds of registrations that are synced.
    pub resources: BTreeSet<Resource>,
    /// True if ARIN is asked for everything, and not only for what its public listing shows as changed.
    pub full: bool,
    /// Decides whose API key the run uses.
    pub requester: Requester<'a>,
    /// The name of a run that several workers may have one after the other; a new one where there is none.
    pub name: Option<RunName>,
    /// The plan that the run may write; without one it writes what it finds.
    pub approved: Option<Approved>,
}

impl<'a> Request<'a> {
    /// A sync of a whole config that nobody asked for.
    #[must_use]
    pub fn of(config: &'a Config, configs: &'a [Config]) -> Self {
        let (scope, resources, requester) = (Scope::Config, Resource::all(), Requester::Automatic);
        Self { config, configs, scope, resources, full: false, requester, name: None, approved: None }
    }

    /// Returns what a plan for it is about.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject { config: self.config.id, scope: &self.scope, resources: &self.resources }
    }
}

impl Request<'_> {
    /// Returns whether it is about all of the config, so that its end is the config's last sync.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.scope == Scope::Config && self.resources == Resource::all()
    }
}

/// The one who asks for a run, which decides whose API key it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester<'a> {
    /// Nobody: the key used last, else the first.
    Automatic,
    /// This NetBox user, with their own key or not at all.
    User(&'a str),
    /// This NetBox user by changing something: their own key, else as if nobody had asked.
    ChangedBy(&'a str),
}

/// The name of a run, which stays the same whoever takes it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunName {
    /// The name, as in `20260131T120000Z-1a2b3c4d`.
    pub id: String,
    /// The time at which the run began.
    pub started: Timestamp,
    /// Tells the log rows of each worker that had the run from those of the others.
    pub log: String,
}

impl RunName {
    /// Names a run that began at this time. The number tells it from others that began then.
    #[must_use]
    pub fn new(started: Timestamp, number: u32, log: impl Into<String>) -> Self {
        Self { id: format!("{}-{number:08x}", started.strftime("%Y%m%dT%H%M%SZ")), started, log: log.into() }
    }
}
