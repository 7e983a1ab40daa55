//! NRTM in version 1 and 3: asks an upstream for the changes of a source, and reads its answer.
//!
//! The protocol has no specification; what is said here of it is what an IRRd 4.5 and a RIPE whois do. On one TCP connection
//! goes one line, `-g RADB:3:1012-LAST`, and the answer is
//!
//! ```text
//! %START Version: 3 RADB 1012-1014
//!
//! ADD 1012
//!
//! route: 192.0.2.0/24
//! ...
//!
//! %END RADB
//! ```
//!
//! with `DEL` for what is gone, and without the serials of `ADD` and `DEL` in version 1. An upstream that does not want to answer
//! says `%% ERROR: ...` or `%ERROR:401: ...` in the place of that.
//!
//! | type or function | its part |
//! |---|---|
//! | [`Question`] | what is asked |
//! | [`ask()`] | asks it within [`AskLimits`] |
//! | [`Reply`], [`Answer`] | what was answered, from the first line to the last |
//! | [`NoAnswer`] | why there is no answer that can be used, and what follows |
//!
//! An answer is all or nothing: there is no [`Answer`] before its last line was read and everything in it held. What is wrong
//! with a single object is no fault of the answer: the object is left out and told.

mod answer;
mod ask;
#[cfg(test)]
mod fuzz;
mod line;
mod no_answer;
mod question;
#[cfg(test)]
mod tests;

pub use answer::{Answer, RejectedChange, Reply};
pub use ask::{AskLimits, ask};
pub use no_answer::{NamedRange, NoAnswer};
pub use question::{NrtmVersion, Question, SerialRange};
