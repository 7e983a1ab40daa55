//! Keeps NetBox in step with what is registered at an RIR.
//!
//! NetBox is where operators keep their address plan, ARIN is where it is registered. This crate reads aggregates and
//! prefixes from NetBox, looks them up over ARIN's Reg-RWS, and writes what it finds back as NetBox custom objects.
//!
//! Modules in the order the data takes: [`config`] says where the two systems are, [`model`] holds the values everyone
//! speaks in, [`arin`] and [`netbox`] load and write, [`sync`] compares and decides. [`retry`] and [`telemetry`] are
//! leaves anyone may use, [`app`] is the command line. The crate `rir-sandbox` stands in for both systems in the demo and
//! the tests.

pub mod app;
pub mod arin;
pub mod config;
pub mod coordination;
pub mod error_chain;
pub mod http;
mod intake;
pub mod model;
pub mod netbox;
pub mod outbound;
pub mod queue;
pub mod redis_client;
pub mod retry;
pub mod scheduler;
pub mod sync;
pub mod telemetry;
mod tls;
pub mod worker;
