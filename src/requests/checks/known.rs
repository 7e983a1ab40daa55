//! What NetBox knows that a change is checked against.

use std::collections::BTreeSet;

use ipnet::IpNet;
use jiff::Timestamp;

use crate::{
    config,
    findings::{AddressPlan, Registrations, judge::Assignments, registrations::RecordedNet},
    model::{CustomerHandle, Holder, Instance, NetBlock, OrgHandle, RowId},
    netbox::{RequestRow, registered::range},
    requests::{record::Destination, state::State},
};

/// What is known in NetBox about the space of a config.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The registry instance of the config.
    pub instance: Instance,
    /// The organizations that are ours: those of our configs there, and those that are linked to our own tenants.
    pub ours: BTreeSet<OrgHandle>,
    /// The aggregates of the config's RIR.
    pub aggregates: Vec<IpNet>,
    /// The recorded nets, those of other instances and those that are gone included.
    pub nets: Vec<RecordedNet>,
    /// The other requests at the same instance of which something may have been sent that is not answered for good.
    pub under_way: Vec<UnderWay>,
}

/// A request whose end is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// Its row.
    pub id: RowId,
    /// What to call it for people: `request 17`.
    pub name: String,
    /// The range that it is about.
    pub range: NetBlock,
}

impl UnderWay {
    /// Returns the states of requests of which something may have been sent.
    #[must_use]
    pub fn states() -> Vec<String> {
        let states = State::ALL.into_iter().filter(|state| state.is_under_way());
        states.map(|state| state.name().to_owned()).collect()
    }

    /// Takes a row; `None` for one about no range.
    #[must_use]
    pub fn of(row: &RequestRow) -> Option<Self> {
        Some(Self { id: row.id, name: format!("request {}", row.id), range: range(row.range.as_deref()?)? })
    }
}

impl Known {
    /// Takes what was read of NetBox, for the config of a request.
    #[must_use]
    pub fn new(
        (plan, registrations): (&AddressPlan, &Registrations),
        policy: &config::Findings,
        destination: &Destination,
        under_way: Vec<UnderWay>,
    ) -> Self {
        let instance = &destination.instance;
        let assignments = Assignments::new((plan, registrations), policy, Timestamp::now(), instance);
        let orgs = registrations.orgs.iter().filter(|org| org.instance == *instance).map(|org| &org.handle);
        let of_configs = plan.configs.iter().filter(|config| config.instance == *instance);
        let orgs = of_configs.filter_map(|config| config.org.as_ref()).chain(orgs);
        let rir = plan.configs.iter().find(|config| config.id == destination.config).and_then(|config| config.rir);
        // Nets that only the public listing has are registered, too.
        let looks = registrations.looks.aggregates.iter().filter(|look| look.config == destination.config);
        let listed = looks.flat_map(|look| &look.listed).map(|net| RecordedNet {
            row: RowId(0),
            config: destination.config,
            instance: instance.clone(),
            handle: net.handle.clone(),
            name: net.name.clone(),
            registered: true,
            kind: net.kind.clone(),
            blocks: net.blocks.clone(),
            parent: net.parent.clone(),
            holder: net.holder.clone(),
            registered_on: net.registration_date,
        });
        let aggregates = plan.aggregates.iter().filter(|aggregate| Some(aggregate.rir) == rir);
        Self {
            instance: instance.clone(),
            ours: orgs.filter(|org| assignments.is_us(org)).cloned().collect(),
            aggregates: aggregates.map(|aggregate| aggregate.prefix).collect(),
            nets: registrations.nets.iter().cloned().chain(listed).collect(),
            under_way,
        }
    }

    /// Returns the nets that are registered at this instance as far as NetBox knows.
    pub(super) fn registered(&self) -> impl Iterator<Item = &RecordedNet> {
        self.nets.iter().filter(|net| net.registered && net.instance == self.instance)
    }

    /// Returns the registered nets that have addresses of a range and do not lie around it.
    pub(super) fn inside(&self, range: NetBlock) -> impl Iterator<Item = &RecordedNet> {
        self.registered().filter(move |net| {
            let around = NetBlock::spanning(&net.blocks).is_some_and(|whole| whole.covers(&range));
            !around && net.blocks.iter().any(|block| block.overlaps(&range))
        })
    }

    /// Returns the registered nets that a customer holds.
    pub(super) fn held_by(&self, customer: &CustomerHandle) -> impl Iterator<Item = &RecordedNet> {
        self.registered().filter(move |net| matches!(&net.holder, Some(Holder::Customer(holder)) if holder == customer))
    }
}
