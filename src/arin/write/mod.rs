//! The calls that change something at ARIN: values here, sent by [`super::Client::write`].
//!
//! A [`Call`] is what is approved, kept and sent, byte for byte. It is never sent twice by itself: ARIN knows no
//! idempotency key, so whoever sends it has to look before it may be sent again.

mod call;
mod payload;

pub use call::{Call, Verb};
pub use payload::{NewCustomer, NewHolder, NewNet};
