//! What is left out of a plan, because its reader may not view such rows in NetBox.

use std::collections::{BTreeMap, BTreeSet};

use super::{json::RunView, kept_plan::PlanHead};
use crate::model::ObjectType;

/// Leaves out what is about objects of a type that a reader may not view, and counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withholding {
    viewable: BTreeSet<ObjectType>,
    withheld: BTreeMap<ObjectType, usize>,
}

impl Withholding {
    /// Begins for a reader who may view rows of these types.
    #[must_use]
    pub fn new(viewable: BTreeSet<ObjectType>) -> Self {
        Self { viewable, withheld: BTreeMap::new() }
    }

    /// Leaves out those of `told` that are about objects of other types.
    pub fn keep_viewable<T>(&mut self, told: &mut Vec<T>, object: impl Fn(&T) -> ObjectType) {
        let Self { viewable, withheld } = self;
        told.retain(|one| {
            let keep = viewable.contains(&object(one));
            if !keep {
                *withheld.entry(object(one)).or_default() += 1;
            }
            keep
        });
    }

    /// Returns how many were left out so far, by their type.
    #[must_use]
    pub fn counts(self) -> BTreeMap<ObjectType, usize> {
        self.withheld
    }
}

impl RunView {
    /// Returns what a reader who may view rows of these types may see of it. The numbers stay as they are.
    #[must_use]
    pub fn shown_to(mut self, viewable: BTreeSet<ObjectType>) -> Self {
        let mut withholding = Withholding::new(viewable);
        withholding.keep_viewable(&mut self.failures, |failure| failure.object);
        withholding.keep_viewable(&mut self.skipped, |skip| skip.object);
        if let Some(changes) = &mut self.changes {
            withholding.keep_viewable(changes, |change| change.object);
        }
        self.withheld = withholding.counts();
        self
    }
}

impl PlanHead {
    /// Returns what a reader who may view rows of these types may see of it. Counts the rows that the reader may not view,
    /// which stand elsewhere.
    #[must_use]
    pub fn shown_to(self, viewable: &BTreeSet<ObjectType>) -> Self {
        let mut run = self.run.shown_to(viewable.clone());
        for (object, counts) in run.counts.iter().filter(|(object, _)| !viewable.contains(object)) {
            let rows = counts.created + counts.updated + counts.retired;
            if rows > 0 {
                *run.withheld.entry(*object).or_default() += rows;
            }
        }
        Self { run, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_other_types_is_left_out_and_counted() {
        let mut withholding = Withholding::new(BTreeSet::from([ObjectType::Network, ObjectType::Customer]));
        let mut rows = vec![
            (ObjectType::Network, "NET-A"),
            (ObjectType::Contact, "A-ARIN"),
            (ObjectType::Address, "Main Street 1"),
            (ObjectType::Network, "NET-B"),
            (ObjectType::Contact, "B-ARIN"),
        ];
        withholding.keep_viewable(&mut rows, |row| row.0);
        assert_eq!(rows, [(ObjectType::Network, "NET-A"), (ObjectType::Network, "NET-B")]);
        withholding.keep_viewable(&mut vec![ObjectType::Contact], |object| *object);
        assert_eq!(withholding.counts(), BTreeMap::from([(ObjectType::Address, 1), (ObjectType::Contact, 3)]));
    }
}
