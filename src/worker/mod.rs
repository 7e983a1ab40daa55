//! Works off jobs: claims them, does them under a lease, and tells the queue how they ended.
//!
//! A [`Worker`] holds as many jobs at once as `worker.concurrency` says, each on threads of its own ([`JobThreads`]). While a
//! job runs, `heartbeat` renews its lease, however busy the job is; a worker that cannot do so for as long as a lease lasts
//! drops the job at once, because another one may have it by then. `handlers` does a job of each kind, `checkpoint` keeps
//! what a run has finished, `findings` judges what a sync has touched, and `standing` asks for what may be registered without
//! anybody's approval. `source_rows` tells NetBox how mirrored sources stand. `shared_rate_limit` lets all workers share
//! ARIN's limit.
//!
//! Whatever a dropped job has written stays; doing the job again repairs what was half done.

mod checkpoint;
mod findings;
mod handlers;
mod heartbeat;
mod held;
mod job_threads;
mod requests;
mod shared_rate_limit;
mod source_rows;
mod standing;
mod task;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug, error, field::Empty, info, info_span, warn};

pub use findings::{Subject, refresh_findings};
pub use job_threads::JobThreads;
pub use requests::{run_name, sync_after};
pub use shared_rate_limit::SharedRateLimit;
pub use source_rows::{SourceRun, SourceTeller};

use crate::{
    error_chain::error_chain,
    queue::{Claim, Claimant, Ending, Settled, Work},
    retry::Policy,
    services::Services,
    supervise::caught,
    sync::Verdict,
    telemetry::{
        metrics::{JobEnd, Part},
        traces,
    },
};
use heartbeat::{EndReason, Heartbeat};
use held::Held;
use task::Task;

/// Limits how long one claim waits for a job.
const CLAIM_WAIT: Duration = Duration::from_secs(1);
/// The waits while the queue does not answer.
const QUEUE_RETRIES: Policy = Policy { count: 5, backoff: Duration::from_millis(200) };
/// The part of the time to shut down that is kept for handing jobs back.
const HAND_BACK_TIME: Duration = Duration::from_secs(3);

/// Claims jobs and does them.
#[derive(Debug, Clone)]
pub struct Worker {
    services: Services,
    name: Arc<str>,
    slots: Arc<Semaphore>,
    held: Held,
    threads: Handle,
}

impl Worker {
    /// Makes a worker, which does its jobs on these threads. `name` is one that no other process has or ever had.
    #[must_use]
    pub fn new(services: Services, name: &str, threads: Handle) -> Self {
        services.metrics.expect(&Work::NAMES, &Verdict::ALL.map(Verdict::code));
        let sources = services.settings.irr.source.iter().map(|source| source.name.as_str());
        services.metrics.expect_sources(sources, &handlers::irr::results());
        let slots = Arc::new(Semaphore::new(services.settings.worker.concurrency));
        Self { services, name: name.into(), slots, held: Held::default(), threads }
    }

    /// Works until `shutdown` is cancelled. Then no further job is claimed; those under way finish, or are handed back when
    /// `worker.shutdown_timeout` is almost over.
    pub async fn run(self, shutdown: CancellationToken) {
        let drain = CancellationToken::new();
        let mut jobs = JoinSet::new();
        let mut failures = 0;
        while let Some(free) = free_slots(&self.slots, &shutdown).await {
            let holds = self.held.jobs();
            let claimant = Claimant { name: &self.name, holds: Some(&holds) };
            let claims = tokio::select! {
                // Whatever is claimed just then is handed back.
                () = shutdown.cancelled() => break,
                claims = self.services.queue.claim(claimant, free, CLAIM_WAIT) => claims,
            };
            let claims = match claims {
                Ok(claims) => claims,
                Err(error) => {
                    self.wait_for_queue(&error, failures).await;
                    failures = (failures + 1).min(QUEUE_RETRIES.count);
                    continue;
                }
            };
            failures = 0;
            // All of them are held before anything else is waited for.
            let tasks: Vec<Task> = claims.into_iter().map(|claim| self.task(claim)).collect();
            for task in tasks {
                let slot = Arc::clone(&self.slots).acquire_owned().await;
                let (worker, drain) = (self.clone(), drain.clone());
                jobs.spawn(async move {
                    worker.work(Arc::new(task), drain).await;
                    drop(slot);
                });
            }
            while let Some(ended) = jobs.try_join_next() {
                report_panic(ended);
            }
        }
        self.drain(jobs, &drain).await;
    }

    async fn wait_for_queue(&self, error: &crate::queue::Error, failures: u32) {
        if failures == 0 {
            warn!(error = %error_chain(error), "the queue does not answer; waiting until it does");
        }
        sleep(QUEUE_RETRIES.jittered(failures)).await;
    }

    /// Lets the jobs under way finish, and asks those that do not in time to stop.
    async fn drain(&self, mut jobs: JoinSet<()>, drain: &CancellationToken) {
        if jobs.is_empty() {
            return;
        }
        info!(jobs = jobs.len(), "finishing the jobs under way");
        let time_to_finish = self.services.settings.worker.shutdown_timeout.saturating_sub(HAND_BACK_TIME);
        let all = async |jobs: &mut JoinSet<()>| {
            while let Some(ended) = jobs.join_next().await {
                report_panic(ended);
            }
        };
        if timeout(time_to_finish, all(&mut jobs)).await.is_err() {
            drain.cancel();
            if timeout(HAND_BACK_TIME, all(&mut jobs)).await.is_err() {
                warn!(
                    jobs = jobs.len(),
                    "jobs did not stop in time; another worker takes them over when their lease ends"
                );
            }
        }
    }

    /// Does one job and says how it ended.
    async fn work(&self, task: Arc<Task>, drain: CancellationToken) {
        let (kind, begun) = (task.claim.job.work.name(), Instant::now());
        let perform = {
            let task = Arc::clone(&task);
            async move { handlers::perform(&task).await }
        };
        let end = self.finish(&task, perform, &drain).instrument(span(&task)).await;
        self.services.metrics.job(kind, end, begun.elapsed());
    }

    fn task(&self, claim: Claim) -> Task {
        let cancelled = CancellationToken::new();
        let ctx = self.services.context(cancelled.child_token());
        let Services { queue, coordination, mirror, own_routes, .. } = self.services.clone();
        let (worker, slots) = (Arc::clone(&self.name), Arc::clone(&self.slots));
        let _hold = self.held.hold(claim.id.clone());
        Task { ctx, queue, coordination, mirror, own_routes, claim, _hold, worker, slots, cancelled }
    }

    /// Begins a job on threads of its own. Dropping what is returned ends it when it next waits for something; until then
    /// it is held, with its task.
    fn begin(&self, task: &Arc<Task>, perform: impl Future<Output = Ending> + Send + 'static) -> JoinSet<Ending> {
        let task = Arc::clone(task);
        let perform = async move {
            let done = caught(&task.ctx.metrics, Part::Job, perform).await;
            done.unwrap_or_else(|panicked| task.failed(&panicked))
        };
        let mut performing = JoinSet::new();
        performing.spawn_on(perform.instrument(Span::current()), &self.threads);
        performing
    }

    /// Does a job until it is done or has to come to an end.
    async fn finish(
        &self,
        task: &Arc<Task>,
        perform: impl Future<Output = Ending> + Send + 'static,
        drain: &CancellationToken,
    ) -> JobEnd {
        let mut heartbeat = Heartbeat::new(task);
        // This counts the attempt, so that a job which takes its process with it does not come back for ever.
        match heartbeat.first().await {
            Some(EndReason::Lost) => {
                warn!("lost the job before it began: another worker has it, or the queue did not answer");
                return JobEnd::Lost;
            }
            Some(EndReason::Cancelled) => task.cancelled.cancel(),
            Some(EndReason::Draining) | None => {}
        }
        debug!("began");
        let mut performing = self.begin(task, perform);
        let ending = loop {
            tokio::select! {
                // Its threads are going away when it does not come to an end of its own.
                Some(ended) = performing.join_next() => break ended.unwrap_or(Ending::HandedBack),
                reason = heartbeat.next(drain) => match reason {
                    EndReason::Lost => {
                        warn!("lost the job to another worker, or the queue did not answer for as long as a lease lasts");
                        return JobEnd::Lost;
                    }
                    EndReason::Cancelled => task.cancelled.cancel(),
                    EndReason::Draining => task.ctx.stop.cancel(),
                },
            }
        };
        if matches!(ending, Ending::Done { .. }) {
            // Whoever looks at the job later sees how far it came.
            heartbeat.beat().await;
        }
        let end = tell(&ending);
        match self.settle(&task.claim, ending, heartbeat.deadline()).await {
            Settled::Taken => end,
            Settled::Lost => JobEnd::Lost,
        }
    }

    /// Says how a job ended, again and again until the queue has heard it or the lease is over.
    async fn settle(&self, claim: &Claim, ending: Ending, deadline: Instant) -> Settled {
        let mut tries = 0;
        loop {
            match self.services.queue.settle(claim, ending.clone()).await {
                Ok(Settled::Taken) => return Settled::Taken,
                // What was said before was heard, or the job is somebody else's by now.
                Ok(Settled::Lost) if tries > 0 => return Settled::Taken,
                Ok(Settled::Lost) => {
                    warn!("the job was taken over; its result is not recorded");
                    return Settled::Lost;
                }
                Err(error) if Instant::now() >= deadline => {
                    error!(error = %error_chain(&error), "could not record the end of the job; it will be done again");
                    return Settled::Lost;
                }
                Err(_) => sleep(QUEUE_RETRIES.jittered(tries)).await,
            }
            tries = (tries + 1).min(QUEUE_RETRIES.count);
        }
    }
}

/// The span of a job, in the trace of whoever asked for it.
fn span(task: &Task) -> Span {
    let claim = &task.claim;
    let span = info_span!("job", job = %claim.id, kind = claim.job.work.name(), attempt = claim.attempt, run = Empty);
    if let Some(run) = task.run_name() {
        span.record("run", run.id);
    }
    traces::carry_on(&span, claim.job.traceparent.as_deref());
    span
}

/// Waits for a free slot and counts all of them; `None` when the process is to end.
async fn free_slots(slots: &Arc<Semaphore>, shutdown: &CancellationToken) -> Option<usize> {
    tokio::select! {
        () = shutdown.cancelled() => None,
        slot = slots.acquire() => {
            drop(slot);
            Some(slots.available_permits().max(1))
        }
    }
}

/// Logs how a job ended, and says it in the word of the figures.
fn tell(ending: &Ending) -> JobEnd {
    match ending {
        Ending::Done { result, .. } => {
            info!(%result, "done");
            JobEnd::Done
        }
        Ending::Again { wait } => {
            debug!(?wait, "to be done later");
            JobEnd::Again
        }
        Ending::Failed { error: reason, retry: Some(wait) } => {
            warn!(?wait, "failed, and is tried again: {reason}");
            JobEnd::Retried
        }
        Ending::Failed { error: reason, retry: None } => {
            error!("failed: {reason}");
            JobEnd::Dead
        }
        Ending::Cancelled => {
            info!("cancelled");
            JobEnd::Cancelled
        }
        Ending::HandedBack => {
            info!("handed back");
            JobEnd::HandedBack
        }
    }
}

fn report_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(broken) = ended {
        error!(error = %error_chain(&broken), "a job broke down; it is tried again when its lease ends");
    }
}
