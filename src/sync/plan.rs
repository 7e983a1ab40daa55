//! Decides what to write: compares what the RIR has with what NetBox has recorded.
//!
//! [`plan`] is pure: the same two snapshots and rules give the same [`Plan`], and planning again after the plan was
//! applied gives an empty one. A preview is a plan that nobody applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    desired::{self, Desired},
    rules::Rules,
};
use crate::model::{Fields, Inventory, Key, ObjectType, Registration, RowId, Value, inventory::NOT_FOUND};

/// What has to be written to bring NetBox in line, in an order in which references point backwards.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The rows to write.
    pub changes: Vec<Change>,
    /// The rows that are as they should be.
    pub unchanged: BTreeSet<(ObjectType, String)>,
}

/// One row to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What it is.
    pub object: ObjectType,
    /// What identifies it.
    pub key: Key,
    /// Its handle; for an address the address itself.
    pub handle: String,
    /// What to do with it.
    pub action: Action,
}

/// What to do with a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Write a new row.
    Create {
        /// All fields the sidecar owns.
        fields: Fields,
    },
    /// Write some fields of a row.
    Update {
        /// The row.
        id: RowId,
        /// The fields that differ.
        fields: BTreeMap<&'static str, Altered>,
    },
    /// Mark a row as not found at the RIR any more.
    Retire {
        /// The row.
        id: RowId,
    },
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Altered {
    /// What is recorded.
    pub was: Value,
    /// What it becomes.
    pub becomes: Value,
}

/// Compares what is registered with what is recorded.
///
/// Retires nothing when `registered` is incomplete: a failure is not an absence.
#[must_use]
pub fn plan(registered: &Registration, recorded: &Inventory, rules: &Rules) -> Plan {
    let mut planner = Planner { recorded, rules, plan: Plan::default(), created: BTreeSet::new() };
    for org in registered.orgs.values() {
        planner.with_address(org.address.as_ref(), |known, address| desired::organization(org, address, known));
    }
    for poc in registered.pocs.values() {
        let functions = registered.functions.as_ref();
        planner.with_address(poc.address.as_ref(), |known, address| desired::contact(poc, functions, address, known));
    }
    for net in registered.nets.values() {
        let wanted = desired::network(net, registered, &planner.known());
        planner.settle(wanted);
    }
    for customer in registered.customers.values() {
        planner.with_address(customer.address.as_ref(), |known, address| {
            desired::customer(customer, registered, address, known)
        });
    }
    if !registered.incomplete {
        registered.gone.iter().for_each(|(object, key)| planner.retire(*object, key));
    }
    planner.plan.changes.sort_by_key(|change| change.object);
    planner.plan
}

/// What a row may refer to: rows that are recorded, and rows this plan creates.
pub(super) struct Known<'a> {
    pub(super) recorded: &'a Inventory,
    pub(super) rules: &'a Rules,
    created: &'a BTreeSet<(ObjectType, Key)>,
}

impl Known<'_> {
    /// A reference to one of our rows; empty when there is no such row, as when writing it failed.
    pub(super) fn own(&self, object: ObjectType, key: Key) -> Value {
        let known = self.recorded.row(object, &key).is_some() || self.created.contains(&(object, key.clone()));
        if known { Value::OurRow(key) } else { Value::Empty }
    }
}

struct Planner<'a> {
    recorded: &'a Inventory,
    rules: &'a Rules,
    plan: Plan,
    created: BTreeSet<(ObjectType, Key)>,
}

impl Planner<'_> {
    fn known(&self) -> Known<'_> {
        Known { recorded: self.recorded, rules: self.rules, created: &self.created }
    }

    /// Settles an object after the row of its address, which it refers to.
    fn with_address(
        &mut self,
        address: Option<&crate::model::Address>,
        wanted: impl FnOnce(&Known<'_>, Value) -> Desired,
    ) {
        let address = address.map_or(Value::Empty, |address| self.address(address));
        let wanted = wanted(&self.known(), address);
        self.settle(wanted);
    }

    /// Sees to it that the address has a row. Rows of addresses are shared and so never rewritten.
    fn address(&mut self, address: &crate::model::Address) -> Value {
        let wanted = desired::address(address);
        let key = wanted.key.clone();
        if self.recorded.row(ObjectType::Address, &key).is_some() {
            self.plan.unchanged.insert((ObjectType::Address, wanted.handle));
        } else if self.known().own(ObjectType::Address, key.clone()) == Value::Empty {
            self.settle(wanted);
        }
        self.known().own(ObjectType::Address, key)
    }

    fn settle(&mut self, wanted: Desired) {
        if self.rules.given_up.contains(&wanted.key) {
            return;
        }
        let Desired { object, key, handle, fields } = wanted;
        let action = match self.recorded.row(object, &key) {
            None => {
                self.created.insert((object, key.clone()));
                Action::Create { fields }
            }
            Some(row) => {
                let fields = altered(row, fields);
                if fields.is_empty() {
                    self.plan.unchanged.insert((object, handle));
                    return;
                }
                Action::Update { id: row.id, fields }
            }
        };
        self.plan.changes.push(Change { object, key, handle, action });
    }

    fn retire(&mut self, object: ObjectType, key: &Key) {
        let Some(row) = self.recorded.row(object, key).filter(|row| row.is_registered()) else { return };
        if self.rules.given_up.contains(key) {
            return;
        }
        let handle = row.text("handle").unwrap_or(key.as_str()).to_owned();
        let action = Action::Retire { id: row.id };
        self.plan.changes.push(Change { object, key: key.clone(), handle, action });
    }
}

/// The fields that differ. `raw_data` is not recorded on our side: it goes along when its digest differs.
fn altered(row: &crate::model::Row, mut wanted: Fields) -> BTreeMap<&'static str, Altered> {
    let raw = wanted.remove("raw_data");
    let mut fields: BTreeMap<_, _> = wanted
        .into_iter()
        .filter(|(name, becomes)| row.field(name) != becomes)
        .map(|(name, becomes)| (name, Altered { was: row.field(name).clone(), becomes }))
        .collect();
    if let Some(becomes) = raw.filter(|_| fields.contains_key("digest")) {
        fields.insert("raw_data", Altered { was: Value::Empty, becomes });
    }
    fields
}

impl Plan {
    /// How many rows it would mark as not found.
    #[must_use]
    pub fn retirements(&self) -> usize {
        self.changes.iter().filter(|change| matches!(change.action, Action::Retire { .. })).count()
    }

    /// The plan without the rows it would mark as not found.
    #[must_use]
    pub fn without_retirements(mut self) -> Self {
        self.changes.retain(|change| !matches!(change.action, Action::Retire { .. }));
        self
    }
}

impl Change {
    /// The fields as they are written.
    #[must_use]
    pub fn fields(&self) -> Fields {
        match &self.action {
            Action::Create { fields } => fields.clone(),
            Action::Update { fields, .. } => {
                fields.iter().map(|(name, altered)| (*name, altered.becomes.clone())).collect()
            }
            Action::Retire { .. } => Fields::from([("status", Value::Text(NOT_FOUND.into()))]),
        }
    }

    /// The names of fields a person may want to read about, without those that are only there for the machine.
    pub fn visible(&self) -> impl Iterator<Item = &'static str> {
        let names: Vec<_> = match &self.action {
            Action::Create { fields } => fields.keys().copied().collect(),
            Action::Update { fields, .. } => fields.keys().copied().collect(),
            Action::Retire { .. } => Vec::new(),
        };
        names.into_iter().filter(|name| !HIDDEN.contains(name))
    }
}

/// Fields that are not shown in a diff: they repeat what stands next to them, or stand for what is shown elsewhere.
const HIDDEN: [&str; 4] = ["key", "digest", "handle", "config"];
/// Fields whose values say nothing to a person: a document, and the key of an address that has its own line.
const OPAQUE: [&str; 2] = ["raw_data", "address"];

/// The plan as a diff: `+ ~ -` for each object, and below it a line for each field.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| change.fmt(f))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, handle, .. } = self;
        match &self.action {
            Action::Create { fields } => {
                writeln!(f, "+ {object} {handle}")?;
                let own_line =
                    |name: &str| *object == ObjectType::Address || OPAQUE.contains(&name) || name == "status";
                let told = fields
                    .iter()
                    .filter(|(name, value)| **value != Value::Empty && !HIDDEN.contains(name) && !own_line(name));
                told.into_iter().try_for_each(|(name, value)| writeln!(f, "    {name}: {value}"))
            }
            Action::Update { fields, .. } => {
                writeln!(f, "~ {object} {handle}")?;
                fields.iter().filter(|(name, _)| !HIDDEN.contains(name)).try_for_each(|(name, altered)| {
                    let Altered { was, becomes } = altered;
                    if OPAQUE.contains(name) {
                        writeln!(f, "    {name}: changed")
                    } else {
                        writeln!(f, "    {name}: {was} -> {becomes}")
                    }
                })
            }
            Action::Retire { .. } => writeln!(f, "- {object} {handle}\n    status: registered -> not-found"),
        }
    }
}
