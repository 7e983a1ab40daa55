//! Choice sets, custom links and names of objects: they belong to our types, but not to the plugin's schema.
//!
//! They are compared with what NetBox has and only ever added to: choices that an operator added stay, and so do labels
//! and colours that were changed.

use std::{collections::BTreeSet, fmt};

use serde_json::{Value, json};

use super::document::{CONFIG, Choice, ChoiceSet, Document, Link, TypeSpec};
use crate::{
    model::RowId,
    netbox::{
        client::{CUSTOM_OBJECTS, Client},
        error::Error,
        row::{Row, id_of},
    },
};

pub(super) const CHOICE_SETS: &str = "/api/extras/custom-field-choice-sets/";
pub(super) const CUSTOM_LINKS: &str = "/api/extras/custom-links/";

/// An object of NetBox to create or to change, in one request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Upsert {
    /// The list it belongs to.
    pub(super) list: &'static str,
    /// Its id, if it exists.
    pub(super) id: Option<RowId>,
    pub(super) body: Value,
    /// Slug of the type it is attached to, whose internal name is known only once it exists.
    pub(super) attach_to: Option<String>,
    /// A name of it for people.
    pub(super) what: String,
    /// The changes for people.
    how: String,
}

impl Upsert {
    pub(super) fn new(list: &'static str, id: Option<RowId>, body: Value, what: String, how: String) -> Self {
        Self { list, id, body, attach_to: None, what, how }
    }
}

impl fmt::Display for Upsert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.id.is_some() { "~" } else { "+" }, self.what)?;
        if self.how.is_empty() { Ok(()) } else { write!(f, ": {}", self.how) }
    }
}

impl Client {
    /// Returns NetBox's name of the type of the RIR configs, `netbox_custom_objects.table2model`; `None` before
    /// `bootstrap`.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn config_type(&self) -> Result<Option<String>, Error> {
        self.type_name(CONFIG).await
    }

    /// Returns NetBox's name of one of our types; `None` before `bootstrap`.
    pub(super) async fn type_name(&self, slug: &str) -> Result<Option<String>, Error> {
        let types = self.list(&types_path(), &[("slug", slug)]).await?;
        Ok(named(&types, "slug", slug).and_then(object_type).map(str::to_owned))
    }
}

/// Returns the path of the plugin's types.
pub(in crate::netbox) fn types_path() -> String {
    format!("{CUSTOM_OBJECTS}custom-object-types/")
}

/// Compares the choice sets.
pub(super) async fn choice_sets(client: &Client, document: &Document) -> Result<Vec<Upsert>, Error> {
    let rows = client.list(CHOICE_SETS, &[]).await?;
    Ok(document.choice_sets.iter().filter_map(|set| choice_set(set, named(&rows, "name", &set.name))).collect())
}

fn choice_set(set: &ChoiceSet, row: Option<&Row>) -> Option<Upsert> {
    let had = row.and_then(|row| row.get("extra_choices")).and_then(Value::as_array).cloned().unwrap_or_default();
    let values: BTreeSet<&str> = had.iter().filter_map(|choice| choice.get(0)?.as_str()).collect();
    let new: Vec<&Choice> = set.choices.iter().filter(|choice| !values.contains(choice.value.as_str())).collect();
    if new.is_empty() {
        return None;
    }
    let choices: Vec<Value> =
        had.into_iter().chain(new.iter().map(|choice| json!([choice.value, choice.label]))).collect();
    let mut colors =
        row.and_then(|row| row.get("choice_colors")).and_then(Value::as_object).cloned().unwrap_or_default();
    let colored = |choice: &&Choice| Some((choice.value.clone(), Value::from(choice.color.clone()?)));
    colors.extend(new.iter().filter_map(colored));
    let mut body = json!({ "extra_choices": choices, "choice_colors": colors });
    if let (None, Some(body)) = (row, body.as_object_mut()) {
        body.insert("name".to_owned(), set.name.clone().into());
        body.insert("description".to_owned(), set.description.clone().into());
    }
    let values: Vec<&str> = new.iter().map(|choice| choice.value.as_str()).collect();
    let how = format!("{}{}", if row.is_some() { "+ " } else { "" }, values.join(", "));
    let what = format!("choice set \"{}\"", set.name);
    Some(Upsert { list: CHOICE_SETS, id: row.and_then(id_of), body, attach_to: None, what, how })
}

/// Compares the custom links. `types` are the plugin's types as they are now.
pub(super) async fn links(client: &Client, document: &Document, types: &[Row]) -> Result<Vec<Upsert>, Error> {
    let rows = client.list(CUSTOM_LINKS, &[]).await?;
    Ok(document.links.iter().filter_map(|link| link_change(link, named(&rows, "name", &link.name), types)).collect())
}

fn link_change(link: &Link, row: Option<&Row>, types: &[Row]) -> Option<Upsert> {
    let mut body = json!({ "link_text": link.text, "link_url": link.url });
    let on = named(types, "slug", &link.slug).and_then(object_type);
    let attached = row
        .and_then(|row| row.get("object_types"))
        .and_then(Value::as_array)
        .is_some_and(|types| types.iter().any(|name| name.as_str().is_some() && name.as_str() == on));
    if let Some(row) = row {
        let same = |name: &str, wanted: &str| row.get(name).and_then(Value::as_str) == Some(wanted);
        if attached && same("link_text", &link.text) && same("link_url", &link.url) {
            return None;
        }
    } else if let Some(body) = body.as_object_mut() {
        body.insert("name".to_owned(), link.name.clone().into());
        body.insert("new_window".to_owned(), true.into());
    }
    let what = format!("custom link \"{}\" on {}", link.name, link.slug);
    let attach_to = (!attached).then(|| link.slug.clone());
    Some(Upsert { list: CUSTOM_LINKS, id: row.and_then(id_of), body, attach_to, what, how: String::new() })
}

/// Returns the types whose objects get a name made from a template. One that an operator wrote stays; so does the
/// absence of any where the plugin does not know templates yet.
pub(super) fn displays<'a>(document: &'a Document, types: &'a [Row]) -> impl Iterator<Item = (&'a TypeSpec, &'a str)> {
    document.types.iter().filter_map(|spec| {
        let wanted = spec.display.as_deref()?;
        let set = named(types, "slug", &spec.slug).map(|row| row.get("display_expression").and_then(Value::as_str));
        matches!(set, None | Some(Some(""))).then_some((spec, wanted))
    })
}

/// Returns the row of a list with this name.
pub(super) fn named<'a>(rows: &'a [Row], field: &str, name: &str) -> Option<&'a Row> {
    rows.iter().find(|row| row.get(field).and_then(Value::as_str) == Some(name))
}

/// Returns the name by which NetBox itself knows a type: `netbox_custom_objects.table2model`.
pub(super) fn object_type(row: &Row) -> Option<&str> {
    row.get("object_type_name").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> ChoiceSet {
        let choice = |value: &str, color: Option<&str>| Choice {
            value: value.to_owned(),
            label: value.to_uppercase(),
            color: color.map(str::to_owned),
        };
        let choices = vec![choice("on", Some("green")), choice("off", None)];
        ChoiceSet { name: "S".to_owned(), description: "D".to_owned(), choices }
    }

    fn row(value: &Value) -> Row {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_new_choice_set_has_all_choices_and_their_colors() {
        let change = choice_set(&status(), None).unwrap();
        assert_eq!(change.to_string(), "+ choice set \"S\": on, off");
        let choices = json!([["on", "ON"], ["off", "OFF"]]);
        let body = json!({"choice_colors": {"on": "green"}, "description": "D", "extra_choices": choices, "name": "S"});
        assert_eq!(change.body, body);
    }

    #[test]
    fn a_choice_set_is_added_to_and_what_the_operator_did_stays() {
        let colors = json!({"mine": "pink", "on": "red"});
        let choices = json!([["mine", "Mine"], ["on", "An"]]);
        let theirs = json!({"id": 4, "name": "S", "extra_choices": choices, "choice_colors": colors});
        let change = choice_set(&status(), Some(&row(&theirs))).unwrap();
        assert_eq!(change.to_string(), "~ choice set \"S\": + off");
        let choices = json!([["mine", "Mine"], ["on", "An"], ["off", "OFF"]]);
        assert_eq!(change.body, json!({"choice_colors": colors, "extra_choices": choices}));
    }

    #[test]
    fn a_choice_set_with_all_our_choices_is_left_alone() {
        let theirs = json!({"id": 4, "name": "S", "extra_choices": [["off", ""], ["on", "An"], ["mine", "Mine"]]});
        assert_eq!(choice_set(&status(), Some(&row(&theirs))), None);
    }

    #[test]
    fn a_link_is_changed_when_it_is_on_no_type_of_ours_any_more() {
        let link = Link { name: "L".into(), slug: "t".into(), text: "x".into(), url: "y".into() };
        let types = [row(&json!({"id": 1, "slug": "t", "object_type_name": "netbox_custom_objects.table7model"}))];
        let theirs =
            |on: &str| row(&json!({"id": 2, "name": "L", "object_types": [on], "link_text": "x", "link_url": "y"}));
        assert_eq!(link_change(&link, Some(&theirs("netbox_custom_objects.table7model")), &types), None);
        assert!(link_change(&link, Some(&theirs("netbox_custom_objects.table1model")), &types).is_some());
    }
}
