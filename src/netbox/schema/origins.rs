//! The custom field by which an operator says who announces a prefix or an aggregate.
//!
//! It is found by its name. What an operator set on it stays: its label, its group, where else it is.

use std::fmt;

use serde_json::{Value, json};

use super::{
    bootstrap::make,
    extras::{self, Upsert},
};
use crate::netbox::{
    client::Client,
    error::Error,
    row::{Row, id_of},
};

pub(in crate::netbox) const CUSTOM_FIELDS: &str = "/api/extras/custom-fields/";
/// Its name.
pub const ORIGIN_ASNS: &str = "origin_asns";
/// The objects that have it.
const OBJECTS: [&str; 2] = ["ipam.prefix", "ipam.aggregate"];
/// What its values are.
const KIND: &str = "multiobject";
/// The objects that it leads to.
const LEADS_TO: &str = "ipam.asn";

/// The change by which NetBox gets the field; its `Display` is a diff.
#[derive(Debug, Clone, PartialEq)]
pub struct OriginsPlan(Option<Upsert>);

/// NetBox has a field of that name that is something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "NetBox has a custom field `{ORIGIN_ASNS}` of the type {kind}{leading}, and rir-sidecar needs one of multiple objects that \
     leads to ASNs; rename that one first"
)]
pub struct OtherField {
    kind: String,
    leading: String,
}

impl OriginsPlan {
    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for OriginsPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

/// Compares NetBox with what is wanted; writes nothing.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn plan(client: &Client) -> Result<Result<OriginsPlan, OtherField>, Error> {
    let rows = client.list(CUSTOM_FIELDS, &[("name", ORIGIN_ASNS)]).await?;
    Ok(change(extras::named(&rows, "name", ORIGIN_ASNS)).map(OriginsPlan))
}

/// Makes it so, and returns a line for each thing that was done.
///
/// # Errors
/// When NetBox refuses.
pub async fn apply(client: &Client, plan: &OriginsPlan) -> Result<Vec<String>, Error> {
    match &plan.0 {
        Some(change) => Ok(vec![make(client, change, &[]).await?]),
        None => Ok(Vec::new()),
    }
}

fn change(row: Option<&Row>) -> Result<Option<Upsert>, OtherField> {
    let what = format!("custom field \"{ORIGIN_ASNS}\"");
    let Some(row) = row else {
        let body = json!({
            "name": ORIGIN_ASNS,
            "label": "Origin ASNs",
            "group_name": "RIR",
            "description": "Who announces it: what is set here is to have route objects of its own",
            "type": KIND,
            "related_object_type": LEADS_TO,
            "object_types": OBJECTS,
        });
        return Ok(Some(Upsert::new(CUSTOM_FIELDS, None, body, what, format!("on {}", OBJECTS.join(" and ")))));
    };
    let text = |name: &str| {
        let value = row.get(name)?;
        value.as_str().or_else(|| value.get("value")?.as_str())
    };
    let (kind, leads_to) = (text("type").unwrap_or_default(), text("related_object_type").unwrap_or_default());
    if (kind, leads_to) != (KIND, LEADS_TO) {
        let leading = if leads_to.is_empty() { String::new() } else { format!(" that leads to {leads_to}") };
        return Err(OtherField { kind: kind.to_owned(), leading });
    }
    let on: Vec<&str> =
        row.get("object_types").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let lacking: Vec<&str> = OBJECTS.into_iter().filter(|object| !on.contains(object)).collect();
    if lacking.is_empty() {
        return Ok(None);
    }
    let all: Vec<&str> = on.into_iter().chain(lacking.iter().copied()).collect();
    let how = format!("+ on {}", lacking.join(" and "));
    Ok(Some(Upsert::new(CUSTOM_FIELDS, id_of(row), json!({ "object_types": all }), what, how)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &Value) -> Row {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_field_is_made_where_there_is_none() {
        let made = change(None).unwrap().unwrap();
        assert_eq!(made.to_string(), "+ custom field \"origin_asns\": on ipam.prefix and ipam.aggregate");
    }

    #[test]
    fn a_field_comes_to_where_it_lacks_and_stays_where_it_is_besides() {
        let field = |on: &[&str]| {
            row(&json!({
                "id": 4, "name": "origin_asns", "type": { "value": "multiobject", "label": "Multiple objects" },
                "related_object_type": "ipam.asn", "object_types": on,
            }))
        };
        let changed = change(Some(&field(&["ipam.vlan", "ipam.prefix"]))).unwrap().unwrap();
        assert_eq!(changed.to_string(), "~ custom field \"origin_asns\": + on ipam.aggregate");
        assert_eq!(changed.body, json!({ "object_types": ["ipam.vlan", "ipam.prefix", "ipam.aggregate"] }));
        assert_eq!(change(Some(&field(&OBJECTS))), Ok(None));
    }

    #[test]
    fn another_field_of_that_name_is_told() {
        let field = row(&json!({ "id": 4, "name": "origin_asns", "type": { "value": "text" }, "object_types": [] }));
        let told = change(Some(&field)).unwrap_err().to_string();
        assert_eq!(
            told,
            "NetBox has a custom field `origin_asns` of the type text, and rir-sidecar needs one of multiple objects that leads \
             to ASNs; rename that one first"
        );
    }
}
