//! Everything a server holds: the tables, the custom object types and the change log.
//!
//! Rows change only through [`Store::put`], which keeps account of what was there, so that a refused batch can be taken
//! back ([`Store::rollback`]).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::{Map, Value};

use super::{
    field::Kind,
    model::{self, Model, TAGS},
    object_type::ObjectType,
    render,
    table::{Row, Table},
};

/// Everything a server holds.
#[derive(Debug, Clone)]
pub(super) struct Store {
    tables: BTreeMap<String, Table>,
    /// Custom object types by slug.
    pub(super) types: BTreeMap<String, ObjectType>,
    /// The number of types that there ever were.
    pub(super) last_type_id: u64,
    /// True if a duplicate of a unique field is refused by name.
    pub(super) names_duplicates: bool,
    log: Vec<Entry>,
    undo: Vec<(String, u64, Option<Row>)>,
    logged: usize,
    clock: Timestamp,
    /// How far the clock is ahead of that of this machine.
    ahead: SignedDuration,
    requests: u64,
    /// The id that the next request gets, as the merge of a branch gets that of a request in the branch.
    pub(super) next_request: Option<String>,
    request: String,
    /// Who made it.
    user: String,
}

/// One entry of the change log.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) object_type: String,
    pub(super) id: u64,
    /// `create`, `update` or `delete`.
    pub(super) action: &'static str,
    /// The `changelog_message` that came with the request; empty without one.
    pub(super) message: String,
    pub(super) time: Timestamp,
    /// Who made the request that it came with.
    pub(super) user: String,
    /// NetBox's id of that request.
    pub(super) request: String,
    /// The values before and after, without documents; `None` where there was or is no object.
    pub(super) before: Option<Map<String, Value>>,
    pub(super) after: Option<Map<String, Value>>,
}

impl Store {
    pub(super) fn new() -> Self {
        let tables = model::core().into_iter().map(|model| (model.endpoint.clone(), Table::new(model))).collect();
        Self {
            tables,
            types: BTreeMap::new(),
            last_type_id: 0,
            names_duplicates: false,
            log: Vec::new(),
            undo: Vec::new(),
            logged: 0,
            clock: Timestamp::UNIX_EPOCH,
            ahead: SignedDuration::ZERO,
            requests: 0,
            next_request: None,
            request: String::new(),
            user: String::new(),
        }
    }

    pub(super) fn table(&self, endpoint: &str) -> Option<&Table> {
        self.tables.get(endpoint)
    }

    pub(super) fn table_mut(&mut self, endpoint: &str) -> Option<&mut Table> {
        self.tables.get_mut(endpoint)
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    pub(super) fn add_table(&mut self, model: Model) {
        self.tables.insert(model.endpoint.clone(), Table::new(model));
    }

    /// Returns the endpoint of what a schema document names.
    pub(super) fn endpoint_of(&self, reference: &str) -> Option<String> {
        self.tables().find(|table| table.model.reference == reference).map(|table| table.model.endpoint.clone())
    }

    /// Returns the time now, later than any time given before, so that each change of a row has an ETag of its own.
    pub(super) fn now(&mut self) -> Timestamp {
        let now = Timestamp::now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX);
        let now = now.round(Unit::Microsecond).unwrap_or(now);
        self.clock = now.max(self.clock.saturating_add(SignedDuration::from_micros(1)).unwrap_or(now));
        self.clock
    }

    /// Puts a row in the place of the one that was there, or nothing.
    pub(super) fn put(&mut self, endpoint: &str, id: u64, row: Option<Row>) {
        let Some(table) = self.tables.get_mut(endpoint) else { return };
        let before = table.put(id, row);
        self.undo.push((endpoint.to_owned(), id, before));
    }

    pub(super) fn log(&mut self, endpoint: &str, id: u64, action: &'static str, message: &str) {
        let Some(table) = self.tables.get(endpoint) else { return };
        let snapshot = |row: &Row| self.snapshot(&table.model, row);
        let put = self.undo.iter().rev().find(|(list, row, _)| list == endpoint && *row == id);
        let before = put.and_then(|(_, _, before)| before.as_ref()).map(snapshot);
        let (after, object_type) = (table.row(id).map(snapshot), table.model.object_type.clone());
        let (time, request, user) = (self.now(), self.request.clone(), self.user.clone());
        self.log.push(Entry {
            object_type,
            id,
            action,
            message: message.to_owned(),
            time,
            user,
            request,
            before,
            after,
        });
    }

    /// Returns the values of an object as the change log has them: links as ids, but tags by their names.
    fn snapshot(&self, model: &Model, row: &Row) -> Map<String, Value> {
        let mut values = Map::new();
        for field in &model.fields {
            let value = row.get(&field.name);
            if field.kind == Kind::Json {
                continue;
            }
            let value = if let Kind::CustomFields(object_type) = &field.kind {
                render::custom_fields(self, object_type, value)
            } else if field.target() == Some(TAGS) {
                self.tag_names(value).into()
            } else if field.name == "scope_type" {
                self.type_id(value).into()
            } else {
                value.clone()
            };
            values.insert(field.name.clone(), value);
        }
        values
    }

    /// Returns the names of tags, in alphabetical order.
    fn tag_names(&self, ids: &Value) -> Vec<String> {
        let tags = self.table(TAGS);
        let name = |id: &Value| tags?.row(id.as_u64()?)?.text("name").map(str::to_owned);
        let mut names: Vec<String> = ids.as_array().into_iter().flatten().filter_map(name).collect();
        names.sort_unstable();
        names
    }

    /// Returns the number by which the change log knows a type of objects.
    fn type_id(&self, object_type: &Value) -> Option<usize> {
        let place = self.tables().position(|table| object_type.as_str() == Some(table.model.object_type.as_str()));
        place.map(|place| place + 1)
    }

    /// Begins a request of somebody, whose changes bear its id and their name.
    pub(super) fn begin_request(&mut self, user: &str) {
        user.clone_into(&mut self.user);
        self.requests += 1;
        let id = self.next_request.take();
        self.request = id.unwrap_or_else(|| format!("00000000-0000-4000-8000-{:012x}", self.requests));
    }

    /// Sets the clock, which is that of this machine otherwise.
    pub(super) fn set_clock(&mut self, ahead: SignedDuration) {
        (self.ahead, self.clock) = (ahead, Timestamp::UNIX_EPOCH);
    }

    /// Makes all changes older.
    pub(super) fn age(&mut self, by: SignedDuration) {
        for entry in &mut self.log {
            entry.time = entry.time.saturating_sub(by).unwrap_or(entry.time);
        }
    }

    /// Gives the changes of an object, in the order they were made, other times; those that have none in the list keep theirs.
    pub(super) fn date_changes(&mut self, object_type: &str, id: u64, times: &[Timestamp]) {
        let of_object = self.log.iter_mut().filter(|entry| entry.object_type == object_type && entry.id == id);
        of_object.zip(times).for_each(|(entry, time)| entry.time = *time);
        self.log.sort_by_key(|entry| entry.time);
    }

    /// Gives an object other times of creation and of its last change.
    pub(super) fn date_object(&mut self, endpoint: &str, id: u64, created: Timestamp, updated: Timestamp) {
        let Some(row) = self.table(endpoint).and_then(|table| table.row(id)).cloned() else { return };
        self.put(endpoint, id, Some(Row { created, updated, ..row }));
        self.commit();
    }

    /// Forgets the changes that were made before a time, as NetBox's housekeeping does.
    pub(super) fn forget_changes(&mut self, before: Timestamp) {
        self.log.retain(|entry| entry.time >= before);
        self.logged = self.log.len();
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.log
    }

    /// Keeps what was put since the last commit or rollback.
    pub(super) fn commit(&mut self) {
        self.undo.clear();
        self.logged = self.log.len();
    }

    /// Takes back what was put since the last commit or rollback.
    pub(super) fn rollback(&mut self) {
        while let Some((endpoint, id, before)) = self.undo.pop() {
            if let Some(table) = self.tables.get_mut(&endpoint) {
                table.put(id, before);
            }
        }
        self.log.truncate(self.logged);
    }
}
