//! The client of NetBox and its Custom Objects plugin, over REST.
//!
//! [`Client`] reads lists ([`Client::list`]), single objects ([`Client::get`]), and who and what it talks to
//! ([`Client::whoami`], [`Client::status`]). [`Writer`] writes rows of our custom object types in batches, where each row
//! has an outcome of its own. [`schema`] holds those types and creates or migrates them.
//!
//! It may assume nothing of NetBox but what its REST API documents or was measured: a filter may be
//! ignored, a batch is all or nothing, a duplicate is a 500. It never sends a write again that may have arrived, unless
//! sending it twice does no harm, and never follows a redirect or a URL from an answer.

mod error;
mod load;
mod logs;
pub mod objects;
mod rows;
pub mod schema;
mod transport;
pub mod write;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

pub use error::{Error, ErrorKind, Request};
pub use load::ConfigRow;
pub use logs::{LogFilter, LogRow};
pub use rows::{Permission, Status, User, id_of};
pub use write::{Created, Draft, Patch, Refusal, Writer};

use crate::{config, telemetry::metrics::Metrics};
use transport::Transport;

/// A JSON object, as NetBox's rows are.
pub type Row = Map<String, Value>;

/// Path of the plugin's endpoints.
pub const CUSTOM_OBJECTS: &str = "/api/plugins/custom-objects/";

/// The client; cheap to clone, its clones share connections and counters.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
    page_size: u32,
    batch_size: usize,
    writes_in_flight: usize,
    /// Turns to send a write, shared by all clones: NetBox has so many workers, however many runs there are.
    turns: Arc<Semaphore>,
    /// Whether the plugin takes arrays; one 405 settles it for all clones.
    bulk: Arc<AtomicBool>,
}

impl Client {
    /// Makes a client with these settings, whose figures nobody asks for; nothing is sent yet.
    ///
    /// # Errors
    /// When the token cannot be sent, or the certificate authority's file cannot be used.
    pub fn new(settings: &config::Netbox) -> Result<Self, Error> {
        let writes_in_flight = settings.writes_in_flight.max(1);
        Ok(Self {
            transport: Transport::new(settings)?,
            page_size: settings.page_size,
            batch_size: settings.batch_size.max(1),
            writes_in_flight,
            turns: Arc::new(Semaphore::new(writes_in_flight)),
            bulk: Arc::new(AtomicBool::new(true)),
        })
    }

    /// The same client, with what it does counted in these figures.
    #[must_use]
    pub fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { transport: self.transport.measured(metrics), ..self }
    }

    /// A client that acts as whoever this token belongs to, over the same connections.
    ///
    /// # Errors
    /// When the token cannot be sent.
    pub fn acting_for(&self, token: &SecretString) -> Result<Self, Error> {
        Ok(Self { transport: self.transport.acting_for(token)?, ..self.clone() })
    }

    /// How many requests went out, retries included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.transport.sent()
    }

    /// The same client over the same connections, with a count of requests of its own.
    #[must_use]
    pub fn counting(&self) -> Self {
        Self { transport: self.transport.counting(), ..self.clone() }
    }

    /// Writes rows of one of our custom object types; `message` goes to NetBox's change log with each row.
    #[must_use]
    pub fn writer<'a>(&'a self, slug: &'a str, message: &'a str) -> Writer<'a> {
        Writer::new(self, slug, message)
    }

    /// Whether batches may be sent as arrays.
    fn takes_arrays(&self) -> bool {
        self.bulk.load(Ordering::Relaxed)
    }

    fn takes_no_arrays(&self) {
        self.bulk.store(false, Ordering::Relaxed);
    }
}

/// The path of a custom object type's list.
#[must_use]
pub fn objects_path(slug: &str) -> String {
    format!("{CUSTOM_OBJECTS}{slug}/")
}
