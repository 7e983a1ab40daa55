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
    // Other users and other paths have keys of their own.
    service.keys.send_replace(keyring(&[(CONFIG, "ann", KEY), (CONFIG, "cat", KEY)]));
    post(&service, &service.cat, &sync, "k1", &other).await.expect(202);
    post(&service, &service.ann, "/api/v1/configs/sync", "k1", &json!({})).await.expect(202);
}

#[tokio::test]
async fn a_refusal_is_kept_and_a_failure_is_not() {
    let service = Service::new().await;
    let sync = service.config("/sync");
    post(&service, &service.cat, &sync, "k1", &json!({})).await.problem(409, "no-api-key");
    service.keys.send_replace(keyring(&[(CONFIG, "cat", KEY)]));
    let again = post(&service, &service.cat, &sync, "k1", &json!({})).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    again.problem(409, "no-api-key");
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    netbox.fail(Rule::new(Fault::Status(500)).path("rir-config"));
    post(&service, &service.cat, &sync, "k2", &json!({})).await.problem(503, "netbox-unavailable");
    netbox.heal();
    post(&service, &service.cat, &sync, "k2", &json!({})).await.expect(202);
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
