//! The registry behind a server: edited by tests while answers are made of it.

use std::{
    collections::VecDeque,
    ops,
    sync::{Arc, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;

use super::world::{Index, Registry};

/// A registry and the index of its nets, which is made when it is first needed after a change.
///
/// A clone costs nothing and stays as it is: the registry is copied when it is next edited.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Served {
    registry: Arc<Registry>,
    index: Option<Arc<Index>>,
    /// What it was before each change that is not seen yet, with the moment from which the change is seen.
    before: VecDeque<(Instant, Snapshot)>,
}

/// A registry as it was at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) registry: Arc<Registry>,
    pub(crate) index: Arc<Index>,
}

/// The registry behind a server, held for as long as this guard lives: answers wait for it, so do not keep it over an
/// `await`.
#[derive(Debug)]
pub struct Editing<'a>(pub(crate) MutexGuard<'a, Served>);

impl Served {
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry: Arc::new(registry), index: None, before: VecDeque::new() }
    }

    /// Returns the moment by the clock of the registry.
    pub(crate) fn now(&self) -> jiff::civil::DateTime {
        self.registry.now
    }

    /// Returns the registry as it is now, with its index.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let Self { registry, index, .. } = self;
        let index = index.get_or_insert_with(|| Arc::new(Index::of(registry)));
        Snapshot { registry: Arc::clone(registry), index: Arc::clone(index) }
    }
}

impl Served {
    /// Returns the registry with its index as it is without the changes that are not seen yet.
    pub(crate) fn seen(&mut self) -> Snapshot {
        let now = Instant::now();
        self.before.retain(|(until, _)| now < *until);
        self.before.front().map(|(_, before)| before.clone()).unwrap_or_else(|| self.snapshot())
    }
}

impl Editing<'_> {
    /// Lets the changes that are made from here on be seen only after so much time.
    pub(crate) fn hide_for(&mut self, lag: Duration) {
        if let Some(until) = Instant::now().checked_add(lag).filter(|_| !lag.is_zero()) {
            let before = self.0.snapshot();
            self.0.before.push_back((until, before));
        }
    }
}

impl ops::Deref for Editing<'_> {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.0.registry
    }
}

impl ops::DerefMut for Editing<'_> {
    fn deref_mut(&mut self) -> &mut Registry {
        self.0.index = None;
        Arc::make_mut(&mut self.0.registry)
    }
}
