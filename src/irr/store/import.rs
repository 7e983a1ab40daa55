//! Takes a dump: nobody sees any of it before all of it is there.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use jiff::Timestamp;

use super::{
    block::check,
    draft::Draft,
    error::StoreError,
    shelf::Shelf,
    state::{Basis, Notes, Written},
    step::Journal,
};
use crate::irr::{
    rpsl::{Object, ObjectKey},
    source::{Serial, SourceName},
};

/// How many bytes of objects that come a second time are held in memory before they are put in their places. A dump has
/// some of them at the most; only one that consists of them pays for it with a look through all blocks each time.
const MOST_LATER: usize = 16 * 1024 * 1024;

/// A dump that is being taken. When it is dropped, nothing has happened: what it has written expires.
///
/// A dump may have an object twice; the last one counts. Not their keys are remembered but a hash of each, nine bytes in a
/// table that is half full. Whatever has a hash that came before is put aside, and takes the places of those with the same
/// key in the end: so two keys of one hash do no harm.
#[derive(Debug)]
pub struct Import {
    draft: Draft,
    basis: Basis,
    hasher: RandomState,
    seen: HashSet<u64>,
    /// The texts of objects that came a second time.
    later: BTreeMap<ObjectKey, String>,
    later_bytes: usize,
}

impl Import {
    pub(super) async fn begin(shelf: &Shelf, name: &SourceName, basis: Basis) -> Result<Self, StoreError> {
        let draft = Draft::begin(shelf, name).await?;
        let (hasher, seen, later) = (RandomState::new(), HashSet::new(), BTreeMap::new());
        Ok(Self { draft, basis, hasher, seen, later, later_bytes: 0 })
    }

    /// Takes the next object of the dump.
    ///
    /// # Errors
    /// When Redis does not take it, or the object could not be told from others afterwards.
    pub async fn push(&mut self, object: &Object) -> Result<(), StoreError> {
        if self.seen.insert(self.hasher.hash_one(&object.key)) {
            return self.draft.push(object).await;
        }
        check(object)?;
        let before = self.later.insert(object.key.clone(), object.text.clone());
        let fewer = before.map_or(0, |text| text.len());
        self.later_bytes = self.later_bytes.saturating_add(object.text.len()).saturating_sub(fewer);
        if self.later_bytes > MOST_LATER { self.put_later_in_place().await } else { Ok(()) }
    }

    async fn put_later_in_place(&mut self) -> Result<(), StoreError> {
        self.later_bytes = 0;
        let later = std::mem::take(&mut self.later);
        if later.is_empty() { Ok(()) } else { self.draft.replace(later).await }
    }

    /// Returns how many objects it has, one that came twice counted once: for whoever decides whether that is too few.
    #[must_use]
    pub fn objects(&self) -> u64 {
        u64::try_from(self.seen.len()).unwrap_or(u64::MAX)
    }

    /// Makes its objects those of the source, with the serial that they have, and drops the journal.
    ///
    /// # Errors
    /// When Redis does not do it, or has lost some of it.
    pub async fn finish(mut self, serial: Option<Serial>, notes: Notes, now: Timestamp) -> Result<Written, StoreError> {
        self.put_later_in_place().await?;
        self.draft.finish(self.basis, serial, Journal::Dropped(Box::new(notes)), now).await
    }

    /// Gives it up, as a dump that is refused. What it has written goes at once, and not only when it expires.
    ///
    /// # Errors
    /// When Redis does not do it; then it expires.
    pub async fn discard(self) -> Result<(), StoreError> {
        self.draft.discard().await
    }
}
