//! The schedule: queues syncs of configs that are due, and of changes whose webhooks were lost.
//!
//! Every replica runs a [`Scheduler`]; the one that holds the lease `scheduler` acts, the others wait to take its
//! place. [`schedule`] decides when a config is due and is pure. `sweep` reads NetBox's change log. Both only queue
//! jobs: equal ones coalesce, so that queueing twice does no harm.

mod error;
pub mod schedule;
mod sweep;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, info_span, warn};

use crate::{
    model::{Config, Resource},
    netbox::ConfigRow,
    queue::{Delay, Job, Order, Trigger, Work},
    services::Services,
    sync::Verdict,
    telemetry::{metrics::ConfigFigures, traces},
};
use error::Error;
use schedule::{Due, due};

/// The length of the lease in ticks: a tick that is missed does not lose it.
const TICKS_IN_A_LEASE: u32 = 3;

/// Queues the syncs that are due.
#[derive(Debug, Clone)]
pub struct Scheduler {
    services: Services,
    name: Arc<str>,
}

impl Scheduler {
    /// Makes a scheduler. No other process may have the same `name`.
    #[must_use]
    pub fn new(services: Services, name: &str) -> Self {
        Self { services, name: name.into() }
    }

    /// Queues at every `schedule.tick` what is due, until `shutdown` is cancelled.
    pub async fn run(self, shutdown: CancellationToken) {
        let began = Timestamp::now();
        let mut tick = interval(self.services.settings.schedule.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut swept: Option<Instant> = None;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(error) = self.tick(began, &mut swept).await {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "could not queue what is due; trying again at the next tick"
                );
            }
        }
    }

    async fn tick(&self, began: Timestamp, swept: &mut Option<Instant>) -> Result<(), Error> {
        let lease = self.services.settings.schedule.tick * TICKS_IN_A_LEASE;
        if !self.services.coordination.acquire_lease("scheduler", &self.name, lease).await? {
            self.services.metrics.leave_configs();
            return Ok(());
        }
        self.act(began, swept).instrument(info_span!("schedule")).await
    }

    /// Queues what is due, as the holder of the lease.
    async fn act(&self, began: Timestamp, swept: &mut Option<Instant>) -> Result<(), Error> {
        let sweep = &self.services.settings.sweep;
        let sweeps = !sweep.interval.is_zero() && swept.is_none_or(|last| last.elapsed() >= sweep.interval);
        if !self.services.settings.schedule.enabled && !sweeps {
            return Ok(());
        }
        let rows = self.services.netbox.config_rows().await?;
        self.services.metrics.configs(&rows.iter().map(figures).collect::<Vec<_>>());
        let configs: Vec<Config> = rows.into_iter().map(|row| row.config).collect();
        if self.services.settings.schedule.enabled {
            self.schedule(&configs, began).await?;
        }
        if sweeps {
            sweep::sweep(&self.services, &configs).await?;
            *swept = Some(Instant::now());
        }
        Ok(())
    }

    /// Queues the configs that are due, except those that are being synced.
    async fn schedule(&self, configs: &[Config], began: Timestamp) -> Result<(), Error> {
        for config in configs.iter().filter(|config| config.is_active) {
            let delay = match due(config, self.services.settings.schedule.interval, began, Timestamp::now()) {
                Due::Later(_) => continue,
                Due::Now => Delay::None,
                Due::Overdue(spread) => Delay::For(spread),
            };
            if self.services.queue.active(config.id).await?.is_some() {
                debug!(config = %config.name, "is due, but a run is at work");
                continue;
            }
            let work = Work::SyncConfig { config: config.id, resources: Resource::all() };
            let job = Job { traceparent: traces::current(), ..Job::new(work, Trigger::Schedule) };
            let order = Order { job, delay };
            let enqueued = self.services.queue.enqueue(&[order]).await?;
            if let Some(queued) = enqueued.iter().find(|enqueued| !enqueued.coalesced) {
                info!(config = %config.name, job = %queued.job, "queued {}, which is due", config.name);
            }
        }
        Ok(())
    }
}

fn figures(row: &ConfigRow) -> ConfigFigures<'_> {
    let config = &row.config;
    let succeeded = |result: &str| Verdict::ALL.iter().any(|verdict| verdict.is_success() && verdict.code() == result);
    let last_success = config.last_sync.filter(|_| row.last_result.as_deref().is_some_and(succeeded));
    ConfigFigures { name: &config.name, active: config.is_active, last_success }
}
