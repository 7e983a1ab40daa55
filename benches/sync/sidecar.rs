//! One sync: the program as it is shipped, in a process of its own, watched from outside.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    process::Stdio,
    time::{Duration, Instant},
};

use rir_sandbox::regrws::{KEY, Operation, Requests, Server};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::netbox::Netbox;

/// The interval at which the memory of the process is looked at. The kernel keeps its peak, so only the last moment can be missed.
const LOOK: Duration = Duration::from_millis(5);

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
        let (document, peak_kib) = self.run().await;
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

    async fn run(&self) -> (Value, u64) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.arg("--config").arg(self.folder.path().join("sidecar.toml"));
        command.args(["sync", "--output", "json", "--config-name", &self.config]);
        let child = command.env_clear().stdout(Stdio::piped()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id().unwrap());
        let ended = child.wait_with_output();
        tokio::pin!(ended);
        let mut peak_kib = 0;
        let output = loop {
            tokio::select! {
                output = &mut ended => break output.unwrap(),
                () = tokio::time::sleep(LOOK) => peak_kib = peak(&status).unwrap_or(peak_kib),
            }
        };
        assert!(output.status.success(), "the sync ended with {}", output.status);
        (serde_json::from_slice(&output.stdout).unwrap(), peak_kib)
    }
}

/// The most memory a process has had in use so far, in KiB.
fn peak(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

impl Sync {
    /// Counts how often ARIN was asked for one kind of thing.
    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.asked.count(operation)
    }
}
