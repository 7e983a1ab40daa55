//! Reads the layers, puts them together and checks the result.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use config::{Config, ConfigError, File, FileFormat};
use secrecy::ExposeSecret;
use url::Url;

use super::{DEFAULTS, QueueMode, Settings, secret_file};

const PREFIX: &str = "RIR_SIDECAR__";
/// Secrets that NetBox signs webhooks with have at least so many characters.
const SHORTEST_SECRET: usize = 16;
/// A lease that is shorter is lost in a pause of the machine.
const LEAST_LEASE: Duration = Duration::from_secs(1);
/// Hints are remembered for two hours; a sweep that comes in time looks back on less than half of that.
const LONGEST_SWEEP: Duration = Duration::from_secs(3600);
/// Settings that are lists, which the environment writes with commas.
const LISTS: [&str; 2] = ["arin.allowed_base_urls", "sync.recipient_orgs"];

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// The file given with `--config` cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A layer is not TOML.
    #[error("cannot read the configuration")]
    Layers(#[source] ConfigError),
    /// Keys or values that do not fit, all of them.
    #[error("the configuration cannot be used:\n{}", list(.0))]
    Problems(Vec<Problem>),
}

/// One thing wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, `section.key`.
    pub key: String,
    /// What is wrong and what to do.
    pub remedy: String,
}

impl Problem {
    fn new(key: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { key: key.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.remedy)
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("  {problem}")).collect::<Vec<_>>().join("\n")
}

/// Loads the settings from the defaults, `file` and the environment.
///
/// # Errors
/// When a layer cannot be read, and for all unknown keys and unfit values together.
pub fn load(file: Option<&Path>) -> Result<Settings, Invalid> {
    load_from(file, &environment())
}

/// Loads `http.listen` alone: whoever asks a process how it is need not have its other settings, nor its secrets.
///
/// # Errors
/// When a layer cannot be read, or it is no address.
pub fn load_listen(file: Option<&Path>) -> Result<SocketAddr, Invalid> {
    merge(file, &environment())?.get("http.listen").map_err(|error| Invalid::Problems(vec![unfit(&error)]))
}

fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// [`load`] with the environment as a value.
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
            check(&settings, &mut problems);
            take_secrets(&mut settings, &mut problems);
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
        let text = std::fs::read_to_string(path).map_err(|source| Invalid::File { path: path.to_owned(), source })?;
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

/// Judges the URLs first, with their own words, and puts a placeholder for bad ones so that all other problems are found
/// in the same go.
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

/// What a single value may be, and what excludes what.
fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let Settings { netbox, arin, sync, queue, worker, http, webhook, schedule, sweep, telemetry, .. } = settings;
    let mut at_least_one = |key: &str, value: usize| {
        if value == 0 {
            problems.push(Problem::new(key, "is 0; set it to 1 or more"));
        }
    };
    at_least_one("netbox.page_size", netbox.page_size as usize);
    at_least_one("netbox.batch_size", netbox.batch_size);
    at_least_one("netbox.writes_in_flight", netbox.writes_in_flight);
    at_least_one("arin.max_in_flight", arin.max_in_flight);
    at_least_one("arin.burst", arin.burst as usize);
    at_least_one("arin.max_body_bytes", arin.max_body_bytes);
    at_least_one("queue.max_attempts", queue.max_attempts as usize);
    at_least_one("worker.concurrency", worker.concurrency);
    at_least_one("http.unknown_tokens_per_minute", http.unknown_tokens_per_minute as usize);
    at_least_one("http.max_body_bytes", http.max_body_bytes);
    if arin.allowed_base_urls.is_empty() {
        problems
            .push(Problem::new("arin.allowed_base_urls", "is empty, so no registry may be asked; list at least one"));
    }
    for url in arin.allowed_base_urls.iter().filter(|url| url.path().trim_matches('/').ends_with("rest")) {
        problems.push(Problem::new("arin.allowed_base_urls", format!("`{url}` ends in /rest; leave that part away")));
    }
    for (key, value) in [
        ("netbox.timeout", netbox.timeout),
        ("arin.timeout", arin.timeout),
        ("arin.connect_timeout", arin.connect_timeout),
        ("http.timeout", http.timeout),
    ] {
        if value.is_zero() {
            problems.push(Problem::new(key, "is zero, so every request would fail; set a time such as `30s`"));
        }
    }
    for (key, value, least) in [
        ("queue.lease", queue.lease, LEAST_LEASE),
        ("queue.keep", queue.keep, Duration::from_secs(60)),
        ("queue.retry_backoff", queue.retry_backoff, Duration::from_millis(1)),
        ("worker.shutdown_timeout", worker.shutdown_timeout, Duration::from_secs(1)),
        ("schedule.interval", schedule.interval, Duration::from_secs(60)),
        ("schedule.tick", schedule.tick, Duration::from_secs(1)),
    ] {
        if value < least {
            let least = humantime::format_duration(least);
            problems.push(Problem::new(key, format!("is too short; set it to {least} or more")));
        }
    }
    if webhook.debounce > webhook.debounce_longest {
        problems.push(Problem::new("webhook.debounce", "is longer than webhook.debounce_longest"));
    }
    if !sweep.interval.is_zero() && sweep.interval + sweep.settle > LONGEST_SWEEP {
        let remedy = "and sweep.settle are more than an hour together; webhooks are not remembered for longer";
        problems.push(Problem::new("sweep.interval", remedy));
    }
    if queue.mode == QueueMode::Sentinel && queue.sentinel_master.is_empty() {
        problems.push(Problem::new("queue.sentinel_master", "is not set; name the group that the sentinels watch"));
    }
    if queue.prefix.is_empty() || queue.prefix.contains(['{', '}', ' ']) {
        problems.push(Problem::new("queue.prefix", "has to be a word without braces, such as `rir-sidecar`"));
    }
    if arin.connect_timeout > arin.timeout {
        problems.push(Problem::new("arin.connect_timeout", "is longer than arin.timeout, which includes it"));
    }
    for (key, share) in
        [("sync.max_retired_share", sync.max_retired_share), ("telemetry.trace_share", telemetry.trace_share)]
    {
        if !(0.0..=1.0).contains(&share) {
            problems.push(Problem::new(key, "is a share between 0 and 1; write 0.2 for 20 %"));
        }
    }
}

/// Takes each secret from where it is given: its setting or its file, never both.
fn take_secrets(settings: &mut Settings, problems: &mut Vec<Problem>) {
    let Settings { netbox, queue, webhook, .. } = settings;
    for (key, secret, file) in [
        ("netbox.token", &mut netbox.token, &netbox.token_file),
        ("queue.url", &mut queue.url, &queue.url_file),
        ("webhook.secret", &mut webhook.secret, &webhook.secret_file),
        ("webhook.previous_secret", &mut webhook.previous_secret, &webhook.previous_secret_file),
    ] {
        let Some(path) = file else { continue };
        if !secret.expose_secret().trim().is_empty() {
            problems.push(Problem::new(key, format!("is set together with {key}_file; set only one of them")));
            continue;
        }
        match secret_file(path) {
            Ok(read) => *secret = read,
            Err(error) => {
                problems.push(Problem::new(format!("{key}_file"), format!("cannot read {}: {error}", path.display())));
            }
        }
    }
    if netbox.token_file.is_none() && netbox.token.expose_secret().trim().is_empty() {
        let remedy = "is not set; set netbox.token_file to a file that holds a NetBox API token";
        problems.push(Problem::new("netbox.token", remedy));
    }
    for (key, secret) in [("webhook.secret", &webhook.secret), ("webhook.previous_secret", &webhook.previous_secret)] {
        if (1..SHORTEST_SECRET).contains(&secret.expose_secret().len()) {
            let remedy = format!("is shorter than {SHORTEST_SECRET} characters; make one with `openssl rand -hex 32`");
            problems.push(Problem::new(key, remedy));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
