//! The settings that are URLs, looked at before the others. Each that is unfit is told with a remedy of its own, and a
//! placeholder stands in for it, so that all other problems are found at the same time.

use std::str::FromStr;

use config::{Config, ConfigError, Map, Value};

use super::{
    http_url::{HttpUrl, RegistryUrl, UnfitUrl, describe},
    problem::Problem,
    proxy::Proxy,
    rpki::VrpsUrl,
};

/// A setting that is a URL, or a list of them.
struct UrlSetting {
    key: &'static str,
    example: &'static str,
    /// The place where what is secret belongs.
    secrets: &'static str,
}

const NETBOX: UrlSetting = UrlSetting {
    key: "netbox.url",
    example: "https://netbox.example.net/",
    secrets: "NetBox's token belongs in the file that netbox.token_file names",
};
const REGISTRIES: UrlSetting = UrlSetting {
    key: "arin.allowed_base_urls",
    example: "https://reg.arin.net",
    secrets: "ARIN's API keys belong in the file that keys.file names",
};
const LISTING: UrlSetting = UrlSetting {
    key: "arin.whois_url",
    example: "https://registry.example.net/whois/rest",
    secrets: "the listing is public, and no key is sent there",
};
const VRPS: UrlSetting = UrlSetting {
    key: "rpki.vrps",
    example: "http://routinator.example.net:8323/json, nor file:/// and the path of a file",
    secrets: "validators give their lists to everyone who can reach them",
};
const COLLECTOR: UrlSetting = UrlSetting {
    key: "telemetry.otlp_endpoint",
    example: "http://otel-collector:4318",
    secrets: "what the collector asks for belongs in the file that telemetry.otlp_authorization_file names",
};
const PROXIES: [UrlSetting; 2] = [proxy("netbox.proxy"), proxy("arin.proxy")];
/// The setting whose names are URLs.
const WAYS: &str = "arin.auth";
/// Takes the place of a URL that is unfit.
const PLACEHOLDER: &str = "https://unset.invalid";

const fn proxy(key: &'static str) -> UrlSetting {
    let secrets = "write \"environment\" here, and user name and password into HTTPS_PROXY";
    UrlSetting { key, example: "http://proxy.example.net:3128, nor \"environment\"", secrets }
}

/// Adds a problem for each URL that is unfit, and returns the settings with placeholders for these.
pub(super) fn with_placeholders(merged: Config, problems: &mut Vec<Problem>) -> Result<Config, ConfigError> {
    let mut layers = Config::builder().add_source(merged.clone());
    let netbox = merged.get_string(NETBOX.key).unwrap_or_default();
    let found = if netbox.is_empty() {
        let remedy = "is not set; set it to where NetBox answers, in the file or as RIR_SIDECAR__NETBOX__URL";
        Some(Problem::new(NETBOX.key, remedy))
    } else {
        NETBOX.problem::<HttpUrl>(&netbox)
    };
    if let Some(problem) = found {
        problems.push(problem);
        layers = layers.set_override(NETBOX.key, PLACEHOLDER)?;
    }
    // What is no list of texts is told when it is read as a list of URLs.
    let listed: Vec<String> = merged.get(REGISTRIES.key).unwrap_or_default();
    let unfit: Vec<Problem> = listed.iter().filter_map(|url| REGISTRIES.problem::<RegistryUrl>(url)).collect();
    if !unfit.is_empty() {
        problems.extend(unfit);
        layers = layers.set_override(REGISTRIES.key, vec![PLACEHOLDER])?;
    }
    if merged.get_string(WAYS).is_ok() {
        let remedy = "is one for each base URL: [arin.auth], and below it \"https://reg.ote.arin.net\" = \"query\"";
        problems.push(Problem::new(WAYS, remedy));
        layers = layers.set_override(WAYS, Map::<String, Value>::new())?;
    }
    let listing = merged.get_string(LISTING.key).unwrap_or_default();
    if let Some(problem) = LISTING.problem::<RegistryUrl>(&listing).filter(|_| !listing.is_empty()) {
        problems.push(problem);
        layers = layers.set_override(LISTING.key, "")?;
    }
    let vrps = merged.get_string(VRPS.key).unwrap_or_default();
    if let Some(problem) = VRPS.problem::<VrpsUrl>(&vrps).filter(|_| !vrps.is_empty()) {
        problems.push(problem);
        layers = layers.set_override(VRPS.key, "")?;
    }
    let collector = merged.get_string(COLLECTOR.key).unwrap_or_default();
    if let Some(problem) = COLLECTOR.problem::<HttpUrl>(&collector).filter(|_| !collector.is_empty()) {
        problems.push(problem);
        layers = layers.set_override(COLLECTOR.key, "")?;
    }
    for setting in &PROXIES {
        let proxy = merged.get_string(setting.key).unwrap_or_default();
        if let Some(problem) = setting.problem::<Proxy>(&proxy) {
            problems.push(problem);
            layers = layers.set_override(setting.key, "")?;
        }
    }
    layers.build()
}

impl UrlSetting {
    fn problem<T: FromStr<Err = UnfitUrl>>(&self, text: &str) -> Option<Problem> {
        let unfit = text.parse::<T>().err()?;
        Some(Problem::new(self.key, remedy(self.example, self.secrets, (text, unfit))))
    }
}

/// Says what is wrong with a URL and what to do about it: an example of a good one, or where secrets belong.
pub fn remedy(example: &str, secrets: &str, (text, unfit): (&str, UnfitUrl)) -> String {
    let told = describe(text, unfit);
    match unfit {
        UnfitUrl::NotHttp => format!("{told} such as {example}"),
        UnfitUrl::Credentials => format!("{told}, which logs and errors would show; take it out: {secrets}"),
        UnfitUrl::Query | UnfitUrl::NotEncrypted => told,
    }
}
