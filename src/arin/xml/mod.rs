//! Reg-RWS documents as trees of elements, and the forms of text in them.
//!
//! [`parse`] reads a body into an [`Element`]; [`text`] reads the addresses and dates between its tags.

mod element;
mod reader;
pub(super) mod text;

pub(super) use element::Element;
pub use reader::Malformed;
pub(super) use reader::{decoded, parse};
