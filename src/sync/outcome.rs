//! The ways in which a run can end for a single object: written, not taken, failed, passed over.

use std::{error::Error, fmt};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::plan::{Action, Change};
use crate::{
    error_chain::error_chain,
    model::{Key, ObjectType, RowId},
    retry::Retry,
    telemetry::metrics,
};

/// An object that could not be asked for or written. The run goes on after it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Failure {
    pub object: ObjectType,
    /// The handle, or the range that was asked for.
    pub handle: String,
    /// The error with the whole chain of its causes.
    pub message: String,
    /// True if trying again soon makes sense, because the failure may pass by itself.
    pub may_pass: bool,
}

impl Failure {
    /// Makes a failure that stays, in words of our own.
    pub fn new(object: ObjectType, handle: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { object, handle: handle.to_string(), message: message.into(), may_pass: false }
    }

    /// Makes a failure of an error with its chain of causes.
    pub fn of(object: ObjectType, handle: impl fmt::Display, error: &dyn Error, retry: Retry) -> Self {
        Self { may_pass: retry != Retry::Never, ..Self::new(object, handle, error_chain(error)) }
    }
}

/// An object that was passed over for a reason worth a word.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Skip {
    pub object: ObjectType,
    /// The handle, or the range that was asked for.
    pub handle: String,
    pub message: String,
}

impl Skip {
    /// Makes a skip.
    pub fn new(object: ObjectType, handle: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { object, handle: handle.to_string(), message: message.into() }
    }
}

/// An aggregate that was asked for in full, because what ARIN's public listing has in it could not be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct InFull {
    pub aggregate: IpNet,
    pub why: String,
}

/// A change that was sent to NetBox, with the row or the reason for which NetBox did not take it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Applied {
    pub object: ObjectType,
    pub key: Key,
    /// The handle; for an address the address itself.
    pub handle: String,
    pub deed: Deed,
    pub result: Result<RowId, NotTaken>,
}

/// A reason for which NetBox did not take a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// The error with the whole chain of its causes.
    pub message: String,
    /// True if it may pass by itself.
    pub may_pass: bool,
}

/// The kind of a change to a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A new row.
    Create,
    /// Other values in these fields.
    Update(Vec<&'static str>),
    /// A row that is marked as not found.
    Retire,
}

impl Applied {
    pub(super) fn new(change: &Change, result: Result<RowId, NotTaken>) -> Self {
        let deed = match &change.action {
            Action::Create { .. } => Deed::Create,
            Action::Update { .. } => Deed::Update(change.visible().collect()),
            Action::Retire { .. } => Deed::Retire,
        };
        Self { object: change.object, key: change.key.clone(), handle: change.handle.clone(), deed, result }
    }

    /// Returns what it is counted under: the handle; the key of an address, of which not more may be known than that.
    pub(super) fn counted(&self) -> (ObjectType, String) {
        let name = if self.object == ObjectType::Address { self.key.as_str() } else { &self.handle };
        (self.object, name.to_owned())
    }

    /// Returns the word for it in the metrics.
    pub(super) fn outcome(&self) -> metrics::Deed {
        match (&self.deed, &self.result) {
            (_, Err(_)) => metrics::Deed::Failed,
            (Deed::Create, Ok(_)) => metrics::Deed::Created,
            (Deed::Update(_), Ok(_)) => metrics::Deed::Updated,
            (Deed::Retire, Ok(_)) => metrics::Deed::Retired,
        }
    }
}

/// The number of objects of a type that were created, updated, and so on.
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
