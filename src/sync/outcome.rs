//! The ways in which a run can end for a single object: written, not taken, failed, passed over.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use super::plan::{Action, Change};
use crate::{
    error_chain::error_chain,
    model::{ObjectType, RowId},
    retry::Retry,
    telemetry::metrics,
};

/// Something that could not be asked or written. A run goes on after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it is about.
    pub object: ObjectType,
    /// Its handle, or the range that was asked for.
    pub handle: String,
    /// What happened, with the whole chain of causes.
    pub message: String,
    /// Whether it may pass by itself, so that trying again soon makes sense.
    pub may_pass: bool,
}

impl Failure {
    /// A failure that stays, in words of our own.
    pub fn new(object: ObjectType, handle: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { object, handle: handle.to_string(), message: message.into(), may_pass: false }
    }

    /// A failure with its chain of causes.
    pub fn of(object: ObjectType, handle: impl fmt::Display, error: &dyn Error, retry: Retry) -> Self {
        Self { may_pass: retry != Retry::Never, ..Self::new(object, handle, error_chain(error)) }
    }
}

/// Something that was passed over for a reason worth a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// What it is about.
    pub object: ObjectType,
    /// Its handle, or the range that was asked for.
    pub handle: String,
    /// Why.
    pub message: String,
}

impl Skip {
    /// Something passed over.
    pub fn new(object: ObjectType, handle: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { object, handle: handle.to_string(), message: message.into() }
    }
}

/// A change and how writing it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What it is.
    pub object: ObjectType,
    /// Its handle; for an address the address itself.
    pub handle: String,
    /// What was to be done.
    pub deed: Deed,
    /// The row, or why NetBox did not take it.
    pub result: Result<RowId, NotTaken>,
}

/// Why NetBox did not take a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// In words, with the whole chain of causes.
    pub message: String,
    /// Whether it may pass by itself.
    pub may_pass: bool,
}

/// What was to be done with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A new row.
    Create,
    /// Other values in these fields.
    Update(Vec<&'static str>),
    /// Marked as not found.
    Retire,
}

impl Applied {
    pub(super) fn new(change: &Change, result: Result<RowId, NotTaken>) -> Self {
        let deed = match &change.action {
            Action::Create { .. } => Deed::Create,
            Action::Update { .. } => Deed::Update(change.visible().collect()),
            Action::Retire { .. } => Deed::Retire,
        };
        Self { object: change.object, handle: change.handle.clone(), deed, result }
    }

    /// What came of it.
    pub(super) fn outcome(&self) -> metrics::Deed {
        match (&self.deed, &self.result) {
            (_, Err(_)) => metrics::Deed::Failed,
            (Deed::Create, Ok(_)) => metrics::Deed::Created,
            (Deed::Update(_), Ok(_)) => metrics::Deed::Updated,
            (Deed::Retire, Ok(_)) => metrics::Deed::Retired,
        }
    }
}

/// How many objects of a type were created, updated, and so on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    /// New rows.
    pub created: usize,
    /// Rows that changed.
    pub updated: usize,
    /// Rows marked as not found.
    pub retired: usize,
    /// Rows that were as they should be.
    pub unchanged: usize,
    /// Objects passed over.
    pub skipped: usize,
    /// Objects that failed.
    pub failed: usize,
}
