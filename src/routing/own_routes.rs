//! The route objects of each source that touch the operator's own space: those inside it, and those around it.
//!
//! They are a few thousand among millions. A source is streamed once, and what touches the own space is kept in this
//! process; after that only the changes of the source are read. Another snapshot or another own space, and the source is
//! streamed again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    irr::{
        journal::{Change, Operation},
        rpsl::{Object, ObjectKey},
        source::Serial,
        store::{Holding, Store, StoreError},
    },
    model::{Ranges, SourceName},
};

/// So many changes are read at once.
const CHANGES_AT_ONCE: usize = 10_000;

/// What is kept of each source. A clone shares it.
#[derive(Debug, Clone, Default)]
pub struct OwnRoutes(Arc<Mutex<BTreeMap<SourceName, Kept>>>);

/// The objects of a source that touch some space.
#[derive(Debug, Clone)]
struct Kept {
    space: Ranges,
    /// What they were read of.
    generation: u64,
    serial: Option<Serial>,
    objects: Arc<BTreeMap<ObjectKey, Object>>,
}

impl OwnRoutes {
    /// Returns the objects of a source that touch a space, as they are in what is held of it.
    ///
    /// # Errors
    /// When the store does not answer, or the source is replaced meanwhile again and again.
    pub async fn of(
        &self,
        store: &Store,
        name: &SourceName,
        space: &Ranges,
    ) -> Result<Option<Arc<BTreeMap<ObjectKey, Object>>>, StoreError> {
        let Some(holding) = store.state(name).await?.holding else {
            self.kept().remove(name);
            return Ok(None);
        };
        let kept = self.kept().get(name).filter(|kept| kept.is_of(&holding, space)).cloned();
        let now = match kept {
            Some(kept) if kept.serial == holding.serial => return Ok(Some(kept.objects)),
            Some(kept) => match changed(store, name, &kept, &holding).await? {
                Some(now) => Some(now),
                None => streamed(store, name, space).await?,
            },
            None => streamed(store, name, space).await?,
        };
        let Some(mut now) = now else { return Ok(None) };
        // Who compares sees at once that nothing has changed.
        if let Some(before) = self.kept().get(name).filter(|before| before.objects == now.objects) {
            now.objects = Arc::clone(&before.objects);
        }
        let objects = Arc::clone(&now.objects);
        self.kept().insert(name.clone(), now);
        Ok(Some(objects))
    }

    /// Returns whether a source says something else of the space that it was last asked about, or was never asked here.
    ///
    /// # Errors
    /// As [`OwnRoutes::of`].
    pub async fn has_news(&self, store: &Store, name: &SourceName) -> Result<bool, StoreError> {
        let Some(before) = self.kept().get(name).cloned() else { return Ok(true) };
        let now = self.of(store, name, &before.space).await?;
        Ok(now.is_none_or(|now| !Arc::ptr_eq(&now, &before.objects)))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<SourceName, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Returns whether the changes since it was read lead to what is held now.
    fn is_of(&self, holding: &Holding, space: &Ranges) -> bool {
        self.generation == holding.generation && self.space == *space
    }
}

/// Reads all objects, and keeps those that touch the space.
async fn streamed(store: &Store, name: &SourceName, space: &Ranges) -> Result<Option<Kept>, StoreError> {
    let Some(mut current) = store.objects(name).await? else { return Ok(None) };
    let (generation, serial) = (current.holding().generation, current.holding().serial);
    let mut objects = BTreeMap::new();
    while let Some(some) = current.next_of(|key| key.touches(space)).await? {
        objects.extend(some.into_iter().map(|object| (object.key.clone(), object)));
    }
    Ok(Some(Kept { space: space.clone(), generation, serial, objects: Arc::new(objects) }))
}

/// Follows the changes since something was kept; `None` if they are not all there any more.
async fn changed(store: &Store, name: &SourceName, kept: &Kept, now: &Holding) -> Result<Option<Kept>, StoreError> {
    let (Some(last), Some(mut first)) = (now.serial, kept.serial.map_or(Some(Serial(0)), Serial::next)) else {
        return Ok(None);
    };
    let mut objects = BTreeMap::clone(&kept.objects);
    while first <= last {
        let changes = store.journal(name, (first, last), CHANGES_AT_ONCE).await?;
        let Some(next) = changes.last().and_then(|change| change.serial.next()) else { break };
        first = next;
        for Change { operation, .. } in changes {
            match operation {
                Operation::Add(object) if object.key.touches(&kept.space) => {
                    objects.insert(object.key.clone(), object);
                }
                Operation::Add(_) => {}
                Operation::Delete { key, .. } => {
                    objects.remove(&key);
                }
            }
        }
    }
    // Whoever has replaced the source meanwhile has dropped the journal.
    let is_same = store.state(name).await?.holding.is_some_and(|holding| holding.generation == kept.generation);
    let kept = Kept { serial: Some(last), objects: Arc::new(objects), ..kept.clone() };
    Ok(is_same.then_some(kept))
}
