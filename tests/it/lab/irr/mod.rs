//! The mirror of a source of a real IRRd, which `tests/lab/lab.sh irrd` starts, through the command line and with a real Redis.

mod asked;
mod irrd;
mod nrtm4;
mod survivors;
mod vrps;

use std::{
    collections::BTreeSet,
    fmt::Write,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; start an IRRd with tests/lab/lab.sh irrd"))
}

/// The IRRd and a mirror of its source TEST.
struct Desk {
    irrd: PathBuf,
    folder: tempfile::TempDir,
    settings: PathBuf,
    /// The serial of the first dump, which hardly any other run of this test has. An IRRd counts to 2^31.
    first: u64,
}

fn objects(count: u32, says: impl Fn(u32) -> String) -> String {
    let maintainer = "mntner: SAMPLE-MNT\ndescr: sample\nadmin-c: SAMPLE-TEST\nupd-to: a@example.net\n\
                      auth: MD5-PW $1$J6KycItM$MbPaBU6iFSGFV299Rk7Di0\nmnt-by: SAMPLE-MNT\nsource: TEST\n";
    (0..count).fold(maintainer.to_owned(), |mut text, number| {
        let (third, fourth) = (number / 256, number % 256);
        write!(
            text,
            "\nroute: 10.{third}.{fourth}.0/24\ndescr: {}\norigin: AS64496\nmnt-by: SAMPLE-MNT\nsource: TEST\n\
             \nroute6: 2001:db8:{number:x}::/48\ndescr: {0}\norigin: AS64497\nmnt-by: SAMPLE-MNT\nsource: TEST\n",
            says(number)
        )
        .unwrap();
        text
    })
}

impl Desk {
    fn new() -> Self {
        let (irrd, folder) = (PathBuf::from(setting("RIR_LAB_IRRD_DIR")), tempfile::tempdir().unwrap());
        let (redis, whois) = (setting("RIR_LAB_REDIS_URL"), setting("RIR_LAB_IRRD_WHOIS"));
        let settings = folder.path().join("settings.toml");
        let export = irrd.join("export");
        let text = format!(
            "[netbox]\nurl = 'http://netbox.test/'\ntoken = 'x'\n[queue]\nurl = '{redis}'\nprefix = 'irrd-{}'\n\
             [[irr.source]]\nname = 'TEST'\ndumps = ['file://{export}/test.db.gz']\nserial_url = 'file://{export}/TEST.CURRENTSERIAL'\n\
             nrtm = '{whois}'\n",
            std::process::id(),
            export = export.display(),
        );
        std::fs::write(&settings, text).unwrap();
        Self { irrd, folder, settings, first: u64::from(std::process::id() % 1_000_000) * 1000 }
    }

    /// Has the IRRd take a file: as a dump with the first serial, or as what its source has now.
    fn load(&self, text: &str, is_dump: bool) {
        let file = self.folder.path().join("objects.db");
        std::fs::write(&file, text).unwrap();
        let name = if is_dump { "irrd_load_database" } else { "irrd_update_database" };
        let mut command = Command::new(Path::new(&setting("RIR_LAB_IRRD_BIN")).join(name));
        command.arg("--config").arg(self.irrd.join("settings.yaml")).args(["--source", "TEST"]);
        if is_dump {
            command.arg("--serial").arg(self.first.to_string());
        }
        let done = command.arg(&file).output().unwrap();
        assert!(done.status.success() && done.stdout.is_empty(), "{}", said(&done));
    }

    fn irr(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.arg("--config").arg(&self.settings).arg("irr").args(arguments).output().unwrap()
    }

    /// Updates the mirror, and returns what that did.
    fn update(&self) -> Value {
        let done = self.irr(&["update", "TEST", "--output", "json"]);
        assert!(done.status.success(), "{}", said(&done));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// Waits until the IRRd has exported its source with this serial; it looks every three seconds.
    async fn exported(&self, serial: u64) -> BTreeSet<String> {
        let began = Instant::now();
        let at = self.irrd.join("export/TEST.CURRENTSERIAL");
        while std::fs::read_to_string(&at).ok().and_then(|text| text.trim().parse().ok()) != Some(serial) {
            assert!(began.elapsed() < Duration::from_secs(60), "IRRd does not export serial {serial}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        objects_of(&self.irrd.join("export/test.db.gz"))
    }

    /// The objects of the mirror.
    fn mirrored(&self) -> BTreeSet<String> {
        let file = self.folder.path().join("mirrored.db.gz");
        let done = self.irr(&["export", "TEST", file.to_str().unwrap()]);
        assert!(done.status.success(), "{}", said(&done));
        objects_of(&file)
    }
}

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// The objects of a dump, which must be whole.
fn objects_of(file: &Path) -> BTreeSet<String> {
    let mut text = String::new();
    MultiGzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    assert!(text.trim_end().ends_with("# EOF"), "{}", file.display());
    let objects = text.split("\n\n").map(str::trim).filter(|object| !object.is_empty() && !object.starts_with('#'));
    objects.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_mirror_follows_three_hundred_changes_of_an_irrd_text_by_text() {
    let desk = Desk::new();
    desk.load(&objects(400, |_| "sample".to_owned()), true);
    let dumped = desk.exported(desk.first).await;
    assert_eq!(dumped.len(), 801);
    let taken = desk.update();
    assert_eq!((&taken["result"], &taken["serial"]), (&"imported".into(), &desk.first.into()), "{taken:#}");
    assert_eq!(taken["rejected"]["by_reason"], serde_json::json!({}), "{taken:#}");
    assert_eq!(desk.mirrored(), dumped);
    // Twenty prefixes are new, then fifty are changed, then eighty are gone: two objects each.
    let mut serial = desk.first;
    for (count, changed) in [(420, 0), (420, 50), (340, 50)] {
        desk.load(&objects(count, |number| if number < changed { "changed" } else { "sample" }.to_owned()), false);
        let followed = desk.update();
        assert_eq!(followed["result"], "followed", "{followed:#}");
        serial = followed["serial"].as_u64().unwrap();
        assert_eq!(desk.mirrored(), desk.exported(serial).await, "at serial {serial}");
    }
    assert_eq!(serial, desk.first + 300);
    assert_eq!(desk.update()["result"], "unchanged");
    let status = desk.irr(&["status"]);
    assert!(status.status.success(), "{}", said(&status));
    // The IRRd begins its serials again, with other objects. It says so nowhere.
    desk.load(&objects(395, |_| "again".to_owned()), true);
    let again = desk.exported(desk.first).await;
    let stays = desk.irr(&["update", "TEST"]);
    assert!(!stays.status.success(), "{}", said(&stays));
    assert_eq!(desk.irr(&["status"]).status.code(), Some(3));
    assert_eq!(desk.mirrored().len(), 681, "what was there before");
    assert!(desk.irr(&["reload", "TEST"]).status.success());
    assert_eq!(desk.update()["result"], "imported");
    assert_eq!(desk.mirrored(), again);
}
