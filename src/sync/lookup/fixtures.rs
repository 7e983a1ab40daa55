//! What is recorded, for the tests of this folder.

use jiff::{SignedDuration, Timestamp};

use super::recall::{Recall, Refresh};
use crate::model::{
    Fields, Holder, Instance, Inventory, ListedNet, NetBlock, ObjectType, Row, RowId, Value, inventory::REGISTERED,
};

/// Returns a moment.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn instance() -> Instance {
    Instance::of(&Instance::PRODUCTION.parse().unwrap())
}

fn row(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Row {
    let status = ("status", Value::Text(REGISTERED.to_owned()));
    Row {
        id: RowId(7),
        fields: fields.into_iter().chain([status]).collect(),
        last_synced: None,
        synced_by: None,
        tenant: None,
    }
}

/// A net that is recorded as it is listed, with this date; it was refreshed a moment ago.
pub(super) fn recorded(net: &ListedNet, listed: Timestamp) -> Recall {
    let text = |text: &str| Value::text(Some(text));
    let cidrs: Vec<String> = net.blocks.iter().flat_map(NetBlock::prefixes).map(|cidr| cidr.to_string()).collect();
    let mut fields = Fields::from([
        ("config", Value::NetBoxRow(RowId(1))),
        ("net_name", text(&net.name)),
        ("net_type", text("S")),
        ("cidrs", text(&cidrs.join(", "))),
        ("digest", text("d")),
        ("listed", text(&listed.to_string())),
    ]);
    let mut has = Inventory::default();
    match &net.holder {
        Some(Holder::Org(org)) => drop(fields.insert("organization", Value::OurRow(instance().key(org)))),
        Some(Holder::Customer(customer)) => {
            let network = ("network", Value::OurRow(instance().key(&net.handle)));
            let rows = [(instance().key(customer), row([network]))];
            has.rows.insert(ObjectType::Customer, rows.into());
        }
        None => {}
    }
    has.rows.insert(ObjectType::Network, [(instance().key(&net.handle), row(fields))].into());
    let refresh = Refresh { since: Some(at(1_000_000)), now: at(1_000_000), period: SignedDuration::from_hours(1) };
    Recall::new(&has, &instance(), RowId(1), refresh)
}
