//! The event rules by which NetBox notifies people of change requests that wait for them, and of tickets.
//!
//! Whom they notify is a notification group, which an operator makes in NetBox and which is found by its name. The rules are
//! found by their names as well. What an operator set on them stays: types and events that were added, whether they are
//! switched on, and the conditions.

use std::fmt;

use serde_json::{Value, json};

use super::{
    bootstrap::make,
    document::{CHANGE_REQUEST, TICKET},
    extras::{self, Upsert},
    hooks::{EVENT_RULES, EVENTS, change, fields, whole, with},
};
use crate::{
    model::RowId,
    netbox::{
        client::Client,
        error::{Error, ErrorKind},
        row::{Row, id_of},
    },
};

const GROUPS: &str = "/api/extras/notification-groups/";
const REQUESTS_RULE: &str = "rir-sidecar change requests";
const TICKETS_RULE: &str = "rir-sidecar tickets";
/// The states in which somebody has to do something. That a request has become a ticket is told by the ticket.
const STATES: [&str; 4] = ["waiting", "unknown", "refused", "failed"];

/// A notification group of NetBox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    id: RowId,
    name: String,
}

/// There is no such notification group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchGroup {
    name: String,
    /// The names of those that there are.
    there: Vec<String>,
}

impl fmt::Display for NoSuchGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetBox has no notification group \"{}\"; ", self.name)?;
        if self.there.is_empty() {
            f.write_str("it has none at all: add one there, with whoever is to be notified")
        } else {
            write!(f, "name one of these, or add it there: {}", self.there.join(", "))
        }
    }
}

/// The changes by which NetBox comes to notify people; its `Display` is a diff.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticePlan {
    rules: Vec<Upsert>,
}

impl NoticePlan {
    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

impl fmt::Display for NoticePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rules.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

/// Finds a notification group by its name.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn group(client: &Client, name: &str) -> Result<Result<Group, NoSuchGroup>, Error> {
    Ok(find(&client.list(GROUPS, &[]).await?, name))
}

fn find(groups: &[Row], name: &str) -> Result<Group, NoSuchGroup> {
    let id = extras::named(groups, "name", name).and_then(id_of);
    id.map(|id| Group { id, name: name.to_owned() }).ok_or_else(|| {
        let names = groups.iter().filter_map(|group| group.get("name")?.as_str());
        NoSuchGroup { name: name.to_owned(), there: names.map(str::to_owned).collect() }
    })
}

/// Compares NetBox with what is wanted; writes nothing.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn plan(client: &Client, group: &Group) -> Result<NoticePlan, Error> {
    let (rules, requests, tickets) =
        tokio::try_join!(client.list(EVENT_RULES, &[]), client.type_name(CHANGE_REQUEST), client.type_name(TICKET))?;
    let conditions = json!({ "and": [{ "attr": "state.value", "op": "in", "value": STATES }] });
    let wanted = [(REQUESTS_RULE, requests.as_deref(), conditions), (TICKETS_RULE, tickets.as_deref(), Value::Null)];
    let changes = wanted.into_iter().filter_map(|(name, of, conditions)| {
        rule_change((name, extras::named(&rules, "name", name)), group, of, conditions)
    });
    Ok(NoticePlan { rules: changes.collect() })
}

/// Makes it so, and returns a line for each thing that was done.
///
/// # Errors
/// When NetBox refuses, or does not have our types yet.
pub async fn apply(client: &Client, group: &Group) -> Result<Vec<String>, Error> {
    let mut done = Vec::new();
    for rule in plan(client, group).await?.rules {
        if !whole(rule.body.get("object_types")) {
            return Err(Error::reading(extras::types_path(), ErrorKind::NotFound));
        }
        done.push(make(client, &rule, &[]).await?);
    }
    Ok(done)
}

/// Compares a rule. The name of its type is not known before that was made.
fn rule_change(
    (name, row): (&str, Option<&Row>),
    group: &Group,
    of: Option<&str>,
    conditions: Value,
) -> Option<Upsert> {
    let mut wanted = fields(json!({
        "object_types": with(row, "object_types", [of.map_or(Value::Null, Value::from)].into_iter()),
        "event_types": with(row, "event_types", EVENTS.map(Value::from).into_iter()),
        "action_type": "notification",
        "action_object_type": "extras.notificationgroup",
        "action_object_id": group.id,
    }));
    if row.is_none() {
        wanted.insert("conditions".to_owned(), conditions);
    }
    let what = format!("event rule \"{name}\" for notification group \"{}\"", group.name);
    change(EVENT_RULES, (name, row), wanted, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "netbox_custom_objects.table9model";

    fn row(value: Value) -> Row {
        value.as_object().cloned().unwrap()
    }

    fn group() -> Group {
        Group { id: RowId(4), name: "Registry".to_owned() }
    }

    #[test]
    fn a_group_is_found_by_its_name_and_a_missing_one_is_told_with_those_that_there_are() {
        let groups = [row(json!({ "id": 4, "name": "Registry" })), row(json!({ "id": 5, "name": "On call" }))];
        assert_eq!(find(&groups, "Registry"), Ok(group()));
        insta::assert_snapshot!(find(&groups, "registry").unwrap_err(), @r#"NetBox has no notification group "registry"; name one of these, or add it there: Registry, On call"#);
        insta::assert_snapshot!(find(&[], "Registry").unwrap_err(), @r#"NetBox has no notification group "Registry"; it has none at all: add one there, with whoever is to be notified"#);
    }

    #[test]
    fn a_rule_is_made_whole_and_what_the_operator_did_to_it_stays() {
        let conditions = json!({ "attr": "state.value", "value": "waiting" });
        let new = rule_change((REQUESTS_RULE, None), &group(), Some(TYPE), conditions.clone()).unwrap();
        let told = "+ event rule \"rir-sidecar change requests\" for notification group \"Registry\"";
        assert_eq!((new.to_string().as_str(), &new.body["conditions"]), (told, &conditions));
        let mut there = row(new.body);
        there.insert("id".to_owned(), 7.into());
        there.insert("enabled".to_owned(), false.into());
        there.insert("conditions".to_owned(), json!({ "attr": "state.value", "value": "failed" }));
        there.insert("action_type".to_owned(), json!({ "value": "notification", "label": "Notification" }));
        assert_eq!(rule_change((REQUESTS_RULE, Some(&there)), &group(), Some(TYPE), conditions.clone()), None);
        let other = Group { id: RowId(5), name: "On call".to_owned() };
        let change = rule_change((REQUESTS_RULE, Some(&there)), &other, Some(TYPE), conditions).unwrap();
        assert_eq!((change.id, change.body), (Some(RowId(7)), json!({ "action_object_id": 5 })));
    }
}
