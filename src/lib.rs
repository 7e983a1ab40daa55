//! Keeps NetBox in step with what is registered at an RIR.
//!
//! NetBox is where operators keep their address plan, ARIN is where it is registered. This crate reads aggregates and
//! prefixes from NetBox, looks them up over ARIN's Reg-RWS, and writes what it finds back as NetBox custom objects.
//!
//! Modules in the order the data takes: [`config`] says where the two systems are, [`model`] holds the values everyone
//! speaks in, [`arin`] and [`netbox`] load and write, [`sync`] compares and decides. [`retry`] and [`telemetry`] are
//! leaves anyone may use, [`sandbox`] stands in for both systems in demos and tests, [`cli`] is the command line.

pub mod arin;
pub mod cli;
pub mod config;
pub mod error_chain;
mod hex;
pub mod http;
pub mod model;
pub mod netbox;
pub mod queue;
pub mod retry;
pub mod sandbox;
pub mod scheduler;
pub mod services;
pub mod sync;
pub mod telemetry;
mod tls;
pub mod worker;
