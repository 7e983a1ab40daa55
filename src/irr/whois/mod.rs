//! Asks an IRRd's whois for the route objects about some ranges.
//!
//! One connection for all of it: `!!` keeps it open, `!sRADB` says whose objects are wanted, and for each range `!r192.0.2.0/24,L`
//! asks for those about it and what is around it, `!r192.0.2.0/24,M` for those about what is inside. An IRRd 4.5 answers so:
//!
//! | answer | says |
//! |---|---|
//! | `A53`, a line feed, 53 bytes, then the line `C` | these objects |
//! | `C` | done, nothing to tell |
//! | `D` | there is none |
//! | `F` and a text | why it does not answer |
//!
//! | type or function | its part |
//! |---|---|
//! | [`ask()`] | asks it within limits |
//! | `answer` | takes answers out of the bytes that come: pure |
//! | [`WhoisError`] | why it could not be asked |
//!
//! That there is none is an answer. Whatever keeps a question from being answered is an error, and what was answered before
//! counts for nothing then.

mod answer;
mod ask;
mod error;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

pub use answer::AnswerFault;
pub use ask::ask;
pub use error::WhoisError;
