//! Settings: `config.default.toml`, then a file, then `RIR_SIDECAR__SECTION__KEY`.
//!
//! The embedded default file is the manual: every key, its unit and its default. Only this room reads the environment.
//! [`load()`] reports everything that is wrong together, each with its key and a remedy. [`keys`] reads ARIN's API
//! keys. A [`Secret`] changes with the file that it comes from; a URL that is a setting holds none ([`HttpUrl`]).

mod checks;
mod duration;
#[cfg(test)]
mod fuzz;
mod http_url;
mod irr;
pub mod keys;
mod limits;
mod load;
mod problem;
mod proxy;
mod rpki;
mod secret;
mod secret_file;
mod settings;
mod toml_text;
mod unset;
mod urls;

pub use http_url::{HttpUrl, RegistryUrl, UnfitUrl, presentable_url};
pub use irr::{HostAndPort, Irr, IrrSource, NrtmVersion, SourceKind, UnknownSource};
pub use load::{DEFAULTS, load, load_from, load_listen, load_with_keys};
pub use problem::{Invalid, Problem};
pub use proxy::{Proxy, Variables};
pub use rpki::{Rpki, VrpsUrl};
pub use secret::Secret;
pub use secret_file::UnusableFile;
pub use settings::{
    Arin, Auth, Findings, Http, Keys, Listing, LogFormat, Netbox, Queue, QueueMode, Requests, Routing, Schedule,
    Settings, Sweep, Sync, SyncLog, Telemetry, Webhook, Worker,
};
pub use urls::remedy as url_remedy;
