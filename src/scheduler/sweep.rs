//! The sweep: makes up for lost webhooks.
//!
//! NetBox sends a webhook once, even if it cannot be delivered; its change log keeps everything. A sweep reads the log
//! from a while before the end of the last sweep up to changes that are `sweep.settle` old, and queues those that no
//! webhook reported. Changes that were seen are known by their names, so that none is queued twice.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::error::Error;
use crate::{
    model::Config,
    queue::{
        Trigger,
        hints::{Change, orders},
    },
    services::Services,
    telemetry::traces,
};

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
    let from = services.queue.cursor(CURSOR).await?.and_then(|text| text.parse().ok());
    let from: Timestamp = from.unwrap_or_else(|| first_begin(configs, until));
    let config_type = services.netbox.config_type().await?;
    let types = ["ipam.aggregate", "ipam.prefix"].into_iter().chain(config_type.as_deref());
    let mut missed = BTreeMap::new();
    for object_type in types {
        for row in services.netbox.changes(object_type, from).await? {
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
    let recovered = recover(services, missed).await?;
    services.queue.set_cursor(CURSOR, &before(until, OVERLAP).max(from).to_string()).await?;
    if recovered > 0 {
        info!(changes = recovered, "queued {recovered} changes in NetBox that no webhook had reported");
    }
    Ok(())
}

/// Queues the jobs for changes that no webhook reported. Returns how many changes these are.
async fn recover(services: &Services, changes: BTreeMap<String, Change>) -> Result<usize, Error> {
    let hints: Vec<String> = changes.keys().cloned().collect();
    let unheard = services.queue.unheard(&hints).await?;
    let mut recovered = 0;
    for ((hint, change), _) in changes.into_iter().zip(unheard).filter(|(_, unheard)| *unheard) {
        match orders(&change, Trigger::Sweep, &services.settings.webhook) {
            Ok(mut orders) => {
                orders.iter_mut().for_each(|order| order.job.traceparent = traces::current());
                services.queue.enqueue(&orders, Some(&hint)).await?;
                recovered += 1;
            }
            Err(ignored) => debug!(hint, "ignored: {ignored}"),
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
