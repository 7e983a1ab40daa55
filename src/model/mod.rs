//! The values everyone speaks in: what the RIR has ([`registration`]), what NetBox has ([`inventory`]), and the names
//! both go by ([`handles`]).
//!
//! Nothing in here does I/O, reads a clock or knows another module. Values are checked when they are made: behind a
//! constructor nobody checks again.

pub mod address_block;
pub mod handles;
pub mod inventory;
pub mod registration;
pub mod scope;

pub use address_block::{InvalidBlock, NetBlock};
pub use handles::{CustomerHandle, Instance, Key, NetHandle, OrgHandle, PocHandle};
pub use inventory::{Aggregate, Config, Fields, Inventory, ObjectType, Prefix, Row, RowId, Value};
pub use registration::{Address, Customer, Holder, Net, NetType, Org, Poc, PocFunction, PocType, Registration};
pub use scope::{Resource, Scope};
