//! The registry behind a server: edited by tests while answers are made of it.

use std::{
    ops,
    sync::{Arc, MutexGuard},
};

use super::world::{Index, Registry};

/// A registry and the index of its nets, which is made when it is first needed after a change.
///
/// A clone costs nothing and stays as it is: the registry is copied when it is next edited.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Served {
    registry: Arc<Registry>,
    index: Option<Arc<Index>>,
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
        Self { registry: Arc::new(registry), index: None }
    }

    /// Returns the registry as it is now, with its index.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let Self { registry, index } = self;
        let index = index.get_or_insert_with(|| Arc::new(Index::of(registry)));
        Snapshot { registry: Arc::clone(registry), index: Arc::clone(index) }
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
