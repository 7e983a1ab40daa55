//! The program as it is shipped, in processes of its own, with the Redis of the lab.

use std::{fs, path::Path};

use rir_sidecar::config::{self, Settings};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    cost::{self, Cost},
    redis_server::RedisServer,
};

/// The settings of some sources, which have keys of their own in Redis.
pub(crate) struct Sidecar {
    folder: TempDir,
    pub(crate) prefix: String,
}

/// The table of a source in the settings.
pub(crate) fn source(name: &str, (dump, serial_file, port): (&Path, &Path, Option<u16>)) -> String {
    let nrtm = port.map(|port| format!("nrtm = '127.0.0.1:{port}'\n")).unwrap_or_default();
    format!(
        "[[irr.source]]\nname = '{name}'\nkind = 'mirror'\ndumps = ['file://{}']\nserial_url = 'file://{}'\n{nrtm}",
        dump.display(),
        serial_file.display()
    )
}

impl Sidecar {
    pub(crate) fn new(redis: &str, (netbox, token): (&str, &str), more: &str) -> Self {
        let (folder, prefix) = (tempfile::tempdir().unwrap(), format!("bench-{:016x}", fastrand::u64(..)));
        let text = format!(
            "[netbox]\nurl = '{netbox}'\ntoken = '{token}'\n[queue]\nurl = '{redis}'\nprefix = '{prefix}'\n\
             [telemetry]\nlog = 'warn'\n{more}"
        );
        fs::write(folder.path().join("sidecar.toml"), text).unwrap();
        Self { folder, prefix }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.env_clear().arg("--config").arg(self.folder.path().join("sidecar.toml"));
        command
    }

    pub(crate) fn settings(&self) -> Settings {
        config::load_from(Some(&self.folder.path().join("sidecar.toml")), &Default::default()).unwrap()
    }

    /// Runs `rir-sidecar irr` with more words.
    pub(crate) async fn irr(&self, words: &[&str], redis: &mut RedisServer) -> Cost {
        let mut command = self.command();
        command.arg("irr").args(words).args(["--output", "json"]);
        cost::of(command, || redis.cpu()).await
    }

    /// Updates a source, and checks what that did.
    pub(crate) async fn update(&self, name: &str, (did, serial): (&str, u64), redis: &mut RedisServer) -> Cost {
        let cost = self.irr(&["update", name], redis).await;
        let told: Value = serde_json::from_str(&cost.printed).unwrap();
        assert_eq!((&told["result"], &told["serial"]), (&did.into(), &serial.into()), "{told}");
        assert_eq!(told["rejected"]["by_reason"], serde_json::json!({}), "{told}");
        cost
    }
}
