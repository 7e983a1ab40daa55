//! Decides what to write: compares what the RIR has with what NetBox has recorded.
//!
//! [`plan`] and [`plan_round`] are pure: the same snapshots and rules give the same [`Plan`], and planning again after the
//! plan was applied gives an empty one. A preview is a plan that nobody applied.

mod answers;
mod change;
mod desired;
mod digest;
mod limits;
mod links;
mod references;
mod rules;
mod shown;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::links::misfits;
use self::{answers::Answers, desired::Desired, references::References};
pub use self::{
    change::{Action, Altered, Change, Plan},
    digest::Subject,
    limits::{Limits, Refused},
    rules::Rules,
    shown::{ShownAction, ShownChange, ShownField},
};
use crate::{
    model::{
        Address, Customer, CustomerHandle, Fields, Inventory, Key, Net, NetHandle, ObjectType, Org, OrgHandle, Poc,
        PocHandle, Registration, Row, Updated, Value,
    },
    netbox::fields,
};

/// The objects that were learnt of in one round, by handle; they themselves stand in a [`Registration`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learnt {
    /// Organizations.
    pub orgs: BTreeSet<OrgHandle>,
    /// Points of contact.
    pub pocs: BTreeSet<PocHandle>,
    /// Nets, and those that turned out to answer for one more aggregate.
    pub nets: BTreeSet<NetHandle>,
    /// Customers.
    pub customers: BTreeSet<CustomerHandle>,
    /// Organizations, contacts and customers that are as recorded.
    pub as_recorded: BTreeSet<(ObjectType, Key)>,
}

impl Learnt {
    /// Drops the documents of these objects, which take most of the memory and have been written.
    pub fn drop_documents(&self, registered: &mut Registration) {
        for handle in &self.orgs {
            registered.orgs.entry(handle.clone()).and_modify(|org| org.raw.drop_document());
        }
        for handle in &self.pocs {
            registered.pocs.entry(handle.clone()).and_modify(|poc| poc.raw.drop_document());
        }
        for handle in &self.nets {
            registered.nets.entry(handle.clone()).and_modify(|net| net.raw.drop_document());
        }
        for handle in &self.customers {
            registered.customers.entry(handle.clone()).and_modify(|customer| customer.raw.drop_document());
        }
    }
}

/// Compares all that is registered with what is recorded. What the registry said it does not have is retired, whatever
/// else could not be asked: a failure is not an absence, and takes none away.
#[must_use]
pub fn plan(registered: &Registration, recorded: &Inventory, rules: &Rules) -> Plan {
    let mut planner = Planner::new(registered, recorded, rules);
    registered.orgs.values().for_each(|org| planner.org(org));
    registered.pocs.values().for_each(|poc| planner.poc(poc));
    registered.nets.values().for_each(|net| planner.net(net));
    registered.customers.values().for_each(|customer| planner.customer(customer));
    registered.as_recorded.iter().for_each(|(object, key)| planner.as_recorded(*object, key));
    registered.gone.iter().for_each(|(object, key)| planner.retire(*object, key));
    planner.sorted()
}

/// Compares what was learnt in one round with what is recorded, in the light of all that is registered. Retires nothing.
#[must_use]
pub fn plan_round(learnt: &Learnt, registered: &Registration, recorded: &Inventory, rules: &Rules) -> Plan {
    let mut planner = Planner::new(registered, recorded, rules);
    learnt.orgs.iter().filter_map(|handle| registered.orgs.get(handle)).for_each(|org| planner.org(org));
    learnt.pocs.iter().filter_map(|handle| registered.pocs.get(handle)).for_each(|poc| planner.poc(poc));
    learnt.nets.iter().filter_map(|handle| registered.nets.get(handle)).for_each(|net| planner.net(net));
    let customers = learnt.customers.iter().filter_map(|handle| registered.customers.get(handle));
    customers.for_each(|customer| planner.customer(customer));
    learnt.as_recorded.iter().for_each(|(object, key)| planner.as_recorded(*object, key));
    planner.sorted()
}

struct Planner<'a> {
    registered: &'a Registration,
    recorded: &'a Inventory,
    rules: &'a Rules,
    answers: Answers<'a>,
    plan: Plan,
    created: BTreeSet<(ObjectType, Key)>,
}

impl<'a> Planner<'a> {
    fn new(registered: &'a Registration, recorded: &'a Inventory, rules: &'a Rules) -> Self {
        let answers = Answers::new(registered, recorded);
        Self { registered, recorded, rules, answers, plan: Plan::default(), created: BTreeSet::new() }
    }

    fn references(&self) -> References<'_> {
        let Self { registered, recorded, rules, answers, created, .. } = self;
        References { registered, recorded, rules, answers, created }
    }

    fn org(&mut self, org: &Org) {
        let address = self.address(org.address.as_ref());
        let wanted = desired::organization(org, address, &self.references());
        self.settle(wanted);
    }

    fn poc(&mut self, poc: &Poc) {
        let address = self.address(poc.address.as_ref());
        let wanted = desired::contact(poc, address, &self.references());
        self.settle(wanted);
    }

    fn net(&mut self, net: &Net) {
        let wanted = desired::network(net, &self.references());
        if let Some(Updated { at, .. }) = self.registered.listed.get(&net.handle).and_then(|listed| listed.updated) {
            let (at, row) = (at.to_string(), self.recorded.row(ObjectType::Network, &wanted.key));
            if row.is_none_or(|row| row.text(fields::LISTED) != Some(&at)) {
                self.plan.listed.insert(wanted.key.clone(), at);
            }
        }
        self.settle(wanted);
    }

    /// Takes an object as it is recorded: only what follows from others may have changed, such as whose it is. One that was
    /// read as well is as it was read.
    fn as_recorded(&mut self, object: ObjectType, key: &Key) {
        let Some(row) = self.recorded.row(object, key) else { return };
        let known = self.references();
        let Some(wanted) = desired::as_recorded(object, (key, row), &known) else { return };
        if let Some(address) = row.field("address").as_our_row() {
            self.plan.unchanged.insert((ObjectType::Address, address.to_string()));
        }
        self.settle(wanted);
    }

    fn customer(&mut self, customer: &Customer) {
        let address = self.address(customer.address.as_ref());
        let wanted = desired::customer(customer, address, &self.references());
        self.settle(wanted);
    }

    /// Sees to it that the address has a row, and returns a reference to it. Rows of addresses are shared and so never
    /// rewritten.
    fn address(&mut self, address: Option<&Address>) -> Value {
        let Some(address) = address else { return Value::Empty };
        let wanted = desired::address(address);
        let key = wanted.key.clone();
        if self.recorded.row(ObjectType::Address, &key).is_some() {
            self.plan.unchanged.insert((ObjectType::Address, key.to_string()));
        } else if self.references().our_row(ObjectType::Address, key.clone()) == Value::Empty {
            self.settle(wanted);
        }
        self.references().our_row(ObjectType::Address, key)
    }

    /// Plans what brings the row of an object to the fields it should hold.
    fn settle(&mut self, wanted: Desired<'_>) {
        if self.rules.given_up.contains(&wanted.key) {
            return;
        }
        let Desired { object, key, handle, mut fields, raw } = wanted;
        let raw = || raw.map(|raw| Value::Json(raw.json()));
        let action = match self.recorded.row(object, &key) {
            None => {
                self.created.insert((object, key.clone()));
                fields.extend(raw().map(|raw| ("raw_data", raw)));
                Action::Create { fields }
            }
            Some(row) => {
                let fields = altered(row, fields, raw);
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

    /// Returns the plan in an order in which references point backwards.
    fn sorted(self) -> Plan {
        let mut plan = self.plan;
        plan.changes.sort_by_key(|change| change.object);
        plan
    }
}

/// Returns the fields that differ. `raw_data` is not recorded on our side: it goes along when its digest differs.
fn altered(row: &Row, wanted: Fields, raw: impl FnOnce() -> Option<Value>) -> BTreeMap<&'static str, Altered> {
    let mut fields: BTreeMap<_, _> = wanted
        .into_iter()
        .filter(|(name, becomes)| row.field(name) != becomes)
        .map(|(name, becomes)| (name, Altered { was: row.field(name).clone(), becomes }))
        .collect();
    if fields.contains_key("digest")
        && let Some(becomes) = raw()
    {
        fields.insert("raw_data", Altered { was: Value::Empty, becomes });
    }
    fields
}
