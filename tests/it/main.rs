//! Integration tests: whole flows over real HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on is to stop"
)]

mod by_hand;
mod canaries;
mod certificates;
mod change_requests;
mod changed_secrets;
mod check;
mod cli;
mod clocks;
mod command_lines;
mod contract;
mod coordination;
mod documents;
mod finding_rows;
mod findings;
mod findings_command;
mod flow;
mod forward_proxy;
mod hooks;
mod http;
mod irr;
mod irr_asked;
mod irr_ftp;
mod irr_killed;
mod irr_rows;
mod irr_store;
mod irr_vrps;
mod jobs_command;
mod lab;
mod layers;
mod listing;
mod logged_errors;
mod looks;
mod metrics;
mod netbox_rows;
mod netbox_transport;
mod notices;
mod probes;
mod process;
mod proxy;
mod pyregrws;
mod queue;
mod reading;
mod requests;
mod routing;
mod scene;
mod scheduler;
mod service;
mod shutdown;
mod soak;
mod sources;
mod standing;
mod takeover;
mod throttled;
mod traces;
mod trust;
mod unfit_netbox;
mod worlds;
