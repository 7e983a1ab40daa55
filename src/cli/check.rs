//! `rir-sidecar check`: tries everything that a sync needs, and says what to do about each failure. It writes nothing.

use super::{exit::ExitStatus, output};
use crate::{
    arin::{self, AnswerLost, ErrorKind, NoAnswer, NotSent, Pool},
    config::{RegistryUrl, Settings, keys::ApiKey, keys::Keyring},
    error_chain::error_chain,
    model::{Config, Instance},
    netbox::{
        self, Client, Permission,
        schema::{self, Document, Workers},
    },
};

/// The trials in their order.
#[derive(Default)]
struct Trials(Vec<Trial>);

/// Something that was tried, and its result.
struct Trial {
    what: String,
    result: Result<String, Trouble>,
}

impl Trials {
    fn ok(&mut self, what: impl Into<String>, found: impl Into<String>) {
        self.add(what, Ok(found.into()));
    }

    fn failed(&mut self, what: impl Into<String>, problem: impl Into<String>, remedy: &str) {
        self.add(what, Err(trouble(problem, remedy)));
    }

    fn add(&mut self, what: impl Into<String>, result: Result<String, Trouble>) {
        self.0.push(Trial { what: what.into(), result });
    }
}

/// A problem, and what to do about it.
struct Trouble {
    problem: String,
    remedy: String,
}

fn trouble(problem: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble { problem: problem.into(), remedy: remedy.into() }
}

pub(super) async fn run(settings: Settings) -> ExitStatus {
    let Trials(trials) = trials(&settings).await;
    let row = |trial: &Trial| match &trial.result {
        Ok(found) => vec!["ok".to_owned(), trial.what.clone(), found.clone()],
        Err(trouble) => {
            vec!["FAILED".to_owned(), trial.what.clone(), format!("{}\n-> {}", trouble.problem, trouble.remedy)]
        }
    };
    output::out(&output::table(&["", "tried", "found"], trials.iter().map(row).collect(), 3));
    if trials.iter().all(|trial| trial.result.is_ok()) { ExitStatus::Done } else { ExitStatus::Failed }
}

async fn trials(settings: &Settings) -> Trials {
    let mut trials = Trials::default();
    let keys = keys(settings, &mut trials);
    match Client::new(&settings.netbox) {
        Ok(client) => {
            if netbox_answers(&client, settings, &mut trials).await && rows_may_be_written(&client, &mut trials).await {
                trials.add("NetBox's workers", workers_know_the_types(&client).await);
                registries_answer(&client, settings, keys.as_ref(), &mut trials).await;
            }
        }
        Err(error) => trials.failed("NetBox client", error_chain(&error), "correct the [netbox] settings"),
    }
    trials
}

fn keys(settings: &Settings, trials: &mut Trials) -> Option<Keyring> {
    let what = "keys file";
    let Some(path) = &settings.keys.file else {
        let remedy = "write one (see `rir-sidecar config`) and set keys.file to its path";
        trials.failed(what, "none is set", remedy);
        return None;
    };
    match Keyring::load(path) {
        Ok(keys) => {
            trials.ok(what, format!("{} with {} key(s)", path.display(), keys.len()));
            Some(keys)
        }
        Err(error) => {
            trials.failed(what, error_chain(&error), "correct the file");
            None
        }
    }
}

/// Returns whether NetBox answers, without which no further trial makes sense.
async fn netbox_answers(client: &Client, settings: &Settings, trials: &mut Trials) -> bool {
    let url = &settings.netbox.url;
    match client.whoami().await {
        Ok(user) => {
            let read = if settings.netbox.is_read_by_proxy() { ", and the proxy can read it: use https" } else { "" };
            trials.ok("NetBox", format!("{url} knows the token of {}{read}", user.name));
        }
        Err(error) => {
            trials.failed("NetBox", error_chain(&error), netbox_remedy(&error));
            return false;
        }
    }
    let writes = token_may_write(client, trials).await;
    let versions = async {
        let status = client.status().await?;
        let found = format!("{}, plugin {}", status.netbox, status.custom_objects().unwrap_or("missing"));
        Ok::<_, netbox::Error>((found, schema::requirements(client).await?))
    };
    let result = match versions.await {
        Ok((found, unmet)) if unmet.is_empty() => Ok(found),
        Ok((_, unmet)) => {
            let join = |of: fn(&schema::Unmet) -> &String| unmet.iter().map(of).cloned().collect::<Vec<_>>().join("; ");
            Err(trouble(join(|unmet| &unmet.problem), join(|unmet| &unmet.remedy)))
        }
        Err(error) => Err(trouble(error_chain(&error), "give the user of the token access to /api/status/")),
    };
    let good = writes && result.is_ok();
    trials.add("versions", result);
    good
}

fn netbox_remedy(error: &netbox::Error) -> &'static str {
    let distrusts = |kind: &netbox::ErrorKind| {
        matches!(kind, netbox::ErrorKind::NoAnswer(NoAnswer::NotSent(NotSent::Distrusted(..))))
    };
    match () {
        () if error.is_forbidden() => {
            "make the token valid in NetBox (Admin, API Tokens), or put another one into netbox.token_file"
        }
        () if distrusts(&error.kind) => {
            "make sure that NetBox presents the right certificate (`openssl s_client -connect HOST:443 </dev/null` shows \
             it), then put it, or that of the authority that signed it, into a PEM file and set netbox.ca_file to its path"
        }
        () => "check netbox.url, netbox.proxy and the token",
    }
}

/// Returns whether the token may write at all. Where NetBox does not show that, the trials of each permission will.
async fn token_may_write(client: &Client, trials: &mut Trials) -> bool {
    match client.token_may_write().await {
        Ok(Some(false)) => {
            let remedy = "switch on \"Write enabled\" for the token in NetBox (Admin, API Tokens)";
            trials.failed("token", "NetBox lets it only read, whatever its user may do", remedy);
            false
        }
        Ok(Some(true)) => {
            trials.ok("token", "may write what its user may");
            true
        }
        Ok(None) | Err(_) => true,
    }
}

/// Returns the permissions that a sync needs, list by list.
fn needed() -> Vec<(String, Vec<Permission>)> {
    use Permission::{Add, Change, Delete, View};
    let mut needed = vec![
        ("/api/ipam/aggregates/".to_owned(), vec![View]),
        ("/api/ipam/prefixes/".to_owned(), vec![View]),
        (netbox::objects_path(schema::CONFIG), vec![View, Change]),
        (netbox::objects_path(schema::SYNC_LOG), vec![View, Add, Delete]),
    ];
    let written = [schema::ORGANIZATION, schema::CONTACT, schema::NETWORK, schema::CUSTOMER, schema::ADDRESS];
    needed.extend(written.map(|slug| (netbox::objects_path(slug), vec![View, Add, Change])));
    needed
}

/// Returns whether all these permissions are there.
async fn rows_may_be_written(client: &Client, trials: &mut Trials) -> bool {
    let mut all = true;
    for (path, permissions) in needed() {
        let result = permitted(client, &path, &permissions).await;
        all &= result.is_ok();
        trials.add(path.trim_end_matches('/').rsplit('/').next().unwrap_or_default(), result);
    }
    all
}

async fn permitted(client: &Client, path: &str, permissions: &[Permission]) -> Result<String, Trouble> {
    let words = |permissions: &[Permission]| permissions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut missing = Vec::new();
    for permission in permissions {
        match client.may(path, *permission).await {
            Ok(true) => {}
            Ok(false) => missing.push(*permission),
            Err(error) if error.is_not_found() => {
                return Err(trouble("NetBox has no such type", "run `rir-sidecar bootstrap`"));
            }
            Err(error) => return Err(trouble(error_chain(&error), "ask again when NetBox answers")),
        }
    }
    if missing.is_empty() {
        return Ok(format!("may {}", words(permissions)));
    }
    let missing = words(&missing);
    Err(trouble(format!("may not {missing}"), format!("give the token's user the permission to {missing} in NetBox")))
}

/// Tells whether each worker of NetBox that takes a question knows the types as they are.
async fn workers_know_the_types(client: &Client) -> Result<String, Trouble> {
    let remedy = "run `rir-sidecar bootstrap` once more; if that does not help, restart NetBox's web workers";
    match schema::ask_workers(client, Document::current()).await {
        Ok(Workers::Current) => Ok("all know the types as they are".to_owned()),
        Ok(Workers::Stale(what)) => Err(trouble(format!("one has an older form of a type ({what})"), remedy)),
        Err(error) => Err(trouble(error_chain(&error), "ask again when NetBox answers")),
    }
}

async fn registries_answer(client: &Client, settings: &Settings, keys: Option<&Keyring>, trials: &mut Trials) {
    let configs = match client.configs().await {
        Ok(configs) => configs,
        Err(error) => {
            return trials.failed("RIR configs", error_chain(&error), "run `rir-sidecar bootstrap`");
        }
    };
    if configs.is_empty() {
        let remedy = "add one in NetBox under Custom Objects, RIR configs";
        trials.failed("RIR configs", "there is none", remedy);
    }
    let pool = match Pool::new(&settings.arin) {
        Ok(pool) => pool,
        Err(error) => return trials.failed("ARIN client", error_chain(&error), "correct the [arin] settings"),
    };
    for config in &configs {
        let ours: Vec<&ApiKey> = keys.iter().flat_map(|keys| keys.of(&config.name)).collect();
        if ours.is_empty() {
            let remedy = "add a [[key]] table with this config's name to the keys file";
            trials.failed(&config.name, "no API key for it", remedy);
        }
        for key in ours {
            let what = format!("{}, key of {}", config.name, key.user);
            trials.add(what, key_works(&pool, config, key).await);
        }
    }
}

async fn key_works(pool: &Pool, config: &Config, key: &ApiKey) -> Result<String, Trouble> {
    let Some(org) = &config.org_handle else {
        return Err(trouble("the config has no org handle", "enter your organization's handle in NetBox"));
    };
    let asked = async { pool.client(&config.api_url, key.secret.clone())?.org(org).await };
    match asked.await {
        Ok(Some(org)) => Ok(format!("ARIN knows {} ({})", org.handle, org.name)),
        Ok(None) => {
            Err(trouble(format!("ARIN has no organization {org}"), "correct the config's org handle in NetBox"))
        }
        Err(error) => {
            let is_ote = config.api_url.parse().is_ok_and(|url: RegistryUrl| url.to_string() == Instance::OTE);
            Err(trouble(error_chain(&error), remedy(&error, is_ote)))
        }
    }
}

/// Says what to do about a failure; `is_ote` says that ARIN's test environment was asked, which has copies of keys.
fn remedy(error: &arin::Error, is_ote: bool) -> &'static str {
    match &error.kind {
        ErrorKind::NotEncrypted(_) => "write https in the config's API URL in NetBox",
        ErrorKind::Unauthorized(_) if is_ote => {
            "OT&E gets a copy of production's keys on the first Monday of each month, and does not know a key that was \
             made since: use an older one, or wait. If the key is older, make a new one in ARIN Online (Settings, API \
             keys), put it into the keys file, and wait for the next copy"
        }
        ErrorKind::NotAllowed(_) => "add the URL to arin.allowed_base_urls, or correct the config's API URL",
        ErrorKind::Unauthorized(_) | ErrorKind::NoAuthority(_) | ErrorKind::UnusableKey => {
            "make a new key in ARIN Online (Settings, API keys) and put it into the keys file"
        }
        ErrorKind::Setup(_) => "correct the [arin] settings",
        ErrorKind::Redirected(..) | ErrorKind::NotRegRws(..) => "correct the config's API URL: the part before /rest",
        ErrorKind::NoAnswer(NoAnswer::NotSent(NotSent::Distrusted(..))) => {
            "if something on the way looks into what is encrypted, or the registry is one of your own: put the certificate \
             of its authority into a PEM file and set arin.ca_file to its path"
        }
        ErrorKind::NoAnswer(
            NoAnswer::NotSent(NotSent::Unreachable(_))
            | NoAnswer::Lost(AnswerLost::TimedOut(_) | AnswerLost::Disconnected(_)),
        ) => "check the network between here and ARIN: DNS, firewall, arin.proxy",
        ErrorKind::Outage(_)
        | ErrorKind::Throttled(_)
        | ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::CutOff(..))) => "try again later",
        ErrorKind::Refused(_)
        | ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::TooLarge(_)))
        | ErrorKind::Invalid(..) => "report it: this answer is not documented",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arin::Fault;

    #[test]
    fn an_unknown_key_is_perhaps_only_too_new_for_ote() {
        let refused = || ErrorKind::Unauthorized(Fault { status: 401, code: None, message: None }).into();
        assert!(remedy(&refused(), true).starts_with("OT&E gets a copy of production's keys on the first Monday"));
        assert!(remedy(&refused(), false).starts_with("make a new key"));
    }
}
