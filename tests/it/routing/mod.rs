//! Whether the world will accept what is announced: judged by what NetBox and registries say, and recorded in NetBox.

pub(crate) mod planted;

use std::collections::BTreeMap;

use rir_sandbox::irr::Server as Registry;
use rir_sidecar::{
    netbox::{
        Client,
        schema::{self, origins},
    },
    queue::{Queue, State, Work},
    services::Services,
    worker::Worker,
};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{
    scene::{Row, Scene, Target, custom, small},
    service::{Service, memory, wait_for_idle},
};

/// A scene with the field `origin_asns`, whose settings mirror these registries.
pub(crate) async fn desk(target: Target, registries: &[&Registry]) -> Scene {
    let mut scene = Scene::new(target, small()).await;
    for list in ["ipam/prefixes", "ipam/aggregates"] {
        for id in scene.ids(list).await {
            scene.remove(list, id).await;
        }
    }
    let sources: Vec<String> = registries.iter().map(|it| format!("[[source]]\n{}", it.settings())).collect();
    scene.settings.irr = toml::from_str(&sources.join("\n")).unwrap();
    let client = Client::new(&scene.settings.netbox).unwrap();
    let plan = origins::plan(&client).await.unwrap().unwrap();
    origins::apply(&client, &plan).await.unwrap();
    scene
}

pub(crate) fn route(prefix: &str, origin: u32, source: &str) -> String {
    let class = if prefix.contains(':') { "route6" } else { "route" };
    format!("{class}: {prefix}\norigin: AS{origin}\nmnt-by: MAINT-{origin}\nsource: {source}\n")
}

/// What a row says of a range: `verdict level`.
pub(crate) fn said(row: &Row) -> String {
    let code = |name: &str| row[name]["value"].as_str().unwrap_or("-");
    if code("state") == "removed" {
        return "removed".to_owned();
    }
    format!("{} {}", code("verdict"), code("level"))
}

/// What is recorded of each range, by its key.
pub(crate) async fn health(scene: &Scene) -> BTreeMap<String, String> {
    let rows = scene.rows_of(schema::PREFIX_HEALTH).await;
    rows.iter().map(|row| (row["range"].as_str().unwrap().to_owned(), said(row))).collect()
}

/// Does a job, which has to be done in the end, and what follows from it.
pub(crate) async fn done(service: &Service, work: Work) -> Value {
    let record = service.over(&service.ask(work).await).await;
    assert_eq!(record.state, State::Done, "{record:?}");
    wait_for_idle(&service.queue).await;
    record.result.unwrap()
}

pub(crate) fn update(source: &str) -> Work {
    Work::UpdateIrr { source: source.parse().unwrap() }
}

/// Makes ASNs, and returns the ids of their rows by number.
pub(crate) async fn asns(scene: &Scene, numbers: &[u32]) -> BTreeMap<u32, u64> {
    let rir = scene.ids("ipam/rirs").await[0];
    let rows: Vec<Value> = numbers.iter().map(|number| json!({ "asn": number, "rir": rir })).collect();
    let ids = scene.add("ipam/asns", json!(rows)).await;
    numbers.iter().copied().zip(ids).collect()
}

/// An aggregate with a prefix that AS64496 announces, one that is a part of it, and one without anybody.
async fn plan(scene: &Scene) -> BTreeMap<u32, u64> {
    let asns = asns(scene, &[64496, 64497]).await;
    let rir = scene.ids("ipam/rirs").await[0];
    let origins = |number: u32| json!({ "origin_asns": [asns[&number]] });
    scene.add("ipam/aggregates", json!([{ "prefix": "23.144.0.0/20", "rir": rir }])).await;
    let rows = json!([
        { "prefix": "23.144.1.0/24", "custom_fields": origins(64496) },
        { "prefix": "23.144.1.0/26" },
        { "prefix": "23.144.2.0/24", "custom_fields": origins(64497) },
        { "prefix": "23.144.3.0/24" },
    ]);
    scene.add("ipam/prefixes", rows).await;
    asns
}

pub(crate) async fn a_change_at_the_registry_reaches_the_row_and_an_unchanged_world_writes_nothing(target: Target) {
    let objects = [route("23.144.1.0/24", 64496, "TEST"), route("23.144.9.0/24", 64511, "TEST")];
    let registry = Registry::start("TEST", 1000, &objects).await.unwrap();
    let scene = desk(target, &[&registry]).await;
    plan(&scene).await;
    let service = Service::start(&scene, memory(&scene), 1);
    assert_eq!(done(&service, update("TEST")).await["result"], "imported");
    let told = |health: &BTreeMap<String, String>| {
        health.iter().map(|(range, said)| format!("{range} {said}")).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(told(&health(&scene).await), @r"
    23.144.0.0/20 unknown none
    23.144.1.0/24 ok ok
    23.144.1.0/26 covered info
    23.144.2.0/24 missing danger
    23.144.3.0/24 unknown none
    23.144.9.0/24 unclaimed-space warning
    ");
    let routes = scene.rows_of(schema::ROUTE_OBJECT).await;
    assert_eq!(routes.len(), 2);
    let ours = routes.iter().find(|row| row["range"] == json!("23.144.1.0/24")).unwrap();
    assert_eq!((&ours["origin"], &ours["maintainers"]), (&json!("AS64496"), &json!("MAINT-64496")));
    assert!(["asn", "prefix", "aggregate"].iter().all(|link| !ours[*link].is_null()), "{ours:?}");

    let written = async || {
        let mut stamps = Vec::new();
        for slug in [schema::PREFIX_HEALTH, schema::ROUTE_OBJECT] {
            stamps.extend(scene.rows_of(slug).await.iter().map(|row| row["last_updated"].clone()));
        }
        stamps
    };
    let before = written().await;
    let again = done(&service, Work::Routing {}).await;
    assert_eq!([&again["created"], &again["changed"], &again["removed"]], [&json!(0); 3]);
    assert_eq!(written().await, before);

    registry.add(&route("23.144.2.0/24", 64497, "TEST"));
    registry.delete(&route("23.144.9.0/24", 64511, "TEST"));
    assert_eq!(done(&service, update("TEST")).await["result"], "followed");
    let health = health(&scene).await;
    assert_eq!(health["23.144.2.0/24"], "ok ok");
    assert_eq!(health["23.144.9.0/24"], "removed");
    let routes = scene.rows_of(schema::ROUTE_OBJECT).await;
    let gone = routes.iter().find(|row| row["range"] == json!("23.144.9.0/24")).unwrap();
    assert_eq!(gone["state"]["value"], "removed");
    service.stop().await;
}

#[tokio::test]
async fn a_change_at_the_registry_reaches_the_row() {
    a_change_at_the_registry_reaches_the_row_and_an_unchanged_world_writes_nothing(Target::sandbox().await).await;
}

#[tokio::test]
async fn nothing_is_judged_by_a_source_that_is_too_old_or_refused_or_was_never_read() {
    let objects: Vec<String> =
        (0..20).map(|number| route(&format!("23.144.{}.0/24", number % 16), 64496 + number / 16, "TEST")).collect();
    let registry = Registry::start("TEST", 1000, &objects).await.unwrap();
    let other = Registry::start("OTHER", 7, &[]).await.unwrap();
    let scene = desk(Target::sandbox().await, &[&registry, &other]).await;
    plan(&scene).await;
    let verdicts = async || {
        let mut verdicts: Vec<String> = health(&scene).await.into_values().collect();
        verdicts.sort_unstable();
        verdicts.dedup();
        verdicts
    };
    let mut services = scene.services();
    let with = |services: &Services| serve(services, &memory(&scene));
    let service = with(&services);
    done(&service, update("TEST")).await;
    assert_eq!(verdicts().await, ["unknown none"], "the other one was never read");
    service.stop().await;

    let mut alone = (*services.settings).clone();
    alone.irr.source.truncate(1);
    // Without NRTM its dump is taken again when its serial has risen.
    alone.irr.source[0].nrtm = None;
    services.settings = alone.into();
    let service = with(&services);
    done(&service, Work::Routing {}).await;
    assert_eq!(health(&scene).await["23.144.1.0/24"], "other-origin danger");
    for object in &objects[16..] {
        registry.delete(object);
    }
    done(&service, update("TEST")).await;
    assert_eq!(verdicts().await, ["stale warning"], "its dump lacks more than one object in ten");
    services.mirror.store.accept_shrink(&"TEST".parse().unwrap()).await.unwrap();
    done(&service, update("TEST")).await;
    assert_eq!(health(&scene).await["23.144.1.0/24"], "ok ok");
    service.stop().await;

    let mut late = (*services.settings).clone();
    late.routing.max_age = std::time::Duration::ZERO;
    services.settings = late.into();
    let service = with(&services);
    done(&service, Work::Routing {}).await;
    assert_eq!(verdicts().await, ["stale warning"], "it was asked too long ago");
    service.stop().await;

    // Redis was lost, and with it all that was known.
    services.mirror.store.forget(&"TEST".parse().unwrap()).await.unwrap();
    let service = with(&services);
    done(&service, Work::Routing {}).await;
    assert_eq!(verdicts().await, ["unknown none"]);
    let routes = scene.rows_of(schema::ROUTE_OBJECT).await;
    let current = routes.iter().filter(|row| row["state"]["value"] == "current").count();
    assert_eq!((current, routes.len()), (16, 20), "what is not known is not taken for gone");
    service.stop().await;
}

/// Lets a worker work with these services.
fn serve(services: &Services, queue: &Queue) -> Service {
    let (shutdown, services) = (CancellationToken::new(), Services { queue: queue.clone(), ..services.clone() });
    let worker = Worker::new(services, "worker", Handle::current());
    let tasks = vec![tokio::spawn(worker.run(shutdown.clone()))];
    Service { queue: queue.clone(), shutdown, tasks }
}

#[tokio::test]
async fn who_announces_what_is_told_by_fields_sites_and_configs() {
    let objects = [route("23.144.1.0/24", 64496, "TEST"), route("23.144.4.0/24", 64498, "TEST")];
    let registry = Registry::start("TEST", 1000, &objects).await.unwrap();
    let scene = desk(Target::sandbox().await, &[&registry]).await;
    let asns = plan(&scene).await;
    let site = asns_of(&scene, 64498).await;
    let site = json!([{ "name": "A", "slug": "a", "asns": [site] }]);
    let site = scene.add("dcim/sites", site).await[0];
    let rows = json!([{ "prefix": "23.144.4.0/24", "scope_type": "dcim.site", "scope_id": site }]);
    scene.add("ipam/prefixes", rows).await;
    let service = Service::start(&scene, memory(&scene), 1);
    done(&service, update("TEST")).await;
    let before = health(&scene).await;
    assert_eq!((before["23.144.4.0/24"].as_str(), before["23.144.0.0/20"].as_str()), ("ok ok", "unknown none"));
    scene.edit(&custom(schema::CONFIG), scene.config.0, json!({ "default_origins": [asns[&64497]] })).await;
    done(&service, Work::Routing {}).await;
    let after = health(&scene).await;
    assert_eq!(after["23.144.0.0/20"], "missing danger", "{after:?}");
    assert_eq!(after["23.144.3.0/24"], "not-announced none", "it is a part of the aggregate");
    service.stop().await;
}

#[tokio::test]
async fn the_command_line_tells_what_is_in_danger_and_looks_any_prefix_up() {
    let redis = std::env::var("RIR_LAB_REDIS_URL")
        .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
    let objects = [route("23.144.1.0/24", 64496, "TEST"), route("8.8.8.0/24", 64511, "TEST")];
    let registry = Registry::start("TEST", 1000, &objects).await.unwrap();
    let scene = desk(Target::sandbox().await, &[&registry]).await;
    plan(&scene).await;
    let folder = tempfile::tempdir().unwrap();
    let (list, settings) = (folder.path().join("vrps.json"), folder.path().join("settings.toml"));
    std::fs::write(&list, r#"{"roas": [{"asn": "AS64511", "prefix": "23.144.1.0/24", "maxLength": 24}]}"#).unwrap();
    let text = format!(
        "[netbox]\nurl = '{}'\ntoken = '{}'\n[queue]\nurl = '{redis}'\nprefix = 'routing-{}'\n\
         [rpki]\nvrps = 'file://{}'\n[[irr.source]]\n{}",
        scene.netbox.url,
        scene.netbox.token,
        std::process::id(),
        list.display(),
        registry.settings()
    );
    std::fs::write(&settings, text).unwrap();
    let run = async |words: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        let output = command.arg("--config").arg(&settings).arg("irr").args(words).output().await.unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    };
    for source in ["TEST", "RPKI"] {
        assert_eq!(run(&["update", source]).await.0, 0);
    }
    let without = std::fs::read_to_string(&settings).unwrap().replace(&redis, "");
    let alone = folder.path().join("without.toml");
    std::fs::write(&alone, without).unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    let output = command.arg("--config").arg(&alone).args(["irr", "check", "--output", "json"]).output().await.unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), told["ranges"].as_array().unwrap().len()), (Some(3), 5), "without Redis");
    let (code, said) = run(&["check"]).await;
    assert_eq!(code, 3, "{said}");
    for words in ["TEST: as of", "RPKI: as of", "missing", "invalid-origin", "5 ranges", "Correct the ROA"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let (code, said) = run(&["check", "23.144.1.0/24", "--output", "json"]).await;
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, told["ranges"].as_array().unwrap().len()), (3, 1));
    assert_eq!((&told["ranges"][0]["verdict"], &told["ranges"][0]["rpki"]), (&json!("ok"), &json!("invalid-origin")));
    let (code, said) = run(&["check", "23.144.3.0/24", "--level", "danger"]).await;
    assert_eq!(code, 0, "{said}");
    let (code, said) = run(&["check", "198.51.100.0/24"]).await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("does not have 198.51.100.0/24"), "{said}");
    let (code, said) = run(&["lookup", "8.8.0.0/16", "--output", "json"]).await;
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(code, 0);
    assert_eq!((&told["routes"][0]["prefix"], &told["routes"][0]["rpki"]), (&json!("8.8.8.0/24"), &json!("not-found")));
}

/// Makes an ASN.
async fn asns_of(scene: &Scene, number: u32) -> u64 {
    asns(scene, &[number]).await[&number]
}
