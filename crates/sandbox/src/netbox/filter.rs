//! Which objects a query asks for.
//!
//! A name that is no filter is passed over in silence, so that everything comes back: NetBox does so. Of repeated values
//! the last one counts, except where noted.

use std::collections::HashSet;

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    call::Query,
    field::{Choices, Field, Filter, Kind},
    model::Model,
    render,
    reply::wrong,
    store::Store,
    table::{Row, Table},
    text, value,
};

/// Whether an object is asked for.
pub(super) type Test<'a> = Box<dyn Fn(u64, &Row) -> bool + 'a>;

/// The ids that pass all filters, in the order of the list, or what is wrong with the query.
pub(super) fn matching(store: &Store, table: &Table, query: &Query) -> Result<Vec<u64>, Map<String, Value>> {
    let (mut tests, mut errors) = (Vec::new(), Map::new());
    for name in query.names() {
        match test(store, &table.model, name, query) {
            Ok(test) => tests.extend(test),
            Err(error) => drop(errors.insert(name.to_owned(), wrong(error))),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let rows = || table.rows().filter(|(id, row)| tests.iter().all(|test| test(*id, row)));
    let asked = query.last("ordering").and_then(|ordering| super::order::asked(&table.model, rows(), ordering));
    Ok(asked.unwrap_or_else(|| super::order::sorted(&table.model, rows())))
}

/// The test of one name of the query; none when it is no filter, or has no value.
fn test<'a>(store: &'a Store, model: &'a Model, name: &str, query: &'a Query) -> Result<Option<Test<'a>>, String> {
    let values: Vec<&str> = query.all(name).into_iter().filter(|value| !value.is_empty()).collect();
    let Some(last) = values.last().copied() else { return Ok(None) };
    let (field, lookup) = name.split_once("__").unwrap_or((name, ""));
    match (field, model.field(field)) {
        ("id", _) => ids(&values, lookup),
        ("created" | "last_updated", _) => times(field, lookup, last),
        ("q", _) => Ok(Some(anywhere(model, last))),
        (_, Some(field)) => of_field(store, model, field, lookup, &values),
        (_, None) if lookup.is_empty() => Ok(special(store, model, name, last, &values)?),
        (_, None) => Ok(None),
    }
}

/// `id=` may be repeated to get all of them, the comparisons not.
fn ids<'a>(values: &[&str], lookup: &str) -> Result<Option<Test<'a>>, String> {
    let numbers = values.iter().map(|value| value.parse::<u64>());
    let numbers: HashSet<u64> = numbers.collect::<Result<_, _>>().map_err(|_| "Enter a whole number.".to_owned())?;
    let last = values.last().and_then(|value| value.parse().ok()).unwrap_or(0);
    let test: Test<'a> = match lookup {
        "" => Box::new(move |id, _| numbers.contains(&id)),
        "n" => Box::new(move |id, _| !numbers.contains(&id)),
        "gt" => Box::new(move |id, _| id > last),
        "gte" => Box::new(move |id, _| id >= last),
        "lt" => Box::new(move |id, _| id < last),
        "lte" => Box::new(move |id, _| id <= last),
        _ => return Ok(None),
    };
    Ok(Some(test))
}

fn times<'a>(field: &str, lookup: &str, value: &str) -> Result<Option<Test<'a>>, String> {
    let wanted = value::timestamp(value).ok_or_else(|| "Enter a valid date/time.".to_owned())?;
    let of: fn(&Row) -> Timestamp = if field == "created" { |row| row.created } else { |row| row.updated };
    let test: Test<'a> = match lookup {
        "" => Box::new(move |_, row| of(row) == wanted),
        "n" => Box::new(move |_, row| of(row) != wanted),
        "gt" => Box::new(move |_, row| of(row) > wanted),
        "gte" => Box::new(move |_, row| of(row) >= wanted),
        "lt" => Box::new(move |_, row| of(row) < wanted),
        "lte" => Box::new(move |_, row| of(row) <= wanted),
        _ => return Ok(None),
    };
    Ok(Some(test))
}

/// `q=`: any text field that contains it, in any case.
fn anywhere<'a>(model: &'a Model, value: &str) -> Test<'a> {
    let wanted = value.to_lowercase();
    Box::new(move |_, row| {
        let texts = model.fields.iter().filter(|field| !matches!(field.kind, Kind::Date | Kind::DateTime));
        texts.filter_map(|field| row.text(&field.name)).any(|text| text.to_lowercase().contains(&wanted))
    })
}

fn of_field<'a>(
    store: &Store,
    model: &Model,
    field: &'a Field,
    lookup: &str,
    values: &[&str],
) -> Result<Option<Test<'a>>, String> {
    let name = field.name.as_str();
    let last = values.last().copied().unwrap_or_default();
    if field.filter == Filter::Off {
        return Ok(None);
    }
    match &field.kind {
        Kind::Text | Kind::Slug | Kind::Url => {
            // NetBox's own models take repeated values as alternatives, custom objects the last one.
            let wanted = if model.custom { vec![last] } else { values.to_vec() };
            Ok(text::test(name, lookup, field.filter, &wanted))
        }
        Kind::Integer { .. } | Kind::Decimal { .. } => numbers(name, lookup, last),
        Kind::Json | Kind::Pairs | Kind::TypeNames | Kind::Words(_) => Ok(None),
        // The rest has no lookups.
        Kind::Boolean
        | Kind::Date
        | Kind::DateTime
        | Kind::Select(_)
        | Kind::Multiselect(_)
        | Kind::Object { .. }
        | Kind::Multiobject { .. }
        | Kind::Cidr
            if !lookup.is_empty() =>
        {
            Ok(None)
        }
        Kind::Boolean => Ok(boolean(name, last)),
        Kind::Date | Kind::DateTime => moment(field, last),
        Kind::Select(choices) | Kind::Multiselect(choices) => selection(store, name, *choices, values),
        Kind::Object { target, .. } if model.custom => {
            let id = existing(store, target, last)
                .ok_or("Select a valid choice. That choice is not one of the available choices.")?;
            Ok(Some(points_at(name, HashSet::from([id]))))
        }
        Kind::Object { target, .. } => by_slug(store, target, name, values),
        Kind::Multiobject { target } => Ok(Some(points_at(name, all_existing(store, target, values)?))),
        Kind::Cidr => Ok(Some(nets(model, values))),
    }
}

/// `true` and `false`; any other word is no filter.
fn boolean<'a>(name: &'a str, word: &str) -> Option<Test<'a>> {
    let wanted = Value::Bool(match word {
        "true" | "True" => true,
        "false" | "False" => false,
        _ => return None,
    });
    Some(Box::new(move |_, row| row.get(name) == &wanted))
}

fn moment<'a>(field: &'a Field, value: &str) -> Result<Option<Test<'a>>, String> {
    let told = if field.kind == Kind::Date { "Enter a valid date." } else { "Enter a valid date/time." };
    let wanted = value::timestamp(value).ok_or(told)?;
    Ok(Some(Box::new(move |_, row| row.text(&field.name).and_then(value::timestamp) == Some(wanted))))
}

/// One of the values chosen, whether one can be chosen or many.
fn selection<'a>(store: &Store, name: &'a str, choices: Choices, values: &[&str]) -> Result<Option<Test<'a>>, String> {
    known(store, choices, values)?;
    let wanted: HashSet<String> = values.iter().map(|value| (*value).to_owned()).collect();
    let is_wanted = move |value: &Value| value.as_str().is_some_and(|text| wanted.contains(text));
    Ok(Some(Box::new(move |_, row| any(row.get(name), &is_wanted))))
}

/// A link, or one of many, to one of these.
fn points_at(name: &str, ids: HashSet<u64>) -> Test<'_> {
    let is_wanted = move |value: &Value| value.as_u64().is_some_and(|id| ids.contains(&id));
    Box::new(move |_, row| any(row.get(name), &is_wanted))
}

fn any(value: &Value, fits: &impl Fn(&Value) -> bool) -> bool {
    fits(value) || value.as_array().is_some_and(|values| values.iter().any(fits))
}

/// Of prefixes several can be asked for, of aggregates one.
fn nets<'a>(model: &Model, values: &[&str]) -> Test<'a> {
    let several = render::is_prefixes(model);
    let wanted = values.iter().rev().take(if several { values.len() } else { 1 });
    let nets: HashSet<IpNet> = wanted.filter_map(|value| value.parse().ok()).collect();
    Box::new(move |_, row| net(row).is_some_and(|net| nets.contains(&net)))
}

/// Filters that are not named like a field.
fn special<'a>(
    store: &'a Store,
    model: &'a Model,
    name: &str,
    last: &str,
    values: &[&str],
) -> Result<Option<Test<'a>>, String> {
    if let Some(field) = name.strip_suffix("_id").and_then(|name| model.field(name)) {
        return linked(store, model, field, values);
    }
    let types = name == "object_type" && model.field("object_types").is_some();
    if types {
        let wanted = Value::from(last);
        return Ok(Some(Box::new(move |_, row| {
            row.get("object_types").as_array().is_some_and(|types| types.contains(&wanted))
        })));
    }
    if model.custom || model.field("prefix").is_none() {
        return Ok(None);
    }
    let wanted = last.parse::<IpNet>().or_else(|_| last.parse::<std::net::IpAddr>().map(IpNet::from)).ok();
    Ok(Some(match name {
        "within_include" => {
            Box::new(move |_, row| pair(wanted, row).is_some_and(|(wanted, net)| wanted.contains(&net)))
        }
        "within" => Box::new(move |_, row| {
            pair(wanted, row).is_some_and(|(wanted, net)| wanted.contains(&net) && wanted != net)
        }),
        "contains" => Box::new(move |_, row| pair(wanted, row).is_some_and(|(wanted, net)| net.contains(&wanted))),
        "family" => {
            let six = last == "6";
            Box::new(move |_, row| net(row).is_some_and(|net| net.addr().is_ipv6() == six))
        }
        _ => return Ok(None),
    }))
}

/// `<link>_id=`. A custom object type takes the last number and does not mind if nothing has it; NetBox's own models take
/// several, and `null`, and refuse what is not there.
fn linked<'a>(store: &Store, model: &Model, field: &'a Field, values: &[&str]) -> Result<Option<Test<'a>>, String> {
    let Kind::Object { target, .. } = &field.kind else { return Ok(None) };
    let name = field.name.as_str();
    if model.custom {
        let id: u64 = values.last().and_then(|last| last.parse().ok()).ok_or("Enter a whole number.")?;
        return Ok(Some(Box::new(move |_, row| row.get(name).as_u64() == Some(id))));
    }
    let numbers: Vec<&str> = values.iter().copied().filter(|value| *value != "null").collect();
    let unlinked = field.nullable && numbers.len() < values.len();
    let ids = all_existing(store, target, &numbers)?;
    Ok(Some(Box::new(move |_, row| match row.get(name).as_u64() {
        Some(id) => ids.contains(&id),
        None => unlinked,
    })))
}

/// By slug, a VRF by its route distinguisher; several are alternatives.
fn by_slug<'a>(store: &Store, target: &str, name: &'a str, values: &[&str]) -> Result<Option<Test<'a>>, String> {
    let by = if name == "vrf" { "rd" } else { "slug" };
    let rows = || store.table(target).into_iter().flat_map(Table::rows);
    let found = values.iter().map(|wanted| {
        let row = rows().find(|(_, row)| row.text(by) == Some(*wanted));
        row.map(|(id, _)| id)
            .ok_or_else(|| format!("Select a valid choice. {wanted} is not one of the available choices."))
    });
    Ok(Some(points_at(name, found.collect::<Result<_, _>>()?)))
}

fn existing(store: &Store, target: &str, value: &str) -> Option<u64> {
    let id: u64 = value.parse().ok()?;
    store.table(target)?.row(id).map(|_| id)
}

fn all_existing(store: &Store, target: &str, values: &[&str]) -> Result<HashSet<u64>, String> {
    let found = values.iter().map(|value| {
        existing(store, target, value)
            .ok_or_else(|| format!("Select a valid choice. {value} is not one of the available choices."))
    });
    found.collect()
}

fn known(store: &Store, choices: Choices, values: &[&str]) -> Result<(), String> {
    let is_known = |value: &str| match choices {
        Choices::Fixed(known) => known.contains(&value),
        Choices::Set(id) => render::pairs(store, id).iter().any(|(known, _)| known == value),
    };
    match values.iter().find(|value| !is_known(value)) {
        Some(value) => Err(format!("Select a valid choice. {value} is not one of the available choices.")),
        None => Ok(()),
    }
}

fn numbers<'a>(name: &'a str, lookup: &str, value: &str) -> Result<Option<Test<'a>>, String> {
    if !["", "n", "gt", "gte", "lt", "lte"].contains(&lookup) {
        return Ok(None);
    }
    let wanted: f64 = value.parse().map_err(|_| "Enter a number.".to_owned())?;
    let compare: fn(f64, f64) -> bool = match lookup {
        "n" => |stored, wanted| stored != wanted,
        "gt" => |stored, wanted| stored > wanted,
        "gte" => |stored, wanted| stored >= wanted,
        "lt" => |stored, wanted| stored < wanted,
        "lte" => |stored, wanted| stored <= wanted,
        _ => |stored, wanted| stored == wanted,
    };
    Ok(Some(Box::new(move |_, row| row.get(name).as_f64().is_some_and(|stored| compare(stored, wanted)))))
}

fn net(row: &Row) -> Option<IpNet> {
    row.text("prefix")?.parse().ok()
}

fn pair(wanted: Option<IpNet>, row: &Row) -> Option<(IpNet, IpNet)> {
    Some((wanted?, net(row)?))
}
