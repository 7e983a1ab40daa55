//! A change of an object in NetBox, as a webhook and as the change log tell of it.
//!
//! Both become the same [`Change`] with the same [`Change::key`], so that one that a webhook told of is known again
//! when the log is read. Only what NetBox 4.5 to 4.7 were seen to send is assumed of a webhook.
//!
//! The log may hold millions of rows. It is read page by page, from one id to the next.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    client::Client,
    error::{Error, ErrorKind},
    list::RawPage,
    listing::Listing,
    row::{Row, id_of, optional_text, text, typed},
    schema::document::CONFIG,
};
use crate::model::RowId;

pub(super) const CHANGES: &str = "/api/core/object-changes/";
/// The fields of a row that say something here. The object itself, which NetBox would look up for each, does not.
const FIELDS: (&str, &str) = (
    "fields",
    "id,time,user_name,request_id,action,changed_object_type,changed_object_id,prechange_data,postchange_data",
);
/// The most rows of the change log in one page: each may hold two snapshots of some kilobytes.
const LARGEST_PAGE: u32 = 500;
const AGGREGATE: &str = "ipam.aggregate";
pub(super) const PREFIX: &str = "ipam.prefix";
/// NetBox's own types that matter; the RIR configs come to them under the name that NetBox gave their type.
pub(super) const NETBOX_TYPES: [&str; 2] = [AGGREGATE, PREFIX];

/// The fields of an object before or after a change, foreign keys as ids.
pub(crate) type Snapshot = Map<String, Value>;

/// A change of one object in NetBox.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) event: Event,
    pub(crate) subject: Subject,
    /// NetBox's name of the object's type: `ipam.aggregate`, `netbox_custom_objects.table2model`.
    pub(crate) object_type: String,
    pub(crate) id: RowId,
    pub(crate) before: Option<Snapshot>,
    pub(crate) after: Option<Snapshot>,
    /// NetBox's id of the request that made the change; empty when it does not say.
    request: String,
    /// NetBox user who made it.
    pub(crate) user: Option<String>,
    pub(crate) time: Option<Timestamp>,
    /// True if it was made in a branch of NetBox's, which nobody sees before it is merged. A merge makes the change once
    /// more, under the same request.
    pub(crate) in_branch: bool,
}

/// The kind of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Created,
    Updated,
    Deleted,
    /// Something else, in NetBox's words.
    Other(String),
}

/// The kind of object that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Aggregate,
    Prefix,
    Config,
    /// An object that does not matter here.
    Other,
}

/// A webhook that is not what NetBox sends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("this is no change as NetBox tells of it")]
    Unreadable(#[from] serde_json::Error),
    #[error("the change names no object")]
    Nameless,
}

/// A change as NetBox tells of it; what else it says does not matter here.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NetboxChange)]
pub(crate) struct WebhookBody {
    /// `created`, `updated` or `deleted`; others are ignored.
    event: String,
    /// Type of the object.
    #[schema(example = "ipam.prefix")]
    object_type: String,
    /// The object.
    #[schema(required, value_type = ChangedObject)]
    data: Option<ChangedObject>,
    /// The request that changed it.
    request: Option<ChangeRequest>,
    /// Its fields before and after, foreign keys as ids.
    snapshots: Option<Snapshots>,
    /// What NetBox's plugins add: the branch, if the change was made in one.
    #[schema(ignore)]
    context: Option<Value>,
    /// When NetBox made this webhook: within the last five minutes.
    #[schema(required, value_type = String, format = DateTime)]
    timestamp: Option<String>,
    /// Older versions have the user and the id of the request here.
    #[schema(ignore)]
    username: Option<String>,
    #[schema(ignore)]
    request_id: Option<String>,
}

// Types that do not matter here may have ids and addresses of another kind.
/// The object.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = NetboxObject)]
struct ChangedObject {
    /// Its id.
    #[schema(required, value_type = u64)]
    id: Option<Value>,
    /// Its address in the REST API.
    #[schema(value_type = Option<String>)]
    url: Option<Value>,
    /// The branch, where NetBox's pipeline of events adds it here.
    #[schema(ignore)]
    active_branch: Option<Value>,
}

/// The request.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = NetboxRequest)]
struct ChangeRequest {
    /// Its id.
    id: Option<String>,
    /// Name of the user who made it.
    user: Option<String>,
}

/// The fields.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = NetboxSnapshots)]
struct Snapshots {
    /// Before; null for a new object.
    #[schema(value_type = Option<Object>)]
    prechange: Option<Snapshot>,
    /// After; null for one that is gone.
    #[schema(value_type = Option<Object>)]
    postchange: Option<Snapshot>,
}

/// A row of the change log.
#[derive(Debug, Deserialize)]
struct ChangeLogRow {
    id: RowId,
    #[serde(deserialize_with = "text")]
    action: String,
    changed_object_type: String,
    changed_object_id: RowId,
    #[serde(deserialize_with = "Option::deserialize")]
    prechange_data: Option<Snapshot>,
    #[serde(deserialize_with = "Option::deserialize")]
    postchange_data: Option<Snapshot>,
    #[serde(deserialize_with = "text")]
    request_id: String,
    #[serde(deserialize_with = "optional_text")]
    user_name: Option<String>,
    time: Timestamp,
}

/// The part of NetBox's change log that matters here.
#[derive(Debug, Clone)]
pub(crate) struct ChangeLog {
    client: Client,
    /// NetBox's name of the type of the RIR configs.
    config_type: Option<String>,
}

/// The end of the change log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogEnd {
    /// Its newest row, whatever it is about; `None` when the log is empty.
    pub(crate) newest: Option<RowId>,
    /// The time by NetBox's own clock, as far as it tells.
    pub(crate) clock: Option<Timestamp>,
}

/// A page of the change log.
#[derive(Debug)]
pub(crate) struct ChangePage {
    /// The changes that could be read, by the ids of their rows, the oldest first.
    pub(crate) changes: Vec<(RowId, Change)>,
    /// The last row, whether it could be read or not; `None` for an empty page.
    pub(crate) last: Option<RowId>,
    /// True if the log ends with it.
    pub(crate) ends: bool,
}

impl Client {
    /// Opens the change log of aggregates, prefixes and RIR configs.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub(crate) async fn change_log(&self) -> Result<ChangeLog, Error> {
        Ok(ChangeLog { client: self.clone(), config_type: self.config_type().await? })
    }
}

/// Each method fails when NetBox cannot be asked, or ignores a filter.
impl ChangeLog {
    /// Looks at the newest row.
    pub(crate) async fn end(&self) -> Result<LogEnd, Error> {
        let query = [("fields", "id"), ("limit", "1"), ("ordering", "-id")];
        let reply = self.client.transport.read(CHANGES, &query).await?.found()?;
        let clock = reply.date();
        let page: RawPage = reply.decode("the newest row of the change log")?;
        Ok(LogEnd { newest: page.results.first().and_then(id_of), clock })
    }

    /// Finds the oldest row from a time on.
    pub(crate) async fn first_since(&self, from: Timestamp) -> Result<Option<RowId>, Error> {
        let from_text = from.to_string();
        let page = self.page([("fields", "id,time"), ("time_after", &from_text), ("limit", "1")].into()).await?;
        let Some(row) = page.results.first() else { return Ok(None) };
        let time = row.get("time").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        if time.is_none_or(|time| time < from) {
            return Err(Error::reading(CHANGES, ErrorKind::FilterIgnored));
        }
        Ok(id_of(row))
    }

    /// Reads the rows behind one, as many as fit on a page. Those that cannot be read are left out with a warning.
    pub(crate) async fn after(&self, row: RowId) -> Result<ChangePage, Error> {
        let (after, limit) = (row.to_string(), self.client.page_size.min(LARGEST_PAGE).to_string());
        let page = self.page([FIELDS, ("id__gt", &after), ("limit", &limit)].into()).await?;
        let ids: Vec<RowId> = page.results.iter().filter_map(id_of).collect();
        let in_order = std::iter::once(&row).chain(&ids).is_sorted_by(|before, after| before < after);
        if ids.len() < page.results.len() || !in_order {
            return Err(Error::reading(CHANGES, ErrorKind::FilterIgnored));
        }
        let ends = page.results.len() >= page.count;
        let read = |row: &Row| (id_of(row).unwrap_or(RowId(0)), typed::<ChangeLogRow>(row));
        let rows = Listing::of(CHANGES, page.results.iter().map(read)).readable()?;
        let change = |row: ChangeLogRow| (row.id, Change::of_log(row, self.config_type.as_deref()));
        Ok(ChangePage { changes: rows.into_iter().map(change).collect(), last: ids.last().copied(), ends })
    }

    async fn page(&self, mut query: Vec<(&str, &str)>) -> Result<RawPage, Error> {
        let types = NETBOX_TYPES.into_iter().chain(self.config_type.as_deref());
        query.extend(types.map(|object_type| ("changed_object_type", object_type)));
        query.push(("ordering", "id"));
        self.client.transport.read(CHANGES, &query).await?.found()?.decode("a page of the change log")
    }
}

impl Change {
    /// Reads the body of a webhook. An object of a custom type whose URL names the slug of the RIR configs is one.
    pub(crate) fn of_webhook(body: &[u8]) -> Result<Self, Malformed> {
        let WebhookBody { event, timestamp, object_type, data, snapshots, context, request, username, request_id } =
            serde_json::from_slice(body)?;
        let ChangedObject { id, url, active_branch } = data.unwrap_or_default();
        let branch = active_branch.or_else(|| context?.get_mut("active_branch").map(Value::take));
        let Snapshots { prechange, postchange } = snapshots.unwrap_or_default();
        let request = request.unwrap_or_default();
        let url = url.as_ref().and_then(Value::as_str).unwrap_or_default();
        let subject = Subject::of(&object_type, || url.rsplit('/').any(|part| part == CONFIG));
        let id = match id.and_then(|id| id.as_u64()) {
            Some(id) => RowId(id),
            None if subject == Subject::Other => RowId(0),
            None => return Err(Malformed::Nameless),
        };
        Ok(Self {
            event: Event::of(&event),
            id,
            subject,
            object_type,
            before: told(prechange),
            after: told(postchange),
            request: request.id.or(request_id).unwrap_or_default(),
            user: request.user.or(username),
            time: timestamp.and_then(|text| text.parse().ok()),
            in_branch: branch.is_some_and(|branch| !branch.is_null()),
        })
    }

    /// Takes a row of the change log. `config_type` is NetBox's name of the type of the RIR configs.
    fn of_log(row: ChangeLogRow, config_type: Option<&str>) -> Self {
        Self {
            event: Event::of(&row.action),
            id: row.changed_object_id,
            subject: Subject::of(&row.changed_object_type, || config_type == Some(&row.changed_object_type)),
            object_type: row.changed_object_type,
            before: told(row.prechange_data),
            after: told(row.postchange_data),
            request: row.request_id,
            user: row.user_name,
            time: Some(row.time),
            // The log has what counts: the changes of a branch are in the branch's own until it is merged.
            in_branch: false,
        }
    }

    /// Returns what tells the change apart from others: the same for a webhook and for the change log, and the same for a
    /// change in a branch and its merge, which are told apart by their times.
    pub(crate) fn key(&self) -> String {
        format!("{}:{}:{}", self.object_type, self.id, self.request)
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
            AGGREGATE => Self::Aggregate,
            PREFIX => Self::Prefix,
            custom if custom.starts_with("netbox_custom_objects.") && is_config() => Self::Config,
            _ => Self::Other,
        }
    }
}

/// Returns a snapshot that says something: the change log has an empty one where a webhook has none.
fn told(snapshot: Option<Snapshot>) -> Option<Snapshot> {
    snapshot.filter(|fields| !fields.is_empty())
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CONFIG_TYPE: &str = "netbox_custom_objects.table2model";

    fn logged(row: Value) -> Change {
        Change::of_log(serde_json::from_value(row).unwrap(), Some(CONFIG_TYPE))
    }

    #[test]
    fn a_row_of_the_change_log_is_the_same_change() {
        let (before, after) = (json!({ "name": "A" }), json!({ "name": "B" }));
        let body = json!({
            "event": "updated", "timestamp": "2026-11-22T10:00:00Z", "object_type": CONFIG_TYPE,
            "request": { "id": "0e5b", "user": "ann", "method": "PATCH" },
            "data": { "id": 7, "url": "/api/plugins/custom-objects/rir-config/7/" },
            "snapshots": { "prechange": before, "postchange": after },
        });
        let row = json!({
            "id": 12, "time": "2026-11-22T10:00:00Z", "user_name": "ann", "request_id": "0e5b",
            "action": { "value": "update", "label": "Updated" }, "changed_object_type": CONFIG_TYPE,
            "changed_object_id": 7, "prechange_data": before, "postchange_data": after,
        });
        let told = Change::of_webhook(body.to_string().as_bytes()).unwrap();
        assert_eq!(logged(row), told);
        assert_eq!(told.key(), "netbox_custom_objects.table2model:7:0e5b");
    }

    #[test]
    fn the_change_log_has_an_empty_snapshot_of_what_was_not_there() {
        let row = json!({
            "id": 1, "action": { "value": "create" }, "changed_object_type": "ipam.prefix", "changed_object_id": 7,
            "prechange_data": {}, "postchange_data": { "prefix": "x" },
            "time": "2026-11-22T10:00:00Z", "user_name": "ann", "request_id": "0e5b",
        });
        assert_eq!(logged(row).before, None);
    }

    #[test]
    fn a_row_of_the_change_log_that_lacks_a_field_cannot_be_read() {
        let row = json!({
            "id": 1, "action": { "value": "create" }, "changed_object_type": "ipam.prefix", "changed_object_id": 7,
            "prechange_data": null, "postchange_data": {}, "time": "2026-11-22T10:00:00Z", "user_name": null,
            "request_id": "0e5b",
        });
        let row = row.as_object().unwrap();
        assert!(typed::<ChangeLogRow>(row).is_ok());
        for name in row.keys() {
            let mut row = row.clone();
            row.remove(name);
            assert_eq!(typed::<ChangeLogRow>(&row).unwrap_err().to_string(), format!("missing field `{name}`"));
        }
    }

    #[test]
    fn older_versions_name_user_and_request_at_the_top() {
        let body = json!({ "event": "created", "object_type": "ipam.prefix", "username": "bob", "request_id": "1",
                           "data": { "id": 3 } });
        let change = Change::of_webhook(body.to_string().as_bytes()).unwrap();
        assert_eq!((change.user.as_deref(), change.key().as_str()), (Some("bob"), "ipam.prefix:3:1"));
    }

    #[test]
    fn a_webhook_tells_of_its_branch_in_either_place() {
        let in_branch = |data: Value, context: Value| {
            let body = json!({ "event": "created", "object_type": "ipam.prefix", "data": data, "context": context });
            Change::of_webhook(body.to_string().as_bytes()).unwrap().in_branch
        };
        let branch = json!({ "id": 2, "name": "renumbering", "schema_id": "k3jx8b2q" });
        assert!(in_branch(json!({ "id": 3 }), json!({ "active_branch": branch })));
        assert!(in_branch(json!({ "id": 3, "active_branch": branch }), Value::Null));
        for context in [json!({ "active_branch": null }), json!({}), Value::Null, json!("other")] {
            assert!(!in_branch(json!({ "id": 3 }), context));
        }
    }

    #[test]
    fn what_names_no_object_is_malformed_unless_it_does_not_matter() {
        let body = |object_type: &str| json!({ "event": "created", "object_type": object_type }).to_string();
        let read = |text: &str| Change::of_webhook(text.as_bytes());
        assert!(matches!(read(&body("ipam.prefix")), Err(Malformed::Nameless)));
        assert!(read(&body("core.job")).is_ok());
        let uuid = json!({ "event": "created", "object_type": "a.b", "data": { "id": "0e5b-11" } });
        assert!(read(&uuid.to_string()).is_ok());
        assert!(matches!(read("{}"), Err(Malformed::Unreadable(_))));
        assert!(matches!(read("[1"), Err(Malformed::Unreadable(_))));
    }
}
