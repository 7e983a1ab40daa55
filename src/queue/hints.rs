//! What a change in NetBox asks for.
//!
//! [`orders`] is a pure function of a [`Change`], whoever told of it: a webhook ([`Change::of_webhook`]) or NetBox's change
//! log ([`Change::of_log`]). Both give the change the same name ([`Change::hint`]), so that one that was heard is not
//! looked at again when the log is read.
//!
//! It assumes nothing of a webhook but what NetBox 4.5 to 4.7 were seen to send, and takes what it cannot compare for
//! changed: a job too many does no harm.

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    job::{Job, Trigger, Work},
    order::{Delay, Order},
};
use crate::{
    config,
    model::{Resource, RowId},
};

/// The fields of an object before or after a change, foreign keys as ids.
pub type Snapshot = Map<String, Value>;

/// Fields of an RIR config that only rir-sidecar writes.
const OURS: [&str; 2] = ["last_sync", "last_result"];
/// Fields that change with any other.
const STAMPS: [&str; 1] = ["last_updated"];
/// Fields of an RIR config that decide what a sync finds.
const SETTINGS: [&str; 6] = ["name", "rir", "registry", "api_url", "org_handle", "is_active"];

/// A change of one object in NetBox.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What happened to it.
    pub event: Event,
    /// What it is to us.
    pub subject: Subject,
    /// What NetBox calls its type: `ipam.aggregate`, `netbox_custom_objects.table2model`.
    pub object_type: String,
    /// Its id.
    pub id: RowId,
    /// What it was before.
    pub before: Option<Snapshot>,
    /// What it is now.
    pub after: Option<Snapshot>,
    /// NetBox's id of the request that made the change; empty when it does not say.
    pub request: String,
    /// NetBox user who made it.
    pub user: Option<String>,
    /// When it was made, as far as told.
    pub time: Option<Timestamp>,
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is new.
    Created,
    /// Some of its fields were written.
    Updated,
    /// It is gone.
    Deleted,
    /// Something else, in NetBox's words.
    Other(String),
}

/// What an object is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An aggregate.
    Aggregate,
    /// A prefix.
    Prefix,
    /// An RIR config.
    Config,
    /// Nothing that matters.
    Other,
}

/// Why nothing follows from a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignored {
    /// Objects of this type do not matter.
    Type(String),
    /// Events of this kind do not matter.
    Event(String),
    /// There is nothing to ask the RIR about an object that is gone.
    Deleted,
    /// Nothing changed that a sync looks at.
    Untouched,
    /// Only fields changed that rir-sidecar itself writes.
    Echo,
    /// The RIR config is switched off.
    Inactive,
}

/// A webhook or a row of the change log that is not what NetBox sends.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is not JSON, or lacks something.
    #[error("this is no change as NetBox tells of it")]
    Unreadable(#[from] serde_json::Error),
    /// It does not say which object it is about.
    #[error("the change names no object")]
    Nameless,
}

/// Works out what a change asks for.
///
/// # Errors
/// [`Ignored`] when nothing follows from it.
pub fn orders(change: &Change, trigger: Trigger, settings: &config::Webhook) -> Result<Vec<Order>, Ignored> {
    let work = work(change)?;
    let job = Job { user: change.user.clone(), ..Job::new(work, trigger) };
    let delay = Delay::Debounce { quiet: settings.debounce, longest: settings.debounce_longest };
    Ok(vec![Order { job, delay }])
}

fn work(change: &Change) -> Result<Work, Ignored> {
    match (&change.event, change.subject) {
        (_, Subject::Other) => Err(Ignored::Type(change.object_type.clone())),
        (Event::Other(event), _) => Err(Ignored::Event(event.clone())),
        (Event::Deleted, _) => Err(Ignored::Deleted),
        (Event::Created | Event::Updated, Subject::Aggregate) => {
            change.touches(&["prefix", "rir"])?;
            Ok(Work::SyncAggregate { config: None, aggregate: change.id })
        }
        (Event::Created | Event::Updated, Subject::Prefix) => {
            change.touches(&["prefix"])?;
            Ok(Work::SyncPrefix { config: None, prefixes: BTreeSet::from([change.id]) })
        }
        (Event::Created | Event::Updated, Subject::Config) => {
            change.touches(&SETTINGS)?;
            change.is_active()?;
            Ok(Work::SyncConfig { config: change.id, resources: Resource::all() })
        }
    }
}

impl Change {
    /// Reads the body of a webhook. An object whose URL is below `config_slug` is an RIR config.
    ///
    /// # Errors
    /// When it is not what NetBox sends.
    pub fn of_webhook(body: &[u8], config_slug: &str) -> Result<Self, Malformed> {
        let Webhook { event, timestamp, object_type, data, snapshots, request, username, request_id } =
            serde_json::from_slice(body)?;
        let Data { id, url } = data.unwrap_or_default();
        let Snapshots { prechange, postchange } = snapshots.unwrap_or_default();
        let url = url.as_ref().and_then(Value::as_str).unwrap_or_default();
        let is_config = || url.rsplit('/').any(|part| part == config_slug);
        let subject = Subject::of(&object_type, is_config);
        let request = request.unwrap_or_default();
        Ok(Self {
            event: Event::of(&event),
            id: subject.needs(id.and_then(|id| id.as_u64()))?,
            subject,
            object_type,
            before: told(prechange),
            after: told(postchange),
            request: request.id.or(request_id).unwrap_or_default(),
            user: request.user.or(username),
            time: timestamp.and_then(|text| text.parse().ok()),
        })
    }

    /// Reads a row of `/api/core/object-changes/`. `config_type` is what NetBox calls the type of the RIR configs.
    ///
    /// # Errors
    /// When it is not what NetBox answers.
    pub fn of_log(row: &Map<String, Value>, config_type: &str) -> Result<Self, Malformed> {
        let Logged { action, changed_object_type, changed_object_id, prechange_data, postchange_data, .. } =
            Logged::deserialize(row)?;
        let subject = Subject::of(&changed_object_type, || changed_object_type == config_type);
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        Ok(Self {
            event: Event::of(&action.value),
            id: subject.needs(changed_object_id)?,
            subject,
            object_type: changed_object_type,
            before: told(prechange_data),
            after: told(postchange_data),
            request: text("request_id").unwrap_or_default().to_owned(),
            user: text("user_name").filter(|name| !name.is_empty()).map(str::to_owned),
            time: text("time").and_then(|text| text.parse().ok()),
        })
    }

    /// The name of the change, the same for a webhook and for the change log.
    #[must_use]
    pub fn hint(&self) -> String {
        format!("{}:{}:{}", self.object_type, self.id, self.request)
    }

    /// Whether one of these fields has changed.
    fn touches(&self, fields: &[&str]) -> Result<(), Ignored> {
        let (Event::Updated, Some(before), Some(after)) = (&self.event, &self.before, &self.after) else {
            return Ok(());
        };
        let changed = |name: &&str| before.get(*name) != after.get(*name);
        if fields.iter().any(changed) {
            return Ok(());
        }
        let names = before.keys().chain(after.keys()).map(String::as_str);
        let others: BTreeSet<&str> = names.filter(changed).filter(|name| !STAMPS.contains(name)).collect();
        let ours = |name: &&str| self.subject == Subject::Config && OURS.contains(name);
        if !others.is_empty() && others.iter().all(ours) { Err(Ignored::Echo) } else { Err(Ignored::Untouched) }
    }

    /// Whether the config is switched on, as far as told.
    fn is_active(&self) -> Result<(), Ignored> {
        match self.after.as_ref().and_then(|after| after.get("is_active")) {
            Some(Value::Bool(false)) => Err(Ignored::Inactive),
            Some(_) | None => Ok(()),
        }
    }
}

impl Event {
    /// Webhooks say that something was done, the change log what to do.
    fn of(word: &str) -> Self {
        match word {
            "created" | "create" => Self::Created,
            "updated" | "update" => Self::Updated,
            "deleted" | "delete" => Self::Deleted,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Subject {
    fn of(object_type: &str, is_config: impl FnOnce() -> bool) -> Self {
        match object_type {
            "ipam.aggregate" => Self::Aggregate,
            "ipam.prefix" => Self::Prefix,
            custom if custom.starts_with("netbox_custom_objects.") && is_config() => Self::Config,
            _ => Self::Other,
        }
    }

    /// What matters has to have an id.
    fn needs(self, id: Option<u64>) -> Result<RowId, Malformed> {
        match (self, id) {
            (_, Some(id)) => Ok(RowId(id)),
            (Self::Other, None) => Ok(RowId(0)),
            (Self::Aggregate | Self::Prefix | Self::Config, None) => Err(Malformed::Nameless),
        }
    }
}

/// A snapshot that says something: the change log has an empty one where a webhook has none.
fn told(snapshot: Option<Snapshot>) -> Option<Snapshot> {
    snapshot.filter(|fields| !fields.is_empty())
}

/// The reason, as a sentence.
impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(object_type) => write!(f, "objects of type {object_type} do not matter here"),
            Self::Event(event) => write!(f, "events \"{event}\" do not matter here"),
            Self::Deleted => f.write_str("there is nothing to ask about an object that is gone"),
            Self::Untouched => f.write_str("nothing changed that a sync looks at"),
            Self::Echo => f.write_str("only what rir-sidecar itself writes has changed"),
            Self::Inactive => f.write_str("the RIR config is not active"),
        }
    }
}

/// A webhook as NetBox sends it, as far as it is of use here.
#[derive(Deserialize)]
struct Webhook {
    event: String,
    timestamp: Option<String>,
    object_type: String,
    data: Option<Data>,
    snapshots: Option<Snapshots>,
    request: Option<Request>,
    /// Where older versions have the user and the request.
    username: Option<String>,
    request_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Data {
    /// A number with all that matters here; other types may have other ids.
    id: Option<Value>,
    url: Option<Value>,
}

#[derive(Default, Deserialize)]
struct Snapshots {
    prechange: Option<Snapshot>,
    postchange: Option<Snapshot>,
}

#[derive(Default, Deserialize)]
struct Request {
    id: Option<String>,
    user: Option<String>,
}

/// A row of the change log, as far as it cannot be left out.
#[derive(Deserialize)]
struct Logged {
    action: Action,
    changed_object_type: String,
    changed_object_id: Option<u64>,
    prechange_data: Option<Snapshot>,
    postchange_data: Option<Snapshot>,
}

#[derive(Deserialize)]
struct Action {
    value: String,
}
