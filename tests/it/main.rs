//! Integration tests.

mod pyregrws;
