//! The values that all rooms speak in: registrations at the RIR ([`registration`]), the content of NetBox
//! ([`inventory`]), and the names of both ([`handles`]).
//!
//! Nothing in here does I/O, reads a clock or knows another room. Two kinds of derives are for others, because a second
//! type would say the same again: `serde`'s for jobs and answers, and `utoipa::ToSchema` for the OpenAPI document.
//! Values are checked when they are made: behind a constructor nobody checks again.

pub mod address_block;
pub mod asn;
pub mod handles;
pub mod inventory;
pub mod look;
pub mod payload;
pub mod plan_digest;
pub mod progress;
mod ranges;
pub mod registration;
mod rpsl_class;
pub mod scope;
mod source_name;

pub use address_block::{InvalidBlock, NetBlock};
pub use asn::{Asn, NoAsn};
pub use handles::{CustomerHandle, Instance, Key, NetHandle, OrgHandle, PocHandle};
pub use inventory::{Aggregate, Config, Fields, Inventory, ObjectType, Prefix, Row, RowId, Value};
pub use look::{Answer, Look, LookSource, Looks, Recipient, Standing};
pub use payload::Payload;
pub use plan_digest::PlanDigest;
pub use progress::{AggregateProgress, AggregateState};
pub use ranges::Ranges;
pub use registration::{
    Address, Customer, Holder, ListedNet, Net, NetType, Org, Poc, PocFunction, PocType, Registration, Registry, Updated,
};
pub use rpsl_class::{RpslClass, UnknownClass};
pub use scope::{Resource, Scope};
pub use source_name::{NoSourceName, SourceName};
