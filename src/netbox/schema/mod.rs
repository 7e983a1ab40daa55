//! Our custom object types, and how NetBox gets them.
//!
//! `types.toml` describes them ([`Document`]). [`plan`] compares it with NetBox and shows the difference, [`apply`]
//! makes it so, and [`renew_workers`] sees to it that NetBox's web workers notice. Whatever an operator added to our types stays: fields, choices, and whole types. A change that would lose
//! data is refused unless it is asked for expressly.

mod bootstrap;
mod diff;
pub(super) mod document;
mod extras;
pub mod hooks;
mod installed_hook;
pub mod notices;
pub mod origins;
mod workers;

pub use bootstrap::{BootstrapPlan, Unmet, apply, plan, requirements};
pub use document::{
    ADDRESS, CHANGE_REQUEST, CONFIG, CONTACT, CUSTOMER, Document, FINDING, IRR_SOURCE, LOOK, NETWORK, ORGANIZATION,
    PREFIX_HEALTH, ROUTE_OBJECT, SYNC_LOG, TICKET, TYPES,
};
pub(super) use extras::types_path;
pub use installed_hook::{InstalledHook, installed};
pub use origins::ORIGIN_ASNS;
pub use workers::{Workers, ask_workers, renew_workers};
