//! Rows to write, and the outcome of each.

use std::sync::Arc;

use crate::{
    model::RowId,
    netbox::{error::Error, row::Row},
};

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

/// The reason why a row was not written. It is a value, not the end of the run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// NetBox says what is wrong with it: `postal_code: This field is required.`
    #[error("{reason}")]
    Rejected {
        /// The errors, by field.
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

/// The ways of writing a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Delete,
}

/// A row to write, and where its outcome belongs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) place: usize,
    pub(super) id: Option<RowId>,
    pub(super) key: String,
    pub(super) body: Row,
    /// Says that it was to be created and somebody else did.
    pub(super) adopted: bool,
}

/// The outcome of the row at a place.
pub(super) type Settled = (usize, Result<Created, Refusal>);
