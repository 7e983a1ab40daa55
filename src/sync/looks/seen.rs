//! What a run has seen of one aggregate.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::model::{ListedNet, LookSource};

/// The most of a reason that is kept, in characters.
const LONGEST_REASON: usize = 300;

/// What a run has seen of one aggregate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What was looked at, once all questions about it have been asked.
    pub over: Option<LookSource>,
    /// The ranges whose question was not answered, with the reason. The range of the aggregate itself stands for all of it.
    pub unanswered: BTreeMap<IpNet, String>,
    /// The nets that the public listing has in it and that are not recorded.
    pub listed: Vec<ListedNet>,
}

/// Returns the beginning of a reason.
pub(super) fn shortened(why: &str) -> String {
    why.chars().take(LONGEST_REASON).collect()
}

impl Seen {
    /// Notes that a range is not known.
    pub(in crate::sync) fn miss(&mut self, range: IpNet, why: &str) {
        self.unanswered.entry(range).or_insert_with(|| shortened(why));
    }

    /// Notes that a net with these prefixes is not known, as far as it lies in an aggregate with this range.
    pub(in crate::sync) fn miss_net(&mut self, aggregate: IpNet, prefixes: &[IpNet], why: &str) {
        for prefix in prefixes {
            if prefix.contains(&aggregate) {
                self.miss(aggregate, why);
            } else if aggregate.contains(prefix) {
                self.miss(*prefix, why);
            }
        }
    }
}
