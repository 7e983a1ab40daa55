//! What a sync by hand shares with the service: ARIN's rate limit, and the turn of each RIR config.
//!
//! Whoever syncs by hand takes the config's lease first, and then waits until no worker does a job of the config. A worker
//! that has claimed such a job looks at the lease and puts the job off. So one of the two sees the other whoever comes first,
//! and they never write at the same time. A job whose worker died is waited for until its own lease is over: whoever takes
//! it over then looks at the lease as well.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::output;
use crate::{
    coordination::{Coordination, lease_by_hand},
    deadline::after,
    model::Config,
    queue::{Error, Queue},
    services::Services,
};

/// How often a config is asked for that somebody else syncs.
const POLL: Duration = Duration::from_secs(1);
/// A lease is renewed three times before it would end.
const RENEWALS_IN_A_LEASE: u32 = 3;
/// A fifth of a lease is kept as a margin: whoever cannot renew it stops before anybody else can begin.
const MARGIN: u32 = 5;

/// The queue that the service works off, as a sync by hand sees it.
pub(super) struct ByHand {
    queue: Queue,
    coordination: Coordination,
    /// The name of this process.
    name: Arc<str>,
    lease: Duration,
}

/// The turn of a config. It has to be given back.
pub(super) struct Turn {
    /// Cancelled when the run has to end: somebody asked for that, or the lease is lost.
    stop: CancellationToken,
    lease: Option<Lease>,
}

/// A lease that is renewed.
struct Lease {
    coordination: Coordination,
    name: String,
    owner: Arc<str>,
    renewing: JoinHandle<()>,
}

impl ByHand {
    /// Looks at the queue of these services, which the service shares.
    pub(super) fn of(services: &Services, name: &str) -> Self {
        let Services { queue, coordination, settings, .. } = services.clone();
        Self { queue, coordination, name: name.into(), lease: settings.queue.lease }
    }

    /// Waits for the turn of a config, and says so; `None` when it is to wait no longer.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(super) async fn turn(&self, config: &Config, stop: &CancellationToken) -> Result<Option<Turn>, Error> {
        let lease = lease_by_hand(config.id);
        let mut told = false;
        while let Some(other) = self.syncing(config, &lease).await? {
            if !told {
                let name = &config.name;
                output::err(&format!("{name}: {other} is syncing it; waiting until it has ended (Ctrl-C: no longer)"));
                told = true;
            }
            tokio::select! {
                () = stop.cancelled() => {
                    self.coordination.release_lease(&lease, &self.name).await?;
                    return Ok(None);
                }
                () = sleep(POLL) => {}
            }
        }
        let (stop, owner) = (stop.child_token(), Arc::clone(&self.name));
        let lease = Lease::renewed(&self.coordination, (lease, owner), self.lease, stop.clone());
        Ok(Some(Turn { stop, lease: Some(lease) }))
    }

    /// Takes or keeps the lease, and returns who syncs the config nevertheless.
    async fn syncing(&self, config: &Config, lease: &str) -> Result<Option<String>, Error> {
        if !self.coordination.acquire_lease(lease, &self.name, self.lease).await? {
            return Ok(Some("somebody else by hand".to_owned()));
        }
        let job = self.queue.held(config.id).await?;
        Ok(job.map(|job| format!("job {job} of the service")))
    }
}

impl Turn {
    /// Makes the turn of a config that nobody else can sync, as far as is known.
    pub(super) fn of_nobody_else(stop: &CancellationToken) -> Self {
        Self { stop: stop.child_token(), lease: None }
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Gives the config to whoever comes next.
    pub(super) async fn end(self) {
        let Some(Lease { coordination, name, owner, renewing }) = self.lease else { return };
        renewing.abort();
        // Else it ends by itself, only later.
        drop(coordination.release_lease(&name, &owner).await);
    }
}

impl Lease {
    /// Renews a lease from now on. `stop` is cancelled when that fails for so long that somebody else may have it.
    fn renewed(
        coordination: &Coordination,
        (name, owner): (String, Arc<str>),
        length: Duration,
        stop: CancellationToken,
    ) -> Self {
        let renewing = {
            let (coordination, name, owner) = (coordination.clone(), name.clone(), Arc::clone(&owner));
            tokio::spawn(async move {
                keep(&coordination, (&name, &owner), length).await;
                output::err("error: Redis does not say any more that nobody else syncs this config; stopping");
                stop.cancel();
            })
        };
        Self { coordination: coordination.clone(), name, owner, renewing }
    }
}

/// Renews a lease for as long as that works.
async fn keep(coordination: &Coordination, (name, owner): (&str, &str), length: Duration) {
    let safe = length.saturating_sub(length.checked_div(MARGIN).unwrap_or_default());
    let mut until = after(safe);
    loop {
        sleep(length.checked_div(RENEWALS_IN_A_LEASE).unwrap_or_default()).await;
        match timeout_at(until, coordination.acquire_lease(name, owner, length)).await {
            Ok(Ok(true)) => until = after(safe),
            Ok(Err(_)) if Instant::now() < until => {}
            Ok(Ok(false) | Err(_)) | Err(_) => return,
        }
    }
}
