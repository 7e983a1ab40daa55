//! NetBox's webhook: whether it is there, switched on, signed with our secret, and goes to where somebody answers.

use std::time::Duration;

use reqwest::StatusCode;
use secrecy::ExposeSecret;

use super::trial::{Trials, Trouble, trouble, trouble_of};
use crate::{
    cli::exit::AnyError,
    config::{self, HttpUrl, Proxy},
    error_chain::error_chain,
    http_client,
    netbox::{
        Client,
        schema::{
            InstalledHook,
            hooks::{self, Hook},
            installed,
        },
    },
    tls::Trust,
};

const WHAT: &str = "webhook";
const ADDRESS: &str = "webhook's address";
const BOOTSTRAP: &str = "run `rir-sidecar bootstrap --webhook-url URL`";
/// Limits how long the address may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Tells whether NetBox's webhooks arrive, as far as that can be seen from here.
pub(super) async fn arrives(client: &Client, settings: &config::Webhook, trials: &mut Trials) {
    if settings.secret.is_empty() && !settings.allow_unsigned {
        let problem =
            "webhook.secret is not set, so that webhooks are refused; changes wait for the sweep or the schedule";
        return trials.note(WHAT, problem, format!("set webhook.secret_file and {BOOTSTRAP}"));
    }
    let hook = match installed(client).await {
        Ok(Some(hook)) => hook,
        Ok(None) => {
            return trials.failed(WHAT, "NetBox has none of the name rir-sidecar, and so sends none", BOOTSTRAP);
        }
        Err(error) if error.is_forbidden() => {
            let remedy =
                "to have it tried, give the token's user the permission to view Extras webhooks and event rules";
            return trials.note(WHAT, "the token may not look at it", remedy);
        }
        Err(error) => return trials.failed_of(WHAT, (&error, error.retry()), "ask again when NetBox answers"),
    };
    let fits = async {
        is_sent(&hook, settings)?;
        is_understood(client, &hook).await
    };
    trials.add(WHAT, fits.await.map(|()| format!("NetBox sends it to {}", hook.url)));
    notes(&hook, settings).into_iter().for_each(|Trouble { problem, remedy, .. }| trials.note(WHAT, problem, remedy));
    match answers(&hook.url).await {
        Ok(()) => trials.ok(ADDRESS, "answers"),
        Err(Trouble { problem, remedy, .. }) => trials.note(ADDRESS, problem, remedy),
    }
}

/// Checks that NetBox sends the webhook, with a signature that is taken.
fn is_sent(hook: &InstalledHook, settings: &config::Webhook) -> Result<(), Trouble> {
    match hook.rule {
        None => return Err(trouble("NetBox has no event rule of the name rir-sidecar, and so sends none", BOOTSTRAP)),
        Some(false) => {
            let remedy = "switch on the event rule rir-sidecar in NetBox (Operations, Event Rules)";
            return Err(trouble("its event rule in NetBox is switched off", remedy));
        }
        Some(true) => {}
    }
    match hook.secret.as_ref().map(ExposeSecret::expose_secret) {
        Some("") if !settings.allow_unsigned => {
            Err(trouble("NetBox does not sign it, so that it is refused", BOOTSTRAP))
        }
        None | Some("") => Ok(()),
        Some(_) if settings.secret.is_empty() => Ok(()),
        Some(secret) if [&settings.secret, &settings.previous_secret].iter().any(|ours| is(ours, secret)) => Ok(()),
        Some(_) => {
            let problem = "NetBox signs it with another secret than webhook.secret, so that it is refused";
            Err(trouble(problem, format!("{BOOTSTRAP}, which gives NetBox the secret")))
        }
    }
}

/// Checks that the service understands what NetBox sends, and that it is sent for all changes: what `bootstrap` would
/// change says what is wrong.
async fn is_understood(client: &Client, hook: &InstalledHook) -> Result<(), Trouble> {
    let url: HttpUrl = hook
        .url
        .parse()
        .map_err(|_| trouble(format!("NetBox sends it to {:?}, which is no address", hook.url), BOOTSTRAP))?;
    let Some(secret) = &hook.secret else { return Ok(()) };
    let plan = hooks::plan(client, &Hook::new(&url, secret.clone())).await;
    let plan = plan.map_err(|error| trouble_of(&error, error.retry(), "ask again when NetBox answers"))?;
    if plan.is_empty() {
        return Ok(());
    }
    let lines = plan.to_string().trim_end().replace('\n', "; ");
    Err(trouble(format!("it is not as the service needs it: {lines}"), BOOTSTRAP))
}

/// Returns what is no failure, but has to be known.
fn notes(hook: &InstalledHook, settings: &config::Webhook) -> Vec<Trouble> {
    let secret = hook.secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
    let is_previous = !secret.is_empty() && !is(&settings.secret, secret) && is(&settings.previous_secret, secret);
    let previous = is_previous.then(|| {
        let problem = "NetBox still signs it with webhook.previous_secret";
        trouble(problem, format!("{BOOTSTRAP}, which gives NetBox the new one; then take the previous one away"))
    });
    let unverified = (!hook.verifies && hook.url.starts_with("https:")).then(|| {
        let remedy = "switch on SSL verification of the webhook rir-sidecar in NetBox, with a CA file if it needs one";
        trouble("NetBox does not verify the certificate of its address", remedy)
    });
    previous.into_iter().chain(unverified).collect()
}

fn is(ours: &config::Secret, theirs: &str) -> bool {
    !ours.is_empty() && ours.now().expose_secret() == theirs
}

/// Asks the address as nobody's webhook does: whoever takes webhooks answers that this is no way to bring one.
async fn answers(url: &str) -> Result<(), Trouble> {
    let elsewhere = "make sure that NetBox reaches it: from here it may well be another way";
    let asked = async {
        let trust = Trust::of(None, url.starts_with("https:"));
        let http = http_client::build(trust, &Proxy::None, |builder| builder.timeout(ANSWER_TIMEOUT))?;
        Ok::<_, AnyError>(http.get(url).send().await?)
    };
    match asked.await.map(|answer| answer.status()) {
        Ok(StatusCode::METHOD_NOT_ALLOWED) => Ok(()),
        Ok(status) => Err(trouble(
            format!("answers {status}, as rir-sidecar does not: {url}"),
            "correct the address in NetBox, or what stands between",
        )),
        Err(error) => Err(trouble(format!("does not answer from here: {}", error_chain(&*error)), elsewhere)),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn settings(secret: &str, previous: &str) -> config::Webhook {
        config::Webhook {
            secret: secret.into(),
            secret_file: None,
            previous_secret: previous.into(),
            previous_secret_file: None,
            allow_unsigned: false,
            debounce: Duration::ZERO,
            debounce_longest: Duration::ZERO,
        }
    }

    fn hook(secret: Option<&str>, rule: Option<bool>) -> InstalledHook {
        let secret = secret.map(SecretString::from);
        InstalledHook { url: "https://rir.example.net/webhooks/netbox".into(), secret, verifies: true, rule }
    }

    fn problem(hook: &InstalledHook, settings: &config::Webhook) -> String {
        is_sent(hook, settings).err().map(|trouble| trouble.problem).unwrap_or_default()
    }

    #[test]
    fn a_webhook_that_is_not_sent_or_not_taken_is_a_failure() {
        let ours = settings("the-secret-of-now", "the-secret-of-before");
        let signed = |secret| problem(&hook(Some(secret), Some(true)), &ours);
        assert_eq!(signed("the-secret-of-now"), "");
        assert_eq!(signed("the-secret-of-before"), "");
        assert!(signed("another").starts_with("NetBox signs it with another secret"));
        assert!(signed("").starts_with("NetBox does not sign it"));
        assert_eq!(problem(&hook(None, Some(true)), &ours), "", "what NetBox does not show is not judged");
        assert!(problem(&hook(None, Some(false)), &ours).contains("switched off"));
        assert!(problem(&hook(None, None), &ours).contains("no event rule"));
        let unsigned = config::Webhook { allow_unsigned: true, ..settings("", "") };
        assert_eq!(problem(&hook(Some(""), Some(true)), &unsigned), "");
    }

    #[test]
    fn the_previous_secret_and_a_certificate_that_is_not_verified_are_noted() {
        let ours = settings("the-secret-of-now", "the-secret-of-before");
        let old = InstalledHook { verifies: false, ..hook(Some("the-secret-of-before"), Some(true)) };
        let noted: Vec<String> = notes(&old, &ours).into_iter().map(|trouble| trouble.problem).collect();
        assert_eq!(noted.len(), 2, "{noted:?}");
        assert!(notes(&hook(Some("the-secret-of-now"), Some(true)), &ours).is_empty());
    }
}
