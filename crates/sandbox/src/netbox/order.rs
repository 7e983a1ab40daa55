//! The order lists stand in.

use std::{cmp::Ordering, net::IpAddr};

use ipnet::IpNet;
use serde_json::Value;

use super::{model::Model, table::Row};

/// One value to order by. Nothing comes first for links and last for text, as NetBox's own lists have it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Unlinked,
    Number(i128),
    Net(bool, IpAddr, u8),
    Text(String),
    Nothing,
}

/// The ids in the order of the model's list.
pub(super) fn sorted<'a>(model: &Model, rows: impl Iterator<Item = (u64, &'a Row)>) -> Vec<u64> {
    // Tables give their rows by id, and so do lists of links.
    if model.order.is_empty() {
        return rows.map(|(id, _)| id).collect();
    }
    let mut ranked: Vec<(Vec<Rank>, u64)> =
        rows.map(|(id, row)| (model.order.iter().map(|field| rank(field, row)).collect(), id)).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, id)| id).collect()
}

/// The ids in the order that was asked for; `None` when it names no field.
pub(super) fn asked<'a>(model: &Model, rows: impl Iterator<Item = (u64, &'a Row)>, ordering: &str) -> Option<Vec<u64>> {
    let (name, turn): (_, fn(Ordering) -> Ordering) = match ordering.strip_prefix('-') {
        Some(name) => (name, Ordering::reverse),
        None => (ordering, |ordering| ordering),
    };
    let by_time = ["created", "last_updated"].contains(&name);
    if name != "id" && !by_time && model.field(name).is_none() {
        return None;
    }
    let rank_of = |id: u64, row: &Row| match name {
        "id" => Rank::Number(id.into()),
        "created" => Rank::Number(row.created.as_nanosecond()),
        "last_updated" => Rank::Number(row.updated.as_nanosecond()),
        field => rank(field, row),
    };
    let mut ranked: Vec<(Rank, u64)> = rows.map(|(id, row)| (rank_of(id, row), id)).collect();
    ranked.sort_by(|a, b| turn(a.0.cmp(&b.0)).then(a.1.cmp(&b.1)));
    Some(ranked.into_iter().map(|(_, id)| id).collect())
}

fn rank(field: &str, row: &Row) -> Rank {
    match row.get(field) {
        Value::Null if field == "vrf" => Rank::Unlinked,
        Value::Null | Value::Array(_) | Value::Object(_) => Rank::Nothing,
        Value::Bool(value) => Rank::Number(i128::from(*value)),
        Value::Number(number) => number.as_i64().map_or(Rank::Nothing, |number| Rank::Number(number.into())),
        Value::String(text) => match text.parse::<IpNet>() {
            Ok(net) => Rank::Net(net.addr().is_ipv6(), net.network(), net.prefix_len()),
            Err(_) => Rank::Text(text.clone()),
        },
    }
}
