//! Our custom object types, and how NetBox gets them.

pub mod bootstrap;
pub mod document;

pub use bootstrap::{BootstrapPlan, Destructive, Done, Unmet, apply, plan, requirements};
pub use document::{ADDRESS, CONFIG, CONTACT, CUSTOMER, Document, NETWORK, ORGANIZATION, SYNC_LOG, TYPES};
