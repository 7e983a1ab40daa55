//! The part that all our HTTP clients have in common.
//!
//! [`builder`](client::builder) starts a client that follows no redirect, as a key or token would go along.
//! [`Client`](client::Client) sends requests, counts and times them, reads bodies up to a limit, and tries again.
//! [`NoAnswer`] says what is known of a request that brought no whole answer, [`Error`] is the form of all errors.
//! [`retry_after`] reads the wait that an answer asks for, [`excerpt`] makes its words fit to be shown.
//!
//! It knows no path, no key and no document; those stand in the clients above it.

pub(crate) mod client;
mod error;
pub(crate) mod excerpt;
mod no_answer;
pub(crate) mod retry_after;

pub use error::Error;
pub use no_answer::{AnswerLost, NoAnswer};
