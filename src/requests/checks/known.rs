//! What NetBox knows that a change is checked against.

use std::collections::BTreeSet;

use ipnet::IpNet;

use crate::{
    findings::registrations::RecordedNet,
    model::{CustomerHandle, Holder, Instance, NetBlock, OrgHandle},
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
    /// What to call it for people: `request 17`.
    pub name: String,
    /// The range that it is about.
    pub range: NetBlock,
}

impl Known {
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
