//! Stops a plan that would mark too much as not found without a person's word.

use jiff::Timestamp;

use crate::model::{Inventory, ObjectType, Row};

use super::{change::Plan, rules::Rules};

/// So many rows may be marked as not found whatever their share: a small config is not to wait for a person each time.
const ALWAYS_ALLOWED: usize = 5;

/// Limits how much of what is recorded may be marked as not found within a day.
///
/// What was marked before this run counts, too: else many small runs, as after webhooks, would do what one may not. The
/// rows themselves tell: one that is not found is not written again, so it keeps the time at which it was marked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Share, 0 to 1, of the config's rows that were registered a day ago.
    pub max_retired_share: f64,
    /// The time from which on rows count that were marked, a day ago.
    pub since: Timestamp,
}

/// A plan that would mark too much as not found.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The rest of the plan, which may be applied.
    pub rest: Plan,
    /// Rows that the plan would have marked.
    pub retired: usize,
    /// Rows that were marked within the day before.
    pub before: usize,
    /// Rows that counted as registered a day ago.
    pub registered: usize,
    /// The share that is allowed.
    pub allowed: f64,
}

impl Limits {
    /// Lets a plan pass if, with what was marked within the day before, it marks no more than the allowed share of the
    /// config's rows as not found, or only a handful.
    ///
    /// # Errors
    /// [`Refused`], with the part of the plan that may be applied all the same.
    pub fn allow(&self, plan: Plan, recorded: &Inventory, rules: &Rules) -> Result<Plan, Refused> {
        let retired = plan.retirements();
        let count = |counts: &dyn Fn(&Row) -> bool| {
            let rows =
                ObjectType::ALL.into_iter().flat_map(|object| recorded.rows_of(object, rules.config, &rules.instance));
            rows.filter(|(_, row)| counts(row)).count()
        };
        let before = count(&|row| !row.is_registered() && row.last_synced.is_some_and(|at| at >= self.since));
        let registered = before + count(&Row::is_registered);
        let (within_a_day, allowed) = (before + retired, registered as f64 * self.max_retired_share);
        if retired == 0 || within_a_day <= ALWAYS_ALLOWED || within_a_day as f64 <= allowed {
            return Ok(plan);
        }
        Err(Refused { rest: plan.without_retirements(), retired, before, registered, allowed: self.max_retired_share })
    }
}

impl Refused {
    /// Returns the share that would have been marked within a day.
    #[must_use]
    pub fn share(&self) -> f64 {
        (self.before + self.retired) as f64 / (self.registered as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_told_of_all_that_was_registered_a_day_ago() {
        let share = |retired, before, registered| {
            Refused { rest: Plan::default(), retired, before, registered, allowed: 0.2 }.share()
        };
        assert_eq!([share(3, 1, 8), share(6, 0, 6), share(6, 0, 0)], [0.5, 1.0, 6.0]);
    }
}
