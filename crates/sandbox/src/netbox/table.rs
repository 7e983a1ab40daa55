//! The objects of one kind.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::model::Model;

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) values: Map<String, Value>,
}

/// The objects of one kind, and the holder of each unique value.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) model: Arc<Model>,
    rows: BTreeMap<u64, Row>,
    holders: HashMap<(String, String), u64>,
    last_id: u64,
}

/// The reason why a table cannot become one of another kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Unfit {
    /// Two objects have this value in this field, which is to be unique.
    Repeated(String, Value),
    /// This value does not fit the new type of its field.
    Cast(Value),
}

impl Row {
    pub(super) fn get(&self, field: &str) -> &Value {
        self.values.get(field).unwrap_or(&Value::Null)
    }

    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.get(field).as_str()
    }
}

impl Table {
    pub(super) fn new(model: Model) -> Self {
        Self { model: Arc::new(model), rows: BTreeMap::new(), holders: HashMap::new(), last_id: 0 }
    }

    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = (u64, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    pub(super) fn row(&self, id: u64) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// Returns an id nobody had. As in a database, one is used up even when its object is then refused.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Returns who holds a unique value, if it is not this object.
    pub(super) fn other_holder(&self, field: &str, value: &Value, id: u64) -> Option<u64> {
        let holder = self.holders.get(&(field.to_owned(), value.to_string())).copied();
        holder.filter(|holder| *holder != id)
    }

    /// Puts an object in the place of the one that was there, or nothing; returns what was there.
    pub(super) fn put(&mut self, id: u64, row: Option<Row>) -> Option<Row> {
        let before = self.rows.remove(&id);
        let model = Arc::clone(&self.model);
        for field in model.fields.iter().filter(|field| field.unique) {
            if let Some(old) = before.as_ref().map(|row| row.get(&field.name)).filter(|old| !old.is_null()) {
                self.holders.remove(&(field.name.clone(), old.to_string()));
            }
        }
        let Some(row) = row else { return before };
        for field in model.fields.iter().filter(|field| field.unique && !row.get(&field.name).is_null()) {
            self.holders.insert((field.name.clone(), row.get(&field.name).to_string()), id);
        }
        self.rows.insert(id, row);
        before
    }

    /// Changes the kind, and every object with it. What cannot be done leaves half of it done.
    pub(super) fn remodel(
        &mut self,
        model: Model,
        change: impl Fn(&mut Row) -> Result<(), Unfit>,
    ) -> Result<(), Unfit> {
        self.holders.clear();
        self.model = Arc::new(model);
        for (id, mut row) in std::mem::take(&mut self.rows) {
            change(&mut row)?;
            let model = Arc::clone(&self.model);
            let taken = |name: &str| self.other_holder(name, row.get(name), id).is_some();
            if let Some(field) = model.fields.iter().find(|field| field.unique && taken(&field.name)) {
                return Err(Unfit::Repeated(field.name.clone(), row.get(&field.name).clone()));
            }
            self.put(id, Some(row));
        }
        Ok(())
    }
}
