//! Makes up for lost webhooks.
//!
//! NetBox sends a webhook once, whether somebody listens or not; its change log keeps everything. A sweep reads the log
//! from a while before the last one ended up to what is `sweep.settle` old, and queues what no webhook has asked for.
//! Changes that were seen are known by their keys, so that nothing is asked for twice.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tracing::{debug, info};

use super::{Error, Scheduler};
use crate::{intake, model::Config, netbox::changes::Change, queue::Trigger, telemetry::traces};

/// Name of the cursor at which the next sweep begins.
const CURSOR: &str = "sweep";
/// Limits how far back the first sweep looks when no config was ever synced.
const FIRST_SPAN: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// The span before the end of the last sweep that is looked at again. A row of the change log bears the time of the
/// change and can be read when NetBox commits it, which is minutes later for a large import; and NetBox's clock may be
/// behind ours.
const OVERLAP: Duration = Duration::from_secs(15 * 60);

impl Scheduler {
    /// Reads the change log on, and queues what was missed.
    pub(super) async fn sweep(&self, configs: &[Config]) -> Result<(), Error> {
        let until = before(Timestamp::now(), self.settings.sweep.settle);
        let from = self.coordination.cursor(CURSOR).await?.and_then(|text| text.parse().ok());
        let from: Timestamp = from.unwrap_or_else(|| first_start(configs, until));
        let in_time = |change: &Change| change.time.is_some_and(|time| time >= from && time <= until);
        let changes = self.netbox.changes(from).await?.into_iter().filter(in_time);
        let recovered = self.recover(changes.map(|change| (change.key(), change)).collect()).await?;
        self.coordination.set_cursor(CURSOR, &before(until, OVERLAP).max(from).to_string()).await?;
        if recovered > 0 {
            info!(changes = recovered, "queued {recovered} changes in NetBox that no webhook had told of");
        }
        Ok(())
    }

    /// Queues what follows from those changes that no webhook told of, and returns how many these are.
    async fn recover(&self, changes: BTreeMap<String, Change>) -> Result<usize, Error> {
        let keys: Vec<String> = changes.keys().cloned().collect();
        let unseen = self.coordination.unseen_changes(&keys).await?;
        let mut recovered = 0;
        for ((key, change), _) in changes.into_iter().zip(unseen).filter(|(_, unseen)| *unseen) {
            match intake::orders(&change, Trigger::Sweep, &self.settings.webhook) {
                Ok(mut orders) => {
                    orders.iter_mut().for_each(|order| order.job.traceparent = traces::current());
                    self.queue.enqueue(&orders).await?;
                    self.coordination.remember_change(&key).await?;
                    recovered += 1;
                }
                Err(ignored) => debug!(key, "ignored: {ignored}"),
            }
        }
        Ok(recovered)
    }
}

/// Returns where to begin without a cursor: at the oldest last sync of an active config, which has seen all before it.
fn first_start(configs: &[Config], until: Timestamp) -> Timestamp {
    let oldest = configs.iter().filter(|config| config.is_active).filter_map(|config| config.last_sync).min();
    oldest.or_else(|| until.checked_sub(FIRST_SPAN).ok()).unwrap_or(until)
}

fn before(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_sub(span).unwrap_or(time)
}
