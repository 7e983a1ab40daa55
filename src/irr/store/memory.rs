//! Mirrored sources in this process. Whoever reads has blocks of their own to go on with, and what was not finished goes
//! with whoever began it; so nothing here has to expire.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::Mutex;

use super::{
    block::Block,
    state::{Basis, Notes, RefusedShrink, SourceState, Written},
    step::{Append, Journal, Switch, Switched},
};
use crate::irr::{
    journal::{Change, Operation},
    source::{Serial, SourceName},
};

/// The sources.
#[derive(Debug, Clone, Default)]
pub(super) struct InMemory(Arc<Mutex<Sources>>);

#[derive(Debug, Default)]
struct Sources {
    kept: BTreeMap<SourceName, Kept>,
    generations: u64,
}

#[derive(Debug, Default)]
struct Kept {
    state: SourceState,
    blocks: Vec<Arc<Block>>,
    journal: BTreeMap<Serial, Operation>,
}

/// The blocks of a generation.
#[derive(Debug, Clone)]
pub(super) struct InMemoryPages {
    pub(super) generation: u64,
    blocks: Vec<Arc<Block>>,
}

impl InMemoryPages {
    /// Keeps a block, in the place of another one or behind the last.
    pub(super) fn put(&mut self, number: u64, block: Block) {
        let place = usize::try_from(number).ok().and_then(|number| self.blocks.get_mut(number));
        match place {
            Some(place) => *place = Arc::new(block),
            None => self.blocks.push(Arc::new(block)),
        }
    }

    pub(super) fn block(&self, number: u64) -> Option<&Arc<Block>> {
        self.blocks.get(usize::try_from(number).ok()?)
    }
}

impl InMemory {
    pub(super) fn names(&self) -> BTreeSet<SourceName> {
        self.0.lock().kept.keys().cloned().collect()
    }

    pub(super) fn state(&self, name: &SourceName) -> SourceState {
        self.0.lock().kept.get(name).map(|kept| kept.state.clone()).unwrap_or_default()
    }

    pub(super) fn begin(&self) -> InMemoryPages {
        let mut sources = self.0.lock();
        sources.generations = sources.generations.saturating_add(1);
        InMemoryPages { generation: sources.generations, blocks: Vec::new() }
    }

    /// Returns the blocks of a generation if it is the current one.
    pub(super) fn pages(&self, name: &SourceName, generation: u64) -> Option<InMemoryPages> {
        let sources = self.0.lock();
        let kept = sources.kept.get(name)?;
        let is_current = kept.state.holding.as_ref().is_some_and(|holding| holding.generation == generation);
        is_current.then(|| InMemoryPages { generation, blocks: kept.blocks.clone() })
    }

    fn change<T>(&self, name: &SourceName, basis: Basis, stale: T, change: impl FnOnce(&mut Kept) -> T) -> T {
        let mut sources = self.0.lock();
        let kept = sources.kept.entry(name.clone()).or_default();
        if kept.state.basis() == basis { change(kept) } else { stale }
    }

    pub(super) fn switch(&self, name: &SourceName, pages: InMemoryPages, switch: &Switch) -> Switched {
        self.change(name, switch.basis, Switched::Stale, |kept| {
            kept.state.holding = Some(switch.holding.clone());
            kept.blocks = pages.blocks;
            match &switch.journal {
                Journal::Dropped(notes) => {
                    kept.journal.clear();
                    kept.state.notes = (**notes).clone();
                    kept.state.accepted = None;
                }
                Journal::Kept(most) => {
                    while u64::try_from(kept.journal.len()).is_ok_and(|changes| changes > *most) {
                        kept.journal.pop_first();
                    }
                }
            }
            Switched::Done
        })
    }

    pub(super) fn append(&self, name: &SourceName, append: &Append<'_>) -> Written {
        self.change(name, append.basis, Written::Stale, |kept| {
            kept.journal.extend(append.changes.iter().map(|change| (change.serial, change.operation.clone())));
            kept.state.holding = Some(append.holding.clone());
            kept.state.notes = append.notes.clone();
            Written::Done
        })
    }

    pub(super) fn note(&self, name: &SourceName, basis: Basis, notes: &Notes) -> Written {
        self.change(name, basis, Written::Stale, |kept| {
            kept.state.notes = notes.clone();
            Written::Done
        })
    }

    pub(super) fn journal(&self, name: &SourceName, (first, last): (Serial, Serial), most: usize) -> Vec<Change> {
        let sources = self.0.lock();
        let Some(kept) = sources.kept.get(name) else { return Vec::new() };
        if first > last {
            return Vec::new();
        }
        let changes = kept.journal.range(first..=last).take(most);
        changes.map(|(serial, operation)| Change { serial: *serial, operation: operation.clone() }).collect()
    }

    pub(super) fn ask_reload(&self, name: &SourceName) -> u64 {
        let mut sources = self.0.lock();
        let state = &mut sources.kept.entry(name.clone()).or_default().state;
        state.reloads_asked = state.reloads_asked.saturating_add(1);
        state.reloads_asked
    }

    pub(super) fn accept(&self, name: &SourceName, shrink: &RefusedShrink) {
        self.0.lock().kept.entry(name.clone()).or_default().state.accepted = Some(shrink.clone());
    }

    pub(super) fn forget(&self, name: &SourceName) {
        self.0.lock().kept.remove(name);
    }
}
