//! Integration tests: whole flows over real HTTP.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on is to stop")]

mod flow;
mod lab;
mod pyregrws;
mod scene;
