//! The webhook and the event rule as NetBox has them, for whoever only looks.

use secrecy::SecretString;
use serde_json::Value;

use super::{
    extras,
    hooks::{EVENT_RULES, NAME, WEBHOOKS},
};
use crate::netbox::{client::Client, error::Error, row::Row};

/// The webhook as NetBox has it.
#[derive(Debug, Clone)]
pub struct InstalledHook {
    /// The address that it goes to.
    pub url: String,
    /// The secret that it is signed with, empty for none; `None` where NetBox does not show it.
    pub secret: Option<SecretString>,
    /// True if NetBox verifies the certificate of the address.
    pub verifies: bool,
    /// Whether the event rule that sets it off is switched on; `None` when there is no such rule.
    pub rule: Option<bool>,
}

/// Reads the webhook and its event rule; `None` when there is no webhook of ours.
///
/// # Errors
/// When NetBox cannot be asked, or does not let the token see them.
pub async fn installed(client: &Client) -> Result<Option<InstalledHook>, Error> {
    let named = [("name", NAME)];
    let (webhooks, rules) = tokio::try_join!(client.list(WEBHOOKS, &named), client.list(EVENT_RULES, &named))?;
    let Some(webhook) = extras::named(&webhooks, "name", NAME) else { return Ok(None) };
    let text = |name: &str| webhook.get(name).and_then(Value::as_str).map(str::to_owned);
    let is = |row: &Row, name: &str| row.get(name).and_then(Value::as_bool).unwrap_or(true);
    Ok(Some(InstalledHook {
        url: text("payload_url").unwrap_or_default(),
        secret: text("secret").map(SecretString::from),
        verifies: is(webhook, "ssl_verification"),
        rule: extras::named(&rules, "name", NAME).map(|rule| is(rule, "enabled")),
    }))
}
