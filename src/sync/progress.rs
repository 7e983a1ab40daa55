//! The progress of a run, for whoever wants to watch.

use std::sync::Arc;

use tokio::sync::watch;

use crate::model::{AggregateProgress, AggregateState, RowId};

/// A number of things done out of a total.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Done so far.
    pub done: u64,
    /// Known so far to be done in all.
    pub total: u64,
}

/// A step of a run.
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
    /// Reading the objects of a routing registry, which is no step of a sync.
    Mirror,
}

impl Phase {
    /// Describes the step for a line of output.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Inventory => "reading NetBox",
            Self::Organization => "asking for the organization and its contacts",
            Self::Networks => "looking up aggregates and prefixes",
            Self::Recorded => "asking for what did not come up",
            Self::Report => "recording the result",
            Self::Mirror => "reading the objects of the registry",
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
    /// The step that the run is at.
    pub phase: Phase,
    /// Aggregates that were finished by whoever had the run before.
    pub finished: Vec<AggregateProgress>,
    /// The aggregates of this look-up, in the order of its worklist.
    pub asking: Vec<AggregateProgress>,
    /// Rows written.
    pub writes: Count,
    /// Objects of a routing registry that were read. How many there are shows at their end.
    pub objects: u64,
    /// The run has ended.
    pub over: bool,
}

impl Snapshot {
    /// Starts over for the next config; only the count of configs goes on.
    pub fn begin(&mut self, config: &str) {
        *self = Self { config: config.to_owned(), configs: self.configs, ..Self::default() };
    }

    /// Returns a line for each aggregate and the net that answers for it.
    pub fn lines(&self) -> impl Iterator<Item = &AggregateProgress> {
        self.finished.iter().chain(&self.asking)
    }

    /// Counts the aggregates about which everything was asked.
    #[must_use]
    pub fn aggregates(&self) -> Count {
        let over = |line: &&AggregateProgress| !matches!(line.state, AggregateState::Waiting | AggregateState::Asking);
        Count { done: self.lines().filter(over).count() as u64, total: self.lines().count() as u64 }
    }

    /// Counts the prefixes that were looked up, or found to need no question.
    #[must_use]
    pub fn prefixes(&self) -> Count {
        let sum = |of: fn(&AggregateProgress) -> u64| self.lines().map(of).sum();
        Count { done: sum(|line| line.prefixes_done), total: sum(|line| line.prefixes) }
    }

    /// Notes that everything about an aggregate has been written.
    pub(super) fn written(&mut self, aggregate: RowId) {
        if let Some(line) = self.asking.iter_mut().find(|line| line.aggregate == aggregate) {
            line.state = AggregateState::Done;
        }
    }
}

/// Receives the progress of a run. Cheap to clone; nobody has to listen.
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
