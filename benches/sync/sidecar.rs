//! One sync: the program as it is shipped, in a process of its own, watched from outside.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rir_sandbox::regrws::{Operation, Requests, Server};
use rir_sidecar::netbox::schema;

use crate::{
    netbox::{Netbox, custom},
    one_sync::Settings,
};

/// The figures of one sync.
pub(crate) struct Sync {
    /// From the start of the process to its end.
    pub(crate) took: Duration,
    /// CPU seconds that NetBox spent on it.
    pub(crate) netbox_cpu: f64,
    /// The result as the sidecar reports it.
    pub(crate) result: String,
    pub(crate) netbox_requests: u64,
    /// The requests to ARIN.
    pub(crate) asked: Requests,
    /// Rows created by type, as counted before and after.
    pub(crate) created: BTreeMap<&'static str, usize>,
    /// Rows written, created and changed, by NetBox's change log.
    pub(crate) written: usize,
    /// Most memory in use, in KiB.
    pub(crate) peak_kib: u64,
}

impl Sync {
    /// Runs one sync.
    pub(crate) async fn run(settings: &Settings, netbox: &Netbox, arin: &Server) -> Self {
        arin.forget_requests();
        let (before, writes) = (census(netbox).await, netbox.writes().await);
        let (started, cpu) = (Instant::now(), netbox.cpu_seconds());
        let (run, peak_kib) = settings.sync(&[]).await;
        let (took, netbox_cpu) = (started.elapsed(), netbox.cpu_seconds() - cpu);
        let after = census(netbox).await;
        let sync = Self {
            took,
            netbox_cpu,
            result: run["result"].as_str().unwrap().to_owned(),
            netbox_requests: run["netbox_requests"].as_u64().unwrap(),
            asked: arin.requests(),
            created: after.into_iter().map(|(slug, count)| (slug, count - before[slug])).collect(),
            written: netbox.writes().await - writes,
            peak_kib,
        };
        eprintln!(
            "bench: {} in {:.2} s, {:.2} s of NetBox's CPU, {} rows written",
            sync.result,
            took.as_secs_f64(),
            netbox_cpu,
            sync.written
        );
        sync
    }

    /// Counts how often ARIN was asked for one kind of thing.
    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.asked.count(operation)
    }
}

/// Counts the rows of each of our types.
async fn census(netbox: &Netbox) -> BTreeMap<&'static str, usize> {
    let mut census = BTreeMap::new();
    for slug in schema::TYPES {
        census.insert(slug, netbox.count(&custom(slug)).await);
    }
    census
}
