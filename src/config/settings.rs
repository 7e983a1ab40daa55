//! The settings as types, a struct for each section. What each setting means stands in `config.default.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de::Error};

use super::{
    duration,
    http_url::{HttpUrl, RegistryUrl, describe},
    irr::Irr,
    proxy::Proxy,
    rpki::Rpki,
    secret::Secret,
};
use crate::model::{Instance, SourceName};

/// The longest time between sweeps, `sweep.settle` included. Changes that were seen are remembered for two hours, and a
/// sweep looks back on less than half of that.
pub(super) const LONGEST_SWEEP: Duration = Duration::from_secs(3600);

/// What a call may wait for its turn, recording its answer takes, and the clocks of two machines differ by.
const CLAIM_MARGIN: Duration = Duration::from_secs(10);

/// All settings, checked.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// NetBox's address, and the load that it may get.
    pub netbox: Netbox,
    /// The registry instances that may be asked, and the load that they may get.
    pub arin: Arin,
    /// The source of the API keys.
    pub keys: Keys,
    /// The choices in what a sync does.
    pub sync: Sync,
    /// The rules by which NetBox and the registry are compared.
    pub findings: Findings,
    /// The rules by which changes at the registry are asked for, approved and sent.
    pub requests: Requests,
    /// The routing registries that are mirrored or asked; the list of VRPs is one of them once the settings are loaded.
    pub irr: Irr,
    /// What validated ROAs say of who may announce what.
    pub rpki: Rpki,
    /// How it is judged by them whether the world will accept what is announced.
    pub routing: Routing,
    /// The place of the jobs.
    pub queue: Queue,
    /// The work on jobs.
    pub worker: Worker,
    /// The HTTP API.
    pub http: Http,
    /// NetBox's webhooks.
    pub webhook: Webhook,
    /// The schedule of syncs.
    pub schedule: Schedule,
    /// The sweep, which makes up for lost webhooks.
    pub sweep: Sweep,
    /// Logs and traces.
    pub telemetry: Telemetry,
}

/// `[netbox]`
#[derive(Debug, Clone, Deserialize)]
pub struct Netbox {
    /// Base URL, with any path NetBox is served under.
    pub url: HttpUrl,
    /// API token, v1 (40 hex digits) or v2 (`nbt_...`).
    pub token: Secret,
    /// File the token is read from instead.
    #[serde(deserialize_with = "unless_empty")]
    pub token_file: Option<PathBuf>,
    /// PEM file with NetBox's certificate, or with that of the authority that signed it.
    #[serde(deserialize_with = "unless_empty")]
    pub ca_file: Option<PathBuf>,
    /// The way to NetBox.
    pub proxy: Proxy,
    /// Rows asked for in one page; NetBox may give fewer.
    pub page_size: u32,
    /// Rows written in one request.
    pub batch_size: usize,
    /// Write requests under way at once.
    pub writes_in_flight: usize,
    /// Total time one request may take.
    #[serde(with = "duration")]
    pub timeout: Duration,
}

/// `[arin]`
#[derive(Debug, Clone, Deserialize)]
pub struct Arin {
    /// The only base URLs that API keys are sent to.
    pub allowed_base_urls: Vec<RegistryUrl>,
    /// The place of the API key in requests to a base URL, where it is not the usual one; see [`Arin::auth_at`].
    pub auth: BTreeMap<RegistryUrl, Auth>,
    /// PEM file with certificates of the registries, or of the authorities that signed them.
    #[serde(deserialize_with = "unless_empty")]
    pub ca_file: Option<PathBuf>,
    /// The way to the registries and their listings.
    pub proxy: Proxy,
    /// Whether public listings are asked.
    pub listing: Listing,
    /// Base URL of the public listing for instances other than ARIN's own two.
    #[serde(deserialize_with = "registry_url_unless_empty")]
    pub whois_url: Option<RegistryUrl>,
    /// The time within which each object is asked for again, although the listing shows no change.
    #[serde(with = "duration")]
    pub refresh: Duration,
    /// Requests a second to each public listing; 0 for no limit.
    pub whois_requests_per_second: u32,
    /// Requests a second for each registry instance; 0 for no limit.
    pub requests_per_second: u32,
    /// Requests that may go out at once after a quiet time.
    pub burst: u32,
    /// Requests under way at once for each registry instance.
    pub max_in_flight: usize,
    /// Time to establish a connection.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// Total time one request may take.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// Tries after the first, for failures that may pass.
    pub retry_count: u32,
    /// Wait before the first retry; doubles up to `retry_backoff * retry_count`.
    #[serde(with = "duration")]
    pub retry_backoff: Duration,
    /// The time for which 429 may be the answer to everything before that is a failure.
    #[serde(with = "duration")]
    pub patience: Duration,
    /// Largest response body read, in bytes.
    pub max_body_bytes: usize,
}

/// The use of a registry's public listing, which tells what is registered inside a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listing {
    /// It spares questions wherever there is one.
    Auto,
    /// A sync asks for every prefix.
    Off,
}

/// The place of the API key in a request to ARIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// `Authorization: ApiKey ...`, ARIN's preferred form.
    Header,
    /// `?apikey=...`, for instances that do not know the header yet; it ends up in access logs on the way.
    Query,
    /// The header; where that is refused the query, and from then on the one that was taken.
    HeaderThenQuery,
}

impl Netbox {
    /// Returns whether the requests to NetBox, and with them its token, go through a proxy that can read them.
    #[must_use]
    pub fn is_read_by_proxy(&self) -> bool {
        self.proxy.takes_unencrypted(self.url.as_url())
    }
}

impl Arin {
    /// Returns the place of the API key in requests to a base URL. Where nothing is set it is the header, and nothing else
    /// at ARIN's production; at its test environment, about which reports differ, both are tried.
    #[must_use]
    pub fn auth_at(&self, base: &RegistryUrl) -> Auth {
        let usual = if base.to_string() == Instance::OTE { Auth::HeaderThenQuery } else { Auth::Header };
        self.auth.get(base).copied().unwrap_or(usual)
    }

    /// Returns the base URL of the public listing that belongs to the registry instance at a base URL, if one is to be asked.
    #[must_use]
    pub fn listing_at(&self, base: &RegistryUrl) -> Option<RegistryUrl> {
        match (self.listing, base.to_string().as_str()) {
            (Listing::Off, _) => None,
            (Listing::Auto, Instance::PRODUCTION) => Instance::LISTING.parse().ok(),
            (Listing::Auto, Instance::OTE) => Instance::OTE_LISTING.parse().ok(),
            (Listing::Auto, _) => self.whois_url.clone(),
        }
    }

    /// Returns whether `arin.whois_url` leads to nowhere else than where requests may go: it has the origin of a base URL on
    /// the allow list, or is ARIN's own.
    pub(super) fn whois_url_is_allowed(&self) -> bool {
        self.whois_url.as_ref().is_none_or(|whois_url| {
            let is_arins = [Instance::LISTING, Instance::OTE_LISTING].contains(&whois_url.to_string().as_str());
            let origin = whois_url.as_url().origin();
            is_arins || self.allowed_base_urls.iter().any(|base| base.as_url().origin() == origin)
        })
    }
}

/// `[keys]`
#[derive(Debug, Clone, Deserialize)]
pub struct Keys {
    /// TOML file with `[[key]]` tables.
    #[serde(deserialize_with = "unless_empty")]
    pub file: Option<PathBuf>,
}

/// `[sync]`
#[derive(Debug, Clone, Deserialize)]
pub struct Sync {
    /// Links networks to aggregates and prefixes.
    pub auto_link_networks: bool,
    /// Organizations that nets may later be given to besides the config's own; these are kept up to date too.
    pub recipient_orgs: Vec<String>,
    /// The objects that get a log row.
    pub sync_log: SyncLog,
    /// The age up to which log rows are kept; zero keeps them for ever.
    #[serde(with = "duration")]
    pub log_retention: Duration,
    /// Share (0 to 1) of a config's rows that may be marked as not found within a day.
    pub max_retired_share: f64,
}

/// The objects that get a log row in NetBox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncLog {
    /// Those that changed, failed or were skipped.
    Changes,
    /// Unchanged ones too.
    All,
}

/// `[findings]`
#[derive(Debug, Clone, Deserialize)]
pub struct Findings {
    /// Slugs of the tenants that are the operator's own; `None` while nobody has said.
    #[serde(default)]
    pub own_tenants: Option<BTreeSet<String>>,
    /// Slugs of tenant groups whose tenants, with those of all groups inside, are the operator's own; `None` while nobody has
    /// said.
    #[serde(default)]
    pub own_tenant_groups: Option<BTreeSet<String>>,
    /// Names of the VRFs that are public space like the global table.
    pub public_vrfs: BTreeSet<String>,
    /// Codes of the statuses in which a prefix with a tenant counts as assigned.
    pub assigned_statuses: BTreeSet<String>,
    /// The time from the assignment in which it has to be registered, in whole days.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// Custom field of prefixes with the date of the assignment.
    pub since_field: String,
    /// Custom field of tenants with the name that they have at the registry.
    pub legal_name_field: String,
    /// Slug of the tag on IPv6 prefixes that are announced by themselves.
    pub announced_tag: String,
    /// Slug of the tag on prefixes and tenants that are people at home.
    pub residential_tag: String,
    /// Slug of the tag on prefixes and tenants that are left alone.
    pub opt_out_tag: String,
    /// Template for the names of nets; empty if they are not compared.
    pub net_name_template: String,
    /// The day from which assignments are counted that are older than it.
    #[serde(deserialize_with = "date_unless_empty")]
    pub baseline: Option<Date>,
    /// Shows what is not registered and does not have to be, too.
    pub voluntary: bool,
    /// The age from which an open ticket is old.
    #[serde(with = "duration")]
    pub ticket_age: Duration,
}

impl Findings {
    /// Returns the slugs of the tags that matter.
    #[must_use]
    pub fn tags(&self) -> BTreeSet<String> {
        let tags = [&self.announced_tag, &self.residential_tag, &self.opt_out_tag];
        tags.into_iter().filter(|slug| !slug.is_empty()).cloned().collect()
    }

    /// Returns whether nobody has said which tenants are the operator's own.
    #[must_use]
    pub fn own_tenants_are_unknown(&self) -> bool {
        self.own_tenants.is_none() && self.own_tenant_groups.is_none()
    }
}

/// `[requests]`
#[derive(Debug, Clone, Deserialize)]
pub struct Requests {
    /// Changes at the registry may be asked for and, once approved, are sent.
    pub enabled: bool,
    /// Whoever asked for a change may approve it, too.
    pub self_approval: bool,
    /// Secret that approvals are sealed with; empty for none.
    pub seal: Secret,
    /// File it is read from instead.
    #[serde(deserialize_with = "unless_empty")]
    pub seal_file: Option<PathBuf>,
    /// The time for which an approval holds.
    #[serde(with = "duration")]
    pub expires: Duration,
    /// Changes a day for each config that `auto_reassign` of a network approves; 0 for none.
    pub auto_per_day: u32,
    /// The time between two looks for a call whose answer was lost.
    #[serde(with = "duration")]
    pub look_again: Duration,
    /// Most requests that are made at once.
    pub max_at_once: usize,
}

impl Requests {
    /// Returns how long a process may take to send a call and to hear of it. Whoever finds it under way after that takes its
    /// answer for lost.
    #[must_use]
    pub fn claim(arin: &Arin) -> Duration {
        arin.connect_timeout.saturating_add(arin.timeout).saturating_add(CLAIM_MARGIN)
    }
}

/// `[queue]`
#[derive(Debug, Clone, Deserialize)]
pub struct Queue {
    /// URLs of Redis, separated by commas; empty keeps jobs in this process. May hold a password.
    pub url: Secret,
    /// File the URLs are read from instead.
    #[serde(deserialize_with = "unless_empty")]
    pub url_file: Option<PathBuf>,
    /// PEM file with certificates of the servers, or of the authority that signed them.
    #[serde(deserialize_with = "unless_empty")]
    pub ca_file: Option<PathBuf>,
    /// The kind of Redis that answers at the URLs.
    pub mode: QueueMode,
    /// The group that the sentinels watch.
    pub sentinel_master: String,
    /// The beginning of the name of every key.
    pub prefix: String,
    /// The time without signs of life after which a worker loses its jobs.
    #[serde(with = "duration")]
    pub lease: Duration,
    /// Attempts before a job is dead.
    pub max_attempts: u32,
    /// Wait before the second attempt; doubles up to `retry_backoff * max_attempts`.
    #[serde(with = "duration")]
    pub retry_backoff: Duration,
    /// The time for which jobs that are over are kept.
    #[serde(with = "duration")]
    pub keep: Duration,
}

/// A kind of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueMode {
    /// One server, or something that looks like it.
    Single,
    /// The sentinels are asked which server is the master.
    Sentinel,
    /// Redis Cluster.
    Cluster,
}

/// `[worker]`
#[derive(Debug, Clone, Deserialize)]
pub struct Worker {
    /// Jobs under way at once.
    pub concurrency: usize,
    /// Time for what is under way to finish after SIGTERM.
    #[serde(with = "duration")]
    pub shutdown_timeout: Duration,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
pub struct Http {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// The time for which NetBox's answer about a token is used.
    #[serde(with = "duration")]
    pub auth_cache: Duration,
    /// Tokens that NetBox refuses, for each client address and minute, before the address has to stand back.
    pub unknown_tokens_per_minute: u32,
    /// Requests of one user a minute; 0 for no limit.
    pub requests_per_minute: u32,
    /// Header in which a reverse proxy writes the client's address; empty for the connection's.
    pub client_address_header: String,
    /// Total time one request may take.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Most memory that the bodies of webhooks not yet verified may take together, and those of callers, in bytes.
    pub max_bodies_bytes: usize,
    /// Most connections that are open at once.
    pub max_connections: usize,
}

/// `[webhook]`
#[derive(Debug, Clone, Deserialize)]
pub struct Webhook {
    /// Secret that NetBox signs with; empty for none.
    pub secret: Secret,
    /// File it is read from instead.
    #[serde(deserialize_with = "unless_empty")]
    pub secret_file: Option<PathBuf>,
    /// The secret before it, still valid; empty for none.
    pub previous_secret: Secret,
    /// File it is read from instead.
    #[serde(deserialize_with = "unless_empty")]
    pub previous_secret_file: Option<PathBuf>,
    /// Takes webhooks without a signature.
    pub allow_unsigned: bool,
    /// The quiet time after a change before its job runs.
    #[serde(with = "duration")]
    pub debounce: Duration,
    /// The longest time that a change waits.
    #[serde(with = "duration")]
    pub debounce_longest: Duration,
}

/// `[routing]`
#[derive(Debug, Clone, Deserialize)]
pub struct Routing {
    /// The sources that count; all do if there are none.
    pub prefer: BTreeSet<SourceName>,
    /// How old what is known of a source may be that prefixes are judged by.
    #[serde(deserialize_with = "duration::deserialize")]
    pub max_age: Duration,
    /// How often prefixes are judged, even if nobody tells of a change.
    #[serde(deserialize_with = "duration::deserialize")]
    pub interval: Duration,
}

/// `[schedule]`
#[derive(Debug, Clone, Deserialize)]
pub struct Schedule {
    /// Syncs configs by themselves.
    pub enabled: bool,
    /// The time between two syncs, for configs that do not name their own.
    #[serde(with = "duration")]
    pub interval: Duration,
    /// The time between two looks at what is due.
    #[serde(with = "duration")]
    pub tick: Duration,
}

/// `[sweep]`
#[derive(Debug, Clone, Deserialize)]
pub struct Sweep {
    /// The time between two sweeps; zero for none.
    #[serde(with = "duration")]
    pub interval: Duration,
    /// The age from which a change without a webhook counts as lost.
    #[serde(with = "duration")]
    pub settle: Duration,
}

impl Sweep {
    /// Returns whether a change could be forgotten before the sweep that looks for it.
    pub(super) fn is_too_long(&self) -> bool {
        !self.interval.is_zero() && self.interval.saturating_add(self.settle) > LONGEST_SWEEP
    }
}

/// `[telemetry]`
#[derive(Debug, Clone, Deserialize)]
pub struct Telemetry {
    /// The lines that are logged, as `tracing` directives: `info`, `rir_sidecar=debug,warn`.
    pub log: String,
    /// Form of the log lines.
    pub log_format: LogFormat,
    /// Base URL of the OTLP/HTTP collector that traces are sent to, if they are.
    #[serde(deserialize_with = "http_url_unless_empty")]
    pub otlp_endpoint: Option<HttpUrl>,
    /// What goes to the collector as `Authorization`; empty for none.
    pub otlp_authorization: Secret,
    /// File it is read from instead.
    #[serde(deserialize_with = "unless_empty")]
    pub otlp_authorization_file: Option<PathBuf>,
    /// Share (0 to 1) of the traces begun here that are sent.
    pub trace_share: f64,
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn unless_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let text = String::deserialize(from)?;
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

fn date_unless_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("`{text}` is no date such as 2026-01-31")))
}

fn http_url_unless_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<HttpUrl>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|unfit| D::Error::custom(describe(&text, unfit)))
}

fn registry_url_unless_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<RegistryUrl>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|unfit| D::Error::custom(describe(&text, unfit)))
}

impl Settings {
    /// Returns the secrets, each with its setting. The webhook secret of before comes before that of now: read again in this
    /// order, one that moves from one file to the other is always known.
    #[must_use]
    pub fn secrets(&self) -> [(&'static str, &Secret); 6] {
        [
            ("netbox.token", &self.netbox.token),
            ("queue.url", &self.queue.url),
            ("webhook.previous_secret", &self.webhook.previous_secret),
            ("webhook.secret", &self.webhook.secret),
            ("requests.seal", &self.requests.seal),
            ("telemetry.otlp_authorization", &self.telemetry.otlp_authorization),
        ]
    }
}
