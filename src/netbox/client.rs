//! The client: what all requests to one NetBox share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::{Mutex, Semaphore};

use super::{error::Error, transport::Transport};
use crate::{config, telemetry::metrics::Metrics};

/// Path of the plugin's endpoints.
pub(super) const CUSTOM_OBJECTS: &str = "/api/plugins/custom-objects/";

/// A client of one NetBox, as one user. It is cheap to clone; its clones share connections and counters.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) transport: Transport,
    pub(super) page_size: u32,
    pub(super) batch_size: usize,
    pub(super) writes_in_flight: usize,
    /// Permits to send a write, shared by all clones: NetBox has so many workers, however many runs there are.
    pub(super) write_permits: Arc<Semaphore>,
    /// The times that NetBox's workers were made to look at our types anew. Whoever finds one with an older form holds it
    /// meanwhile, so that others who found the same wait instead of doing it once more.
    pub(super) renewals: Arc<Mutex<u64>>,
    /// Says that the plugin takes arrays; one 405 ends that for all clones.
    takes_arrays: Arc<AtomicBool>,
}

impl Client {
    /// Makes a client with these settings; nothing is sent yet.
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
            write_permits: Arc::new(Semaphore::new(writes_in_flight)),
            renewals: Arc::default(),
            takes_arrays: Arc::new(AtomicBool::new(true)),
        })
    }

    /// Returns the same client, which counts its requests in `metrics`.
    #[must_use]
    pub fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { transport: self.transport.measured(metrics), ..self }
    }

    /// Returns a client that acts as whoever this token belongs to, over the same connections.
    ///
    /// # Errors
    /// When the token cannot be sent.
    pub fn acting_for(&self, token: &SecretString) -> Result<Self, Error> {
        Ok(Self { transport: self.transport.acting_for(token)?, ..self.clone() })
    }

    /// Returns the time by NetBox's own clock, as its last answer told it; `None` before there was one.
    #[must_use]
    pub fn clock(&self) -> Option<Timestamp> {
        self.transport.clock()
    }

    /// Returns how many requests went out, retries included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.transport.sent()
    }

    /// Returns the same client over the same connections, with a count of requests of its own.
    #[must_use]
    pub fn counting(&self) -> Self {
        Self { transport: self.transport.counting(), ..self.clone() }
    }

    /// Returns the same client, which asks for so many rows in one page at the most.
    pub(super) fn with_pages_of(&self, most: u32) -> Self {
        Self { page_size: self.page_size.min(most), ..self.clone() }
    }

    /// Returns whether batches may be sent as arrays.
    pub(super) fn takes_arrays(&self) -> bool {
        self.takes_arrays.load(Ordering::Relaxed)
    }

    pub(super) fn takes_no_arrays(&self) {
        self.takes_arrays.store(false, Ordering::Relaxed);
    }
}

/// Returns the path of a custom object type's list.
#[must_use]
pub fn objects_path(slug: &str) -> String {
    format!("{CUSTOM_OBJECTS}{slug}/")
}
