//! Fuzz target: whatever stands in the settings, nobody is shown a secret over it.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt};

use super::{DEFAULTS, load_from};
use crate::{error_chain::error_chain, fuzzing::Corpus};

/// The value of each secret in the seeds.
pub(super) const CANARY: &str = "nbt_canary0001.Qz7Kw91x";
/// The settings that are secrets.
const SECRETS: [&str; 5] =
    ["netbox.token", "queue.url", "webhook.secret", "webhook.previous_secret", "telemetry.otlp_authorization"];
/// Stands between the settings file and the lines of the environment.
const ENVIRONMENT: &str = "\n%%\n";

/// Writes a file that only its owner may read.
pub(super) fn file(text: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// Counts the canaries in the texts at the paths that `is_secret` tells.
fn in_secrets(value: &toml::Value, path: &str, is_secret: &impl Fn(&str) -> bool) -> usize {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        toml::Value::String(text) if is_secret(path) => text.matches(CANARY).count(),
        toml::Value::Array(values) => values.iter().map(|value| in_secrets(value, path, is_secret)).sum(),
        toml::Value::Table(table) => table.iter().map(|(name, value)| in_secrets(value, &below(name), is_secret)).sum(),
        toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => 0,
    }
}

/// Returns whether a TOML text holds canaries only where secrets belong, or is none, so that nothing of it may be shown.
pub(super) fn is_discreet(text: &str, is_secret: impl Fn(&str) -> bool) -> bool {
    let Ok(table) = text.parse::<toml::Table>() else { return true };
    in_secrets(&toml::Value::Table(table), "", &is_secret) == text.matches(CANARY).count()
}

/// An input is a settings file, and behind `%%` the environment, a variable in each line.
#[test]
fn settings_are_read_or_refused_without_showing_a_secret() {
    let given = |name: &str| format!("RIR_SIDECAR__{name}");
    let needed = format!("[netbox]\nurl = \"http://netbox.test/\"\ntoken = \"{CANARY}\"\n");
    let secrets = format!(
        "{needed}[webhook]\nsecret = \"{CANARY}\"\nprevious_secret = '''{CANARY}'''\n[queue]\n\
         url = \"redis://:{CANARY}@redis.test:6379/0\"\nlease = \"45s\"\n[arin.auth]\n\"https://reg.arin.net\" = \"query\"\n"
    );
    let environment = [
        format!("{}={CANARY}", given("NETBOX__TOKEN")),
        format!("{}=https://netbox.test/", given("NETBOX__URL")),
        format!("{}=EXAMPLE-1, EXAMPLE-2", given("SYNC__RECIPIENT_ORGS")),
        format!("{}=https://reg.arin.net=query", given("ARIN__AUTH")),
        format!("{}=Bearer {CANARY}", given("TELEMETRY__OTLP_AUTHORIZATION")),
        format!("{}=0.25", given("SYNC__MAX_RETIRED_SHARE")),
    ];
    let seeds = [
        needed.clone(),
        secrets,
        format!("{needed}{ENVIRONMENT}{}", environment.join("\n")),
        format!("{ENVIRONMENT}{}", environment.join("\n")),
        // What somebody may write who has not read how.
        format!("queue = \"redis://:{CANARY}@redis.test:6379/0\"\n[netbox]\nurl = \"http://netbox.test/\"\n"),
        format!("netbox = [\"{CANARY}\"]\n"),
        format!(
            "[netbox]\nurl = \"http://netbox.test/\"\ntoken = [\"{CANARY}\"]\n[webhook]\nsecret = {{ a = \"{CANARY}\" }}\n"
        ),
        format!("{needed}{ENVIRONMENT}{}=redis://:{CANARY}@redis.test:6379/0", given("QUEUE")),
        DEFAULTS.replace("token = \"\"", &format!("token = \"{CANARY}\"")),
    ];
    Corpus::new(seeds)
        .words(&[
            "RIR_SIDECAR__",
            "__",
            "%%",
            "\"\"\"",
            "[[",
            "]]",
            "[netbox]",
            "[queue]",
            " = ",
            "{}",
            "99999d",
            "\n",
            CANARY,
        ])
        .run(|input| {
            let text = String::from_utf8_lossy(input);
            let (settings, environment) = text.split_once(ENVIRONMENT).unwrap_or((&text, ""));
            let variables: BTreeMap<String, String> = environment
                .lines()
                .filter_map(|line| line.split_once('='))
                .map(|(a, b)| (a.into(), b.into()))
                .collect();
            let told = match load_from(Some(file(settings.as_bytes()).path()), &variables) {
                Ok(settings) => format!("{settings:?}"),
                Err(error) => {
                    let told = error_chain(&error);
                    assert!(told.len() <= 4 * input.len() + 10_000, "{} bytes", told.len());
                    told + &format!("{error:?}")
                }
            };
            // Somebody may write a secret into the place of the section, or below it.
            let is_secret = |path: &str| {
                SECRETS.iter().any(|secret| {
                    secret.starts_with(&format!("{path}.")) || format!("{path}.").starts_with(&format!("{secret}."))
                })
            };
            let variable = |(name, value): (&String, &String)| {
                let path = name.trim_start_matches("RIR_SIDECAR__").to_lowercase().replace("__", ".");
                !name.contains(CANARY) && (is_secret(&path) || !value.contains(CANARY))
            };
            if is_discreet(settings, is_secret) && variables.iter().all(variable) {
                assert!(!told.contains(CANARY), "{told}");
            }
        });
}
