//! Filters: which objects a query asks for.
//!
//! A name that is no filter is passed over in silence, so that everything comes back: NetBox does so. Of repeated
//! values the last one counts, except of ids, of selections, and of the texts of NetBox's own objects.

use ipnet::IpNet;
use serde_json::Value;

use super::{
    call::Query,
    field::{Field, Kind},
    model::Model,
    table::{Row, Table},
    value,
};

/// Returns whether an object is asked for.
type Test<'a> = Box<dyn Fn(u64, &Row) -> bool + 'a>;

/// Returns the ids that pass all filters, in the order asked for.
pub(super) fn matching(table: &Table, query: &Query) -> Vec<u64> {
    let tests: Vec<Test<'_>> = query.names().filter_map(|name| test(&table.model, name, &query.all(name))).collect();
    let fitting = table.rows().filter(|(id, row)| tests.iter().all(|test| test(*id, row))).map(|(id, _)| id);
    if query.last("ordering") == Some("-id") { fitting.rev().collect() } else { fitting.collect() }
}

/// Returns the test of one name of the query; none when it is no filter, or has no value.
fn test<'a>(model: &'a Model, name: &str, values: &[&'a str]) -> Option<Test<'a>> {
    let last = values.last().copied()?;
    let number = last.parse::<u64>().ok();
    Some(match name {
        "id" => {
            let ids: Vec<u64> = values.iter().filter_map(|value| value.parse().ok()).collect();
            Box::new(move |id, _| ids.contains(&id))
        }
        "id__gt" => Box::new(move |id, _| number.is_some_and(|number| id > number)),
        "id__lt" => Box::new(move |id, _| number.is_some_and(|number| id < number)),
        "created__lt" => {
            let time = value::timestamp(last);
            Box::new(move |_, row| time.is_some_and(|time| row.created < time))
        }
        "within_include" | "contains" if model.field("prefix").is_some_and(|field| field.kind == Kind::Cidr) => {
            let wanted: Option<IpNet> = last.parse().ok();
            let net = |row: &Row| row.text("prefix")?.parse::<IpNet>().ok();
            let around = name == "contains";
            let fits =
                move |wanted: IpNet, net: IpNet| if around { net.contains(&wanted) } else { wanted.contains(&net) };
            Box::new(move |_, row| wanted.zip(net(row)).is_some_and(|(wanted, net)| fits(wanted, net)))
        }
        _ => match (name.strip_suffix("_id").and_then(|link| model.field(link)), model.field(name)) {
            (Some(field), _) if matches!(field.kind, Kind::Object(_)) => {
                Box::new(move |_, row| row.get(&field.name).as_u64() == number)
            }
            (_, Some(field)) => return of_field(field, values, model.custom),
            (_, None) => {
                let field = model.field(name.strip_suffix("__ic")?).filter(|field| field.kind == Kind::Text)?;
                contains(field, last)
            }
        },
    })
}

/// Returns the test of a text that has this in it, in upper or lower case.
fn contains<'a>(field: &'a Field, part: &str) -> Test<'a> {
    let part = part.to_lowercase();
    Box::new(move |_, row| row.text(&field.name).is_some_and(|text| text.to_lowercase().contains(&part)))
}

/// Returns the test of a field: NetBox's own objects are asked for by several texts, and all by several choices of a selection,
/// of which one has to fit.
fn of_field<'a>(field: &'a Field, values: &[&'a str], custom: bool) -> Option<Test<'a>> {
    let wanted = values.last().copied()?;
    match field.kind {
        Kind::Text if !custom => {
            let wanted = values.to_vec();
            Some(Box::new(move |_, row| row.text(&field.name).is_some_and(|text| wanted.contains(&text))))
        }
        Kind::Text if !field.exact => Some(contains(field, wanted)),
        Kind::Text => Some(Box::new(move |_, row| row.get(&field.name) == &Value::from(wanted))),
        Kind::Select(_) => {
            let wanted: Vec<Value> = values.iter().map(|value| Value::from(*value)).collect();
            Some(Box::new(move |_, row| wanted.contains(row.get(&field.name))))
        }
        // Nobody asks by these.
        Kind::Integer { .. }
        | Kind::Boolean
        | Kind::Date
        | Kind::DateTime
        | Kind::Json
        | Kind::Multiselect(_)
        | Kind::Object(_)
        | Kind::Multiobject(_)
        | Kind::Cidr
        | Kind::Choice(_)
        | Kind::CustomFields(_) => None,
    }
}
