//! A snapshot that is being written: blocks of a generation that nobody sees yet.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    block::{BlockText, bytes, keys},
    error::StoreError,
    shelf::{Pages, Shelf},
    state::{Basis, Holding, Written},
    step::{Journal, Switch},
};
use crate::irr::{
    rpsl::{Object, ObjectKey},
    source::{Serial, SourceName},
};

/// A snapshot that is being written.
#[derive(Debug)]
pub(super) struct Draft {
    shelf: Shelf,
    pages: Pages,
    /// The objects that are in no block yet.
    text: BlockText,
    blocks: u64,
    objects: u64,
    bytes: u64,
    stored: u64,
}

impl Draft {
    pub(super) async fn begin(shelf: &Shelf, name: &SourceName) -> Result<Self, StoreError> {
        let pages = shelf.begin(name).await?;
        let text = BlockText::default();
        Ok(Self { shelf: shelf.clone(), pages, text, blocks: 0, objects: 0, bytes: 0, stored: 0 })
    }

    /// Adds an object whose key no other one has.
    pub(super) async fn push(&mut self, object: &Object) -> Result<(), StoreError> {
        self.text.add(object)?;
        self.objects = self.objects.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes(object));
        if self.text.is_full() { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.put(self.blocks, &text).await?;
            self.blocks = self.blocks.saturating_add(1);
        }
        Ok(())
    }

    async fn put(&mut self, number: u64, text: &BlockText) -> Result<(), StoreError> {
        let block = text.pack().map_err(self.pages.damaged(number))?;
        self.stored = self.stored.saturating_add(block.size());
        self.pages.put(number, block).await
    }

    /// Adds objects whose keys others may have: those go. All blocks are looked through for them.
    pub(super) async fn replace(&mut self, later: BTreeMap<ObjectKey, String>) -> Result<(), StoreError> {
        self.flush().await?;
        for number in 0..self.blocks {
            let packed = self.pages.keys(number).await?.ok_or_else(|| self.lost())?;
            let keys = keys(&packed).map_err(self.pages.damaged(number))?;
            if keys.iter().any(|key| later.contains_key(key)) {
                self.drop_replaced(number, &later).await?;
            }
        }
        for (key, text) in later {
            self.push(&Object { key, text }).await?;
        }
        Ok(())
    }

    async fn drop_replaced(&mut self, number: u64, later: &BTreeMap<ObjectKey, String>) -> Result<(), StoreError> {
        let block = self.pages.block(number).await?.ok_or_else(|| self.lost())?;
        let mut kept = BlockText::default();
        for object in block.objects_of(|_| true).map_err(self.pages.damaged(number))? {
            if later.contains_key(&object.key) {
                self.objects = self.objects.saturating_sub(1);
                self.bytes = self.bytes.saturating_sub(bytes(&object));
            } else {
                kept.add(&object)?;
            }
        }
        self.stored = self.stored.saturating_sub(block.size());
        self.put(number, &kept).await
    }

    fn lost(&self) -> StoreError {
        StoreError::Lost { name: self.pages.name.clone() }
    }

    /// Takes away what was written.
    pub(super) async fn discard(self) -> Result<(), StoreError> {
        self.pages.discard().await
    }

    /// Makes it the current snapshot, if the source is what this stands on.
    pub(super) async fn finish(
        mut self,
        basis: Basis,
        serial: Option<Serial>,
        journal: Journal,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.flush().await?;
        let holding = Holding {
            generation: self.pages.generation(),
            blocks: self.blocks,
            objects: self.objects,
            bytes: self.bytes,
            stored: self.stored,
            made: now,
            snapshot_serial: serial,
            serial,
            tail: 0,
        };
        self.shelf.switch(self.pages, &Switch { basis, holding, journal }).await
    }
}
