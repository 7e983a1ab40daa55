//! Integration tests: whole flows over real HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to stop")]

mod lab;
mod netbox_transport;
mod proxy;
mod pyregrws;
