//! Stops a plan that would mark too much as not found without a person's word.

use crate::model::{Inventory, ObjectType};

use super::{change::Plan, rules::Rules};

/// Limits how much of what is recorded a single run may mark as not found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Share, 0 to 1, of the config's registered rows.
    pub max_retired_share: f64,
}

/// A plan that would mark too much as not found.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The rest of the plan, which may be applied.
    pub rest: Plan,
    /// Rows that the plan would have marked.
    pub retired: usize,
    /// Rows that count as registered.
    pub registered: usize,
    /// The share that is allowed.
    pub allowed: f64,
}

impl Limits {
    /// Lets a plan pass if it marks no more than the allowed share of the config's rows as not found.
    ///
    /// # Errors
    /// [`Refused`], with the part of the plan that may be applied all the same.
    pub fn allow(&self, plan: Plan, recorded: &Inventory, rules: &Rules) -> Result<Plan, Refused> {
        let retired = plan.retirements();
        let count = |object| recorded.registered(object, rules.config, &rules.instance).count();
        let registered: usize = ObjectType::ALL.into_iter().map(count).sum();
        if retired as f64 <= registered as f64 * self.max_retired_share {
            return Ok(plan);
        }
        Err(Refused { rest: plan.without_retirements(), retired, registered, allowed: self.max_retired_share })
    }
}

impl Refused {
    /// Returns the share that the plan would have marked.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.retired as f64 / (self.registered as f64).max(1.0)
    }
}
