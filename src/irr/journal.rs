//! What changes an object, as a journal keeps it.

use super::{
    rpsl::{Object, ObjectKey},
    source::Serial,
};

/// One change of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number; each is greater than the one before.
    pub serial: Serial,
    /// What it does.
    pub operation: Operation,
}

/// What a change does. Each may come a second time: an object that is there is replaced, one that is not there is not missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The object is new, or says something else than before.
    Add(Object),
    /// The object is gone.
    Delete {
        /// Which one.
        key: ObjectKey,
        /// Its last text, as the upstream told it: perhaps no more than what its key is made of.
        text: String,
    },
}

impl Operation {
    /// Returns the key of the object that it changes.
    #[must_use]
    pub fn key(&self) -> &ObjectKey {
        match self {
            Self::Add(object) => &object.key,
            Self::Delete { key, .. } => key,
        }
    }
}
