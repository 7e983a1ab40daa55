//! What each kind of job means.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::memory::Memory;
use crate::{
    error_chain::error_chain,
    model::{Config, Resource, RowId, Scope},
    netbox,
    queue::{Claim, Delay, Ending, Job, JobId, Order, Part as QueuedPart, Queue, Trigger, Work},
    retry::{Policy, Retry},
    sync::{
        Asks, Context, Label, Request, SyncRun, Verdict, name,
        parts::{self, Inside, Outcome, Part},
        prune_log, run as sync_run,
    },
    telemetry::traces,
};

/// Does a job. `None` when it stopped because it was asked to.
pub(super) fn perform<'a>(
    ctx: &'a Context,
    queue: &'a Queue,
    memory: &'a Memory,
    claim: &'a Claim,
) -> BoxFuture<'a, Option<Ending>> {
    Box::pin(async move {
        match (Performing { ctx, queue, memory, claim }).work().await {
            Ok(ending) => ending,
            Err(failed) => Some(failed.into_ending(ctx, claim)),
        }
    })
}

/// The name of the run that a job is or is a part of; `None` for work that is none.
pub(super) fn run_of(Claim { id, job, .. }: &Claim) -> Option<String> {
    let syncs = job.work.config().is_some() && !matches!(job.work, Work::Prune { .. });
    syncs.then(|| run_name(job.run.as_ref().unwrap_or(id)))
}

/// What kept a job from being done.
struct Failed {
    error: String,
    may_pass: bool,
}

impl Failed {
    fn of(error: &dyn Error, retry: Retry) -> Self {
        Self { error: error_chain(error), may_pass: retry != Retry::Never }
    }

    fn into_ending(self, ctx: &Context, claim: &Claim) -> Ending {
        let retry = self.may_pass.then(|| backoff(ctx, claim)).filter(|_| !is_last(ctx, claim));
        Ending::Failed { error: self.error, retry }
    }
}

impl From<netbox::Error> for Failed {
    fn from(error: netbox::Error) -> Self {
        Self::of(&error, error.retry())
    }
}

impl From<crate::queue::Error> for Failed {
    fn from(error: crate::queue::Error) -> Self {
        Self::of(&error, Retry::Backoff)
    }
}

fn is_last(ctx: &Context, claim: &Claim) -> bool {
    claim.attempt >= ctx.settings.queue.max_attempts
}

fn backoff(ctx: &Context, claim: &Claim) -> Duration {
    let queue = &ctx.settings.queue;
    Policy { count: queue.max_attempts, backoff: queue.retry_backoff }.jittered(claim.attempt.saturating_sub(1))
}

type Done = Result<Option<Ending>, Failed>;

/// The config of a job, among all others.
struct Subject {
    config: Config,
    configs: Vec<Config>,
}

struct Performing<'a> {
    ctx: &'a Context,
    queue: &'a Queue,
    memory: &'a Memory,
    claim: &'a Claim,
}

impl Performing<'_> {
    async fn work(&self) -> Done {
        match &self.claim.job.work {
            Work::SyncConfig { config, resources } => self.begin(*config, resources).await,
            Work::SyncPrefixes { config, aggregate, parent } => {
                let inside = Inside { aggregate: *aggregate, parent: parent.clone() };
                let Some(subject) = self.subject(*config).await? else { return gone("config") };
                let known = self.memory.recall(self.claim);
                self.part(*config, parts::inside(self.ctx, &self.request(&subject), inside, known).await)
            }
            Work::RecordRun { config } => self.record(*config).await,
            Work::SyncAggregate { config: None, aggregate } => self.configs_of_aggregate(*aggregate).await,
            Work::SyncAggregate { config: Some(config), aggregate } => {
                self.single(*config, Scope::Aggregate(*aggregate)).await
            }
            Work::SyncPrefix { config: None, prefixes } => self.configs_of_prefixes(prefixes).await,
            Work::SyncPrefix { config: Some(config), prefixes } => {
                self.single(*config, Scope::Prefixes(prefixes.clone())).await
            }
            Work::Prune { config } => {
                let removed = prune_log(self.ctx, *config, "rir-sidecar prune").await?;
                Ok(Some(done(json!({ "removed": removed }))))
            }
        }
    }

    /// Finds the config; `None` when it is gone.
    async fn subject(&self, id: RowId) -> Result<Option<Subject>, Failed> {
        let configs = self.ctx.netbox.configs().await?;
        let config = configs.iter().find(|config| config.id == id).cloned();
        Ok(config.map(|config| Subject { config, configs }))
    }

    fn request<'a>(&'a self, subject: &'a Subject) -> Request<'a> {
        let job = &self.claim.job;
        let asks = match (&job.user, job.trigger) {
            (None, _) => Asks::Nobody,
            (Some(user), Trigger::Webhook | Trigger::Sweep) => Asks::Change(user),
            (Some(user), Trigger::Schedule | Trigger::Api | Trigger::Job) => Asks::User(user),
        };
        Request { asks, label: Some(self.label()), ..Request::of(&subject.config, &subject.configs) }
    }

    /// The same job has the same run, however often it is tried; its log rows are told apart by the attempt.
    fn label(&self) -> Label {
        let Claim { id, job, attempt, .. } = self.claim;
        let root = job.run.as_ref().unwrap_or(id);
        Label { run: run_name(root), started: root.created(), part: format!("{}.{attempt}", number(id)) }
    }

    async fn begin(&self, config: RowId, resources: &BTreeSet<Resource>) -> Done {
        let Some(subject) = self.subject(config).await? else { return gone("config") };
        let request = Request { resources: resources.clone(), ..self.request(&subject) };
        self.part(config, parts::begin(self.ctx, &request).await)
    }

    /// A job of the same run.
    fn follow_up(&self, work: Work) -> Order {
        let Claim { id, job, .. } = self.claim;
        let run = Some(job.run.clone().unwrap_or_else(|| id.clone()));
        Order { job: Job { run, ..self.child(work) }, delay: Delay::None }
    }

    /// The end of a part of a run.
    fn part(&self, config: RowId, Outcome { part, follow, rows }: Outcome) -> Done {
        self.memory.keep(self.claim, rows);
        let next = |Inside { aggregate, parent }| Work::SyncPrefixes { config, aggregate, parent };
        let then: Vec<Order> = follow.into_iter().map(|inside| self.follow_up(next(inside))).collect();
        if part.was_interrupted() {
            return Ok(None);
        }
        match part.may_pass() {
            Some(why) if !is_last(self.ctx, self.claim) || part.ended_early() => {
                Err(Failed { error: why.to_owned(), may_pass: true })
            }
            Some(_) | None => {
                let result = json!({ "run": self.label().run, "parts_to_follow": then.len() });
                let part = serde_json::to_value(&part).map_err(|error| Failed {
                    error: format!("the part cannot be written down: {error}"),
                    may_pass: false,
                })?;
                Ok(Some(Ending::Done { result, part: Some(part), then }))
            }
        }
    }

    async fn record(&self, config: RowId) -> Done {
        let Some(run) = &self.claim.job.run else {
            return Err(Failed { error: "the job names no run".into(), may_pass: false });
        };
        let parts = self.queue.parts(run).await?.into_iter().map(read_part).collect::<Result<Vec<_>, _>>()?;
        let resources = self.resources_of(run).await?;
        let known = self.memory.recall(self.claim);
        let Some(subject) = self.subject(config).await? else { return gone("config") };
        let run = parts::conclude(self.ctx, &Request { resources, ..self.request(&subject) }, parts, known).await;
        let prune = Order { job: Job::new(Work::Prune { config }, Trigger::Job), delay: Delay::None };
        self.recorded(&run, vec![prune])
    }

    /// What the job that began a run was asked for.
    async fn resources_of(&self, run: &JobId) -> Result<BTreeSet<Resource>, Failed> {
        let root = self.queue.find(run).await?.and_then(|record| record.job);
        Ok(match root.map(|job| job.work) {
            Some(Work::SyncConfig { resources, .. }) => resources,
            Some(_) | None => Resource::all(),
        })
    }

    /// Syncs a part of a config as a run of its own.
    async fn single(&self, config: RowId, scope: Scope) -> Done {
        let Some(subject) = self.subject(config).await? else { return gone("config") };
        let run = sync_run(self.ctx, &Request { scope, ..self.request(&subject) }).await;
        self.recorded(&run, Vec::new())
    }

    /// The end of a run that is recorded. It counts unless it is tried again.
    fn recorded(&self, run: &SyncRun, then: Vec<Order>) -> Done {
        let verdict = run.verdict();
        if run.may_pass().is_none() || is_last(self.ctx, self.claim) {
            self.ctx.metrics.run(verdict.code(), run.took);
        }
        if verdict == Verdict::Interrupted && self.ctx.stop.is_cancelled() {
            return Ok(None);
        }
        match run.may_pass() {
            Some(error) if !is_last(self.ctx, self.claim) || verdict == Verdict::Failed => {
                Err(Failed { error, may_pass: true })
            }
            Some(_) | None => Ok(Some(Ending::Done { result: summary(run), part: None, then })),
        }
    }

    async fn configs_of_aggregate(&self, aggregate: RowId) -> Done {
        let netbox = &self.ctx.netbox;
        let (rir, configs) = tokio::try_join!(netbox.rir_of_aggregate(aggregate), netbox.configs())?;
        let Some(rir) = rir else { return gone("aggregate") };
        let ours = active(&configs, rir);
        let order = |config| self.own(Work::SyncAggregate { config: Some(config), aggregate });
        Ok(Some(spread(ours.into_iter().map(order).collect())))
    }

    async fn configs_of_prefixes(&self, prefixes: &BTreeSet<RowId>) -> Done {
        let netbox = &self.ctx.netbox;
        let (rirs, configs) = tokio::try_join!(netbox.rirs_of_prefixes(prefixes), netbox.configs())?;
        let mut of_config: BTreeMap<RowId, BTreeSet<RowId>> = BTreeMap::new();
        for (prefix, rir) in rirs {
            for config in active(&configs, rir) {
                of_config.entry(config).or_default().insert(prefix);
            }
        }
        let order = |(config, prefixes)| self.own(Work::SyncPrefix { config: Some(config), prefixes });
        Ok(Some(spread(of_config.into_iter().map(order).collect())))
    }

    /// A job that takes this one's place.
    fn own(&self, work: Work) -> Order {
        Order { job: self.child(work), delay: Delay::None }
    }

    /// A job that this one makes, asked for by the same user in the same way.
    fn child(&self, work: Work) -> Job {
        let job = self.claim.job.clone();
        Job { work, traceparent: traces::current().or(job.traceparent), ..job }
    }
}

/// The active configs of an RIR.
fn active(configs: &[Config], rir: RowId) -> Vec<RowId> {
    configs.iter().filter(|config| config.serves(rir)).map(|config| config.id).collect()
}

fn spread(then: Vec<Order>) -> Ending {
    Ending::Done { result: json!({ "configs": then.len() }), part: None, then }
}

/// Nothing is left to do, as what the job is about was deleted meanwhile.
fn gone(what: &str) -> Done {
    Ok(Some(done(json!({ "result": "skipped", "reason": format!("the {what} is gone") }))))
}

fn done(result: Value) -> Ending {
    Ending::Done { result, part: None, then: Vec::new() }
}

fn read_part(part: QueuedPart) -> Result<Result<Part, String>, Failed> {
    match part {
        QueuedPart::Failed(why) => Ok(Err(why)),
        QueuedPart::Found(value) => match serde_json::from_value(value) {
            Ok(part) => Ok(Ok(part)),
            Err(error) => Err(Failed { error: format!("a part of the run cannot be read: {error}"), may_pass: false }),
        },
    }
}

/// What came of a run, for whoever looks at the job.
fn summary(run: &SyncRun) -> Value {
    json!({ "run": run.id, "result": run.verdict(), "reason": run.reason(), "counts": run.counts() })
}

/// The name of the run that a job began.
fn run_name(root: &JobId) -> String {
    name(root.created(), number(root))
}

/// The part of an id that is chance.
fn number(id: &JobId) -> u32 {
    u32::from_str_radix(id.as_str().get(16..).unwrap_or_default(), 16).unwrap_or_default()
}
