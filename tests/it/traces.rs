//! Traces as a collector gets them, and the ids on log lines.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use jiff::Timestamp;
use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span};
use prost::Message;
use rir_sandbox::regrws::{Fault, KEY, Operation, Rule};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    process::{Means, Process, until},
    scene::{Scene, Target, small},
};

/// A collector of traces.
struct Collector {
    url: String,
    got: Arc<Mutex<Vec<Span>>>,
    /// What came along as `Authorization`, each time.
    authorization: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    async fn start() -> Self {
        let got = Arc::<Mutex<Vec<Span>>>::default();
        let authorization = Arc::<Mutex<Vec<String>>>::default();
        let shown = Arc::clone(&authorization);
        let take = async move |State(got): State<Arc<Mutex<Vec<Span>>>>, headers: HeaderMap, body: Bytes| {
            let value = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
            shown.lock().unwrap().extend(value);
            let sent = ExportTraceServiceRequest::decode(body).unwrap();
            let spans = sent.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            got.lock().unwrap().extend(spans.flat_map(|scope| scope.spans));
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&got));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, got, authorization }
    }

    fn spans(&self) -> Vec<Span> {
        self.got.lock().unwrap().clone()
    }
}

/// The names of a span and of those around it, the innermost first.
fn line(spans: &[Span], span: &Span) -> Vec<String> {
    let by_id: BTreeMap<&[u8], &Span> = spans.iter().map(|span| (&*span.span_id, span)).collect();
    let mut names = vec![span.name.clone()];
    let mut parent = by_id.get(&*span.parent_span_id);
    while let Some(span) = parent {
        names.push(span.name.clone());
        parent = by_id.get(&*span.parent_span_id);
    }
    names
}

async fn scene() -> Scene {
    Scene::new(Target::sandbox().await, small()).await
}

/// Tells a process of a new aggregate, and waits until it was synced.
async fn change(scene: &Scene, process: &Process, traceparent: Option<&str>) {
    let before = runs(process).await;
    let body = json!({
        "event": "created", "timestamp": Timestamp::now(), "object_type": "ipam.aggregate",
        "data": { "id": scene.ids("ipam/aggregates").await[0], "url": "/api/ipam/aggregates/1/" },
        "request": { "id": format!("{:x}", fastrand::u64(..)), "user": "ann" },
        "snapshots": { "prechange": null, "postchange": { "rir": 1 } },
    });
    let mut request = reqwest::Client::new().post(process.url("/webhooks/netbox"));
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let answer = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    until("it was synced", async || runs(process).await > before).await;
}

async fn runs(process: &Process) -> u64 {
    let (_, figures) = process.get("/metrics").await;
    let line = figures.lines().find_map(|line| line.strip_prefix("rir_sidecar_run_duration_seconds_count "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_webhook_its_jobs_and_all_requests_are_one_trace() {
    let (scene, collector) = (scene().await, Collector::start().await);
    let set = [
        ("WEBHOOK__ALLOW_UNSIGNED", "true"),
        ("TELEMETRY__OTLP_ENDPOINT", &*collector.url),
        ("TELEMETRY__OTLP_AUTHORIZATION", "Bearer of-the-collector"),
    ];
    let process = Means::new(&scene, KEY, &set).start(&["serve"]).await;
    change(&scene, &process, None).await;
    process.end().await;
    let authorization = collector.authorization.lock().unwrap().clone();
    assert!(!authorization.is_empty() && authorization.iter().all(|value| value == "Bearer of-the-collector"));
    let spans = collector.spans();
    let webhook = spans.iter().find(|span| span.name == "webhook").unwrap();
    let ours: Vec<Span> = spans.iter().filter(|span| span.trace_id == webhook.trace_id).cloned().collect();
    for name in ["arin.request", "netbox.request"] {
        let lines: Vec<Vec<String>> =
            ours.iter().filter(|span| span.name == name).map(|span| line(&ours, span)).collect();
        let inside = [name, "sync", "job", "job", "webhook", "http.request"];
        assert!(lines.iter().filter(|line| **line == inside).count() > 2, "{name}: {lines:?}");
    }
    let root = ours.iter().filter(|span| span.parent_span_id.is_empty()).map(|span| &*span.name);
    assert_eq!(root.collect::<Vec<_>>(), ["http.request"], "everything hangs together");
}

#[tokio::test]
async fn a_trace_begun_elsewhere_is_carried_on_and_the_share_counts_for_our_own() {
    let (scene, collector) = (scene().await, Collector::start().await);
    let set = [
        ("WEBHOOK__ALLOW_UNSIGNED", "true"),
        ("TELEMETRY__OTLP_ENDPOINT", &*collector.url),
        ("TELEMETRY__TRACE_SHARE", "0"),
    ];
    let process = Means::new(&scene, KEY, &set).start(&["serve"]).await;
    change(&scene, &process, None).await;
    change(&scene, &process, Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")).await;
    process.end().await;
    let spans = collector.spans();
    assert!(spans.iter().any(|span| span.name == "sync"), "{}", spans.len());
    let theirs = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
    assert!(spans.iter().all(|span| span.trace_id == theirs));
}

#[tokio::test]
async fn a_collector_that_is_away_is_told_of_once_and_holds_nobody_up() {
    let scene = scene().await;
    let set = [("WEBHOOK__ALLOW_UNSIGNED", "true"), ("TELEMETRY__OTLP_ENDPOINT", "http://127.0.0.1:1/")];
    let means = Means::new(&scene, KEY, &set);
    let process = means.start(&["serve"]).await;
    change(&scene, &process, None).await;
    let began = std::time::Instant::now();
    process.end().await;
    assert!(began.elapsed().as_secs() < 6, "{:?}", began.elapsed());
    assert_eq!(means.said().matches("the collector of traces does not take them").count(), 1, "{}", means.said());
}

/// Returns the output of a process about a sync in this form of log lines; ARIN fails once, so that there is more to say.
async fn said(format: &str) -> String {
    let scene = scene().await;
    scene.arin.fail(Rule::new(Fault::Status(503)).on(Operation::Customer).times(1));
    let log = ("TELEMETRY__LOG", "info,rir_sidecar=debug");
    let means = Means::new(&scene, KEY, &[("WEBHOOK__ALLOW_UNSIGNED", "true"), log, ("TELEMETRY__LOG_FORMAT", format)]);
    let process = means.start(&["serve"]).await;
    change(&scene, &process, None).await;
    process.end().await;
    means.said()
}

/// Returns the lines that have to do with a run: NetBox is also asked for other reasons, ARIN is not.
fn of_a_run(said: &str) -> Vec<&str> {
    let parts = ["rir_sidecar::sync", "Arin is asked again"];
    let lines: Vec<&str> = said.lines().filter(|line| parts.iter().any(|part| line.contains(part))).collect();
    for part in parts {
        assert!(lines.iter().any(|line| line.contains(part)), "{part}: {said}");
    }
    lines
}

#[tokio::test]
async fn lines_for_people_have_the_ids_of_job_and_run() {
    let said = said("text").await;
    let ids = regex_lite::Regex::new(r#"job\{job=[0-9a-f]{24} .* run="?\d{8}T\d{6}Z-[0-9a-f]{8}"?\}"#).unwrap();
    for line in of_a_run(&said) {
        assert!(ids.is_match(line), "{line}");
    }
}

#[tokio::test]
async fn lines_for_machines_have_the_ids_of_job_and_run() {
    let said = said("json").await;
    for line in said.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    for line in of_a_run(&said) {
        let line: Value = serde_json::from_str(line).unwrap();
        let spans = line["spans"].as_array().unwrap();
        let job = spans.iter().find(|span| span["name"] == "job").unwrap();
        assert!(job["job"].as_str().unwrap().len() == 24 && job["run"].is_string(), "{line}");
        let sync = spans.iter().find(|span| span["name"] == "sync").unwrap();
        assert_eq!(sync["run"], job["run"], "{line}");
    }
}
