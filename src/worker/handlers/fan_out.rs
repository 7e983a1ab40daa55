//! Makes a job for each config that an aggregate or some prefixes concern.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::ending::{Failed, gone};
use crate::{
    model::{Config, RowId},
    queue::{Delay, Ending, Job, Order, Work},
    telemetry::traces,
    worker::task::Task,
};

/// Makes a job for each active config of an aggregate's RIR.
pub(super) async fn aggregate(task: &Task, aggregate: RowId) -> Result<Ending, Failed> {
    let netbox = &task.ctx.netbox;
    let (rir, configs) = tokio::try_join!(netbox.rir_of_aggregate(aggregate), netbox.configs())?;
    let Some(rir) = rir else { return Ok(gone("aggregate")) };
    let work = |config| Work::SyncAggregate { config: Some(config), aggregate };
    Ok(ending(task, active(&configs, rir).map(work)))
}

/// Makes a job for each active config of the RIR around each prefix.
pub(super) async fn prefixes(task: &Task, prefixes: &BTreeSet<RowId>) -> Result<Ending, Failed> {
    let netbox = &task.ctx.netbox;
    let (rirs, configs) = tokio::try_join!(netbox.rirs_of_prefixes(prefixes), netbox.configs())?;
    let mut of_config: BTreeMap<RowId, BTreeSet<RowId>> = BTreeMap::new();
    for (prefix, rir) in rirs {
        for config in active(&configs, rir) {
            of_config.entry(config).or_default().insert(prefix);
        }
    }
    let work = |(config, prefixes)| Work::SyncPrefix { config: Some(config), prefixes };
    Ok(ending(task, of_config.into_iter().map(work)))
}

fn active(configs: &[Config], rir: RowId) -> impl Iterator<Item = RowId> {
    configs.iter().filter(move |config| config.serves(rir)).map(|config| config.id)
}

/// Ends with jobs that take this one's place, asked for by the same user in the same way.
fn ending(task: &Task, works: impl Iterator<Item = Work>) -> Ending {
    let order = |work| {
        let job = task.claim.job.clone();
        Order { job: Job { work, traceparent: traces::current().or(job.traceparent), ..job }, delay: Delay::None }
    };
    let then: Vec<Order> = works.map(order).collect();
    Ending::Done { result: json!({ "configs": then.len() }), then }
}
