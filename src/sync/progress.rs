//! How far a run is, for whoever wants to watch.

use std::sync::Arc;

use tokio::sync::watch;

/// How much of something is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Done so far.
    pub done: u64,
    /// Known so far to be done in all.
    pub total: u64,
}

/// What a run is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// Reading NetBox.
    #[default]
    Inventory,
    /// Asking for the organization and its contacts.
    Organization,
    /// Asking for aggregates and prefixes, and writing what was found.
    Networks,
    /// Asking for what is recorded and did not come up.
    Recorded,
    /// Writing the rest and the result.
    Report,
}

impl Phase {
    /// What is going on, for a line of output.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Inventory => "reading NetBox",
            Self::Organization => "asking for the organization and its contacts",
            Self::Networks => "looking up aggregates and prefixes",
            Self::Recorded => "asking for what did not come up",
            Self::Report => "recording the result",
        }
    }
}

/// A snapshot of a run under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Name of the config.
    pub config: String,
    /// Configs finished, of all that were asked for.
    pub configs: Count,
    /// What is going on.
    pub phase: Phase,
    /// Aggregates looked up.
    pub aggregates: Count,
    /// Prefixes looked up, or found to need no question.
    pub prefixes: Count,
    /// Rows written.
    pub writes: Count,
    /// Whether the run has ended.
    pub over: bool,
}

impl Snapshot {
    /// Starts over for the next config; only the count of configs goes on.
    pub fn begin(&mut self, config: &str) {
        *self = Self { config: config.to_owned(), configs: self.configs, ..Self::default() };
    }
}

/// Where a run tells how far it is. Cheap to clone; nobody has to listen.
#[derive(Debug, Clone)]
pub struct Progress(Arc<watch::Sender<Snapshot>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Snapshot::default())))
    }
}

impl Progress {
    /// Watches the run.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Snapshot> {
        self.0.subscribe()
    }

    /// Changes the snapshot.
    pub fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        self.0.send_modify(change);
    }
}
