//! What workers do: claim, give signs of life, end.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use redis::streams::StreamReadOptions;
use tokio::{sync::oneshot, time};

use super::{Queue, scripts, wire};
use crate::queue::{Beat, Claim, Ending, Error, JobId, Progress, Settled};

/// How often somebody who waits looks for jobs that are due or dropped; messages wake at once.
const LOOK: Duration = Duration::from_millis(250);
/// How often consumers are tidied up.
const TIDY: Duration = Duration::from_secs(60);
/// How long a consumer has had nothing to do with the queue before it is forgotten.
const GONE: Duration = Duration::from_secs(3600);

/// What a look at the queue found.
struct Found {
    claims: Vec<Claim>,
    /// The newest message there is: something newer is something to claim.
    newest: String,
    /// When to look again at the latest.
    next: Duration,
}

/// Claims on their way to whoever asked. What does not arrive is handed back.
struct OnTheWay {
    queue: Queue,
    worker: String,
    claims: Vec<Claim>,
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        for claim in std::mem::take(&mut self.claims) {
            let (queue, worker) = (self.queue.clone(), self.worker.clone());
            // If it fails, the lease ends it.
            runtime.spawn(async move { queue.settle(&claim, &worker, Ending::HandedBack).await });
        }
    }
}

/// As [`crate::queue::Queue`] says.
#[expect(missing_docs, reason = "the enum over the queues says it")]
#[expect(clippy::missing_errors_doc, reason = "the enum over the queues says it")]
impl Queue {
    pub async fn claim(&self, worker: &str, most: usize, wait: Duration) -> Result<Vec<Claim>, Error> {
        let (give, take) = oneshot::channel();
        // On its own, as a claim may be taken when nobody waits for it any more.
        tokio::spawn(self.clone().claim_for(give, worker.to_owned(), most, wait));
        match take.await {
            Ok(Ok(mut arrived)) => Ok(std::mem::take(&mut arrived.claims)),
            Ok(Err(error)) => Err(error),
            // The runtime is going down.
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn claim_for(
        self,
        mut give: oneshot::Sender<Result<OnTheWay, Error>>,
        worker: String,
        most: usize,
        wait: Duration,
    ) {
        let end = time::Instant::now() + wait;
        let answer = loop {
            let found = match self.look(&worker, most).await {
                Ok(found) => found,
                Err(error) => break Err(error),
            };
            let left = end.duration_since(time::Instant::now());
            if !found.claims.is_empty() || most == 0 || left.is_zero() {
                break Ok(OnTheWay { queue: self, worker, claims: found.claims });
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
    async fn look(&self, worker: &str, most: usize) -> Result<Found, Error> {
        self.tidy().await?;
        let mut found = Found { claims: Vec::new(), newest: String::new(), next: LOOK };
        loop {
            let left = most - found.claims.len();
            let (got, newest, next) = match self.step(worker, left).await {
                Ok(step) => step,
                // What was claimed before must not wait for its lease to end.
                Err(_) if !found.claims.is_empty() => return Ok(found),
                Err(error) => return Err(error),
            };
            let (count, before) = (got.len(), found.claims.len());
            found.claims.extend(self.understood(got).await?);
            found.newest = newest;
            found.next = u64::try_from(next).map_or(LOOK, Duration::from_millis).min(LOOK);
            let refused = before + count > found.claims.len();
            let unfinished = found.claims.is_empty() && next == 0 && left > 0;
            if !refused && !unfinished {
                return Ok(found);
            }
        }
    }

    async fn step(&self, worker: &str, most: usize) -> Result<(Vec<wire::Got>, String, i64), Error> {
        self.run("claim", self.moving(&scripts::CLAIM).arg(worker).arg(most)).await
    }

    /// The claims that are understood; the others are sent to the dead letters.
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
        let end = time::Instant::now() + at_most;
        let waited = time::timeout_at(end, async {
            let mut link = self.inside.waiting.lock().await;
            let left = end.duration_since(time::Instant::now()).as_millis().try_into().unwrap_or(1_usize);
            // Zero would wait for ever.
            let options = StreamReadOptions::default().count(1).block(left.max(1));
            redis::Cmd::xread_options(&[self.key("ready")], &[newest], &options).exec_async(&mut *link).await
        });
        if let Ok(Err(_)) = waited.await {
            // The next look will tell; not too soon.
            time::sleep_until(end).await;
        }
    }

    /// Sends a job that is not understood to the dead letters.
    async fn refuse(&self, id: &JobId, fence: u64, reason: &str) -> Result<bool, Error> {
        let mut script = self.moving(&scripts::SETTLE);
        self.run("refuse", script.arg(id.as_str()).arg(fence).arg("refused").arg(reason)).await
    }

    async fn tidy(&self) -> Result<(), Error> {
        {
            let mut tidied = self.inside.tidied.lock().unwrap_or_else(PoisonError::into_inner);
            if tidied.is_some_and(|last| last.elapsed() < TIDY) {
                return Ok(());
            }
            *tidied = Some(Instant::now());
        }
        let idle = GONE.max(self.inside.settings.lease.saturating_mul(10));
        self.run("tidy", self.script(&scripts::TIDY).arg(crate::queue::millis(idle))).await
    }

    pub async fn beat(&self, claim: &Claim, worker: &str, progress: &Progress) -> Result<Beat, Error> {
        let mut script = self.script(&scripts::BEAT);
        script.arg(claim.id.as_str()).arg(claim.fence).arg(worker).arg(wire::json(progress, "beat")?);
        let answer: String = self.run("beat", &script).await?;
        match answer.as_str() {
            "yours" => Ok(Beat::Yours),
            "cancelled" => Ok(Beat::Cancelled),
            "lost" => Ok(Beat::Lost),
            _ => Err(Error::Foreign { operation: "beat", source: None }),
        }
    }

    pub async fn settle(&self, claim: &Claim, worker: &str, ending: Ending) -> Result<Settled, Error> {
        let _ = worker;
        let mut script = self.moving(&scripts::SETTLE);
        script.arg(claim.id.as_str()).arg(claim.fence);
        wire::push_ending(&mut script, &ending)?;
        let taken: bool = self.run("settle", &script).await?;
        Ok(if taken { Settled::Taken } else { Settled::Lost })
    }
}
