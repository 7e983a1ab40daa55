//! Reads both sides: the address plan, and what syncs recorded of the registrations.
//!
//! Of a config as a whole everything is read. Of single prefixes, what lies around and inside them, and inside the nets
//! that they share with others; of an aggregate, what lies inside it. Nets elsewhere are left out then, so that nothing
//! is said of prefixes that were not read; those of the operator's own organizations stay, as they are what an
//! aggregate is judged by.
//!
//! A tenant, a site or a tag is only asked for if something refers to it, and a list of NetBox's that no setting needs
//! is not asked for at all.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::{
    address_plan::{
        AddressPlan, Deletion, JudgingConfig, PlannedAddress, PlannedAggregate, PlannedPrefix, PrefixChange,
        PrefixState, Tenant, TenantGroup,
    },
    registrations::{ChangeRequest, RecordedCustomer, RecordedNet, RecordedOrg, Registrations, Ticket},
};
use crate::{
    config::{self, Settings},
    model::{
        Address, Config, CustomerHandle, Holder, Instance, Key, Looks, NetBlock, NetHandle, NetType, ObjectType,
        OrgHandle, RowId, Scope,
    },
    netbox::{
        self, Client,
        address_plan::{AggregateDetails, FEW_PREFIXES, PrefixDetails, Wanted},
        history::{DeletionRow, PrefixChangeRow, PrefixSnapshot},
        registered::{AddressRow, ChangeRequestRow, CustomerRow, NetworkRow, OrganizationRow, TicketRow},
        tenancy::TenantRow,
    },
};

/// Reads what is judged when a part of a config is, and all that matters for it. `instances` has the registry instance
/// of each config that has one.
///
/// Histories and deletions are not among it: [`histories`] and [`deletions`] read them where they decide something.
///
/// # Errors
/// When NetBox cannot be asked or refuses one of the lists, or a row of ours cannot be read.
pub async fn read(
    netbox: &Client,
    instances: &BTreeMap<RowId, Instance>,
    settings: &Settings,
    scope: &Scope,
) -> Result<(AddressPlan, Registrations), netbox::Error> {
    let policy = &settings.findings;
    let configs = judging(netbox.configs().await?, instances, settings);
    let (mut registrations, addresses) = recorded(netbox, &configs).await?;
    let aggregates = aggregates(netbox, &configs).await?;
    let known =
        Recorded { ours: own_orgs(&configs, &registrations), aggregates: &aggregates, registrations: &registrations };
    let (prefixes, whole) = prefixes(netbox, scope, &known, &wanted_of_prefixes(policy)).await?;
    if let Some(ranges) = &whole {
        let ours = known.ours;
        keep_only_inside(ranges, &ours, &mut registrations);
    }
    let sites = sites_of_locations(netbox, &prefixes, &addresses).await?;
    let mut plan = AddressPlan {
        aggregates: aggregates.into_iter().map(PlannedAggregate::from).collect(),
        prefixes: prefixes.into_iter().map(|prefix| planned(prefix, &sites)).collect(),
        site_tenants: netbox.tenants_of_sites(&sites_alone(&addresses)).await?,
        addresses,
        configs,
        oldest_change: netbox.oldest_change().await?,
        ..AddressPlan::default()
    };
    let tenants = netbox.tenants(&tenants(&plan, &registrations), &wanted_of_tenants(policy)).await?;
    plan.tenants = tenants.into_iter().map(tenant).collect();
    name(netbox, policy, &mut plan).await?;
    Ok((plan, registrations))
}

/// Reads what is judged like [`read`], but no prefixes: for what depends on registrations and aggregates alone.
///
/// # Errors
/// As [`read`].
pub async fn read_without_prefixes(
    netbox: &Client,
    instances: &BTreeMap<RowId, Instance>,
    settings: &Settings,
) -> Result<(AddressPlan, Registrations), netbox::Error> {
    let policy = &settings.findings;
    let configs = judging(netbox.configs().await?, instances, settings);
    let (registrations, _) = recorded(netbox, &configs).await?;
    let aggregates = aggregates(netbox, &configs).await?.into_iter().map(PlannedAggregate::from).collect();
    let mut plan = AddressPlan { aggregates, configs, ..AddressPlan::default() };
    let tenants = netbox.tenants(&tenants(&plan, &registrations), &wanted_of_tenants(policy)).await?;
    plan.tenants = tenants.into_iter().map(tenant).collect();
    name(netbox, policy, &mut plan).await?;
    Ok((plan, registrations))
}

/// Reads the changes of these prefixes that NetBox's log still has, the newest first. Each prefix has an entry.
///
/// # Errors
/// When NetBox cannot be asked, or ignores a filter.
pub async fn histories(
    netbox: &Client,
    prefixes: &BTreeSet<RowId>,
) -> Result<BTreeMap<RowId, Vec<PrefixChange>>, netbox::Error> {
    let all = netbox.prefix_changes(prefixes).await?;
    Ok(all.into_iter().map(|(id, changes)| (id, changes.into_iter().map(PrefixChange::from).collect())).collect())
}

/// Reads which prefixes were deleted, as far as NetBox's log tells, the newest first.
///
/// # Errors
/// When NetBox cannot be asked, or ignores a filter.
pub async fn deletions(netbox: &Client) -> Result<Vec<Deletion>, netbox::Error> {
    Ok(netbox.prefix_deletions().await?.into_iter().map(Deletion::from).collect())
}

/// Returns the active configs that have a registry instance.
fn judging(configs: Vec<Config>, instances: &BTreeMap<RowId, Instance>, settings: &Settings) -> Vec<JudgingConfig> {
    let judging = |config: Config| {
        Some(JudgingConfig {
            instance: instances.get(&config.id)?.clone(),
            id: config.id,
            name: config.name,
            rir: config.rir,
            org: config.org_handle,
            sync_interval: config.sync_interval.unwrap_or(settings.schedule.interval),
        })
    };
    configs.into_iter().filter(|config| config.is_active).filter_map(judging).collect()
}

/// Reads the aggregates of the RIRs of all configs.
async fn aggregates(netbox: &Client, configs: &[JudgingConfig]) -> Result<Vec<AggregateDetails>, netbox::Error> {
    let rirs: BTreeSet<RowId> = configs.iter().filter_map(|config| config.rir).collect();
    let mut aggregates = Vec::new();
    for rir in rirs {
        aggregates.extend(netbox.aggregate_details(rir).await?);
    }
    Ok(aggregates)
}

/// What is known before the prefixes are read.
struct Recorded<'a> {
    /// The organizations of the configs, and those that the operator linked to a tenant.
    ours: BTreeSet<OrgHandle>,
    aggregates: &'a [AggregateDetails],
    registrations: &'a Registrations,
}

fn own_orgs(configs: &[JudgingConfig], registrations: &Registrations) -> BTreeSet<OrgHandle> {
    let linked = registrations.orgs.iter().filter(|org| org.tenant.is_some()).map(|org| org.handle.clone());
    configs.iter().filter_map(|config| config.org.clone()).chain(linked).collect()
}

/// Reads the prefixes in scope, with what is around and inside them as far as it matters. The second part are the
/// ranges of which everything inside was read; `None` for all aggregates.
async fn prefixes(
    netbox: &Client,
    scope: &Scope,
    known: &Recorded<'_>,
    wanted: &Wanted,
) -> Result<(Vec<PrefixDetails>, Option<Vec<IpNet>>), netbox::Error> {
    let aggregates = known.aggregates;
    let ranges = |of: &dyn Fn(&AggregateDetails) -> bool| -> Vec<IpNet> {
        aggregates.iter().filter(|aggregate| of(aggregate)).map(|aggregate| aggregate.prefix).collect()
    };
    let (named, ranges) = match scope {
        Scope::Config => return Ok((netbox.prefix_details(&ranges(&|_| true), wanted).await?, None)),
        Scope::Aggregate(id) => (Vec::new(), ranges(&|aggregate| aggregate.id == *id)),
        Scope::Prefixes(ids) => {
            let named: Vec<IpNet> = netbox.places_of_prefixes(ids).await?.iter().map(|prefix| prefix.prefix).collect();
            let around = ranges(&|aggregate| named.iter().any(|net| aggregate.prefix.contains(net)));
            if named.len() <= FEW_PREFIXES { (named, Vec::new()) } else { (Vec::new(), around) }
        }
    };
    let ranges = if named.is_empty() { ranges } else { known.with_shared_nets(&named) };
    let mut prefixes = netbox.prefix_details(&ranges, wanted).await?;
    let inside: BTreeSet<RowId> = prefixes.iter().map(|prefix| prefix.id).collect();
    let around = netbox.prefix_details_around(&named, wanted).await?;
    prefixes.extend(around.into_iter().filter(|prefix| !inside.contains(&prefix.id)));
    let is_planned =
        |prefix: &PrefixDetails| aggregates.iter().any(|aggregate| aggregate.prefix.contains(&prefix.prefix));
    prefixes.retain(is_planned);
    Ok((prefixes, Some(ranges)))
}

impl Recorded<'_> {
    /// Returns these ranges with those of the nets that they are a part of: whether such a net is in NetBox depends on
    /// all prefixes inside it.
    fn with_shared_nets(&self, named: &[IpNet]) -> Vec<IpNet> {
        let blocks: Vec<NetBlock> = named.iter().copied().map(NetBlock::from).collect();
        let shares = |net: &[NetBlock], holder: Option<&Holder>| overlap(net, &blocks) && !is_of(holder, &self.ours);
        let recorded = self.registrations.nets.iter().filter(|net| shares(&net.blocks, net.holder.as_ref()));
        let listed = self.registrations.looks.aggregates.iter().flat_map(|look| &look.listed);
        let listed = listed.filter(|net| shares(&net.blocks, net.holder.as_ref())).map(|net| &net.blocks);
        let shared = recorded.map(|net| &net.blocks).chain(listed).flatten().flat_map(NetBlock::prefixes);
        let is_planned = |net: &IpNet| self.aggregates.iter().any(|aggregate| aggregate.prefix.contains(net));
        IpNet::aggregate(&named.iter().copied().chain(shared.filter(is_planned)).collect())
    }
}

/// Leaves out the nets that have nothing in common with these ranges, unless one of the operator's organizations holds
/// them.
fn keep_only_inside(ranges: &[IpNet], ours: &BTreeSet<OrgHandle>, registrations: &mut Registrations) {
    let blocks: Vec<NetBlock> = ranges.iter().copied().map(NetBlock::from).collect();
    let keep = |net: &[NetBlock], holder: Option<&Holder>| overlap(net, &blocks) || is_of(holder, ours);
    registrations.nets.retain(|net| keep(&net.blocks, net.holder.as_ref()));
    for look in &mut registrations.looks.aggregates {
        look.listed.retain(|net| keep(&net.blocks, net.holder.as_ref()));
    }
}

fn is_of(holder: Option<&Holder>, orgs: &BTreeSet<OrgHandle>) -> bool {
    match holder {
        Some(Holder::Org(org)) => orgs.contains(org),
        Some(Holder::Customer(_)) | None => false,
    }
}

/// Returns whether two ranges have an address in common.
fn overlap(one: &[NetBlock], other: &[NetBlock]) -> bool {
    one.iter().any(|one| other.iter().any(|other| one.overlaps(other)))
}

/// Reads what is recorded of the configs' registry instances, and the addresses that the operator linked.
async fn recorded(
    netbox: &Client,
    configs: &[JudgingConfig],
) -> Result<(Registrations, Vec<PlannedAddress>), netbox::Error> {
    let instances = Instances(configs.iter().map(|config| &config.instance).collect());
    let looks = netbox.looks().await?;
    let orgs: Vec<_> = netbox.organizations().await?.into_iter().filter_map(|row| instances.org(row)).collect();
    let addresses = netbox.addresses().await?;
    let contents: BTreeMap<RowId, &Address> = addresses.iter().map(|row| (row.id, &row.address)).collect();
    let address = |row: RowId| contents.get(&row).map(|address| (*address).clone());
    let customers = netbox.customers().await?.into_iter();
    let customers: Vec<_> = customers.filter_map(|row| instances.customer(row, address)).collect();
    let holders = Holders::of(&orgs, &customers, &looks);
    let nets = netbox.networks().await?.into_iter().filter_map(|row| instances.net(row, &holders)).collect();
    let requests = netbox.change_requests().await?.into_iter().filter_map(change_request).collect();
    let tickets = netbox.tickets().await?.into_iter().map(Ticket::from).collect();
    let linked = addresses.into_iter().filter(|row| row.tenant.is_some() || row.site.is_some());
    let linked = linked.map(PlannedAddress::from).collect();
    Ok((Registrations { nets, customers, orgs, looks, requests, tickets }, linked))
}

/// The registry instances of the configs. Rows of others are not judged, nor are those whose config is gone.
struct Instances<'a>(BTreeSet<&'a Instance>);

impl Instances<'_> {
    /// Returns whose row it is, and the handle.
    fn handle(&self, key: &Key) -> Option<(Instance, String)> {
        self.0.iter().find_map(|instance| Some(((*instance).clone(), key.handle_at(instance)?.into_owned())))
    }

    fn org(&self, row: OrganizationRow) -> Option<RecordedOrg> {
        let (instance, handle) = self.handle(&row.key)?;
        let (config, handle) = (row.config?, OrgHandle::new(&handle)?);
        let OrganizationRow { id: row, name, registered, tenant, .. } = row;
        Some(RecordedOrg { row, config, instance, handle, name, registered, tenant })
    }

    fn customer(&self, row: CustomerRow, address: impl Fn(RowId) -> Option<Address>) -> Option<RecordedCustomer> {
        let (instance, handle) = self.handle(&row.key)?;
        Some(RecordedCustomer {
            row: row.id,
            config: row.config?,
            instance,
            handle: CustomerHandle::new(&handle)?,
            name: row.name,
            registered: row.registered,
            private: row.private,
            address: row.address.and_then(address),
            network: row.network,
            tenant: row.tenant,
        })
    }

    fn net(&self, row: NetworkRow, holders: &Holders<'_>) -> Option<RecordedNet> {
        let (instance, handle) = self.handle(&row.key)?;
        Some(RecordedNet {
            holder: holders.of_net(&row),
            row: row.id,
            config: row.config?,
            instance,
            handle: NetHandle::new(&handle)?,
            name: row.name,
            registered: row.registered,
            kind: row.kind.as_deref().map(NetType::from_code),
            blocks: row.blocks,
            parent: row.parent.as_deref().and_then(NetHandle::new),
            registered_on: row.registered_on,
        })
    }
}

/// Who is recorded to hold nets.
struct Holders<'a> {
    /// The organizations by their rows.
    orgs: BTreeMap<RowId, &'a OrgHandle>,
    /// The customers by the rows of the nets that they hold.
    customers: BTreeMap<RowId, &'a CustomerHandle>,
}

impl<'a> Holders<'a> {
    /// Leaves out customers that the registry does not have any more, and those whose net has another holder now.
    fn of(orgs: &'a [RecordedOrg], customers: &'a [RecordedCustomer], looks: &Looks) -> Self {
        let left = looks.answers.iter().filter(|answer| answer.left && answer.object == ObjectType::Customer);
        let left: BTreeSet<(RowId, &str)> = left.map(|answer| (answer.config, answer.handle.as_str())).collect();
        let holds = |customer: &&RecordedCustomer| {
            customer.registered && !left.contains(&(customer.config, customer.handle.as_str()))
        };
        let mut held = BTreeMap::new();
        for customer in customers.iter().filter(holds) {
            let Some(network) = customer.network else { continue };
            // Of several, which old records have, it is the same one each time.
            let first = held.entry(network).or_insert(&customer.handle);
            *first = (*first).min(&customer.handle);
        }
        Self { orgs: orgs.iter().map(|org| (org.row, &org.handle)).collect(), customers: held }
    }

    fn of_net(&self, net: &NetworkRow) -> Option<Holder> {
        let org = net.organization.and_then(|id| self.orgs.get(&id)).map(|org| Holder::Org((*org).clone()));
        let customer = || self.customers.get(&net.id).map(|customer| Holder::Customer((*customer).clone()));
        org.or_else(customer)
    }
}

/// Returns a change request; `None` for one whose config is gone.
fn change_request(row: ChangeRequestRow) -> Option<ChangeRequest> {
    let ChangeRequestRow { id, config, summary, operation, state, range, network } = row;
    Some(ChangeRequest { row: id, config: config?, summary, operation, state, range, network })
}

/// Reads the sites of the locations that are scopes, unless no address belongs to a site.
async fn sites_of_locations(
    netbox: &Client,
    prefixes: &[PrefixDetails],
    addresses: &[PlannedAddress],
) -> Result<BTreeMap<RowId, RowId>, netbox::Error> {
    let location = |prefix: &PrefixDetails| prefix.scope?.location();
    let any_site = addresses.iter().any(|address| address.site.is_some());
    let locations = prefixes.iter().filter(|_| any_site).filter_map(location).collect();
    netbox.sites_of_locations(&locations).await
}

/// Returns the sites whose addresses name no tenant, so that the site's own counts.
fn sites_alone(addresses: &[PlannedAddress]) -> BTreeSet<RowId> {
    addresses.iter().filter(|address| address.tenant.is_none()).filter_map(|address| address.site).collect()
}

/// Returns the tenants that anything refers to.
fn tenants(plan: &AddressPlan, registrations: &Registrations) -> BTreeSet<RowId> {
    let of_prefixes = plan.prefixes.iter().filter_map(|prefix| prefix.tenant);
    let of_aggregates = plan.aggregates.iter().filter_map(|aggregate| aggregate.tenant);
    let of_addresses = plan.addresses.iter().filter_map(|address| address.tenant);
    let of_orgs = registrations.orgs.iter().filter_map(|org| org.tenant);
    let of_customers = registrations.customers.iter().filter_map(|customer| customer.tenant);
    let of_sites = plan.site_tenants.values().copied();
    of_prefixes.chain(of_aggregates).chain(of_addresses).chain(of_orgs).chain(of_customers).chain(of_sites).collect()
}

/// Reads the names by which settings speak of groups, VRFs and tags, as far as they do.
async fn name(netbox: &Client, policy: &config::Findings, plan: &mut AddressPlan) -> Result<(), netbox::Error> {
    if policy.own_tenant_groups.as_ref().is_some_and(|groups| !groups.is_empty()) {
        let groups = netbox.tenant_groups().await?.into_iter();
        plan.tenant_groups =
            groups.map(|group| (group.id, TenantGroup { slug: group.slug, parent: group.parent })).collect();
    }
    if !policy.public_vrfs.is_empty() {
        plan.vrfs = netbox.vrf_names().await?;
    }
    let tags = policy.tags();
    if !tags.is_empty() {
        plan.tags = netbox.slugs_of_tags(&tags).await?;
    }
    Ok(())
}

/// Returns the tags and the custom field of a prefix that the settings name.
fn wanted_of_prefixes(policy: &config::Findings) -> Wanted {
    Wanted { tags: policy.tags(), custom_field: policy.since_field.clone() }
}

/// Returns the tags and the custom field of a tenant that the settings name.
fn wanted_of_tenants(policy: &config::Findings) -> Wanted {
    Wanted { tags: policy.tags(), custom_field: policy.legal_name_field.clone() }
}

fn planned(prefix: PrefixDetails, sites: &BTreeMap<RowId, RowId>) -> PlannedPrefix {
    let site = prefix.scope.and_then(|scope| scope.site(sites));
    PlannedPrefix {
        id: prefix.id,
        prefix: prefix.prefix,
        vrf: prefix.vrf,
        tenant: prefix.tenant,
        status: prefix.status,
        site,
        tags: prefix.tags,
        assigned_on: prefix.date,
        created: prefix.created,
        last_updated: prefix.last_updated,
    }
}

fn tenant(row: TenantRow) -> (RowId, Tenant) {
    let TenantRow { id, name, slug, group, tags, text } = row;
    (id, Tenant { name, slug, group, tags, legal_name: text })
}

impl From<AggregateDetails> for PlannedAggregate {
    fn from(AggregateDetails { id, prefix, rir, tenant }: AggregateDetails) -> Self {
        Self { id, prefix, rir, tenant }
    }
}

impl From<AddressRow> for PlannedAddress {
    fn from(AddressRow { id, address, site, tenant }: AddressRow) -> Self {
        Self { row: id, address, tenant, site }
    }
}

impl From<TicketRow> for Ticket {
    fn from(row: TicketRow) -> Self {
        Self {
            row: row.id,
            number: row.number,
            status: row.status,
            resolution: row.resolution,
            request: row.change_request,
            created: row.created_at,
            updated: row.updated_at,
            waiting_for_us: row.waiting_for_us.unwrap_or(false),
        }
    }
}

impl From<PrefixChangeRow> for PrefixChange {
    fn from(PrefixChangeRow { at, before, after }: PrefixChangeRow) -> Self {
        Self { at, before: before.map(PrefixState::from), after: after.map(PrefixState::from) }
    }
}

impl From<PrefixSnapshot> for PrefixState {
    fn from(PrefixSnapshot { prefix, vrf, tenant, status, tags }: PrefixSnapshot) -> Self {
        Self { prefix: Some(prefix), vrf, tenant, status, tags }
    }
}

impl From<DeletionRow> for Deletion {
    fn from(DeletionRow { at, user, prefix, vrf }: DeletionRow) -> Self {
        Self { prefix, vrf, at, user }
    }
}
