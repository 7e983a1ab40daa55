//! The calls that change something at ARIN: values here, sent by [`super::Client::write`].
//!
//! A [`Call`] is what is approved, kept and sent, byte for byte. It is never sent twice by itself: ARIN knows no
//! idempotency key, so whoever sends it has to look before it may be sent again.

mod body;
mod call;
mod document;
mod payload;
mod receipt;

pub(super) use call::CallKind;
pub use call::{Call, Verb};
pub use document::Document;
pub use payload::{NewCustomer, NewHolder, NewNet, Unsendable};
pub(super) use receipt::{Failure, judge};
pub use receipt::{Receipt, Unwritten};
