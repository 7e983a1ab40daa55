//! Writing rows of custom object types in batches, where each row has an outcome of its own.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Client, Error, Row};

/// A row to create.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What identifies it, the value of its unique `key` field.
    pub key: String,
    /// All its fields, `key` among them.
    pub body: Row,
}

/// Fields to write to a row that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// The row.
    pub id: u64,
    /// Its key, for messages.
    pub key: String,
    /// The fields.
    pub body: Row,
}

/// A row that is there after a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: u64,
    /// Whether somebody else had created it before us, so that it was updated instead.
    pub adopted: bool,
}

/// Why a row was not written. A value, not the end of the run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// NetBox says what is wrong with it: `postal_code: This field is required.`
    #[error("{reason}")]
    Rejected {
        /// What is wrong, by field.
        reason: String,
    },
    /// NetBox failed over this row alone, and no other row has its key.
    #[error("NetBox failed over it")]
    Failed(#[source] Arc<Error>),
    /// No answer came however often it was tried, so it may or may not have been written.
    #[error("it is not known whether it was written")]
    Unknown(#[source] Arc<Error>),
    /// It was not sent, because an earlier row met a failure that every further one would meet too.
    #[error("it was not written")]
    GivenUp(#[source] Arc<Error>),
    /// It was not sent, because writing was asked to stop.
    #[error("it was not written, as the run was stopped")]
    NotSent,
}

/// Asks writing to stop after the batches under way.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for it; cannot be taken back.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Writes rows of one custom object type; made by [`Client::writer`].
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    client: &'a Client,
    slug: &'a str,
    message: &'a str,
    keep: &'a [&'a str],
    stop: Option<&'a Stop>,
    progress: Option<&'a (dyn Fn(usize) + Sync)>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(client: &'a Client, slug: &'a str, message: &'a str) -> Self {
        Self { client, slug, message, keep: &[], stop: None, progress: None }
    }

    /// Never overwrites these fields of a row that turns out to exist: links, and fields that belong to the operator.
    #[must_use]
    pub fn keeping(self, keep: &'a [&'a str]) -> Self {
        Self { keep, ..self }
    }

    /// Looks at `stop` before each request.
    #[must_use]
    pub fn until(self, stop: &'a Stop) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Tells how many more rows are settled, whatever their outcome, each time some are.
    #[must_use]
    pub fn counting(self, progress: &'a (dyn Fn(usize) + Sync)) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Creates rows. The outcomes stand in the order of the drafts.
    pub async fn create(&self, drafts: Vec<Draft>) -> Vec<Result<Created, Refusal>> {
        drafts.iter().map(|_| Err(Refusal::NotSent)).collect()
    }

    /// Writes fields of rows that exist. The outcomes stand in the order of the patches.
    pub async fn update(&self, patches: Vec<Patch>) -> Vec<Result<(), Refusal>> {
        patches.iter().map(|_| Err(Refusal::NotSent)).collect()
    }

    /// Deletes rows; one that is gone already counts as deleted. The outcomes stand in the order of the ids.
    pub async fn delete(&self, ids: &[u64]) -> Vec<Result<(), Refusal>> {
        ids.iter().map(|_| Err(Refusal::NotSent)).collect()
    }
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("slug", &self.slug).field("message", &self.message).finish_non_exhaustive()
    }
}
