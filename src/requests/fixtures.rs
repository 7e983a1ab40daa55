//! Requests and what they are made of, for the tests of this room.

use jiff::Timestamp;
use serde_json::json;

use super::{
    change::{Change, Check, Content, Verdict},
    record::{ChangeRequest, Destination},
};
use crate::{
    arin::{Call, NewCustomer, NewHolder, NewNet, Verb},
    model::{Address, Instance, NetBlock, NetHandle, NetType, RowId},
    netbox::{RequestRow, change_requests::whole},
};

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn block(text: &str) -> NetBlock {
    text.parse::<ipnet::IpNet>().unwrap().into()
}

pub(super) fn destination() -> Destination {
    let instance = Instance::of(&url::Url::parse(Instance::PRODUCTION).unwrap());
    Destination { config: RowId(3), name: "Example".to_owned(), instance }
}

pub(super) fn new_net(prefix: &str) -> NewNet {
    let address = Address {
        street: vec!["1 Main St".to_owned()],
        city: Some("Springfield".to_owned()),
        state_province: Some("IL".to_owned()),
        postal_code: Some("62701".to_owned()),
        country: Some("US".to_owned()),
    };
    let customer = NewCustomer { name: "Sample".to_owned(), address, private: false, comment: Vec::new() };
    NewNet {
        name: "SAMPLE-1".to_owned(),
        parent: NetHandle::new("NET-192-0-2-0-1").unwrap(),
        range: block(prefix),
        kind: NetType::Reassigned,
        holder: NewHolder::Customer(customer),
        comment: Vec::new(),
    }
}

pub(super) fn content(prefix: &str) -> Content {
    let path = ["net", "NET-192-0-2-0-1", "reassign"].map(str::to_owned).to_vec();
    Content {
        change: Some(Change::Create(new_net(prefix))),
        call: Some(Call { method: Verb::Put, path, query: Vec::new(), body: Some("<net/>".to_owned()) }),
        checks: vec![Check { name: "parent".to_owned(), verdict: Verdict::Passed, reason: "It is.".to_owned() }],
        ..Content::default()
    }
}

/// A row as NetBox has it, for a request that waits for somebody.
pub(super) fn row() -> RequestRow {
    let fields = json!({
        "id": 7, "last_updated": "2026-11-27T12:00:00Z", "key": "arin:open/192.0.2.0-192.0.2.63", "summary": "Sample",
        "operation": "reassign-simple", "state": "waiting", "message": null, "config": { "id": 3 },
        "range": "192.0.2.0 - 192.0.2.63", "parent_handle": "NET-192-0-2-0-1", "ticket": "", "prefix": 4,
        "network": null, "customer": null, "organization": null, "requested_by": "ann",
        "requested_at": "2026-11-27T12:00:00Z", "approved_by": null, "approved_at": null, "expires": null,
        "submitted_at": null, "digest": null, "seal": null,
        "payload": content("192.0.2.0/26"), "intent": null, "answer": null,
    });
    whole(fields.as_object().unwrap()).unwrap()
}

/// The same, understood.
pub(super) fn request() -> ChangeRequest {
    row().try_into().unwrap()
}
