//! Looking for what Redis has lost, some jobs at a time.

use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::{
    queue::InRedis,
    scripts,
    wire::{LookAt, Place},
};
use crate::{error_chain::error_chain, redis_client::Error};

/// The interval at which a process looks at some jobs.
const INTERVAL: Duration = Duration::from_secs(1);
/// The jobs that are looked at in one step, which takes Redis about a millisecond.
const PAGE: usize = 100;

impl InRedis {
    /// Looks at the next jobs, if it is time to, and puts right what is wrong with them.
    pub(super) async fn repair(&self) {
        let Some(place) = self.next_place() else { return };
        match self.repair_from(place).await {
            // Whoever asked for jobs hears it as well.
            Err(error) if !error.is_refusal() => debug!(error = %error_chain(&error), "could not look for lost jobs"),
            Err(error) => warn!(error = %error_chain(&error), "could not look for lost jobs"),
            Ok(()) => {}
        }
    }

    async fn repair_from(&self, place: Place) -> Result<(), Error> {
        let (before, heads, configs, put_back, gone): (String, String, String, u64, u64) =
            self.run(&scripts::REPAIR, &LookAt { place, count: PAGE }).await?;
        let before = Some(before).filter(|id| !id.is_empty());
        self.connections.looked_at.lock().1 = Place { before, heads: Some(heads), configs: Some(configs) };
        if put_back + gone > 0 {
            warn!(
                put_back,
                gone,
                "Redis had lost keys of the queue: {put_back} jobs were put back where they belong, {gone} are lost; see to it \
                 that its maxmemory-policy is noeviction"
            );
        }
        Ok(())
    }

    fn next_place(&self) -> Option<Place> {
        let mut looked_at = self.connections.looked_at.lock();
        let (last, place) = &mut *looked_at;
        if last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return None;
        }
        *last = Some(Instant::now());
        Some(place.clone())
    }
}
