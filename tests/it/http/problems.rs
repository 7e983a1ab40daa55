//! Errors, ids of requests, and ends to patience.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{Service, answer};

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let service = Service::new().await;
    for path in ["/", "/api/v1/nothing", "/api/v2/configs", "/api/v1/configs/", "/health", "/%00"] {
        let told = answer(service.request(Method::GET, path)).await.problem(404, "not-found");
        assert!(told["title"].is_string() && told["detail"].is_string(), "{told}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_taken_is_a_problem() {
    let service = Service::new().await;
    let told = answer(service.request(Method::PUT, "/api/v1/configs")).await;
    assert!(told.header("allow").contains("GET"), "{:?}", told.headers);
    told.problem(405, "method-not-allowed");
    answer(service.request(Method::GET, "/webhooks/netbox")).await.problem(405, "method-not-allowed");
    answer(service.request(Method::GET, &service.config("/plan"))).await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem() {
    let service = Service::new().await;
    let sync = service.config("/sync");
    let send = async |media_type: &'static str, body: &'static str| {
        let request = service.request(Method::POST, &sync).bearer_auth(&service.ann);
        answer(request.header("content-type", media_type).body(body)).await
    };
    send("application/json", "{").await.problem(400, "invalid-request");
    send("application/json", "\u{0}").await.problem(400, "invalid-request");
    send("text/plain", "{}").await.problem(415, "unsupported-media-type");
    send("application/json; charset=utf-8", "{}").await.expect(202);
    send("text/plain", "").await.expect(202);
    for id in ["x", "0", "-1", "1.5", "9223372036854775808", "%ff"] {
        service.get(&service.ann, &format!("/api/v1/configs/{id}")).await.problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let service = Service::with(|settings| settings.http.max_body_bytes = 1000).await;
    let body = json!({ "resources": ["x".repeat(1000)] });
    service.post(&service.ann, &service.config("/sync"), body).await.problem(413, "body-too-large");
}

#[tokio::test]
async fn a_request_has_an_end() {
    let service = Service::with(|settings| settings.http.timeout = Duration::from_millis(200)).await;
    service.get(&service.ann, "/api/v1/whoami").await.expect(200);
    service.scene.netbox.server.as_ref().unwrap().configure(|options| options.latency = Duration::from_secs(5));
    service.get(&service.ann, "/api/v1/configs").await.problem(504, "timeout");
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let service = Service::new().await;
    let given = service.request(Method::GET, "/api/v1/configs").header("x-request-id", "from-the-client-1");
    assert_eq!(answer(given).await.header("x-request-id"), "from-the-client-1");
    let odd = service.request(Method::GET, "/nowhere").header("x-request-id", "{\"a\": 1}");
    let made = answer(odd).await.header("x-request-id").to_owned();
    assert_eq!((made.len(), made.bytes().all(|byte| byte.is_ascii_hexdigit())), (32, true), "{made}");
    assert_ne!(answer(service.request(Method::GET, "/nowhere")).await.header("x-request-id"), made);
}

#[tokio::test]
async fn nothing_is_repeated_at_full_length() {
    let service = Service::new().await;
    let long = "x".repeat(20_000);
    let get = async |path: &str| service.get(&service.ann, path).await;
    let odd = [
        get(&format!("/{long}")).await,
        get(&format!("/api/v1/configs/{long}")).await,
        get(&format!("/api/v1/jobs/{long}")).await,
        get(&format!("/api/v1/jobs?{long}=1")).await,
        get(&format!("/api/v1/jobs?state={long}")).await,
        answer(service.request(Method::from_bytes(long.as_bytes()).unwrap(), "/metrics")).await,
        answer(service.request(Method::GET, "/nowhere").header("x-request-id", &long)).await,
        service.post(&service.ann, &service.config("/sync"), json!({ "resources": [long] })).await,
        service.post(&service.ann, &service.config("/sync"), json!({ (long.as_str()): 1 })).await,
    ];
    for answer in odd {
        assert!(answer.status.is_client_error() && answer.text.len() < 1000, "{} {}", answer.status, answer.text.len());
        assert!(answer.headers.values().all(|value| value.len() < 1000), "{:?}", answer.headers);
    }
}
