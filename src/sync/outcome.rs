//! How a run ended: what was written, what failed, what was passed over.

use std::{collections::BTreeMap, error::Error, fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::plan::{Action, Change};
use crate::{
    error_chain::error_chain,
    model::{ObjectType, RowId},
    retry::Retry,
    telemetry::metrics,
};

/// Something that could not be asked or written. A run goes on after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// The result of a run, as recorded with its config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
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
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Unchanged, Self::Changed, Self::Partial, Self::Refused, Self::Failed, Self::Interrupted];

    /// Whether everything was synced, and nothing failed.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Unchanged | Self::Changed)
    }

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

/// Counts of several parts together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(BTreeMap<ObjectType, Counts>);

impl Tally {
    /// The counts of a type.
    #[must_use]
    pub fn of(&self, object: ObjectType) -> Counts {
        self.0.get(&object).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, counts: &BTreeMap<ObjectType, Counts>) {
        for (object, more) in counts {
            let sum = self.0.entry(*object).or_default();
            sum.created += more.created;
            sum.updated += more.updated;
            sum.retired += more.retired;
            sum.skipped += more.skipped;
            sum.failed += more.failed;
        }
    }

    pub(super) fn add_tally(&mut self, more: &Self) {
        self.add(&more.0);
    }

    pub(super) fn failed(&self) -> usize {
        self.sum(|counts| counts.failed)
    }

    fn sum(&self, of: fn(&Counts) -> usize) -> usize {
        self.0.values().map(of).sum()
    }

    fn changed(&self) -> usize {
        self.sum(|counts| counts.created + counts.updated + counts.retired)
    }
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
    /// What the parts before came to, for a run in parts.
    pub before: Tally,
    /// Something to know about how it was asked for.
    pub note: Option<String>,
    /// Requests sent to ARIN, retries included.
    pub arin_requests: u64,
    /// Requests sent to NetBox, retries included.
    pub netbox_requests: u64,
}

/// What ended a run before everything was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// The config could not be synced.
    Failed {
        /// Why, with the whole chain of causes.
        why: String,
        /// Whether it may pass by itself.
        may_pass: bool,
    },
    /// More would have been marked as not found than is allowed.
    Refused(String),
    /// Somebody asked to stop.
    Interrupted,
}

impl Ended {
    /// A reason that stays until a person changes something.
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self::Failed { why: why.into(), may_pass: false }
    }

    /// An error that ended the run.
    pub(super) fn of(error: &dyn Error, retry: Retry) -> Self {
        Self::Failed { why: error_chain(error), may_pass: retry != Retry::Never }
    }
}

impl SyncRun {
    /// The result, judged from what happened.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let failed = !self.failures.is_empty()
            || self.before.failed() > 0
            || self.applied.iter().any(|applied| applied.result.is_err());
        match &self.ended {
            Some(Ended::Failed { .. }) => Verdict::Failed,
            Some(Ended::Refused(_)) => Verdict::Refused,
            Some(Ended::Interrupted) => Verdict::Interrupted,
            None if failed => Verdict::Partial,
            None if self.applied.is_empty() && self.before.changed() == 0 => Verdict::Unchanged,
            None => Verdict::Changed,
        }
    }

    /// How many objects of each type went which way.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<ObjectType, Counts> {
        let mut counts: BTreeMap<ObjectType, Counts> =
            ObjectType::ALL.into_iter().map(|object| (object, self.before.of(object))).collect();
        let mut of = |object: ObjectType, count: fn(&mut Counts) -> &mut usize| {
            *count(counts.entry(object).or_default()) += 1;
        };
        for applied in &self.applied {
            let count: fn(&mut Counts) -> &mut usize = match applied.outcome() {
                metrics::Deed::Created => |counts| &mut counts.created,
                metrics::Deed::Updated => |counts| &mut counts.updated,
                metrics::Deed::Retired => |counts| &mut counts.retired,
                metrics::Deed::Skipped => |counts| &mut counts.skipped,
                metrics::Deed::Failed => |counts| &mut counts.failed,
            };
            of(applied.object, count);
        }
        self.unchanged.iter().for_each(|(object, _)| of(*object, |counts| &mut counts.unchanged));
        self.failures.iter().for_each(|failure| of(failure.object, |counts| &mut counts.failed));
        self.skips.iter().for_each(|skip| of(skip.object, |counts| &mut counts.skipped));
        counts
    }

    /// Why it ended before everything was done, if not because it was interrupted.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.ended {
            Some(Ended::Failed { why, .. } | Ended::Refused(why)) => Some(why),
            Some(Ended::Interrupted) | None => None,
        }
    }

    /// What failed and may pass by itself, in words; `None` when trying again soon would change nothing.
    #[must_use]
    pub fn may_pass(&self) -> Option<String> {
        if let Some(ended) = &self.ended {
            return match ended {
                Ended::Failed { why, may_pass: true } => Some(why.clone()),
                Ended::Failed { .. } | Ended::Refused(_) | Ended::Interrupted => None,
            };
        }
        let passing: Vec<Failure> = self.all_failures().into_iter().filter(|failure| failure.may_pass).collect();
        let Failure { handle, message, .. } = passing.first()?;
        Some(format!("{} objects failed; the first, {handle}: {message}", passing.len()))
    }

    /// Everything that failed: what could not be asked, and what NetBox did not take.
    #[must_use]
    pub fn all_failures(&self) -> Vec<Failure> {
        let refused = self.applied.iter().filter_map(|applied| {
            let NotTaken { message, may_pass } = applied.result.as_ref().err()?.clone();
            Some(Failure { may_pass, ..Failure::new(applied.object, &applied.handle, message) })
        });
        self.failures.iter().cloned().chain(refused).collect()
    }
}
