//! One limit of requests to ARIN for all replicas.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::{arin::SharedLimit, error_chain::error_chain, model::Instance, queue::Queue};

/// How long the queue may take to say whose turn it is.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a process says that it is there.
const ATTENDANCE: Duration = Duration::from_secs(10);

/// Keeps the limit in the queue. While the queue is away each replica keeps to its share, by the number of replicas that
/// were there last.
#[derive(Debug)]
pub struct QueueLimit {
    queue: Queue,
    name: String,
    replicas: AtomicU32,
}

impl QueueLimit {
    /// Makes the limit for a process of this name.
    #[must_use]
    pub fn new(queue: Queue, name: &str) -> Self {
        Self { queue, name: name.to_owned(), replicas: AtomicU32::new(1) }
    }

    /// Says that this process is there, and counts the others, until `shutdown` is cancelled.
    pub async fn attend(&self, shutdown: CancellationToken) {
        loop {
            if let Ok(replicas) = self.queue.attend(&self.name).await {
                self.replicas.store(replicas.max(1), Ordering::Relaxed);
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(ATTENDANCE) => {}
            }
        }
    }
}

impl SharedLimit for QueueLimit {
    fn acquire<'a>(&'a self, instance: &'a Instance, per_second: u32, burst: u32) -> BoxFuture<'a, Option<Duration>> {
        Box::pin(async move {
            let name = instance.to_string();
            match timeout(PATIENCE, self.queue.turn(&name, per_second, burst)).await {
                Ok(Ok(wait)) => Some(wait),
                Ok(Err(error)) => {
                    debug!(error = %error_chain(&error), "the queue does not say whose turn it is");
                    None
                }
                Err(_) => None,
            }
        })
    }

    fn pause<'a>(&'a self, instance: &'a Instance, pause: Duration) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Ok(Err(error)) = timeout(PATIENCE, self.queue.pause(&instance.to_string(), pause)).await {
                debug!(error = %error_chain(&error), "the queue does not pass on the pause");
            }
        })
    }

    fn replicas(&self) -> u32 {
        self.replicas.load(Ordering::Relaxed)
    }
}
