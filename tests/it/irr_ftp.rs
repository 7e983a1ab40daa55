//! Dumps from a real FTP server, pyftpdlib. `RIR_LAB_PYFTPDLIB_PYTHON` names a Python that has it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use rir_sidecar::{
    config::load_from,
    irr::{
        source::Serial,
        store::Store,
        update::{Did, Mirror},
    },
};

const PYTHON: &str = "RIR_LAB_PYFTPDLIB_PYTHON";

/// The server, which ends when its standard input is closed.
struct Ftp {
    process: Child,
    told: BufReader<ChildStdout>,
}

impl Ftp {
    fn serves(folder: &Path) -> (Self, String) {
        let python = std::env::var(PYTHON).unwrap_or_else(|_| panic!("{PYTHON} is not set: tests/run.sh sets it"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/ftp.py");
        let mut command = Command::new(python);
        command.arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut server = Self { told: BufReader::new(process.stdout.take().unwrap()), process };
        let port = server.line();
        (server, format!("ftp://127.0.0.1:{port}"))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Ftp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_in_two_files_comes_over_ftp_and_not_again_while_its_serial_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ftp, url) = Ftp::serves(folder.path());
    let text = format!(
        "[netbox]\nurl = 'http://netbox.test/'\ntoken = 'x'\n[[irr.source]]\nname = 'TEST'\n\
         dumps = ['{url}/test.db.route', '{url}/test.db.route6.gz']\nserial_url = '{url}/TEST.CURRENTSERIAL'\n"
    );
    std::fs::write(folder.path().join("settings.toml"), text).unwrap();
    let settings = load_from(Some(&folder.path().join("settings.toml")), &BTreeMap::new()).unwrap();
    let (mirror, source) = (Mirror::new(Store::in_memory(), &settings).unwrap(), &settings.irr.source[0]);
    let serves = |origin: u32, serial: u64| {
        let route = format!("route: 192.0.2.0/24\norigin: AS{origin}\nsource: TEST\n\n# EOF\n");
        let route6 = format!("route6: 2001:db8::/32\norigin: AS{origin}\nsource: TEST\n\n# EOF\n");
        // Packed without saying so, and the other way round.
        std::fs::write(folder.path().join("test.db.route"), packed(&route)).unwrap();
        std::fs::write(folder.path().join("test.db.route6.gz"), route6).unwrap();
        std::fs::write(folder.path().join("TEST.CURRENTSERIAL"), serial.to_string()).unwrap();
    };
    let all = ["TEST.CURRENTSERIAL", "test.db.route", "test.db.route6.gz"];
    for (origin, serial, did, fetched) in [
        (64496, 5, Did::Imported(2), &all[..]),
        // A dump with another text, and a serial by which it is none.
        (64497, 5, Did::Nothing, &all[..1]),
        (64497, 6, Did::Imported(2), &all[..]),
    ] {
        serves(origin, serial);
        let updated = mirror.update(source, |_| {}).await.unwrap();
        assert_eq!((updated.did, updated.serial, updated.rejects.total()), (did, Some(Serial(serial)), 0));
        for name in fetched {
            assert_eq!(ftp.line(), *name);
        }
    }
    // The end of the server's words: it has sent nothing else.
    drop(ftp.process.stdin.take());
    assert_eq!(ftp.line(), "");
    let why = mirror.update(source, |_| {}).await.unwrap_err();
    assert!(why.to_string().contains("TEST.CURRENTSERIAL"), "{why}");
    assert_eq!(mirror.store.state(&source.name).await.unwrap().holding.unwrap().objects, 2);
}
