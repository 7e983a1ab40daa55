//! One claimed job, with everything that it is done with.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::held::Hold;
use crate::{
    coordination::Coordination,
    error_chain::error_chain,
    irr::update::Mirror,
    model::Config,
    queue::{Claim, Ending, Queue},
    retry::Policy,
    routing::OwnRoutes,
    supervise::Panicked,
    sync::{Context, Request, Requester, RunName},
};

/// One claimed job.
pub(super) struct Task {
    pub(super) ctx: Context,
    pub(super) queue: Queue,
    pub(super) coordination: Coordination,
    pub(super) mirror: Mirror,
    pub(super) own_routes: OwnRoutes,
    pub(super) claim: Claim,
    /// Held for as long as anything of this is left.
    pub(super) _hold: Hold,
    /// The name of this worker.
    pub(super) worker: Arc<str>,
    /// The free slots of this worker.
    pub(super) slots: Arc<Semaphore>,
    /// Cancelled when somebody cancels the job. The run stops with it, as `ctx.stop` is its child.
    pub(super) cancelled: CancellationToken,
}

impl Task {
    /// Returns the order for the run of a config that the job stands for: by default all of the config.
    pub(super) fn request<'a>(&'a self, config: &'a Config, configs: &'a [Config]) -> Request<'a> {
        let (requester, name, full) = (self.requester(), self.run_name(), self.claim.job.full);
        Request { requester, name, full, ..Request::of(config, configs) }
    }

    /// Returns the name of the run that the job stands for, however often it is claimed; `None` for a job that only makes
    /// others.
    pub(super) fn run_name(&self) -> Option<RunName> {
        let Claim { id, job, fence, .. } = &self.claim;
        job.work.config()?;
        let chance = u32::from_str_radix(id.as_str().get(16..).unwrap_or_default(), 16).unwrap_or_default();
        // The log rows of each claim are told apart, as each counts its own.
        Some(RunName::new(id.created(), chance, fence.to_string()))
    }

    /// Returns who asks for the run, which decides whose API key it uses.
    fn requester(&self) -> Requester<'_> {
        let job = &self.claim.job;
        match (job.asked_by(), &job.user) {
            (Some(user), _) => Requester::User(user),
            (None, Some(user)) => Requester::ChangedBy(user),
            (None, None) => Requester::Automatic,
        }
    }

    /// Returns whether this was the last attempt, if it is the `attempt`th.
    pub(super) fn is_last(&self, attempt: u32) -> bool {
        attempt >= self.ctx.settings.queue.max_attempts
    }

    /// Ends a job that a fault of this program broke off: another attempt may fare better.
    pub(super) fn failed(&self, panicked: &Panicked) -> Ending {
        let attempt = self.claim.attempt;
        let retry = (!self.is_last(attempt)).then(|| self.backoff(attempt));
        Ending::Failed { error: error_chain(panicked), retry }
    }

    /// Returns the wait before another attempt.
    pub(super) fn backoff(&self, attempt: u32) -> Duration {
        let queue = &self.ctx.settings.queue;
        Policy { count: queue.max_attempts, backoff: queue.retry_backoff }.jittered(attempt.saturating_sub(1))
    }
}
