//! Connections and bodies of whoever means no good: none of them costs much, nor keeps others out for long.

use std::{net::SocketAddr, time::Duration};

use jiff::Timestamp;
use reqwest::Method;
use rir_sidecar::{http, services::Services};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{SECRET, Service, answer, webhooks::signature};
use crate::{
    process::until,
    scene::{Scene, Target, small},
};

const HOOK: &str = "/webhooks/netbox";

/// A connection on which anything may be sent.
struct Raw(TcpStream);

impl Raw {
    async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// What is answered until the other side closes or this much is there.
    async fn read(&mut self, wanted: &str) -> String {
        let mut text = String::new();
        let mut chunk = [0; 4096];
        let reading = async {
            while !text.contains(wanted) {
                match self.0.read(&mut chunk).await {
                    Ok(0) | Err(_) => break,
                    Ok(count) => text.push_str(&String::from_utf8_lossy(&chunk[..count])),
                }
            }
        };
        let ended = timeout(Duration::from_secs(4), reading).await;
        assert!(ended.is_ok(), "{wanted} is not in {text}");
        text
    }
}

/// The head of a webhook with a body of this length.
fn head(signature: &str, length: usize) -> String {
    let signed = if signature.is_empty() { String::new() } else { format!("X-Hook-Signature: {signature}\r\n") };
    format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\n{signed}Content-Length: {length}\r\n\r\n")
}

fn figure(figures: &str, name: &str) -> i64 {
    figures.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap()
}

async fn figures(service: &Service) -> String {
    answer(service.request(Method::GET, "/metrics")).await.text
}

#[tokio::test]
async fn made_up_methods_and_paths_become_no_series() {
    let service = Service::new().await;
    let series = async || figures(&service).await.lines().filter(|line| line.contains("http_request")).count();
    let call = async |method: &str, path: &str| {
        answer(service.request(Method::from_bytes(method.as_bytes()).unwrap(), path)).await
    };
    call("MADE-UP", "/metrics").await.problem(405, "method-not-allowed");
    call("MADE-UP", "/nowhere").await.problem(404, "not-found");
    series().await;
    let before = series().await;
    for number in 0..50 {
        call(&format!("MADE-UP-{number}"), "/metrics").await.problem(405, "method-not-allowed");
        call(&format!("MADE-UP-{number}"), &format!("/nowhere/{number}")).await.problem(404, "not-found");
    }
    assert_eq!(series().await, before);
    assert!(!figures(&service).await.contains("MADE-UP"));
}

#[tokio::test]
async fn a_body_is_not_waited_for_without_a_signature() {
    let service = Service::new().await;
    for malformed in ["", "00", "not hex at all", &"x".repeat(128)] {
        let mut stranger = Raw::connect(service.address).await;
        stranger.send(&head(malformed, 1_000_000)).await;
        let told = stranger.read("bad-signature").await;
        assert!(told.starts_with("HTTP/1.1 401"), "{told}");
    }
    assert!(figures(&service).await.contains("rir_sidecar_webhooks_total{result=\"unsigned\"} 4\n"));
}

#[tokio::test]
async fn half_sent_bodies_leave_the_process_its_memory() {
    let service = Service::with(|settings| {
        settings.http.max_body_bytes = 60_000;
        settings.http.max_bodies_bytes = 100_000;
    })
    .await;
    let mut strangers = Vec::new();
    for _ in 0..2 {
        let mut stranger = Raw::connect(service.address).await;
        stranger.send(&head(&"0".repeat(128), 60_000)).await;
        stranger.send(&"x".repeat(49_000)).await;
        strangers.push(stranger);
    }
    let body = json!({ "event": "created", "timestamp": Timestamp::now(), "object_type": "ipam.prefix",
                       "data": { "id": 7 }, "request": { "id": "1" }, "padding": "x".repeat(3000) });
    let body = body.to_string();
    let hook = async || {
        let hook = service.request(Method::POST, HOOK).header("x-hook-signature", signature(SECRET, &body));
        answer(hook.body(body.clone())).await
    };
    until("the bodies have arrived", async || hook().await.status == 503).await;
    let refused = hook().await;
    assert_eq!(refused.header("retry-after"), "1");
    refused.problem(503, "busy");
    // Callers who are known have a budget of their own.
    service.post(&service.ann, &service.config("/sync"), json!({})).await.expect(202);
    drop(strangers);
    until("there is room again", async || hook().await.status.is_success()).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_so() {
    let service = Service::with(|settings| settings.http.max_connections = 2).await;
    let mut idle = [Raw::connect(service.address).await, Raw::connect(service.address).await];
    for connection in &mut idle {
        connection.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        connection.read("\"live\"").await;
    }
    let one_too_many = answer(service.request(Method::GET, "/api/v1/whoami")).await;
    assert_eq!((one_too_many.header("retry-after"), one_too_many.header("connection")), ("1", "close"));
    one_too_many.problem(503, "busy");
    answer(service.request(Method::GET, "/health/live")).await.expect(200);
    answer(service.request(Method::GET, "/health/ready")).await.problem(503, "busy");
    idle[0].send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let figures = idle[0].read("# EOF").await;
    assert_eq!(figure(&figures, "rir_sidecar_http_connections_refused_total"), 3);
    assert!(figure(&figures, "rir_sidecar_http_connections ") >= 2, "{figures}");
    drop(idle);
    until("there is a place again", async || {
        answer(service.request(Method::GET, "/health/ready")).await.status.is_success()
    })
    .await;
}

#[tokio::test]
async fn a_head_has_a_largest_size() {
    let service = Service::new().await;
    let mut stranger = Raw::connect(service.address).await;
    stranger.send(&format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000))).await;
    let told = stranger.read("\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.1 4") || told.is_empty(), "{told}");
}

/// On a clock that runs on by itself as soon as nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn who_sends_nothing_or_takes_nothing_is_not_kept() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let services: Services = scene.services();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let (router, metrics) = (http::router(services.clone(), stop.clone()), services.metrics.clone());
    tokio::spawn(async move { http::serve(router, listener, &services, stop).await });
    let open = || figure(&metrics.text().unwrap(), "rir_sidecar_http_connections ");

    let mut silent = Raw::connect(address).await;
    silent.send("GET /health/live HTTP/1.1\r\n").await;
    let mut greedy = Raw::connect(address).await;
    for _ in 0..200 {
        greedy.send("GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n").await;
    }
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(open(), 2);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(open(), 1, "a head has ten seconds");
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(open(), 0, "an answer that nobody takes has thirty");
}

/// How long a service goes on that is asked to end, with so many idle connections, on a clock that runs on by itself.
async fn time_to_end(idle: usize, shutdown_timeout: Duration) -> Duration {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    scene.settings.worker.shutdown_timeout = shutdown_timeout;
    let services: Services = scene.services();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let (router, end) = (http::router(services.clone(), stop.clone()), stop.clone());
    let serving = tokio::spawn(async move { http::serve(router, listener, &services, end).await });
    let mut kept = Vec::new();
    for _ in 0..idle {
        let mut client = Raw::connect(address).await;
        client.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        client.read("live").await;
        kept.push(client);
    }
    let began = tokio::time::Instant::now();
    stop.cancel();
    serving.await.unwrap();
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn idle_connections_put_the_end_off_for_a_moment_only() {
    let seconds = Duration::from_secs;
    assert!(time_to_end(0, seconds(25)).await < seconds(1));
    let took = time_to_end(2, seconds(25)).await;
    assert!(took >= seconds(3) && took < seconds(4), "{took:?}");
    let took = time_to_end(2, seconds(2)).await;
    assert!(took >= seconds(1) && took < seconds(2), "{took:?}");
}
