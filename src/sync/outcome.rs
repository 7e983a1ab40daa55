//! How a run ended: what was written, what failed, what was passed over.

use std::{collections::BTreeMap, error::Error, fmt, time::Duration};

use jiff::Timestamp;

use super::plan::{Action, Change};
use crate::model::{ObjectType, RowId};

/// Something that could not be asked or written. A run goes on after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it is about.
    pub object: ObjectType,
    /// Its handle, or the range that was asked for.
    pub handle: String,
    /// What happened, with the whole chain of causes.
    pub message: String,
}

impl Failure {
    /// A failure in words of our own.
    pub fn new(object: ObjectType, handle: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { object, handle: handle.to_string(), message: message.into() }
    }

    /// A failure with its chain of causes.
    pub fn of(object: ObjectType, handle: impl fmt::Display, error: &dyn Error) -> Self {
        Self::new(object, handle, chain(error))
    }
}

/// An error with its causes, on one line.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
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
    pub result: Result<RowId, String>,
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
    pub(super) fn new(change: &Change, result: Result<RowId, String>) -> Self {
        let deed = match &change.action {
            Action::Create { .. } => Deed::Create,
            Action::Update { .. } => Deed::Update(change.visible().collect()),
            Action::Retire { .. } => Deed::Retire,
        };
        Self { object: change.object, handle: change.handle.clone(), deed, result }
    }
}

/// The result of a run, as recorded with its config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything was as it should be.
    Unchanged,
    /// Rows were written, and nothing failed.
    Changed,
    /// Some objects failed.
    Partial,
    /// More would have been marked as not found than is allowed.
    Refused,
    /// The config could not be synced.
    Failed,
    /// The run was stopped before its end.
    Interrupted,
}

impl Verdict {
    /// The value of the config's `last_result` field.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Partial => "partial",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// How many objects of a type were created, updated, and so on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
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

/// One run of one config, from its beginning to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// Name of the run, `20260131T120000Z-1a2b3c4d`.
    pub id: String,
    /// Name of the config.
    pub config: String,
    /// Its row.
    pub config_id: RowId,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// NetBox user whose API key was used.
    pub user: Option<String>,
    /// What was written, and what NetBox did not take.
    pub applied: Vec<Applied>,
    /// Objects that were as they should be.
    pub unchanged: Vec<(ObjectType, String)>,
    /// What could not be asked.
    pub failures: Vec<Failure>,
    /// What was passed over.
    pub skips: Vec<Skip>,
    /// What ended the run early, in words.
    pub ended: Option<Ended>,
    /// Requests sent to ARIN, retries included.
    pub arin_requests: u64,
    /// Requests sent to NetBox, retries included.
    pub netbox_requests: u64,
}

/// What ended a run before everything was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The config could not be synced.
    Failed(String),
    /// More would have been marked as not found than is allowed.
    Refused(String),
    /// Somebody asked to stop.
    Interrupted,
}

impl SyncRun {
    /// The result, judged from what happened.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let failed = !self.failures.is_empty() || self.applied.iter().any(|applied| applied.result.is_err());
        match &self.ended {
            Some(Ended::Failed(_)) => Verdict::Failed,
            Some(Ended::Refused(_)) => Verdict::Refused,
            Some(Ended::Interrupted) => Verdict::Interrupted,
            None if failed => Verdict::Partial,
            None if self.applied.is_empty() => Verdict::Unchanged,
            None => Verdict::Changed,
        }
    }

    /// How many objects of each type went which way.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<ObjectType, Counts> {
        let mut counts: BTreeMap<ObjectType, Counts> =
            ObjectType::ALL.into_iter().map(|object| (object, Counts::default())).collect();
        let mut of = |object: ObjectType, count: fn(&mut Counts) -> &mut usize| {
            *count(counts.entry(object).or_default()) += 1;
        };
        for applied in &self.applied {
            let count: fn(&mut Counts) -> &mut usize = match (&applied.deed, &applied.result) {
                (_, Err(_)) => |counts| &mut counts.failed,
                (Deed::Create, Ok(_)) => |counts| &mut counts.created,
                (Deed::Update(_), Ok(_)) => |counts| &mut counts.updated,
                (Deed::Retire, Ok(_)) => |counts| &mut counts.retired,
            };
            of(applied.object, count);
        }
        self.unchanged.iter().for_each(|(object, _)| of(*object, |counts| &mut counts.unchanged));
        self.failures.iter().for_each(|failure| of(failure.object, |counts| &mut counts.failed));
        self.skips.iter().for_each(|skip| of(skip.object, |counts| &mut counts.skipped));
        counts
    }

    /// Everything that failed: what could not be asked, and what NetBox did not take.
    #[must_use]
    pub fn all_failures(&self) -> Vec<Failure> {
        let refused = self.applied.iter().filter_map(|applied| {
            let message = applied.result.as_ref().err()?;
            Some(Failure::new(applied.object, &applied.handle, message.clone()))
        });
        self.failures.iter().cloned().chain(refused).collect()
    }
}
