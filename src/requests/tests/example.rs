//! A net to be made, changed and removed, for the tests of this room.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::super::{
    change::{Change, CustomerChange, CustomerRemoval, NetTarget, NetworkChange, NetworkRemoval},
    checks::Known,
};
use crate::{
    arin::{NewCustomer, NewHolder, NewNet, Ticket},
    findings::registrations::RecordedNet,
    model::{
        Address, Customer, CustomerHandle, Holder, Instance, Net, NetBlock, NetHandle, NetType, Org, OrgHandle,
        Payload, PocFunction, PocHandle, RowId,
    },
};

pub(in crate::requests) const RANGE: &str = "23.144.1.0/24";
pub(in crate::requests) const PARENT: &str = "NET-23-144-0-0-1";
pub(in crate::requests) const NET: &str = "NET-23-144-1-0-1";
pub(in crate::requests) const CUSTOMER: &str = "C00000001";
/// When the net of the examples was registered.
pub(in crate::requests) const REGISTERED: &str = "2026-01-05T10:00:00-05:00";

pub(in crate::requests) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(in crate::requests) fn range(text: &str) -> NetBlock {
    match text.split_once('-') {
        Some((first, last)) => NetBlock::new(first.parse().unwrap(), last.parse().unwrap()).unwrap(),
        None => text.parse::<ipnet::IpNet>().unwrap().into(),
    }
}

pub(in crate::requests) fn handle(text: &str) -> NetHandle {
    NetHandle::new(text).unwrap()
}

pub(in crate::requests) fn org_handle(text: &str) -> OrgHandle {
    OrgHandle::new(text).unwrap()
}

pub(in crate::requests) fn customer_handle(text: &str) -> CustomerHandle {
    CustomerHandle::new(text).unwrap()
}

pub(in crate::requests) fn held_by_org(text: &str) -> Option<Holder> {
    Some(Holder::Org(org_handle(text)))
}

pub(in crate::requests) fn held_by_customer(text: &str) -> Option<Holder> {
    Some(Holder::Customer(customer_handle(text)))
}

pub(in crate::requests) fn address() -> Address {
    let some = |text: &str| Some(text.to_owned());
    Address {
        street: vec!["1 Example Street".to_owned()],
        city: some("Chantilly"),
        state_province: some("VA"),
        postal_code: some("20151"),
        country: some("US"),
    }
}

/// Dates a net as ARIN writes it.
pub(in crate::requests) fn dated(net: Net, registered: &str) -> Net {
    let day = registered.get(..10).map(|day| day.parse().unwrap());
    Net { registration_date: day, raw: Payload::new(&json!({ "registrationDate": registered })), ..net }
}

/// The net that the range is cut from, as ARIN has it.
pub(in crate::requests) fn parent() -> Net {
    let net = Net {
        handle: handle(PARENT),
        name: "EXAMPLE".to_owned(),
        kind: Some(NetType::DirectAllocation),
        blocks: vec![range("23.144.0.0/20")],
        parent: None,
        holder: held_by_org("EXAMPLE-1"),
        registration_date: None,
        raw: Payload::default(),
    };
    dated(net, "2020-01-05T10:00:00-05:00")
}

/// The net as ARIN has it, registered on this day.
pub(in crate::requests) fn net(registered: &str) -> Net {
    let net = Net {
        handle: handle(NET),
        name: "CUSTOMER-17".to_owned(),
        kind: Some(NetType::Reassigned),
        blocks: vec![range(RANGE)],
        parent: Some(handle(PARENT)),
        holder: held_by_customer(CUSTOMER),
        registration_date: None,
        raw: Payload::default(),
    };
    dated(net, registered)
}

/// The net's customer as ARIN has it.
pub(in crate::requests) fn customer() -> Customer {
    Customer {
        handle: customer_handle(CUSTOMER),
        name: "Customer Seventeen, Inc.".to_owned(),
        parent_org: Some(org_handle("EXAMPLE-1")),
        private: Some(false),
        address: Some(address()),
        registration_date: None,
        raw: Payload::default(),
    }
}

/// An organization that can be given space.
pub(in crate::requests) fn org() -> Org {
    let poc =
        |name: &str, functions: &[PocFunction]| (PocHandle::new(name).unwrap(), functions.iter().cloned().collect());
    let pocs = [poc("ADMIN-ARIN", &[PocFunction::Admin]), poc("NOC-ARIN", &[PocFunction::Tech, PocFunction::Abuse])];
    Org {
        handle: org_handle("SAMPLE-3"),
        name: "Sample".to_owned(),
        dba_name: None,
        url: None,
        address: None,
        registration_date: None,
        pocs: pocs.into(),
        accepts_reassignments: Some(true),
        raw: Payload::default(),
    }
}

pub(in crate::requests) fn new_customer() -> NewCustomer {
    let name = "Customer Seventeen, Inc.".to_owned();
    NewCustomer { name, address: address(), private: false, comment: Vec::new() }
}

pub(in crate::requests) fn new_net(holder: NewHolder) -> NewNet {
    NewNet {
        name: "CUSTOMER-17".to_owned(),
        parent: handle(PARENT),
        range: range(RANGE),
        kind: NetType::Reassigned,
        holder,
        comment: Vec::new(),
    }
}

pub(in crate::requests) fn simple() -> NewNet {
    new_net(NewHolder::Customer(new_customer()))
}

pub(in crate::requests) fn detailed() -> NewNet {
    new_net(NewHolder::Org(org_handle("SAMPLE-3")))
}

pub(in crate::requests) fn target() -> NetTarget {
    NetTarget {
        handle: handle(NET),
        range: range(RANGE),
        holder: held_by_customer(CUSTOMER),
        registered_on: net(REGISTERED).registration_date,
    }
}

pub(in crate::requests) fn rename_net(name: &str) -> Change {
    Change::ChangeNetwork(NetworkChange { net: target(), name: Some(name.to_owned()), comment: None })
}

pub(in crate::requests) fn customer_change() -> CustomerChange {
    let (customer, range) = (customer_handle(CUSTOMER), Some(range(RANGE)));
    CustomerChange { customer, range, name: None, address: None, private: None }
}

pub(in crate::requests) fn removal() -> Change {
    Change::RemoveNetwork(NetworkRemoval { net: target(), reason: None })
}

pub(in crate::requests) fn customer_removal() -> Change {
    Change::DeleteCustomer(CustomerRemoval { customer: customer_handle(CUSTOMER), net: Some(target()) })
}

/// A ticket of which nothing is told.
pub(in crate::requests) fn unknown_ticket(number: &str) -> Ticket {
    let (kind, status, resolution) = (None, None, None);
    let (created, updated, resolved, closed) = (None, None, None, None);
    Ticket { number: number.to_owned(), kind, status, resolution, created, updated, resolved, closed }
}

/// A net as NetBox has it recorded.
pub(in crate::requests) fn recorded(net: &Net) -> RecordedNet {
    RecordedNet {
        row: RowId(1),
        config: RowId(1),
        instance: instance(Instance::PRODUCTION),
        handle: net.handle.clone(),
        name: net.name.clone(),
        registered: true,
        kind: net.kind.clone(),
        blocks: net.blocks.clone(),
        parent: net.parent.clone(),
        holder: net.holder.clone(),
        registered_on: net.registration_date,
    }
}

pub(in crate::requests) fn instance(url: &str) -> Instance {
    Instance::of(&url.parse().unwrap())
}

pub(in crate::requests) fn known() -> Known {
    Known {
        instance: instance(Instance::PRODUCTION),
        ours: BTreeSet::from([org_handle("EXAMPLE-1")]),
        aggregates: vec!["23.144.0.0/20".parse().unwrap()],
        nets: vec![recorded(&parent())],
        under_way: Vec::new(),
    }
}
