//! A change of an object in NetBox, as a webhook and as the change log tell of it.
//!
//! Both become the same [`Change`] with the same [`Change::key`], so that one that a webhook told of is known again
//! when the log is read. Only what NetBox 4.5 to 4.7 were seen to send is assumed of a webhook.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    client::Client,
    error::Error,
    listing::Listing,
    row::{optional_text, text},
    schema::document::CONFIG,
};
use crate::model::RowId;

const CHANGES: &str = "/api/core/object-changes/";
const AGGREGATE: &str = "ipam.aggregate";
const PREFIX: &str = "ipam.prefix";
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

impl Client {
    /// Reads the changes of aggregates, prefixes and RIR configs from a time on, the oldest of each type first. Rows
    /// that cannot be read are left out with a warning.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or no row can be read.
    pub(crate) async fn changes(&self, from: Timestamp) -> Result<Vec<Change>, Error> {
        let (config_type, from) = (self.config_type().await?, from.to_string());
        let mut rows = Listing::empty(CHANGES);
        for object_type in NETBOX_TYPES.into_iter().chain(config_type.as_deref()) {
            let query = [("changed_object_type", object_type), ("time_after", &*from)];
            let of_type = |row: &ChangeLogRow| row.changed_object_type == object_type;
            rows = rows.and(self.list_where(CHANGES, &query, of_type).await?);
        }
        Ok(rows.readable()?.into_iter().map(|row| Change::of_log(row, config_type.as_deref())).collect())
    }
}

impl Change {
    /// Reads the body of a webhook. An object of a custom type whose URL names the slug of the RIR configs is one.
    pub(crate) fn of_webhook(body: &[u8]) -> Result<Self, Malformed> {
        let WebhookBody { event, timestamp, object_type, data, snapshots, request, username, request_id } =
            serde_json::from_slice(body)?;
        let ChangedObject { id, url } = data.unwrap_or_default();
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
        }
    }

    /// Returns what tells the change apart from others: the same for a webhook and for the change log.
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::netbox::row::typed;

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
            "action": { "value": "create" }, "changed_object_type": "ipam.prefix", "changed_object_id": 7,
            "prechange_data": {}, "postchange_data": { "prefix": "x" },
            "time": "2026-11-22T10:00:00Z", "user_name": "ann", "request_id": "0e5b",
        });
        assert_eq!(logged(row).before, None);
    }

    #[test]
    fn a_row_of_the_change_log_that_lacks_a_field_cannot_be_read() {
        let row = json!({
            "action": { "value": "create" }, "changed_object_type": "ipam.prefix", "changed_object_id": 7,
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
