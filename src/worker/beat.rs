//! Signs of life for a job under way.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval, timeout_at},
};

use crate::{
    queue::{Beat, Claim, Progress as Told, Queue},
    sync::{Progress, progress::Snapshot},
};
use tokio_util::sync::CancellationToken;

/// A lease is renewed three times before it would end.
const BEATS_IN_A_LEASE: u32 = 3;
/// Progress is told, and a cancellation heard, at least this often.
const LONGEST_BEAT: Duration = Duration::from_secs(2);
/// What is kept of a lease as a margin: whoever cannot renew it stops before anybody else can begin.
const MARGIN: f64 = 0.2;

/// What a job has to do besides its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Stop at once: it is not ours any more, or may not be.
    Lost,
    /// Come to an end: somebody cancelled it.
    Cancelled,
    /// Come to an end: the process goes away.
    Draining,
}

/// The heartbeat of one job.
pub(super) struct Beats<'a> {
    queue: &'a Queue,
    claim: &'a Claim,
    worker: &'a str,
    progress: watch::Receiver<Snapshot>,
    tick: Interval,
    lease: Duration,
    /// When the lease ends if it is not renewed, less a margin.
    deadline: Instant,
    /// Whether the job was told to come to an end.
    ending: bool,
}

impl<'a> Beats<'a> {
    pub(super) fn new(
        queue: &'a Queue,
        claim: &'a Claim,
        worker: &'a str,
        progress: &Progress,
        lease: Duration,
    ) -> Self {
        let mut tick = interval((lease / BEATS_IN_A_LEASE).min(LONGEST_BEAT));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.reset();
        let lease = lease.mul_f64(1.0 - MARGIN);
        let deadline = Instant::now() + lease;
        Self { queue, claim, worker, progress: progress.watch(), tick, lease, deadline, ending: false }
    }

    /// When the job is not ours any more, as far as is known now.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Beats until there is something to do. Says once that the job is to come to an end; losing it comes last.
    pub(super) async fn next(&mut self, drain: &CancellationToken) -> Fate {
        loop {
            let fate = tokio::select! {
                () = drain.cancelled(), if !self.ending => Some(Fate::Draining),
                _ = self.tick.tick() => self.beat().await,
            };
            match fate {
                Some(Fate::Lost) => return Fate::Lost,
                Some(fate) if !self.ending => {
                    self.ending = true;
                    return fate;
                }
                Some(_) | None => {}
            }
        }
    }

    async fn beat(&mut self) -> Option<Fate> {
        let progress = told(&self.progress.borrow());
        let sent = Instant::now();
        match timeout_at(self.deadline, self.queue.beat(self.claim, self.worker, &progress)).await {
            Ok(Ok(Beat::Lost)) => Some(Fate::Lost),
            Ok(Ok(beat)) => {
                self.deadline = sent + self.lease;
                (beat == Beat::Cancelled).then_some(Fate::Cancelled)
            }
            // The queue does not answer. That is no harm until the lease is over.
            Ok(Err(_)) | Err(_) => (Instant::now() >= self.deadline).then_some(Fate::Lost),
        }
    }
}

/// How far a run is, in one figure and a few words.
fn told(at: &Snapshot) -> Told {
    Told {
        done: at.aggregates.done + at.prefixes.done,
        total: at.aggregates.total + at.prefixes.total,
        phase: at.phase.describe().to_owned(),
    }
}
