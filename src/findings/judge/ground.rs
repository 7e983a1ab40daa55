//! What all rules stand on: one registry instance with its configs, who we are, its nets, and how well its aggregates are
//! known.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        address_plan::{AddressPlan, JudgingConfig, PlannedAddress, PlannedAggregate, PlannedPrefix, Tenant},
        finding::{Finding, Link, Links, Subject, day},
        kind::Kind,
        registrations::{ChangeRequest, RecordedCustomer, RecordedOrg, Registrations},
    },
    nets::{NetKind, Nets, make_up, uncovered},
};
use crate::{
    config,
    model::{
        Answer, CustomerHandle, Instance, Look, LookSource, NetBlock, ObjectType, OrgHandle, RowId,
        address_block::registrable,
    },
};

/// A look that is older than this is too old, however rarely a config is synced.
const SHORTEST_AGE: SignedDuration = SignedDuration::from_hours(48);

/// One registry instance, and what was said about it.
pub(super) struct Ground<'a> {
    pub(super) plan: &'a AddressPlan,
    pub(super) registrations: &'a Registrations,
    pub(super) policy: &'a config::Findings,
    pub(super) now: Timestamp,
    pub(super) instance: &'a Instance,
    /// The active configs, by id.
    pub(super) configs: Vec<&'a JudgingConfig>,
    /// The organizations that are us: those of the configs, and those that are linked to the operator's own tenants.
    pub(super) we: BTreeSet<&'a OrgHandle>,
    /// The tenants that are the operator's own; `None` while nobody has said.
    own: Option<BTreeSet<RowId>>,
    pub(super) nets: Nets<'a>,
    index: Index<'a>,
    /// By range.
    pub(super) aggregates: Vec<Aggregate<'a>>,
}

/// The recorded rows of the instance, as they are looked up.
struct Index<'a> {
    orgs: BTreeMap<&'a OrgHandle, &'a RecordedOrg>,
    orgs_of: BTreeMap<RowId, Vec<&'a RecordedOrg>>,
    customers: BTreeMap<&'a CustomerHandle, &'a RecordedCustomer>,
    answers: BTreeMap<(ObjectType, &'a str), &'a Answer>,
    addresses: BTreeMap<(Option<RowId>, Option<RowId>), Vec<&'a PlannedAddress>>,
    looks: BTreeMap<RowId, Vec<&'a Look>>,
    /// The rows of the nets that a change request made.
    made_here: BTreeSet<RowId>,
    requests: Vec<&'a ChangeRequest>,
}

/// An aggregate as it is judged.
pub(super) struct Aggregate<'a> {
    pub(super) planned: &'a PlannedAggregate,
    link: Arc<Link>,
    /// The config that judges it.
    pub(super) config: &'a JudgingConfig,
    pub(super) look: Option<&'a Look>,
    /// Why nothing can be said of it; `None` if it is known.
    pub(super) unknown: Option<String>,
    /// What is the matter with its own registration.
    pub(super) standing: Standing,
}

/// What is the matter with the registration of an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Standing {
    /// Nothing, as far as it has to be registered.
    Fine,
    /// Its own net is a reassignment, held by us: the net at this position.
    Unsplittable(usize),
    /// The net at this position is held by somebody else, and so is all that is around it.
    HeldByOther(usize),
    /// Our net at this position is larger, and our aggregates do not make it up.
    Part(usize),
    /// So many of our nets lie inside, and they do not make it up.
    Parts(Vec<usize>),
    /// There is no net.
    Unregistered,
}

impl Standing {
    /// Returns whether it says something about the prefixes inside that nothing else should be said of them.
    pub(super) fn silences(&self) -> bool {
        matches!(self, Self::Unsplittable(_) | Self::HeldByOther(_) | Self::Unregistered)
    }
}

impl<'a> Ground<'a> {
    pub(super) fn new(
        (plan, registrations): (&'a AddressPlan, &'a Registrations),
        policy: &'a config::Findings,
        now: Timestamp,
        instance: &'a Instance,
    ) -> Self {
        let mut configs: Vec<&JudgingConfig> = plan.configs.iter().filter(|it| it.instance == *instance).collect();
        configs.sort_by_key(|config| config.id);
        let own = own_tenants(plan, policy);
        let of_own = |org: &&RecordedOrg| {
            let own = |tenant| own.as_ref().is_some_and(|own| own.contains(&tenant));
            org.instance == *instance && org.registered && org.tenant.is_some_and(own)
        };
        let we: BTreeSet<&'a OrgHandle> = configs.iter().filter_map(|config| config.org.as_ref()).collect();
        let we = &we | &registrations.orgs.iter().filter(of_own).map(|org| &org.handle).collect();
        let ids: BTreeSet<RowId> = configs.iter().map(|config| config.id).collect();
        let nets = Nets::new(registrations, instance, &ids, &we);
        let index = Index::new((plan, registrations), instance, &ids);
        let aggregates = Vec::new();
        let mut ground = Self { plan, registrations, policy, now, instance, configs, we, own, nets, index, aggregates };
        let mut aggregates: Vec<Aggregate<'a>> =
            plan.aggregates.iter().filter_map(|planned| ground.aggregate(planned)).collect();
        aggregates.sort_by_key(|aggregate| order(aggregate.planned.prefix));
        ground.aggregates = aggregates;
        let standings: Vec<Standing> = ground.aggregates.iter().map(|it| ground.standing(it)).collect();
        for (aggregate, standing) in ground.aggregates.iter_mut().zip(standings) {
            aggregate.standing = standing;
        }
        ground
    }

    /// Returns whether it was said whose tenants are the operator's own.
    pub(super) fn knows_own_tenants(&self) -> bool {
        self.own.is_some()
    }

    /// Returns whether a tenant is the operator's own: as was said, or as the tenant of the aggregate around.
    pub(super) fn is_own(&self, tenant: RowId, aggregate: &Aggregate<'_>) -> bool {
        aggregate.planned.tenant == Some(tenant) || self.own.as_ref().is_some_and(|own| own.contains(&tenant))
    }

    /// Returns a tenant.
    pub(super) fn tenant(&self, id: RowId) -> Option<&'a Tenant> {
        self.plan.tenants.get(&id)
    }

    /// Returns the name of a tenant at the registry.
    pub(super) fn name_of(&self, id: RowId) -> &'a str {
        let name = |tenant: &'a Tenant| tenant.legal_name.as_deref().unwrap_or(&tenant.name);
        self.tenant(id).map_or("an unknown tenant", name)
    }

    /// Returns the recorded organizations that are linked to a tenant.
    pub(super) fn orgs_of(&self, tenant: RowId) -> &[&'a RecordedOrg] {
        self.index.orgs_of.get(&tenant).map_or(&[], Vec::as_slice)
    }

    /// Returns the addresses that the operator linked to exactly this tenant and this site.
    pub(super) fn addresses(&self, tenant: Option<RowId>, site: Option<RowId>) -> &[&'a PlannedAddress] {
        self.index.addresses.get(&(tenant, site)).map_or(&[], Vec::as_slice)
    }

    /// Returns the last answer about an organization or a customer.
    pub(super) fn answer(&self, object: ObjectType, handle: &str) -> Option<&'a Answer> {
        self.index.answers.get(&(object, handle)).copied()
    }

    /// Returns the last answers about all organizations and customers.
    pub(super) fn answers(&self) -> impl Iterator<Item = &'a Answer> {
        self.index.answers.values().copied()
    }

    /// Returns the change requests of the instance.
    pub(super) fn requests(&self) -> &[&'a ChangeRequest] {
        &self.index.requests
    }

    /// Returns whether a change request made the net of a row.
    pub(super) fn was_made_here(&self, net: RowId) -> bool {
        self.index.made_here.contains(&net)
    }

    /// Returns whether a tag with this slug is set on a prefix or its tenant.
    pub(super) fn is_tagged(&self, slug: &str, prefix: &PlannedPrefix) -> bool {
        let tenant = prefix.tenant.and_then(|tenant| self.tenant(tenant));
        !slug.is_empty() && (prefix.tags.contains(slug) || tenant.is_some_and(|tenant| tenant.tags.contains(slug)))
    }

    /// Returns the time since which a finding of this kind is on record, else now.
    pub(super) fn first_seen(&self, kind: Kind, subject: &Subject) -> Timestamp {
        let key = Finding::key_of(self.instance, kind, subject);
        self.plan.first_seen.get(&key).map_or(self.now, |at| (*at).min(self.now))
    }

    /// Returns whether a VRF is public space; none is the global table.
    pub(super) fn is_public(&self, vrf: Option<RowId>) -> bool {
        let name = |vrf: RowId| self.plan.vrfs.get(&vrf);
        vrf.is_none_or(|vrf| name(vrf).is_some_and(|name| self.policy.public_vrfs.contains(name)))
    }

    /// Returns the days in which something has to be registered.
    pub(super) fn deadline(&self) -> i64 {
        i64::try_from(self.policy.deadline.as_secs() / 86_400).unwrap_or(i64::MAX)
    }

    /// Returns the position of the aggregate around a range.
    pub(super) fn aggregate_around(&self, range: NetBlock) -> Option<usize> {
        // Aggregates do not overlap in NetBox.
        let at = self.aggregates.partition_point(|it| it.planned.prefix.network() <= range.first()).checked_sub(1)?;
        let aggregate = self.aggregates.get(at)?;
        NetBlock::from(aggregate.planned.prefix.trunc()).covers(&range).then_some(at)
    }

    /// Returns the row of an organization.
    pub(super) fn org(&self, handle: &OrgHandle) -> Option<&'a RecordedOrg> {
        self.index.orgs.get(handle).copied()
    }

    /// Returns the row of a customer.
    pub(super) fn customer(&self, handle: &CustomerHandle) -> Option<&'a RecordedCustomer> {
        self.index.customers.get(handle).copied()
    }

    /// Returns a link to whoever holds the net at a position.
    pub(super) fn holder_links(&self, at: usize) -> Links {
        let Some(net) = self.nets.get(at) else { return Links::default() };
        let organization = net.org().map(|org| {
            let row = self.org(org).map(|row| row.row);
            Link::perhaps_to(row, org)
        });
        let customer = net.customer().map(|customer| {
            let row = self.customer(customer).map(|row| row.row);
            Link::perhaps_to(row, customer)
        });
        Links { organization, customer, ..Links::default() }
    }

    /// Returns a link to the net at a position.
    pub(super) fn link_to_net(&self, at: usize) -> Option<Arc<Link>> {
        self.nets.get(at).map(|net| Link::perhaps_to(net.row, net.handle))
    }

    fn aggregate(&self, planned: &'a PlannedAggregate) -> Option<Aggregate<'a>> {
        registrable(planned.prefix).ok()?;
        let config = self.judge_of(planned)?;
        let looks = self.index.looks.get(&planned.id).into_iter().flatten().copied();
        let look = looks.max_by_key(|look| (look.config == config.id, look.complete, look.config));
        let unknown = self.why_unknown(config, look);
        let link = Link::to(planned.id, planned.prefix);
        Some(Aggregate { planned, link, config, look, unknown, standing: Standing::Fine })
    }

    /// Finds the config that judges an aggregate: the one whose organization holds its net or the nearest one around it, else
    /// the one with the lowest id.
    fn judge_of(&self, planned: &PlannedAggregate) -> Option<&'a JudgingConfig> {
        let serving: Vec<&'a JudgingConfig> =
            self.configs.iter().copied().filter(|config| config.rir == Some(planned.rir)).collect();
        let range = NetBlock::from(planned.prefix.trunc());
        let holders = self.nets.exact(range).chain(self.nets.around(range)).filter_map(|(_, net)| net.org());
        let of = |holder: &OrgHandle| serving.iter().find(|config| config.org.as_ref() == Some(holder));
        holders.into_iter().find_map(of).or(serving.first()).copied()
    }

    fn why_unknown(&self, config: &JudgingConfig, look: Option<&Look>) -> Option<String> {
        let Some(look) = look else { return Some("it was never looked up at ARIN".to_owned()) };
        if let Some(failed) = &look.failed {
            return Some(failed.clone());
        }
        let Some(complete) = look.complete else { return Some("it was never looked up completely".to_owned()) };
        let interval = SignedDuration::try_from(config.sync_interval).unwrap_or(SignedDuration::MAX);
        let longest = interval.checked_mul(2).unwrap_or(SignedDuration::MAX).max(SHORTEST_AGE);
        let age = self.now.duration_since(complete);
        (age > longest).then(|| format!("it was last looked up completely on {}", day(complete)))
    }

    fn standing(&self, aggregate: &Aggregate<'_>) -> Standing {
        let range = NetBlock::from(aggregate.planned.prefix.trunc());
        let nets = &self.nets;
        if let Some((at, net)) = nets.exact(range).next() {
            return if net.held && net.kind == NetKind::Reassigned {
                Standing::Unsplittable(at)
            } else if nets.is_held_or_under_us(at) {
                Standing::Fine
            } else {
                Standing::HeldByOther(at)
            };
        }
        if let Some((at, net)) = nets.around(range).next() {
            if !nets.is_held_or_under_us(at) {
                return Standing::HeldByOther(at);
            }
            let whole = net.range;
            let inside = self.aggregates.iter().map(|it| NetBlock::from(it.planned.prefix.trunc()));
            let made_up = make_up(inside.filter(|it| whole.covers(it)), whole);
            return if made_up { Standing::Fine } else { Standing::Part(at) };
        }
        let ours: Vec<usize> = nets.inside(range).filter(|(_, net)| net.held).map(|(at, _)| at).collect();
        if ours.is_empty() {
            return Standing::Unregistered;
        }
        let mut blocks: Vec<NetBlock> = ours.iter().filter_map(|at| Some(nets.get(*at)?.range)).collect();
        if uncovered(&mut blocks, range) == 0 { Standing::Fine } else { Standing::Parts(ours) }
    }
}

impl Aggregate<'_> {
    /// Returns why it is not known what is registered for a range that NetBox has; `None` if it is known.
    pub(super) fn unknown_at(&self, range: IpNet, changed: Option<Timestamp>) -> Option<&str> {
        if let Some(why) = &self.unknown {
            return Some(why);
        }
        let look = self.look?;
        if let Some(why) = look.unanswered.get(&range) {
            return Some(why);
        }
        let asked = || look.asked.contains_key(&range);
        let later = changed.is_some_and(|changed| look.complete.is_none_or(|complete| changed > complete));
        (look.source == LookSource::Questions && later && !asked())
            .then_some("it was changed in NetBox after ARIN was last asked")
    }

    /// Returns why it is not known whether a net is still registered as it is recorded.
    pub(super) fn unknown_net(&self, range: NetBlock) -> Option<&str> {
        if let Some(why) = &self.unknown {
            return Some(why);
        }
        let unanswered = &self.look?.unanswered;
        let same = |(asked, _): &(&IpNet, &String)| NetBlock::from(**asked) == range;
        unanswered.iter().find(same).map(|(_, why)| why.as_str())
    }

    pub(super) fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link)
    }
}

impl<'a> Index<'a> {
    fn new(
        (plan, registrations): (&'a AddressPlan, &'a Registrations),
        instance: &Instance,
        configs: &BTreeSet<RowId>,
    ) -> Self {
        let orgs = registrations.orgs.iter().filter(|org| org.instance == *instance);
        let mut orgs_of: BTreeMap<RowId, Vec<&RecordedOrg>> = BTreeMap::new();
        for (tenant, org) in orgs.clone().filter_map(|org| Some((org.tenant?, org))) {
            orgs_of.entry(tenant).or_default().push(org);
        }
        orgs_of.values_mut().for_each(|orgs| orgs.sort_by_key(|org| org.row));
        let customers = registrations.customers.iter().filter(|customer| customer.instance == *instance);
        let mut answers: BTreeMap<(ObjectType, &str), &Answer> = BTreeMap::new();
        for answer in registrations.looks.answers.iter().filter(|answer| configs.contains(&answer.config)) {
            let known = answers.entry((answer.object, &answer.handle)).or_insert(answer);
            // Of the answers that two configs got, the one that became so last.
            if (answer.since, Reverse(answer.config)) > (known.since, Reverse(known.config)) {
                *known = answer;
            }
        }
        let mut addresses: BTreeMap<_, Vec<&PlannedAddress>> = BTreeMap::new();
        for address in &plan.addresses {
            addresses.entry((address.tenant, address.site)).or_default().push(address);
        }
        let mut looks: BTreeMap<RowId, Vec<&Look>> = BTreeMap::new();
        for look in registrations.looks.aggregates.iter().filter(|look| configs.contains(&look.config)) {
            looks.entry(look.aggregate).or_default().push(look);
        }
        let mut requests: Vec<&ChangeRequest> =
            registrations.requests.iter().filter(|request| configs.contains(&request.config)).collect();
        requests.sort_by_key(|request| request.row);
        let made = requests.iter().filter(|request| request.state == "done" && request.creates());
        Self {
            orgs: orgs.map(|org| (&org.handle, org)).collect(),
            orgs_of,
            customers: customers.map(|customer| (&customer.handle, customer)).collect(),
            answers,
            addresses,
            looks,
            made_here: made.filter_map(|request| request.network).collect(),
            requests,
        }
    }
}

/// Orders ranges: IPv4 first, by address, outer before inner.
pub(super) fn order(range: IpNet) -> impl Ord + Copy {
    (range.network(), range.prefix_len())
}

/// Returns the tenants that were said to be the operator's own; `None` while nobody has said.
fn own_tenants(plan: &AddressPlan, policy: &config::Findings) -> Option<BTreeSet<RowId>> {
    if policy.own_tenants.is_none() && policy.own_tenant_groups.is_none() {
        return None;
    }
    let tenants = policy.own_tenants.clone().unwrap_or_default();
    let groups = policy.own_tenant_groups.clone().unwrap_or_default();
    let own_groups: BTreeMap<RowId, bool> =
        plan.tenant_groups.keys().map(|group| (*group, is_in(plan, *group, &groups))).collect();
    let own = |tenant: &Tenant| {
        tenants.contains(&tenant.slug) || tenant.group.and_then(|group| own_groups.get(&group)).is_some_and(|own| *own)
    };
    Some(plan.tenants.iter().filter(|(_, tenant)| own(tenant)).map(|(id, _)| *id).collect())
}

/// Returns whether a tenant group is one of these, or lies in one of them.
fn is_in(plan: &AddressPlan, group: RowId, groups: &BTreeSet<String>) -> bool {
    let above = |id: &RowId| plan.tenant_groups.get(id)?.parent;
    // NetBox has no circles; a bound costs nothing.
    let mut chain = std::iter::successors(Some(group), above).take(plan.tenant_groups.len());
    chain.any(|id| plan.tenant_groups.get(&id).is_some_and(|group| groups.contains(&group.slug)))
}
