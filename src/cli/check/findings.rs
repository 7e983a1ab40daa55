//! What the findings are judged by: whether the operator has said which tenants are their own, and whether NetBox has
//! what the settings name.

use std::collections::BTreeSet;

use super::trial::Trials;
use crate::{
    config::Findings,
    netbox::{
        self, Client,
        tenancy::{NamedList, WithCustomFields},
    },
};

const WHAT: &str = "findings";
/// The statuses that NetBox has by itself; its configuration can add some.
const STATUSES: [&str; 4] = ["active", "container", "deprecated", "reserved"];

/// Tells what the settings leave open, and what they name that NetBox does not have.
pub(super) async fn are_set_up(client: &Client, settings: &Findings, trials: &mut Trials) {
    match missing(client, settings).await {
        Ok(missing) => tell(settings, &missing, trials),
        Err(error) => trials.failed_of(WHAT, (&error, error.retry()), "ask again when NetBox answers"),
    }
}

/// A name in a setting that NetBox does not have.
struct Missing {
    setting: &'static str,
    /// What it would be the name of.
    what: &'static str,
    name: String,
}

fn tell(settings: &Findings, missing: &[Missing], trials: &mut Trials) {
    if settings.own_tenants_are_unknown() {
        let remedy = "set findings.own_tenants to the slugs of the tenants that are you, or to [] if none is";
        let problem = "nobody has said which tenants are your own, so that nothing is said of assigned prefixes";
        trials.note(WHAT, problem, remedy);
    }
    for Missing { setting, what, name } in missing {
        trials.note(WHAT, format!("NetBox has no {what} `{name}`"), format!("correct findings.{setting}"));
    }
    for status in settings.assigned_statuses.iter().filter(|status| !STATUSES.contains(&status.as_str())) {
        let problem = format!("NetBox has no status `{status}` by itself");
        trials.note(WHAT, problem, "correct findings.assigned_statuses, unless NetBox's FIELD_CHOICES adds it");
    }
    if !settings.own_tenants_are_unknown() && missing.is_empty() {
        trials.ok(WHAT, "NetBox has what the settings name");
    }
}

async fn missing(client: &Client, settings: &Findings) -> Result<Vec<Missing>, netbox::Error> {
    let tag = |slug: &String| BTreeSet::from_iter(Some(slug).filter(|slug| !slug.is_empty()).cloned());
    let mut missing = Vec::new();
    for (setting, what, list, names) in [
        ("own_tenants", "tenant with the slug", NamedList::Tenants, settings.own_tenants.clone().unwrap_or_default()),
        (
            "own_tenant_groups",
            "tenant group with the slug",
            NamedList::TenantGroups,
            settings.own_tenant_groups.clone().unwrap_or_default(),
        ),
        ("public_vrfs", "VRF of the name", NamedList::Vrfs, settings.public_vrfs.clone()),
        ("announced_tag", "tag with the slug", NamedList::Tags, tag(&settings.announced_tag)),
        ("residential_tag", "tag with the slug", NamedList::Tags, tag(&settings.residential_tag)),
        ("opt_out_tag", "tag with the slug", NamedList::Tags, tag(&settings.opt_out_tag)),
    ] {
        let there = client.names_in(list, &names).await?;
        let gone = names.into_iter().filter(|name| !there.contains(name));
        missing.extend(gone.map(|name| Missing { setting, what, name }));
    }
    for (setting, what, list, field) in [
        ("since_field", "custom field of prefixes", WithCustomFields::Prefixes, &settings.since_field),
        ("legal_name_field", "custom field of tenants", WithCustomFields::Tenants, &settings.legal_name_field),
    ] {
        if field.is_empty() {
            continue;
        }
        let there = client.custom_fields_of(list).await?;
        if there.is_some_and(|there| !there.contains(field)) {
            missing.push(Missing { setting, what, name: field.clone() });
        }
    }
    Ok(missing)
}
