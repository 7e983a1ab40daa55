//! The objects that were left out, by the reason.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::irr::{
    nrtm3::RejectedChange,
    rpsl::{Class, Rejected},
};

/// So many of them are told one by one.
const TOLD: usize = 10;

/// Objects that were left out since the last dump was taken, that included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Rejects {
    /// How many, by the label of the reason.
    pub by_reason: BTreeMap<String, u64>,
    /// The first of them.
    pub examples: Vec<LeftOut>,
}

/// An object that was left out, as it is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LeftOut {
    /// Its class, if it has one that is known.
    #[schema(value_type = Option<String>)]
    pub class: Option<Class>,
    /// Its first line, shortened.
    pub begins: String,
    /// What is wrong with it, and in which change.
    pub reason: String,
}

impl LeftOut {
    /// Returns what its first line says of it: of a route its prefix.
    #[must_use]
    pub fn handle(&self) -> &str {
        self.begins.split_once(':').map_or(self.begins.as_str(), |(_, value)| value.trim())
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the object that begins with {:?} is left out: {}", self.begins, self.reason)
    }
}

impl Rejects {
    /// Counts one more.
    pub fn add(&mut self, rejected: &Rejected) {
        self.count(rejected, || rejected.fault.to_string());
    }

    /// Counts one more, of a change that has a name.
    pub(in crate::irr) fn add_of(&mut self, change: impl fmt::Display, rejected: &Rejected) {
        self.count(rejected, || format!("{} ({change})", rejected.fault));
    }

    fn count(&mut self, rejected: &Rejected, reason: impl FnOnce() -> String) {
        let label = rejected.fault.label();
        match self.by_reason.get_mut(label) {
            Some(count) => *count = count.saturating_add(1),
            None => {
                self.by_reason.insert(label.to_owned(), 1);
            }
        }
        if self.examples.len() < TOLD {
            let Rejected { class, begins, .. } = rejected;
            self.examples.push(LeftOut { class: *class, begins: begins.clone(), reason: reason() });
        }
    }

    /// Returns those of an answer.
    pub(in crate::irr) fn of_changes(rejected: &[RejectedChange]) -> Self {
        let mut rejects = Self::default();
        for RejectedChange { serial, rejected } in rejected {
            rejects.add_of(format_args!("serial {serial}"), rejected);
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
