//! Keeps mirrored sources: of each an immutable *snapshot* in compressed blocks, and a *journal* of the changes since.
//!
//! [`Store`] is in Redis for any number of replicas, or in the process for a single one; what Redis holds under which keys
//! is told in `redis`. Both behave the same; one suite of tests holds them to it. What a source is now are the objects of
//! its snapshot, with the changes up to [`Holding::serial`] on top. Nobody holds all objects of a source in memory.
//!
//! All that is written is written whole or not at all, and names its [`Basis`]: the source as the writer has read it. Has
//! somebody else changed it meanwhile, nothing is written and [`Written::Stale`] says so. Somebody who reads sees a
//! source as it was when they began.
//!
//! | step | what it does to readers |
//! |---|---|
//! | [`Store::import`] | other objects, all at once; the journal is gone |
//! | [`Store::append`] | so many changes, all at once |
//! | [`Store::compact`] | nothing: the changes become part of the snapshot |
//! | [`Store::note`] | nothing |
//!
//! An empty Redis is no error: nothing is held then, and whoever updates the source imports it. It may not throw away
//! single keys, though: [`Fitness::keeps_mirrors`](crate::redis_client::server::Fitness::keeps_mirrors).

mod block;
mod draft;
mod error;
mod import;
mod memory;
mod read;
mod redis;
mod shelf;
mod state;
mod step;

use jiff::Timestamp;

use super::{
    journal::{Change, Operation},
    source::{Serial, SourceName},
};
use crate::{config, redis_client};
use draft::Draft;
pub use error::{BlockDamage, StoreError};
pub use import::Import;
use memory::InMemory;
pub use read::{CurrentObjects, SnapshotMembers};
use redis::InRedis;
use shelf::Shelf;
pub use state::{Basis, Holding, Notes, RefusedShrink, SourceState, Trouble, Unusable, Written, needs_compaction};
use step::{Append, Journal};

/// Keeps mirrored sources.
#[derive(Debug, Clone)]
pub struct Store(Shelf);

/// Each method fails when Redis does not do it, and opening when its address cannot be used.
#[expect(clippy::missing_errors_doc, reason = "the sentence above says it for all")]
impl Store {
    /// Opens what the settings of the queue name. With Redis this does not wait for it to answer; a Cluster needs a Tokio
    /// runtime.
    pub fn open(settings: &config::Queue) -> Result<Self, redis_client::Error> {
        if settings.url.is_empty() {
            return Ok(Self::in_memory());
        }
        InRedis::open(settings).map(Shelf::Redis).map(Self)
    }

    /// Keeps sources in this process; a restart loses them.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Shelf::Memory(InMemory::default()))
    }

    /// Returns what is known of a source; of one that nobody has written about, nothing.
    pub async fn state(&self, name: &SourceName) -> Result<SourceState, StoreError> {
        self.0.state(name).await
    }

    /// Returns the names of the sources of which anything is known.
    pub async fn names(&self) -> Result<Vec<SourceName>, redis_client::Error> {
        Ok(self.0.names().await?.into_iter().collect())
    }

    /// Begins to take a dump.
    pub async fn import(&self, name: &SourceName, basis: Basis) -> Result<Import, StoreError> {
        Import::begin(&self.0, name, basis).await
    }

    /// Appends changes with rising serials, none of them beyond `serial`, which becomes the newest one. There may be none.
    pub async fn append(
        &self,
        name: &SourceName,
        basis: Basis,
        changes: &[Change],
        serial: Serial,
        notes: &Notes,
    ) -> Result<Written, StoreError> {
        let state = self.0.state(name).await?;
        if state.basis() != basis {
            return Ok(Written::Stale);
        }
        let mut holding = state.holding.ok_or_else(|| StoreError::NothingHeld { name: name.clone() })?;
        let after = holding.serial.unwrap_or_default();
        in_order(name, after, changes, serial)?;
        changes.iter().try_for_each(|change| match &change.operation {
            Operation::Add(object) => block::check(object),
            Operation::Delete { .. } => Ok(()),
        })?;
        holding.serial = Some(serial);
        holding.tail = holding.tail.saturating_add(u64::try_from(changes.len()).unwrap_or(u64::MAX));
        self.0.append(name, &Append { basis, after, changes, holding, notes }).await
    }

    /// Replaces the notes about a source.
    pub async fn note(&self, name: &SourceName, basis: Basis, notes: &Notes) -> Result<Written, StoreError> {
        self.0.note(name, basis, notes).await
    }

    /// Makes a snapshot of what the source is now; see [`needs_compaction`]. Of the journal, so many of the newest changes
    /// stay: others may go on from an older snapshot by them.
    pub async fn compact(
        &self,
        name: &SourceName,
        basis: Basis,
        journal_keep: u64,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let Some(mut current) = CurrentObjects::open(&self.0, name).await? else {
            return Err(StoreError::NothingHeld { name: name.clone() });
        };
        if current.basis() != basis {
            return Ok(Written::Stale);
        }
        let mut draft = Draft::begin(&self.0, name).await?;
        while let Some(objects) = current.next().await? {
            for object in &objects {
                draft.push(object).await?;
            }
        }
        draft.finish(basis, current.holding().serial, Journal::Kept(journal_keep), now).await
    }

    /// Begins to read the objects that the source has now; `None` if nothing is held.
    pub async fn objects(&self, name: &SourceName) -> Result<Option<CurrentObjects>, StoreError> {
        CurrentObjects::open(&self.0, name).await
    }

    /// Begins to read the last snapshot of a source, as it is kept; `None` if nothing is held.
    pub async fn snapshot(&self, name: &SourceName) -> Result<Option<SnapshotMembers>, StoreError> {
        SnapshotMembers::open(&self.0, name).await
    }

    /// Returns changes from the first to the last of a range, or the first of them, no more than `most`. There are no
    /// more only if there are none: the oldest that there is comes first of a range that begins with 0.
    pub async fn journal(
        &self,
        name: &SourceName,
        (first, last): (Serial, Serial),
        most: usize,
    ) -> Result<Vec<Change>, StoreError> {
        // What lies beyond the newest serial was left by a writer that did not finish.
        let newest = self.0.state(name).await?.holding.and_then(|holding| holding.serial);
        match newest {
            Some(newest) => self.0.journal(name, (first, last.min(newest)), most).await,
            None => Ok(Vec::new()),
        }
    }

    /// Asks for a reload at the next update. Returns how many were asked for so far.
    pub async fn ask_reload(&self, name: &SourceName) -> Result<u64, StoreError> {
        self.0.ask_reload(name).await
    }

    /// Accepts the shrink that was refused last, and returns it; `None` if none was.
    pub async fn accept_shrink(&self, name: &SourceName) -> Result<Option<RefusedShrink>, StoreError> {
        let refused = self.0.state(name).await?.notes.refused;
        if let Some(shrink) = &refused {
            self.0.accept(name, shrink).await?;
        }
        Ok(refused)
    }

    /// Forgets a source that is not mirrored any more.
    pub async fn forget(&self, name: &SourceName) -> Result<(), StoreError> {
        self.0.forget(name).await
    }
}

/// Checks that changes can be kept in their order.
fn in_order(name: &SourceName, after: Serial, changes: &[Change], newest: Serial) -> Result<(), StoreError> {
    let refused = |serial, before| Err(StoreError::OutOfOrder { name: name.clone(), serial, before });
    let mut before = after;
    for Change { serial, .. } in changes {
        if *serial <= before || *serial > newest {
            return refused(*serial, before);
        }
        before = *serial;
    }
    if newest < before { refused(newest, before) } else { Ok(()) }
}
