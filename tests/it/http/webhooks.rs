//! `POST /webhooks/netbox`

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use rir_sidecar::{
    model::{Resource, RowId},
    queue::{Filter, State, Trigger, Work},
};
use serde_json::{Value, json};
use sha2::Sha512;

use super::{Answer, SECRET, Service, answer};

const PATH: &str = "/webhooks/netbox";

pub(crate) fn signature(secret: &str, body: &str) -> String {
    let mut hmac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap();
    hmac.update(body.as_bytes());
    hmac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn send(service: &Service, body: &str, signature: Option<&str>) -> Answer {
    let mut request = service.request(Method::POST, PATH).header("content-type", "application/json");
    if let Some(signature) = signature {
        request = request.header("X-Hook-Signature", signature);
    }
    answer(request.body(body.to_owned())).await
}

async fn signed(service: &Service, body: &Value) -> Answer {
    let body = body.to_string();
    send(service, &body, Some(&signature(SECRET, &body))).await
}

/// A webhook as NetBox 4.7.3 sends it.
fn hook(event: &str, object_type: &str, id: u64, url: &str, before: Value, after: Value) -> Value {
    json!({
        "event": event, "timestamp": Timestamp::now(), "object_type": object_type,
        "data": { "id": id, "url": url, "display": "x" },
        "request": { "id": format!("f44d32e0-{id}"), "path": "/api/", "path_info": "/api/", "method": "POST", "GET": {},
                     "user": "ann" },
        "snapshots": { "prechange": before, "postchange": after },
    })
}

/// A webhook about a new prefix.
pub(crate) fn prefix_created(id: u64) -> Value {
    hook("created", "ipam.prefix", id, "/api/ipam/prefixes/1/", Value::Null, json!({ "prefix": "10.0.0.0/24" }))
}

#[tokio::test]
async fn a_change_is_queued_before_it_is_answered() {
    let service = Service::new().await;
    let aggregate = hook("created", "ipam.aggregate", 7, "/api/ipam/aggregates/7/", Value::Null, json!({ "rir": 1 }));
    let told = signed(&service, &aggregate).await.expect(202);
    assert_eq!(told["result"], "queued");
    let jobs = service.queue.list(&Filter { limit: 10, ..Filter::default() }).await.unwrap();
    assert_eq!(told["jobs"], json!([jobs[0].id]));
    let job = jobs[0].job.clone().unwrap();
    assert_eq!(job.work, Work::SyncAggregate { config: None, aggregate: RowId(7) });
    assert_eq!((job.user.as_deref(), job.trigger), (Some("ann"), Trigger::Webhook));
    assert_eq!(jobs[0].state, State::Delayed, "more may follow");
}

#[tokio::test]
async fn many_prefixes_become_one_job() {
    let service = Service::new().await;
    let mut jobs = std::collections::BTreeSet::new();
    for id in 1..=20 {
        jobs.insert(signed(&service, &prefix_created(id)).await.expect(202)["jobs"].to_string());
    }
    assert_eq!(jobs.len(), 1);
    let listed = service.queue.list(&Filter { limit: 10, ..Filter::default() }).await.unwrap();
    let prefixes = (1..=20).map(RowId).collect();
    assert_eq!(listed[0].job.clone().unwrap().work, Work::SyncPrefix { config: None, prefixes });
}

#[tokio::test]
async fn a_config_is_known_by_its_address() {
    let service = Service::new().await;
    let object_type = "netbox_custom_objects.table1model";
    let change = |slug: &str| {
        let url = format!("/api/plugins/custom-objects/{slug}/3/");
        let (before, after) =
            (json!({ "org_handle": "A", "is_active": true }), json!({ "org_handle": "B", "is_active": true }));
        hook("updated", object_type, 3, &url, before, after)
    };
    signed(&service, &change("rir-config")).await.expect(202);
    let jobs = service.queue.list(&Filter { limit: 10, ..Filter::default() }).await.unwrap();
    let work = Work::SyncConfig { config: RowId(3), resources: Resource::all() };
    assert_eq!(jobs[0].job.clone().unwrap().work, work);
    let other = signed(&service, &change("rir-network")).await.expect(200);
    assert_eq!(other["result"], "ignored");
}

#[tokio::test]
async fn what_nothing_follows_from_is_ignored_with_its_reason() {
    let service = Service::new().await;
    let config = "/api/plugins/custom-objects/rir-config/3/";
    let echo = hook(
        "updated",
        "netbox_custom_objects.table1model",
        3,
        config,
        json!({ "last_sync": "a" }),
        json!({ "last_sync": "b" }),
    );
    let told = signed(&service, &echo).await.expect(200);
    assert_eq!(told, json!({ "result": "ignored", "reason": "only what rir-sidecar itself writes has changed" }));
    let deleted = hook("deleted", "ipam.prefix", 3, "/api/ipam/prefixes/3/", json!({}), Value::Null);
    assert_eq!(signed(&service, &deleted).await.expect(200)["result"], "ignored");
    let site = hook("created", "dcim.site", 3, "/api/dcim/sites/3/", Value::Null, json!({}));
    assert_eq!(signed(&service, &site).await.expect(200)["result"], "ignored");
    let odd = hook(&"x".repeat(20_000), "ipam.prefix", 3, "/api/ipam/prefixes/3/", Value::Null, json!({}));
    let told = signed(&service, &odd).await;
    assert!(told.text.len() < 1000, "it is not repeated at full length: {}", told.text);
    assert_eq!(told.expect(200)["result"], "ignored");
    assert_eq!(service.queue.list(&Filter { limit: 10, ..Filter::default() }).await.unwrap(), []);
}

#[tokio::test]
async fn a_webhook_is_refused_without_the_right_signature() {
    let service = Service::new().await;
    let body = prefix_created(1).to_string();
    let good = signature(SECRET, &body);
    for wrong in
        [None, Some(""), Some(&good[..126]), Some(&*signature("another-secret-1", &body)), Some("not hex at all")]
    {
        let refused = send(&service, &body, wrong).await;
        assert!(refused.header("www-authenticate").contains("X-Hook-Signature"));
        refused.problem(401, "bad-signature");
    }
    send(&service, &format!("{body} "), Some(&good)).await.problem(401, "bad-signature");
    // The signature is looked at first: whoever has none learns nothing about what would be understood.
    send(&service, "not json", None).await.problem(401, "bad-signature");
    assert_eq!(service.queue.list(&Filter { limit: 10, ..Filter::default() }).await.unwrap(), []);
    send(&service, &body, Some(&good.to_uppercase())).await.expect(202);
}

#[tokio::test]
async fn the_secret_before_is_valid_while_it_is_set() {
    let service = Service::with(|settings| settings.webhook.previous_secret = "the-secret-before".into()).await;
    for (id, secret) in [(1, "the-secret-before"), (2, SECRET)] {
        let body = prefix_created(id).to_string();
        send(&service, &body, Some(&signature(secret, &body))).await.expect(202);
    }
}

#[tokio::test]
async fn unsigned_webhooks_are_taken_only_when_that_is_allowed() {
    let service = Service::with(|settings| settings.webhook.secret = "".into()).await;
    let body = prefix_created(1).to_string();
    send(&service, &body, None).await.problem(401, "bad-signature");
    let open = Service::with(|settings| {
        settings.webhook.secret = "".into();
        settings.webhook.allow_unsigned = true;
    })
    .await;
    send(&open, &body, None).await.expect(202);
}

#[tokio::test]
async fn what_cannot_be_read_or_is_too_large_is_refused() {
    let service = Service::with(|settings| settings.http.max_body_bytes = 10_000).await;
    for body in ["", "not json", "{}", "[]", r#"{"event": "created", "object_type": "ipam.prefix"}"#] {
        send(&service, body, Some(&signature(SECRET, body))).await.problem(400, "invalid-request");
    }
    let large = "x".repeat(10_001);
    send(&service, &large, Some(&signature(SECRET, &large))).await.problem(413, "body-too-large");
}

#[tokio::test]
async fn a_queue_that_is_away_takes_nothing() {
    let service = Service::with(|settings| settings.queue.url = "redis://127.0.0.1:1/".into()).await;
    let refused = signed(&service, &prefix_created(1)).await;
    assert!(!refused.header("retry-after").is_empty());
    let told = refused.problem(503, "queue-unavailable");
    assert!(!told.to_string().contains("127.0.0.1"), "{told}");
}

#[tokio::test]
async fn netbox_is_not_asked_while_it_waits() {
    let service = Service::new().await;
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    netbox.forget_requests();
    signed(&service, &prefix_created(1)).await.expect(202);
    assert_eq!(netbox.requests().total(), 0);
}

async fn webhooks_counted(service: &Service, result: &str) -> bool {
    let figures = answer(service.request(Method::GET, "/metrics")).await.text;
    figures.contains(&format!("rir_sidecar_webhooks_total{{result=\"{result}\"}} 1\n"))
}

/// NetBox dates its webhooks. That the clock here is another one makes none of them old.
#[tokio::test]
async fn the_age_of_a_webhook_is_told_by_netboxs_clock() {
    let service = Service::new().await;
    let ahead = SignedDuration::from_hours(1);
    service.scene.netbox.server.as_ref().unwrap().set_clock(ahead);
    service.get(&service.ann, "/api/v1/whoami").await.expect(200);
    let mut new = prefix_created(1);
    new["timestamp"] = json!(Timestamp::now() + ahead);
    signed(&service, &new).await.expect(202);
    signed(&service, &prefix_created(2)).await.problem(403, "stale-webhook");
}

#[tokio::test]
async fn a_webhook_of_long_ago_is_refused_and_left_to_the_sweep() {
    let service = Service::new().await;
    for (made, words) in [(-310, "ago"), (310, "set the clocks")] {
        let mut replay = prefix_created(1);
        replay["timestamp"] = json!(Timestamp::now() + SignedDuration::from_secs(made));
        let told = signed(&service, &replay).await.problem(403, "stale-webhook");
        assert!(told["detail"].as_str().unwrap().contains(words), "{told}");
    }
    let mut timeless = prefix_created(1);
    timeless.as_object_mut().unwrap().remove("timestamp");
    signed(&service, &timeless).await.problem(400, "invalid-request");
    let seen = "ipam.prefix:1:f44d32e0-1".to_owned();
    assert_eq!(
        service.services.coordination.unseen_changes(&[(seen, jiff::Timestamp::UNIX_EPOCH)]).await.unwrap(),
        [true],
        "the sweep finds it"
    );
    assert_eq!(service.queue.list(&Filter { limit: 10, ..Filter::default() }).await.unwrap(), []);
}

#[tokio::test]
async fn a_webhook_that_is_sent_again_is_taken_once() {
    let service = Service::new().await;
    let body = prefix_created(1);
    signed(&service, &body).await.expect(202);
    let told = signed(&service, &body).await.expect(200);
    assert_eq!(told, json!({ "result": "ignored", "reason": "this webhook was taken before" }));
    assert!(webhooks_counted(&service, "repeated").await);
    // A change that is undone bears the request's id again, at another time.
    signed(&service, &prefix_created(1)).await.expect(202);
}
