//! The nets that answer for aggregates, the other way round: looked up once, as there may be thousands of both.

use std::collections::BTreeMap;

use crate::model::{Aggregate, Inventory, NetHandle, Registration};

/// The aggregates that each net answers for, in address order.
#[derive(Debug, Default)]
pub(super) struct Answers<'a>(BTreeMap<&'a NetHandle, Vec<&'a Aggregate>>);

impl<'a> Answers<'a> {
    pub(super) fn new(registered: &'a Registration, recorded: &'a Inventory) -> Self {
        let mut answers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for aggregate in &recorded.aggregates {
            if let Some(Some(net)) = registered.aggregates.get(&aggregate.id) {
                answers.entry(net).or_default().push(aggregate);
            }
        }
        Self(answers)
    }

    pub(super) fn of(&self, net: &NetHandle) -> &[&'a Aggregate] {
        self.0.get(net).map(Vec::as_slice).unwrap_or_default()
    }
}
