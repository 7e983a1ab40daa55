//! The mirror of a source: dumps in files, changes from an upstream that does what a test wants, a store in memory.

use std::{fmt::Write, path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use rir_sidecar::{
    config::{IrrSource, Settings, load_from},
    irr::{
        source::Serial,
        store::{SourceState, Store},
        update::{Did, Mirror, UpdateError, Updated},
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

/// A source with its upstream and its mirror.
struct Desk {
    folder: tempfile::TempDir,
    mirror: Mirror,
    settings: Settings,
    upstream: Upstream,
}

/// A server that gives the next answer of a list, and notes what it was asked.
#[derive(Clone, Default)]
struct Upstream {
    answers: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let this = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                this.asked.lock().push(line.trim().to_owned());
                let answer = this.answers.lock().pop().unwrap_or_else(|| nothing_newer().to_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        address
    }

    fn answers(&self, answer: impl Into<String>) {
        self.answers.lock().push(answer.into());
    }
}

fn nothing_newer() -> &'static str {
    "% Warning: there are no newer updates available\n\n\n"
}

fn route(number: u32, says: &str) -> String {
    format!(
        "route:          10.{}.{}.0/24\ndescr:          {says}\norigin:         AS64496\nsource:         TEST\n",
        number / 256,
        number % 256
    )
}

fn dump(objects: &[String]) -> String {
    objects.iter().fold(String::new(), |mut text, object| {
        writeln!(text, "{object}").unwrap();
        text
    }) + "# EOF\n"
}

fn routes(count: u32) -> Vec<String> {
    let mut routes: Vec<String> = (0..count).map(|number| route(number, "sample")).collect();
    routes.sort_unstable();
    routes
}

impl Desk {
    /// A source that is looked at over NRTM, or of which there is only a dump.
    async fn new(follows: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let upstream = Upstream::default();
        let address = upstream.start().await;
        let place = folder.path().display();
        let nrtm = if follows { format!("nrtm = '{address}'\n") } else { String::new() };
        let text = format!(
            "[netbox]\nurl = 'http://netbox.test/'\ntoken = 'x'\n[[irr.source]]\nname = 'TEST'\ndumps = ['file://{place}/test.db']\n\
             serial_url = 'file://{place}/TEST.CURRENTSERIAL'\n{nrtm}"
        );
        let file = folder.path().join("settings.toml");
        std::fs::write(&file, text).unwrap();
        let settings = load_from(Some(&file), &Default::default()).unwrap();
        let mirror = Mirror::new(Store::in_memory(), &settings).unwrap();
        Self { folder, mirror, settings, upstream }
    }

    fn source(&self) -> &IrrSource {
        &self.settings.irr.source[0]
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn serves(&self, objects: &[String], serial: u64) {
        self.serves_text(&dump(objects), &serial.to_string());
    }

    fn serves_text(&self, dump: &str, serial: &str) {
        std::fs::write(self.file("test.db"), dump).unwrap();
        std::fs::write(self.file("TEST.CURRENTSERIAL"), serial).unwrap();
    }

    async fn update(&self) -> Result<Updated, UpdateError> {
        self.mirror.update(self.source(), |_| {}).await
    }

    /// Updates, and returns what the run did with the serial.
    async fn did(&self) -> (Did, Option<Serial>) {
        let updated = self.update().await.unwrap();
        (updated.did, updated.serial)
    }

    /// Updates in vain, and returns why.
    async fn failed(&self) -> String {
        self.update().await.unwrap_err().to_string()
    }

    async fn state(&self) -> SourceState {
        self.mirror.store.state(&self.source().name).await.unwrap()
    }

    /// The texts of all objects, in order.
    async fn objects(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut current = self.mirror.store.objects(&self.source().name).await.unwrap().unwrap();
        while let Some(some) = current.next().await.unwrap() {
            all.extend(some.into_iter().map(|object| object.text));
        }
        all.sort_unstable();
        all
    }
}

#[tokio::test]
async fn a_dump_is_taken_and_then_its_changes() {
    let desk = Desk::new(true).await;
    desk.serves(&routes(100), 1000);
    assert_eq!(desk.did().await, (Did::Imported(100), Some(Serial(1000))));
    assert_eq!(*desk.upstream.asked.lock(), ["-g TEST:3:1001-LAST"], "what came since the dump is asked for at once");
    let (new, changed) = (route(200, "new"), route(1, "changed"));
    desk.upstream.answers(format!(
        "%START Version: 3 TEST 1001-1004\n\nADD 1001\n\n{new}\nDEL 1002\n\n{}\nADD 1004\n\n{changed}\n%END TEST\n\n\n",
        route(0, "sample")
    ));
    assert_eq!(desk.did().await, (Did::Followed(3), Some(Serial(1004))));
    let gone = [route(0, "sample"), route(1, "sample")];
    let mut expected: Vec<String> = routes(100).into_iter().filter(|route| !gone.contains(route)).collect();
    expected.extend([changed, new]);
    expected.sort_unstable();
    assert_eq!(desk.objects().await, expected);
    assert_eq!(desk.did().await, (Did::Nothing, Some(Serial(1004))));
    assert_eq!(desk.upstream.asked.lock().last().unwrap(), "-g TEST:3:1005-LAST");
    assert_eq!(desk.state().await.notes.trouble, None);
}

/// The serial is read first, so changes may be in the dump already that come once more.
#[tokio::test]
async fn changes_that_a_dump_has_already_come_to_the_same() {
    let desk = Desk::new(true).await;
    let (new, changed, again) = (route(200, "new"), route(1, "changed"), route(1, "changed again"));
    let mut dumped = routes(100);
    dumped.retain(|object| *object != route(0, "sample") && *object != route(1, "sample"));
    dumped.extend([again.clone(), new.clone()]);
    dumped.sort_unstable();
    desk.serves(&dumped, 1000);
    let gone = route(0, "sample");
    desk.upstream.answers(format!(
        "%START Version: 3 TEST 1001-1005\n\nADD 1001\n\n{new}\nADD 1002\n\n{changed}\nDEL 1003\n\n{gone}\n\
         ADD 1004\n\n{again}\nDEL 1005\n\n{gone}\n%END TEST\n\n\n"
    ));
    assert_eq!(desk.did().await, (Did::Imported(100), Some(Serial(1005))));
    assert_eq!(desk.objects().await, dumped);
}

#[tokio::test]
async fn without_nrtm_a_dump_is_taken_when_its_serial_rises() {
    let desk = Desk::new(false).await;
    desk.serves(&routes(10), 5);
    assert_eq!(desk.did().await, (Did::Imported(10), Some(Serial(5))));
    desk.serves(&routes(11), 5);
    assert_eq!(desk.did().await, (Did::Nothing, Some(Serial(5))), "the serial says that nothing changed");
    desk.serves(&routes(11), 6);
    assert_eq!(desk.did().await, (Did::Imported(11), Some(Serial(6))));
    desk.serves(&routes(12), 4);
    assert!(desk.failed().await.contains("begun again"), "a lower serial is raised");
    assert_eq!(desk.objects().await.len(), 11);
    for _ in 0..4 {
        desk.failed().await;
    }
    assert_eq!(
        desk.did().await,
        (Did::Imported(12), Some(Serial(4))),
        "a registry that began again is followed in the end"
    );
}

#[tokio::test]
async fn a_dump_that_is_no_dump_leaves_what_was_there() {
    let desk = Desk::new(false).await;
    desk.serves(&routes(100), 1);
    desk.did().await;
    let halved = dump(&routes(50));
    for (serial, text) in ["", "# EOF\n", "<html><body>Moved</body></html>", &halved].iter().enumerate() {
        desk.serves_text(text, &(serial + 2).to_string());
        let why = desk.failed().await;
        assert_eq!(desk.objects().await.len(), 100, "{why}");
        let trouble = desk.state().await.notes.trouble.unwrap();
        assert_eq!((trouble.message, trouble.times), (why, u32::try_from(serial).unwrap() + 1));
    }
    for serial in ["", "<html>", "twelve", "-1", "99999999999999999999"] {
        desk.serves_text(&dump(&routes(100)), serial);
        assert!(desk.failed().await.contains("TEST.CURRENTSERIAL"), "{serial:?}");
    }
    std::fs::remove_file(desk.file("test.db")).unwrap();
    std::fs::write(desk.file("TEST.CURRENTSERIAL"), "90").unwrap();
    desk.failed().await;
    assert_eq!(desk.objects().await, routes(100));
    desk.serves(&routes(101), 91);
    assert_eq!(desk.did().await.0, Did::Imported(101), "and it heals");
    assert_eq!(desk.state().await.notes.trouble, None);
}

/// Too little is gone for anything else to show it.
#[tokio::test]
async fn a_dump_without_the_mark_that_the_one_before_had_at_its_end_was_cut_off() {
    let desk = Desk::new(false).await;
    let unmarked = |objects: &[String]| dump(objects).replace("# EOF\n", "");
    desk.serves_text(&unmarked(&routes(100)), "1");
    assert_eq!(desk.did().await.0, Did::Imported(100), "some registries have none");
    desk.serves_text(&unmarked(&routes(101)), "2");
    assert_eq!(desk.did().await.0, Did::Imported(101));
    desk.serves(&routes(102), 3);
    assert_eq!(desk.did().await.0, Did::Imported(102));
    desk.serves_text(&unmarked(&routes(99)), "4");
    assert!(desk.failed().await.contains("# EOF"));
    assert_eq!(desk.objects().await, routes(102));
    desk.mirror.store.ask_reload(&desk.source().name).await.unwrap();
    assert_eq!(desk.did().await, (Did::Imported(99), Some(Serial(4))));
}

#[tokio::test]
async fn a_shrunk_dump_is_taken_once_somebody_accepts_it() {
    let desk = Desk::new(false).await;
    desk.serves(&routes(100), 1);
    desk.did().await;
    desk.serves(&routes(89), 2);
    assert!(desk.failed().await.contains("accept-shrink"));
    let name = desk.source().name.clone();
    assert_eq!(desk.mirror.store.accept_shrink(&name).await.unwrap().unwrap().objects, 89);
    desk.serves(&routes(50), 3);
    assert!(desk.failed().await.contains("50 objects"), "only what was refused is accepted");
    desk.mirror.store.accept_shrink(&name).await.unwrap();
    assert_eq!(desk.did().await, (Did::Imported(50), Some(Serial(3))));
    desk.serves(&routes(45), 4);
    assert_eq!(desk.did().await.0, Did::Imported(45), "90 % are enough");
    assert!(desk.mirror.store.accept_shrink(&name).await.unwrap().is_none(), "nothing is refused any more");
}

#[tokio::test]
async fn a_lying_upstream_changes_nothing_and_after_some_time_the_dump_is_taken() {
    let desk = Desk::new(true).await;
    desk.serves(&routes(100), 1000);
    desk.did().await;
    let object = route(1, "changed");
    let lies = [
        "% nothing to see\n\n\n".to_owned(),
        format!("%START Version: 3 OTHER 1001-1001\n\nADD 1001\n\n{object}\n%END OTHER\n\n\n"),
        format!("%START Version: 3 TEST 1001-1002\n\nADD 1002\n\n{object}\nADD 1001\n\n{object}\n%END TEST\n\n\n"),
        format!("%START Version: 3 TEST 1001-1001\n\nADD 1001\n\n{object}\n"),
        "%START Version: 3 TEST 1-1\n\n%END TEST\n\n\n".to_owned(),
    ];
    for lie in lies {
        desk.upstream.answers(lie);
        let why = desk.failed().await;
        assert_eq!(desk.objects().await, routes(100), "{why}");
        assert_eq!(desk.state().await.holding.unwrap().serial, Some(Serial(1000)));
    }
    desk.serves(&routes(101), 1100);
    assert_eq!(desk.did().await.0, Did::Imported(101));
    assert_eq!(desk.upstream.asked.lock().last().unwrap(), "-g TEST:3:1101-LAST");
}

/// An upstream without a journal says the same whatever it has: its serial tells.
#[tokio::test]
async fn an_upstream_that_was_loaded_anew_is_found_out() {
    let desk = Desk::new(true).await;
    desk.serves(&routes(100), 1000);
    desk.did().await;
    let nothing_kept = "% Warning: there are no updates available\n\n\n";
    desk.upstream.answers(nothing_kept);
    assert_eq!(desk.did().await, (Did::Nothing, Some(Serial(1000))));
    desk.serves(&routes(101), 990);
    desk.upstream.answers(nothing_kept);
    assert!(desk.failed().await.contains("begun again"));
    desk.serves(&routes(101), 1100);
    desk.upstream.answers(nothing_kept);
    assert!(desk.failed().await.contains("no changes any more"));
    assert_eq!(desk.objects().await, routes(100));
    assert_eq!(desk.did().await, (Did::Imported(101), Some(Serial(1100))), "the dump is taken at the next run");
}

#[tokio::test]
async fn changes_that_are_gone_upstream_are_made_up_for_at_the_next_run() {
    let desk = Desk::new(true).await;
    desk.serves(&routes(100), 1000);
    desk.did().await;
    desk.upstream.answers("%ERROR:401: invalid range: Not within 2000-2100\n\n\n");
    desk.failed().await;
    desk.serves(&routes(102), 2100);
    assert_eq!(desk.did().await, (Did::Imported(102), Some(Serial(2100))));
}

#[tokio::test]
async fn a_reload_that_is_asked_for_during_a_run_is_not_lost() {
    let desk = Desk::new(true).await;
    desk.serves(&routes(100), 1000);
    desk.did().await;
    let name = desk.source().name.clone();
    for _ in 0..3 {
        desk.mirror.store.ask_reload(&name).await.unwrap();
        let state = desk.state().await;
        assert!(state.wants_reload());
        // As if the run had begun before somebody asked once more.
        assert_eq!(desk.did().await.0, Did::Imported(100));
        assert!(!desk.state().await.wants_reload());
    }
    assert_eq!(desk.did().await.0, Did::Nothing);
}

#[tokio::test]
async fn bad_objects_are_left_out_and_told_and_the_serial_moves_on() {
    let desk = Desk::new(true).await;
    let mut objects = routes(10);
    objects.push(route(11, "x").replace("/24", "/8"));
    objects.push(route(12, "x").replace("TEST", "OTHER"));
    objects.push("poem: roses\nsource: TEST\n".to_owned());
    objects.push("*xxroute: 10.0.0.0/24\nsource: TEST\n".to_owned());
    desk.serves(&objects, 7);
    let updated = desk.update().await.unwrap();
    assert_eq!((updated.did, updated.rejects.total()), (Did::Imported(10), 3), "{:?}", updated.rejects);
    let reasons = ["host-bits", "other-source", "unknown-class"].map(|label| (label.to_owned(), 1));
    assert_eq!(updated.rejects.by_reason, reasons.into());
    desk.upstream.answers(format!(
        "%START Version: 3 TEST 8-8\n\nADD 8\n\n{}\n%END TEST\n\n\n",
        route(11, "x").replace("/24", "/8")
    ));
    let followed = desk.update().await.unwrap();
    assert_eq!((followed.did, followed.serial, followed.rejects.total()), (Did::Followed(0), Some(Serial(8)), 1));
    assert_eq!(desk.state().await.notes.rejected.total(), 4);
}
