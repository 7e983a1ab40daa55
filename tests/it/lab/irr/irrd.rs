//! An IRRd with a source of a test's own: the code and the database of the one in the lab, and settings that nobody else has.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use super::{objects_of, said, setting};

/// The source, and a mirror of it.
pub(super) struct Irrd {
    pub(super) folder: tempfile::TempDir,
    /// What the source is called.
    pub(super) name: String,
}

impl Irrd {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for inner in ["export", "nrtm4"] {
            std::fs::create_dir(folder.path().join(inner)).unwrap();
        }
        Self { folder, name: format!("TEST{}", std::process::id()) }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Says what the source is, in lines of YAML.
    pub(super) fn settles(&self, lines: &[String]) {
        let shared = std::fs::read_to_string(Path::new(&setting("RIR_LAB_IRRD_DIR")).join("settings.yaml")).unwrap();
        let (shared, _) = shared.split_once("  sources:\n").unwrap();
        let lines: String = lines.iter().map(|line| format!("      {line}\n")).collect();
        let export = self.path("export");
        let text = format!(
            "{shared}  sources:\n    {}:\n      export_destination: '{}'\n{lines}",
            self.name,
            export.display()
        );
        std::fs::write(self.path("settings.yaml"), text).unwrap();
    }

    /// Has it judge routes by a list of VRPs.
    pub(super) fn judges_by(&self, list: &Path) {
        self.settles(&[]);
        let settings = std::fs::read_to_string(self.path("settings.yaml")).unwrap();
        let judging = settings.replace("roa_source: null", &format!("roa_source: 'file://{}'", list.display()));
        assert_ne!(judging, settings, "there is a setting for it");
        std::fs::write(self.path("settings.yaml"), judging).unwrap();
    }

    /// Has it do something at once, and returns what it prints.
    pub(super) fn does(&self, steps: &[&str]) -> String {
        let mut command = Command::new(Path::new(&setting("RIR_LAB_IRRD_BIN")).join("python"));
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/irrd_once.py"));
        let done = command.arg(self.path("settings.yaml")).arg(&self.name).args(steps).output().unwrap();
        assert!(done.status.success(), "{}", said(&done));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Has it take objects as what its source has now, do more, and export; returns what it exports.
    pub(super) fn takes(&self, text: &str, steps: &[&str]) -> BTreeSet<String> {
        std::fs::write(self.path("objects.db"), text).unwrap();
        self.does(&[&["update"], steps, &["export"]].concat());
        objects_of(&self.path(&format!("export/{}.db.gz", self.name.to_lowercase())))
    }

    /// Says what the mirror is, in lines of TOML.
    pub(super) fn mirrors(&self, lines: &str) {
        let text = format!(
            "[netbox]\nurl = 'http://netbox.test/'\ntoken = 'x'\n[queue]\nurl = '{}'\nprefix = 'irrd-{}'\n\
             [[irr.source]]\nname = '{}'\n{lines}",
            setting("RIR_LAB_REDIS_URL"),
            std::process::id(),
            self.name,
        );
        std::fs::write(self.path("settings.toml"), text).unwrap();
    }

    pub(super) fn irr(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.arg("--config").arg(self.path("settings.toml")).arg("irr").args(arguments).output().unwrap()
    }

    /// Updates the mirror, and returns what that did.
    pub(super) fn updated(&self) -> Value {
        let done = self.irr(&["update", &self.name, "--output", "json"]);
        assert!(done.status.success(), "{}", said(&done));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// Returns the objects of the mirror.
    pub(super) fn mirrored(&self) -> BTreeSet<String> {
        let file = self.path("mirrored.db.gz");
        let done = self.irr(&["export", &self.name, file.to_str().unwrap()]);
        assert!(done.status.success(), "{}", said(&done));
        objects_of(&file)
    }
}

impl Drop for Irrd {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.does(&["forget"]);
        }
    }
}
