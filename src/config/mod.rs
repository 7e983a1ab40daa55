//! Settings: `config.default.toml`, then a file, then `RIR_SIDECAR__SECTION__KEY`.
//!
//! The embedded default file is the manual: every key, its unit and its default. Only this module reads the environment.
//! [`load()`] reports everything that is wrong together, each with its key and a remedy.

mod duration;
pub mod keys;
mod load;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use url::Url;

pub use load::{Invalid, Problem, load, load_from};

/// The default file, which is also the manual.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// All settings, checked.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// Where NetBox is and how hard it may be worked.
    pub netbox: Netbox,
    /// Which registry instances may be asked and how.
    pub arin: Arin,
    /// Where the API keys come from.
    pub keys: Keys,
    /// What a sync does beyond its fixed rules.
    pub sync: Sync,
    /// Logs.
    pub telemetry: Telemetry,
}

/// `[netbox]`
#[derive(Debug, Clone, Deserialize)]
pub struct Netbox {
    /// Base URL, with any path NetBox is served under.
    pub url: Url,
    /// API token, v1 (40 hex digits) or v2 (`nbt_...`).
    pub token: SecretString,
    /// File the token is read from instead.
    #[serde(deserialize_with = "unless_empty")]
    pub token_file: Option<PathBuf>,
    /// PEM file with the certificate authority that signed NetBox's certificate.
    #[serde(deserialize_with = "unless_empty")]
    pub ca_file: Option<PathBuf>,
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
    pub allowed_base_urls: Vec<Url>,
    /// How the API key travels.
    pub auth: Auth,
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
    /// Largest response body read, in bytes.
    pub max_body_bytes: usize,
}

/// How the API key is sent to ARIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// `Authorization: ApiKey ...`, ARIN's preferred form.
    Header,
    /// `?apikey=...`, for instances that do not know the header yet; it ends up in access logs on the way.
    Query,
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
    /// Whether networks are linked to aggregates and prefixes.
    pub auto_link_networks: bool,
    /// Organizations that nets may later be given to besides the config's own; these are kept up to date too.
    pub recipient_orgs: Vec<String>,
    /// Which objects get a log row.
    pub sync_log: SyncLog,
    /// How long log rows are kept; zero keeps them for ever.
    #[serde(with = "duration")]
    pub log_retention: Duration,
    /// Share (0 to 1) of a config's registered rows that one run may mark as not found.
    pub max_retired_share: f64,
}

/// Which objects get a log row in NetBox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncLog {
    /// Those that changed, failed or were skipped.
    Changes,
    /// Unchanged ones too.
    All,
}

/// `[telemetry]`
#[derive(Debug, Clone, Deserialize)]
pub struct Telemetry {
    /// What is logged, as `tracing` directives: `info`, `rir_sidecar=debug,warn`.
    pub log: String,
    /// Form of the log lines.
    pub log_format: LogFormat,
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

/// Reads a secret from a file that holds nothing else; surrounding space is not part of it.
///
/// # Errors
/// When the file cannot be read or holds nothing.
pub fn secret_file(path: &Path) -> io::Result<SecretString> {
    let text = std::fs::read_to_string(path)?;
    match text.trim() {
        "" => Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty")),
        secret => Ok(SecretString::from(secret)),
    }
}
