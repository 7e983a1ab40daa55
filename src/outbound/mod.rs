//! The part that all our HTTP clients have in common.
//!
//! `client` sends requests, follows no redirect, reads bodies up to a limit, and tries again. [`NoAnswer`] tells a
//! request that never left from one whose answer was lost, [`Error`] is the form of all errors. `retry_after` reads
//! the wait that an answer asks for, `excerpt` makes its words fit to be shown. Paths, keys and documents stand in
//! the rooms above.

pub(crate) mod client;
mod error;
pub(crate) mod excerpt;
mod no_answer;
pub(crate) mod retry_after;

pub use error::Error;
pub use no_answer::{AnswerLost, NoAnswer, NotSent};
