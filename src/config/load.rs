//! The loading: reads the layers, puts them together and has the result checked.

use std::{collections::BTreeMap, ffi::OsString, net::SocketAddr, path::Path};

use config::{Config, ConfigError, File, FileFormat, Map};

use super::{
    checks,
    keys::Keyring,
    problem::{Invalid, Problem},
    settings::Settings,
    toml_text::{Mistake, table},
    unset::give_way,
    urls::with_placeholders,
};
use crate::error_chain::error_chain;

/// The default file, which is also the manual.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

const PREFIX: &str = "RIR_SIDECAR__";
/// The settings that are lists. The environment writes them with commas.
const LISTS: [&str; 8] = [
    "arin.allowed_base_urls",
    "findings.assigned_statuses",
    "findings.own_tenant_groups",
    "findings.own_tenants",
    "findings.public_vrfs",
    "irr.own_space",
    "routing.prefer",
    "sync.recipient_orgs",
];
/// The settings that are tables. The environment writes them as lists of `name=value`.
const TABLES: [&str; 1] = ["arin.auth"];

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
    Layers::read(file, &environment())?
        .merged
        .get("http.listen")
        .map_err(|error| Invalid::Problems(vec![unfit(&error)]))
}

/// Loads the settings as [`load`] does, and the API keys of the file that they name.
///
/// # Errors
/// As [`load`]. What is wrong with the keys file is told together with all else.
pub fn load_with_keys(file: Option<&Path>) -> Result<(Settings, Keyring), Invalid> {
    let environment = environment();
    let layers = Layers::read(file, &environment)?;
    let keys = layers.keys();
    match (layers.settings(&environment), keys) {
        (Ok(settings), Ok(keys)) => Ok((settings, keys)),
        (Ok(_), Err(problem)) => Err(Invalid::Problems(vec![problem])),
        (Err(Invalid::Problems(mut problems)), Err(problem)) => {
            problems.push(problem);
            Err(Invalid::Problems(problems))
        }
        (Err(invalid), Ok(_) | Err(_)) => Err(invalid),
    }
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
    Layers::read(file, environment)?.settings(environment)
}

/// What an operator has given, and the same over the defaults.
struct Layers {
    given: Config,
    merged: Config,
}

impl Layers {
    fn read(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Invalid> {
        let mut layers = Config::builder();
        if let Some(path) = file {
            layers = layers.add_source(File::from_str(&toml(path)?, FileFormat::Toml));
        }
        for (name, value) in environment {
            let Some(name) = name.strip_prefix(PREFIX) else { continue };
            let key = name.to_lowercase().replace("__", ".");
            layers = layers.set_override(&key, of_environment(&key, value)).map_err(Invalid::Layers)?;
        }
        let given = layers.build().map_err(Invalid::Layers)?;
        let defaults = File::from_str(DEFAULTS, FileFormat::Toml);
        let merged = Config::builder().add_source(defaults).add_source(given.clone()).build();
        Ok(Self { given, merged: merged.map_err(Invalid::Layers)? })
    }

    fn settings(self, environment: &BTreeMap<String, String>) -> Result<Settings, Invalid> {
        let Self { given, merged } = self;
        let mut problems = Vec::new();
        let merged = with_placeholders(merged, &mut problems).map_err(Invalid::Layers)?;
        let read: Result<Settings, ConfigError> = serde_ignored::deserialize(merged, |path| {
            problems.push(Problem::new(path.to_string(), "is not a setting; correct its name or remove it"));
        });
        match read {
            Ok(mut settings) => {
                checks::limits(&settings, &mut problems);
                give_way(&mut settings, |key| given.get::<config::Value>(key).is_ok());
                checks::check(&settings, &mut problems);
                checks::take_secrets(&mut settings, &mut problems);
                checks::certificates(&settings, &mut problems);
                settings.netbox.proxy.take("netbox.proxy", environment, &mut problems);
                settings.arin.proxy.take("arin.proxy", environment, &mut problems);
                if !problems.is_empty() {
                    return Err(Invalid::Problems(problems));
                }
                settings.irr.source.extend(settings.rpki.source());
                Ok(settings)
            }
            Err(error) => {
                problems.push(unfit(&error));
                Err(Invalid::Problems(problems))
            }
        }
    }

    /// Reads the keys file, even if other settings cannot be used.
    fn keys(&self) -> Result<Keyring, Problem> {
        match self.merged.get_string("keys.file") {
            Ok(path) if !path.is_empty() => Keyring::load(Path::new(&path)).map_err(|error| {
                Problem::new("keys.file", format!("names what cannot be used: {}", error_chain(&error)))
            }),
            // Without one there are no keys; what is no path is told with the other settings.
            Ok(_) | Err(_) => Ok(Keyring::default()),
        }
    }
}

/// Reads a file and makes sure that it is TOML: a parser's own words would show the line with the mistake, and secrets in
/// it.
fn toml(path: &Path) -> Result<String, Invalid> {
    let text = std::fs::read_to_string(path).map_err(|error| Invalid::File(path.to_owned(), error))?;
    match table::<toml::Table>(&text) {
        Ok(_) => Ok(text),
        Err(Mistake { line, problem }) => Err(Invalid::Syntax { path: path.to_owned(), line, problem }),
    }
}

fn of_environment(key: &str, value: &str) -> config::Value {
    let items = || value.split(',').map(str::trim).filter(|item| !item.is_empty());
    if LISTS.contains(&key) {
        return items().collect::<Vec<_>>().into();
    }
    if TABLES.contains(&key) {
        let pair = |item: &str| {
            let (name, value) = item.rsplit_once('=').unwrap_or((item, ""));
            (name.trim().to_owned(), config::Value::from(value.trim()))
        };
        return items().map(pair).collect::<Map<_, _>>().into();
    }
    value.into()
}

fn unfit(error: &ConfigError) -> Problem {
    if let ConfigError::At { key: Some(key), .. } | ConfigError::Type { key: Some(key), .. } = error
        && let Some(remedy) = discreet(key)
    {
        return Problem::new(key, remedy);
    }
    if let ConfigError::At { error, key: Some(key), .. } = error {
        return Problem::new(key, error.to_string());
    }
    if let ConfigError::Type { unexpected, expected, key: Some(key), .. } = error {
        return Problem::new(key, format!("is {unexpected}, but has to be {expected}"));
    }
    Problem::new("configuration", error.to_string())
}

/// Returns what is wrong with a setting whose value must not be shown: a secret, which may be given by a file instead, and
/// what somebody wrote in the place of a section, which may be one.
fn discreet(key: &str) -> Option<String> {
    match key.split_once('.') {
        None => Some(format!("is a section; write the settings that belong to it below [{key}]")),
        Some((_, name)) => DEFAULTS.contains(&format!("\n{name}_file = ")).then(|| "has to be text".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::{Auth, SourceKind, problem::list};

    fn environment<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
        let set = |(key, value): (&str, &str)| (format!("{PREFIX}{key}"), value.to_owned());
        pairs.into_iter().map(set).collect()
    }

    const NEEDED: [(&str, &str); 2] = [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", "1e5")];

    fn problems(more: &[(&str, &str)]) -> String {
        match load_from(None, &environment(NEEDED.into_iter().chain(more.iter().copied()))).unwrap_err() {
            Invalid::Problems(problems) => list(&problems),
            Invalid::File { .. } | Invalid::Syntax { .. } | Invalid::Layers(_) => panic!("expected problems"),
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
        assert_eq!(settings.netbox.token.now().expose_secret(), "1e5");
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
    fn own_tenants_that_are_not_set_are_told_from_none() {
        let load = |more: &[(&'static str, &'static str)]| {
            load_from(None, &environment(NEEDED.into_iter().chain(more.iter().copied()))).unwrap().findings
        };
        let unset = load(&[]);
        assert_eq!((unset.own_tenants, unset.own_tenant_groups), (None, None));
        let set = load(&[("FINDINGS__OWN_TENANTS", ""), ("FINDINGS__OWN_TENANT_GROUPS", "internal, lab")]);
        assert_eq!(set.own_tenants, Some(BTreeSet::new()));
        assert_eq!(set.own_tenant_groups, Some(["internal", "lab"].map(str::to_owned).into()));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[findings]\nown_tenants = []\nassigned_statuses = [\"active\", \"dhcp\"]\n")
            .unwrap();
        let set = load_from(Some(file.path()), &environment(NEEDED)).unwrap().findings;
        assert_eq!((set.own_tenants, set.own_tenant_groups), (Some(BTreeSet::new()), None));
        assert_eq!(set.assigned_statuses, ["active", "dhcp"].map(str::to_owned).into());
    }

    #[test]
    fn findings_have_a_baseline_that_is_a_day_or_none() {
        let baseline = |day| load_from(None, &environment(NEEDED.into_iter().chain([("FINDINGS__BASELINE", day)])));
        assert_eq!(baseline("").unwrap().findings.baseline, None);
        assert_eq!(baseline("2026-01-31").unwrap().findings.baseline, Some(jiff::civil::date(2026, 1, 31)));
        let told = problems(&[("FINDINGS__BASELINE", "31.1.2026")]);
        insta::assert_snapshot!(told, @"  findings.baseline: `31.1.2026` is no date such as 2026-01-31");
    }

    #[test]
    fn what_findings_cannot_be_judged_by_is_told_with_its_remedy() {
        let wrong = [
            ("FINDINGS__DEADLINE", "36h"),
            ("FINDINGS__OWN_TENANTS", "Example Networks,example"),
            ("FINDINGS__OPT_OUT_TAG", "leave alone"),
            ("FINDINGS__SINCE_FIELD", "assigned on"),
            ("FINDINGS__ASSIGNED_STATUSES", ""),
            ("FINDINGS__NET_NAME_TEMPLATE", "{tenant}-{site}"),
        ];
        insta::assert_snapshot!(problems(&wrong), @r"
        findings.deadline: is not a whole number of days; write it as `7days`
        findings.own_tenants: `Example Networks` is no slug; write the one that NetBox shows, such as `example-networks`
        findings.opt_out_tag: `leave alone` is no slug; write the one that NetBox shows, such as `example-networks`
        findings.since_field: `assigned on` is no name of a custom field; write the one that NetBox shows under Name, such as `assigned_on`
        findings.assigned_statuses: is empty, so that nothing would be assigned; list at least one, such as `active`
        findings.net_name_template: `{site}` is no placeholder; use {tenant}, {prefix} and {id}
        ");
        let told = |template| problems(&[("FINDINGS__NET_NAME_TEMPLATE", template)]);
        insta::assert_snapshot!(told("--"), @"  findings.net_name_template: holds no letter, digit or placeholder; use {tenant}, {prefix} and {id}");
        insta::assert_snapshot!(told("NET-{tenant"), @"  findings.net_name_template: has a brace that belongs to no placeholder; use {tenant}, {prefix} and {id}");
        insta::assert_snapshot!(told("NET-tenant}"), @"  findings.net_name_template: has a brace that belongs to no placeholder; use {tenant}, {prefix} and {id}");
    }

    #[test]
    fn what_findings_are_judged_by_may_be_set() {
        let right = [
            ("FINDINGS__DEADLINE", "336h"),
            ("FINDINGS__OWN_TENANTS", "Example_Networks-2"),
            ("FINDINGS__OPT_OUT_TAG", "größer"),
            ("FINDINGS__SINCE_FIELD", "Assigned_on2"),
            ("FINDINGS__NET_NAME_TEMPLATE", "{tenant}-{prefix}-{id}"),
        ];
        let set = load_from(None, &environment(NEEDED.into_iter().chain(right))).unwrap().findings;
        assert_eq!((set.deadline.as_secs(), &*set.net_name_template), (14 * 24 * 3600, "{tenant}-{prefix}-{id}"));
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
            ("ARIN__TIMEOUT", "1min"),
            ("ARIN__CONNECT_TIMEOUT", "2min"),
        ];
        insta::assert_snapshot!(problems(&wrong), @r"
        netbox.url: `netbox.test` is not an http or https URL such as https://netbox.example.net/
        arin.burts: is not a setting; correct its name or remove it
        netbox.batch_size: is too small; set it to 1 or more
        arin.connect_timeout: is longer than arin.timeout, which includes it
        sync.max_retired_share: is a share between 0 and 1; write 0.2 for 20 %
        netbox.token: is set together with netbox.token_file; set only one of them
        ");
    }

    #[test]
    fn a_value_of_the_wrong_kind_names_its_key() {
        insta::assert_snapshot!(problems(&[("ARIN__BURST", "many")]), @"  arin.burst: is string \"many\", but has to be an integer");
        insta::assert_snapshot!(problems(&[("ARIN__AUTH", "https://reg.arin.net=cookie")]), @"  arin.auth.https://reg.arin.net: enum Auth does not have variant constructor cookie");
        insta::assert_snapshot!(problems(&[("TELEMETRY__OTLP_ENDPOINT", "otel:4318")]), @"  telemetry.otlp_endpoint: `otel:4318` is not an http or https URL such as http://otel-collector:4318");
        insta::assert_snapshot!(problems(&[("ARIN__TIMEOUT", "30")]), @"  arin.timeout: `30` is not a duration such as `2s` or `90days`: time unit needed, for example 30sec or 30ms");
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_shown() {
        insta::assert_snapshot!(problems(&[("QUEUE", "redis://:canary@redis.test:6379/0")]), @"  queue: is a section; write the settings that belong to it below [queue]");
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["queue = \"canary\"\n", "[webhook]\nsecret = [\"canary\"]\n", "[queue]\nurl = { canary = 1 }\n"] {
            std::fs::write(file.path(), text).unwrap();
            let told = load_from(Some(file.path()), &environment(NEEDED)).unwrap_err().to_string();
            assert!(!told.contains("canary"), "{told}");
        }
    }

    #[test]
    fn a_url_with_a_secret_is_refused_wherever_none_belongs() {
        let wrong = [
            ("NETBOX__URL", "https://user:canary@netbox.example.net/"),
            ("ARIN__ALLOWED_BASE_URLS", "https://reg.arin.net,https://canary@reg.ote.arin.net"),
            ("TELEMETRY__OTLP_ENDPOINT", "https://user:can/ary@otel.example.net/?token=canary"),
        ];
        let told = problems(&wrong);
        insta::assert_snapshot!(told, @r"
        netbox.url: `https://netbox.example.net/` holds a user name or password, which logs and errors would show; take it out: NetBox's token belongs in the file that netbox.token_file names
        arin.allowed_base_urls: `https://reg.ote.arin.net` holds a user name or password, which logs and errors would show; take it out: ARIN's API keys belong in the file that keys.file names
        telemetry.otlp_endpoint: `https://otel.example.net/` holds a user name or password, which logs and errors would show; take it out: what the collector asks for belongs in the file that telemetry.otlp_authorization_file names
        ");
        assert!(!told.contains("canary"));
    }

    #[test]
    fn keys_are_not_sent_over_plain_http_to_others() {
        insta::assert_snapshot!(problems(&[("ARIN__ALLOWED_BASE_URLS", "http://reg.arin.net")]), @"  arin.allowed_base_urls: `http://reg.arin.net` is not encrypted, so that others could read what is sent, an API key too, or forge answers; write https (http is for this machine only)");
    }

    #[test]
    fn the_way_of_a_key_is_set_for_each_base_url() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[arin.auth]\n\"https://reg.ote.arin.net/\" = \"query\"\n").unwrap();
        let settings = load_from(Some(file.path()), &environment(NEEDED)).unwrap();
        let at = |settings: &Settings, url: &str| settings.arin.auth_at(&url.parse().unwrap());
        assert_eq!(at(&settings, "https://reg.ote.arin.net"), Auth::Query);
        assert_eq!(at(&settings, "https://reg.arin.net"), Auth::Header);
        let settings = load_from(None, &environment(NEEDED)).unwrap();
        assert_eq!(at(&settings, "https://reg.ote.arin.net/"), Auth::HeaderThenQuery);
        assert_eq!(at(&settings, "https://reg.arin.net"), Auth::Header);
        let set = [("ARIN__AUTH", "https://reg.arin.net=query, https://reg.ote.arin.net=header")];
        let settings = load_from(None, &environment(NEEDED.into_iter().chain(set))).unwrap();
        assert_eq!(at(&settings, "https://reg.ote.arin.net"), Auth::Header);
        assert_eq!(at(&settings, "https://reg.arin.net"), Auth::Query);
        std::fs::write(file.path(), "[arin]\nauth = \"query\"\n").unwrap();
        let told = load_from(Some(file.path()), &environment(NEEDED)).unwrap_err().to_string();
        assert!(told.contains("arin.auth: is one for each base URL"), "{told}");
        insta::assert_snapshot!(problems(&[("ARIN__AUTH", "https://arin.example.net=query")]), @"  arin.auth: names `https://arin.example.net`, which is not listed in arin.allowed_base_urls");
        let told = problems(&[("ARIN__AUTH", "https://user:canary@reg.arin.net=query")]);
        assert!(told.contains("holds a user name or password") && !told.contains("canary"), "{told}");
    }

    #[test]
    fn the_listing_is_where_requests_may_go_anyway() {
        let told = |url: &str| problems(&[("ARIN__WHOIS_URL", url)]);
        insta::assert_snapshot!(told("https://whois.example.net/rest"), @"  arin.whois_url: `https://whois.example.net/rest` has the scheme, host and port of no entry in arin.allowed_base_urls; list its base URL there, or correct it (ARIN's own listings need no entry)");
        insta::assert_snapshot!(told("https://user:canary@reg.arin.net/rest"), @"  arin.whois_url: `https://reg.arin.net/rest` holds a user name or password, which logs and errors would show; take it out: the listing is public, and no key is sent there");
        insta::assert_snapshot!(told("http://reg.arin.net/rest"), @"  arin.whois_url: `http://reg.arin.net/rest` is not encrypted, so that others could read what is sent, an API key too, or forge answers; write https (http is for this machine only)");
        for other in
            ["https://reg.arin.net:8443/rest", "https://reg.arin.net.example.net/rest", "http://127.0.0.1/rest"]
        {
            assert!(told(other).contains("has the scheme, host and port of no entry"), "{other}");
        }
        let own = "http://127.0.0.1:8080/arin";
        let set = |url| {
            let set = [("ARIN__ALLOWED_BASE_URLS", own), ("ARIN__WHOIS_URL", url)];
            load_from(None, &environment(NEEDED.into_iter().chain(set)))
        };
        for good in
            ["", "http://127.0.0.1:8080/whois/rest", "https://whois.arin.net/rest", "https://whois.ote.arin.net/rest/"]
        {
            assert!(set(good).is_ok(), "{good}");
        }
        assert!(set("http://127.0.0.1:8081/whois/rest").is_err() && set("https://127.0.0.1:8080/rest").is_err());
    }

    #[test]
    fn the_listing_belongs_to_the_registry_and_can_be_switched_off() {
        let at = |more: &[(&str, &str)], url: &str| {
            let settings = load_from(None, &environment(NEEDED.into_iter().chain(more.iter().copied()))).unwrap();
            settings.arin.listing_at(&url.parse().unwrap()).map(|url| url.to_string()).unwrap_or_default()
        };
        assert_eq!(at(&[], "https://reg.arin.net/"), "https://whois.arin.net/rest");
        assert_eq!(at(&[], "https://reg.ote.arin.net"), "https://whois.ote.arin.net/rest");
        assert_eq!(at(&[], "https://registry.example.net"), "");
        let own = [("ARIN__WHOIS_URL", "https://reg.arin.net/whois/rest/")];
        assert_eq!(at(&own, "https://registry.example.net"), "https://reg.arin.net/whois/rest");
        assert_eq!(at(&own, "https://reg.ote.arin.net"), "https://whois.ote.arin.net/rest");
        assert_eq!(at(&[own[0], ("ARIN__LISTING", "off")], "https://reg.arin.net"), "");
        insta::assert_snapshot!(problems(&[("ARIN__LISTING", "on")]), @"  arin.listing: enum Listing does not have variant constructor on");
    }

    #[test]
    fn never_to_ask_again_is_no_setting() {
        insta::assert_snapshot!(problems(&[("ARIN__REFRESH", "0s")]), @r#"
        arin.refresh: is too short; set it to 1h or more
        arin.refresh: cannot be zero; `rir-sidecar sync --all --full` asks for everything once, and arin.listing = "off" each time
        "#);
        let settings = load_from(None, &environment(NEEDED)).unwrap();
        assert_eq!((settings.arin.refresh.as_secs(), settings.arin.whois_requests_per_second), (7 * 24 * 3600, 2));
    }

    #[test]
    fn the_url_of_netbox_is_not_that_of_its_api() {
        let told = |url: &str| problems(&[("NETBOX__URL", url)]);
        insta::assert_snapshot!(told("https://netbox.example.net/api/"), @"  netbox.url: `https://netbox.example.net/api/` leads into NetBox's API; set it to where NetBox itself is: https://netbox.example.net/");
        for (url, right) in [
            ("https://netbox.example.net/api", "https://netbox.example.net/"),
            ("https://netbox.example.net/api/status/", "https://netbox.example.net/"),
            ("https://example.net/netbox/api/", "https://example.net/netbox/"),
            ("https://example.net/netbox/api/plugins/custom-objects/", "https://example.net/netbox/"),
        ] {
            assert!(told(url).ends_with(&format!("where NetBox itself is: {right}")), "{}", told(url));
        }
        for good in ["https://example.net/api-netbox/", "https://example.net/api/netbox/", "https://api.example.net/"] {
            let set = [("NETBOX__URL", good), ("NETBOX__TOKEN", "t")];
            assert!(load_from(None, &environment(set)).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_mistake_in_the_file_is_named_without_showing_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["[netbox]\ntoken = \"canary\n", "[netbox]\ntoken = canary\n", "[netbox]\ncanary\n"] {
            std::fs::write(file.path(), text).unwrap();
            let error = load_from(Some(file.path()), &environment(NEEDED)).unwrap_err();
            assert!(matches!(error, Invalid::Syntax { line: 2, .. }), "{error}");
            let told = format!("{} {error:?}", crate::error_chain::error_chain(&error));
            assert!(!told.contains("canary"), "{told}");
        }
    }

    #[test]
    fn one_rule_holds_for_all_files_with_secrets() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "redis://:canary-of-16-characters@redis/").unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let path = file.path().to_str().unwrap();
        let files = [
            ("NETBOX__TOKEN", ""),
            ("NETBOX__TOKEN_FILE", path),
            ("QUEUE__URL_FILE", path),
            ("WEBHOOK__SECRET_FILE", path),
            ("WEBHOOK__PREVIOUS_SECRET_FILE", path),
            ("REQUESTS__SEAL_FILE", path),
            ("TELEMETRY__OTLP_AUTHORIZATION_FILE", path),
        ];
        let told = problems(&files);
        assert_eq!(told.matches("is open to everybody on this machine").count(), 6, "{told}");
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(load_from(None, &environment(NEEDED.into_iter().chain(files))).is_ok());
    }

    #[test]
    fn changes_at_the_registry_need_a_seal_that_cannot_be_guessed() {
        insta::assert_snapshot!(problems(&[("REQUESTS__ENABLED", "true")]), @"  requests.seal: is not set, and without it approvals could be forged in NetBox; set requests.seal_file to a file that holds a secret, made with `openssl rand -hex 32`");
        insta::assert_snapshot!(problems(&[("REQUESTS__SEAL", "0123456789abcdef")]), @"  requests.seal: is shorter than 32 characters; make one with `openssl rand -hex 32`");
        let seal = ("REQUESTS__SEAL", "0123456789abcdef0123456789abcdef");
        let set = NEEDED.into_iter().chain([("REQUESTS__ENABLED", "true"), seal]);
        assert!(load_from(None, &environment(set)).unwrap().requests.enabled);
        assert!(
            !load_from(None, &environment(NEEDED)).unwrap().requests.enabled,
            "nothing is written unless somebody says so"
        );
    }

    #[test]
    fn a_file_of_certificates_that_cannot_be_used_is_told_with_the_others() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let wrong = [("NETBOX__CA_FILE", "/nowhere/netbox.pem"), ("ARIN__CA_FILE", path), ("QUEUE__CA_FILE", path)];
        insta::assert_snapshot!(problems(&wrong).replace(path, "FILE"), @r"
        netbox.ca_file: /nowhere/netbox.pem cannot be read: No such file or directory (os error 2)
        arin.ca_file: FILE holds no certificate; it has to be a PEM file, in which one begins with -----BEGIN CERTIFICATE----- (`openssl x509 -inform der -in FILE` writes a binary one like that)
        queue.ca_file: FILE holds no certificate; it has to be a PEM file, in which one begins with -----BEGIN CERTIFICATE----- (`openssl x509 -inform der -in FILE` writes a binary one like that)
        ");
    }

    #[test]
    fn a_proxy_is_a_url_without_a_password_or_the_one_of_the_environment() {
        let wrong = [("NETBOX__PROXY", "http://user:canary@proxy.test:3128"), ("ARIN__PROXY", "socks5://proxy.test")];
        insta::assert_snapshot!(problems(&wrong), @r#"
        netbox.proxy: `http://proxy.test:3128` holds a user name or password, which logs and errors would show; take it out: write "environment" here, and user name and password into HTTPS_PROXY
        arin.proxy: `proxy.test` is not an http or https URL such as http://proxy.example.net:3128, nor "environment"
        "#);
        let loaded = |way: &str| {
            let variables = [("HTTPS_PROXY".to_owned(), "ftp://canary@proxy.test".to_owned())];
            let set = environment(NEEDED.into_iter().chain([("NETBOX__PROXY", way)])).into_iter().chain(variables);
            load_from(None, &set.collect()).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!([loaded(""), loaded("http://proxy.test:3128")], [Ok(()), Ok(())], "the variable does not matter");
        insta::assert_snapshot!(loaded("environment").unwrap_err(), @r"
        the configuration cannot be used:
          netbox.proxy: takes HTTPS_PROXY from the environment, which is no http or https URL; correct it
        ");
    }

    #[test]
    fn a_source_is_looked_at_before_it_is_too_old() {
        let told = |interval: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            let table = "[[irr.source]]\nname = 'RADB'\ndumps = ['https://rr.test/a.db']\ninterval = ";
            std::fs::write(file.path(), format!("[routing]\nmax_age = '6h'\n{table}'{interval}'")).unwrap();
            load_from(Some(file.path()), &environment(NEEDED)).map_or_else(|wrong| wrong.to_string(), |_| String::new())
        };
        assert_eq!(told("6h"), "");
        assert!(told("7h").contains("irr.source[RADB].interval: is longer than routing.max_age"), "{}", told("7h"));
    }

    #[test]
    fn a_list_of_vrps_is_one_more_source() {
        let sources = |more: &[(&'static str, &'static str)]| {
            let settings = load_from(None, &environment(NEEDED.into_iter().chain(more.iter().copied()))).unwrap();
            settings.irr.source
        };
        assert!(sources(&[]).is_empty());
        for url in
            ["http://routinator.test:8323/json", "https://user.test/vrps.json.gz", "file:///var/db/rpki-client/json"]
        {
            let set = sources(&[("RPKI__VRPS", url), ("RPKI__MAX_SHRINK", "0.2"), ("RPKI__INTERVAL", "20m")]);
            let told: Vec<_> =
                set.iter().map(|source| (source.name.as_str(), source.kind, source.upstream())).collect();
            assert_eq!(told, [("RPKI", SourceKind::Rpki, url.to_owned())]);
            assert_eq!((set[0].interval().as_secs(), set[0].max_shrink()), (1200, 0.2));
            assert_eq!(set[0].max_age.map(|age| age.as_secs()), Some(6 * 3600));
        }
    }

    #[test]
    fn what_is_wrong_with_a_list_of_vrps_is_told_with_the_others() {
        let told = |url| problems(&[("RPKI__VRPS", url), ("RPKI__MAX_SHRINK", "10"), ("ARIN__BURTS", "5")]);
        insta::assert_snapshot!(told("/var/db/rpki-client/json"), @r"
        rpki.vrps: `/var/db/rpki-client/json` is not an http or https URL such as http://routinator.example.net:8323/json, nor file:/// and the path of a file
        arin.burts: is not a setting; correct its name or remove it
        rpki.max_shrink: is a share between 0 and 1; write 0.2 for 20 %
        ");
        let told = |url: &str| problems(&[("RPKI__VRPS", url)]);
        let urls = [
            "ftp://rpki.test/json",
            "file://server/json",
            "https://user:canary@rpki.test/json",
            "https://rpki.test/json?token=canary",
            "file:///srv/json?canary",
            "http://routinator.test:8323",
            "file:///srv/",
        ];
        let all = urls.map(told).join("\n");
        assert!(!all.contains("canary"), "{all}");
        insta::assert_snapshot!(all, @r"
        rpki.vrps: `rpki.test/json` is not an http or https URL such as http://routinator.example.net:8323/json, nor file:/// and the path of a file
        rpki.vrps: `server/json` is not an http or https URL such as http://routinator.example.net:8323/json, nor file:/// and the path of a file
        rpki.vrps: `https://rpki.test/json` holds a user name or password, which logs and errors would show; take it out: validators give their lists to everyone who can reach them
        rpki.vrps: `https://rpki.test/json` goes on with a query or fragment; leave away what begins with `?` or `#`
        rpki.vrps: `/srv/json` goes on with a query or fragment; leave away what begins with `?` or `#`
        rpki.vrps: names no file; a path has to follow the host, which is /json for Routinator
        rpki.vrps: names no file; a path has to follow the host, which is /json for Routinator
        ");
        insta::assert_snapshot!(problems(&[("RPKI__INTERVAL", "2h"), ("RPKI__MAX_AGE", "1h")]), @"  rpki.interval: is longer than rpki.max_age, so that a list would not count any more before it is looked at again");
    }

    #[test]
    fn a_missing_token_says_how_to_give_one() {
        insta::assert_snapshot!(problems(&[("NETBOX__TOKEN", "")]), @"  netbox.token: is not set; set netbox.token_file to a file that holds a NetBox API token");
    }
}
