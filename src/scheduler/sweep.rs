//! The sweep: makes up for lost webhooks.
//!
//! NetBox sends a webhook once, even if it cannot be delivered; its change log keeps everything. A sweep reads the log
//! from a while before the end of the last sweep up to changes that are `sweep.settle` old, and queues those that no
//! webhook reported. Changes that were seen are known by their keys, so that none is queued twice.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tracing::{debug, info};

use super::error::Error;
use crate::{intake, model::Config, netbox::changes::Change, queue::Trigger, services::Services, telemetry::traces};

/// The name of the cursor.
const CURSOR: &str = "sweep";
/// The time that the first sweep looks back when no config was synced yet.
const FIRST_SWEEP_REACH: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// The time that a sweep looks back behind the end of the last one. A row of the change log bears the time of the
/// change, but can be read only when NetBox commits it, which is minutes later for a large import. NetBox's clock may
/// also be slow.
const OVERLAP: Duration = Duration::from_secs(15 * 60);

/// Reads the change log on, and queues what was missed.
pub(super) async fn sweep(services: &Services, configs: &[Config]) -> Result<(), Error> {
    let until = before(Timestamp::now(), services.settings.sweep.settle);
    let from = services.coordination.cursor(CURSOR).await?.and_then(|text| text.parse().ok());
    let from: Timestamp = from.unwrap_or_else(|| first_begin(configs, until));
    let in_time = |change: &Change| change.time.is_some_and(|time| time >= from && time <= until);
    let changes = services.netbox.changes(from).await?.into_iter().filter(in_time);
    let recovered = recover(services, changes.map(|change| (change.key(), change)).collect()).await?;
    services.coordination.set_cursor(CURSOR, &before(until, OVERLAP).max(from).to_string()).await?;
    if recovered > 0 {
        info!(changes = recovered, "queued {recovered} changes in NetBox that no webhook had reported");
    }
    Ok(())
}

/// Queues the jobs for changes that no webhook reported. Returns how many changes these are.
async fn recover(services: &Services, changes: BTreeMap<String, Change>) -> Result<usize, Error> {
    let keys: Vec<String> = changes.keys().cloned().collect();
    let unseen = services.coordination.unseen_changes(&keys).await?;
    let mut recovered = 0;
    for ((key, change), _) in changes.into_iter().zip(unseen).filter(|(_, unseen)| *unseen) {
        match intake::orders(&change, Trigger::Sweep, &services.settings.webhook) {
            Ok(mut orders) => {
                orders.iter_mut().for_each(|order| order.job.traceparent = traces::current());
                services.queue.enqueue(&orders).await?;
                services.coordination.remember_change(&key).await?;
                recovered += 1;
            }
            Err(ignored) => debug!(key, "ignored: {ignored}"),
        }
    }
    Ok(recovered)
}

/// Returns where the first sweep begins: at the oldest last sync of an active config, which saw everything before it.
fn first_begin(configs: &[Config], until: Timestamp) -> Timestamp {
    let oldest = configs.iter().filter(|config| config.is_active).filter_map(|config| config.last_sync).min();
    oldest.or_else(|| until.checked_sub(FIRST_SWEEP_REACH).ok()).unwrap_or(until)
}

fn before(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_sub(span).unwrap_or(time)
}
