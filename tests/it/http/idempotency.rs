//! `Idempotency-Key`

use std::time::Duration;

use reqwest::Method;
use rir_sandbox::{
    netbox::{Fault, Rule},
    regrws::KEY,
};
use rir_sidecar::queue::Filter;
use serde_json::{Value, json};

use super::{Answer, Service, answer};
use crate::scene::{CONFIG, keyring};

async fn post(service: &Service, token: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = service.request(Method::POST, path).bearer_auth(token).header("idempotency-key", key);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn jobs(service: &Service) -> usize {
    service.queue.list(&Filter { limit: 50, ..Filter::default() }).await.unwrap().len()
}

#[tokio::test]
async fn the_same_request_is_done_once_and_answered_alike() {
    let service = Service::new().await;
    let sync = service.config("/sync");
    let first = post(&service, &service.ann, &sync, "k1", &json!({})).await;
    // Meanwhile the job is cancelled: done again, the request would make a new one.
    let job = first.body["job"]["id"].as_str().unwrap().to_owned();
    service.delete(&service.ann, &format!("/api/v1/jobs/{job}")).await.expect(202);
    let second = post(&service, &service.ann, &sync, "k1", &json!({})).await;
    assert_eq!((second.status, &second.text), (first.status, &first.text));
    for header in ["content-type", "location"] {
        assert_eq!(second.header(header), first.header(header), "{header}");
    }
    assert_eq!((first.header("idempotency-replayed"), second.header("idempotency-replayed")), ("", "true"));
    assert_eq!(jobs(&service).await, 1);
    post(&service, &service.ann, &sync, "k2", &json!({})).await.expect(202);
    assert_eq!(jobs(&service).await, 2);
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let service = Service::new().await;
    let sync = service.config("/sync");
    post(&service, &service.ann, &sync, "k1", &json!({})).await.expect(202);
    let other = json!({ "resources": ["contacts"] });
    post(&service, &service.ann, &sync, "k1", &other).await.problem(422, "idempotency-key-reused");
    let full = json!({ "full": true });
    post(&service, &service.ann, &sync, "k1", &full).await.problem(422, "idempotency-key-reused");
    // Other users and other paths have keys of their own.
    service.keys.send_replace(keyring(&[(CONFIG, "ann", KEY), (CONFIG, "cat", KEY)]));
    post(&service, &service.cat, &sync, "k1", &other).await.expect(202);
    post(&service, &service.ann, "/api/v1/configs/sync", "k1", &json!({})).await.expect(202);
}

#[tokio::test]
async fn only_what_was_done_is_kept() {
    let service = Service::new().await;
    let sync = service.config("/sync");
    post(&service, &service.cat, &sync, "k1", &json!({})).await.problem(409, "no-api-key");
    service.keys.send_replace(keyring(&[(CONFIG, "cat", KEY)]));
    let again = post(&service, &service.cat, &sync, "k1", &json!({})).await;
    assert_eq!(again.header("idempotency-replayed"), "");
    again.expect(202);
    assert_eq!(post(&service, &service.cat, &sync, "k1", &json!({})).await.header("idempotency-replayed"), "true");
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    netbox.fail(Rule::new(Fault::Status(500)).path("rir-config"));
    post(&service, &service.cat, &sync, "k2", &json!({})).await.problem(503, "netbox-unavailable");
    netbox.heal();
    post(&service, &service.cat, &sync, "k2", &json!({})).await.expect(202);
}

/// A request that does nothing and whose answer is long: a line for each of so many configs that there are not.
fn unknown_configs(count: u64) -> Value {
    json!({ "ids": (0..count).map(|number| i64::MAX as u64 - number).collect::<Vec<_>>() })
}

#[tokio::test]
async fn what_is_kept_for_a_user_has_an_end() {
    let service = Service::with(|settings| settings.http.requests_per_minute = 0).await;
    let (path, body) = ("/api/v1/configs/sync", unknown_configs(500));
    let mut kept = 0;
    let refused = loop {
        let told = post(&service, &service.eve, path, &format!("k{kept}"), &body).await;
        if told.status != 202 {
            break told;
        }
        kept += told.text.len();
        assert!(kept < 5 << 20, "{kept} bytes are kept for eve");
    };
    assert!(kept > 3 << 20, "{kept}");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!(wait > 23 * 3600 && wait <= 24 * 3600, "{wait}");
    let told = refused.problem(429, "too-many-idempotency-keys");
    assert!(told["detail"].as_str().unwrap().contains("without Idempotency-Key"), "{told}");
    let sent_again = post(&service, &service.eve, path, "k0", &body).await;
    assert_eq!(sent_again.header("idempotency-replayed"), "true");
    post(&service, &service.bob, path, "k0", &body).await.expect(202);
    // Refused before anything is done, also to those who could have it done.
    service.post(&service.eve, path, json!({})).await.expect(202);
}

#[tokio::test]
async fn a_request_is_not_done_again_though_its_answer_was_too_large() {
    let service = Service::new().await;
    let mut body = unknown_configs(999);
    body["ids"].as_array_mut().unwrap().push(json!(service.scene.config));
    let first = post(&service, &service.ann, "/api/v1/configs/sync", "k1", &body).await;
    assert!(first.text.len() > 64 << 10);
    first.expect(202);
    let job = service.queue.list(&Filter { limit: 5, ..Filter::default() }).await.unwrap().remove(0).id;
    service.delete(&service.ann, &format!("/api/v1/jobs/{job}")).await.expect(202);
    let again = post(&service, &service.ann, "/api/v1/configs/sync", "k1", &body).await;
    again.problem(409, "answer-not-kept");
    assert_eq!(jobs(&service).await, 1);
}

#[tokio::test]
async fn a_request_that_is_under_way_is_not_begun_again() {
    let service = Service::new().await;
    service.get(&service.ann, "/api/v1/whoami").await.expect(200);
    service.scene.netbox.server.as_ref().unwrap().configure(|options| options.latency = Duration::from_millis(500));
    let (sync, body) = (service.config("/sync"), json!({}));
    let first = post(&service, &service.ann, &sync, "k1", &body);
    let second = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        post(&service, &service.ann, &sync, "k1", &body).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(second.header("retry-after"), "1");
    second.problem(409, "request-in-progress");
    let told = first.expect(202);
    assert_eq!(post(&service, &service.ann, &sync, "k1", &body).await.expect(202), told);
}

#[tokio::test]
async fn a_client_that_goes_away_finds_the_answer_later() {
    let service = Service::new().await;
    service.get(&service.ann, "/api/v1/whoami").await.expect(200);
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    netbox.configure(|options| options.latency = Duration::from_millis(300));
    let (sync, body) = (service.config("/sync"), json!({}));
    let impatient = post(&service, &service.ann, &sync, "k1", &body);
    assert!(tokio::time::timeout(Duration::from_millis(150), impatient).await.is_err());
    netbox.configure(|options| options.latency = Duration::ZERO);
    let mut told = post(&service, &service.ann, &sync, "k1", &body).await;
    while told.status == 409 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        told = post(&service, &service.ann, &sync, "k1", &body).await;
    }
    assert_eq!((told.status.as_u16(), told.header("idempotency-replayed")), (202, "true"), "{}", told.text);
}

#[tokio::test]
async fn a_key_is_a_short_line_of_text() {
    let service = Service::new().await;
    for odd in [String::new(), "x".repeat(256)] {
        post(&service, &service.ann, &service.config("/sync"), &odd, &json!({})).await.problem(400, "invalid-request");
    }
    let no_token = service.request(Method::POST, &service.config("/sync")).header("idempotency-key", "k");
    answer(no_token).await.problem(401, "not-authenticated");
}
