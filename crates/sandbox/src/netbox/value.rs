//! What was sent for a field, checked and brought into the form it is stored in.
//!
//! These are the checks of NetBox's serializers. What is wrong comes back as NetBox words it: a list of messages, for
//! lists an object of them by position.

use ipnet::IpNet;
use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{
    field::{Choices, Field, Kind},
    render,
    reply::wrong,
    store::Store,
    table::Row,
};

/// The value as it is stored, or what is wrong with it.
pub(super) fn checked(store: &Store, field: &Field, sent: &Value) -> Result<Value, Value> {
    if sent.is_null() {
        return match (&field.kind, field.nullable) {
            (Kind::Multiobject { .. }, _) => Ok(json!([])),
            (_, true) => Ok(Value::Null),
            (_, false) => Err(wrong("This field may not be null.")),
        };
    }
    match &field.kind {
        Kind::Text => text(field, sent),
        Kind::Slug => text(field, sent).and_then(slug),
        Kind::Url => text(field, sent).and_then(url),
        Kind::Integer { min, max } => integer(sent).and_then(|number| in_range(number, *min, *max)),
        Kind::Decimal { min, max } => decimal(sent).and_then(|number| in_range(number, *min, *max)),
        Kind::Boolean => boolean(sent, field.nullable),
        Kind::Date => date(sent),
        Kind::DateTime => datetime(sent),
        Kind::Json => Ok(sent.clone()),
        Kind::Select(choices) => select(store, *choices, sent),
        Kind::Multiselect(choices) => each(sent, |value| select(store, *choices, value))
            .map_err(|errors| errors.unwrap_or_else(|| not_a_list(sent))),
        Kind::Object { target, .. } => linked(store, target, sent),
        Kind::Multiobject { target } => links(store, target, sent),
        Kind::Cidr => cidr(sent),
        Kind::Pairs => each(sent, pair).map_err(|errors| errors.unwrap_or_else(|| not_a_list(sent))),
        Kind::TypeNames => type_names(store, sent),
        Kind::Words(words) => {
            each(sent, |sent| word(words, sent)).map_err(|errors| errors.unwrap_or_else(|| not_a_list(sent)))
        }
    }
}

fn text(field: &Field, sent: &Value) -> Result<Value, Value> {
    let text = match sent {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(wrong("Not a valid string.")),
    };
    if text.contains('\0') {
        return Err(wrong("Null characters are not allowed."));
    }
    if text.is_empty() && field.required {
        return Err(wrong("This field may not be blank."));
    }
    Ok(Value::String(text))
}

fn slug(text: Value) -> Result<Value, Value> {
    let fits = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if text.as_str().is_some_and(fits) {
        return Ok(text);
    }
    Err(wrong("Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens."))
}

/// Hosts without a dot are refused, but for `localhost`.
fn url(text: Value) -> Result<Value, Value> {
    let host_fits = |url: &url::Url| match url.host() {
        Some(url::Host::Domain(host)) => host == "localhost" || host.contains('.'),
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        None => false,
    };
    let fits = |text: &str| text.is_empty() || url::Url::parse(text).is_ok_and(|url| host_fits(&url));
    if text.as_str().is_some_and(fits) { Ok(text) } else { Err(wrong("Enter a valid URL.")) }
}

fn integer(sent: &Value) -> Result<i64, Value> {
    let number = match sent {
        Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            text.strip_suffix(".0").and_then(|whole| whole.parse().ok())
        }
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.ok_or_else(|| wrong("A valid integer is required."))
}

fn decimal(sent: &Value) -> Result<f64, Value> {
    let text = match sent {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let invalid = || wrong("A valid number is required.");
    let text = text.ok_or_else(invalid)?;
    let number: f64 = text.parse().map_err(|_| invalid())?;
    if text.split_once('.').is_some_and(|(_, places)| places.len() > 2) {
        return Err(wrong("Ensure that there are no more than 2 decimal places."));
    }
    Ok(number)
}

fn in_range<N: PartialOrd + std::fmt::Display + Copy + Into<Value>>(
    number: N,
    min: Option<N>,
    max: Option<N>,
) -> Result<Value, Value> {
    match (min, max) {
        (Some(min), _) if number < min => Err(wrong(format!("Ensure this value is greater than or equal to {min}."))),
        (_, Some(max)) if number > max => Err(wrong(format!("Ensure this value is less than or equal to {max}."))),
        (_, _) => Ok(number.into()),
    }
}

fn boolean(sent: &Value, nullable: bool) -> Result<Value, Value> {
    let word = match sent {
        Value::Bool(value) => return Ok(Value::Bool(*value)),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => "not a word".to_owned(),
    };
    match word.as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(Value::Bool(true)),
        "false" | "f" | "no" | "n" | "off" | "0" => Ok(Value::Bool(false)),
        "" | "null" if nullable => Ok(Value::Null),
        _ => Err(wrong("Must be a valid boolean.")),
    }
}

fn date(sent: &Value) -> Result<Value, Value> {
    let fits = |text: &&str| text.len() == 10 && text.parse::<civil::Date>().is_ok();
    let date = sent.as_str().filter(fits).map(Value::from);
    date.ok_or_else(|| wrong("Date has wrong format. Use one of these formats instead: YYYY-MM-DD."))
}

fn datetime(sent: &Value) -> Result<Value, Value> {
    let time = sent.as_str().and_then(timestamp);
    time.map(|time| render::time(time).into()).ok_or_else(|| {
        wrong("Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
    })
}

/// A time to the microsecond; without an offset it is UTC, without a time midnight.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let local = || {
        let time = text.parse::<civil::DateTime>().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    let time: Timestamp = text.parse().ok().or_else(local)?;
    // What is finer than a microsecond is cut off, not rounded.
    Timestamp::from_microsecond(time.as_microsecond()).ok()
}

fn select(store: &Store, choices: Choices, sent: &Value) -> Result<Value, Value> {
    let known = |value: &Value| match choices {
        Choices::Fixed(values) => value.as_str().is_some_and(|value| values.contains(&value)),
        Choices::Set(id) => render::pairs(store, id).iter().any(|(known, _)| known == value),
    };
    match sent {
        Value::Array(_) | Value::Object(_) => {
            Err(wrong("Value must be passed directly (e.g. \"foo\": 123); do not use a dictionary or list."))
        }
        Value::String(text) if text.is_empty() => Err(wrong("This field may not be blank.")),
        value if known(value) => Ok(value.clone()),
        Value::String(text) => Err(wrong(format!("{text} is not a valid choice."))),
        Value::Null | Value::Bool(_) | Value::Number(_) => Err(wrong(format!("{sent} is not a valid choice."))),
    }
}

/// Each member of a list, checked; what is wrong stands under its position. `Err(None)` when it is no list.
fn each(sent: &Value, check: impl Fn(&Value) -> Result<Value, Value>) -> Result<Value, Option<Value>> {
    let members = sent.as_array().ok_or(None)?;
    let (mut fine, mut errors) = (Vec::new(), Map::new());
    for (position, member) in members.iter().enumerate() {
        match check(member) {
            Ok(value) => fine.push(value),
            Err(error) => drop(errors.insert(position.to_string(), error)),
        }
    }
    if errors.is_empty() { Ok(Value::Array(fine)) } else { Err(Some(Value::Object(errors))) }
}

fn word(words: &[&str], sent: &Value) -> Result<Value, Value> {
    let known = sent.as_str().is_some_and(|sent| words.contains(&sent));
    if known { Ok(sent.clone()) } else { Err(wrong(format!("{sent} is not a valid choice."))) }
}

fn pair(member: &Value) -> Result<Value, Value> {
    match member.as_array() {
        Some(pair) if pair.len() == 2 => Ok(member.clone()),
        Some(_) => Err(wrong("Ensure this field has exactly 2 elements.")),
        None => Err(not_a_list(member)),
    }
}

fn not_a_list(sent: &Value) -> Value {
    wrong(format!("Expected a list of items but got type \"{}\".", type_name(sent)))
}

/// How Python calls the type of a value.
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

/// A link by id, by id as text, or by attributes that fit exactly one object.
fn linked(store: &Store, target: &str, sent: &Value) -> Result<Value, Value> {
    let Some(table) = store.table(target) else { return Err(wrong("Related object not found.")) };
    let id = match sent {
        Value::Object(attributes) => {
            let mut fitting = table.rows().filter(|(id, row)| fits(*id, row, attributes)).map(|(id, _)| id);
            let found = fitting.next();
            return found
                .map(Value::from)
                .ok_or_else(|| wrong(format!("Related object not found using the provided attributes: {sent}")));
        }
        Value::Bool(value) => Some(u64::from(*value)),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Array(_) => None,
    };
    let id = id.ok_or_else(|| {
        let shown = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
        wrong(format!(
            "Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: {shown}"
        ))
    })?;
    match table.row(id) {
        Some(_) => Ok(id.into()),
        None => Err(wrong(format!("Related object not found using the provided numeric ID: {id}"))),
    }
}

fn fits(id: u64, row: &Row, attributes: &Map<String, Value>) -> bool {
    attributes
        .iter()
        .all(|(name, wanted)| if name == "id" { wanted.as_u64() == Some(id) } else { row.get(name) == wanted })
}

/// All links, or what is wrong with the first that is. Stored each once, in the order of ids.
fn links(store: &Store, target: &str, sent: &Value) -> Result<Value, Value> {
    let members = sent.as_array().ok_or_else(|| json!({ "__all__": not_a_list(sent) }))?;
    let mut ids = members.iter().map(|member| linked(store, target, member)).collect::<Result<Vec<_>, _>>()?;
    ids.sort_by_key(Value::as_u64);
    ids.dedup();
    Ok(Value::Array(ids))
}

fn cidr(sent: &Value) -> Result<Value, Value> {
    let text = sent.as_str().unwrap_or_default();
    let net: IpNet = text.parse().map_err(|_| wrong(format!("Invalid IP prefix format: {text}")))?;
    Ok(net.to_string().into())
}

fn type_names(store: &Store, sent: &Value) -> Result<Value, Value> {
    let names = sent.as_array().ok_or_else(|| not_a_list(sent))?;
    let known = |name: &Value| store.tables().any(|table| name.as_str() == Some(&table.model.object_type));
    match names.iter().find(|name| !known(name)) {
        Some(name) => Err(wrong(format!("Invalid content type: {}", name.as_str().unwrap_or_default()))),
        None => Ok(sent.clone()),
    }
}
