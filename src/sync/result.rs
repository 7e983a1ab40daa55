//! The result of a run: how it ended, and what happened to each object.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    approved::Difference,
    note::Note,
    outcome::{Applied, Counts, Failure, InFull, NotTaken, Skip},
    plan::{Action, Plan},
};
use crate::{
    error_chain::error_chain,
    model::{ObjectType, PlanDigest, RowId},
    retry::Retry,
    telemetry::metrics,
};

/// The result of a run, as recorded with its config.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything was as it should be.
    Unchanged,
    /// Rows were written, and nothing failed.
    Changed,
    /// Some objects failed.
    Partial,
    /// More would have been marked as not found than is allowed, or something else written than was approved.
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

    /// Returns whether everything was synced, and nothing failed.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Unchanged | Self::Changed)
    }

    /// Returns the value of the config's `last_result` field.
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

/// One run of one config, from its beginning to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct SyncRun {
    /// Name of the run, `20260131T120000Z-1a2b3c4d`.
    pub id: String,
    /// Name of the config.
    pub config: String,
    pub config_id: RowId,
    pub started: Timestamp,
    pub took: Duration,
    /// NetBox user whose API key was used.
    pub user: Option<String>,
    /// The rows that were written, and those that NetBox did not take.
    pub applied: Vec<Applied>,
    /// Objects that were as they should be.
    pub unchanged: Vec<(ObjectType, String)>,
    /// The objects that could not be asked for.
    pub failures: Vec<Failure>,
    pub skips: Vec<Skip>,
    /// The aggregates that were asked for in full, although there is a public listing.
    pub in_full: Vec<InFull>,
    /// The reason for which it ended early.
    pub ended: Option<Ended>,
    /// The reason why NetBox did not take the result, if it did not.
    pub unrecorded: Option<String>,
    /// The notes of the workers that had the run before.
    pub before: Note,
    /// A sentence about the choice of the API key.
    pub remark: Option<String>,
    /// Requests sent to ARIN, retries included.
    pub arin_requests: u64,
    /// Requests sent to ARIN's public listing, retries included.
    pub listing_requests: u64,
    /// Questions to ARIN that the listing spared.
    pub spared: u64,
    /// Requests sent to NetBox, retries included.
    pub netbox_requests: u64,
}

/// A plan that nobody applied, and the run so far: failures, skips, what ended it, requests.
#[derive(Debug)]
pub struct Preview {
    /// The rows that would be written.
    pub plan: Plan,
    /// The digest of the plan; `None` when the run ended before everything was planned.
    pub digest: Option<PlanDigest>,
    /// The run as it would be reported.
    pub run: SyncRun,
}

impl Preview {
    /// Returns how a run that writes the plan would end, if NetBox took all of it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdict = self.run.verdict();
        let writes = verdict == Verdict::Unchanged && !self.plan.changes.is_empty();
        if writes { Verdict::Changed } else { verdict }
    }

    /// Counts how many objects of each type would go which way, if NetBox took all of the plan.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<ObjectType, Counts> {
        let mut counts = self.run.counts();
        for change in &self.plan.changes {
            let counts = counts.entry(change.object).or_default();
            *match change.action {
                Action::Create { .. } => &mut counts.created,
                Action::Update { .. } => &mut counts.updated,
                Action::Retire { .. } => &mut counts.retired,
            } += 1;
        }
        counts
    }
}

/// The reason for which a run ended before everything was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The config could not be synced.
    Failed {
        /// The error with the whole chain of its causes.
        why: String,
        /// True if it may pass by itself.
        may_pass: bool,
    },
    /// More would have been marked as not found than is allowed.
    Refused(String),
    /// Something else would have been written than the plan that was approved; nothing was.
    PlanDiffers {
        /// The difference in a sentence.
        why: String,
        /// The difference.
        difference: Box<Difference>,
    },
    /// Somebody asked to stop.
    Interrupted,
}

impl Ended {
    /// Makes a reason that stays until a person changes something.
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self::Failed { why: why.into(), may_pass: false }
    }

    /// Makes the reason of a plan that does not come out as it was approved.
    pub(super) fn plan_differs(difference: Difference) -> Self {
        let why = format!("plan-differs: {}; nothing was written", difference.sentence());
        Self::PlanDiffers { why, difference: Box::new(difference) }
    }

    /// Makes a reason of an error.
    pub(super) fn of(error: &dyn Error, retry: Retry) -> Self {
        Self::Failed { why: error_chain(error), may_pass: retry != Retry::Never }
    }
}

impl SyncRun {
    /// Returns whether everything that was to be asked was asked, whatever the answers were.
    #[must_use]
    pub fn asked_everything(&self) -> bool {
        match self.ended {
            None | Some(Ended::Refused(_)) => true,
            Some(Ended::Failed { .. } | Ended::PlanDiffers { .. } | Ended::Interrupted) => false,
        }
    }

    /// Judges the result from what happened.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let counts = self.counts();
        let any = |of: fn(&Counts) -> usize| counts.values().any(|counts| of(counts) > 0);
        match &self.ended {
            Some(Ended::Failed { .. }) => Verdict::Failed,
            Some(Ended::Refused(_) | Ended::PlanDiffers { .. }) => Verdict::Refused,
            Some(Ended::Interrupted) => Verdict::Interrupted,
            None if any(|counts| counts.failed) || self.unrecorded.is_some() => Verdict::Partial,
            None if any(|counts| counts.created + counts.updated + counts.retired) => Verdict::Changed,
            None => Verdict::Unchanged,
        }
    }

    /// Counts how many objects of each type went which way, with what was done before.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<ObjectType, Counts> {
        let before = |object| self.before.counts.get(&object).copied().unwrap_or_default();
        let mut counts: BTreeMap<_, _> = ObjectType::ALL.into_iter().map(|object| (object, before(object))).collect();
        let mut count = |object: ObjectType, of: fn(&mut Counts) -> &mut usize| {
            *of(counts.entry(object).or_default()) += 1;
        };
        for applied in &self.applied {
            let of: fn(&mut Counts) -> &mut usize = match applied.outcome() {
                metrics::Deed::Created => |counts| &mut counts.created,
                metrics::Deed::Updated => |counts| &mut counts.updated,
                metrics::Deed::Retired => |counts| &mut counts.retired,
                metrics::Deed::Skipped => |counts| &mut counts.skipped,
                metrics::Deed::Failed => |counts| &mut counts.failed,
            };
            count(applied.object, of);
        }
        self.unchanged.iter().for_each(|(object, _)| count(*object, |counts| &mut counts.unchanged));
        self.failures.iter().for_each(|failure| count(failure.object, |counts| &mut counts.failed));
        self.skips.iter().for_each(|skip| count(skip.object, |counts| &mut counts.skipped));
        // The same object may have come up again since.
        let failed: BTreeSet<_> = self.all_failures().into_iter().map(|it| (it.object, it.handle)).collect();
        let skipped: BTreeSet<_> = self.skips.iter().map(|it| (it.object, it.handle.clone())).collect();
        self.before.failed.difference(&failed).for_each(|(object, _)| count(*object, |counts| &mut counts.failed));
        self.before.skipped.difference(&skipped).for_each(|(object, _)| count(*object, |counts| &mut counts.skipped));
        counts
    }

    /// Returns the reason for which it ended before everything was done, unless it was interrupted, or for which its result
    /// is not recorded.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.ended {
            Some(Ended::Failed { why, .. } | Ended::Refused(why) | Ended::PlanDiffers { why, .. }) => Some(why),
            Some(Ended::Interrupted) | None => self.unrecorded.as_deref(),
        }
    }

    /// Returns how what it would have written differs from what was approved.
    #[must_use]
    pub fn difference(&self) -> Option<&Difference> {
        match &self.ended {
            Some(Ended::PlanDiffers { difference, .. }) => Some(difference),
            Some(Ended::Failed { .. } | Ended::Refused(_) | Ended::Interrupted) | None => None,
        }
    }

    /// Describes the failures that may pass by themselves; `None` when trying again soon would change nothing. Whoever may
    /// see the job reads this, so that no values of persons are quoted.
    #[must_use]
    pub fn may_pass(&self) -> Option<String> {
        if let Some(ended) = &self.ended {
            return match ended {
                Ended::Failed { why, may_pass: true } => Some(why.clone()),
                Ended::Failed { .. } | Ended::Refused(_) | Ended::PlanDiffers { .. } | Ended::Interrupted => None,
            };
        }
        let passing: Vec<Failure> = self.all_failures().into_iter().filter(|failure| failure.may_pass).collect();
        told(&passing)
    }

    /// Returns everything that failed: what could not be asked for, and what NetBox did not take.
    #[must_use]
    pub fn all_failures(&self) -> Vec<Failure> {
        let refused = self.applied.iter().filter_map(|applied| {
            let NotTaken { message, may_pass } = applied.result.as_ref().err()?.clone();
            Some(Failure { may_pass, ..Failure::new(applied.object, &applied.handle, message) })
        });
        self.failures.iter().cloned().chain(refused).collect()
    }
}

/// Describes failures in a sentence that quotes no values of persons; `None` when there are none.
fn told(failures: &[Failure]) -> Option<String> {
    let count = failures.len();
    let quotable = failures.iter().find(|failure| !failure.object.is_personal());
    match quotable {
        Some(Failure { handle, message, .. }) => {
            Some(format!("{count} objects failed; one of them, {handle}: {message}"))
        }
        None => (count > 0).then(|| format!("{count} objects of persons failed; the sync log says which and why")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(object: ObjectType, handle: &str) -> Failure {
        Failure::new(object, handle, "jane@example.net is not taken")
    }

    #[test]
    fn values_of_persons_are_not_quoted() {
        let personal = [failed(ObjectType::Contact, "JANE-ARIN"), failed(ObjectType::Address, "Main Street 1")];
        let sentence = told(&personal).unwrap();
        assert_eq!(sentence, "2 objects of persons failed; the sync log says which and why");
        let [contact, _] = personal;
        let sentence = told(&[contact, failed(ObjectType::Network, "NET-A")]).unwrap();
        assert_eq!(sentence, "2 objects failed; one of them, NET-A: jane@example.net is not taken");
        assert_eq!(told(&[]), None);
    }
}
