//! How the registrations of prefixes should look, for whoever asks ARIN for them: by the rules that the judge goes by.

use std::collections::BTreeMap;

use ipnet::IpNet;
use jiff::Timestamp;

use super::{
    super::{
        address_plan::{AddressPlan, JudgingConfig, PlannedPrefix},
        registrations::{RecordedCustomer, RecordedOrg, Registrations},
    },
    ground::Ground,
    nets::Net,
    subjects::{Spot, subjects},
    wanted::{self, WantedAddress},
};
use crate::{
    config,
    model::{CustomerHandle, Instance, NetBlock, NetHandle, OrgHandle, RowId},
};

/// The prefixes of one registry instance, each with what should be registered for it.
pub struct Assignments<'a> {
    ground: Ground<'a>,
    spots: Vec<Spot<'a>>,
    /// The positions of the prefixes by their rows.
    of_prefix: BTreeMap<RowId, usize>,
    /// The positions of the prefixes by the nets that are their registrations.
    of_net: BTreeMap<usize, usize>,
}

/// A range that NetBox has in public space, with what should be registered for it.
#[derive(Clone, Copy)]
pub struct Assignment<'w, 'a> {
    all: &'w Assignments<'a>,
    at: usize,
    spot: &'w Spot<'a>,
}

/// A net that lies in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InnerNet<'a> {
    /// The net.
    pub handle: &'a NetHandle,
    /// All of its range.
    pub range: NetBlock,
    /// It was passed on by us, so that we may return it.
    pub is_ours: bool,
}

impl<'a> Assignments<'a> {
    /// Takes what NetBox has.
    #[must_use]
    pub fn new(
        (plan, registrations): (&'a AddressPlan, &'a Registrations),
        policy: &'a config::Findings,
        now: Timestamp,
        instance: &'a Instance,
    ) -> Self {
        let ground = Ground::new((plan, registrations), policy, now, instance);
        let spots = subjects(&ground);
        let rows = spots.iter().enumerate().flat_map(|(at, spot)| spot.entries.iter().map(move |entry| (entry.id, at)));
        let of_prefix = rows.collect();
        let nets = spots.iter().enumerate().rev().filter_map(|(at, spot)| Some((spot.own_net()?, at)));
        let of_net = nets.collect();
        Self { ground, spots, of_prefix, of_net }
    }

    /// Returns what should be registered for a prefix. There is nothing for one outside of all aggregates, outside of public
    /// space, or of a range that is not registered at all.
    #[must_use]
    pub fn of(&self, prefix: RowId) -> Option<Assignment<'_, 'a>> {
        self.at(*self.of_prefix.get(&prefix)?)
    }

    /// Returns the prefix whose registration a net is; of several that make it up, the first one.
    #[must_use]
    pub fn of_net(&self, handle: &NetHandle) -> Option<Assignment<'_, 'a>> {
        self.at(*self.of_net.get(&self.ground.nets.at(handle)?)?)
    }

    fn at(&self, at: usize) -> Option<Assignment<'_, 'a>> {
        Some(Assignment { all: self, at, spot: self.spots.get(at)? })
    }

    /// Returns whether a VRF is public space; none is the global table.
    #[must_use]
    pub fn is_public(&self, vrf: Option<RowId>) -> bool {
        self.ground.is_public(vrf)
    }

    /// Returns whether an organization is one of the operator's own.
    #[must_use]
    pub fn is_us(&self, org: &OrgHandle) -> bool {
        self.ground.we.contains(org)
    }

    /// Returns the recorded organization with this handle.
    #[must_use]
    pub fn org(&self, handle: &OrgHandle) -> Option<&'a RecordedOrg> {
        self.ground.org(handle)
    }

    /// Returns the recorded customer with this handle.
    #[must_use]
    pub fn customer(&self, handle: &CustomerHandle) -> Option<&'a RecordedCustomer> {
        self.ground.customer(handle)
    }

    /// Returns the net that was passed on and has exactly this range.
    #[must_use]
    pub fn registered(&self, range: NetBlock) -> Option<&'a NetHandle> {
        self.ground.nets.exact(range).find(|(_, net)| net.is_passed_on()).map(|(_, net)| net.handle)
    }

    /// Returns the nets that lie in the range of a net and are not that one, outer before inner. One of the same range is
    /// among them if it was cut from it.
    pub fn inside_of_net<'w>(
        &'w self,
        handle: &'w NetHandle,
        range: NetBlock,
    ) -> impl Iterator<Item = InnerNet<'a>> + 'w {
        let nets = &self.ground.nets;
        let own = nets.at(handle);
        let below = move |at: usize| own.is_none_or(|own| at != own && !nets.above(own).any(|(above, _)| above == at));
        let same = nets.exact(range).filter(move |(at, net)| net.handle != handle && below(*at));
        same.chain(nets.inside(range)).map(|(at, net)| self.inner(at, net))
    }

    /// Returns the nets that lie in a range and are smaller, outer before inner.
    pub fn inside(&self, range: NetBlock) -> impl Iterator<Item = InnerNet<'a>> {
        self.ground.nets.inside(range).map(|(at, net)| self.inner(at, net))
    }

    fn inner(&self, at: usize, net: &Net<'a>) -> InnerNet<'a> {
        InnerNet { handle: net.handle, range: net.range, is_ours: self.ground.nets.is_ours(at) }
    }
}

impl<'a> Assignment<'_, 'a> {
    /// Returns the prefix; of several of this range, the one that counts.
    #[must_use]
    pub fn prefix(&self) -> &'a PlannedPrefix {
        self.spot.prefix
    }

    /// Returns its range.
    #[must_use]
    pub fn range(&self) -> IpNet {
        self.spot.range
    }

    /// Returns the config that its registration belongs to.
    #[must_use]
    pub fn config(&self) -> Option<&'a JudgingConfig> {
        self.all.ground.aggregates.get(self.spot.aggregate).map(|aggregate| aggregate.config)
    }

    /// Returns the row of the aggregate around it.
    #[must_use]
    pub fn aggregate(&self) -> Option<RowId> {
        self.all.ground.aggregates.get(self.spot.aggregate).map(|aggregate| aggregate.planned.id)
    }

    /// Returns whether a tag says to leave it alone.
    #[must_use]
    pub fn is_left_alone(&self) -> bool {
        self.spot.left_alone
    }

    /// Returns whether prefixes of this range belong to different customers.
    #[must_use]
    pub fn contradicts(&self) -> bool {
        self.spot.contradicts
    }

    /// Returns whether its tenant is the operator's own.
    #[must_use]
    pub fn is_our_own(&self) -> bool {
        let ground = &self.all.ground;
        let aggregate = ground.aggregates.get(self.spot.aggregate);
        self.spot.prefix.tenant.zip(aggregate).is_some_and(|(tenant, aggregate)| ground.is_own(tenant, aggregate))
    }

    /// Returns the name that its tenant has at ARIN; `None` without a tenant.
    #[must_use]
    pub fn holder(&self) -> Option<&'a str> {
        self.spot.prefix.tenant.map(|tenant| self.all.ground.name_of(tenant))
    }

    /// Returns the recorded organizations that are linked to its tenant and that ARIN has.
    pub fn orgs(&self) -> impl Iterator<Item = &'a RecordedOrg> {
        let tenant = self.spot.prefix.tenant;
        let orgs = tenant.map_or(&[][..], |tenant| self.all.ground.orgs_of(tenant));
        orgs.iter().copied().filter(|org| org.registered)
    }

    /// Returns what keeps an organization from being given space; empty if nothing is known to.
    #[must_use]
    pub fn unfit(&self, org: &RecordedOrg) -> Vec<String> {
        wanted::unfit(&self.all.ground, org)
    }

    /// Returns the address that its tenant should have there.
    #[must_use]
    pub fn address(&self) -> WantedAddress<'a> {
        let prefix = self.spot.prefix;
        prefix.tenant.map_or(WantedAddress::None, |tenant| wanted::address(&self.all.ground, tenant, prefix.site))
    }

    /// Returns whether somebody lives there; `None` while no tag says so of anything.
    #[must_use]
    pub fn is_residential(&self) -> Option<bool> {
        let ground = &self.all.ground;
        let tag = ground.policy.residential_tag.as_str();
        (!tag.is_empty()).then(|| ground.is_tagged(tag, self.spot.prefix))
    }

    /// Returns the name that its net gets by a template. `holder` is `None` for a person at home, whose name is in none.
    #[must_use]
    pub fn net_name(&self, template: &str, holder: Option<&str>) -> Option<String> {
        wanted::net_name(self.spot.prefix, template, holder)
    }

    /// Returns the ranges inside that are assigned to others and have to be registered for them, each with the other's name.
    pub fn others_inside(&self) -> impl Iterator<Item = (IpNet, &'a str)> {
        let (ground, range, tenant) = (&self.all.ground, self.spot.range, self.spot.prefix.tenant);
        let behind = self.all.spots.iter().skip(self.at + 1).take_while(move |spot| range.contains(&spot.range));
        let wanted = behind.filter(|spot| spot.is_wanted(ground.policy.voluntary) && !spot.left_alone);
        let others = wanted.filter_map(move |spot| Some((spot.range, spot.tenant().filter(|it| Some(*it) != tenant)?)));
        others.map(|(range, other)| (range, ground.name_of(other)))
    }
}
