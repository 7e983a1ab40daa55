//! The number of times that ARIN may be asked about a world: once for each thing that has to be known.

use std::collections::BTreeSet;

use ipnet::IpNet;
use rir_sandbox::{
    regrws::{Operation, Requests},
    world::World,
};

use crate::holders::Holders;

/// The most that ARIN may be asked, by operation.
pub(crate) struct Expected {
    /// Look-ups: the aggregates, and the prefixes that do not lie inside a net that can have no children. Of such nets only
    /// those count that NetBox has as a prefix: others are not known before a prefix inside them was asked about.
    pub(crate) look_ups: usize,
    /// Everything else, each once.
    pub(crate) holders: Holders,
}

impl Expected {
    pub(crate) fn of(world: &World) -> Self {
        let nets = &world.registry.nets;
        let planned: BTreeSet<IpNet> = world.ipam.prefixes.iter().map(|prefix| prefix.prefix).collect();
        let childless: BTreeSet<IpNet> = nets
            .values()
            .filter(|net| net.net_type == "S")
            .flat_map(|net| net.blocks.iter().copied())
            .filter(|block| planned.contains(block))
            .collect();
        let lies_inside = |prefix: IpNet| {
            std::iter::successors(prefix.supernet(), IpNet::supernet).any(|net| childless.contains(&net))
        };
        Self {
            look_ups: world.ipam.aggregates.len() + planned.iter().filter(|prefix| !lies_inside(**prefix)).count(),
            holders: Holders::of(world),
        }
    }

    /// Describes what was asked too often; nothing when all is well.
    pub(crate) fn exceeded(&self, asked: &Requests) -> Vec<String> {
        let Holders { customers, orgs, pocs } = self.holders;
        let limits = [
            (Operation::MostSpecificNet, self.look_ups),
            (Operation::Customer, customers),
            (Operation::Org, orgs),
            (Operation::Poc, pocs),
        ];
        let count = |operation| asked.count(operation);
        let too_many = limits.into_iter().filter(|(operation, most)| count(*operation) > *most);
        let mut exceeded: Vec<String> =
            too_many.map(|(operation, most)| format!("{operation:?} {} > {most}", count(operation))).collect();
        let mut seen = BTreeSet::new();
        let twice = asked.0.iter().filter(|request| !seen.insert((request.operation, &request.target))).count();
        if twice > 0 {
            exceeded.push(format!("{twice} questions asked twice"));
        }
        exceeded
    }
}
