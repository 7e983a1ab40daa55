//! What must hold of a whole object: the checks NetBox's models make after each field was found fit.

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::{
    field::{Field, Kind},
    model::{AGGREGATES, CHOICE_SETS, EVENT_RULES, Model, VRFS, WEBHOOKS},
    render,
    reply::wrong,
    store::Store,
};

/// What is wrong, by field. Fields that were not sent are looked at as well: an old row may break a new rule.
pub(super) fn broken(store: &Store, model: &Model, id: u64, values: &Map<String, Value>) -> Map<String, Value> {
    let each = model.fields.iter().filter_map(|field| {
        let value = values.get(&field.name).unwrap_or(&Value::Null);
        Some((field.name.clone(), wrong(fault(field, value)?)))
    });
    let whole = if model.endpoint == AGGREGATES {
        overlap(store, id, values).map(|error| ("prefix", error))
    } else if render::is_prefixes(model) {
        duplicate(store, model, id, values).map(|error| ("prefix", error))
    } else if model.endpoint == CHOICE_SETS {
        repeated_choice(values).map(|error| ("__all__", error))
    } else if model.endpoint == EVENT_RULES {
        aimless(store, values).map(|error| ("action_object_id", error))
    } else {
        None
    };
    each.chain(whole.map(|(name, error)| (name.to_owned(), wrong(error)))).collect()
}

fn fault(field: &Field, value: &Value) -> Option<String> {
    match (value, &field.regex) {
        (Value::Null, _) if field.required && field.kind == Kind::Text => {
            Some("This field cannot be blank.".to_owned())
        }
        (Value::Null, _) if field.required => Some("This field cannot be null.".to_owned()),
        (Value::String(text), Some(regex)) if !text.is_empty() && !regex.is_match(text) => {
            Some(format!("Values must match this regex: {regex}"))
        }
        (Value::String(text), _) if field.kind == Kind::Cidr => host_bits(text),
        (_, _) => None,
    }
}

fn host_bits(text: &str) -> Option<String> {
    let net: IpNet = text.parse().ok()?;
    (net.trunc() != net).then(|| format!("{net} is not a valid prefix. Did you mean {}?", net.trunc()))
}

/// Aggregates may not overlap.
fn overlap(store: &Store, id: u64, values: &Map<String, Value>) -> Option<String> {
    let this = net(values)?;
    let others = store.table(AGGREGATES)?.rows().filter(|(other, _)| *other != id);
    let mut others = others.filter_map(|(_, row)| net(&row.values));
    others.find_map(|other| {
        if other.contains(&this) {
            let told = "Aggregates cannot overlap.";
            Some(format!("{told} {this} is already covered by an existing aggregate ({other})."))
        } else if this.contains(&other) {
            Some(format!("Aggregates cannot overlap. {this} covers an existing aggregate ({other})."))
        } else {
            None
        }
    })
}

/// A prefix may stand once in the global table, and in a VRF that wants it so.
fn duplicate(store: &Store, model: &Model, id: u64, values: &Map<String, Value>) -> Option<String> {
    let (prefix, vrf) = (values.get("prefix")?, values.get("vrf").unwrap_or(&Value::Null));
    let within = vrf.as_u64().and_then(|vrf| store.table(VRFS)?.row(vrf).map(|row| (vrf, row)));
    if within.is_some_and(|(_, row)| row.get("enforce_unique") == &Value::Bool(false)) {
        return None;
    }
    let same =
        |other: u64, row: &super::table::Row| other != id && row.get("prefix") == prefix && row.get("vrf") == vrf;
    store.table(&model.endpoint)?.rows().find(|(other, row)| same(*other, row))?;
    let place = within.map_or_else(
        || "global table".to_owned(),
        |(vrf, row)| {
            let vrfs = store.table(VRFS).map(|table| &table.model);
            format!("VRF {}", vrfs.map(|model| render::display(model, vrf, row)).unwrap_or_default())
        },
    );
    Some(format!("Duplicate prefix found in {place}: {}", prefix.as_str().unwrap_or_default()))
}

fn repeated_choice(values: &Map<String, Value>) -> Option<String> {
    let pairs = values.get("extra_choices")?.as_array()?;
    let choices: Vec<&Value> = pairs.iter().filter_map(|pair| pair.get(0)).collect();
    let repeated =
        choices.iter().enumerate().find(|(at, choice)| choices.iter().take(*at).any(|other| other == *choice));
    repeated
        .map(|(_, choice)| format!("Duplicate value '{}' found in extra choices.", choice.as_str().unwrap_or_default()))
}

/// An event rule needs a webhook to call.
fn aimless(store: &Store, values: &Map<String, Value>) -> Option<String> {
    let Some(id) = values.get("action_object_id").and_then(Value::as_u64) else {
        return Some("This action requires a target object to be selected.".to_owned());
    };
    let there = store.table(WEBHOOKS).is_some_and(|table| table.row(id).is_some());
    (!there).then(|| format!("Related object not found using the provided value: {id}."))
}

fn net(values: &Map<String, Value>) -> Option<IpNet> {
    values.get("prefix")?.as_str()?.parse().ok()
}
