//! From a change in NetBox to the orders that follow from it.
//!
//! [`orders`] is a pure function, and the same for a webhook and for NetBox's change log. It drops what the sidecar
//! wrote itself and what happens in a branch of NetBox's, and lets an order wait for the changes that follow it. What it
//! cannot compare it takes for changed: a job too many does no harm.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    config,
    model::Resource,
    netbox::changes::{Change, Event, Subject},
    queue::{Delay, Job, Order, Trigger, Work},
};

/// Fields of an RIR config that only rir-sidecar writes.
const OURS: [&str; 5] = ["last_sync", "refreshed", "looked", "judged", "last_result"];
/// Fields that change with any other.
const STAMPS: [&str; 1] = ["last_updated"];
/// Fields of a prefix that decide whether it is to be registered, and as what.
const ASSIGNMENT: [&str; 4] = ["prefix", "vrf", "tenant", "status"];
/// Fields of an RIR config that decide what a sync finds.
const SETTINGS: [&str; 6] = ["name", "rir", "registry", "api_url", "org_handle", "is_active"];

/// The reason why nothing follows from a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ignored {
    #[error("objects of type {0} do not matter here")]
    Type(String),
    #[error("events \"{0}\" do not matter here")]
    Event(String),
    #[error("it was changed in a branch of NetBox's, and counts when that is merged")]
    Branch,
    #[error("there is nothing to ask about an object that is gone")]
    Deleted,
    #[error("nothing changed that a sync looks at")]
    Untouched,
    #[error("only what rir-sidecar itself writes has changed")]
    Echo,
    #[error("the RIR config is not active")]
    Inactive,
}

/// Works out the orders that follow from a change.
pub(crate) fn orders(change: &Change, trigger: Trigger, settings: &Following<'_>) -> Result<Vec<Order>, Ignored> {
    let config::Webhook { debounce, debounce_longest, .. } = settings.webhook;
    let delay = Delay::Debounce { quiet: *debounce, longest: *debounce_longest };
    let judging = (settings.judges_routing && moves_routing(change))
        .then(|| Order { job: Job::new(Work::Routing {}, trigger), delay });
    match (work(change), judging) {
        (Ok(work), judging) => {
            let job = Job { user: change.user.clone(), ..Job::new(work, trigger) };
            Ok([Order { job, delay }].into_iter().chain(judging).collect())
        }
        (Err(_), Some(judging)) => Ok(vec![judging]),
        (Err(ignored), None) => Err(ignored),
    }
}

/// What decides what follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Following<'a> {
    /// How long an order waits for others.
    pub(crate) webhook: &'a config::Webhook,
    /// Whether it is judged how prefixes stand in the routing registries.
    pub(crate) judges_routing: bool,
}

impl<'a> Following<'a> {
    /// Returns what the settings say.
    pub(crate) fn of(settings: &'a config::Settings) -> Self {
        Self { webhook: &settings.webhook, judges_routing: !settings.irr.source.is_empty() }
    }
}

/// Returns whether a change may say that somebody else announces something, or something else.
fn moves_routing(change: &Change) -> bool {
    let fields: &[&str] = match change.subject {
        Subject::Aggregate => &["prefix", "rir", "custom_fields"],
        Subject::Prefix => &["prefix", "vrf", "status", "scope_type", "scope_id", "custom_fields"],
        Subject::Config => &["rir", "is_active", "default_origins"],
        Subject::Other => return false,
    };
    match change.event {
        _ if change.in_branch => false,
        Event::Other(_) => false,
        Event::Deleted => true,
        Event::Created | Event::Updated => touches(change, fields).is_ok(),
    }
}

fn work(change: &Change) -> Result<Work, Ignored> {
    match (&change.event, change.subject) {
        (_, Subject::Other) => Err(Ignored::Type(change.object_type.clone())),
        (_, _) if change.in_branch => Err(Ignored::Branch),
        (Event::Other(event), _) => Err(Ignored::Event(event.clone())),
        (Event::Deleted, _) => Err(Ignored::Deleted),
        (Event::Created | Event::Updated, Subject::Aggregate) => {
            touches(change, &["prefix", "rir"])?;
            Ok(Work::SyncAggregate { config: None, aggregate: change.id })
        }
        (Event::Created | Event::Updated, Subject::Prefix) => {
            touches(change, &ASSIGNMENT)?;
            Ok(Work::SyncPrefix { config: None, prefixes: BTreeSet::from([change.id]) })
        }
        (Event::Created | Event::Updated, Subject::Config) => {
            touches(change, &SETTINGS)?;
            is_active(change)?;
            Ok(Work::SyncConfig { config: change.id, resources: Resource::all() })
        }
    }
}

/// Checks that one of these fields has changed.
fn touches(change: &Change, fields: &[&str]) -> Result<(), Ignored> {
    let (Event::Updated, Some(before), Some(after)) = (&change.event, &change.before, &change.after) else {
        return Ok(());
    };
    let changed = |name: &&str| before.get(*name) != after.get(*name);
    if fields.iter().any(changed) {
        return Ok(());
    }
    let names = before.keys().chain(after.keys()).map(String::as_str);
    let others: BTreeSet<&str> = names.filter(changed).filter(|name| !STAMPS.contains(name)).collect();
    let ours = |name: &&str| change.subject == Subject::Config && OURS.contains(name);
    if !others.is_empty() && others.iter().all(ours) { Err(Ignored::Echo) } else { Err(Ignored::Untouched) }
}

/// Checks that the config is switched on, as far as the change says.
fn is_active(change: &Change) -> Result<(), Ignored> {
    match change.after.as_ref().and_then(|after| after.get("is_active")) {
        Some(Value::Bool(false)) => Err(Ignored::Inactive),
        Some(_) | None => Ok(()),
    }
}
