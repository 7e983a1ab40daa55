//! The API keys and what ARIN says to each, and whether the public listings answer.

use super::{
    listing,
    trial::{Trials, Trouble, trouble, trouble_of},
};
use crate::{
    arin::{self, AnswerLost, ErrorKind, NoAnswer, NotSent, Pool},
    config::{RegistryUrl, Settings, keys::ApiKey, keys::Keyring},
    error_chain::error_chain,
    model::{Config, Instance},
    netbox::Client,
};

/// Reads the keys file.
pub(super) fn keys(settings: &Settings, trials: &mut Trials) -> Option<Keyring> {
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

/// Tries each key of each RIR config that NetBox has, and the listing that its syncs use.
pub(super) async fn answer(client: &Client, settings: &Settings, keys: Option<&Keyring>, trials: &mut Trials) {
    let configs = match client.configs().await {
        Ok(configs) => configs,
        // That is told with the permissions.
        Err(error) if error.is_forbidden() => return,
        Err(error) => {
            return trials.failed_of("RIR configs", (&error, error.retry()), "run `rir-sidecar bootstrap`");
        }
    };
    if configs.is_empty() {
        let remedy = "add one in NetBox under Custom Objects, RIR configs";
        trials.failed("RIR configs", "there is none", remedy);
    }
    let pool = match Pool::new(&settings.arin) {
        Ok(pool) => pool,
        Err(error) => return trials.failed_of("ARIN client", (&error, error.retry()), "correct the [arin] settings"),
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
        listing::answers(&pool, config, trials).await;
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
            Err(trouble_of(&error, error.retry(), remedy(&error, is_ote)))
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
            "if something on the way looks into what is encrypted, or the registry is one of your own: put the \
             certificate of its authority into a PEM file and set arin.ca_file to its path"
        }
        ErrorKind::NoAnswer(
            NoAnswer::NotSent(NotSent::Unreachable(_))
            | NoAnswer::Lost(AnswerLost::TimedOut(_) | AnswerLost::Disconnected(_)),
        ) => "check the network between here and ARIN: DNS, firewall, arin.proxy",
        ErrorKind::Outage(_)
        | ErrorKind::Throttled(_)
        | ErrorKind::NoTurn(_)
        | ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::CutOff(..))) => "try again later",
        ErrorKind::NoSuchCall
        | ErrorKind::Refused(_)
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
