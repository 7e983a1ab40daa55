//! A sync in a process of its own, as a person starts it.

use std::{fs, path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::process::Command;

/// The interval at which the memory of the process is looked at. The kernel keeps its peak, so only the last moment can be missed.
const LOOK: Duration = Duration::from_millis(5);

/// Syncs a config. Returns what was said of it, and the most memory that the process had in use, in KiB.
pub(crate) async fn run(settings: &Path, config: &str) -> (Value, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    command.arg("--config").arg(settings).args(["sync", "--output", "json", "--config-name", config]);
    let child = command.env_clear().stdout(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id().unwrap());
    let ended = child.wait_with_output();
    tokio::pin!(ended);
    let mut most = 0;
    let output = loop {
        tokio::select! {
            output = &mut ended => break output.unwrap(),
            () = tokio::time::sleep(LOOK) => most = peak(&status).unwrap_or(most),
        }
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "the sync ended with {}: {said:.2000}", output.status);
    (serde_json::from_str(&said).unwrap(), most)
}

/// Returns the most memory that a process has had in use so far, in KiB.
fn peak(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
