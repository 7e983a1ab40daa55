//! Reads a source: as it is, or its last snapshot. One block is in memory at a time, and the changes since the snapshot.

use std::collections::BTreeMap;

use super::{
    error::StoreError,
    shelf::{Pages, Shelf},
    state::{Basis, Holding, SourceState},
};
use crate::irr::{
    journal::{Change, Operation},
    rpsl::{Object, ObjectKey},
    source::{Serial, SourceName},
};

/// How many times a reader begins anew because the snapshot was replaced while it read the journal. That takes an import
/// or a compaction each time.
const OPENED_AT_MOST: u8 = 5;

/// The objects of a source as they were when it was opened.
#[derive(Debug)]
pub struct CurrentObjects {
    shelf: Shelf,
    holding: Holding,
    pages: Pages,
    /// The number of the next block.
    next: u64,
    /// The texts of the objects that changed since the snapshot and were not read yet; `None` of those that are gone.
    changed: BTreeMap<ObjectKey, Option<String>>,
}

/// The last snapshot of a source, as it is kept: gzip members that are a dump when put one after the other.
#[derive(Debug)]
pub struct SnapshotMembers {
    shelf: Shelf,
    holding: Holding,
    pages: Pages,
    next: u64,
}

impl CurrentObjects {
    /// Begins to read; `None` if nothing is held.
    pub(super) async fn open(shelf: &Shelf, name: &SourceName) -> Result<Option<Self>, StoreError> {
        for _ in 0..OPENED_AT_MOST {
            let Some(holding) = shelf.state(name).await?.holding else { return Ok(None) };
            let pages = shelf.pages(name, holding.generation);
            let changed = changed(shelf, name, &holding).await?;
            // What was read of the journal is whole if it was not trimmed meanwhile, which only comes with other blocks.
            let now = shelf.state(name).await?.holding;
            let is_same = now.is_some_and(|now| now.generation == holding.generation);
            if let Some(pages) = pages.filter(|_| is_same) {
                return Ok(Some(Self { shelf: shelf.clone(), holding, pages, next: 0, changed }));
            }
        }
        Err(StoreError::Replaced { name: name.clone() })
    }

    /// Returns what is held of which these are the objects.
    #[must_use]
    pub fn holding(&self) -> &Holding {
        &self.holding
    }

    /// Returns what a write stands on that follows from these objects.
    #[must_use]
    pub fn basis(&self) -> Basis {
        SourceState { holding: Some(self.holding.clone()), ..SourceState::default() }.basis()
    }

    /// Returns the next objects, some hundreds of them, or none of a block whose objects are all gone; `None` after the
    /// last.
    ///
    /// # Errors
    /// When Redis does not answer, does not have them any more, or has something else.
    pub async fn next(&mut self) -> Result<Option<Vec<Object>>, StoreError> {
        self.next_of(|_| true).await
    }

    /// Returns the next objects as [`next`](Self::next) does, of those with a key that is wanted. A block without any is
    /// not unpacked but for its keys.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn next_of(&mut self, wanted: impl Fn(&ObjectKey) -> bool) -> Result<Option<Vec<Object>>, StoreError> {
        if self.next >= self.holding.blocks {
            if self.changed.is_empty() {
                return Ok(None);
            }
            let new = std::mem::take(&mut self.changed).into_iter().filter(|(key, _)| wanted(key));
            return Ok(Some(new.filter_map(|(key, text)| Some(Object { key, text: text? })).collect()));
        }
        let number = self.next;
        let Some(block) = self.pages.block(number).await? else { return Err(gone(&self.shelf, &self.pages).await) };
        let objects = block.objects_of(wanted).map_err(self.pages.damaged(number))?;
        self.next = number.saturating_add(1);
        Ok(Some(objects.into_iter().filter_map(|object| self.now(object)).collect()))
    }

    /// Returns what an object of the snapshot is now.
    fn now(&mut self, object: Object) -> Option<Object> {
        match self.changed.remove(&object.key) {
            None => Some(object),
            Some(text) => Some(Object { text: text?, ..object }),
        }
    }
}

impl SnapshotMembers {
    /// Begins to read; `None` if nothing is held.
    pub(super) async fn open(shelf: &Shelf, name: &SourceName) -> Result<Option<Self>, StoreError> {
        for _ in 0..OPENED_AT_MOST {
            let Some(holding) = shelf.state(name).await?.holding else { return Ok(None) };
            if let Some(pages) = shelf.pages(name, holding.generation) {
                return Ok(Some(Self { shelf: shelf.clone(), holding, pages, next: 0 }));
            }
        }
        Err(StoreError::Replaced { name: name.clone() })
    }

    /// Returns what is held; the dump is that of its `snapshot_serial`.
    #[must_use]
    pub fn holding(&self) -> &Holding {
        &self.holding
    }

    /// Returns the next member; `None` after the last.
    ///
    /// # Errors
    /// When Redis does not answer, or does not have it any more.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.next >= self.holding.blocks {
            return Ok(None);
        }
        let Some(member) = self.pages.member(self.next).await? else {
            return Err(gone(&self.shelf, &self.pages).await);
        };
        self.next = self.next.saturating_add(1);
        Ok(Some(member))
    }
}

/// Says why a block is not there any more.
async fn gone(shelf: &Shelf, pages: &Pages) -> StoreError {
    let name = pages.name.clone();
    match shelf.state(&name).await {
        Err(error) => error,
        Ok(SourceState { holding: Some(now), .. }) if now.generation == pages.generation() => {
            StoreError::Missing { name }
        }
        Ok(_) => StoreError::Replaced { name },
    }
}

/// Returns what the journal says of each object that it names since the snapshot.
async fn changed(
    shelf: &Shelf,
    name: &SourceName,
    holding: &Holding,
) -> Result<BTreeMap<ObjectKey, Option<String>>, StoreError> {
    let mut changed = BTreeMap::new();
    let (Some(last), true) = (holding.serial, holding.tail > 0) else { return Ok(changed) };
    let mut first = holding.snapshot_serial.map_or(Some(Serial(0)), Serial::next);
    while let Some(from) = first {
        let changes = shelf.journal(name, (from, last), usize::MAX).await?;
        first = changes.last().and_then(|change| change.serial.next());
        for Change { operation, .. } in changes {
            let (key, text) = match operation {
                Operation::Add(Object { key, text }) => (key, Some(text)),
                Operation::Delete { key, .. } => (key, None),
            };
            changed.insert(key, text);
        }
    }
    Ok(changed)
}
