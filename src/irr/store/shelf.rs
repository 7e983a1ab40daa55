//! Where sources are kept: in Redis or in the process. Both do the same; one suite of tests holds them to it.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    block::Block,
    error::{BlockDamage, StoreError},
    memory::{InMemory, InMemoryPages},
    redis::{InRedis, InRedisPages},
    state::{Basis, Notes, RefusedShrink, SourceState, Written},
    step::{Append, Switch, Switched},
};
use crate::{
    irr::{
        journal::Change,
        source::{Serial, SourceName},
    },
    redis_client,
};

/// Where sources are kept.
#[derive(Debug, Clone)]
pub(super) enum Shelf {
    Memory(InMemory),
    Redis(InRedis),
}

/// The blocks of a generation of a source.
#[derive(Debug, Clone)]
pub(super) struct Pages {
    pub(super) name: SourceName,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Memory(InMemoryPages),
    Redis(InRedisPages),
}

macro_rules! each {
    ($self:ident, $name:expr, $sources:ident => $call:expr) => {
        match $self {
            Shelf::Memory($sources) => Ok($call),
            Shelf::Redis($sources) => $call.await.map_err(StoreError::of($name)),
        }
    };
}

impl Shelf {
    /// Returns the names of all sources.
    pub(super) async fn names(&self) -> Result<BTreeSet<SourceName>, redis_client::Error> {
        match self {
            Self::Memory(sources) => Ok(sources.names()),
            Self::Redis(sources) => sources.names().await,
        }
    }

    pub(super) async fn state(&self, name: &SourceName) -> Result<SourceState, StoreError> {
        each!(self, name, sources => sources.state(name))
    }

    /// Begins a generation that nobody sees.
    pub(super) async fn begin(&self, name: &SourceName) -> Result<Pages, StoreError> {
        let place = match self {
            Self::Memory(sources) => Place::Memory(sources.begin()),
            Self::Redis(sources) => Place::Redis(sources.begin(name).await.map_err(StoreError::of(name))?),
        };
        Ok(Pages { name: name.clone(), place })
    }

    /// Returns the blocks of the generation that is current; `None` if it is found not to be any more.
    pub(super) fn pages(&self, name: &SourceName, generation: u64) -> Option<Pages> {
        let place = match self {
            Self::Memory(sources) => Place::Memory(sources.pages(name, generation)?),
            Self::Redis(sources) => Place::Redis(sources.pages(name, generation)),
        };
        Some(Pages { name: name.clone(), place })
    }

    /// Makes a generation the current one.
    pub(super) async fn switch(&self, pages: Pages, switch: &Switch) -> Result<Written, StoreError> {
        let name = pages.name;
        let switched = match (self, pages.place) {
            (Self::Memory(sources), Place::Memory(pages)) => sources.switch(&name, pages, switch),
            (Self::Redis(sources), Place::Redis(pages)) => {
                sources.switch(&pages, switch).await.map_err(StoreError::of(&name))?
            }
            (Self::Memory(_), Place::Redis(_)) | (Self::Redis(_), Place::Memory(_)) => Switched::Lost,
        };
        written(switched, name)
    }

    pub(super) async fn append(&self, name: &SourceName, append: &Append<'_>) -> Result<Written, StoreError> {
        match self {
            Self::Memory(sources) => Ok(sources.append(name, append)),
            Self::Redis(sources) => {
                written(sources.append(name, append).await.map_err(StoreError::of(name))?, name.clone())
            }
        }
    }

    pub(super) async fn note(&self, name: &SourceName, basis: Basis, notes: &Notes) -> Result<Written, StoreError> {
        each!(self, name, sources => sources.note(name, basis, notes))
    }

    /// Returns changes of the journal from the first to the last of a range, or so many of them; fewer than asked for do
    /// not mean that there are no more, but none does.
    pub(super) async fn journal(
        &self,
        name: &SourceName,
        range: (Serial, Serial),
        most: usize,
    ) -> Result<Vec<Change>, StoreError> {
        each!(self, name, sources => sources.journal(name, range, most))
    }

    pub(super) async fn ask_reload(&self, name: &SourceName) -> Result<u64, StoreError> {
        each!(self, name, sources => sources.ask_reload(name))
    }

    pub(super) async fn accept(&self, name: &SourceName, shrink: &RefusedShrink) -> Result<(), StoreError> {
        each!(self, name, sources => sources.accept(name, shrink))
    }

    pub(super) async fn forget(&self, name: &SourceName) -> Result<(), StoreError> {
        each!(self, name, sources => sources.forget(name))
    }
}

fn written(switched: Switched, name: SourceName) -> Result<Written, StoreError> {
    match switched {
        Switched::Done => Ok(Written::Done),
        Switched::Stale => Ok(Written::Stale),
        Switched::Lost => Err(StoreError::Lost { name }),
    }
}

impl Pages {
    pub(super) fn generation(&self) -> u64 {
        match &self.place {
            Place::Memory(pages) => pages.generation,
            Place::Redis(pages) => pages.generation,
        }
    }

    /// Keeps a block, in the place of another one or behind the last.
    pub(super) async fn put(&mut self, number: u64, block: Block) -> Result<(), StoreError> {
        match &mut self.place {
            Place::Memory(pages) => {
                pages.put(number, block);
                Ok(())
            }
            Place::Redis(pages) => pages.put(number, &block).await.map_err(StoreError::of(&self.name)),
        }
    }

    /// Takes away what nobody is going to read.
    pub(super) async fn discard(self) -> Result<(), StoreError> {
        match self.place {
            Place::Memory(_) => Ok(()),
            Place::Redis(pages) => pages.discard().await.map_err(StoreError::of(&self.name)),
        }
    }

    /// Returns a block; `None` if it is there no more.
    pub(super) async fn block(&self, number: u64) -> Result<Option<Arc<Block>>, StoreError> {
        match &self.place {
            Place::Memory(pages) => Ok(pages.block(number).cloned()),
            Place::Redis(pages) => Ok(pages.block(number).await.map_err(StoreError::of(&self.name))?.map(Arc::new)),
        }
    }

    /// Returns the member of a block.
    pub(super) async fn member(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.place {
            Place::Memory(pages) => Ok(pages.block(number).map(|block| block.member.clone())),
            Place::Redis(pages) => pages.member(number).await.map_err(StoreError::of(&self.name)),
        }
    }

    /// Returns the packed keys of a block.
    pub(super) async fn keys(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.place {
            Place::Memory(pages) => Ok(pages.block(number).map(|block| block.keys.clone())),
            Place::Redis(pages) => pages.keys(number).await.map_err(StoreError::of(&self.name)),
        }
    }

    /// Says which block is damaged.
    pub(super) fn damaged(&self, number: u64) -> impl FnOnce(BlockDamage) -> StoreError {
        let name = self.name.clone();
        move |source| StoreError::Damaged { name, number, source }
    }
}
