//! `POST /configs/{id}/plan`

use rir_sandbox::{
    netbox::{Action, Grant},
    regrws::KEY,
};
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};

use super::Service;
use crate::scene::{CONFIG, custom, keyring};

#[tokio::test]
async fn a_preview_tells_what_a_sync_would_write_and_writes_nothing() {
    let service = Service::new().await;
    let before = service.scene.census().await;
    let told = service.post(&service.bob, &service.config("/plan"), json!({})).await.expect(200);
    assert_eq!((&told["config"], &told["failures"]), (&json!("example-arin"), &json!([])));
    let changes = told["changes"].as_array().unwrap();
    let handles: Vec<&Value> = changes.iter().map(|change| &change["handle"]).collect();
    assert!(handles.contains(&&json!("NET-23-144-2-0-1")), "{told}");
    let net = changes.iter().find(|change| change["handle"] == "NET-23-144-2-0-1").unwrap();
    assert_eq!((&net["action"], &net["type"]), (&json!("create"), &json!("network")));
    assert_eq!(net["fields"]["net_type"], json!({ "was": null, "becomes": "S" }));
    assert_eq!(service.scene.census().await, before);
    let some = json!({ "resources": ["organizations"] });
    let told = service.post(&service.bob, &service.config("/plan"), some).await.expect(200);
    assert!(told["changes"].as_array().unwrap().iter().all(|change| change["type"] != "network"), "{told}");
}

#[tokio::test]
async fn a_preview_is_made_with_the_callers_own_key() {
    let service = Service::new().await;
    service.post(&service.cat, &service.config("/plan"), json!({})).await.problem(409, "no-api-key");
    service.post(&service.eve, &service.config("/plan"), json!({})).await.problem(404, "not-found");
    assert_eq!(service.scene.arin.requests().total(), 0);
}

#[tokio::test]
async fn what_could_not_be_found_out_is_told() {
    let service = Service::new().await;
    service.scene.arin.configure(|options| options.keys.clear());
    let told = service.post(&service.ann, &service.config("/plan"), json!({})).await.expect(200);
    assert_eq!(told["result"], "failed");
    assert!(told["reason"].is_string(), "{told}");
}

#[tokio::test]
async fn a_plan_shows_persons_to_those_who_may_view_the_contacts() {
    let service = Service::new().await;
    service.keys.send_replace(keyring(&[(CONFIG, "dan", KEY), (CONFIG, "bob", KEY)]));
    let some = [schema::CONFIG, schema::ORGANIZATION, schema::NETWORK, schema::CUSTOMER];
    let some = some.map(|slug| Grant::new(&custom(slug), &[Action::View]));
    let dan = service.scene.netbox.server.as_ref().unwrap().add_user("dan", some.to_vec());
    let whole = service.post(&service.bob, &service.config("/plan"), json!({})).await;
    assert!(whole.text.contains('@'), "there are mail addresses in it: {}", whole.text);
    let whole = whole.expect(200);
    let of = |plan: &Value, object: &str| {
        plan["changes"].as_array().unwrap().iter().filter(|change| change["type"] == object).count()
    };
    assert!(of(&whole, "contact") > 0 && of(&whole, "address") > 0);
    assert_eq!(whole["withheld"], Value::Null);
    let told = service.post(&dan, &service.config("/plan"), json!({})).await;
    assert!(!told.text.contains('@'), "{}", told.text);
    let told = told.expect(200);
    assert_eq!((of(&told, "contact"), of(&told, "address")), (0, 0));
    let withheld = json!({ "contact": of(&whole, "contact"), "address": of(&whole, "address") });
    assert_eq!(told["withheld"], withheld);
    assert_eq!((of(&told, "network"), &told["counts"]), (of(&whole, "network"), &whole["counts"]));
}
