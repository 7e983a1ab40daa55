//! A writer of rows, the rows that it takes, and the outcome of each.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{
    model::RowId,
    netbox::{client::Client, error::Error, row::Row},
    retry::Retry,
};

/// Writes rows of one custom object type; made by [`Client::writer`].
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    pub(super) client: &'a Client,
    pub(super) slug: &'a str,
    pub(super) message: &'a str,
    pub(super) links: &'a [&'a str],
    pub(super) leaves_others: bool,
    pub(super) stop: Option<&'a CancellationToken>,
    pub(super) progress: Option<&'a (dyn Fn(usize) + Sync)>,
}

impl<'a> Writer<'a> {
    /// Takes these fields for links to what belongs to the operator. They are never overwritten in a row that turns out
    /// to exist, and a row whose links alone NetBox refuses is written without them: what they lead to may have been
    /// deleted since it was read.
    #[must_use]
    pub fn linking(self, links: &'a [&'a str]) -> Self {
        Self { links, ..self }
    }

    /// Leaves a row alone that has the key of a new one, which is then refused with [`Refusal::Taken`]. Otherwise it is
    /// taken for the same object, and updated.
    #[must_use]
    pub fn leaving_others(self) -> Self {
        Self { leaves_others: true, ..self }
    }

    /// Sends nothing more once `stop` is cancelled; the batches under way end.
    #[must_use]
    pub fn until(self, stop: &'a CancellationToken) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Tells how many more rows are settled, whatever their outcome, each time some are.
    #[must_use]
    pub fn counting(self, progress: &'a (dyn Fn(usize) + Sync)) -> Self {
        Self { progress: Some(progress), ..self }
    }
}

impl Client {
    /// Returns a writer of rows of one of our custom object types; `message` goes to NetBox's change log with each row.
    #[must_use]
    pub fn writer<'a>(&'a self, slug: &'a str, message: &'a str) -> Writer<'a> {
        Writer { client: self, slug, message, links: &[], leaves_others: false, stop: None, progress: None }
    }
}

/// A row to create.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The value of its unique `key` field.
    pub key: String,
    /// All its fields, `key` among them.
    pub body: Row,
}

/// Fields to write to a row that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// The row.
    pub id: RowId,
    /// Its key, for messages.
    pub key: String,
    /// The fields.
    pub body: Row,
}

/// A row that is there after a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: RowId,
    /// Says that somebody else had created it before us, so that it was updated instead.
    pub adopted: bool,
}

/// Rows that NetBox did not take, of several that were to be written.
#[derive(Debug, thiserror::Error)]
#[error("NetBox did not take {refused} of {all} rows; the first one, {key}")]
pub struct NotTaken {
    refused: usize,
    all: usize,
    key: String,
    #[source]
    why: Refusal,
}

impl NotTaken {
    /// Looks at the outcomes of rows, in the order of their keys.
    ///
    /// # Errors
    /// When a row was refused.
    pub fn any<K: ToString>(
        keys: impl IntoIterator<Item = K>,
        outcomes: impl ExactSizeIterator<Item = Result<(), Refusal>>,
    ) -> Result<(), Self> {
        let all = outcomes.len();
        let mut refused = keys.into_iter().zip(outcomes).filter_map(|(key, outcome)| Some((key, outcome.err()?)));
        match refused.next() {
            None => Ok(()),
            Some((key, why)) => {
                Err(Self { refused: refused.count().saturating_add(1), all, key: key.to_string(), why })
            }
        }
    }

    /// Returns whether trying again helps.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.why.retry()
    }
}

/// The reason why a row was not written. It is a value, not the end of the run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// NetBox says what is wrong with it: `postal_code: This field is required.`
    #[error("{reason}")]
    Rejected {
        /// The errors, by field.
        reason: String,
    },
    /// Another row has its key.
    #[error("row {0} has its key")]
    Taken(RowId),
    /// NetBox failed over this row alone, and no other row has its key.
    #[error("NetBox failed over it")]
    Failed(#[source] Arc<Error>),
    /// The user may write such rows, but not this one.
    #[error("it may not be written")]
    Forbidden(#[source] Arc<Error>),
    /// NetBox's workers have an older form of the type. The row is not written, or lacks a field, and then its digest.
    #[error("it is not written as it should be")]
    Stale(#[source] Arc<Error>),
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

impl Refusal {
    /// Returns whether trying again helps.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Rejected { .. } | Self::Taken(_) | Self::Forbidden(_) | Self::NotSent => Retry::Never,
            Self::Failed(error) | Self::Unknown(error) | Self::GivenUp(error) => error.retry(),
            Self::Stale(_) => Retry::Backoff,
        }
    }
}

/// The ways of writing a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Delete,
}

/// A row to write, and where its outcome belongs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowToWrite {
    pub(super) place: usize,
    pub(super) id: Option<RowId>,
    pub(super) key: String,
    pub(super) body: Row,
    /// Says that it was to be created and somebody else did.
    pub(super) adopted: bool,
}

/// The outcome of the row at a place.
pub(super) type Settled = (usize, Result<Created, Refusal>);
