//! The client of NetBox and its Custom Objects plugin, over REST.
//!
//! [`Client`] reads the operator's aggregates and prefixes, our own rows, the findings and the sync log, and the changes
//! of them; [`Writer`] writes rows of our types in batches, where each row has an outcome of its own. [`schema`] holds those
//! types and creates or migrates them; `fields` says how their fields are read and written.
//!
//! Nothing is assumed of NetBox but what its REST API documents or was measured: a filter may be ignored, a batch is
//! all or nothing, a duplicate is a 500, a worker may not know a type as it is. A write that may have arrived is never sent again unless sending it twice does
//! no harm, and no redirect or URL from an answer is followed. A row that cannot be read is an error if it is ours, and
//! a warning if it is the operator's; it is never left out without a word.

mod access;
pub mod address_plan;
pub mod announced;
mod by_id;
pub mod change_requests;
pub(crate) mod changes;
mod client;
mod clock;
mod error;
mod fault;
pub(crate) mod fields;
pub mod findings;
pub mod history;
mod ipam;
pub mod irr_sources;
mod list;
mod listing;
pub(crate) mod looks;
mod needs;
mod permission;
mod records;
pub mod registered;
pub mod routing_rows;
mod row;
pub mod schema;
mod sync_log;
pub mod tenancy;
mod tickets;
mod transport;
pub mod write;

pub use access::{Status, User};
pub use change_requests::{Etag, RequestFilter, RequestLinks, RequestRow, Saved};
pub use client::{Client, objects_path};
pub use clock::CLOCK_TOLERANCE;
pub use error::{Error, ErrorKind, Request};
pub use findings::{FindingFilter, FindingRow};
pub use irr_sources::{IrrSourceRow, RecordedIrrSource};
pub use needs::{Need, needs};
pub use permission::Permission;
pub use records::ConfigRow;
pub use routing_rows::{HealthRow, Recorded, RouteRow, RoutingRow};
pub use row::{Row, id_of};
pub use sync_log::{DETAIL, LogFilter, LogRow};
pub use tickets::TicketDraft;
pub use write::{Created, Draft, NotTaken, Patch, Refusal, Writer};
