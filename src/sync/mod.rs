//! Brings NetBox in line with what the RIR has registered.
//!
//! A run walks one way: read what NetBox has, work out the questions, ask the RIR, plan, apply, report. The asking and
//! the writing overlap: what is learnt is planned and written while the asking goes on. Only what concerns everything,
//! marking rows as not found, waits for the end.
//!
//! | step | where | touches |
//! |---|---|---|
//! | what to ask | `questions` | nothing |
//! | ask | `gather`, `walk` | the RIR |
//! | what a net says about a range | `bearing` | nothing |
//! | what rows should hold | `desired`, `link`, [`rules`] | nothing |
//! | what to write | [`plan`](plan()), [`limits`] | nothing |
//! | write | `apply` | NetBox |
//! | record | `report` | NetBox |

mod apply;
mod bearing;
mod desired;
mod gather;
pub mod json;
pub mod limits;
mod link;
pub mod outcome;
pub mod parts;
pub mod plan;
mod prepare;
pub mod progress;
mod questions;
mod report;
mod request;
pub mod rules;
mod run;
#[cfg(test)]
mod tests;
mod walk;

pub use limits::{Limits, Refused};
pub use outcome::{Failure, Skip, SyncRun, Verdict};
pub use plan::{Action, Altered, Change, Plan, plan};
pub use progress::Progress;
pub use report::prune_log;
pub use request::{Asks, Context, Label, Request, Rows, name};
pub use rules::Rules;
pub use run::{Preview, preview, run};
