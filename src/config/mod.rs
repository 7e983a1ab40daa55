//! Settings: `config.default.toml`, then a file, then `RIR_SIDECAR__SECTION__KEY`.
//!
//! The embedded default file is the manual: every key, its unit and its default. Only this room reads the environment.
//! [`load()`] reports everything that is wrong together, each with its key and a remedy. [`keys`] reads ARIN's API
//! keys.

mod checks;
mod duration;
pub mod keys;
mod load;
mod problem;
mod secret_file;
mod settings;

pub use load::{DEFAULTS, load, load_from, load_listen};
pub use problem::{Invalid, Problem};
pub use settings::{
    Arin, Auth, Http, Keys, LogFormat, Netbox, Queue, QueueMode, Schedule, Settings, Sweep, Sync, SyncLog, Telemetry,
    Webhook, Worker,
};
