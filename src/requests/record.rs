//! A change request as it stands in NetBox, and the row that it is made of.
//!
//! Anybody who may change such rows in NetBox can write anything into them. A row that makes no sense is an error of its own
//! and goes no further; whether one that does was tampered with is for its seal to tell.
//!
//! The unique `key` of a row holds the place that an open request takes: `arin:open/192.0.2.0-192.0.2.255`, with the name of
//! the registry instance before it. While that row is open, NetBox's database takes no other with this key, whoever asks at
//! the same time. When the request is over its key becomes `request:17`, and the place is free.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    change::{Change, Content},
    intent::Intent,
    operation::{NoSuchOperation, Operation},
    state::{NoSuchState, State},
};
use crate::{
    model::{Config, CustomerHandle, Holder, Instance, Key, NetBlock, NetHandle, RowId},
    netbox::{Etag, RequestLinks, RequestRow, Row, registered::range},
};

/// A recorded change request.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "`types.toml` says what the fields are")]
pub struct ChangeRequest {
    pub id: RowId,
    pub etag: Etag,
    pub key: Key,
    pub config: RowId,
    pub operation: Operation,
    pub state: State,
    pub summary: String,
    pub message: Option<String>,
    pub range: Option<NetBlock>,
    pub parent: Option<NetHandle>,
    pub ticket: Option<String>,
    pub links: RequestLinks,
    pub content: Content,
    /// The digest of the call, as people compare it.
    pub digest: Option<String>,
    pub seal: Option<String>,
    pub requested_by: String,
    pub requested_at: Timestamp,
    pub approval: Option<Approval>,
    pub submitted_at: Option<Timestamp>,
    /// What is noted before the call is sent.
    pub intent: Option<Value>,
    /// What ARIN answered.
    pub answer: Option<Value>,
}

/// Somebody's word that a change may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The NetBox user.
    pub by: String,
    /// When they gave it.
    pub at: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// A row that cannot be understood as a change request.
#[derive(Debug, thiserror::Error)]
#[error("change request {id} cannot be understood, and is left alone; was it edited in NetBox?")]
pub struct NotUnderstood {
    /// The row.
    pub id: RowId,
    /// What is wrong with it.
    #[source]
    pub why: Wrong,
}

/// What is wrong with a row.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// It names no known operation.
    #[error(transparent)]
    Operation(#[from] NoSuchOperation),
    /// It names no known state.
    #[error(transparent)]
    State(#[from] NoSuchState),
    /// Its payload has another form.
    #[error("its payload has another form")]
    Payload(#[from] serde_json::Error),
    /// A field is empty that cannot be.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// A field says something else than the payload.
    #[error("`{0}` is not what the payload says")]
    Differs(&'static str),
}

/// What an open request is about. Two that are about the same cannot be open at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A range.
    Range(NetBlock),
    /// A customer who holds no range any more, or whose range is not known.
    Customer(CustomerHandle),
}

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The row of the config.
    pub config: RowId,
    /// Its name, by which API keys are found.
    pub name: String,
    /// The registry instance.
    pub instance: Instance,
}

impl Destination {
    /// Makes that of a config at its registry instance.
    #[must_use]
    pub fn new(config: &Config, instance: Instance) -> Self {
        Self { config: config.id, name: config.name.clone(), instance }
    }
}

impl Subject {
    /// Returns what a change is about. The range of a customer who is to be deleted may be somebody else's by now.
    #[must_use]
    pub fn of(change: &Change) -> Option<Self> {
        match change {
            Change::DeleteCustomer(removal) => Some(Self::Customer(removal.customer.clone())),
            Change::ChangeCustomer(change) if change.range.is_none() => Some(Self::Customer(change.customer.clone())),
            Change::Create(_) | Change::ChangeNetwork(_) | Change::ChangeCustomer(_) | Change::RemoveNetwork(_) => {
                change.range().map(Self::Range)
            }
        }
    }

    /// Returns the key of the row of the one open request about it.
    #[must_use]
    pub fn key(&self, instance: &Instance) -> Key {
        instance.key(match self {
            Self::Range(range) => format!("open/{}-{}", range.first(), range.last()),
            Self::Customer(customer) => format!("open/{customer}"),
        })
    }
}

/// Returns the key of the row of a request that is over.
#[must_use]
pub fn key_when_over(id: RowId) -> Key {
    Key::recorded(format!("request:{id}"))
}

impl TryFrom<RequestRow> for ChangeRequest {
    type Error = NotUnderstood;

    fn try_from(row: RequestRow) -> Result<Self, NotUnderstood> {
        let id = row.id;
        understood(row).map_err(|why| NotUnderstood { id, why })
    }
}

fn understood(row: RequestRow) -> Result<ChangeRequest, Wrong> {
    let (operation, state): (Operation, State) = (row.operation.parse()?, row.state.parse()?);
    let content: Content = serde_json::from_value(row.payload)?;
    let range = match row.range.as_deref() {
        Some(text) => Some(range(text).ok_or(Wrong::Differs("range"))?),
        None => None,
    };
    if let Some(change) = &content.change {
        if change.operation() != operation {
            return Err(Wrong::Differs("operation"));
        }
        if change.range() != range {
            return Err(Wrong::Differs("range"));
        }
    }
    if needs_call(state) && (content.call.is_none() || content.change.is_none()) {
        return Err(Wrong::Empty("payload"));
    }
    let approval = match (row.approved_by, row.approved_at, row.expires) {
        (Some(by), Some(at), Some(expires)) => Some(Approval { by, at, expires }),
        _ if state == State::Approved || state.is_under_way() => return Err(Wrong::Empty("approved_by")),
        _ => None,
    };
    Ok(ChangeRequest {
        id: row.id,
        etag: row.etag,
        key: row.key,
        config: row.config.ok_or(Wrong::Empty("config"))?,
        operation,
        state,
        summary: row.summary,
        message: row.message,
        range,
        parent: row.parent_handle.as_deref().and_then(NetHandle::new),
        ticket: row.ticket,
        links: row.links,
        content,
        digest: row.digest,
        seal: row.seal,
        requested_by: row.requested_by.ok_or(Wrong::Empty("requested_by"))?,
        requested_at: row.requested_at.ok_or(Wrong::Empty("requested_at"))?,
        approval,
        submitted_at: row.submitted_at,
        intent: Some(row.intent).filter(|intent| !intent.is_null()),
        answer: Some(row.answer).filter(|answer| !answer.is_null()),
    })
}

/// Returns whether there is something to send in a state.
fn needs_call(state: State) -> bool {
    match state {
        State::Waiting | State::Approved | State::Submitting | State::Unknown | State::Ticket | State::Done => true,
        State::Draft | State::Refused | State::Rejected | State::Withdrawn | State::Expired | State::Failed => false,
    }
}

impl ChangeRequest {
    /// Returns what was noted before the call was sent; `None` for one that was not sent, or whose note makes no sense.
    #[must_use]
    pub fn noted(&self) -> Option<Intent> {
        serde_json::from_value(self.intent.clone()?).ok()
    }

    /// Returns the handle of the net that it is about, or that it made.
    #[must_use]
    pub fn network(&self) -> Option<NetHandle> {
        let made = || NetHandle::new(self.answer.as_ref()?.pointer("/net/handle")?.as_str()?);
        made().or_else(|| match self.content.change.as_ref()? {
            Change::Create(_) | Change::ChangeCustomer(_) => None,
            Change::ChangeNetwork(change) => Some(change.net.handle.clone()),
            Change::RemoveNetwork(removal) => Some(removal.net.handle.clone()),
            Change::DeleteCustomer(removal) => removal.net.as_ref().map(|net| net.handle.clone()),
        })
    }

    /// Returns the handle of the customer that it is about, or that it made.
    #[must_use]
    pub fn customer(&self) -> Option<CustomerHandle> {
        let told = |at| CustomerHandle::new(self.answer.as_ref()?.pointer(at)?.as_str()?);
        told("/customer/handle").or_else(|| match self.content.change.as_ref()? {
            Change::Create(_) => told("/net/customer"),
            Change::ChangeNetwork(_) => None,
            Change::ChangeCustomer(change) => Some(change.customer.clone()),
            Change::DeleteCustomer(removal) => Some(removal.customer.clone()),
            Change::RemoveNetwork(removal) => match &removal.net.holder {
                Some(Holder::Customer(customer)) => Some(customer.clone()),
                Some(Holder::Org(_)) | None => None,
            },
        })
    }

    /// Returns the fields by which it gets to another state. One that is over gives its place free.
    #[must_use]
    pub fn moved(&self, to: State) -> Row {
        let mut fields = Row::from_iter([("state".to_owned(), to.name().into())]);
        if !to.is_open() {
            fields.insert("key".to_owned(), key_when_over(self.id).as_str().into());
        }
        fields
    }

    /// Returns the fields by which it gets to another state, with a sentence about why.
    #[must_use]
    pub fn moved_because(&self, to: State, message: &str) -> Row {
        let mut fields = self.moved(to);
        fields.insert("message".to_owned(), message.into());
        fields
    }
}

/// Returns the fields that say by whom it is approved, all of them empty for nobody.
pub(super) fn approval_fields(approval: Option<&Approval>) -> Row {
    let text = |time: fn(&Approval) -> Timestamp| approval.map(|approval| time(approval).to_string());
    let fields = json!({
        "approved_by": approval.map(|approval| &approval.by),
        "approved_at": text(|approval| approval.at),
        "expires": text(|approval| approval.expires),
    });
    fields.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::requests::{
        change::CustomerRemoval,
        fixtures::{block, content, destination, request, row},
    };

    fn wrong(edit: impl FnOnce(&mut RequestRow)) -> String {
        let mut row = row();
        edit(&mut row);
        let error = ChangeRequest::try_from(row).unwrap_err();
        assert!(error.to_string().contains("change request 7"), "{error}");
        error.source().unwrap().to_string()
    }

    #[test]
    fn a_row_is_read_as_it_stands() {
        let request = request();
        assert_eq!((request.id, request.config, request.state), (RowId(7), RowId(3), State::Waiting));
        assert_eq!((request.range, request.operation), (Some(block("192.0.2.0/26")), Operation::ReassignSimple));
        assert_eq!((request.content, request.ticket), (content("192.0.2.0/26"), None));
    }

    #[test]
    fn a_row_that_was_edited_is_named_and_goes_no_further() {
        insta::assert_snapshot!(wrong(|row| row.state = "sent".to_owned()), @"there is no state `sent`");
        insta::assert_snapshot!(wrong(|row| row.operation = "transfer".to_owned()), @"there is no operation `transfer`");
        insta::assert_snapshot!(wrong(|row| row.operation = "reallocate".to_owned()), @"`operation` is not what the payload says");
        insta::assert_snapshot!(wrong(|row| row.range = Some("192.0.2.0/24".to_owned())), @"`range` is not what the payload says");
        insta::assert_snapshot!(wrong(|row| row.range = None), @"`range` is not what the payload says");
        insta::assert_snapshot!(wrong(|row| row.range = Some("there".to_owned())), @"`range` is not what the payload says");
        insta::assert_snapshot!(wrong(|row| row.payload = json!({ "call": 7 })), @"its payload has another form");
        insta::assert_snapshot!(wrong(|row| row.payload = Value::Null), @"its payload has another form");
        insta::assert_snapshot!(wrong(|row| row.payload = json!({})), @"`payload` is empty");
        insta::assert_snapshot!(wrong(|row| row.config = None), @"`config` is empty");
        insta::assert_snapshot!(wrong(|row| row.requested_by = None), @"`requested_by` is empty");
        for state in ["approved", "submitting", "unknown", "ticket"] {
            let told = wrong(|row| {
                row.state = state.to_owned();
                row.approved_by = Some("ben".to_owned());
            });
            assert_eq!(told, "`approved_by` is empty", "{state}");
        }
    }

    #[test]
    fn a_place_is_taken_for_as_long_as_the_request_is_open() {
        let request = request();
        assert_eq!(Subject::Range(block("192.0.2.0/26")).key(&destination().instance), request.key);
        assert_eq!(Value::Object(request.moved(State::Approved)), json!({ "state": "approved" }));
        assert_eq!(Value::Object(request.moved(State::Done)), json!({ "state": "done", "key": "request:7" }));
    }

    #[test]
    fn a_customer_left_behind_takes_no_range() {
        let customer = CustomerHandle::new("C1").unwrap();
        let removal = CustomerRemoval { customer, net: None };
        let subject = Subject::of(&Change::DeleteCustomer(removal)).unwrap();
        assert_eq!(subject.key(&destination().instance).as_str(), "arin:open/C1");
    }
}
