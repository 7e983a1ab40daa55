//! A simulated Reg-RWS: ARIN's REST interface in front of a [`Registry`].
//!
//! | call | answers with |
//! |---|---|
//! | `GET /rest/org/{h}`, `/poc/{h}`, `/customer/{h}`, `/net/{h}` | the object |
//! | `GET /rest/net/mostSpecificNet/{start}/{end}` | the net that [`Lookup`] finds |
//! | `GET /rest/net/parentNet/{start}/{end}` | the parent of the net with this range, or else the net that covers it |
//! | `PUT /rest/net/{parent}/reassign`, `/reallocate` | `ticketedRequest` with the new net |
//! | `POST /rest/net/{parent}/customer` | the new `customer` |
//! | `PUT`, `DELETE /rest/customer/{h}` | the `customer` as it is now, or was |
//! | `PUT /rest/net/{h}` | the `net` as it is now |
//! | `DELETE /rest/net/{h}`, `PUT /rest/net/{h}/remove` | `ticketedRequest` with the net as it was |
//! | `GET /rest/net/{h}/delegations`, `/routes`, `/rest/org/{h}/routes` | `collection` |
//! | `GET /rest/ticket/{n}`, `/summary`, lists of both by matrix parameters | `ticket`, `collection` |
//! | `PUT /rest/ticket/{n}/ticketStatus/CLOSED`, `PUT /rest/ticket/{n}` | the closed `ticket` |
//! | `PUT /rest/ticket/{n}/message`, `GET /rest/ticket/{n}/message/{m}` | the `message` |
//! | `GET /rest/ticket/{n}/message/{m}/attachment/{a}` | the file |
//! | `GET /rest/report/reassignment/{net}`, `/report/associations` | a `ticket` that closes itself |
//! | `GET /whois/rest/..` | what ARIN's public listing has: [`crate::whois`] |
//!
//! It speaks real HTTP, on a loopback port unless told otherwise, keeps account of what it was asked ([`Requests`]) and
//! fails on demand ([`Rule`], [`Fault`], [`Noise`]). A request passes [`Options::limit`], then [`Options::latency`], then
//! the faults, then the check of its key. The registry behind it can be edited at any time.
//!
//! A write becomes a ticket when [`Tickets::instead_of`] says so, and is done when the ticket is accepted.
//!
//! A write is read (`schema.rs`, `submitted.rs`), judged (`judge/`) and carried out (`change.rs`). What ARIN's documents
//! leave open is an option. The XML is written by hand and shared with no client: they are to be tried against it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio_util::sync::CancellationToken;

mod access;
mod change;
mod clock;
#[cfg(test)]
mod contract;
mod fault;
mod fault_response;
mod fnv;
mod forms;
mod judge;
mod media;
mod operation;
mod options;
mod payload;
mod records;
mod reply;
mod requests;
mod schema;
mod service;
mod state;
mod submission;
mod submitted;
#[cfg(test)]
mod tests;
mod tickets;
mod tree;
mod validate;
mod xml;

pub use crate::{
    limit::{Count, Counted, Limit, RetryAfter},
    served::Editing,
};
use crate::{
    served::Served,
    server::{Shared, StartError, lock, loopback},
    whois::{self, Listing},
    world::Registry,
};
pub use fault::Fault;
pub use options::{Clock, ContentType, Jobs, KEY, Lookup, Noise, Options, Shown, Style};
pub use requests::{Operation, Request, Requests};
use service::{Records, RegRws};
use state::State;
pub use tickets::{Attachment, Message, Resolution, Ticket, TicketError, TicketStatus, Ticketing, Tickets};
pub use validate::validate;

/// When a fault strikes: always, unless there are conditions.
pub type Rule = crate::server::Rule<RegRws>;

/// A running simulated Reg-RWS.
pub type Server = crate::server::Server<RegRws>;

impl Server {
    /// Starts a server on a free loopback port, in the current Tokio runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(registry: Registry, options: Options) -> Result<Self, StartError> {
        Self::start_at(loopback(0), registry, options).await
    }

    /// Starts a server on this address.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn start_at(address: SocketAddr, registry: Registry, options: Options) -> Result<Self, StartError> {
        let served = Arc::new(Mutex::new(Served::new(registry)));
        let stopping = CancellationToken::new();
        let whois = whois::listing(&served, stopping.clone());
        let records = Records { state: State::new(served), whois };
        Self::serve(address, Shared::new(RegRws::default(), records, options, stopping)).await
    }

    /// Returns how many requests were answered by 429 because of [`Options::limit`].
    #[must_use]
    pub fn throttled(&self) -> usize {
        lock(&self.shared.system).throttled()
    }

    /// Returns the registry it serves, to be read or edited.
    #[must_use]
    pub fn registry(&self) -> Editing<'_> {
        Editing(lock(&self.shared.backing.state.served))
    }

    /// Returns its tickets, to be read or worked off.
    #[must_use]
    pub fn tickets(&self) -> Tickets<'_> {
        Tickets(&self.shared)
    }

    /// Returns the public listing of the same registry.
    #[must_use]
    pub fn whois(&self) -> &Listing {
        &self.shared.backing.whois
    }

    /// Returns the base URL of the public listing, `/rest` included.
    #[must_use]
    pub fn whois_url(&self) -> String {
        format!("{}{}", self.url(), whois::PATH)
    }
}
