//! Objects of every kind, good and bad: of dumps and of changes over NRTM we keep what an IRRd keeps.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
};

use rir_sidecar::{
    config::load_from,
    irr::{store::Store, update::Mirror},
};

use super::irrd::Irrd;

/// What both are given.
struct Given {
    dump: Vec<u8>,
    changes: String,
}

const SERIAL: u64 = 1000;

/// Objects that are taken.
const GOOD: &str = "mntner: SAMPLE-MNT\nadmin-c: SAMPLE-TEST\nupd-to: a@example.net\nmnt-by: SAMPLE-MNT\nsource: TEST

aut-num: AS64496\nas-name: SAMPLE\nmember-of: AS-SAMPLE\nmnt-by: SAMPLE-MNT\nsource: TEST

as-set: AS-SAMPLE\nmembers: AS64496, AS-OTHER,\nmnt-by: SAMPLE-MNT\nsource: TEST

as-set: AS64496:AS-BELOW\nmembers: AS64496,\n AS64497\n\tAS64498,\n+AS64499\nsource: TEST

as-set: OLD-NAME\nsource: TEST

route-set: RS-SAMPLE\nmembers: 192.0.2.0/24^25-26\nmp-members: 2001:db8::/32^+\nsource: TEST

route: 192.0.2.0/24\norigin: AS64496\nsource: test # as some write it

route: 192.0.2.0/24\norigin: AS64497\nsource: TEST

route6: 2001:0db8::/32\nOrigin: as64496\nSOURCE: TEST

route6: 2001:db8:1::/48\norigin: AS64496\nsource: TEST

person: Ann Example\nnic-hdl: AE1-TEST\nsource: TEST

role: Desk\nnic-hdl: DESK-TEST\nsource: TEST

inetnum: 192.0.2.0 - 192.0.2.255\nnetname: SAMPLE\nsource: TEST

inet6num: 2001:db8::/32\nnetname: SAMPLE\nsource: TEST

inet-rtr: rtr.example.net\nlocal-as: AS64496\nsource: TEST

domain: 2.0.192.in-addr.arpa\nsource: TEST

route: 198.51.100.0/24\r\norigin: AS64496\r\nsource: TEST\r

route: 198.51.101.0/24\norigin: AS64496\n# a comment\nremarks: one\n% another one\n \n two\nsource: TEST

route: 198.51.102.0/24\ndescr: once\norigin: AS64496\nsource: TEST

route: 198.51.102.0/24\ndescr: twice\norigin: AS64496\nsource: TEST

route: 198.51.103.0/24\ndescr: a\u{2028}b\u{85}c\u{b}d\norigin: AS64496\nsource: TEST

route: 198.51.104.0/24\norigin: AS64496\nrpki-ov-state: valid\nsource: TEST
";

/// Objects of which none is taken.
const BAD: &str = "route: 203.0.113.1/24\norigin: AS64496\nsource: TEST

route: 203.0.113.0\norigin: AS64496\nsource: TEST

route: 2001:db8::/32\norigin: AS64496\nsource: TEST

route6: 192.0.2.0/24\norigin: AS64496\nsource: TEST

route6: 2001:db8::1/32\norigin: AS64496\nsource: TEST

route: 203.0.113.0/24\nsource: TEST

route: 203.0.113.0/24\norigin: SAMPLE\nsource: TEST

route: 203.0.113.0/24\norigin: AS4294967296\nsource: TEST

route: 203.0.113.0/24\norigin: AS64496\nsource: OTHER

route: 203.0.113.0/24\norigin: AS64496

route: 203.0.113.0/24\norigin: AS64496\nsource: TEST\nsource: TEST

route: 203.0.113.0/24\norigin: AS64496\nno attribute\nsource: TEST

route: 203.0.113.0/24\norigin: AS64496\nre marks: x\nsource: TEST

route: 203.0.113.0/24\norigin: AS64496\nmnt-by: ?\nsource: TEST

poem: POEM-SAMPLE\ntext: roses\nsource: TEST

*xxroute: 203.0.113.0/24\norigin: AS64496\nsource: TEST

as-set: AS-BAD\nmembers: ?\nsource: TEST

aut-num: 64496X\nsource: TEST

person: Nobody\nsource: TEST

inetnum: 192.0.2.9 - 192.0.2.1\nsource: TEST

as-block: AS9 - AS1\nsource: TEST

route: 192.0.2.0/24\ndescr: spoilt\norigin: AS64496\nmnt-by: -\nsource: TEST

Moved: see elsewhere
";

fn given(name: &str) -> Given {
    let mut dump = format!("% A sample\n\n\n{GOOD}\n{BAD}\n");
    let set = (0..30_000).fold("as-set: AS-HUGE\nsource: TEST\nmembers: AS1".to_owned(), |mut set, number| {
        write!(set, ",\n AS{number}").unwrap();
        set
    });
    write!(dump, "{set}\n\n").unwrap();
    let mut changes = Changes::default();
    changes.op("ADD", "route: 192.0.3.0/24\norigin: AS64496\nsource: TEST");
    changes.op("ADD", "route: 192.0.2.0/24\ndescr: changed\norigin: AS64496\nsource: TEST");
    changes.op("ADD", "as-set: AS-NEW\nsource: TEST");
    changes.op("ADD", "route-set: RS-NEW\nsource: TEST");
    changes.op("ADD", "aut-num: AS64500\nas-name: NEW\nsource: TEST");
    changes.op("DEL", "route: 192.0.2.0/24\norigin: AS64497\nsource: TEST");
    changes.op("DEL", "route6: 2001:db8::/32\norigin: AS64496");
    changes.op("DEL", "as-set: AS-SAMPLE");
    changes.op("DEL", "aut-num: AS64999\nsource: TEST");
    changes.op("DEL", "route: 198.51.101.0/24\norigin: AS64496\nsource: OTHER");
    changes.op("DEL", "route: 198.51.104.0/24\nsource: TEST");
    changes.op("DEL", "poem: POEM-SAMPLE\nsource: TEST");
    changes.op("ADD", "route: 198.51.105.0/24\norigin: AS64496\n% inside\nsource: TEST");
    changes.op("ADD", "route: 198.51.106.0/24\norigin: AS64496\n# inside\nsource: TEST");
    changes.serial += 5;
    for bad in BAD.split("\n\n") {
        changes.op("ADD", bad.trim_end());
    }
    changes.op("ADD", "person: Late\nnic-hdl: LATE-TEST\nsource: TEST");
    let named = |text: &str| text.replace("TEST", name).replace(": test #", &format!(": {} #", name.to_lowercase()));
    let mut dump = named(&dump).into_bytes();
    // Letters of another time, and no empty line at the end.
    dump.extend(b"route: 198.51.107.0/24\ndescr: caf\xe9\norigin: AS64496\nsource: ");
    dump.extend(name.as_bytes());
    Given { dump, changes: named(&changes.whole()) }
}

/// An answer over NRTM.
struct Changes {
    text: String,
    serial: u64,
}

impl Default for Changes {
    fn default() -> Self {
        Self { text: String::new(), serial: SERIAL }
    }
}

impl Changes {
    fn op(&mut self, what: &str, object: &str) {
        self.serial += 1;
        write!(self.text, "{what} {}\n\n{object}\n\n", self.serial).unwrap();
    }

    fn whole(&self) -> String {
        format!("%START Version: 3 TEST {}-{}\n\n{}%END TEST\n\n\n", SERIAL + 1, self.serial, self.text)
    }
}

/// Answers every question for the changes since the dump alike, and those for later ones with nothing.
fn upstream(changes: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut question = String::new();
            stream.read_line(&mut question).unwrap();
            let asks_all = question.contains(&format!(":{}-LAST", SERIAL + 1));
            let answer =
                if asks_all { changes.as_str() } else { "% Warning: there are no newer updates available\n\n\n" };
            stream.into_inner().write_all(answer.as_bytes()).unwrap();
        }
    });
    port
}

/// Classes and keys of objects, with their texts where they are known.
type Kept = BTreeMap<String, String>;

/// Returns what we keep of a dump, and then of the changes.
async fn ours(irrd: &Irrd) -> Kept {
    let settings = load_from(Some(&irrd.path("settings.toml")), &BTreeMap::new()).unwrap();
    let (mirror, source) = (Mirror::new(Store::in_memory(), &settings).unwrap(), &settings.irr.source[0]);
    mirror.update(source, |_| {}).await.unwrap();
    let mut current = mirror.store.objects(&source.name).await.unwrap().unwrap();
    let mut kept = Kept::new();
    while let Some(some) = current.next().await.unwrap() {
        kept.extend(some.into_iter().map(|object| (format!("{} {}", object.key.class, object.key.key), object.text)));
    }
    kept
}

fn keys(kept: &Kept) -> BTreeSet<String> {
    kept.keys().cloned().collect()
}

/// Settles the IRRd and us as mirrors with a filter of classes; without one all that are known are taken.
fn settle(irrd: &Irrd, port: Option<u16>, classes: &[&str]) {
    let place = irrd.folder.path().display();
    let mut lines = vec![
        format!("import_source: 'file://{place}/dump.db'"),
        format!("import_serial_source: 'file://{place}/serial'"),
    ];
    let mut mirror = format!("dumps = ['file://{place}/dump.db']\nserial_url = 'file://{place}/serial'\n");
    if let Some(port) = port {
        lines.extend(["nrtm_host: 127.0.0.1".to_owned(), format!("nrtm_port: {port}")]);
        writeln!(mirror, "nrtm = '127.0.0.1:{port}'").unwrap();
    }
    if !classes.is_empty() {
        lines.push(format!("object_class_filter: {classes:?}"));
        writeln!(mirror, "classes = {classes:?}").unwrap();
    }
    irrd.settles(&lines);
    irrd.mirrors(&mirror);
    std::fs::write(irrd.path("serial"), SERIAL.to_string()).unwrap();
}

#[tokio::test]
async fn a_mirror_keeps_what_an_irrd_keeps_with_each_filter_of_classes() {
    let irrd = Irrd::new();
    let given = given(&irrd.name);
    let port = upstream(given.changes);
    std::fs::write(irrd.path("dump.db"), given.dump).unwrap();
    let filters: [(&[&str], usize); 4] =
        [(&[], 26), (&["route", "route6"], 10), (&["aut-num"], 2), (&["as-set", "route-set"], 6)];
    for (classes, count) in filters {
        settle(&irrd, Some(port), classes);
        let told = irrd.does(&["import", "import", "keys", "forget"]);
        let theirs: BTreeSet<String> = told.lines().map(str::to_owned).collect();
        let kept = ours(&irrd).await;
        assert_eq!(keys(&kept), theirs, "{classes:?}");
        assert_eq!(kept.len(), count, "{classes:?}: {:?}", keys(&kept));
        if classes.is_empty() {
            let says = |key: &str, text: &str| assert!(kept[key].contains(text), "{}", kept[key]);
            says("route 192.0.2.0/24AS64496", "descr: changed\n");
            says("route 198.51.102.0/24AS64496", "descr: twice\n");
            says("route 198.51.107.0/24AS64496", "descr: caf\\xe9\n");
        }
    }
}

/// What was varied at random, as one dump: what `src/irr/rpsl/irrd.txt` says of it was not made up.
#[tokio::test]
async fn a_mirror_keeps_what_an_irrd_keeps_of_varied_objects() {
    let irrd = Irrd::new();
    let recorded = include_str!("../../../../src/irr/rpsl/irrd.txt");
    let mut dump = String::new();
    for line in recorded.lines().filter(|line| !line.starts_with('#')) {
        let (text, _) = line.rsplit_once(" => ").unwrap();
        let text = text.replace("\\n", "\n").replace("\\t", "\t").replace("TEST", &irrd.name);
        write!(dump, "{}\n\n", text.trim_end_matches('\n')).unwrap();
    }
    std::fs::write(irrd.path("dump.db"), dump).unwrap();
    settle(&irrd, None, &[]);
    let told = irrd.does(&["import", "keys"]);
    let theirs: BTreeSet<String> = told.lines().map(str::to_owned).collect();
    assert!(theirs.len() > 50, "{theirs:?}");
    assert_eq!(keys(&ours(&irrd).await), theirs);
}

/// Where we mean to differ.
#[tokio::test]
async fn a_mirror_differs_from_an_irrd_where_that_is_meant() {
    let irrd = Irrd::new();
    let endless = format!("as-set: AS-ENDLESS\n{}source: TEST", "remarks: more of this\n".repeat(200_000));
    let theirs_alone = [
        // An object that never ends must not fill the memory.
        ("as-set AS-ENDLESS", endless.as_str()),
        // Python reads such numbers.
        ("aut-num AS64496", "aut-num: AS64_496\nsource: TEST"),
        // Nobody can ask for a key of nothing.
        ("domain ", "domain:\nsource: TEST"),
        // A key that stands twice is two keys. An IRRd makes one of them, with a line feed in it.
        ("mntner \\nSECOND-MNT", "mntner: FIRST-MNT\nmntner: SECOND-MNT\nsource: TEST"),
    ];
    // Names of attributes have no case, and the class is one.
    let ours_alone = ("route 192.0.2.0/24AS64496", "Route: 192.0.2.0/24\norigin: AS64496\nsource: TEST");
    let mut dump: String = theirs_alone.iter().map(|(_, text)| format!("{text}\n\n")).collect();
    write!(dump, "{}\n\naut-num: AS1\nsource: TEST\n", ours_alone.1).unwrap();
    std::fs::write(irrd.path("dump.db"), dump.replace("TEST", &irrd.name)).unwrap();
    settle(&irrd, None, &[]);
    let theirs = irrd.does(&["import", "keys", "forget"]);
    let mut theirs: Vec<&str> = theirs.lines().collect();
    theirs.sort_unstable();
    let mut expected = theirs_alone.map(|(key, _)| key).to_vec();
    expected.insert(1, "aut-num AS1");
    assert_eq!(theirs, expected);
    assert_eq!(keys(&ours(&irrd).await), ["aut-num AS1", ours_alone.0].map(str::to_owned).into());
    // One object of which it did not think keeps an IRRd from taking any. We leave that one out.
    let stops =
        format!("route: 192.0.2.0/24\norigin: AS1\norigin: AS2\nsource: {0}\n\naut-num: AS1\nsource: {0}\n", irrd.name);
    std::fs::write(irrd.path("dump.db"), stops).unwrap();
    assert_eq!(irrd.does(&["import", "keys"]), "");
    assert_eq!(keys(&ours(&irrd).await), ["aut-num AS1".to_owned()].into());
}
