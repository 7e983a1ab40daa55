//! How prefixes stand in the routing registries, and what is said of any prefix.

use rir_sandbox::{
    irr::Server as Registry,
    netbox::{Action, Grant},
};
use rir_sidecar::{
    netbox::{Client, schema, schema::origins},
    queue::Work,
};
use serde_json::{Value, json};

use super::Service;
use crate::{process::until, routing::route, scene::custom, service::wait_for_idle};

const HEALTH: &str = "/api/v1/irr/health";

/// A service that has judged the four prefixes of its scene: one is announced and has its object, one is and has none.
async fn judged() -> (Service, Registry) {
    let objects = [route("23.144.1.0/24", 64496, "TEST"), route("8.8.8.0/24", 64511, "TEST")];
    let registry = Registry::start("TEST", 1000, &objects).await.unwrap();
    let settings = format!("[[source]]\n{}", registry.settings());
    let service = Service::with(|all| all.irr = toml::from_str(&settings).unwrap()).await;
    let scene = &service.scene;
    let client = Client::new(&scene.settings.netbox).unwrap();
    let field = origins::plan(&client).await.unwrap().unwrap();
    origins::apply(&client, &field).await.unwrap();
    let rir = scene.ids("ipam/rirs").await[0];
    let asn = scene.add("ipam/asns", json!([{ "asn": 64496, "rir": rir }])).await[0];
    for prefix in scene.list("ipam/prefixes", "").await {
        if ["23.144.1.0/24", "23.144.2.0/24"].contains(&prefix["prefix"].as_str().unwrap()) {
            let fields = json!({ "custom_fields": { "origin_asns": [asn] } });
            scene.edit("ipam/prefixes", prefix["id"].as_u64().unwrap(), fields).await;
        }
    }
    let worker = service.work();
    let told = service.post(&service.ann, "/api/v1/irr/sources/TEST/updates", json!({})).await.expect(202);
    let job = format!("/api/v1/jobs/{}", told["job"]["id"].as_str().unwrap());
    until("the source is there", async || service.get(&service.ann, &job).await.expect(200)["ended"].is_string()).await;
    let jobs = wait_for_idle(&service.queue).await;
    assert!(jobs.iter().any(|record| record.job.as_ref().is_some_and(|job| job.work == (Work::Routing {}))));
    drop(worker);
    (service, registry)
}

fn ranges(told: &Value) -> Vec<(String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    told["ranges"].as_array().unwrap().iter().map(|row| (text(row, "range"), text(row, "verdict"))).collect()
}

#[tokio::test]
async fn ranges_are_listed_the_most_urgent_first_and_page_by_page() {
    let (service, _registry) = judged().await;
    let get = async |path: &str| service.get(&service.bob, path).await.expect(200);
    let all = get(HEALTH).await;
    let told = ranges(&all);
    assert_eq!(told[0], ("23.144.2.0/24".to_owned(), "missing".to_owned()), "{all:#}");
    assert_eq!((&all["sources"][0]["name"], &all["sources"][0]["state"]), (&json!("TEST"), &json!("fresh")));
    let (mut paged, mut path) = (Vec::new(), format!("{HEALTH}?limit=2"));
    loop {
        let page = get(&path).await;
        paged.extend(ranges(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{HEALTH}?limit=2&cursor={cursor}");
    }
    assert_eq!(paged, told, "each once, and in one order");
    let danger = ranges(&get(&format!("{HEALTH}?level=danger")).await);
    assert_eq!(danger, told[..1]);
    let fine = get(&format!("{HEALTH}?verdict=ok")).await;
    assert_eq!(ranges(&fine), [("23.144.1.0/24".to_owned(), "ok".to_owned())]);
    assert_eq!(fine["ranges"][0]["found"], "AS64496 in TEST");
}

#[tokio::test]
async fn a_prefix_is_found_and_any_is_looked_up() {
    let (service, _registry) = judged().await;
    let get = async |path: &str, code| service.get(&service.bob, path).await.expect(code);
    let found = get(&format!("{HEALTH}/23.144.2.0/24"), 200).await;
    assert_eq!(ranges(&found), [("23.144.2.0/24".to_owned(), "missing".to_owned())]);
    assert!(found["ranges"][0]["advice"].as_str().unwrap().contains("AS64496"), "{found}");
    assert_eq!(get(&format!("{HEALTH}/23.144.2.7/24"), 200).await["ranges"], found["ranges"]);
    assert!(get(&format!("{HEALTH}/8.8.8.0/24"), 404).await["detail"].as_str().unwrap().contains("8.8.8.0/24"));
    assert_eq!(get(&format!("{HEALTH}/8.8.8.0/33"), 422).await["type"], "urn:rir-sidecar:problem:no-prefix");
    let found = get("/api/v1/irr/lookup?prefix=8.8.0.0/16", 200).await;
    assert_eq!(
        (&found["routes"][0]["prefix"], &found["routes"][0]["origin"]),
        (&json!("8.8.8.0/24"), &json!("AS64511"))
    );
    assert_eq!(get("/api/v1/irr/lookup?prefix=eight", 422).await["status"], 422);
}

#[tokio::test]
async fn who_may_not_view_the_rows_sees_none() {
    let (service, _registry) = judged().await;
    let server = service.scene.netbox.server.as_ref().unwrap();
    let token = server.add_user("dan", vec![Grant::new(&custom(schema::CONFIG), &[Action::View])]);
    let told = service.get(&token, HEALTH).await.expect(403);
    assert!(told["detail"].as_str().unwrap().contains("prefix health"), "{told}");
    service.get(&service.eve, "/api/v1/irr/lookup?prefix=8.8.8.0/24").await.expect(403);
}
