//! A source that is asked instead of mirrored: a whois server that does what a test wants, a store in memory.

use std::sync::Arc;

use ipnet::IpNet;
use parking_lot::Mutex;
use rir_sandbox::irr::Server as Registry;
use rir_sidecar::{
    config::{IrrSource, Settings, load_from},
    irr::{
        store::{SourceState, Store},
        update::{Did, Mirror, UpdateError, Updated},
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

/// Answers a question behind `!!`; `None` hangs up.
type Answers = Box<dyn Fn(&str) -> Option<String> + Send>;

/// A whois server, the source that is asked of it, and what is kept of that.
struct Desk {
    mirror: Mirror,
    settings: Settings,
    answers: Arc<Mutex<Answers>>,
}

async fn server(answers: Arc<Mutex<Answers>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (from, mut to) = stream.split();
            let mut lines = BufReader::new(from).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = if line == "!!" { Some(String::new()) } else { answers.lock()(&line) };
                let Some(answer) = answer else { break };
                if to.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    address
}

fn settings(source: &str) -> Settings {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let text = format!("[netbox]\nurl = 'http://netbox.test/'\ntoken = 'x'\n[[irr.source]]\n{source}");
    std::fs::write(&file, text).unwrap();
    load_from(Some(&file), &Default::default()).unwrap()
}

fn route(prefix: &str, says: &str) -> String {
    let class = if prefix.contains(':') { "route6" } else { "route" };
    format!("{class}: {prefix}\ndescr: {says}\norigin: AS64496\nsource: TEST\n")
}

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn counted(objects: &[String]) -> String {
    let text = objects.join("\n") + "\n";
    format!("A{}\n{text}C\n", text.len())
}

impl Desk {
    async fn new(more: &str) -> Self {
        let answers: Arc<Mutex<Answers>> = Arc::new(Mutex::new(Box::new(|_| Some("D\n".to_owned()))));
        let address = server(Arc::clone(&answers)).await;
        Self::of(answers, &format!("name = 'TEST'\nkind = 'query'\nserver = '{address}'\n{more}"))
    }

    fn of(answers: Arc<Mutex<Answers>>, source: &str) -> Self {
        let settings = settings(source);
        let mirror = Mirror::new(Store::in_memory(), &settings).unwrap();
        Self { mirror, settings, answers }
    }

    fn source(&self) -> &IrrSource {
        &self.settings.irr.source[0]
    }

    fn answers(&self, answers: impl Fn(&str) -> Option<String> + Send + 'static) {
        *self.answers.lock() = Box::new(answers);
    }

    /// Has the server find these objects inside each range.
    fn serves(&self, objects: &[String]) {
        let answer = if objects.is_empty() { "D\n".to_owned() } else { counted(objects) };
        self.answers(move |question| Some(if question.ends_with(",M") { answer.clone() } else { "D\n".to_owned() }));
    }

    async fn ask(&self, own: &[&str]) -> Result<Updated, UpdateError> {
        self.mirror.ask_own(self.source(), &nets(own), |_| {}).await
    }

    async fn did(&self, own: &[&str]) -> Did {
        self.ask(own).await.unwrap().did
    }

    async fn failed(&self, own: &[&str]) -> String {
        self.ask(own).await.unwrap_err().to_string()
    }

    async fn state(&self) -> SourceState {
        self.mirror.store.state(&self.source().name).await.unwrap()
    }

    /// The keys of all objects.
    async fn keys(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut current = self.mirror.store.objects(&self.source().name).await.unwrap().unwrap();
        while let Some(some) = current.next().await.unwrap() {
            all.extend(some.into_iter().map(|object| object.key.key));
        }
        all
    }
}

#[tokio::test]
async fn objects_equal_to_own_space_around_it_and_inside_are_kept() {
    let prefixes = ["192.0.0.0/16", "192.0.2.0/24", "192.0.2.128/25", "198.51.100.0/24", "2001:db8::/32"];
    let objects = prefixes.map(|prefix| route(prefix, "sample"));
    let registry = Registry::start("TEST", 1, &objects).await.unwrap();
    let desk = Desk::of(Arc::new(Mutex::new(Box::new(|_| None))), &registry.query_settings());
    let own = ["192.0.2.0/24", "203.0.113.0/24", "2001:db8:1::/48"];
    assert_eq!(desk.did(&own).await, Did::Answered(4));
    let kept =
        ["192.0.0.0/16", "192.0.2.0/24", "192.0.2.128/25", "2001:DB8::/32"].map(|prefix| format!("{prefix}AS64496"));
    assert_eq!(desk.keys().await, kept);
    let first = desk.state().await;
    assert_eq!((&first.notes.asked, first.holding.clone().unwrap().serial), (&nets(&own), None));
    assert_eq!(desk.did(&own).await, Did::Nothing);
    let same = desk.state().await;
    assert_eq!(same.holding, first.holding, "nothing was written");
    assert!(same.notes.checked > first.notes.checked && same.notes.changed == first.notes.changed);
    registry.add(&route("192.0.2.64/26", "new"));
    registry.delete(&route("192.0.2.128/25", "sample"));
    assert_eq!(desk.did(&own).await, Did::Answered(4));
    assert!(desk.keys().await.contains(&"192.0.2.64/26AS64496".to_owned()));
    assert!(!desk.keys().await.contains(&"192.0.2.128/25AS64496".to_owned()));
    assert_eq!(desk.did(&own[..1]).await, Did::Answered(3), "what is no longer asked about is gone");
    assert_eq!(desk.did(&[own[0], own[1]]).await, Did::Nothing, "nothing is about what was added");
    assert_eq!(desk.state().await.notes.asked, nets(&own[..2]));
}

#[tokio::test]
async fn what_is_no_object_of_the_source_is_left_out_and_told_once() {
    let desk = Desk::new("").await;
    let (ours, bad) = (route("192.0.0.0/16", "x"), route("192.0.1.0/16", "host bits"));
    let others = route("192.0.0.0/16", "x").replace("TEST", "OTHER");
    let mntner = "mntner: A-MNT\nsource: TEST\n".to_owned();
    desk.serves(&[ours.clone() + "rpki-ov-state: valid\n", bad, others, mntner]);
    let updated = desk.ask(&["192.0.2.0/24", "192.0.3.0/24"]).await.unwrap();
    assert_eq!(updated.did, Did::Answered(1));
    let reasons = ["host-bits", "other-source"].map(|label| (label.to_owned(), 1));
    assert_eq!(updated.rejects.by_reason, reasons.into());
    let mut objects = desk.mirror.store.objects(&desk.source().name).await.unwrap().unwrap();
    assert_eq!(objects.next().await.unwrap().unwrap()[0].text, ours, "an IRRd adds its verdict, the registry has none");
}

#[tokio::test]
async fn an_answer_about_other_space_is_refused() {
    let desk = Desk::new("").await;
    desk.serves(&[route("192.0.2.0/25", "x")]);
    desk.did(&["192.0.2.0/24"]).await;
    desk.serves(&[route("192.0.2.0/26", "x"), route("198.51.100.0/24", "x")]);
    let why = desk.failed(&["192.0.2.0/24"]).await;
    assert!(why.contains("asked about 192.0.2.0/24") && why.contains("about 198.51.100.0/24"), "{why}");
    assert_eq!(desk.keys().await, ["192.0.2.0/25AS64496"]);
}

#[tokio::test]
async fn half_of_the_answers_change_nothing() {
    let desk = Desk::new("").await;
    let own = ["10.0.0.0/8", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24"];
    desk.serves(&[route("10.0.0.0/8", "x")]);
    assert_eq!(desk.did(&own).await, Did::Answered(1));
    let before = desk.state().await;
    for begin in ["!s", "!f", "!r10.0.0.0/8,L", "!r10.0.2.0/24,L", "!r10.0.4.0/24,M"] {
        desk.answers(move |question| {
            (!question.starts_with(begin)).then(|| counted(&[route("10.0.0.0/8", "x"), route("10.0.0.0/9", "new")]))
        });
        let why = desk.failed(&own).await;
        let after = desk.state().await;
        assert_eq!((&after.holding, after.notes.checked), (&before.holding, before.notes.checked), "{begin} {why}");
        assert_eq!(after.notes.trouble.unwrap().message, why);
    }
    desk.serves(&[route("10.0.0.0/8", "x")]);
    assert_eq!(desk.did(&own).await, Did::Nothing);
    assert_eq!(desk.state().await.notes.trouble, None, "and it heals");
}

#[tokio::test]
async fn a_source_that_the_server_does_not_know_is_told() {
    let registry = Registry::start("OTHER", 1, &[]).await.unwrap();
    let source = registry.query_settings().replace("OTHER", "TEST");
    let desk = Desk::of(Arc::new(Mutex::new(Box::new(|_| None))), &source);
    let why = desk.failed(&["192.0.2.0/24"]).await;
    assert!(why.ends_with(r#"refuses "!sTEST": "One or more selected sources are unavailable.""#), "{why}");
    assert!(desk.state().await.holding.is_none());
}

#[tokio::test]
async fn an_answer_without_any_object_is_believed_only_where_there_was_none_before() {
    let (desk, own) = (Desk::new("").await, ["192.0.2.0/24"]);
    assert_eq!(desk.did(&own).await, Did::Answered(0), "a registry may have nothing about our space");
    assert_eq!(desk.did(&own).await, Did::Nothing);
    desk.serves(&[route("192.0.2.0/25", "x"), route("192.0.2.128/25", "x")]);
    assert_eq!(desk.did(&own).await, Did::Answered(2));
    desk.serves(&[route("192.0.2.0/25", "x")]);
    assert_eq!(desk.did(&own).await, Did::Answered(1), "fewer are nothing special");
    desk.serves(&[]);
    let why = desk.failed(&own).await;
    assert!(why.starts_with("the answer has 0 objects and 1 are held") && why.contains("accept-shrink"), "{why}");
    assert_eq!(desk.keys().await, ["192.0.2.0/25AS64496"]);
    let more = [own[0], "198.51.100.0/24"];
    assert!(desk.failed(&more).await.contains("0 objects and 1 are held"), "more space makes no difference");
    let name = desk.source().name.clone();
    assert_eq!(desk.mirror.store.accept_shrink(&name).await.unwrap().unwrap().objects, 0);
    assert_eq!(desk.did(&own).await, Did::Answered(0));
    assert_eq!(desk.keys().await, [""; 0]);
}

#[tokio::test]
async fn objects_about_space_that_is_not_ours_any_more_are_not_missed() {
    let desk = Desk::new("max_shrink = 0.5").await;
    let routes = ["192.0.2.0/25", "192.0.2.128/25", "192.0.2.0/26", "192.0.2.64/26"].map(|prefix| route(prefix, "x"));
    desk.serves(&routes);
    assert_eq!(desk.did(&["192.0.2.0/24"]).await, Did::Answered(4));
    desk.serves(&routes[..1]);
    assert!(desk.failed(&["192.0.2.0/24"]).await.contains("1 objects and 4 are held"));
    desk.serves(&[]);
    assert_eq!(desk.did(&["198.51.100.0/24"]).await, Did::Answered(0));
}

#[tokio::test]
async fn without_own_space_there_is_nothing_to_ask() {
    let desk = Desk::new("").await;
    desk.answers(|question| panic!("{question}"));
    let updated = desk.ask(&[]).await.unwrap();
    assert_eq!(updated.did, Did::NothingToAsk);
    assert!(updated.to_string().starts_with("nothing to ask about: NetBox has no aggregate"), "{updated}");
    assert_eq!(desk.state().await, SourceState::default());
}

#[tokio::test]
async fn a_reload_takes_an_answer_that_is_the_same() {
    let (desk, own) = (Desk::new("").await, ["192.0.2.0/24"]);
    desk.serves(&[route("192.0.2.0/25", "x")]);
    desk.did(&own).await;
    desk.mirror.store.ask_reload(&desk.source().name).await.unwrap();
    assert_eq!(desk.did(&own).await, Did::Answered(1));
    assert!(!desk.state().await.wants_reload());
    assert_eq!(desk.did(&own).await, Did::Nothing);
}

/// Whoever finds that a registry is too large, or that they want all of it, changes the kind.
#[tokio::test]
async fn a_source_that_was_mirrored_can_be_asked_and_back() {
    let objects = ["192.0.2.0/24", "198.51.100.0/24"].map(|prefix| route(prefix, "sample"));
    let registry = Registry::start("TEST", 5, &objects).await.unwrap();
    let (mirrored, asked) = (settings(&registry.settings()), settings(&registry.query_settings()));
    let mirror = Mirror::new(Store::in_memory(), &mirrored).unwrap();
    for _ in 0..2 {
        let updated = mirror.update(&mirrored.irr.source[0], |_| {}).await.unwrap();
        assert_eq!(updated.did, Did::Imported(2));
        let updated = mirror.ask_own(&asked.irr.source[0], &nets(&["192.0.2.0/24"]), |_| {}).await.unwrap();
        assert_eq!((updated.did, updated.serial), (Did::Answered(1), None));
    }
}
