//! Tests that need the real NetBox that `tests/run.sh` starts. They share it, and so run one after the other.

mod bootstrap;
mod callers;
mod contract;
mod findings;
mod flow;
mod hooks;
mod irr;
mod irr_rows;
mod netbox;
mod notices;
mod requests;
mod routing;
mod rows;
mod service;
mod workers;
mod write;
