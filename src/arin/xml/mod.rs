//! ARIN's documents as trees of elements, and the forms of text in them.
//!
//! [`parse`] reads a body into an [`Element`]; a [`Document`] reads a long list one element at a time. [`text`] reads the
//! addresses and dates between the tags.

mod document;
mod element;
mod reader;
pub(super) mod text;

pub(super) use document::Document;
pub(super) use element::Element;
pub use reader::Malformed;
pub(super) use reader::{decoded, parse};
