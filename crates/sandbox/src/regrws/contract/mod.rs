//! What Reg-RWS is known to do with writes, fact by fact, each with its source. No client of ours takes part.
//!
//! - *Methods*, *Payloads*: ARIN's pages of these names, as of 22 September 2026.
//! - *Templates*: ARIN's own client, `arineng/arin_template_processor`: its schemas, and the comments in it.
//! - *Seen*: a public Terraform provider ran against ARIN's test system in September 2026, and wrote down what it met.
//! - *Fixture*: a real answer among the tests of ARIN's command line tools.
//! - *Open*: no source says; [`Options`] has both readings.

mod customers;
mod faults;
mod lab;
mod lists;
mod nets;
mod removals;
mod requests;
mod tickets;

use super::*;
