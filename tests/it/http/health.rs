//! Health and figures.

use std::time::Duration;

use reqwest::Method;
use rir_sandbox::netbox::{Fault, Rule};
use serde_json::json;

use super::{Answer, Service, answer};

async fn ask(service: &Service, path: &str) -> Answer {
    answer(service.request(Method::GET, path)).await
}

#[tokio::test]
async fn it_is_ready_while_queue_and_netbox_answer() {
    let service = Service::new().await;
    assert_eq!(ask(&service, "/health/live").await.expect(200), json!({ "status": "live" }));
    assert_eq!(ask(&service, "/health/ready").await.expect(200), json!({ "status": "ready" }));
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    let questions = || netbox.requests().count("GET", "/api/status/");
    let before = questions();
    for _ in 0..10 {
        ask(&service, "/health/ready").await.expect(200);
    }
    assert_eq!(questions(), before, "the answer is believed for a while");
}

#[tokio::test]
async fn it_is_not_ready_without_netbox() {
    let service = Service::new().await;
    service.scene.netbox.server.as_ref().unwrap().fail(Rule::new(Fault::Hang));
    let begun = std::time::Instant::now();
    let told = ask(&service, "/health/ready").await.problem(503, "not-ready");
    assert_eq!(told["detail"], "NetBox does not answer");
    assert!(begun.elapsed() < Duration::from_secs(4));
    ask(&service, "/health/live").await.expect(200);
}

#[tokio::test]
async fn it_is_not_ready_without_the_queue() {
    let service = Service::with(|settings| settings.queue.url = "redis://127.0.0.1:1/".into()).await;
    let told = ask(&service, "/health/ready").await.problem(503, "not-ready");
    assert_eq!(told["detail"], "the queue does not answer");
    assert!(ask(&service, "/metrics").await.text.contains("rir_sidecar_queue_up 0\n"));
}

#[tokio::test]
async fn figures_tell_of_requests_webhooks_and_the_queue() {
    let service = Service::new().await;
    service.queued(service.scene.config).await;
    service.get(&service.ann, &service.config("")).await.expect(200);
    service.get(&service.ann, "/api/v1/configs/999").await.expect(404);
    ask(&service, "/nowhere/at/all").await.expect(404);
    answer(service.request(Method::POST, "/webhooks/netbox").body("{}")).await.expect(401);
    let told = ask(&service, "/metrics").await;
    assert!(told.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        "rir_sidecar_http_requests_total{method=\"GET\",route=\"/api/v1/configs/{id}\",status=\"200\"} 1",
        "rir_sidecar_http_requests_total{method=\"GET\",route=\"/api/v1/configs/{id}\",status=\"404\"} 1",
        "rir_sidecar_http_requests_total{method=\"GET\",route=\"unknown\",status=\"404\"} 1",
        "rir_sidecar_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/configs/{id}\"} 2",
        "rir_sidecar_webhooks_total{result=\"unsigned\"} 1",
        "rir_sidecar_queue_jobs{state=\"ready\"} 1",
        "rir_sidecar_queue_jobs{state=\"dead\"} 0",
        "rir_sidecar_queue_up 1",
    ] {
        assert!(told.text.lines().any(|told| told == line), "{line} is not in\n{}", told.text);
    }
    assert!(told.text.contains("\nrir_sidecar_queue_oldest_ready_seconds "), "{}", told.text);
    assert!(told.text.ends_with("# EOF\n"));
}
