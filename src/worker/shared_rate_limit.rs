//! One limit of requests to ARIN for all replicas.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::{
    arin::SharedLimit,
    coordination::Coordination,
    error_chain::error_chain,
    model::Instance,
    rate::{Answer, Report},
};

/// Limits how long a request waits to hear whether it may go.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);
/// The interval at which a process registers as alive.
const PRESENCE_INTERVAL: Duration = Duration::from_secs(10);

/// The limit that replicas share. While Redis is away each replica keeps to its share, by the number of replicas that
/// were alive last.
#[derive(Debug)]
pub struct SharedRateLimit {
    coordination: Coordination,
    name: String,
    replicas: AtomicU32,
}

impl SharedRateLimit {
    /// Makes the limit for a process of this name.
    #[must_use]
    pub fn new(coordination: Coordination, name: &str) -> Self {
        Self { coordination, name: name.to_owned(), replicas: AtomicU32::new(1) }
    }

    /// Registers this process as alive, and counts the others, until `shutdown` is cancelled.
    pub async fn register_presence(self: Arc<Self>, shutdown: CancellationToken) {
        loop {
            if let Ok(replicas) = self.coordination.register_presence(&self.name).await {
                self.replicas.store(replicas.max(1), Ordering::Relaxed);
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(PRESENCE_INTERVAL) => {}
            }
        }
    }
}

impl SharedLimit for SharedRateLimit {
    fn step<'a>(&'a self, instance: &'a Instance, report: Report) -> BoxFuture<'a, Option<Answer>> {
        Box::pin(async move {
            let name = instance.to_string();
            let change = self.coordination.change_rate(&name, move |rate, now| rate.step(now, report));
            match timeout(ANSWER_TIMEOUT, change).await {
                Ok(Ok(answer)) => Some(answer),
                Ok(Err(error)) => {
                    debug!(error = %error_chain(&error), "Redis does not say whether a request may go");
                    None
                }
                Err(_) => None,
            }
        })
    }

    fn replicas(&self) -> u32 {
        self.replicas.load(Ordering::Relaxed)
    }
}
