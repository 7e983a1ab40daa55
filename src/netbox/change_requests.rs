//! The rows of change requests: read one by one or in lists, made without touching one that is there, and changed only as
//! long as nobody else has.
//!
//! NetBox gives each row an ETag, which is the time of its last change, and takes a change with `If-Match` only while that is
//! the row's. It looks once more when it has locked the row. So of two who change the same row at once, one does.

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    client::{Client, objects_path},
    error::{Error, ErrorKind},
    fault::lost_fields,
    list::Reader,
    row::{Row, optional_reference, optional_text, text, typed},
    schema::document::CHANGE_REQUEST,
    transport::Reply,
    write::{Draft, Refusal},
};
use crate::{
    error_chain::error_chain,
    model::{Key, RowId},
    outbound::NoAnswer,
    retry::Policy,
};

/// Limits how often a change is sent again of which nobody knows what became of it, or which came to a worker of NetBox
/// with an older form of the type.
const RESENDS: Policy = Policy { count: 5, backoff: std::time::Duration::from_millis(500) };

/// What tells a row as it was read from the same row after any change. Those of rows sort as the times at which these were
/// last changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Etag(String);

/// A recorded request for a change at the registry, as NetBox has it. Whether it can be understood is for others to say.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "`types.toml` says what the fields are")]
pub struct RequestRow {
    pub id: RowId,
    /// The row is changed only as long as this is its ETag.
    pub etag: Etag,
    pub key: Key,
    pub summary: String,
    pub operation: String,
    pub state: String,
    pub message: Option<String>,
    pub config: Option<RowId>,
    pub range: Option<String>,
    pub parent_handle: Option<String>,
    pub ticket: Option<String>,
    pub links: RequestLinks,
    pub requested_by: Option<String>,
    pub requested_at: Option<Timestamp>,
    pub approved_by: Option<String>,
    pub approved_at: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    pub submitted_at: Option<Timestamp>,
    pub digest: Option<String>,
    pub seal: Option<String>,
    /// What is sent, and what else is kept; null in lists, which come without the documents.
    pub payload: Value,
    /// Null in lists.
    pub intent: Value,
    /// Null in lists.
    pub answer: Value,
}

/// The rows that a request is linked to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called so")]
pub struct RequestLinks {
    pub prefix: Option<RowId>,
    pub network: Option<RowId>,
    pub customer: Option<RowId>,
    pub organization: Option<RowId>,
}

/// The requests to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// Only those of this config.
    pub config: Option<RowId>,
    /// Only those in one of these states; in any, if there are none.
    pub states: Vec<String>,
    /// Only these rows; any, if there are none.
    pub ids: Vec<RowId>,
}

/// What came of a change on a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Saved {
    /// It was made, and the row is like this now.
    Saved(Box<RequestRow>),
    /// Somebody else has changed the row since it was read, and nothing was written.
    Changed,
    /// There is no such row, or none that this token may change, and nothing was written.
    NotThere,
}

/// A request as NetBox writes it. Each field has to be there, even if it is null: one that is missing was renamed.
#[derive(Deserialize)]
struct RequestFields {
    id: RowId,
    last_updated: String,
    #[serde(deserialize_with = "text")]
    key: String,
    #[serde(deserialize_with = "text")]
    summary: String,
    #[serde(deserialize_with = "text")]
    operation: String,
    #[serde(deserialize_with = "text")]
    state: String,
    #[serde(deserialize_with = "optional_text")]
    message: Option<String>,
    #[serde(deserialize_with = "optional_reference")]
    config: Option<RowId>,
    #[serde(deserialize_with = "optional_text")]
    range: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    parent_handle: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    ticket: Option<String>,
    #[serde(deserialize_with = "optional_reference")]
    prefix: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    network: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    customer: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    organization: Option<RowId>,
    #[serde(deserialize_with = "optional_text")]
    requested_by: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    requested_at: Option<Timestamp>,
    #[serde(deserialize_with = "optional_text")]
    approved_by: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    approved_at: Option<Timestamp>,
    #[serde(deserialize_with = "Option::deserialize")]
    expires: Option<Timestamp>,
    #[serde(deserialize_with = "Option::deserialize")]
    submitted_at: Option<Timestamp>,
    #[serde(deserialize_with = "optional_text")]
    digest: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    seal: Option<String>,
}

/// The documents of a request, which only a single row comes with.
#[derive(Deserialize)]
struct RequestDocuments {
    #[serde(deserialize_with = "Value::deserialize")]
    payload: Value,
    #[serde(deserialize_with = "Value::deserialize")]
    intent: Value,
    #[serde(deserialize_with = "Value::deserialize")]
    answer: Value,
}

/// The names of [`RequestFields`].
const FIELDS: &str = "id,last_updated,key,summary,operation,state,message,config,range,parent_handle,ticket,prefix,network,\
                      customer,organization,requested_by,requested_at,approved_by,approved_at,expires,submitted_at,digest,seal";

impl Etag {
    /// Makes the ETag of a row that was last changed at a time, as NetBox writes times and ETags.
    fn of(last_updated: &str) -> Self {
        Self(format!("W/\"{}\"", last_updated.replace('Z', "+00:00")))
    }
}

impl From<RequestFields> for RequestRow {
    fn from(fields: RequestFields) -> Self {
        Self {
            id: fields.id,
            etag: Etag::of(&fields.last_updated),
            key: Key::recorded(fields.key),
            summary: fields.summary,
            operation: fields.operation,
            state: fields.state,
            message: fields.message,
            config: fields.config,
            range: fields.range,
            parent_handle: fields.parent_handle,
            ticket: fields.ticket,
            links: RequestLinks {
                prefix: fields.prefix,
                network: fields.network,
                customer: fields.customer,
                organization: fields.organization,
            },
            requested_by: fields.requested_by,
            requested_at: fields.requested_at,
            approved_by: fields.approved_by,
            approved_at: fields.approved_at,
            expires: fields.expires,
            submitted_at: fields.submitted_at,
            digest: fields.digest,
            seal: fields.seal,
            payload: Value::Null,
            intent: Value::Null,
            answer: Value::Null,
        }
    }
}

/// Reads a row with its documents.
pub(crate) fn whole(row: &Row) -> Result<RequestRow, serde_json::Error> {
    let RequestDocuments { payload, intent, answer } = typed(row)?;
    Ok(RequestRow { payload, intent, answer, ..typed::<RequestFields>(row)?.into() })
}

/// Returns the path of a request.
fn request_path(id: RowId) -> String {
    format!("{}{id}/", objects_path(CHANGE_REQUEST))
}

impl Client {
    /// Reads a change request with all its documents; `None` when there is none.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or the row cannot be read.
    pub async fn request_row(&self, id: RowId) -> Result<Option<RequestRow>, Error> {
        let path = request_path(id);
        let Some(row) = self.get(&path).await? else { return Ok(None) };
        let malformed = |error| ErrorKind::Malformed("a change request", format!("row {id}"), Some(error));
        whole(&row).map(Some).map_err(|error| Error::reading(path, malformed(error)))
    }

    /// Reads the change requests that pass a filter, in the order of their ids and without their documents.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or a row cannot be read.
    pub async fn request_rows(&self, filter: &RequestFilter) -> Result<Vec<RequestRow>, Error> {
        self.read_requests(filter, FIELDS, &|row| typed::<RequestFields>(&row).map(RequestRow::from)).await
    }

    async fn read_requests(
        &self,
        filter: &RequestFilter,
        fields: &str,
        read: Reader<'_, RequestRow>,
    ) -> Result<Vec<RequestRow>, Error> {
        let path = objects_path(CHANGE_REQUEST);
        if !filter.ids.is_empty() {
            let ids = filter.ids.iter().copied().collect();
            let rows = self.list_by_id((&path, fields), &ids, read, |row| row.id).await?;
            return rows.only(|row| filter.fits(row)).all();
        }
        let config = filter.config.map(|config| config.to_string());
        let given = config.as_deref().map(|config| ("config_id", config));
        // NetBox takes those in any of them; most requests are over.
        let states = filter.states.iter().map(|state| ("state", state.as_str()));
        let query: Vec<(&str, &str)> = [("fields", fields)].into_iter().chain(given).chain(states).collect();
        self.list_as(&path, &query, read).await?.only(|row| filter.fits(row)).all()
    }

    /// Reads the change requests that pass a filter with their documents, in the order of their ids.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or a row cannot be read.
    pub async fn whole_request_rows(&self, filter: &RequestFilter) -> Result<Vec<RequestRow>, Error> {
        self.read_requests(filter, &format!("{FIELDS},payload,intent,answer"), &|row| whole(&row)).await
    }

    /// Makes change requests. One whose key another row has is refused with [`Refusal::Taken`], and that row stays as it
    /// is. The outcomes stand in the order of the drafts.
    pub async fn make_requests(&self, drafts: Vec<Draft>, message: &str) -> Vec<Result<RowId, Refusal>> {
        let made = self.writer(CHANGE_REQUEST, message).leaving_others().create(drafts).await;
        made.into_iter().map(|made| made.map(|created| created.id)).collect()
    }

    /// Changes fields of a change request, if nobody has changed it since it had this ETag. When the answer is lost, the row
    /// tells what became of it, for which the fields have to hold something that nobody else would write.
    ///
    /// # Errors
    /// When NetBox refuses, or nobody knows what became of it.
    pub async fn save_request(
        &self,
        (id, etag): (RowId, &Etag),
        fields: &Row,
        message: &str,
    ) -> Result<Saved, Refusal> {
        let mut body = fields.clone();
        body.insert("changelog_message".to_owned(), message.into());
        let (path, body) = (request_path(id), Value::Object(body));
        Saving { client: self, path, id, etag: etag.clone(), fields, body, lost: false }.settle().await
    }
}

/// A change on a condition, until it is known what came of it.
struct Saving<'a> {
    client: &'a Client,
    path: String,
    id: RowId,
    etag: Etag,
    fields: &'a Row,
    body: Value,
    /// Says that an answer was lost, so that it may have been made, or still be made.
    lost: bool,
}

/// Why one try did not save it.
enum Failure {
    /// It was not saved, and never would be.
    Refused(Refusal),
    /// It was not saved, and may be sent again.
    NotSaved(Error),
    /// Nobody knows.
    Unknown(Error),
}

impl Saving<'_> {
    async fn settle(mut self) -> Result<Saved, Refusal> {
        let mut tries = 0;
        loop {
            let renewals = *self.client.renewals.lock().await;
            let error = match self.send().await {
                Ok(saved) => return Ok(saved),
                Err(Failure::Refused(refusal)) => return Err(refusal),
                Err(Failure::NotSaved(error)) => error,
                Err(Failure::Unknown(error)) => {
                    self.lost = true;
                    tracing::warn!(error = %error_chain(&error), "an answer to a write was lost");
                    // If that is not answered either, it is sent again: nothing is written twice on this condition.
                    if let Ok(Some(found)) = self.look().await {
                        return Ok(found);
                    }
                    error
                }
            };
            if tries >= RESENDS.count {
                return Err(if self.lost { Refusal::Unknown(error.into()) } else { refusal(error) });
            }
            if matches!(error.kind, ErrorKind::StaleType(_)) {
                self.client.renew_types(renewals).await;
            }
            tokio::time::sleep(RESENDS.jittered(tries)).await;
            tries += 1;
        }
    }

    async fn send(&mut self) -> Result<Saved, Failure> {
        let sent = self.client.transport.send_if(Method::PATCH, &self.path, &self.body, &self.etag.0).await;
        let reply = sent.map_err(Failure::of)?;
        match reply.status {
            status if status.is_success() => self.saved(&reply),
            StatusCode::PRECONDITION_FAILED if !self.lost => Ok(Saved::Changed),
            // It may have been this very change that came first.
            StatusCode::PRECONDITION_FAILED => Err(Failure::Unknown(reply.into_error())),
            StatusCode::NOT_FOUND => Ok(Saved::NotThere),
            _ => Err(Failure::of(reply.into_error())),
        }
    }

    /// Reads the row as it was written. What a worker with an older form of the type left out is written on top of that.
    fn saved(&mut self, reply: &Reply) -> Result<Saved, Failure> {
        let json = reply.json();
        let row = json.as_object().cloned().unwrap_or_default();
        let saved = whole(&row).map_err(|error| Failure::Unknown(reply.failed_with(self.malformed(error))))?;
        let Some(names) = lost_fields(self.fields, &row) else { return Ok(Saved::Saved(Box::new(saved))) };
        self.etag = saved.etag;
        Err(Failure::NotSaved(reply.failed_with(ErrorKind::StaleType(format!("it left out {names}")))))
    }

    /// Looks whether the change was made; `None` while the row is as it was.
    async fn look(&self) -> Result<Option<Saved>, Error> {
        let Some(row) = self.client.get(&self.path).await? else { return Ok(Some(Saved::Changed)) };
        let found = whole(&row).map_err(|error| Error::reading(&self.path, self.malformed(error)))?;
        if found.etag == self.etag {
            return Ok(None);
        }
        Ok(Some(if holds(&row, self.fields) { Saved::Saved(Box::new(found)) } else { Saved::Changed }))
    }

    fn malformed(&self, error: serde_json::Error) -> ErrorKind {
        ErrorKind::Malformed("a change request", format!("row {}", self.id), Some(error))
    }
}

impl Failure {
    fn of(error: Error) -> Self {
        match &error.kind {
            ErrorKind::StaleType(_) | ErrorKind::Throttled(_) | ErrorKind::NoAnswer(NoAnswer::NotSent(_)) => {
                Self::NotSaved(error)
            }
            // NetBox may fail when it has written.
            ErrorKind::NoAnswer(NoAnswer::Lost(_)) | ErrorKind::Failed(..) | ErrorKind::Malformed(..) => {
                Self::Unknown(error)
            }
            ErrorKind::Client(_)
            | ErrorKind::Token
            | ErrorKind::Forbidden(..)
            | ErrorKind::NotFound
            | ErrorKind::Redirected(_)
            | ErrorKind::Refused(..)
            | ErrorKind::FilterIgnored
            | ErrorKind::Destructive(_) => Self::Refused(refusal(error)),
        }
    }
}

fn refusal(error: Error) -> Refusal {
    match &error.kind {
        ErrorKind::Forbidden(..) => Refusal::Forbidden(error.into()),
        ErrorKind::Refused(_, reason) => Refusal::Rejected { reason: reason.clone() },
        ErrorKind::StaleType(_) => Refusal::Stale(error.into()),
        ErrorKind::Failed(..) => Refusal::Failed(error.into()),
        ErrorKind::Client(_)
        | ErrorKind::Token
        | ErrorKind::NoAnswer(_)
        | ErrorKind::Throttled(_)
        | ErrorKind::NotFound
        | ErrorKind::Redirected(_)
        | ErrorKind::Malformed(..)
        | ErrorKind::FilterIgnored
        | ErrorKind::Destructive(_) => Refusal::GivenUp(error.into()),
    }
}

/// Returns whether a row has these values in its fields, in NetBox's way of writing them.
pub(super) fn holds(row: &Row, fields: &Row) -> bool {
    fields.iter().all(|(name, sent)| row.get(name).is_some_and(|has| is_same(has, sent)))
}

fn is_same(has: &Value, sent: &Value) -> bool {
    let inner = |name: &str| has.get(name).is_some_and(|inner| inner == sent);
    let time =
        |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok()).map(|at| at.as_microsecond());
    let text = |value: &Value| value.as_str().map(|text| text.trim().to_owned());
    let nothing = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    has == sent
        || (!sent.is_object() && (inner("value") || inner("id")))
        || (nothing(has) && nothing(sent))
        || time(has).is_some_and(|at| time(sent) == Some(at))
        || text(has).is_some_and(|has| text(sent) == Some(has))
}

impl RequestFilter {
    fn fits(&self, row: &RequestRow) -> bool {
        self.config.is_none_or(|config| row.config == Some(config))
            && (self.states.is_empty() || self.states.contains(&row.state))
            && (self.ids.is_empty() || self.ids.contains(&row.id))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(value: &Value) -> Row {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn an_etag_is_made_of_the_time_as_netbox_writes_both() {
        let etag = |time: &str| Etag::of(time).0;
        insta::assert_snapshot!(etag("2026-11-27T21:00:00.123456Z"), @r#"W/"2026-11-27T21:00:00.123456+00:00""#);
        insta::assert_snapshot!(etag("2026-11-27T21:00:00Z"), @r#"W/"2026-11-27T21:00:00+00:00""#);
    }

    #[test]
    fn what_was_written_is_known_in_netboxs_way_of_writing_it() {
        let has = row(
            &json!({ "state": { "value": "approved", "label": "Approved" }, "config": { "id": 3, "url": "x" },
                               "expires": "2026-11-27T21:00:00Z", "message": null, "payload": { "a": [1] }, "seal": "ab" }),
        );
        let same =
            row(&json!({ "state": "approved", "config": 3, "expires": "2026-11-27T21:00:00.000Z", "message": "",
                                "payload": { "a": [1] }, "seal": "ab" }));
        assert!(holds(&has, &same));
        for (name, other) in [
            ("state", json!("waiting")),
            ("config", json!(4)),
            ("expires", json!("2026-11-27T21:00:01Z")),
            ("message", json!("x")),
            ("payload", json!({ "a": [2] })),
            ("seal", Value::Null),
        ] {
            assert!(!holds(&has, &Row::from_iter([(name.to_owned(), other)])), "{name}");
        }
        assert!(!holds(&has, &row(&json!({ "intent": null }))), "a field that is not there");
    }
}
