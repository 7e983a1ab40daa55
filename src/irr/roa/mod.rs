//! VRPs, what validated ROAs say of who may announce what, and route origin validation by them (RFC 6811): pure.
//!
//! | type or function | its part |
//! |---|---|
//! | [`read_vrps`] | reads the list that a validator writes, in bounded memory |
//! | [`greatest`] | leaves away what says nothing more than others do |
//! | [`Vrp`] | one of them, and the object that it is kept as |
//! | [`Vrps`], [`Validity`] | what VRPs say of an announcement |
//!
//! The list becomes a source of its own, as an IRRd makes one of it: a mirror of what the validator says, with an object for each
//! VRP.

mod bounded;
#[cfg(test)]
mod fuzz;
mod list;
mod validity;
mod vrp;

pub use list::{NoVrpList, read_vrps};
pub use validity::{Validity, Vrps};
pub use vrp::{Vrp, greatest};
