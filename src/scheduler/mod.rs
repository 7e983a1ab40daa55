//! The schedule: queues syncs of configs that are due, and of changes whose webhooks were lost, and has findings judged
//! once a day.
//!
//! Every replica runs a [`Scheduler`]; the one that holds the lease `scheduler` acts, the others wait to take its
//! place. [`schedule`] decides when a config is due and is pure. `sweep` reads NetBox's change log. Both only queue
//! jobs: equal ones coalesce, so that queueing twice does no harm. `finding_metrics` reports the findings that NetBox
//! has.
//!
//! A config or a sweep that fails, even by a fault of this program, keeps nothing else from being queued.

mod error;
mod finding_metrics;
pub mod schedule;
mod sweep;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, civil::Date};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, info_span, warn};

use crate::{
    coordination::Syncs,
    error_chain::error_chain,
    findings::day,
    model::{Config, Resource, RowId, SourceName},
    netbox::ConfigRow,
    queue::{Delay, Job, Order, Trigger, Work},
    services::Services,
    supervise::caught,
    sync::Verdict,
    telemetry::{
        metrics::{ConfigFigures, Part},
        traces,
    },
};
use error::Error;
use finding_metrics::FindingMetrics;
use schedule::{Clock, Due, asked, due, is_past, judging_due};
use sweep::Sweep;

/// The length of the lease in ticks: a tick that is missed does not lose it.
const TICKS_IN_A_LEASE: u32 = 3;

/// How often it is looked whether there is something to do about change requests.
const REQUESTS_INTERVAL: Duration = Duration::from_secs(300);

/// Queues the syncs that are due.
#[derive(Debug)]
pub struct Scheduler {
    services: Services,
    name: Arc<str>,
    began: Timestamp,
    sweep: Sweep,
    finding_metrics: FindingMetrics,
    /// The day on which each config was last queued to be judged. One that fails is not queued again on that day.
    judging: BTreeMap<RowId, Date>,
    /// The sources of routing registries that were queued since this process has the lease: all are due then.
    mirrored: BTreeSet<SourceName>,
}

impl Scheduler {
    /// Makes a scheduler. No other process may have the same `name`.
    #[must_use]
    pub fn new(services: Services, name: &str) -> Self {
        Self {
            services,
            name: name.into(),
            began: Timestamp::now(),
            sweep: Sweep::default(),
            finding_metrics: FindingMetrics::default(),
            judging: BTreeMap::new(),
            mirrored: BTreeSet::new(),
        }
    }

    /// Queues at every `schedule.tick` what is due, until `shutdown` is cancelled.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut tick = interval(self.services.settings.schedule.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = tick.tick() => self.tick().await,
            }
        }
    }

    /// Queues what is due now. What fails is tried again at the next tick.
    pub async fn tick(&mut self) {
        let metrics = Arc::clone(&self.services.metrics);
        let acted = caught(&metrics, Part::Scheduler, self.act_if_leading()).await;
        if let Err(error) = acted.map_err(Error::from).flatten() {
            tell(&error);
        }
    }

    async fn act_if_leading(&mut self) -> Result<(), Error> {
        let lease = self.services.settings.schedule.tick.saturating_mul(TICKS_IN_A_LEASE);
        if !self.services.coordination.acquire_lease("scheduler", &self.name, lease).await? {
            self.services.metrics.leave_configs();
            self.mirrored.clear();
            self.finding_metrics.leave(&self.services);
            return Ok(());
        }
        self.schedule_sources().await?;
        self.act().instrument(info_span!("schedule")).await
    }

    /// Queues each mirrored source, and what is judged by them, an interval from now: a job that waits already keeps its time. All
    /// sources are due at the start.
    async fn schedule_sources(&mut self) -> Result<(), Error> {
        let mut orders = Vec::new();
        for source in &self.services.settings.irr.source {
            let delay = match self.mirrored.insert(source.name.clone()) {
                true => Delay::None,
                false => Delay::For(source.interval()),
            };
            orders.push(Order {
                job: Job::new(Work::UpdateIrr { source: source.name.clone() }, Trigger::Schedule),
                delay,
            });
        }
        if !orders.is_empty() {
            // Whoever has changed something asks for it at once; this is for what nobody tells of.
            let delay = Delay::For(self.services.settings.routing.interval);
            orders.push(Order { job: Job::new(Work::Routing {}, Trigger::Schedule), delay });
            self.services.queue.enqueue(&orders).await?;
        }
        Ok(())
    }

    /// Queues what is due, as the holder of the lease.
    async fn act(&mut self) -> Result<(), Error> {
        let (schedules, sweeps) =
            (self.services.settings.schedule.enabled, self.sweep.is_due(self.services.settings.sweep.interval));
        if !schedules && !sweeps {
            return Ok(());
        }
        let rows = self.services.netbox.config_rows().await?;
        self.services.metrics.configs(&rows.iter().map(figures).collect::<Vec<_>>());
        let configs: Vec<Config> = rows.into_iter().map(|row| row.config).collect();
        let metrics = Arc::clone(&self.services.metrics);
        for config in configs.iter().filter(|config| schedules && config.is_active) {
            let queued = caught(&metrics, Part::Config, self.schedule(config)).await;
            if let Err(error) = queued.map_err(Error::from).flatten() {
                warn!(config = %config.name, error = %error_chain(&error), "could not queue {}", config.name);
            }
        }
        if schedules && self.services.settings.requests.enabled {
            self.schedule_requests(&configs).await?;
        }
        let reported = self.finding_metrics.report(&self.services, &configs);
        if let Err(error) = caught(&metrics, Part::Scheduler, reported).await.map_err(Error::from).flatten() {
            warn!(error = %error_chain(&error), "could not report the findings in the metrics");
        }
        if sweeps {
            caught(&metrics, Part::Sweep, self.sweep.go_on(&self.services, &configs)).await??;
        }
        Ok(())
    }

    /// Queues a config if it is due and not being synced. One that is not due may be to be judged anew.
    async fn schedule(&mut self, config: &Config) -> Result<(), Error> {
        let Services { queue, coordination, settings, .. } = &self.services;
        let clock = Clock { began: self.began, now: Timestamp::now() };
        let when = |syncs: &Syncs| due(config, syncs, settings.schedule.interval, &clock);
        // What the replicas remember only puts a config off: it need not be asked for what is not due anyway.
        if matches!(when(&Syncs::default()), Due::Later(_)) {
            return self.schedule_judging(config, clock.now).await;
        }
        let syncs = coordination.syncs(config.id).await?;
        let delay = match when(&syncs) {
            Due::Later(_) => return Ok(()),
            Due::Now => Delay::None,
            Due::Overdue(spread) => Delay::For(spread),
        };
        if queue.active(config.id).await?.is_some() {
            debug!(config = %config.name, "is due, but a run is at work");
            return Ok(());
        }
        if let Some(at) = config.last_sync.filter(|at| !is_past(*at, clock.now)) {
            warn!(config = %config.name, %at, "{}'s last sync lies in the future; are the clocks right?", config.name);
        }
        let work = Work::SyncConfig { config: config.id, resources: Resource::all() };
        let job = Job { traceparent: traces::current(), ..Job::new(work, Trigger::Schedule) };
        let enqueued = queue.enqueue(&[Order { job, delay }]).await?;
        if let Some(queued) = enqueued.iter().find(|enqueued| !enqueued.coalesced) {
            coordination.sync_asked(config.id, asked(config, &syncs, clock.now)).await?;
            info!(config = %config.name, job = %queued.job, "queued {}, which is due", config.name);
        }
        Ok(())
    }

    /// Queues what there is to do about change requests, a while from now: a job that waits already keeps its time. It is
    /// queued at once when somebody approves one; this is for those of which nobody has told.
    async fn schedule_requests(&self, configs: &[Config]) -> Result<(), Error> {
        let job = |config: &Config| Job::new(Work::Requests { config: config.id }, Trigger::Schedule);
        let order = |config| Order { job: job(config), delay: Delay::For(REQUESTS_INTERVAL) };
        let orders: Vec<Order> = configs.iter().filter(|config| config.is_active).map(order).collect();
        self.services.queue.enqueue(&orders).await?;
        Ok(())
    }

    /// Queues the findings of a config if they were last judged on an earlier day. A sync judges them as well, also one that is
    /// under way.
    async fn schedule_judging(&mut self, config: &Config, now: Timestamp) -> Result<(), Error> {
        let Some(wait) = judging_due(config, now) else { return Ok(()) };
        if self.judging.get(&config.id) == Some(&day(now)) || self.services.queue.active(config.id).await?.is_some() {
            return Ok(());
        }
        let work = Work::Findings { config: config.id };
        let job = Job { traceparent: traces::current(), ..Job::new(work, Trigger::Schedule) };
        self.services.queue.enqueue(&[Order { job, delay: Delay::For(wait) }]).await?;
        self.judging.insert(config.id, day(now));
        debug!(config = %config.name, ?wait, "queued the findings of {}", config.name);
        Ok(())
    }
}

fn tell(error: &Error) {
    warn!(error = %error_chain(error), "could not queue what is due; trying again at the next tick");
}

fn figures(row: &ConfigRow) -> ConfigFigures<'_> {
    let config = &row.config;
    let succeeded = |result: &str| Verdict::ALL.iter().any(|verdict| verdict.is_success() && verdict.code() == result);
    let last_success = config.last_sync.filter(|_| row.last_result.as_deref().is_some_and(succeeded));
    ConfigFigures { name: &config.name, active: config.is_active, last_success }
}
