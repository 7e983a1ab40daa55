//! The heartbeat of a job under way: renews its lease and reports its progress.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::task::Task;
use crate::{
    deadline::{after, later},
    queue::{Progress, Signal},
    sync::progress::Snapshot,
};

/// A lease is renewed three times before it would end.
const HEARTBEATS_IN_A_LEASE: u32 = 3;
/// Progress is reported, and a cancellation heard, at least this often.
const LONGEST_INTERVAL: Duration = Duration::from_secs(2);
/// A fifth of a lease is kept as a margin: whoever cannot renew it stops before anybody else can begin.
const MARGIN: u32 = 5;

/// The wait before the first heartbeat is sent again.
const FIRST_RETRY: Duration = Duration::from_millis(200);

/// A reason for a job to come to an end before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndReason {
    /// It is somebody else's now, or may be: it has to stop at once.
    Lost,
    /// Somebody cancelled it.
    Cancelled,
    /// The process goes away.
    Draining,
}

/// The queue did not answer a heartbeat.
struct NoAnswer;

/// The heartbeat of one job.
pub(super) struct Heartbeat<'a> {
    task: &'a Task,
    progress: watch::Receiver<Snapshot>,
    tick: Interval,
    lease: Duration,
    /// The end of the lease if it is not renewed, less a margin.
    deadline: Instant,
    /// The job was told to come to an end.
    ending: bool,
}

impl<'a> Heartbeat<'a> {
    pub(super) fn new(task: &'a Task) -> Self {
        let lease = task.ctx.settings.queue.lease;
        let mut tick = interval(lease.checked_div(HEARTBEATS_IN_A_LEASE).unwrap_or_default().min(LONGEST_INTERVAL));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.reset();
        let lease = lease.saturating_sub(lease.checked_div(MARGIN).unwrap_or_default());
        let deadline = after(lease);
        Self { task, progress: task.ctx.progress.watch(), tick, lease, deadline, ending: false }
    }

    /// Returns when the job is not ours any more, as far as is known now.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Beats until the job has to come to an end. Says that once; losing the job comes last.
    pub(super) async fn next(&mut self, drain: &CancellationToken) -> EndReason {
        loop {
            let reason = tokio::select! {
                () = drain.cancelled(), if !self.ending => Some(EndReason::Draining),
                _ = self.tick.tick() => self.beat().await,
            };
            match reason {
                Some(EndReason::Lost) => return EndReason::Lost,
                Some(reason) if !self.ending => {
                    self.ending = true;
                    return reason;
                }
                Some(_) | None => {}
            }
        }
    }

    /// Beats until the queue has answered, before the job begins. `None` means that it may.
    pub(super) async fn first(&mut self) -> Option<EndReason> {
        loop {
            match self.try_beat().await {
                Ok(reason) => {
                    self.ending = reason.is_some();
                    return reason;
                }
                Err(NoAnswer) if Instant::now() >= self.deadline => return Some(EndReason::Lost),
                Err(NoAnswer) => sleep(FIRST_RETRY).await,
            }
        }
    }

    /// Beats once. That the queue does not answer is no harm until the lease is over.
    pub(super) async fn beat(&mut self) -> Option<EndReason> {
        match self.try_beat().await {
            Ok(reason) => reason,
            Err(NoAnswer) => (Instant::now() >= self.deadline).then_some(EndReason::Lost),
        }
    }

    async fn try_beat(&mut self) -> Result<Option<EndReason>, NoAnswer> {
        let progress = report(&self.progress.borrow());
        let sent = Instant::now();
        let Task { queue, claim, worker, .. } = self.task;
        match timeout_at(self.deadline, queue.heartbeat(claim, worker, &progress)).await {
            Ok(Ok(Signal::Lost)) => Ok(Some(EndReason::Lost)),
            Ok(Ok(signal)) => {
                self.deadline = later(sent, self.lease);
                Ok((signal == Signal::Cancelled).then_some(EndReason::Cancelled))
            }
            Ok(Err(_)) | Err(_) => Err(NoAnswer),
        }
    }
}

/// Returns the progress of a run in one figure, a few words, and a line for each aggregate.
fn report(at: &Snapshot) -> Progress {
    let (aggregates, prefixes) = (at.aggregates(), at.prefixes());
    Progress {
        done: aggregates.done + prefixes.done + at.objects,
        total: aggregates.total + prefixes.total,
        phase: at.phase.describe().to_owned(),
        aggregates: at.lines().cloned().collect(),
    }
}
