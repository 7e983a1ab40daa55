//! The loading: reads the layers, puts them together and has the result checked.

use std::{collections::BTreeMap, ffi::OsString, net::SocketAddr, path::Path};

use config::{Config, ConfigError, File, FileFormat};
use url::Url;

use super::{
    checks,
    problem::{Invalid, Problem},
    settings::Settings,
};

/// The default file, which is also the manual.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

const PREFIX: &str = "RIR_SIDECAR__";
/// The settings that are lists. The environment writes them with commas.
const LISTS: [&str; 2] = ["arin.allowed_base_urls", "sync.recipient_orgs"];

/// Loads the settings from the defaults, `file` and the environment.
///
/// # Errors
/// When a layer cannot be read, and for all unknown keys and unfit values together.
pub fn load(file: Option<&Path>) -> Result<Settings, Invalid> {
    load_from(file, &environment())
}

/// Loads `http.listen` alone: the command that asks a process for its health needs neither the other settings nor the
/// secrets.
///
/// # Errors
/// When a layer cannot be read, or the setting is no address.
pub fn load_listen(file: Option<&Path>) -> Result<SocketAddr, Invalid> {
    merge(file, &environment())?.get("http.listen").map_err(|error| Invalid::Problems(vec![unfit(&error)]))
}

fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// Loads the settings as [`load`] does, with the environment as a value.
///
/// # Errors
/// As [`load`].
pub fn load_from(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Settings, Invalid> {
    let merged = merge(file, environment)?;
    let mut problems = Vec::new();
    let merged = with_urls(merged, &mut problems)?;
    let read: Result<Settings, ConfigError> = serde_ignored::deserialize(merged, |path| {
        problems.push(Problem::new(path.to_string(), "is not a setting; correct its name or remove it"));
    });
    match read {
        Ok(mut settings) => {
            checks::check(&settings, &mut problems);
            checks::take_secrets(&mut settings, &mut problems);
            if problems.is_empty() { Ok(settings) } else { Err(Invalid::Problems(problems)) }
        }
        Err(error) => {
            problems.push(unfit(&error));
            Err(Invalid::Problems(problems))
        }
    }
}

fn merge(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Config, Invalid> {
    let mut layers = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| Invalid::File(path.to_owned(), error))?;
        layers = layers.add_source(File::from_str(&text, FileFormat::Toml));
    }
    for (name, value) in environment {
        let Some(name) = name.strip_prefix(PREFIX) else { continue };
        let key = name.to_lowercase().replace("__", ".");
        layers = if LISTS.contains(&key.as_str()) {
            let items = value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>();
            layers.set_override(key, items)
        } else {
            layers.set_override(key, value.as_str())
        }
        .map_err(Invalid::Layers)?;
    }
    layers.build().map_err(Invalid::Layers)
}

/// Checks `netbox.url` first, with a remedy of its own, and puts a placeholder for a bad one, so that all other
/// problems are found at the same time.
fn with_urls(merged: Config, problems: &mut Vec<Problem>) -> Result<Config, Invalid> {
    let url = merged.get_string("netbox.url").unwrap_or_default();
    let problem = match Url::parse(&url) {
        _ if url.is_empty() => {
            Some(format!("is not set; set it to where NetBox answers, in the file or as {PREFIX}NETBOX__URL"))
        }
        Ok(good) if matches!(good.scheme(), "http" | "https") && good.has_host() => None,
        Ok(_) | Err(_) => Some(format!("`{url}` is not an http or https URL such as https://netbox.example.net/")),
    };
    let Some(problem) = problem else { return Ok(merged) };
    problems.push(Problem::new("netbox.url", problem));
    Config::builder()
        .add_source(merged)
        .set_override("netbox.url", "http://unset.invalid/")
        .and_then(|layers| layers.build())
        .map_err(Invalid::Layers)
}

fn unfit(error: &ConfigError) -> Problem {
    if let ConfigError::At { error, key: Some(key), .. } = error {
        return Problem::new(key, error.to_string());
    }
    if let ConfigError::Type { unexpected, expected, key: Some(key), .. } = error {
        return Problem::new(key, format!("is {unexpected}, but has to be {expected}"));
    }
    Problem::new("configuration", error.to_string())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::problem::list;

    fn environment<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
        let set = |(key, value): (&str, &str)| (format!("{PREFIX}{key}"), value.to_owned());
        pairs.into_iter().map(set).collect()
    }

    const NEEDED: [(&str, &str); 2] = [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", "1e5")];

    fn problems(more: &[(&str, &str)]) -> String {
        match load_from(None, &environment(NEEDED.into_iter().chain(more.iter().copied()))).unwrap_err() {
            Invalid::Problems(problems) => list(&problems),
            Invalid::File { .. } | Invalid::Layers(_) => panic!("expected problems"),
        }
    }

    #[test]
    fn the_defaults_need_only_a_url_and_a_token() {
        let settings = load_from(None, &environment(NEEDED)).unwrap();
        assert_eq!(settings.netbox.batch_size, 50);
        assert_eq!(settings.arin.retry_backoff.as_secs(), 2);
        assert_eq!(settings.sync.log_retention.as_secs(), 90 * 24 * 3600);
        assert_eq!(settings.keys.file, None);
    }

    #[test]
    fn a_token_that_looks_like_a_number_stays_as_it_is() {
        let settings = load_from(None, &environment(NEEDED)).unwrap();
        assert_eq!(settings.netbox.token.expose_secret(), "1e5");
    }

    #[test]
    fn lists_in_the_environment_are_separated_by_commas() {
        let lists = [
            ("ARIN__ALLOWED_BASE_URLS", "http://127.0.0.1:1/, https://reg.arin.net"),
            ("SYNC__RECIPIENT_ORGS", "EXAMPLE-1"),
        ];
        let settings = load_from(None, &environment(NEEDED.into_iter().chain(lists))).unwrap();
        assert_eq!(settings.arin.allowed_base_urls.len(), 2);
        assert_eq!(settings.sync.recipient_orgs, ["EXAMPLE-1"]);
    }

    #[test]
    fn the_environment_comes_after_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[arin]\nburst = 3\nmax_in_flight = 4\n").unwrap();
        let set = environment(NEEDED.into_iter().chain([("ARIN__BURST", "7")]));
        let settings = load_from(Some(file.path()), &set).unwrap();
        assert_eq!((settings.arin.burst, settings.arin.max_in_flight), (7, 4));
    }

    #[test]
    fn everything_wrong_is_reported_together() {
        let wrong = [
            ("ARIN__BURTS", "1"),
            ("NETBOX__URL", "netbox.test"),
            ("NETBOX__TOKEN_FILE", "token.txt"),
            ("NETBOX__BATCH_SIZE", "0"),
            ("SYNC__MAX_RETIRED_SHARE", "20"),
            ("ARIN__CONNECT_TIMEOUT", "2min"),
        ];
        insta::assert_snapshot!(problems(&wrong), @r"
        netbox.url: `netbox.test` is not an http or https URL such as https://netbox.example.net/
        arin.burts: is not a setting; correct its name or remove it
        netbox.batch_size: is 0; set it to 1 or more
        arin.connect_timeout: is longer than arin.timeout, which includes it
        sync.max_retired_share: is a share between 0 and 1; write 0.2 for 20 %
        netbox.token: is set together with netbox.token_file; set only one of them
        ");
    }

    #[test]
    fn a_value_of_the_wrong_kind_names_its_key() {
        insta::assert_snapshot!(problems(&[("ARIN__BURST", "many")]), @"  arin.burst: is string \"many\", but has to be an integer");
        insta::assert_snapshot!(problems(&[("ARIN__AUTH", "cookie")]), @"  arin.auth: enum Auth does not have variant constructor cookie");
        insta::assert_snapshot!(problems(&[("TELEMETRY__OTLP_ENDPOINT", "otel:4318")]), @"  telemetry.otlp_endpoint: `otel:4318` is not an http or https URL such as http://otel-collector:4318");
        insta::assert_snapshot!(problems(&[("ARIN__TIMEOUT", "30")]), @"  arin.timeout: `30` is not a duration such as `2s` or `90days`: time unit needed, for example 30sec or 30ms");
    }

    #[test]
    fn a_missing_token_says_how_to_give_one() {
        insta::assert_snapshot!(problems(&[("NETBOX__TOKEN", "")]), @"  netbox.token: is not set; set netbox.token_file to a file that holds a NetBox API token");
    }
}
