//! The program is killed at any moment of an import or an update of a mirror in Redis: what it shows is what was there before,
//! or all of what is there after. `RIR_KILLS` says how often that is tried (20), `RIR_KILLS_SEED` at which moments.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rir_sidecar::{
    config::load_from,
    irr::store::{SourceState, Store},
};

/// A registry, and what it has changed.
#[derive(Default)]
struct Registry {
    serial: u64,
    /// The objects by the number in their prefix.
    objects: BTreeMap<u32, String>,
    /// Each change with its serial.
    journal: Vec<(u64, String)>,
}

/// What a mirror shows: the newest serial, and the objects in order.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Shown {
    serial: u64,
    objects: Vec<String>,
}

fn route(number: u32, says: u64) -> String {
    let (third, fourth) = (number / 256, number % 256);
    format!("route: 10.{third}.{fourth}.0/24\ndescr: {says}\norigin: AS64496\nsource: TEST\n")
}

impl Registry {
    /// Adds, changes and removes many of three thousand objects: more than are written at once.
    fn changes(&mut self, dice: &mut fastrand::Rng) {
        for _ in 0..700 {
            self.serial += 1;
            let (number, serial) = (dice.u32(0..3000), self.serial);
            let change = match self.objects.get(&number) {
                Some(_) if dice.u8(0..4) == 0 => {
                    let gone = self.objects.remove(&number).unwrap();
                    format!("DEL {serial}\n\n{gone}\n")
                }
                _ => {
                    let object = route(number, serial);
                    self.objects.insert(number, object.clone());
                    format!("ADD {serial}\n\n{object}\n")
                }
            };
            self.journal.push((serial, change));
        }
    }

    fn shows(&self) -> Shown {
        let mut objects: Vec<String> = self.objects.values().cloned().collect();
        objects.sort_unstable();
        Shown { serial: self.serial, objects }
    }

    fn dump(&self) -> String {
        self.objects.values().fold(String::new(), |text, object| text + object + "\n") + "# EOF\n"
    }

    /// Answers a question such as `-g TEST:3:1001-LAST`.
    fn answer(&self, question: &str) -> String {
        let first: u64 = question.rsplit_once(':').unwrap().1.split_once('-').unwrap().0.parse().unwrap();
        if first > self.serial {
            return "% Warning: there are no newer updates available\n\n\n".to_owned();
        }
        let mut text = format!("%START Version: 3 TEST {first}-{}\n\n", self.serial);
        self.journal
            .iter()
            .filter(|(serial, _)| *serial >= first)
            .for_each(|(_, change)| text += &format!("{change}\n"));
        text + "%END TEST\n\n\n"
    }
}

/// A registry with its server, and the settings of its mirror.
struct Desk {
    registry: Arc<Mutex<Registry>>,
    folder: tempfile::TempDir,
    store: Store,
    /// What was asked, if the server waits for a word before it answers.
    asked: Receiver<String>,
    go_on: Arc<Mutex<Option<Receiver<()>>>>,
}

impl Desk {
    fn new() -> Self {
        let (registry, folder) = (Arc::new(Mutex::new(Registry::default())), tempfile::tempdir().unwrap());
        let (asked, go_on) = (channel(), Arc::new(Mutex::new(None)));
        let server = serve(Arc::clone(&registry), asked.0, Arc::clone(&go_on));
        let redis = std::env::var("RIR_LAB_REDIS_URL")
            .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
        let prefix = crate::queue::bench::settings(&redis).prefix;
        let text = format!(
            "[netbox]\nurl = 'http://netbox.test/'\ntoken = 'x'\n[queue]\nurl = '{redis}'\nprefix = '{prefix}'\n\
             [[irr.source]]\nname = 'TEST'\ndumps = ['http://{server}/dump']\nserial_url = 'http://{server}/serial'\n\
             nrtm = '{server}'\nmax_shrink = 1.0\n"
        );
        let file = folder.path().join("settings.toml");
        std::fs::write(&file, text).unwrap();
        let settings = load_from(Some(&file), &BTreeMap::new()).unwrap();
        let store = Store::open(&settings.queue).unwrap();
        Self { registry, folder, store, asked: asked.1, go_on }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.arg("--config").arg(self.file("settings.toml")).arg("irr").args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a command that has to come to a good end.
    fn run(&self, arguments: &[&str]) -> Output {
        well(self.begin(arguments))
    }

    /// What the export has, which has to be whole.
    fn shows(&self) -> Shown {
        let file = self.file("export.db");
        let told = self.run(&["export", "TEST", file.to_str().unwrap()]);
        let told = String::from_utf8(told.stderr).unwrap();
        let serial = told.split_once("at serial ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        let objects = text.strip_suffix("# EOF\n").unwrap().split_inclusive("\n\n");
        let mut objects: Vec<String> = objects.map(|object| object.strip_suffix('\n').unwrap().to_owned()).collect();
        objects.sort_unstable();
        Shown { serial, objects }
    }

    async fn state(&self) -> SourceState {
        self.store.state(&"TEST".parse().unwrap()).await.unwrap()
    }

    async fn ask_reload(&self) {
        self.store.ask_reload(&"TEST".parse().unwrap()).await.unwrap();
    }

    /// Lets no answer go before the sender has said so.
    fn holds(&self) -> Sender<()> {
        let (sender, receiver) = channel();
        *self.go_on.lock() = Some(receiver);
        while self.asked.try_recv().is_ok() {}
        sender
    }
}

/// Serves the dump and its serial over HTTP, and the changes over NRTM, at one address.
fn serve(registry: Arc<Mutex<Registry>>, asked: Sender<String>, go_on: Arc<Mutex<Option<Receiver<()>>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut question = String::new();
            // Whoever was killed may have asked nothing yet, and hears no answer.
            if stream.read_line(&mut question).unwrap_or(0) == 0 {
                continue;
            }
            let question = question.trim().to_owned();
            let _ = asked.send(question.clone());
            if let Some(go_on) = &*go_on.lock() {
                let _ = go_on.recv();
            }
            let http = |body: String| {
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            };
            let registry = registry.lock();
            let answer = match question.as_str() {
                "GET /dump HTTP/1.1" => http(registry.dump()),
                "GET /serial HTTP/1.1" => http(registry.serial.to_string()),
                question => registry.answer(question),
            };
            let _ = stream.into_inner().write_all(answer.as_bytes());
        }
    });
    address
}

fn well(child: Child) -> Output {
    let done = child.wait_with_output().unwrap();
    let told = || format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}", told());
    done
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_killed_leaves_the_old_or_the_new_whole() {
    let kills = u32::try_from(number("RIR_KILLS", 20)).unwrap();
    let seed = number("RIR_KILLS_SEED", fastrand::u64(..));
    println!("{kills} kills with RIR_KILLS_SEED={seed}");
    let (desk, mut dice) = (Desk::new(), fastrand::Rng::with_seed(seed));
    for _ in 0..6 {
        desk.registry.lock().changes(&mut dice);
    }
    // How long an import and an update take at least when they are left alone.
    let mut takes = [Duration::MAX; 2];
    for reloads in [true, false].repeat(3) {
        desk.registry.lock().changes(&mut dice);
        if reloads {
            desk.ask_reload().await;
        }
        let began = Instant::now();
        desk.run(&["update", "TEST"]);
        let takes = &mut takes[usize::from(!reloads)];
        *takes = began.elapsed().min(*takes);
        assert_eq!(desk.shows(), desk.registry.lock().shows());
    }
    // Each part of that time has its kill, and so has half as much again: what is killed is slowed down by others, too.
    let mut parts: Vec<u32> = (0..kills).collect();
    dice.shuffle(&mut parts);
    let (mut before, mut old, mut new, mut ran) = (desk.shows(), 0, 0, 0);
    let mut at = Vec::new();
    for (round, part) in parts.into_iter().enumerate() {
        desk.registry.lock().changes(&mut dice);
        if dice.bool() {
            desk.ask_reload().await;
        }
        // Perhaps because the run before was killed that should have done it.
        let reloads = desk.state().await.wants_reload();
        let share = (f64::from(part) + dice.f64()) / f64::from(kills) * 1.5;
        let mut child = desk.begin(&["update", "TEST"]);
        std::thread::sleep(takes[usize::from(!reloads)].mul_f64(share));
        let was_running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        let (after, now) = (desk.shows(), desk.registry.lock().shows());
        assert!(
            after == before || after == now,
            "killed after {share:.2} of a run: at serial {} with {} objects, and not as at {} or at {}",
            after.serial,
            after.objects.len(),
            before.serial,
            now.serial
        );
        let is_new = after == now;
        (old, new, ran) = (old + u32::from(!is_new), new + u32::from(is_new), ran + u32::from(was_running));
        at.push(format!("{}{share:.2}{}", if reloads { "i" } else { "u" }, if is_new { "+" } else { "" }));
        before = after;
        // Now and then somebody comes who is not killed.
        if round % 3 == 2 {
            let began = Instant::now();
            desk.run(&["update", "TEST"]);
            if !is_new {
                let takes = &mut takes[usize::from(!reloads)];
                *takes = began.elapsed().min(*takes);
            }
            before = desk.shows();
            assert_eq!(before, now);
            assert!(!desk.state().await.wants_reload());
        }
    }
    println!("{ran} were running; {old} left the old and {new} the new, in {takes:?}: {}", at.join(" "));
    assert!(ran * 3 > kills && old > 0, "{ran} of {kills} were running, {old} left the old");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_that_another_process_asks_for_during_a_run_is_never_lost() {
    let desk = Desk::new();
    desk.registry.lock().changes(&mut fastrand::Rng::with_seed(1));
    desk.run(&["update", "TEST"]);
    // Held at the changes, at the serial of a reload, and at its dump.
    for (round, held) in ["-g ", "GET /serial", "GET /dump", "-g "].into_iter().cycle().take(20).enumerate() {
        if round % 4 > 0 {
            desk.ask_reload().await;
        }
        let go_on = desk.holds();
        let running = desk.begin(&["update", "TEST"]);
        while !desk.asked.recv_timeout(Duration::from_secs(20)).unwrap().starts_with(held) {
            go_on.send(()).unwrap();
        }
        desk.run(&["reload", "TEST"]);
        drop(go_on);
        *desk.go_on.lock() = None;
        well(running);
        assert!(desk.state().await.wants_reload(), "round {round}, held at {held:?}");
        let told = desk.run(&["update", "TEST"]);
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(told.contains("took a dump"), "{told}");
        assert!(!desk.state().await.wants_reload(), "it is done once");
        let told = desk.run(&["update", "TEST"]);
        assert!(String::from_utf8(told.stdout).unwrap().contains("nothing new"));
    }
}
