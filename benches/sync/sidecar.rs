//! One sync: the program as it is shipped, in a process of its own, watched from outside.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use rir_sandbox::regrws::{KEY, Operation, Requests, Server};
use tempfile::TempDir;

use crate::{netbox::Netbox, one_sync};

/// The files a sidecar is started with.
pub(crate) struct Settings {
    folder: TempDir,
    config: String,
}

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

impl Settings {
    pub(crate) fn write(netbox: &Netbox, arin: &str, config: &str, in_flight: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.toml");
        fs::write(&keys, format!("[[key]]\nconfig = {config:?}\nuser = \"lab-admin\"\napi_key = {KEY:?}\n")).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
        let settings = format!(
            "[netbox]\nurl = {:?}\ntoken = {:?}\n\
             [arin]\nallowed_base_urls = [{arin:?}]\nrequests_per_second = 0\nmax_in_flight = {in_flight}\n\
             [keys]\nfile = {keys:?}\n",
            netbox.url, netbox.token
        );
        fs::write(folder.path().join("sidecar.toml"), settings).unwrap();
        Self { folder, config: config.to_owned() }
    }

    /// Runs one sync.
    pub(crate) async fn sync(&self, netbox: &Netbox, arin: &Server) -> Sync {
        arin.forget_requests();
        let (before, writes) = (netbox.census().await, netbox.writes().await);
        let (started, cpu) = (Instant::now(), netbox.cpu_seconds());
        let (document, peak_kib) = one_sync::run(&self.folder.path().join("sidecar.toml"), &self.config).await;
        let (took, netbox_cpu) = (started.elapsed(), netbox.cpu_seconds() - cpu);
        let after = netbox.census().await;
        let run = &document["runs"][0];
        let sync = Sync {
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
}

impl Sync {
    /// Counts how often ARIN was asked for one kind of thing.
    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.asked.count(operation)
    }
}
