//! Checks the values that were sent for fields and brings them into the form they are stored in.
//!
//! These are the checks of NetBox's serializers. What is wrong comes back as NetBox words it: a list of messages, for
//! lists an object of them by position.

use ipnet::IpNet;
use jiff::{Timestamp, civil};
use serde_json::{Map, Value, json};

use super::{
    field::{Field, Kind},
    render,
    reply::wrong,
    store::Store,
};

/// Returns the value as it is stored, or what is wrong with it.
pub(super) fn checked(store: &Store, field: &Field, sent: &Value) -> Result<Value, Value> {
    if sent.is_null() {
        return match (&field.kind, field.nullable) {
            (Kind::Multiobject(_), _) => Ok(json!([])),
            (_, true) => Ok(Value::Null),
            (_, false) => Err(wrong("This field may not be null.")),
        };
    }
    match &field.kind {
        Kind::Text => text(field, sent),
        Kind::Integer { min, max } => integer(sent, *min, *max),
        Kind::Boolean if sent.is_boolean() => Ok(sent.clone()),
        Kind::Boolean => Err(wrong("Must be a valid boolean.")),
        Kind::Date => date(sent),
        Kind::DateTime => datetime(sent),
        Kind::Json => Ok(sent.clone()),
        Kind::Select(choice_set) => select(store, *choice_set, sent),
        Kind::Multiselect(choice_set) => multiselect(store, *choice_set, sent),
        Kind::Object(target) => linked(store, target, sent),
        Kind::Multiobject(target) => links(store, target, sent),
        Kind::Cidr => cidr(sent),
        Kind::Choice(choices) => match sent.as_str() {
            Some(word) if choices.contains(&word) => Ok(sent.clone()),
            _ => Err(wrong(format!("{} is not a valid choice.", sent.as_str().unwrap_or_default()))),
        },
        Kind::CustomFields(object_type) => custom_fields(store, object_type, sent),
    }
}

fn text(field: &Field, sent: &Value) -> Result<Value, Value> {
    let text = sent.as_str().ok_or_else(|| wrong("Not a valid string."))?.trim();
    if text.contains('\0') {
        return Err(wrong("Null characters are not allowed."));
    }
    if text.is_empty() && field.required {
        return Err(wrong("This field may not be blank."));
    }
    Ok(text.into())
}

/// Reads a number; a text is one when a field of text becomes one of numbers.
fn integer(sent: &Value, min: Option<i64>, max: Option<i64>) -> Result<Value, Value> {
    let number = sent.as_i64().or_else(|| sent.as_str()?.parse().ok());
    let number = number.ok_or_else(|| wrong("A valid integer is required."))?;
    match (min, max) {
        (Some(min), _) if number < min => Err(wrong(format!("Ensure this value is greater than or equal to {min}."))),
        (_, Some(max)) if number > max => Err(wrong(format!("Ensure this value is less than or equal to {max}."))),
        (_, _) => Ok(number.into()),
    }
}

fn date(sent: &Value) -> Result<Value, Value> {
    let fits = |text: &&str| text.len() == 10 && text.parse::<civil::Date>().is_ok();
    let date = sent.as_str().filter(fits).map(Value::from);
    date.ok_or_else(|| wrong("Date has wrong format. Use one of these formats instead: YYYY-MM-DD."))
}

fn datetime(sent: &Value) -> Result<Value, Value> {
    let time = sent.as_str().and_then(timestamp).map(|time| render::time(time).into());
    let forms = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]";
    time.ok_or_else(|| wrong(format!("Datetime has wrong format. Use one of these formats instead: {forms}.")))
}

/// Reads a time to the microsecond: what is finer is cut off, not rounded.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let time: Timestamp = text.parse().ok()?;
    Timestamp::from_microsecond(time.as_microsecond()).ok()
}

fn select(store: &Store, choice_set: Option<u64>, sent: &Value) -> Result<Value, Value> {
    if choice_set.is_none_or(|set| render::label(store, set, sent).is_some()) {
        return Ok(sent.clone());
    }
    let told = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
    Err(wrong(format!("{told} is not a valid choice.")))
}

fn multiselect(store: &Store, choice_set: u64, sent: &Value) -> Result<Value, Value> {
    let members = sent.as_array().ok_or_else(|| not_a_list(sent))?;
    let refused = |(position, member)| Some((format!("{position}"), select(store, Some(choice_set), member).err()?));
    let errors: Map<String, Value> = members.iter().enumerate().filter_map(refused).collect();
    if errors.is_empty() { Ok(sent.clone()) } else { Err(errors.into()) }
}

fn not_a_list(sent: &Value) -> Value {
    wrong(format!("Expected a list of items but got type \"{}\".", type_name(sent)))
}

/// Returns how Python calls the type of a value.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// Reads a link by id, or by an attribute of the object.
fn linked(store: &Store, target: &str, sent: &Value) -> Result<Value, Value> {
    let there = |id: &u64| store.table(target).is_some_and(|table| table.row(*id).is_some());
    if let Some((name, value)) = sent.as_object().and_then(|attributes| attributes.iter().next()) {
        let found = store.table(target).and_then(|table| table.rows().find(|(_, row)| row.get(name) == value));
        let told = || {
            let value = value.as_str().unwrap_or_default();
            wrong(format!("Related object not found using the provided attributes: {{'{name}': '{value}'}}"))
        };
        return found.map(|(id, _)| id.into()).ok_or_else(told);
    }
    match sent.as_u64() {
        Some(id) if there(&id) => Ok(id.into()),
        Some(id) => Err(wrong(format!("Related object not found using the provided numeric ID: {id}"))),
        None => Err(wrong(format!(
            "Related objects must be referenced by numeric ID or by dictionary of attributes. \
             Received an unrecognized value: {}",
            sent.as_str().unwrap_or_default()
        ))),
    }
}

/// Reads all links, or what is wrong with the first that is. Stored is each once, in the order of ids.
fn links(store: &Store, target: &str, sent: &Value) -> Result<Value, Value> {
    let members = sent.as_array().ok_or_else(|| json!({ "__all__": not_a_list(sent) }))?;
    let mut ids = members.iter().map(|member| linked(store, target, member)).collect::<Result<Vec<_>, _>>()?;
    ids.sort_by_key(Value::as_u64);
    ids.dedup();
    Ok(Value::Array(ids))
}

/// Reads the values of some custom fields.
fn custom_fields(store: &Store, object_type: &str, sent: &Value) -> Result<Value, Value> {
    let known = render::custom_fields(store, object_type, &Value::Null);
    let unknown = sent.as_object().into_iter().flatten().find(|(name, _)| known.get(name).is_none());
    match unknown {
        Some((name, _)) => Err(json!({ name: format!("Custom field '{name}' does not exist for this object type.") })),
        None => Ok(sent.clone()),
    }
}

fn cidr(sent: &Value) -> Result<Value, Value> {
    let text = sent.as_str().unwrap_or_default();
    let net: IpNet = text.parse().map_err(|_| wrong(format!("Invalid IP prefix format: {text}")))?;
    Ok(net.to_string().into())
}
