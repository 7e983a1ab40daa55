//! The client of ARIN's Reg-RWS: questions, answered in the words of [`crate::model`], and calls that change something.
//!
//! A [`Pool`] holds what all configs share: the connections, and for each registry instance its rate limit. It makes a
//! [`Client`] for each config, after checking the config's base URL against the allow list. A client's methods return
//! `Ok(Some(object))`, `Ok(None)` when ARIN said that there is no such object, or an [`Error`]; nothing else ever
//! becomes `None`. [`Client::write`] sends a [`Call`] once and says what came of it: a [`Receipt`], or by [`Unwritten`]
//! whether it was never sent, refused, or may have been done.
//!
//! On the way: `request` holds a line for each call, `transport` adds the key and tries again what may pass, `exchange`
//! sends it, `rate_limit` holds it back, `response` judges status and body, `xml` reads the body into a tree of elements,
//! `convert` makes the model value of it; `ticket` and `dependents` read what is no registration. `write` makes the
//! documents that are sent, and judges what is answered to them.
//!
//! [`Whois`] is the client of ARIN's public listing, which a pool makes as well: no API key ever gets there.
//!
//! The client assumes of an answer only what is documented: elements in any order and under any prefix, each of them
//! possibly missing or empty, with unknown ones between. It never sends a change twice, never follows a redirect, and
//! never shows an API key. Who may change what, and when, is not its business: whoever calls [`Client::write`] has made
//! sure that somebody approved it.

mod client;
mod convert;
mod dependents;
mod error;
mod exchange;
#[cfg(test)]
mod fixtures;
mod rate_limit;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod ticket;
mod transport;
mod whois;
mod write;
mod xml;

pub use client::{Client, Pool};
pub use convert::Unfit;
pub use error::{Decode, Error, ErrorKind, Fault};
pub use rate_limit::SharedLimit;
pub use request::Request;
pub use ticket::{Ticket, TicketFilter};
pub use whois::{Question, UnfitListing, Whois, WhoisError, WhoisErrorKind};
pub use write::{Call, Document, NewCustomer, NewHolder, NewNet, Receipt, Unsendable, Unwritten, Verb};
pub use xml::Malformed;

pub use crate::outbound::{AnswerLost, NoAnswer, NotSent};
