//! The findings about nets that no prefix stands for, and about what is left of nets.

use std::collections::BTreeSet;

use super::{
    super::{
        address_plan::Deletion,
        finding::{Link, Links, Subject, day},
        kind::{Kind, Level},
    },
    ground::Aggregate,
    nets::{NetKind, written},
    sheet::Sheet,
    subjects::Spot,
};
use crate::model::{Answer, CustomerHandle, NetBlock, ObjectType, RowId, Standing};

impl<'a> Sheet<'_, 'a> {
    /// Judges the nets that were passed on and have no prefix in NetBox.
    pub(super) fn unclaimed(&mut self) {
        let ground = self.ground;
        for (at, net) in ground.nets.all() {
            let Some(aggregate) = ground.aggregate_around(net.range).and_then(|at| ground.aggregates.get(at)) else {
                continue;
            };
            let is_aggregate = NetBlock::from(aggregate.planned.prefix.trunc()) == net.range;
            let claimed = self.owners.contains(&at)
                || self.ranges.contains(&net.range)
                || self.named.contains(&at)
                || self.in_doubt.contains(&at);
            if claimed
                || is_aggregate
                || aggregate.standing.silences()
                || !ground.nets.is_ours(at)
                || aggregate.unknown_net(net.range).is_some()
            {
                continue;
            }
            self.net_without_prefix(at, aggregate);
        }
    }

    fn net_without_prefix(&mut self, at: usize, aggregate: &Aggregate<'_>) {
        let Some(net) = self.ground.nets.get(at) else { return };
        let deletions = self.ground.plan.deletions.as_ref();
        self.wants_deletions |= deletions.is_none();
        let here = |it: &&Deletion| self.ground.is_public(it.vrf) && NetBlock::from(it.prefix.trunc()) == net.range;
        let deleted = deletions.into_iter().flatten().filter(here).max_by_key(|it| it.at);
        let registered = format!("{} is registered for {}", self.handles(&[at]), self.holder_words(at));
        let source = if net.row.is_none() { " (ARIN's public listing has it)" } else { "" };
        let (kind, mut message) = match deleted {
            Some(Deletion { at, user, .. }) => {
                let who = user.as_deref().unwrap_or("somebody");
                (Kind::PrefixGone, format!("{registered}{source}, but {who} deleted the prefix on {}.", day(*at)))
            }
            None => (Kind::NotInNetbox, format!("{registered}{source}, but NetBox has no such prefix.")),
        };
        let elsewhere: BTreeSet<&str> = self.vrfs_with(net.range);
        if !elsewhere.is_empty() {
            let names: Vec<&str> = elsewhere.into_iter().collect();
            message.push_str(&format!(" It is in VRF {}, which is not public.", names.join(" and ")));
        }
        let links =
            Links { aggregate: Some(aggregate.link()), network: self.ground.link_to_net(at), ..Links::default() };
        let links = self.ground.holder_links(at).and(links);
        let subject = Subject::Net(net.handle.clone(), net.registered_on);
        self.add((kind, Level::Notice), aggregate.config.id, subject, (links, message));
    }

    /// Judges customers whose net is gone, and nets whose customer is.
    pub(super) fn left_behind(&mut self, spots: &[Spot<'a>]) {
        let left_alone: BTreeSet<NetBlock> = spots.iter().filter(|spot| spot.left_alone).map(Spot::block).collect();
        let ground = self.ground;
        for answer in ground.answers().filter(|answer| answer.object == ObjectType::Customer) {
            match &answer.standing {
                Standing::Found(_) if answer.left => self.customer_left(answer, &left_alone),
                Standing::Absent if answer.times >= 2 => self.customer_missing(answer, &left_alone),
                Standing::Found(_) | Standing::Absent | Standing::Denied => {}
            }
        }
    }

    fn customer_left(&mut self, answer: &Answer, left_alone: &BTreeSet<NetBlock>) {
        let ground = self.ground;
        let handle = CustomerHandle::new(&answer.handle);
        let Some(customer) = handle.and_then(|handle| ground.customer(&handle)).filter(|it| it.registered) else {
            return;
        };
        let nets = ground.registrations.nets.iter().filter(|net| net.instance == *ground.instance);
        let net = nets.into_iter().find(|net| match &answer.net {
            Some(handle) => net.handle == *handle,
            None => Some(net.row) == customer.network,
        });
        let range = net.and_then(|net| NetBlock::spanning(&net.blocks));
        let divisible = |range: NetBlock| {
            let mut above = ground.nets.exact(range).chain(ground.nets.around(range));
            above.find(|(_, net)| net.kind != NetKind::Reassigned).is_some_and(|(_, net)| !net.held)
        };
        if range.is_some_and(|range| left_alone.contains(&range) || divisible(range)) {
            return;
        }
        let was = match (&answer.net, range) {
            (Some(handle), Some(range)) => format!("{handle} ({})", written(range)),
            (Some(handle), None) => handle.to_string(),
            (None, Some(range)) => written(range),
            (None, None) => "its net".to_owned(),
        };
        let message = format!(
            "Customer {} ({}) is still registered at ARIN, but does not hold {was} any more: delete it.",
            customer.name, customer.handle
        );
        let links = Links {
            customer: Some(Link::to(customer.row, &customer.handle)),
            network: net.map(|net| Link::to(net.row, &net.handle)),
            ..Links::default()
        };
        let config = self.config_of(customer.config);
        let subject = Subject::Customer(customer.handle.clone());
        self.add((Kind::CustomerLeft, Level::Notice), config, subject, (links, message));
    }

    fn customer_missing(&mut self, answer: &Answer, left_alone: &BTreeSet<NetBlock>) {
        let ground = self.ground;
        let Some(at) = answer.net.as_ref().and_then(|handle| ground.nets.at(handle)) else { return };
        let Some(net) = ground.nets.get(at).filter(|net| !left_alone.contains(&net.range)) else { return };
        if !ground.nets.is_ours(at) {
            return;
        }
        let message = format!(
            "{} names customer {}, which ARIN says it does not have: either ARIN's data are broken, or the API key may not see it.",
            self.handles(&[at]),
            answer.handle
        );
        let row = CustomerHandle::new(&answer.handle).and_then(|handle| ground.customer(&handle));
        let customer = Link::perhaps_to(row.map(|row| row.row), &answer.handle);
        let links = Links { customer: Some(customer), network: ground.link_to_net(at), ..Links::default() };
        let subject = Subject::Net(net.handle.clone(), net.registered_on);
        let config = self.config_of(answer.config);
        self.add((Kind::CustomerMissing, Level::Alert), config, subject, (links, message));
    }

    /// Returns the names of the other VRFs that have a range.
    fn vrfs_with(&self, range: NetBlock) -> BTreeSet<&'a str> {
        let other = self.other_vrfs.get(&range).into_iter().flatten();
        other.map(|vrf| self.ground.plan.vrfs.get(vrf).map_or("an unknown VRF", String::as_str)).collect()
    }

    /// Returns the config itself if it is active, else the first one of the instance.
    pub(super) fn config_of(&self, config: RowId) -> RowId {
        let configs = &self.ground.configs;
        let active = configs.iter().any(|it| it.id == config);
        if active { config } else { configs.first().map_or(config, |first| first.id) }
    }
}
