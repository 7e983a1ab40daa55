//! The client of ARIN's public listing (Whois-RWS): what is registered inside a range, in one question.
//!
//! [`Whois`] asks. A [`Question`] names a range and which of its nets are wanted; `answer` judges what came and reads it
//! net by net, `net` makes the model value of each, `inside` divides a range whose answer was cut off and puts the parts
//! together. What the listing does not say is an error, never an empty list: only ARIN's own page says that there is
//! nothing.
//!
//! The listing is public. No type in here can carry an API key, and none gets near one.

mod answer;
mod client;
mod error;
#[cfg(test)]
mod fuzz;
mod inside;
mod net;
mod question;

pub(super) use client::Outages;
pub use client::Whois;
pub use error::{UnfitListing, WhoisError, WhoisErrorKind};
pub use question::Question;
