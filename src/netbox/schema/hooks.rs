//! The webhook by which NetBox tells rir-sidecar of changes, and the event rule that sets it off.
//!
//! Both are found by their name. What an operator set on them stays: types and events that were added to the rule, whether
//! it is switched on, and how the webhook is delivered (whether certificates are verified, by which authority, and how
//! long NetBox waits). What was made can be removed again; a webhook that event rules of the operator's use, too, is left, as
//! NetBox would remove these with it.

use std::fmt;

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    bootstrap::make,
    extras::{self, Upsert},
};
use crate::{
    config::HttpUrl,
    model::RowId,
    netbox::{
        changes::NETBOX_TYPES,
        client::Client,
        error::{Error, ErrorKind},
        row::{Row, id_of},
    },
};

pub(super) const WEBHOOKS: &str = "/api/extras/webhooks/";
pub(super) const EVENT_RULES: &str = "/api/extras/event-rules/";
/// The name of both.
pub(super) const NAME: &str = "rir-sidecar";
/// Nothing follows from a deletion, so NetBox need not tell of it.
pub(super) const EVENTS: [&str; 2] = ["object_created", "object_updated"];
/// The path at which the service takes webhooks.
const PATH: &str = "/webhooks/netbox";

/// The address that NetBox sends its webhooks to, and the secret that it signs them with.
#[derive(Debug, Clone)]
pub struct Hook {
    url: Url,
    secret: SecretString,
}

/// The changes by which NetBox comes to send webhooks; its `Display` is a diff.
#[derive(Clone, PartialEq)]
pub struct HookPlan {
    webhook: Option<Upsert>,
    rule: Option<Upsert>,
}

/// What NetBox has of ours to send webhooks with; its `Display` is a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRemoval {
    rule: Option<RowId>,
    webhook: Option<RowId>,
    /// The event rules of others that use the webhook.
    others: Vec<String>,
}

impl HookRemoval {
    /// Returns whether there is nothing to remove.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects().next().is_none()
    }

    /// Returns the objects to remove, each with its list and a name for people: the rule first, which NetBox would remove
    /// with its webhook.
    fn objects(&self) -> impl Iterator<Item = (&'static str, RowId, String)> {
        let rule = self.rule.map(|id| (EVENT_RULES, id, format!("event rule \"{NAME}\"")));
        let webhook = self.webhook.filter(|_| self.others.is_empty());
        rule.into_iter().chain(webhook.map(|id| (WEBHOOKS, id, format!("webhook \"{NAME}\""))))
    }
}

impl fmt::Display for HookRemoval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.objects().try_for_each(|(_, _, what)| writeln!(f, "- {what}"))?;
        if self.webhook.is_none() || self.others.is_empty() {
            return Ok(());
        }
        let others = self.others.join(", ");
        writeln!(f, "  webhook \"{NAME}\" stays, as other event rules use it: {others}")
    }
}

impl Hook {
    /// Makes a webhook to `url`; one without a path names the service.
    #[must_use]
    pub fn new(url: &HttpUrl, secret: SecretString) -> Self {
        let mut url = url.as_url().clone();
        if url.path() == "/" {
            url.set_path(PATH);
        }
        Self { url, secret }
    }

    /// Returns the fields without which the service would not understand the webhook. All others are left to NetBox's
    /// defaults and to the operator.
    fn wanted(&self) -> Map<String, Value> {
        fields(json!({
            "payload_url": self.url.as_str(),
            "http_method": "POST",
            "http_content_type": "application/json",
            "body_template": "",
            "secret": self.secret.expose_secret(),
        }))
    }
}

impl HookPlan {
    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.webhook.is_none() && self.rule.is_none()
    }
}

impl fmt::Display for HookPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        [&self.webhook, &self.rule].into_iter().flatten().try_for_each(|change| writeln!(f, "{change}"))
    }
}

/// Shows the diff only, as the fields hold the secret.
impl fmt::Debug for HookPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Compares NetBox with what is wanted; writes nothing.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn plan(client: &Client, hook: &Hook) -> Result<HookPlan, Error> {
    let named = [("name", NAME)];
    let (webhooks, rules) = tokio::try_join!(client.list(WEBHOOKS, &named), client.list(EVENT_RULES, &named))?;
    let webhook = extras::named(&webhooks, "name", NAME);
    let config = client.config_type().await?;
    Ok(HookPlan {
        webhook: webhook_change(hook, webhook),
        rule: rule_change(extras::named(&rules, "name", NAME), webhook.and_then(id_of), config.as_deref()),
    })
}

/// Makes it so, and returns a line for each thing that was done.
///
/// # Errors
/// When NetBox refuses, or has no RIR configs yet.
pub async fn apply(client: &Client, hook: &Hook) -> Result<Vec<String>, Error> {
    let mut done = Vec::new();
    if let Some(change) = plan(client, hook).await?.webhook {
        done.push(make(client, &change, &[]).await?);
    }
    // Only now is there a webhook for sure that the rule can name.
    if let Some(change) = plan(client, hook).await?.rule {
        let complete = ["action_object_id", "object_types"].iter().all(|name| whole(change.body.get(name)));
        if !complete {
            return Err(Error::reading(extras::types_path(), ErrorKind::NotFound));
        }
        done.push(make(client, &change, &[]).await?);
    }
    Ok(done)
}

/// Looks for what there is to remove; writes nothing.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn removal(client: &Client) -> Result<HookRemoval, Error> {
    let (webhooks, rules) = tokio::try_join!(client.list(WEBHOOKS, &[("name", NAME)]), client.list(EVENT_RULES, &[]))?;
    Ok(what_to_remove(&webhooks, &rules))
}

fn what_to_remove(webhooks: &[Row], rules: &[Row]) -> HookRemoval {
    let rule = extras::named(rules, "name", NAME).and_then(id_of);
    let webhook = extras::named(webhooks, "name", NAME).and_then(id_of);
    let uses_it = |rule: &&Row| {
        let to = |field: &str| rule.get(field).map(bare);
        to("action_object_type") == Some(&"extras.webhook".into())
            && webhook.is_some_and(|id| to("action_object_id") == Some(&id.0.into()))
    };
    let others = rules.iter().filter(|other| id_of(other) != rule).filter(uses_it);
    let others = others.filter_map(|other| other.get("name").and_then(Value::as_str).map(str::to_owned)).collect();
    HookRemoval { rule, webhook, others }
}

/// Removes it, and returns a line for each thing that was removed.
///
/// # Errors
/// When NetBox refuses.
pub async fn remove(client: &Client, removal: &HookRemoval) -> Result<Vec<String>, Error> {
    let mut done = Vec::new();
    for (list, id, what) in removal.objects() {
        match client.transport.send(Method::DELETE, &format!("{list}{id}/"), &json!({})).await?.found() {
            Ok(_) => done.push(format!("removed {what}")),
            // Somebody else was faster.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Returns whether a value holds no nulls.
pub(super) fn whole(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.contains(&Value::Null),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) | None => true,
    }
}

fn webhook_change(hook: &Hook, row: Option<&Row>) -> Option<Upsert> {
    let what = format!("webhook \"{NAME}\" to {}", hook.url);
    change(WEBHOOKS, (NAME, row), hook.wanted(), what)
}

/// Compares the rule. `webhook` and `config` are not known before they were made.
fn rule_change(row: Option<&Row>, webhook: Option<RowId>, config: Option<&str>) -> Option<Upsert> {
    let types = NETBOX_TYPES.map(Value::from).into_iter().chain([config.map_or(Value::Null, Value::from)]);
    let wanted = json!({
        "object_types": with(row, "object_types", types),
        "event_types": with(row, "event_types", EVENTS.map(Value::from).into_iter()),
        "action_type": "webhook",
        "action_object_type": "extras.webhook",
        "action_object_id": webhook,
    });
    change(EVENT_RULES, (NAME, row), fields(wanted), format!("event rule \"{NAME}\""))
}

/// Returns what a row has in a list, and behind it what it lacks of `wanted`.
pub(super) fn with(row: Option<&Row>, field: &str, wanted: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut values = row.and_then(|row| row.get(field)).and_then(Value::as_array).cloned().unwrap_or_default();
    for value in wanted {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// Creates what is not there, or writes the fields that differ. Their values are not shown: one is a secret.
pub(super) fn change(
    list: &'static str,
    (name, row): (&str, Option<&Row>),
    mut wanted: Map<String, Value>,
    what: String,
) -> Option<Upsert> {
    let Some(row) = row else {
        wanted.insert("name".to_owned(), name.into());
        return Some(Upsert::new(list, None, Value::Object(wanted), what, String::new()));
    };
    wanted.retain(|name, wanted| row.get(name).map(bare) != Some(&*wanted));
    if wanted.is_empty() {
        return None;
    }
    let how = wanted.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    Some(Upsert::new(list, id_of(row), Value::Object(wanted), what, how))
}

pub(super) fn fields(object: Value) -> Map<String, Value> {
    object.as_object().cloned().unwrap_or_default()
}

/// Returns the value of a selection, which NetBox wraps.
fn bare(value: &Value) -> &Value {
    value.get("value").unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(url: &str) -> Hook {
        Hook::new(&url.parse().unwrap(), "0123456789abcdef".into())
    }

    fn row(value: Value) -> Row {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn an_address_without_a_path_is_where_the_service_is() {
        assert_eq!(hook("https://rir.example.net").url.as_str(), "https://rir.example.net/webhooks/netbox");
        assert_eq!(hook("https://x.example.net/rir/hook").url.as_str(), "https://x.example.net/rir/hook");
    }

    #[test]
    fn a_webhook_is_made_whole_and_changed_in_part() {
        let hook = hook("https://rir.example.net/");
        let new = webhook_change(&hook, None).unwrap();
        assert_eq!(new.to_string(), "+ webhook \"rir-sidecar\" to https://rir.example.net/webhooks/netbox");
        let mut there = new.body.as_object().cloned().unwrap();
        there.insert("id".into(), 4.into());
        assert_eq!(webhook_change(&hook, Some(&there)), None);
        there.insert("secret".into(), "another".into());
        let change = webhook_change(&hook, Some(&there)).unwrap();
        let told = "~ webhook \"rir-sidecar\" to https://rir.example.net/webhooks/netbox: secret";
        assert_eq!(change.to_string(), told);
        assert_eq!(change.body, json!({ "secret": "0123456789abcdef" }));
    }

    #[test]
    fn how_a_webhook_is_delivered_is_the_operators() {
        let hook = hook("https://rir.example.net/");
        let mut there = webhook_change(&hook, None).unwrap().body.as_object().cloned().unwrap();
        let theirs = json!({ "id": 4, "ssl_verification": false, "ca_file_path": "/etc/ssl/ours.pem", "timeout": 30 });
        there.extend(fields(theirs));
        assert_eq!(webhook_change(&hook, Some(&there)), None);
    }

    #[test]
    fn a_rule_is_added_to_and_what_the_operator_did_stays() {
        let there = row(json!({
            "id": 2, "name": "rir-sidecar", "enabled": false, "object_types": ["dcim.site", "ipam.prefix"],
            "event_types": ["object_deleted", "object_updated", "object_created"],
            "action_type": { "value": "webhook", "label": "Webhook" }, "action_object_type": "extras.webhook",
            "action_object_id": 4,
        }));
        let change = rule_change(Some(&there), Some(RowId(4)), Some("netbox_custom_objects.table1model")).unwrap();
        let types = json!(["dcim.site", "ipam.prefix", "ipam.aggregate", "netbox_custom_objects.table1model"]);
        assert_eq!(change.body, json!({ "object_types": types }));
        let mut there = there;
        there.insert("object_types".into(), types);
        assert_eq!(rule_change(Some(&there), Some(RowId(4)), Some("netbox_custom_objects.table1model")), None);
    }

    #[test]
    fn what_was_made_is_removed_and_a_webhook_that_others_use_stays() {
        let webhooks = [row(json!({ "id": 4, "name": "rir-sidecar" }))];
        let rule = |id: u64, name: &str, webhook: u64| {
            row(json!({ "id": id, "name": name, "action_type": { "value": "webhook" },
                        "action_object_type": "extras.webhook", "action_object_id": webhook }))
        };
        let alone = what_to_remove(&webhooks, &[rule(1, "theirs", 3), rule(2, "rir-sidecar", 4)]);
        assert_eq!(alone.to_string(), "- event rule \"rir-sidecar\"\n- webhook \"rir-sidecar\"\n");
        let shared = what_to_remove(&webhooks, &[rule(1, "theirs", 4), rule(2, "rir-sidecar", 4)]);
        let told =
            "- event rule \"rir-sidecar\"\n  webhook \"rir-sidecar\" stays, as other event rules use it: theirs\n";
        assert_eq!(shared.to_string(), told);
        let nothing = what_to_remove(&[], &[rule(1, "theirs", 3)]);
        assert!(nothing.is_empty() && nothing.to_string().is_empty());
    }

    #[test]
    fn the_secret_is_not_shown() {
        let hook = hook("http://rir:8080/");
        assert!(!format!("{hook:?}").contains("0123456789abcdef"));
    }
}
