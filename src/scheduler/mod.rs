//! Asks for syncs by itself: of configs that are due, and of what lost webhooks would have told.
//!
//! Every replica runs a [`Scheduler`]; the one that holds the lease `scheduler` acts, the others wait to take its
//! place. [`due()`] decides when a config is due and is pure. `sweep` reads NetBox's change log. Both only queue jobs:
//! equal ones coalesce, so that acting twice does no harm.

pub mod due;
mod sweep;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, info_span, warn};

use crate::{
    config::Settings,
    coordination::Coordination,
    model::{Config, Resource},
    netbox::{self, ConfigRow},
    queue::{self, Delay, Job, Order, Queue, Trigger, Work},
    telemetry::{
        metrics::{ConfigFigures, Metrics},
        traces,
    },
};
use due::{Due, due};

/// The lease is held for so many ticks: one that is missed does not lose it.
const TICKS_IN_A_LEASE: u32 = 3;
/// Results of syncs in which nothing failed, as they are recorded with a config.
const SUCCESSES: [&str; 2] = ["unchanged", "changed"];

/// Queues what is due.
#[derive(Debug, Clone)]
pub struct Scheduler {
    queue: Queue,
    coordination: Coordination,
    netbox: netbox::Client,
    settings: Arc<Settings>,
    metrics: Arc<Metrics>,
    name: Arc<str>,
}

/// Why a tick came to nothing. The next one tries again.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("could not read NetBox")]
    NetBox(#[from] netbox::Error),
    #[error("could not queue jobs")]
    Queue(#[from] queue::Error),
}

impl Scheduler {
    /// Makes a scheduler. `name` is one that no other process has.
    #[must_use]
    pub fn new(
        queue: Queue,
        coordination: Coordination,
        netbox: netbox::Client,
        settings: Arc<Settings>,
        metrics: Arc<Metrics>,
        name: &str,
    ) -> Self {
        Self { queue, coordination, netbox, settings, metrics, name: name.into() }
    }

    /// Looks every `schedule.tick` what is due, until `shutdown` is cancelled.
    pub async fn run(self, shutdown: CancellationToken) {
        let began = Timestamp::now();
        let mut tick = interval(self.settings.schedule.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut swept: Option<Instant> = None;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(error) = self.turn(began, &mut swept).await {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "could not look what is due; trying again at the next tick"
                );
            }
        }
    }

    async fn turn(&self, began: Timestamp, swept: &mut Option<Instant>) -> Result<(), Error> {
        let lease = self.settings.schedule.tick * TICKS_IN_A_LEASE;
        if !self.coordination.acquire_lease("scheduler", &self.name, lease).await? {
            self.metrics.leave_configs();
            return Ok(());
        }
        self.act(began, swept).instrument(info_span!("schedule")).await
    }

    /// Queues what is due, as the one that holds the lease.
    async fn act(&self, began: Timestamp, swept: &mut Option<Instant>) -> Result<(), Error> {
        let sweep = &self.settings.sweep;
        let sweeps = !sweep.interval.is_zero() && swept.is_none_or(|last| last.elapsed() >= sweep.interval);
        if !self.settings.schedule.enabled && !sweeps {
            return Ok(());
        }
        let rows = self.netbox.config_rows().await?;
        self.metrics.configs(&rows.iter().map(figures).collect::<Vec<_>>());
        let configs: Vec<Config> = rows.into_iter().map(|row| row.config).collect();
        if self.settings.schedule.enabled {
            self.schedule(&configs, began).await?;
        }
        if sweeps {
            self.sweep(&configs).await?;
            *swept = Some(Instant::now());
        }
        Ok(())
    }

    /// Queues the configs that are due, but those at which a run is still at work.
    async fn schedule(&self, configs: &[Config], began: Timestamp) -> Result<(), Error> {
        for config in configs.iter().filter(|config| config.is_active) {
            let delay = match due(config, self.settings.schedule.interval, began, Timestamp::now()) {
                Due::Later(_) => continue,
                Due::Now => Delay::None,
                Due::Overdue(spread) => Delay::For(spread),
            };
            if self.queue.active(config.id).await?.is_some() {
                debug!(config = %config.name, "is due, but a run is at work");
                continue;
            }
            let work = Work::SyncConfig { config: config.id, resources: Resource::all() };
            let job = Job { traceparent: traces::current(), ..Job::new(work, Trigger::Schedule) };
            let order = Order { job, delay };
            let enqueued = self.queue.enqueue(&[order]).await?;
            if let Some(queued) = enqueued.iter().find(|enqueued| !enqueued.coalesced) {
                info!(config = %config.name, job = %queued.job, "queued {}, which is due", config.name);
            }
        }
        Ok(())
    }
}

fn figures(row: &ConfigRow) -> ConfigFigures<'_> {
    let config = &row.config;
    let well = row.last_result.as_deref().is_some_and(|result| SUCCESSES.contains(&result));
    ConfigFigures { name: &config.name, active: config.is_active, last_success: config.last_sync.filter(|_| well) }
}
