//! Claims: a look at the queue, the wait for jobs, and the way to whoever asked.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use redis::streams::StreamReadOptions;
use serde::Serialize;
use tokio::{sync::oneshot, time};

use super::{
    queue::InRedis,
    scripts,
    wire::{self, End},
};
use crate::{
    deadline::after,
    queue::{
        claim::{Claim, Claimant, Ending},
        job::JobId,
        limits::{Millis, millis},
    },
    redis_client::Error,
};

/// The interval at which somebody who waits looks for jobs that are due or dropped; messages wake at once.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The interval at which idle workers are forgotten.
const CLEANING_INTERVAL: Duration = Duration::from_secs(60);
/// The time after which a worker that has had nothing to do with the queue is forgotten.
const IDLE_LIMIT: Duration = Duration::from_secs(3600);

/// The result of a look at the queue.
struct Found {
    claims: Vec<Claim>,
    /// The newest message there is: something newer is something to claim.
    newest: String,
    /// When to look again at the latest.
    next: Duration,
}

/// The argument of a step: who asks, for how many jobs, and which these must not be.
#[derive(Debug, Clone, Serialize)]
struct Step {
    worker: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<Vec<JobId>>,
    most: usize,
    /// Grows with each step of this process, so that one which was held up on its way is told from a later one.
    call: u64,
}

/// Claims on their way to whoever asked. Those that do not arrive are handed back.
struct OnTheWay {
    queue: InRedis,
    claims: Vec<Claim>,
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        for claim in std::mem::take(&mut self.claims) {
            let queue = self.queue.clone();
            // If it fails, the lease ends it.
            runtime.spawn(async move { queue.settle(&claim, Ending::HandedBack).await });
        }
    }
}

impl InRedis {
    pub(in crate::queue) async fn claim(
        &self,
        worker: &Claimant<'_>,
        most: usize,
        wait: Duration,
    ) -> Result<Vec<Claim>, Error> {
        let (give, take) = oneshot::channel();
        let step = Step { worker: worker.name.to_owned(), holds: worker.holds.map(<[_]>::to_vec), most, call: 0 };
        // On its own, as a claim may be taken when nobody waits for it any more.
        tokio::spawn(self.clone().claim_for(give, step, wait));
        match take.await {
            Ok(Ok(mut arrived)) => Ok(std::mem::take(&mut arrived.claims)),
            Ok(Err(error)) => Err(error),
            // The runtime is going down.
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn claim_for(self, mut give: oneshot::Sender<Result<OnTheWay, Error>>, step: Step, wait: Duration) {
        let end = after(wait);
        let answer = loop {
            let found = match self.look(&step).await {
                Ok(found) => found,
                Err(error) => break Err(error),
            };
            let left = end.duration_since(time::Instant::now());
            if !found.claims.is_empty() || step.most == 0 || left.is_zero() {
                break Ok(OnTheWay { queue: self, claims: found.claims });
            }
            tokio::select! {
                () = give.closed() => return,
                () = self.wait(&found.newest, found.next.min(left)) => {}
            }
        };
        // When nobody takes it, it drops here.
        let _ = give.send(answer);
    }

    /// Claims what there is. Looks again for those that were refused, and when one step did not get to the end.
    async fn look(&self, asked: &Step) -> Result<Found, Error> {
        self.forget_idle_workers().await?;
        self.repair().await;
        let mut found = Found { claims: Vec::new(), newest: String::new(), next: POLL_INTERVAL };
        loop {
            let left = asked.most.saturating_sub(found.claims.len());
            let mut step = Step { most: left, ..asked.clone() };
            step.call = self.connections.calls.fetch_add(1, Ordering::Relaxed) + 1;
            step.holds.iter_mut().for_each(|held| held.extend(found.claims.iter().map(|claim| claim.id.clone())));
            let (got, newest, next): (Vec<wire::Got>, String, i64) = match self.run(&scripts::CLAIM, &step).await {
                Ok(step) => step,
                // What was claimed before must not wait for its lease to end.
                Err(_) if !found.claims.is_empty() => return Ok(found),
                Err(error) => return Err(error),
            };
            let (count, before) = (got.len(), found.claims.len());
            found.claims.extend(self.understood(got).await?);
            found.newest = newest;
            found.next = u64::try_from(next).map_or(POLL_INTERVAL, Duration::from_millis).min(POLL_INTERVAL);
            let refused = before + count > found.claims.len();
            let unfinished = found.claims.is_empty() && next == 0 && left > 0;
            if !refused && !unfinished {
                return Ok(found);
            }
        }
    }

    /// Returns the claims that are understood; the others are sent to the dead letters.
    async fn understood(&self, got: Vec<wire::Got>) -> Result<Vec<Claim>, Error> {
        let mut claims = Vec::with_capacity(got.len());
        for got in got {
            match wire::claim(got)? {
                Ok(claim) => claims.push(claim),
                // If this fails, whoever takes it over refuses it again.
                Err((id, fence, reason)) => drop(self.refuse(&id, fence, &reason).await),
            }
        }
        Ok(claims)
    }

    /// Waits for a message that is newer.
    async fn wait(&self, newest: &str, at_most: Duration) {
        let end = after(at_most);
        let waited = time::timeout_at(end, async {
            let redis = self.connections.waiting.lock().await;
            let left = end.duration_since(time::Instant::now()).as_millis().try_into().unwrap_or(1_usize);
            // Zero would wait for ever.
            let options = StreamReadOptions::default().count(1).block(left.max(1));
            redis.ask("wait", &redis::Cmd::xread_options(&[redis.key("ready")], &[newest], &options)).await
        });
        let waited: Result<Result<redis::Value, Error>, _> = waited.await;
        if let Ok(Err(_)) = waited {
            // The next look will tell; not too soon.
            time::sleep_until(end).await;
        }
    }

    /// Sends a job that is not understood to the dead letters.
    async fn refuse(&self, id: &JobId, fence: u64, reason: &str) -> Result<bool, Error> {
        self.run(&scripts::SETTLE, &End::refused(id, fence, reason)).await
    }

    async fn forget_idle_workers(&self) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Idle {
            idle: Millis,
        }
        {
            let mut cleaned = self.connections.cleaned.lock();
            if cleaned.is_some_and(|last| last.elapsed() < CLEANING_INTERVAL) {
                return Ok(());
            }
            *cleaned = Some(Instant::now());
        }
        let idle = millis(IDLE_LIMIT).max(self.connections.limits.lease.saturating_mul(10));
        self.run(&scripts::FORGET_IDLE_WORKERS, &Idle { idle }).await
    }
}
