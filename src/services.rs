//! The settings and connections that the program works with: made once, and cloned for each part that needs them.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    arin::{self, SharedLimit},
    config::{Settings, keys::Keyring},
    coordination::Coordination,
    http_client,
    irr::{store::Store, update::Mirror},
    netbox,
    queue::Queue,
    redis_client,
    routing::OwnRoutes,
    sync::{Context, Progress},
    telemetry::metrics::Metrics,
};

/// The settings and the connections of a process. A clone shares them.
#[derive(Debug, Clone)]
pub struct Services {
    /// All settings.
    pub settings: Arc<Settings>,
    /// NetBox, with the sidecar's own token.
    pub netbox: netbox::Client,
    /// The registry instances that may be asked.
    pub arin: arin::Pool,
    /// The jobs.
    pub queue: Queue,
    /// The facts that replicas share besides the jobs.
    pub coordination: Coordination,
    /// The mirrors of routing registries.
    pub mirror: Mirror,
    /// What they say of the operator's own space.
    pub own_routes: OwnRoutes,
    /// The ARIN API keys, as the keys file has them now.
    pub keys: watch::Receiver<Keyring>,
    /// The metrics of this process.
    pub metrics: Arc<Metrics>,
}

/// A client that cannot be made from the settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client of NetBox.
    #[error(transparent)]
    NetBox(#[from] netbox::Error),
    /// The clients of ARIN.
    #[error(transparent)]
    Arin(#[from] arin::Error),
    /// The client that fetches the dumps of routing registries.
    #[error(transparent)]
    Irr(#[from] http_client::Error),
    /// The place of the mirrors.
    #[error(transparent)]
    Redis(#[from] redis_client::Error),
}

impl Services {
    /// Makes the services of a command that shares nothing with other processes: its jobs stay in the process, and it
    /// keeps to ARIN's rate limit by itself.
    ///
    /// # Errors
    /// When a client cannot be made from the settings.
    pub fn for_one_process(settings: Settings, keys: Keyring) -> Result<Self, Error> {
        let shared = (Queue::in_memory(&settings.queue), Coordination::in_memory(), Store::in_memory());
        let arin = arin::Pool::new(&settings.arin)?;
        Self::new(settings, shared, arin, watch::channel(keys).1, Arc::default())
    }

    /// Makes the services of a process that shares its queue, and with it ARIN's rate limit, with others.
    ///
    /// # Errors
    /// When a client cannot be made from the settings.
    pub fn for_replicas(
        settings: Settings,
        shared: (Queue, Coordination),
        limit: Arc<dyn SharedLimit>,
        keys: watch::Receiver<Keyring>,
    ) -> Result<Self, Error> {
        let metrics = Arc::new(Metrics::default());
        let arin = arin::Pool::new(&settings.arin)?.sharing(limit, Arc::clone(&metrics));
        let shared = (shared.0, shared.1, Store::open(&settings.queue)?);
        Self::new(settings, shared, arin, keys, metrics)
    }

    fn new(
        settings: Settings,
        (queue, coordination, store): (Queue, Coordination, Store),
        arin: arin::Pool,
        keys: watch::Receiver<Keyring>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let netbox = netbox::Client::new(&settings.netbox)?.measured(Arc::clone(&metrics));
        let mirror = Mirror::new(store, &settings)?;
        let own_routes = OwnRoutes::default();
        Ok(Self { settings: Arc::new(settings), netbox, arin, queue, coordination, mirror, own_routes, keys, metrics })
    }

    /// Makes what one run works with, with the API keys of now. The run ends early when `stop` is cancelled.
    #[must_use]
    pub fn context(&self, stop: CancellationToken) -> Context {
        Context {
            netbox: self.netbox.counting(),
            arin: self.arin.clone(),
            keys: self.keys.borrow().clone(),
            settings: Arc::clone(&self.settings),
            progress: Progress::default(),
            stop,
            metrics: Arc::clone(&self.metrics),
        }
    }
}
