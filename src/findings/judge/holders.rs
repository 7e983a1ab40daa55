//! The findings about nets whose range is assigned: whoever holds them at ARIN is not whom NetBox has them for, or not as NetBox
//! has it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        finding::{Links, Subject, day},
        kind::{Kind, Level},
        names::{core, fold, is_other_place},
        registrations::{RecordedCustomer, RecordedOrg},
    },
    ground::Ground,
    nets::{Net, NetKind},
    sheet::Sheet,
    subjects::Spot,
    wanted::{self, WantedAddress},
};
use crate::model::RowId;

/// The net of an assignment.
struct Held<'s, 'a> {
    spot: &'s Spot<'a>,
    at: usize,
    net: &'s Net<'a>,
    config: RowId,
    tenant: RowId,
    customer: Option<&'a RecordedCustomer>,
    org: Option<&'a RecordedOrg>,
}

/// A way in which the holder at ARIN is not the tenant.
struct Difference {
    kind: Kind,
    message: String,
}

/// Finds the nets of the wrong kind for what is assigned inside them: reassigned nets have no children.
pub(super) fn with_others_inside<'s, 'a>(
    ground: &Ground<'a>,
    spots: &'s [Spot<'a>],
) -> BTreeMap<usize, Vec<&'s Spot<'a>>> {
    let holders: BTreeMap<usize, RowId> =
        spots.iter().filter(|spot| is_judged(ground, spot)).filter_map(net_of).collect();
    let mut found: BTreeMap<usize, Vec<&Spot<'a>>> = BTreeMap::new();
    for spot in spots.iter().filter(|spot| is_judged(ground, spot) && spot.is_wanted(ground.policy.voluntary)) {
        let Some((net, tenant)) = spot.wider_net().zip(spot.tenant()) else { continue };
        if holders.get(&net).is_some_and(|holder| *holder != tenant) && ground.nets.is_ours(net) {
            found.entry(net).or_default().push(spot);
        }
    }
    found
}

fn net_of(spot: &Spot<'_>) -> Option<(usize, RowId)> {
    Some((spot.own_net()?, spot.tenant()?))
}

/// Returns whether anything may be said of a prefix.
pub(super) fn is_judged(ground: &Ground<'_>, spot: &Spot<'_>) -> bool {
    let silenced = ground.aggregates.get(spot.aggregate).is_none_or(|aggregate| aggregate.standing.silences());
    !silenced && !spot.left_alone && spot.unknown.is_none()
}

impl<'a> Sheet<'_, 'a> {
    /// Judges the nets of all assigned prefixes, each net once.
    pub(super) fn holders(&mut self, spots: &[Spot<'a>], others_inside: &BTreeMap<usize, Vec<&Spot<'a>>>) {
        let ground = self.ground;
        let mut judged = BTreeSet::new();
        // What is assigned inside decides about the net, too.
        let not_known = spots.iter().filter(|spot| spot.unknown.is_some() && !spot.assigned.is_empty());
        let unknown_inside: BTreeSet<usize> = not_known.filter_map(Spot::wider_net).collect();
        for spot in spots.iter().filter(|spot| is_judged(ground, spot)) {
            let Some((at, tenant)) = net_of(spot).filter(|(at, _)| ground.nets.is_ours(*at)) else { continue };
            let (Some(net), Some(aggregate)) = (ground.nets.get(at), ground.aggregates.get(spot.aggregate)) else {
                continue;
            };
            let is_told = others_inside.contains_key(&at);
            if (unknown_inside.contains(&at) && !is_told) || !judged.insert(at) {
                continue;
            }
            let customer = net.customer().and_then(|handle| ground.customer(handle));
            let org = net.org().and_then(|handle| ground.org(handle));
            let held = Held { spot, at, net, config: aggregate.config.id, tenant, customer, org };
            self.holder(&held, others_inside.get(&at));
        }
    }

    fn holder(&mut self, held: &Held<'_, 'a>, others_inside: Option<&Vec<&Spot<'a>>>) {
        let ground = self.ground;
        let mut differences = self.differences(held);
        let unlinked = held.net.org().is_some() && held.org.is_none_or(|org| org.tenant.is_none());
        let wrong_kind = self.wrong_kind(held, others_inside, unlinked);
        if unlinked {
            let message = format!(
                "{} holds it at ARIN, and is linked to no tenant in NetBox: link the RIR organization to {}, if that is who it \
                 is.",
                self.holder_words(held.at),
                ground.name_of(held.tenant)
            );
            self.about(held, (Kind::UnlinkedOrg, Level::Info), message);
        }
        let has_wrong_kind = wrong_kind.is_some();
        differences.retain(|difference| !(has_wrong_kind && difference.kind == Kind::CustomerName));
        if let Some(message) = wrong_kind {
            self.about(held, (Kind::WrongKind, Level::Notice), message);
        }
        if self.new_holder(held, &differences) {
            return;
        }
        for difference in differences {
            self.about(held, (difference.kind, Level::Notice), difference.message);
        }
        if !has_wrong_kind {
            self.written_differently(held);
            self.address(held);
            self.privacy(held);
            self.net_name(held);
        }
    }

    /// Returns how the holder is somebody else than the tenant, the most telling way first.
    fn differences(&self, held: &Held<'_, 'a>) -> Vec<Difference> {
        let ground = self.ground;
        let name = ground.name_of(held.tenant);
        let mut differences = Vec::new();
        if let Some((org, tenant)) = held.org.and_then(|org| Some((org, org.tenant?)))
            && tenant != held.tenant
        {
            let message = format!(
                "NetBox has it for {name}, ARIN for {} ({}), which is linked to tenant {}.",
                org.name,
                org.handle,
                ground.name_of(tenant)
            );
            differences.push(Difference { kind: Kind::OtherOrg, message });
        }
        if let Some((customer, tenant)) = held.customer.and_then(|customer| Some((customer, customer.tenant?)))
            && tenant != held.tenant
        {
            let message = format!(
                "NetBox has it for {name}, but customer {} ({}) at ARIN is linked to tenant {}.",
                customer.name,
                customer.handle,
                ground.name_of(tenant)
            );
            differences.push(Difference { kind: Kind::TenantLink, message });
        }
        if let Some((customer, registered, wanted)) = self.names(held)
            && core(&registered) != core(&wanted)
        {
            let message =
                format!("NetBox has it for {name}, ARIN for customer {} ({}).", customer.name, customer.handle);
            differences.push(Difference { kind: Kind::CustomerName, message });
        }
        differences
    }

    /// Returns the customer of a net with its folded name and that of the tenant, if the two can be compared.
    fn names(&self, held: &Held<'_, 'a>) -> Option<(&'a RecordedCustomer, String, String)> {
        let customer = held.customer.filter(|customer| !customer.is_private())?;
        Some((customer, fold(&customer.name)?, fold(self.ground.name_of(held.tenant))?))
    }

    /// Tells that the prefix was given to somebody else after the net had been registered, if that is so: then it has to be
    /// registered anew, and nothing of the old registration matters.
    fn new_holder(&mut self, held: &Held<'_, 'a>, differences: &[Difference]) -> bool {
        let (Some(difference), Some(registered_on)) = (differences.first(), held.net.registered_on) else {
            return false;
        };
        let subject = self.subject(held);
        let term = self.term(held.spot, difference.kind, &subject);
        if term.since.at_least || day(term.since.at) <= registered_on {
            return false;
        }
        let level = if term.is_over { Level::Alert } else { Level::Notice };
        let message = format!(
            "{} It is assigned to {} since {}, after {} was registered: that has to be returned, and the assignment registered \
             by {}.",
            difference.message,
            self.ground.name_of(held.tenant),
            day(term.since.at),
            held.net.handle,
            term.due,
        );
        let told = (self.links_with(held.spot, held.at), message);
        let times = (Some(term.since), Some(term.due));
        self.add_with((difference.kind, level), held.config, subject, told, times);
        true
    }

    fn wrong_kind(
        &self,
        held: &Held<'_, 'a>,
        others_inside: Option<&Vec<&Spot<'a>>>,
        unlinked: bool,
    ) -> Option<String> {
        let ground = self.ground;
        if held.net.kind != NetKind::Reassigned {
            return None;
        }
        if let Some(others) = others_inside {
            let named = others
                .iter()
                .take(3)
                .filter_map(|spot| Some(format!("{} ({})", spot.range, ground.name_of(spot.tenant()?))));
            let named: Vec<String> = named.collect();
            return Some(format!(
                "It is reassigned at ARIN, so that nothing inside can be registered, but {} prefixes inside are assigned to \
                 others: {}. It would have to be reallocated, or returned.",
                others.len(),
                named.join(", ")
            ));
        }
        let org = ground.orgs_of(held.tenant).iter().find(|org| org.registered)?;
        (held.net.customer().is_some() && !unlinked).then(|| {
            format!(
                "{} is linked to organization {}, but the net is registered for a customer: it would have to be reassigned to \
                 the organization.",
                ground.name_of(held.tenant),
                org.handle
            )
        })
    }

    fn written_differently(&mut self, held: &Held<'_, 'a>) {
        let Some((customer, registered, wanted)) = self.names(held) else { return };
        if core(&registered) == core(&wanted) && registered != wanted {
            let message = format!(
                "Written differently: {} in NetBox, {} ({}) at ARIN.",
                self.ground.name_of(held.tenant),
                customer.name,
                customer.handle
            );
            self.about(held, (Kind::CustomerName, Level::Info), message);
        }
    }

    fn address(&mut self, held: &Held<'_, 'a>) {
        let Some(customer) = held.customer.filter(|customer| !customer.is_private()) else { return };
        let Some(registered) = &customer.address else { return };
        let WantedAddress::One(wanted) = wanted::address(self.ground, held.tenant, held.spot.prefix.site) else {
            return;
        };
        if is_other_place(registered, &wanted.address) {
            let message = format!(
                "The address of customer {} ({}) is {registered} at ARIN, and {} in NetBox.",
                customer.name, customer.handle, wanted.address
            );
            self.about(held, (Kind::Address, Level::Notice), message);
        }
    }

    fn privacy(&mut self, held: &Held<'_, 'a>) {
        let tag = self.ground.policy.residential_tag.as_str();
        let Some(customer) = held.customer.filter(|_| !tag.is_empty()) else { return };
        let residential = self.ground.is_tagged(tag, held.spot.prefix);
        if residential == customer.is_private() {
            return;
        }
        let (level, message) = match residential {
            true => (
                Level::Alert,
                format!("Customer {} lives there, and ARIN shows the name and address to everybody.", customer.handle),
            ),
            false => (
                Level::Notice,
                format!(
                    "Customer {} is private at ARIN, but nothing in NetBox says that somebody lives there.",
                    customer.handle
                ),
            ),
        };
        self.about(held, (Kind::Privacy, level), message);
    }

    fn net_name(&mut self, held: &Held<'_, 'a>) {
        let ground = self.ground;
        let template = ground.policy.net_name_template.as_str();
        if template.is_empty() || !held.net.row.is_some_and(|row| ground.was_made_here(row)) {
            return;
        }
        let prefix = held.spot.prefix;
        let is_private = ground.is_tagged(&ground.policy.residential_tag, prefix)
            || held.customer.is_some_and(RecordedCustomer::is_private);
        let wanted = wanted::net_name(prefix, template, (!is_private).then(|| ground.name_of(held.tenant)));
        if let Some(wanted) = wanted.filter(|wanted| *wanted != held.net.name.to_uppercase()) {
            let message =
                format!("{} is called {} at ARIN, and should be called {wanted}.", held.net.handle, held.net.name);
            self.about(held, (Kind::NetName, Level::Info), message);
        }
    }

    fn about(&mut self, held: &Held<'_, 'a>, what: (Kind, Level), message: String) {
        let told: (Links, String) = (self.links_with(held.spot, held.at), message);
        self.add(what, held.config, self.subject(held), told);
    }

    fn subject(&self, held: &Held<'_, 'a>) -> Subject {
        Subject::Net(held.net.handle.clone(), held.net.registered_on)
    }
}
