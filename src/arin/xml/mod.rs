//! ARIN's documents as trees of elements, and the forms of text in them.
//!
//! [`parse`] reads a body into an [`Element`], and [`parse_faithfully`] one that is to be sent back; an [`ElementList`]
//! reads a long list one element at a time. [`written`] makes a body of an element. [`text`] reads the addresses and dates
//! between the tags.

mod element;
mod faithful;
mod list;
mod reader;
pub(super) mod text;
mod writer;

pub(super) use element::Element;
pub(super) use faithful::parse_faithfully;
pub(super) use list::ElementList;
pub use reader::Malformed;
pub(super) use reader::{decoded, parse};
pub(super) use writer::written;
