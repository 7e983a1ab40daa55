//! The rows that a row may refer to: those that are recorded, and those that the same plan creates.

use std::collections::BTreeSet;

use super::{answers::Answers, rules::Rules};
use crate::model::{Inventory, Key, ObjectType, Registration, Value};

/// Everything that the fields of one row may depend on.
pub(super) struct References<'a> {
    pub(super) registered: &'a Registration,
    pub(super) recorded: &'a Inventory,
    pub(super) rules: &'a Rules,
    pub(super) answers: &'a Answers<'a>,
    pub(super) created: &'a BTreeSet<(ObjectType, Key)>,
}

impl References<'_> {
    /// Returns a reference to one of our rows; empty when there is no such row, as when writing it failed.
    pub(super) fn our_row(&self, object: ObjectType, key: Key) -> Value {
        let known = self.recorded.row(object, &key).is_some() || self.created.contains(&(object, key.clone()));
        if known { Value::OurRow(key) } else { Value::Empty }
    }
}
