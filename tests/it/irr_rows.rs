//! What NetBox is told of mirrored sources: rows of the sources, and rows of the log.

use std::time::Duration;

use rir_sandbox::{
    irr::Server as Registry,
    netbox::{Fault, Rule},
};
use rir_sidecar::{
    netbox::schema,
    queue::{State, Work},
};
use serde_json::{Value, json};

use crate::{
    scene::{Row, Scene, Target, custom, small},
    service::{Service, memory, wait_for_idle},
};

/// A registry, and a scene whose settings mirror it.
async fn desk(target: Target, registry: &Registry) -> Scene {
    let mut scene = Scene::new(target, small()).await;
    scene.settings.irr = toml::from_str(&format!("[[source]]\n{}", registry.settings())).unwrap();
    scene
}

fn route(prefix: &str, says: &str) -> String {
    format!("route:          {prefix}\ndescr:          {says}\norigin:         AS64496\nsource:         TEST\n")
}

async fn registry() -> Registry {
    let objects = [route("192.0.2.0/24", "sample"), route("198.51.100.0/24", "sample"), route("203.0.113.7/24", "bad")];
    Registry::start("TEST", 1000, &objects).await.unwrap()
}

/// Updates a source as a job, which has to be done in the end, and returns its result.
async fn updated(service: &Service, source: &str) -> Value {
    let record = service.over(&service.ask(Work::UpdateIrr { source: source.parse().unwrap() }).await).await;
    assert_eq!(record.state, State::Done, "{record:?}");
    // What is new is judged by.
    wait_for_idle(&service.queue).await;
    record.result.unwrap()["result"].clone()
}

fn code(value: &Value) -> &str {
    value.as_str().or_else(|| value["value"].as_str()).unwrap_or("-")
}

/// The row of a source: state, serial, objects.
async fn source_row(scene: &Scene, name: &str) -> (String, Value, Value) {
    let row = scene.row(schema::IRR_SOURCE, name).await;
    (code(&row["state"]).to_owned(), row["serial"].clone(), row["object_count"].clone())
}

/// The log, each row as `object_type object_handle status: message`.
async fn log(scene: &Scene) -> String {
    let line = |row: &Row| {
        let [object, handle, status, message] =
            ["object_type", "object_handle", "status", "message"].map(|name| code(&row[name]));
        format!("{object} {handle} {status}: {message}")
    };
    scene.rows_of(schema::SYNC_LOG).await.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The requests since this was last asked, which a real NetBox does not tell.
fn requests(scene: &Scene) -> usize {
    scene.netbox.server.as_ref().map_or(0, |server| server.take_count())
}

pub(crate) async fn a_source_has_a_row_and_a_run_that_changes_little_costs_netbox_nothing(target: Target) {
    let registry = registry().await;
    let scene = desk(target, &registry).await;
    let service = Service::start(&scene, memory(&scene), 1);
    assert_eq!(updated(&service, "TEST").await, "imported");
    let row = source_row(&scene, "TEST").await;
    assert_eq!(row, ("fresh".to_owned(), json!(1000), json!(2)));
    insta::assert_snapshot!(log(&scene).await, @r#"
    irr-source TEST success: took a dump with 2 objects, serial 1000, 1 object left out
    route 203.0.113.7/24 error: TEST: "route: 203.0.113.7/24" is left out: the prefix "203.0.113.7/24" has bits set behind its length
    "#);
    let _ = requests(&scene);
    assert_eq!(updated(&service, "TEST").await, "unchanged");
    registry.add(&route("192.0.2.128/25", "new"));
    assert_eq!(updated(&service, "TEST").await, "followed");
    assert_eq!(requests(&scene), 0);
    assert_eq!(source_row(&scene, "TEST").await, row);
    registry.add(&route("192.0.2.7/25", "bad"));
    assert_eq!(updated(&service, "TEST").await, "followed");
    assert!(log(&scene).await.contains("has bits set behind its length (serial 1002)"), "{}", log(&scene).await);
    assert_eq!(source_row(&scene, "TEST").await, row, "the log alone tells of an object");
    service.stop().await;
}

#[tokio::test]
async fn a_process_that_knows_nothing_looks_at_the_row_and_writes_nothing() {
    let registry = registry().await;
    let scene = desk(Target::sandbox().await, &registry).await;
    let service = Service::start(&scene, memory(&scene), 1);
    updated(&service, "TEST").await;
    service.stop().await;
    let (row, rows) = (scene.row(schema::IRR_SOURCE, "TEST").await, scene.rows_of(schema::SYNC_LOG).await.len());
    let another = Service::start(&scene, memory(&scene), 1);
    assert_eq!(updated(&another, "TEST").await, "imported");
    assert_eq!(scene.row(schema::IRR_SOURCE, "TEST").await["last_updated"], row["last_updated"]);
    assert_eq!(scene.rows_of(schema::SYNC_LOG).await.len(), rows + 2, "it has taken a dump");
    another.stop().await;
}

pub(crate) async fn a_list_of_vrps_has_a_row_as_any_source(target: Target) {
    let (folder, mut scene) = (tempfile::tempdir().unwrap(), Scene::new(target, small()).await);
    let list = folder.path().join("vrps.json");
    let entry = |prefix| format!(r#"{{"asn": "AS64496", "prefix": "{prefix}", "maxLength": 24}}"#);
    std::fs::write(&list, format!(r#"{{"roas": [{}, {}]}}"#, entry("192.0.2.0/24"), entry("192.0.2.1/24"))).unwrap();
    scene.settings.rpki.vrps = Some(format!("file://{}", list.display()).parse().unwrap());
    scene.settings.irr.source = scene.settings.rpki.source().into_iter().collect();
    let service = Service::start(&scene, memory(&scene), 1);
    assert_eq!(updated(&service, "RPKI").await, "imported");
    assert_eq!(code(&scene.row(schema::IRR_SOURCE, "RPKI").await["kind"]), "rpki");
    assert_eq!(source_row(&scene, "RPKI").await, ("fresh".to_owned(), Value::Null, json!(1)));
    std::fs::write(&list, "{}").unwrap();
    assert_eq!(updated(&service, "RPKI").await, "failed");
    assert_eq!(source_row(&scene, "RPKI").await.0, "behind");
    insta::assert_snapshot!(log(&scene).await, @r#"
    irr-source RPKI success: took a dump with 1 object, 1 object left out
    route 192.0.2.1/24 error: RPKI: "route: 192.0.2.1/24" is left out: the prefix "192.0.2.1/24" has bits set behind its length
    irr-source RPKI error: this is no list of VRPs as Routinator or rpki-client write it: missing field `roas` at line 1 column 2
    "#);
    service.stop().await;
}

#[tokio::test]
async fn vrps_have_a_row() {
    a_list_of_vrps_has_a_row_as_any_source(Target::sandbox().await).await;
}

/// Has the scene mirror a source, and ask another one. Returns what they come from.
pub(crate) async fn set_up(scene: &mut Scene) -> (Folder, Registry) {
    let folder = Folder::new(&[route("23.144.1.0/24", "sample")]);
    let registry = Registry::start("ASKED", 1, &[]).await.unwrap();
    let all = folder.settings("TEST") + "[[source]]\n" + &registry.query_settings();
    scene.settings.irr = toml::from_str(&all).unwrap();
    (folder, registry)
}

/// Has the row of the mirrored source written twice, and those of what is judged by it.
pub(crate) async fn written_twice(scene: &Scene, folder: &Folder) {
    let service = Service::start(scene, memory(scene), 1);
    assert_eq!(updated(&service, "ASKED").await, "answered");
    assert_eq!(updated(&service, "TEST").await, "imported");
    folder.serves(&[route("23.144.2.0/24", "sample")], "2");
    assert_eq!(updated(&service, "TEST").await, "imported");
    folder.serves(&[], "twelve");
    assert_eq!(updated(&service, "TEST").await, "failed");
    service.stop().await;
}

/// A source that is a dump and its serial in a folder.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    fn new(objects: &[String]) -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        this.serves(objects, "1");
        this
    }

    fn serves(&self, objects: &[String], serial: &str) {
        std::fs::write(self.0.path().join("db"), objects.join("\n")).unwrap();
        std::fs::write(self.0.path().join("serial"), serial).unwrap();
    }

    fn settings(&self, name: &str) -> String {
        let place = self.0.path().display();
        format!("[[source]]\nname = '{name}'\ndumps = ['file://{place}/db']\nserial_url = 'file://{place}/serial'\n")
    }
}

pub(crate) async fn trouble_is_told_when_it_begins_and_when_it_ends(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    let (folder, _) = set_up(&mut scene).await;
    let service = Service::start(&scene, memory(&scene), 1);
    assert_eq!(updated(&service, "TEST").await, "imported");
    folder.serves(&[], "twelve");
    for _ in 0..3 {
        assert_eq!(updated(&service, "TEST").await, "failed");
    }
    let row = scene.row(schema::IRR_SOURCE, "TEST").await;
    assert_eq!((code(&row["state"]), &row["serial"], &row["object_count"]), ("behind", &json!(1), &json!(1)));
    assert!(row["message"].as_str().unwrap().contains("serial"), "{row:?}");
    folder.serves(&[], "2");
    for _ in 0..3 {
        assert_eq!(updated(&service, "TEST").await, "failed");
    }
    assert_eq!(source_row(&scene, "TEST").await.0, "refused");
    folder.serves(&[], "1");
    assert_eq!(updated(&service, "TEST").await, "unchanged");
    let row = scene.row(schema::IRR_SOURCE, "TEST").await;
    assert_eq!((code(&row["state"]), code(&row["message"])), ("fresh", ""));
    let log = log(&scene).await.replace(&folder.0.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(log, @r#"
    irr-source TEST success: took a dump with 1 object, serial 1
    irr-source TEST error: file://FOLDER/serial: "twelve" is no serial
    irr-source TEST error: the dump has 0 objects and 1 are held; it is refused until `rir-sidecar irr accept-shrink SOURCE` accepts it
    irr-source TEST success: up to date again
    "#);
    service.stop().await;
}

/// The aggregates of RIRs that are not private are asked about, and no others.
pub(crate) async fn a_source_is_asked_about_the_aggregates(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    let private =
        scene.add("ipam/rirs", json!([{ "name": "RFC 1918", "slug": "rfc-1918", "is_private": true }])).await[0];
    scene.add("ipam/aggregates", json!([{ "prefix": "10.0.0.0/8", "rir": private }])).await;
    let objects = [route("23.144.0.0/20", "sample"), route("10.0.0.0/8", "sample"), route("0.0.0.0/0", "sample")];
    let registry = Registry::start("TEST", 1, &objects).await.unwrap();
    scene.settings.irr = toml::from_str(&format!("[[source]]\n{}", registry.query_settings())).unwrap();
    let service = Service::start(&scene, memory(&scene), 1);
    let record = service.over(&service.ask(Work::UpdateIrr { source: "TEST".parse().unwrap() }).await).await;
    assert_eq!(
        record.result,
        Some(json!({ "result": "answered", "serial": null, "rejected": 0 })),
        "{:?}",
        record.error
    );
    let row = scene.row(schema::IRR_SOURCE, "TEST").await;
    assert_eq!((code(&row["kind"]), code(&row["state"]), &row["serial"]), ("query", "fresh", &json!(null)));
    assert_eq!(row["object_count"], json!(2), "that of the aggregate and the one around it");
    insta::assert_snapshot!(log(&scene).await, @"irr-source TEST success: took an answer with 2 objects");
    assert_eq!(updated(&service, "TEST").await, "unchanged");
    service.stop().await;
    scene.settings.irr.own_space = vec!["10.1.0.0/16".parse().unwrap()];
    let service = Service::start(&scene, memory(&scene), 1);
    assert_eq!(updated(&service, "TEST").await, "answered");
    registry.delete(&objects[0]);
    assert_eq!(updated(&service, "TEST").await, "unchanged", "10.1.0.0/16 is asked about, and nothing else");
    service.stop().await;
}

#[tokio::test]
async fn without_aggregates_nothing_is_asked_and_no_row_is_written() {
    let registry = registry().await;
    let mut world = small();
    world.ipam.aggregates.clear();
    let mut scene = Scene::new(Target::sandbox().await, world).await;
    scene.settings.irr = toml::from_str(&format!("[[source]]\n{}", registry.query_settings())).unwrap();
    let service = Service::start(&scene, memory(&scene), 1);
    assert_eq!(updated(&service, "TEST").await, "nothing-to-ask");
    assert_eq!(scene.rows_of(schema::IRR_SOURCE).await.len(), 0);
    service.stop().await;
}

/// Without NetBox nobody knows what to ask, which is no fault of the registry.
#[tokio::test]
async fn a_netbox_that_is_away_fails_a_job_that_asks() {
    let registry = registry().await;
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    scene.settings.irr = toml::from_str(&format!("[[source]]\n{}", registry.query_settings())).unwrap();
    let service = Service::start(&scene, memory(&scene), 1);
    scene.netbox.server.as_ref().unwrap().fail(Rule::new(Fault::Status(403)).path("/ipam/rirs/"));
    let record = service.over(&service.ask(Work::UpdateIrr { source: "TEST".parse().unwrap() }).await).await;
    assert!(record.error.as_ref().is_some_and(|error| error.contains("rirs")), "{record:?}");
    service.stop().await;
}

#[tokio::test]
async fn a_netbox_that_is_away_fails_no_run_and_is_told_later() {
    let registry = registry().await;
    let scene = desk(Target::sandbox().await, &registry).await;
    let service = Service::start(&scene, memory(&scene), 1);
    let netbox = scene.netbox.server.as_ref().unwrap();
    netbox.fail(Rule::new(Fault::Status(403)));
    assert_eq!(updated(&service, "TEST").await, "imported");
    registry.add(&route("192.0.2.7/25", "bad"));
    assert_eq!(updated(&service, "TEST").await, "followed");
    netbox.heal();
    assert_eq!(scene.rows_of(schema::IRR_SOURCE).await.len(), 0);
    assert_eq!(updated(&service, "TEST").await, "unchanged");
    assert_eq!(source_row(&scene, "TEST").await, ("fresh".to_owned(), json!(1001), json!(2)));
    let log = log(&scene).await;
    for prefix in ["203.0.113.7/24", "192.0.2.7/25"] {
        assert_eq!(log.lines().filter(|line| line.starts_with(&format!("route {prefix} error"))).count(), 1, "{log}");
    }
    service.stop().await;
}

#[tokio::test]
async fn a_netbox_without_the_type_has_no_rows_and_fails_no_run() {
    let registry = registry().await;
    let scene = desk(Target::sandbox().await, &registry).await;
    let service = Service::start(&scene, memory(&scene), 1);
    scene.netbox.server.as_ref().unwrap().fail(Rule::new(Fault::Status(404)).path("/rir-irr-source/"));
    assert_eq!(updated(&service, "TEST").await, "imported");
    assert_eq!(updated(&service, "TEST").await, "unchanged");
    service.stop().await;
}

pub(crate) async fn a_source_that_is_not_set_any_more_is_marked_and_no_row_is_deleted(target: Target) {
    let (one, two) = (
        Folder::new(&[route("192.0.2.0/24", "one")]),
        Folder::new(&[route("192.0.2.0/24", "two").replace("TEST", "OTHER")]),
    );
    let mut scene = Scene::new(target, small()).await;
    let all = toml::from_str(&(one.settings("TEST") + &two.settings("OTHER"))).unwrap();
    scene.settings.irr = all;
    let both = scene.settings.clone();
    let service = Service::start(&scene, memory(&scene), 1);
    updated(&service, "TEST").await;
    updated(&service, "OTHER").await;
    service.stop().await;
    let state = async |scene: &Scene, name: &str| source_row(scene, name).await.0;
    assert_eq!((state(&scene, "TEST").await, state(&scene, "OTHER").await), ("fresh".into(), "fresh".into()));
    // The job of another source finds it out.
    scene.settings.irr.source.truncate(1);
    let service = Service::start(&scene, memory(&scene), 1);
    updated(&service, "TEST").await;
    assert_eq!((state(&scene, "TEST").await, state(&scene, "OTHER").await), ("fresh".into(), "removed".into()));
    // With none left its own last job does.
    service.stop().await;
    scene.settings.irr.source.clear();
    let service = Service::start(&scene, memory(&scene), 1);
    assert_eq!(updated(&service, "TEST").await, "skipped");
    assert_eq!(state(&scene, "TEST").await, "removed");
    service.stop().await;
    scene.settings = both;
    let service = Service::start(&scene, memory(&scene), 1);
    updated(&service, "OTHER").await;
    assert_eq!(state(&scene, "OTHER").await, "fresh", "it is mirrored again");
    assert_eq!(scene.rows_of(schema::IRR_SOURCE).await.len(), 2);
    service.stop().await;
}

pub(crate) async fn old_rows_of_the_log_are_removed_with_those_of_sources(target: Target) {
    let registry = registry().await;
    let mut scene = desk(target, &registry).await;
    let row =
        |key: &str, object: &str| json!({ "key": key, "operation": "sync", "object_type": object, "status": "error" });
    let rows = json!([row("a", "route"), row("b", "irr-source"), row("c", "network")]);
    scene.add(&custom(schema::SYNC_LOG), rows).await;
    scene.settings.sync.log_retention = Duration::from_secs(1);
    let service = Service::start(&scene, memory(&scene), 1);
    // NetBox tells the time in whole seconds.
    tokio::time::sleep(Duration::from_millis(2200)).await;
    updated(&service, "TEST").await;
    let left = scene.rows(schema::SYNC_LOG).await;
    let left: Vec<&str> = left.keys().map(String::as_str).filter(|key| key.len() == 1).collect();
    assert_eq!(left, ["c"], "a config's own sync removes those");
    service.stop().await;
}

mod sandbox {
    use super::*;

    #[tokio::test]
    async fn a_source_has_a_row_and_a_run_that_changes_little_costs_netbox_nothing() {
        super::a_source_has_a_row_and_a_run_that_changes_little_costs_netbox_nothing(Target::sandbox().await).await;
    }

    #[tokio::test]
    async fn a_source_is_asked_about_the_aggregates() {
        super::a_source_is_asked_about_the_aggregates(Target::sandbox().await).await;
    }

    #[tokio::test]
    async fn trouble_is_told_when_it_begins_and_when_it_ends() {
        super::trouble_is_told_when_it_begins_and_when_it_ends(Target::sandbox().await).await;
    }

    #[tokio::test]
    async fn a_source_that_is_not_set_any_more_is_marked_and_no_row_is_deleted() {
        super::a_source_that_is_not_set_any_more_is_marked_and_no_row_is_deleted(Target::sandbox().await).await;
    }

    #[tokio::test]
    async fn old_rows_of_the_log_are_removed_with_those_of_sources() {
        super::old_rows_of_the_log_are_removed_with_those_of_sources(Target::sandbox().await).await;
    }
}
