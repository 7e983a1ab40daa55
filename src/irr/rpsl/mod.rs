//! RPSL objects (RFC 2622), as far as a mirror looks at them: pure.
//!
//! | type or function | its part |
//! |---|---|
//! | [`Paragraphs`] | splits a dump into the texts of objects, in bounded memory |
//! | [`attributes()`] | the attributes of an object, one after the other |
//! | [`check()`], [`check_deleted`] | what a mirror has to know of an object before it takes it: its key, or what is [wrong](Rejected) |
//! | [`Object`], [`ObjectKey`], [`Class`] | what is kept of it |
//!
//! Text is kept as it came, byte for byte but for line ends, comments at the begin of a line, bytes that are not UTF-8, and
//! what an IRRd says of itself; what is derived from it stands beside it. The checks are those that an IRRd 4.5 makes of what it
//! mirrors, so that both have the same objects in the end.

mod attributes;
mod check;
mod fault;
mod forms;
#[cfg(test)]
mod fuzz;
mod object;
mod paragraphs;
mod splitter;
#[cfg(test)]
mod tests;

pub use crate::model::{RpslClass as Class, UnknownClass};
pub use attributes::{Attribute, Attributes, MalformedLine, attributes, listed};
pub use check::{Checked, check, check_deleted};
pub(in crate::irr) use fault::shown;
pub use fault::{ObjectFault, Rejected};
pub use object::{Object, ObjectKey};
pub use paragraphs::Paragraphs;
pub(in crate::irr) use splitter::Splitter;
pub use splitter::{LONGEST_OBJECT, Paragraph};
