//! The list of VRPs as a source: a validator that does what a test wants, a store in memory.

use std::{io::Write as _, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rir_sidecar::{
    config::{IrrSource, load_from},
    error_chain::error_chain,
    irr::{
        roa::{Validity, Vrp, Vrps},
        store::{SourceState, Store},
        update::{Did, Mirror, UpdateError, Updated},
    },
    model::Asn,
};
use tokio::net::TcpListener;

/// What a validator serves, and what it was asked.
#[derive(Default)]
struct Served {
    body: Vec<u8>,
    headers: Vec<(HeaderName, String)>,
    /// The `If-None-Match` of each request.
    asked: Vec<Option<String>>,
}

/// A validator, and the source that its list is.
struct Desk {
    validator: Arc<Mutex<Served>>,
    mirror: Mirror,
    source: IrrSource,
}

async fn answer(State(validator): State<Arc<Mutex<Served>>>, asked: HeaderMap) -> Response {
    let mut validator = validator.lock();
    let known = asked.get(header::IF_NONE_MATCH).map(|tag| tag.to_str().unwrap().to_owned());
    validator.asked.push(known.clone());
    let headers: HeaderMap =
        validator.headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
    let is_known =
        known.is_some_and(|known| headers.get(header::ETAG).is_some_and(|tag| tag.to_str().unwrap() == known));
    match is_known {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, validator.body.clone()).into_response(),
    }
}

/// Returns the source that a list at this URL is, by settings.
fn source(url: &str) -> (Mirror, IrrSource) {
    let needed = [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", "x"), ("RPKI__VRPS", url)];
    let set = needed.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    let settings = load_from(None, &set.into()).unwrap();
    (Mirror::new(Store::in_memory(), &settings).unwrap(), settings.irr.source[0].clone())
}

/// Returns the second that was so long ago.
fn ago(minutes: i64) -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap() - SignedDuration::from_mins(minutes)
}

/// A list as Routinator writes it.
fn routinator(made: Timestamp, entries: &[String]) -> String {
    let metadata = format!(r#"{{"generated": {}, "generatedTime": "{made}"}}"#, made.as_second());
    format!(r#"{{"metadata": {metadata}, "roas": [{}]}}"#, entries.join(","))
}

/// A list as rpki-client writes it, which is the numbers of ASes without the letters.
fn rpki_client(made: Timestamp, entries: &[String]) -> String {
    let entries = entries.join(",").replace("\"AS", "").replace("\", \"prefix", ", \"prefix");
    format!(r#"{{"metadata": {{"buildtime": "{made}"}}, "roas": [{entries}], "aspas": []}}"#)
}

fn roa(prefix: &str, max_length: u8, origin: u32) -> String {
    format!(r#"{{"asn": "AS{origin}", "prefix": "{prefix}", "maxLength": {max_length}, "ta": "arin"}}"#)
}

fn roas(count: u8) -> Vec<String> {
    (0..count).map(|number| roa(&format!("10.0.{number}.0/24"), 24, 64496)).collect()
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

impl Desk {
    async fn new() -> Self {
        let validator = Arc::<Mutex<Served>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mirror, source) = source(&format!("http://{}/json", listener.local_addr().unwrap()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&validator));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { validator, mirror, source }
    }

    /// Serves a list, under a tag or without one.
    fn serves(&self, body: impl Into<Vec<u8>>, tag: &str) {
        let tag = (!tag.is_empty()).then(|| (header::ETAG, format!("\"{tag}\"")));
        let mut validator = self.validator.lock();
        (validator.body, validator.headers) = (body.into(), tag.into_iter().collect());
    }

    /// Returns the tags by which it was asked since this was called last.
    fn asked(&self) -> Vec<Option<String>> {
        std::mem::take(&mut self.validator.lock().asked)
    }

    async fn update(&self) -> Result<Updated, UpdateError> {
        self.mirror.update(&self.source, |_| {}).await
    }

    async fn did(&self) -> Did {
        self.update().await.unwrap().did
    }

    /// Updates in vain, and returns why.
    async fn failed(&self) -> String {
        error_chain(&self.update().await.unwrap_err())
    }

    async fn state(&self) -> SourceState {
        self.mirror.store.state(&self.source.name).await.unwrap()
    }

    async fn vrps(&self) -> Vec<Vrp> {
        held(&self.mirror, &self.source).await
    }
}

/// The VRPs that are held, in their order.
async fn held(mirror: &Mirror, source: &IrrSource) -> Vec<Vrp> {
    let mut all = Vec::new();
    let mut objects = mirror.store.objects(&source.name).await.unwrap().unwrap();
    while let Some(some) = objects.next().await.unwrap() {
        all.extend(some.iter().map(|object| Vrp::read(object).unwrap()));
    }
    all
}

#[tokio::test]
async fn both_forms_are_taken_and_a_list_that_is_the_same_costs_one_request() {
    let desk = Desk::new().await;
    let mut entries = roas(3);
    entries.extend([roa("2001:db8::/32", 48, 0), roa("10.0.1.0/24", 28, 64496), roa("10.0.1.0/24", 26, 64496)]);
    let made = ago(1);
    desk.serves(routinator(made, &entries), "a");
    assert_eq!(desk.did().await, Did::Imported(4));
    let vrps = desk.vrps().await;
    let told: Vec<_> = vrps.iter().map(|vrp| format!("{}-{} {}", vrp.prefix, vrp.max_length, vrp.origin)).collect();
    assert_eq!(
        told,
        ["10.0.0.0/24-24 AS64496", "10.0.1.0/24-28 AS64496", "10.0.2.0/24-24 AS64496", "2001:db8::/32-48 AS0"]
    );
    let vrps: Vrps = vrps.into_iter().collect();
    assert_eq!(vrps.validity(&"10.0.1.16/28".parse().unwrap(), Asn(64496)), Validity::Valid);
    let state = desk.state().await;
    assert_eq!((state.notes.generated, desk.asked()), (Some(made), vec![None]));
    assert_eq!(desk.did().await, Did::Nothing);
    assert_eq!(desk.asked(), [Some("\"a\"".to_owned())]);
    assert!(desk.state().await.notes.checked > state.notes.checked);
    desk.serves(rpki_client(ago(0), &entries), "b");
    assert_eq!(desk.did().await, Did::Imported(4));
    assert_eq!(desk.vrps().await.len(), 4);
    // Without a tag the whole list comes each time, and is the same.
    let same = desk.validator.lock().body.clone();
    desk.serves(same, "");
    let generation = desk.state().await.holding.unwrap().generation;
    assert_eq!(desk.did().await, Did::Nothing);
    assert_eq!(desk.state().await.holding.unwrap().generation, generation);
}

#[tokio::test]
async fn a_list_that_is_none_leaves_what_was_there() {
    let desk = Desk::new().await;
    desk.serves(routinator(ago(1), &[]), "none");
    assert!(desk.failed().await.contains("0 objects and 0 are held"));
    desk.serves(routinator(ago(1), &roas(100)), "a");
    assert_eq!(desk.did().await, Did::Imported(100));
    let whole = routinator(ago(0), &roas(100));
    let gz = packed(&whole);
    let lists = [
        (String::new().into_bytes(), "no list of VRPs"),
        (b"{}".to_vec(), "missing field `roas`"),
        (b"<html><body>Moved</body></html>".to_vec(), "a web page came instead"),
        (whole.as_bytes()[..whole.len() / 2].to_vec(), "no list of VRPs"),
        (gz[..gz.len() / 2].to_vec(), "cannot be unpacked"),
        (routinator(ago(0), &[]).into_bytes(), "the list has 0 objects and 100 are held"),
        (routinator(ago(0), &roas(50)).into_bytes(), "the list has 50 objects and 100 are held"),
    ];
    for (count, (list, why)) in (1_u32..).zip(lists) {
        desk.serves(list, &format!("bad{count}"));
        let told = desk.failed().await;
        assert!(told.contains(why), "{told}");
        assert_eq!(desk.vrps().await.len(), 100, "{told}");
        let trouble = desk.state().await.notes.trouble.unwrap();
        assert_eq!((trouble.message, trouble.times), (told, count));
    }
    // So few are right, a person says.
    assert_eq!(desk.mirror.store.accept_shrink(&desk.source.name).await.unwrap().unwrap().objects, 50);
    assert_eq!(desk.did().await, Did::Imported(50));
    assert_eq!(desk.state().await.notes.trouble, None);
    desk.serves(gz, "whole");
    assert_eq!(desk.did().await, Did::Imported(100), "packed, whatever it is called");
}

#[tokio::test]
async fn a_list_that_was_made_too_long_ago_is_refused() {
    let desk = Desk::new().await;
    let made = ago(361);
    desk.serves(routinator(made, &roas(10)), "a");
    let told = desk.failed().await;
    assert!(told.contains(&made.to_string()) && told.contains("see whether the validator runs"), "{told}");
    assert_eq!((desk.state().await.holding, desk.state().await.notes.checked), (None, None));
    desk.serves(rpki_client(ago(359), &roas(10)), "b");
    assert_eq!(desk.did().await, Did::Imported(10));
    desk.serves(rpki_client(ago(361), &roas(11)), "c");
    assert!(desk.failed().await.contains("longer ago than 6h"));
    assert_eq!(desk.vrps().await.len(), 10);
}

/// As Routinator does: its list has a tag that stays the same as long as it says the same.
#[tokio::test]
async fn a_validator_that_says_that_nothing_is_new_is_believed_until_its_list_is_too_old() {
    let mut desk = Desk::new().await;
    desk.serves(routinator(ago(60), &roas(10)), "a");
    desk.did().await;
    assert_eq!(desk.did().await, Did::Nothing);
    let checked = desk.state().await.notes.checked;
    // As if time had passed.
    desk.source.max_age = Some(std::time::Duration::from_secs(59 * 60));
    desk.asked();
    assert!(desk.failed().await.contains("longer ago than 59m"));
    assert_eq!(desk.asked(), [None], "the whole list is asked for");
    assert_eq!(desk.state().await.notes.checked, checked, "that does not count as an answer");
    desk.serves(routinator(ago(0), &roas(10)), "a");
    assert_eq!(desk.did().await, Did::Imported(10));
    assert_eq!((desk.state().await.notes.trouble, desk.did().await), (None, Did::Nothing));
    assert_eq!(desk.asked(), [None, Some("\"a\"".to_owned())]);
}

#[tokio::test]
async fn where_a_list_does_not_say_when_it_was_made_its_file_may() {
    let desk = Desk::new().await;
    let modified = |minutes: i64| {
        let at = ago(minutes);
        desk.validator.lock().headers = vec![(header::LAST_MODIFIED, httpdate::fmt_http_date(at.into()))];
        Some(at)
    };
    desk.validator.lock().body = format!(r#"{{"roas": [{}]}}"#, roas(10).join(",")).into();
    modified(361);
    assert!(desk.failed().await.contains("longer ago than 6h"));
    let at = modified(5);
    assert_eq!(desk.did().await, Did::Imported(10));
    assert_eq!(desk.state().await.notes.generated, at);
    // The same again, written anew.
    let at = modified(1);
    assert_eq!(desk.did().await, Did::Nothing);
    assert_eq!(desk.state().await.notes.generated, at);
    desk.serves(format!(r#"{{"roas": [{}]}}"#, roas(11).join(",")), "x");
    assert_eq!(desk.did().await, Did::Imported(11));
    assert_eq!(desk.state().await.notes.generated, None, "nobody says");
    assert_eq!(desk.did().await, Did::Nothing);
}

#[tokio::test]
async fn a_clock_that_is_ahead_makes_no_list_younger_than_now() {
    let desk = Desk::new().await;
    desk.serves(routinator(ago(-600), &roas(10)), "a");
    assert_eq!(desk.did().await, Did::Imported(10));
    let generated = desk.state().await.notes.generated.unwrap();
    assert!(generated <= Timestamp::now() && generated >= ago(1), "{generated}");
}

#[tokio::test]
async fn entries_that_make_no_sense_are_left_out_and_told() {
    let desk = Desk::new().await;
    let mut entries = roas(10);
    entries.extend([
        roa("10.1.0.1/24", 24, 64496),
        roa("10.1.0.0/24", 23, 64496),
        r#"{"asn": "AS64496", "prefix": "10.1.2.0/24", "maxLength": 24, "expires": 1}"#.to_owned(),
    ]);
    desk.serves(routinator(ago(1), &entries), "a");
    let updated = desk.update().await.unwrap();
    let reasons = ["bad-max-length", "host-bits"].map(|label| (label.to_owned(), 1));
    assert_eq!((updated.did, updated.rejects.by_reason), (Did::Imported(10), reasons.into()));
    assert_eq!(updated.rejects.examples[0].handle(), "10.1.0.1/24");
    assert_eq!(desk.state().await.notes.rejected.total(), 2);
}

#[tokio::test]
async fn a_list_is_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, pack) in [("vrps.json", false), ("vrps.json.gz", true)] {
        let file = folder.path().join(name);
        let (mirror, source) = source(&format!("file://{}", file.display()));
        let update = async || mirror.update(&source, |_| {}).await;
        let serves = |count| {
            let list = rpki_client(ago(1), &roas(count));
            std::fs::write(&file, if pack { packed(&list) } else { list.into_bytes() }).unwrap();
        };
        assert!(update().await.is_err(), "there is none yet");
        serves(10);
        assert_eq!(update().await.unwrap().did, Did::Imported(10));
        assert_eq!(update().await.unwrap().did, Did::Nothing);
        serves(11);
        assert_eq!(update().await.unwrap().did, Did::Imported(11));
        mirror.store.ask_reload(&source.name).await.unwrap();
        assert_eq!(update().await.unwrap().did, Did::Imported(11), "a reload takes the same one, too");
        assert_eq!(held(&mirror, &source).await.len(), 11);
    }
}
