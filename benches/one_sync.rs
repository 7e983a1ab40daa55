//! A sync in a process of its own, as a person starts it.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio, time::Duration};

use rir_sandbox::regrws::KEY;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// The interval at which the memory of the process is looked at. The kernel keeps its peak, so only the last moment can
/// be missed.
const LOOK: Duration = Duration::from_millis(5);

/// The files that the program is started with.
pub(crate) struct Settings {
    folder: TempDir,
    config: String,
}

impl Settings {
    /// Writes those for syncs of a config: a NetBox by its URL and token, the key, and `more` settings.
    pub(crate) fn write((url, token): (&str, &str), config: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.toml");
        fs::write(&keys, format!("[[key]]\nconfig = {config:?}\nuser = \"lab-admin\"\napi_key = {KEY:?}\n")).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
        let settings = format!("[netbox]\nurl = {url:?}\ntoken = {token:?}\n[keys]\nfile = {keys:?}\n{more}");
        fs::write(folder.path().join("sidecar.toml"), settings).unwrap();
        Self { folder, config: config.to_owned() }
    }

    /// Syncs the config. Returns what was said of it, and the most memory that the process had in use, in KiB.
    pub(crate) async fn sync(&self, flags: &[&str]) -> (Value, u64) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.arg("--config").arg(self.folder.path().join("sidecar.toml"));
        command.args(["sync", "--output", "json", "--config-name", &self.config]).args(flags);
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
        let mut document: Value = serde_json::from_str(&said).unwrap();
        (document.pointer_mut("/runs/0").unwrap().take(), most)
    }
}

/// Returns the most memory that a process has had in use so far, in KiB.
fn peak(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
