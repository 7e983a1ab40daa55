//! The IRRd that `tests/lab/lab.sh irrd` started, which mirrors the same sources from the same files and upstream.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use crate::{cost, cost::Cost};

/// How often it is asked where it stands.
const ASKED_EACH: Duration = Duration::from_millis(500);
/// Its web server begins anew some seconds after it was told of other settings.
const RESTARTS_FOR: Duration = Duration::from_secs(15);
/// How long it has to do nothing before something is measured. It looks for news every three seconds.
const QUIET_FOR: Duration = Duration::from_secs(6);
const LONGEST_WAIT: Duration = Duration::from_secs(3 * 3600);

pub(crate) struct Irrd {
    settings: PathBuf,
    whois: String,
    pid: u32,
    postgres: u32,
}

impl Irrd {
    pub(crate) fn of_the_lab() -> Self {
        let variable =
            |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; use tests/bench.sh"));
        let (folder, lab) = (PathBuf::from(variable("RIR_LAB_IRRD_DIR")), PathBuf::from(variable("RIR_LAB_DIR")));
        let cluster = fs::read_to_string(lab.join("postgres")).unwrap();
        Self {
            whois: variable("RIR_LAB_IRRD_WHOIS"),
            pid: pid(&folder.join("irrd.pid")),
            postgres: pid(&Path::new(cluster.trim()).join("data/postmaster.pid")),
            settings: folder.join("settings.yaml"),
        }
    }

    /// Has it mirror a source, whose dump it takes as soon as there is the file with its serial.
    pub(crate) fn mirror(&self, source: &str, (dump, serial_file, port): (&Path, &Path, u16)) {
        // Its own exports would cost it something all the time. A source that was measured before would be due at each tick,
        // of which each goes to the first source in the file that is due.
        let settings = fs::read_to_string(&self.settings)
            .unwrap()
            .replace("export_timer: 3\n", "export_timer: 86400\n")
            .replace("import_timer: 3\n", "import_timer: 86400\n");
        let (dump, serial_file) = (dump.display(), serial_file.display());
        let table = format!(
            "    {source}:\n      keep_journal: true\n      import_timer: 3\n      import_source: 'file://{dump}'\n      \
             import_serial_source: 'file://{serial_file}'\n      nrtm_host: 127.0.0.1\n      nrtm_port: {port}\n"
        );
        fs::write(&self.settings, settings + &table).unwrap();
        let told = Command::new("kill").args(["-HUP", &self.pid.to_string()]).status().unwrap();
        assert!(told.success(), "IRRd has ended");
        std::thread::sleep(RESTARTS_FOR);
    }

    /// Waits until it has nothing to do but to look whether there is something.
    pub(crate) fn settle(&self) {
        let began = Instant::now();
        loop {
            let before = cost::cpu_of_family(self.pid);
            std::thread::sleep(QUIET_FOR);
            if cost::cpu_of_family(self.pid) - before < QUIET_FOR.as_secs_f64() / 5.0 {
                return;
            }
            assert!(began.elapsed() < LONGEST_WAIT, "IRRd does not come to rest");
        }
    }

    /// Waits until it shows a serial of a source after something was done.
    pub(crate) fn until(&self, source: &str, serial: u64, act: impl FnOnce()) -> Cost {
        let (began, before, database_before) = (Instant::now(), cost::cpu_of_family(self.pid), self.database_cpu());
        act();
        let mut peak: f64 = 0.0;
        while self.serial(source) != Some(serial) {
            assert!(began.elapsed() < LONGEST_WAIT, "IRRd does not get {source} up to {serial}");
            peak = peak.max(cost::memory_in_family(self.pid));
            std::thread::sleep(ASKED_EACH);
        }
        Cost {
            seconds: began.elapsed().as_secs_f64(),
            cpu: cost::cpu_of_family(self.pid) - before,
            database_cpu: self.database_cpu() - database_before,
            peak,
            printed: String::new(),
        }
    }

    fn database_cpu(&self) -> f64 {
        cost::cpu_of_family(self.postgres)
    }

    /// The newest serial that it shows of a source.
    fn serial(&self, source: &str) -> Option<u64> {
        let mut stream = TcpStream::connect(&self.whois).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        stream.write_all(format!("!J{source}\n").as_bytes()).ok()?;
        let value = |line: String| line.trim().strip_prefix("\"serial_newest_mirror\":").map(str::to_owned);
        let value = BufReader::new(stream).lines().map_while(Result::ok).find_map(value)?;
        value.trim().trim_end_matches(',').parse().ok()
    }
}

/// The number in the first line of a file.
fn pid(file: &Path) -> u32 {
    fs::read_to_string(file).unwrap().lines().next().unwrap().trim().parse().unwrap()
}
