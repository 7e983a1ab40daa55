//! Asking for syncs.

use std::collections::BTreeSet;

use rir_sandbox::{
    netbox::{Action, Grant},
    regrws::KEY,
};
use rir_sidecar::{
    model::{Resource, RowId},
    netbox::schema,
    queue::{Filter, Job, JobId, Record, Trigger, Work},
};
use serde_json::{Value, json};

use super::Service;
use crate::scene::{CONFIG, custom, keyring};

async fn all_jobs(service: &Service) -> Vec<Record> {
    service.queue.list(&Filter { limit: 50, ..Filter::default() }).await.unwrap()
}

async fn job_of(service: &Service, id: &Value) -> Job {
    let id = JobId::parse(id.as_str().unwrap()).unwrap();
    service.queue.find(&id).await.unwrap().unwrap().job.unwrap()
}

async fn work_of(service: &Service, id: &Value) -> Work {
    job_of(service, id).await.work
}

/// Of each config: outcome and reason.
fn outcomes(told: &Value) -> Vec<String> {
    let text = |receipt: &Value, name: &str| receipt[name].as_str().unwrap_or("-").to_owned();
    let receipts = told["configs"].as_array().unwrap().iter();
    receipts.map(|receipt| ["name", "outcome", "reason"].map(|name| text(receipt, name)).join(" ")).collect()
}

#[tokio::test]
async fn a_sync_is_a_job_of_the_caller() {
    let service = Service::new().await;
    let queued = service.post(&service.ann, &service.config("/sync"), json!({})).await;
    let id = queued.body["job"]["id"].clone();
    assert_eq!(queued.header("location"), format!("/api/v1/jobs/{}", id.as_str().unwrap()));
    let told = queued.expect(202);
    assert_eq!((&told["coalesced"], &told["job"]["state"]), (&json!(false), &json!("ready")));
    let job = all_jobs(&service).await.remove(0).job.unwrap();
    assert_eq!(job.work, Work::SyncConfig { config: service.scene.config, resources: Resource::all() });
    assert_eq!((job.user.as_deref(), job.trigger), (Some("ann"), Trigger::Api));
    let again = service.post(&service.ann, &service.config("/sync"), json!({})).await.expect(202);
    assert_eq!((&again["job"]["id"], &again["coalesced"]), (&id, &json!(true)));
}

#[tokio::test]
async fn a_sync_may_be_of_some_kinds_only() {
    let service = Service::new().await;
    let some = json!({ "resources": ["contacts", "networks"] });
    let told = service.post(&service.ann, &service.config("/sync"), some).await.expect(202);
    let resources = BTreeSet::from([Resource::Contacts, Resource::Networks]);
    let work = Work::SyncConfig { config: service.scene.config, resources };
    assert_eq!(work_of(&service, &told["job"]["id"]).await, work);
    for odd in
        [json!({ "resources": [] }), json!({ "resources": ["nets"] }), json!({ "resource": ["contacts"] }), json!([])]
    {
        service.post(&service.ann, &service.config("/sync"), odd).await.problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn each_kind_of_sync_asks_arin_for_everything_if_the_body_says_so() {
    let service = Service::new().await;
    let aggregate = service.scene.ids("ipam/aggregates").await[0];
    let prefix = service.scene.ids("ipam/prefixes").await[0];
    let paths = [
        service.config("/sync"),
        "/api/v1/configs/sync".to_owned(),
        format!("/api/v1/aggregates/{aggregate}/sync"),
        format!("/api/v1/prefixes/{prefix}/sync"),
    ];
    for path in paths {
        let job = async |body: Value| {
            let told = service.post(&service.ann, &path, body).await.expect(202);
            let id = if told["job"].is_object() { &told["job"]["id"] } else { &told["configs"][0]["job"] };
            let shown = service.get(&service.ann, &format!("/api/v1/jobs/{}", id.as_str().unwrap())).await.expect(200);
            let job = job_of(&service, id).await;
            assert_eq!(shown["full"], json!(job.full), "{path}: {shown}");
            job
        };
        let usual = job(json!({})).await;
        assert!(!usual.full && usual == job(json!({ "full": false })).await, "{path}");
        assert_eq!(job(json!({ "full": true })).await, Job { full: true, ..usual }, "{path}");
        for odd in [json!({ "full": "yes" }), json!({ "full": null }), json!({ "fully": true })] {
            service.post(&service.ann, &path, odd).await.problem(400, "invalid-request");
        }
    }
}

#[tokio::test]
async fn a_sync_needs_a_permission_and_a_key() {
    let service = Service::new().await;
    let sync = async |token: &str| service.post(token, &service.config("/sync"), json!({})).await;
    sync(&service.bob).await.problem(403, "not-permitted");
    let keyless = sync(&service.cat).await.problem(409, "no-api-key");
    assert!(keyless["detail"].as_str().unwrap().contains(CONFIG), "{keyless}");
    sync(&service.eve).await.problem(404, "not-found");
    service.post(&service.ann, "/api/v1/configs/999/sync", json!({})).await.problem(404, "not-found");
    assert_eq!(all_jobs(&service).await, []);
    service.keys.send_replace(keyring(&[(CONFIG, "cat", KEY)]));
    sync(&service.cat).await.expect(202);
    sync(&service.ann).await.problem(409, "no-api-key");
}

#[tokio::test]
async fn a_config_that_is_switched_off_is_synced_when_it_is_named() {
    let service = Service::new().await;
    service.scene.edit(&custom(schema::CONFIG), service.scene.config.0, json!({ "is_active": false })).await;
    let many = service.post(&service.ann, "/api/v1/configs/sync", json!({})).await.expect(202);
    assert_eq!(outcomes(&many), ["example-arin skipped inactive"]);
    service.post(&service.ann, &service.config("/sync"), json!({})).await.expect(202);
}

#[tokio::test]
async fn of_many_each_is_told_what_becomes_of_it() {
    let service = Service::new().await;
    let other = service.another_config("other").await;
    let off = service.another_config("off").await;
    service.scene.edit(&custom(schema::CONFIG), off.0, json!({ "is_active": false })).await;
    let told = service.post(&service.ann, "/api/v1/configs/sync", json!({})).await.expect(202);
    assert_eq!(outcomes(&told), ["example-arin queued -", "off skipped inactive", "other skipped no-api-key"]);
    let work = Work::SyncConfig { config: service.scene.config, resources: Resource::all() };
    assert_eq!(work_of(&service, &told["configs"][0]["job"]).await, work);
    let ids = json!({ "ids": [service.scene.config, other, 999] });
    let some = service.post(&service.ann, "/api/v1/configs/sync", ids).await.expect(202);
    assert_eq!(outcomes(&some), ["example-arin coalesced -", "other skipped no-api-key", "- skipped not-found"]);
    let bob = service.post(&service.bob, "/api/v1/configs/sync", json!({})).await.expect(202);
    assert_eq!(outcomes(&bob)[0], "example-arin skipped not-permitted");
    assert_eq!(all_jobs(&service).await.len(), 1);
}

#[tokio::test]
async fn an_aggregate_is_synced_for_each_config_that_allows_it() {
    let service = Service::new().await;
    let other = service.another_config("other").await;
    service.keys.send_replace(keyring(&[(CONFIG, "ann", KEY), ("other", "ann", KEY)]));
    let aggregate = RowId(service.scene.ids("ipam/aggregates").await[0]);
    let path = format!("/api/v1/aggregates/{aggregate}/sync");
    let told = service.post(&service.ann, &path, json!({})).await.expect(202);
    assert_eq!(outcomes(&told), ["example-arin queued -", "other queued -"]);
    let work = work_of(&service, &told["configs"][1]["job"]).await;
    assert_eq!(work, Work::SyncAggregate { config: Some(other), aggregate });
    service.post(&service.bob, &path, json!({})).await.problem(403, "not-permitted");
    service.post(&service.cat, &path, json!({})).await.problem(409, "no-api-key");
    service.post(&service.eve, &path, json!({})).await.problem(404, "not-found");
    service.post(&service.ann, "/api/v1/aggregates/999/sync", json!({})).await.problem(404, "not-found");
}

#[tokio::test]
async fn an_aggregate_of_another_rir_has_no_config() {
    let service = Service::new().await;
    let rir = service.scene.add("ipam/rirs", json!([{ "name": "RIPE", "slug": "ripe" }])).await[0];
    let id = service.scene.add("ipam/aggregates", json!([{ "prefix": "198.51.100.0/24", "rir": rir }])).await[0];
    service.post(&service.ann, &format!("/api/v1/aggregates/{id}/sync"), json!({})).await.problem(409, "no-config");
}

#[tokio::test]
async fn a_prefix_belongs_to_the_rir_of_the_aggregate_around_it() {
    let service = Service::new().await;
    let prefix = RowId(service.scene.ids("ipam/prefixes").await[0]);
    let path = format!("/api/v1/prefixes/{prefix}/sync");
    let told = service.post(&service.ann, &path, json!({})).await.expect(202);
    assert_eq!(outcomes(&told), ["example-arin queued -"]);
    let work = Work::SyncPrefix { config: Some(service.scene.config), prefixes: BTreeSet::from([prefix]) };
    assert_eq!(work_of(&service, &told["configs"][0]["job"]).await, work);
    let alone = service.scene.add("ipam/prefixes", json!([{ "prefix": "203.0.113.0/24" }])).await[0];
    service.post(&service.ann, &format!("/api/v1/prefixes/{alone}/sync"), json!({})).await.problem(409, "no-config");
    service.post(&service.ann, "/api/v1/prefixes/999/sync", json!({})).await.problem(404, "not-found");
    service.post(&service.eve, &path, json!({})).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_change_permission_may_be_for_one_config_of_several() {
    let service = Service::new().await;
    service.another_config("other").await;
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    let configs = custom(schema::CONFIG);
    let change = Grant::new(&configs, &[Action::Change]).only(&[service.scene.config.0]);
    let dan = netbox.add_user("dan", vec![Grant::new(&configs, &[Action::View]), change]);
    service.keys.send_replace(keyring(&[(CONFIG, "dan", KEY), ("other", "dan", KEY)]));
    let told = service.post(&dan, "/api/v1/configs/sync", json!({})).await.expect(202);
    assert_eq!(outcomes(&told), ["example-arin queued -", "other skipped not-permitted"]);
}
