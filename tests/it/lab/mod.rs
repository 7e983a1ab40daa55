//! Tests that need a real NetBox: `tests/lab/lab.sh` starts one.

#![expect(clippy::indexing_slicing, reason = "a row that is missing is to stop the test")]

mod bootstrap;
mod netbox;
mod rows;
mod write;
