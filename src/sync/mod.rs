//! Brings NetBox in line with what the RIR has registered.

mod desired;
pub mod limits;
mod link;
pub mod plan;
pub mod rules;

pub use limits::{Limits, Refused};
pub use plan::{Action, Altered, Change, Plan, plan};
pub use rules::Rules;
