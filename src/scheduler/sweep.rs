//! Makes up for lost webhooks.
//!
//! NetBox sends a webhook once, whether somebody listens or not; its change log keeps everything. A sweep reads the
//! log from a while before the last one ended up to what is `sweep.settle` old, and queues what no webhook has asked
//! for. Changes that were seen are remembered by their names, so that nothing is asked for twice.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::{Error, Scheduler};
use crate::{
    model::Config,
    queue::{
        Trigger,
        hints::{Change, orders},
    },
    telemetry::traces,
};

/// Name of the cursor.
const CURSOR: &str = "sweep";
/// The span that the first sweep looks back when nothing says otherwise.
const FIRST_LOOK: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// The span that a sweep looks back behind the end of the last one. A row of the change log bears the time of the
/// change and can be read when NetBox commits it, which is minutes later for a large import; and NetBox's clock may be
/// behind ours.
const LATE: Duration = Duration::from_secs(15 * 60);

impl Scheduler {
    /// Reads the change log on, and queues what was missed.
    pub(super) async fn sweep(&self, configs: &[Config]) -> Result<(), Error> {
        let until = before(Timestamp::now(), self.settings.sweep.settle);
        let from = self.coordination.cursor(CURSOR).await?.and_then(|text| text.parse().ok());
        let from: Timestamp = from.unwrap_or_else(|| first_look(configs, until));
        let config_type = self.netbox.config_type().await?;
        let types = ["ipam.aggregate", "ipam.prefix"].into_iter().chain(config_type.as_deref());
        let mut missed = BTreeMap::new();
        for object_type in types {
            for row in self.netbox.changes(object_type, from).await? {
                match Change::of_log(&row, config_type.as_deref().unwrap_or_default()) {
                    Ok(change) if change.time.is_some_and(|time| time >= from && time <= until) => {
                        missed.insert(change.hint(), change);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        warn!(error = &error as &dyn std::error::Error, "cannot read a row of NetBox's change log")
                    }
                }
            }
        }
        let recovered = self.recover(missed).await?;
        self.coordination.set_cursor(CURSOR, &before(until, LATE).max(from).to_string()).await?;
        if recovered > 0 {
            info!(changes = recovered, "queued {recovered} changes in NetBox that no webhook had told of");
        }
        Ok(())
    }

    /// Queues what the changes ask for that nobody has seen. Returns how many these are.
    async fn recover(&self, changes: BTreeMap<String, Change>) -> Result<usize, Error> {
        let hints: Vec<String> = changes.keys().cloned().collect();
        let unseen = self.coordination.unseen_changes(&hints).await?;
        let mut recovered = 0;
        for ((hint, change), _) in changes.into_iter().zip(unseen).filter(|(_, unseen)| *unseen) {
            match orders(&change, Trigger::Sweep, &self.settings.webhook) {
                Ok(mut orders) => {
                    orders.iter_mut().for_each(|order| order.job.traceparent = traces::current());
                    self.queue.enqueue(&orders).await?;
                    self.coordination.remember_change(&hint).await?;
                    recovered += 1;
                }
                Err(ignored) => debug!(hint, "ignored: {ignored}"),
            }
        }
        Ok(recovered)
    }
}

/// Without a cursor: from the oldest last sync of an active config on, as everything before it was seen then.
fn first_look(configs: &[Config], until: Timestamp) -> Timestamp {
    let oldest = configs.iter().filter(|config| config.is_active).filter_map(|config| config.last_sync).min();
    oldest.or_else(|| until.checked_sub(FIRST_LOOK).ok()).unwrap_or(until)
}

fn before(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_sub(span).unwrap_or(time)
}
