//! What a run is asked to do, and what it works with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    outcome::{SyncRun, Tally},
    progress::Progress,
};
use crate::{
    arin,
    config::{self, keys::Keyring},
    model::{Config, Key, ObjectType, Resource, Row, Scope},
    netbox,
    telemetry::metrics::Metrics,
};
use tokio_util::sync::CancellationToken;

/// What every run needs.
#[derive(Debug, Clone)]
pub struct Context {
    /// NetBox.
    pub netbox: netbox::Client,
    /// The registry instances that may be asked.
    pub arin: arin::Pool,
    /// The API keys.
    pub keys: Keyring,
    /// All settings.
    pub settings: Arc<config::Settings>,
    /// Where the run tells how far it is.
    pub progress: Progress,
    /// Where somebody may ask it to stop.
    pub stop: CancellationToken,
    /// Where it counts what it does.
    pub metrics: Arc<Metrics>,
}

/// Recorded rows by type and key.
pub type Rows = BTreeMap<ObjectType, BTreeMap<Key, Row>>;

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The config.
    pub config: &'a Config,
    /// All configs: those at the same registry instance share rows.
    pub configs: &'a [Config],
    /// The part of it.
    pub scope: Scope,
    /// The kinds of registrations.
    pub resources: BTreeSet<Resource>,
    /// Who asks.
    pub asks: Asks<'a>,
    /// The run it is a part of, for a run in parts and one that may be tried again.
    pub label: Option<Label>,
}

impl<'a> Request<'a> {
    /// A sync of a whole config that nobody asked for.
    #[must_use]
    pub fn of(config: &'a Config, configs: &'a [Config]) -> Self {
        let (scope, resources) = (Scope::Config, Resource::all());
        Self { config, configs, scope, resources, asks: Asks::Nobody, label: None }
    }
}

/// Who asks for a run, which decides whose API key it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks<'a> {
    /// Nobody: the key used last, else the first.
    Nobody,
    /// This NetBox user, with their own key or not at all.
    User(&'a str),
    /// This NetBox user by changing something: their own key, else as if nobody had asked.
    Change(&'a str),
}

/// The name of a run that is more than one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Name of the run.
    pub run: String,
    /// When it began.
    pub started: Timestamp,
    /// What tells this call's log rows from those of the others.
    pub part: String,
}

impl Request<'_> {
    /// A run with nothing done yet.
    pub(super) fn begin(&self) -> SyncRun {
        let (id, started) = match &self.label {
            Some(label) => (label.run.clone(), label.started),
            None => {
                let now = Timestamp::now();
                (name(now, fastrand::u32(..)), now)
            }
        };
        SyncRun {
            id,
            config: self.config.name.clone(),
            config_id: self.config.id,
            started,
            took: Duration::ZERO,
            user: None,
            applied: Vec::new(),
            unchanged: Vec::new(),
            failures: Vec::new(),
            skips: Vec::new(),
            ended: None,
            before: Tally::default(),
            note: None,
            arin_requests: 0,
            netbox_requests: 0,
        }
    }
}

/// The name of a run: when it began, and a number that tells it from others that began then.
#[must_use]
pub fn name(started: Timestamp, number: u32) -> String {
    format!("{}-{number:08x}", started.strftime("%Y%m%dT%H%M%SZ"))
}
