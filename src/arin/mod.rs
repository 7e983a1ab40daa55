//! The client of ARIN's Reg-RWS: six reads, answered in the words of [`crate::model`].
//!
//! A [`Pool`] holds what all configs share: the connections, and for each registry instance its rate limit. It makes a
//! [`Client`] for each config, after checking the config's base URL against the allow list. A client's methods return
//! `Ok(Some(object))`, `Ok(None)` when ARIN said that there is no such object, or an [`Error`]; nothing else ever
//! becomes `None`.
//!
//! On the way: `request` holds a line for each call, `transport` adds the key and tries again what may pass, `exchange`
//! sends it, `rate_limit` holds it back, `response` judges status and body, `xml` reads the body into a tree of elements,
//! `convert` makes the model value of it.
//!
//! [`Whois`] is the client of ARIN's public listing, which a pool makes as well: no API key ever gets there.
//!
//! The client assumes of an answer only what is documented: elements in any order and under any prefix, each of them
//! possibly missing or empty, with unknown ones between. It never writes to ARIN, never follows a redirect, and never
//! shows an API key.

mod client;
mod convert;
mod error;
mod exchange;
#[cfg(test)]
mod fixtures;
mod rate_limit;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod transport;
mod whois;
mod write;
mod xml;

pub use client::{Client, Pool};
pub use convert::Unfit;
pub use error::{Decode, Error, ErrorKind, Fault};
pub use rate_limit::SharedLimit;
pub use request::Request;
pub use whois::{Question, UnfitListing, Whois, WhoisError, WhoisErrorKind};
pub use write::{Call, NewCustomer, NewHolder, NewNet, Verb};
pub use xml::Malformed;

pub use crate::outbound::{AnswerLost, NoAnswer, NotSent};
