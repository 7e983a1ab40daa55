//! The client of NetBox and its Custom Objects plugin, over REST.
//!
//! | file | holds |
//! |---|---|
//! | `transport`, `error` | one exchange, and what can go wrong in it |
//! | `list`, `listing`, `row` | whole lists, and their rows in the form that the caller expects |
//! | `access` | who and what we talk to, and what a token may do |
//! | `ipam` | the operator's aggregates and prefixes |
//! | `records`, `fields` | our own rows, and the one table of their fields |
//! | `sync_log` | the rows that say what syncs did |
//! | [`changes`] | what NetBox says of a change, in a webhook and in its change log |
//! | [`write`] | rows of our types in batches, where each row has an outcome of its own |
//! | [`schema`] | our types, and how NetBox gets them |
//!
//! It may assume nothing of NetBox but what its REST API documents or was measured: a filter may be ignored, a batch is all
//! or nothing, a duplicate is a 500. It never sends a write again that may have arrived, unless sending it twice does no
//! harm, and never follows a redirect or a URL from an answer. A row that cannot be read is an error if it is ours, and
//! a warning if it is the operator's; it is never left out without a word.

mod access;
pub mod changes;
mod client;
mod error;
pub(crate) mod fields;
mod ipam;
mod list;
mod listing;
mod permission;
mod records;
mod row;
pub mod schema;
mod sync_log;
mod transport;
pub mod write;

pub use access::{Status, User};
pub use client::{Client, objects_path};
pub use error::{Error, Operation};
pub use permission::Permission;
pub use records::ConfigRow;
pub use row::{Row, id_of};
pub use sync_log::{LogFilter, LogRow};
pub use write::{Created, Draft, Patch, Refusal, Writer};
