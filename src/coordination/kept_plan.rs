//! Plans that are kept for whoever asked for them.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{PlanDigest, Resource, RowId};

/// A plan that is kept in parts, whose content only those know who write and read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPlan {
    /// The id of the job that made it.
    pub id: String,
    /// The config that it is about.
    pub config: RowId,
    /// The kinds of registrations that it is about.
    pub resources: BTreeSet<Resource>,
    /// True if ARIN was asked for everything. A plan that an earlier build kept does not say so.
    #[serde(default)]
    pub full: bool,
    /// The NetBox user whom it was made for.
    pub user: String,
    /// Its digest, if it came to its end.
    pub digest: Option<PlanDigest>,
    /// True if everything could be found out that it depends on.
    pub complete: bool,
    /// The time at which it was made.
    pub made: Timestamp,
    /// The number of its parts.
    pub parts: usize,
    /// The bytes in all of its parts.
    pub bytes: usize,
}

/// How much is kept for each user, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanQuota {
    /// The most plans of one user. The oldest gives way.
    pub plans: usize,
    /// The most bytes in all plans of one user. The oldest gives way.
    pub bytes: usize,
    /// The time for which a plan is kept.
    pub ttl: Duration,
}

impl KeptPlan {
    /// Returns whether it is about the same as another one.
    #[must_use]
    pub fn is_about(&self, config: RowId, resources: &BTreeSet<Resource>) -> bool {
        self.config == config && self.resources == *resources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_an_earlier_build_kept_was_not_asked_in_full() {
        let earlier = r#"{"id":"01","config":7,"resources":["networks"],"user":"ann","digest":null,"complete":false,
            "made":"2026-01-31T12:00:00Z","parts":1,"bytes":10}"#;
        let plan: KeptPlan = serde_json::from_str(earlier).unwrap();
        assert!(!plan.full, "{plan:?}");
    }
}
