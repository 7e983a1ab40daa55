//! The objects that were left out, by the reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::irr::{nrtm3::RejectedChange, rpsl::Rejected};

/// So many of them are told word for word.
const TOLD: usize = 10;

/// Objects that were left out since the last dump was taken, that included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Rejects {
    /// How many, by the label of the reason.
    pub by_reason: BTreeMap<String, u64>,
    /// The first of them, in a sentence each.
    pub examples: Vec<String>,
}

impl Rejects {
    /// Counts one more.
    pub fn add(&mut self, rejected: &Rejected) {
        self.count(rejected.fault.label(), || rejected.to_string());
    }

    /// Counts one for which there is a label and a sentence.
    pub(in crate::irr) fn count(&mut self, label: &str, sentence: impl FnOnce() -> String) {
        match self.by_reason.get_mut(label) {
            Some(count) => *count = count.saturating_add(1),
            None => {
                self.by_reason.insert(label.to_owned(), 1);
            }
        }
        if self.examples.len() < TOLD {
            self.examples.push(sentence());
        }
    }

    /// Returns those of an answer.
    pub(in crate::irr) fn of_changes(rejected: &[RejectedChange]) -> Self {
        let mut rejects = Self::default();
        for RejectedChange { serial, rejected } in rejected {
            rejects.count(rejected.fault.label(), || format!("serial {serial}: {rejected}"));
        }
        rejects
    }

    /// Adds those that came later.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        for (label, count) in later.by_reason {
            let all = self.by_reason.entry(label).or_default();
            *all = all.saturating_add(count);
        }
        self.examples.extend(later.examples);
        self.examples.truncate(TOLD);
        self
    }

    /// Returns how many they are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_reason.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}
