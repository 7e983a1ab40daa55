//! Our custom object types, and how NetBox gets them.
//!
//! `types.toml` describes them ([`Document`]). [`plan`] compares it with NetBox and shows the difference, [`apply`] makes
//! it so. What an operator added to our types stays: fields, choices, and whole types of their own. A change that would
//! lose data is refused unless it is asked for expressly.

mod bootstrap;
pub(super) mod destructive;
mod diff;
pub(super) mod document;
mod extras;
pub mod hooks;

pub use bootstrap::{BootstrapPlan, Done, Unmet, apply, plan, requirements};
pub use destructive::Destructive;
pub use document::{
    ADDRESS, CONFIG, CONTACT, CUSTOMER, Choice, ChoiceSet, Document, Field, Link, NETWORK, ORGANIZATION, Removed,
    SYNC_LOG, TYPES, TypeSpec,
};
