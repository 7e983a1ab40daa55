//! Keeps NetBox in step with what is registered at an RIR.
//!
//! NetBox is where operators keep their address plan, ARIN is where it is registered. This crate reads aggregates and
//! prefixes from NetBox, looks them up over ARIN's Reg-RWS, and writes what it finds back as NetBox custom objects.
//!
//! The rooms, in the order in which an event passes them:
//!
//! | room | its part |
//! |---|---|
//! | [`http`] | takes NetBox's webhooks and the calls of the API, and asks NetBox who calls |
//! | [`scheduler`] | queues what is due, and the changes whose webhooks were lost |
//! | `intake` | decides which jobs follow from a change in NetBox |
//! | [`queue`] | carries jobs and their checkpoints, in Redis or in the process |
//! | [`coordination`] | holds what replicas share besides jobs: leases, cursors, seen changes, answers, plans, the rate limit |
//! | [`redis_client`] | connects both to Redis and runs their scripts |
//! | [`worker`] | claims jobs and does them under a lease |
//! | [`sync`] | looks up, plans, applies and reports: the run of one config |
//! | [`findings`] | judges where NetBox and the registry differ, and by when to put it right |
//! | [`requests`] | asks for changes at ARIN, has them approved, sends them once and follows them |
//! | [`irr`] | mirrors routing registries |
//! | [`routing`] | judges how the address plan stands in the routing registries |
//! | [`arin`] | asks ARIN and turns its documents into values |
//! | [`netbox`] | reads and writes NetBox, and knows the custom object types |
//! | [`outbound`] | holds what the clients of both have in common: connections, bounded answers, retries |
//! | [`model`] | holds the values that all of them speak in |
//!
//! Around them: [`cli`] has the commands, [`config`] the settings and API keys, and [`services`] makes from these what
//! the rooms work with. [`telemetry`] logs, traces and counts, and [`supervise`] keeps a panic to where it happened.
//! [`rate`] decides when a request may go to ARIN. [`http_client`] makes all HTTP clients, [`tls`] says whose
//! certificates they take. [`error_chain`], [`retry`], `deadline`, `hex` and `shell_word` are small things that any
//! room may use; `fuzzing` serves their tests. The crate `rir-sandbox` stands in for ARIN, NetBox and a routing
//! registry in the demo and the tests.

// Operators on times panic when the result cannot be told, and times come from NetBox, headers and settings. Whole numbers
// are left out by clippy.toml: those of this crate are checked in release builds, too.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod arin;
pub mod cli;
pub mod config;
pub mod coordination;
mod deadline;
pub mod error_chain;
pub mod findings;
#[cfg(test)]
mod fuzzing;
mod hex;
pub mod http;
pub mod http_client;
mod intake;
pub mod irr;
pub mod model;
pub mod netbox;
pub mod outbound;
pub mod queue;
pub mod rate;
pub mod redis_client;
pub mod requests;
pub mod retry;
pub mod routing;
pub mod scheduler;
pub mod services;
mod shell_word;
pub mod supervise;
pub mod sync;
pub mod telemetry;
pub mod tls;
pub mod worker;
