//! The steps that change a source, as values: each is done whole or not at all.

use serde::Serialize;

use super::state::{Basis, Holding, Notes};
use crate::irr::{
    journal::{Change, Operation},
    source::Serial,
};

/// Makes blocks that were written aside the current ones.
#[derive(Debug)]
pub(super) struct Switch {
    pub(super) basis: Basis,
    pub(super) holding: Holding,
    pub(super) journal: Journal,
}

/// What becomes of the journal when other blocks become the current ones.
#[derive(Debug)]
pub(super) enum Journal {
    /// It goes, as the blocks do not follow from it. The import that brought them notes this.
    Dropped(Box<Notes>),
    /// All of it is in the blocks; so many of its newest changes stay for others to read.
    Kept(u64),
}

/// What became of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switched {
    Done,
    Stale,
    /// Blocks are missing.
    Lost,
}

/// Appends changes to the journal.
#[derive(Debug)]
pub(super) struct Append<'a> {
    pub(super) basis: Basis,
    /// The serial that the changes follow.
    pub(super) after: Serial,
    pub(super) changes: &'a [Change],
    /// What is held afterwards.
    pub(super) holding: Holding,
    pub(super) notes: &'a Notes,
}

/// A change as the journal in Redis has it.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    serial: String,
    op: &'static str,
    class: &'static str,
    key: &'a str,
    text: &'a str,
}

/// The operations by the words of the journal in Redis.
pub(super) const ADD: &str = "add";
pub(super) const DELETE: &str = "del";

impl<'a> From<&'a Change> for Entry<'a> {
    fn from(change: &'a Change) -> Self {
        let (op, text) = match &change.operation {
            Operation::Add(object) => (ADD, &object.text),
            Operation::Delete { text, .. } => (DELETE, text),
        };
        let key = change.operation.key();
        // Lua has no integers of this size.
        Self { serial: change.serial.to_string(), op, class: key.class.name(), key: &key.key, text }
    }
}

impl Entry<'_> {
    /// Returns about the bytes that it takes.
    pub(super) fn size(&self) -> usize {
        self.key.len().saturating_add(self.text.len())
    }
}
