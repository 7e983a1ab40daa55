//! How the registration of an assignment should look, and what is missing for it.

use std::collections::BTreeSet;

use super::{
    super::{
        address_plan::{PlannedAddress, PlannedPrefix},
        names::{self, fold},
        postal::lacks,
        registrations::RecordedOrg,
    },
    ground::Ground,
    subjects::Spot,
};
use crate::model::{Address, ObjectType, RowId, Standing};

/// What stands for the tenant in the name of a net that a person at home gets: the name of a net is public.
const PRIVATE_TENANT: &str = "PRIVATE";

/// The postal address that a tenant's customer should have.
#[derive(Debug, Clone, PartialEq)]
pub enum WantedAddress<'a> {
    /// This one.
    One(&'a PlannedAddress),
    /// Different ones are linked, and nothing tells which one.
    Several(Vec<&'a PlannedAddress>),
    /// None is linked.
    None,
}

/// Returns the name of the net of a prefix: what the template makes of it. `holder` is `None` for a person at home, whose name
/// is in none.
pub(super) fn net_name(prefix: &PlannedPrefix, template: &str, holder: Option<&str>) -> Option<String> {
    names::net_name(template, holder.unwrap_or(PRIVATE_TENANT), &prefix.prefix.to_string(), prefix.id.0)
}

/// Finds the address of a tenant at a prefix's site: the one that is linked to both, else to the tenant alone, else to the site
/// alone if that is the tenant's.
pub(super) fn address<'a>(ground: &Ground<'a>, tenant: RowId, site: Option<RowId>) -> WantedAddress<'a> {
    let of_site = |site: &RowId| ground.plan.site_tenants.get(site) == Some(&tenant);
    let candidates = [
        site.map(|site| (Some(tenant), Some(site))),
        Some((Some(tenant), None)),
        site.filter(of_site).map(|site| (None, Some(site))),
    ];
    let linked = candidates.into_iter().flatten().map(|(tenant, site)| ground.addresses(tenant, site));
    let mut rows: Vec<&'a PlannedAddress> =
        linked.into_iter().find(|rows| !rows.is_empty()).unwrap_or_default().to_vec();
    rows.sort_by_key(|row| row.row);
    let different: BTreeSet<&Address> = rows.iter().map(|row| &row.address).collect();
    match (different.len(), rows.first()) {
        (0, _) | (_, None) => WantedAddress::None,
        (1, Some(one)) => WantedAddress::One(one),
        (_, Some(_)) => WantedAddress::Several(rows),
    }
}

/// Returns what is missing to register an assignment, each with where to put it.
pub(super) fn missing(ground: &Ground<'_>, spot: &Spot<'_>, tenant: RowId) -> Vec<String> {
    let orgs = ground.orgs_of(tenant);
    if !orgs.is_empty() {
        let mut faults = orgs.iter().map(|org| unfit(ground, org));
        // One that is fit will do.
        return faults.clone().find(Vec::is_empty).or_else(|| faults.next()).unwrap_or_default();
    }
    let mut missing = Vec::new();
    let name = ground.name_of(tenant);
    if fold(name).is_none() {
        missing.push(format!(
            "the name of tenant {name} in ASCII letters (set `findings.legal_name_field`, and that field of the tenant)"
        ));
    }
    match address(ground, tenant, spot.prefix.site) {
        WantedAddress::One(row) => missing.extend(parts_missing(&row.address)),
        WantedAddress::Several(rows) => missing.push(format!(
            "one address: {} RIR addresses are linked to tenant {name} (ambiguous); leave the link at one",
            rows.len()
        )),
        WantedAddress::None => {
            missing.push(format!("an address: link an RIR address to tenant {name}, or to its site"));
        }
    }
    missing
}

fn parts_missing(address: &Address) -> Vec<String> {
    let lacking = lacks(address).into_iter();
    let mut missing: Vec<String> = lacking.map(|part| format!("the {part} of the RIR address {address}")).collect();
    let parts = [&address.city, &address.state_province, &address.postal_code];
    let texts = address.street.iter().chain(parts.into_iter().flatten());
    let unwritable = texts.filter(|text| text.chars().any(char::is_alphanumeric) && fold(text).is_none());
    missing.extend(unwritable.map(|text| format!("`{text}` of the RIR address in ASCII letters")));
    missing
}

/// Returns what keeps an organization from being given space; empty if nothing is known to.
pub(super) fn unfit(ground: &Ground<'_>, org: &RecordedOrg) -> Vec<String> {
    let handle = &org.handle;
    let answer = ground.answer(ObjectType::Organization, handle.as_str());
    if answer.is_some_and(|answer| answer.standing == Standing::Denied) {
        return Vec::new();
    }
    if !org.registered || answer.is_some_and(|answer| answer.standing == Standing::Absent) {
        return vec![format!("ARIN has no organization {handle}")];
    }
    let mut faults = Vec::new();
    if handle.as_str().contains("-Z") {
        faults.push(format!("{handle} is the handle of an organization that cannot be given space (-Z)"));
    }
    if let Some(Standing::Found(recipient)) = answer.map(|answer| &answer.standing) {
        faults.extend(recipient.lacks().into_iter().map(|what| format!("{handle} lacks {what}")));
        if recipient.accepts == Some(false) {
            faults.push(format!("{handle} accepts no reassignments"));
        }
    }
    faults
}
