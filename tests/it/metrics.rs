//! Every figure, after a flow that touches all of it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::Method;
use rir_sandbox::regrws::{Fault, KEY, Operation, Rule};
use rir_sidecar::{
    coordination::Coordination,
    http, netbox,
    queue::Queue,
    scheduler::Scheduler,
    services::Services,
    telemetry::metrics::Metrics,
    worker::{SharedRateLimit, Worker},
};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    process::until,
    scene::{Scene, Target, impatient, small},
    service::wait_for_idle,
};

/// A service as `serve` puts it together, in this process.
struct Service {
    url: String,
    queue: Queue,
    _tasks: JoinSet<()>,
}

impl Service {
    async fn start(scene: &Scene) -> Self {
        let stop = CancellationToken::new();
        let (settings, keys) = (scene.settings.clone(), scene.services().keys);
        let (queue, coordination) = (Queue::in_memory(&settings.queue), Coordination::in_memory());
        let limit = Arc::new(SharedRateLimit::new(coordination.clone(), "test"));
        let services = Services::for_replicas(settings, (queue.clone(), coordination), limit, keys).unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(Worker::new(services.clone(), "test", tokio::runtime::Handle::current()).run(stop.clone()));
        tasks.spawn(Scheduler::new(services.clone(), "test").run(stop.clone()));
        let router = http::router(services.clone(), stop);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tasks.spawn(async move { http::serve(router, listener, &services, CancellationToken::new()).await });
        Self { url, queue, _tasks: tasks }
    }

    async fn figures(&self) -> String {
        reqwest::get(format!("{}/metrics", self.url)).await.unwrap().text().await.unwrap()
    }
}

async fn scene() -> Scene {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    scene.settings.webhook.allow_unsigned = true;
    scene.settings.webhook.debounce = Duration::ZERO;
    scene.settings.queue.retry_backoff = Duration::from_millis(10);
    scene
}

/// Asserts that there are lines with these beginnings, or these whole lines where the value is known.
#[track_caller]
fn has(figures: &str, wanted: &[&str]) {
    for line in wanted {
        let found = figures.lines().any(|told| told == *line || (line.ends_with(' ') && told.starts_with(line)));
        assert!(found, "{line} is not in\n{figures}");
    }
}

#[tokio::test]
async fn every_figure_tells_of_a_flow() {
    let mut scene = scene().await;
    scene.settings.arin.requests_per_second = 500;
    scene.arin.fail(Rule::new(Fault::Status(503)).on(Operation::Poc).times(1));
    // The schedule finds that the config was never synced.
    let service = Service::start(&scene).await;
    until("the run is over", async || service.figures().await.contains("runs_total{result=\"changed\"} 1")).await;
    let change = json!({
        "event": "created", "timestamp": Timestamp::now(), "object_type": "ipam.aggregate",
        "data": { "id": scene.ids("ipam/aggregates").await[0], "url": "/api/ipam/aggregates/1/", "display": "x" },
        "request": { "id": "f44d32e0", "user": "ann" }, "snapshots": { "prechange": null, "postchange": { "rir": 1 } },
    });
    let hook = reqwest::Client::new().request(Method::POST, format!("{}/webhooks/netbox", service.url));
    let answer = hook.header("content-type", "application/json").body(change.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    until("there was a second run", async || service.figures().await.contains("runs_total{result=\"unchanged\"} 1"))
        .await;
    wait_for_idle(&service.queue).await;
    service.figures().await;

    let instance = format!("arin@{}", scene.arin.url());
    let throttled = format!("rir_sidecar_throttle_wait_seconds_count{{registry=\"{instance}\"}} ");
    has(
        &service.figures().await,
        &[
            "rir_sidecar_http_requests_total{method=\"POST\",route=\"/webhooks/netbox\",status=\"202\"} 1",
            "rir_sidecar_http_request_duration_seconds_count{method=\"POST\",route=\"/webhooks/netbox\"} 1",
            "rir_sidecar_webhooks_total{result=\"queued\"} 1",
            "rir_sidecar_webhooks_total{result=\"unavailable\"} 0",
            "rir_sidecar_queue_up 1",
            "rir_sidecar_queue_jobs{state=\"running\"} 0",
            "rir_sidecar_queue_oldest_ready_seconds 0.0",
            "rir_sidecar_jobs_total{kind=\"sync-config\",result=\"done\"} 1",
            "rir_sidecar_jobs_total{kind=\"sync-aggregate\",result=\"done\"} 2",
            "rir_sidecar_jobs_total{kind=\"sync-prefix\",result=\"handed_back\"} 0",
            "rir_sidecar_job_duration_seconds_count{kind=\"sync-config\"} 1",
            "rir_sidecar_runs_total{result=\"changed\"} 1",
            "rir_sidecar_runs_total{result=\"failed\"} 0",
            "rir_sidecar_run_duration_seconds_count 2",
            "rir_sidecar_changes_total{object_type=\"network\",action=\"created\"} 3",
            "rir_sidecar_changes_total{object_type=\"contact\",action=\"created\"} 6",
            "rir_sidecar_changes_total{object_type=\"customer\",action=\"retired\"} 0",
            "rir_sidecar_config_last_success_timestamp_seconds{config=\"example-arin\"} ",
            "rir_sidecar_config_active{config=\"example-arin\"} 1",
            "rir_sidecar_upstream_requests_total{upstream=\"arin\",operation=\"poc\",status=\"503\"} 1",
            "rir_sidecar_upstream_requests_total{upstream=\"arin\",operation=\"poc\",status=\"200\"} 6",
            "rir_sidecar_upstream_requests_total{upstream=\"arin\",operation=\"most-specific-net\",status=\"200\"} ",
            "rir_sidecar_upstream_requests_total{upstream=\"netbox\",operation=\"POST rir-network\",status=\"201\"} ",
            "rir_sidecar_upstream_requests_total{upstream=\"netbox\",operation=\"GET ipam/prefixes\",status=\"200\"} ",
            "rir_sidecar_upstream_request_duration_seconds_count{upstream=\"arin\",operation=\"poc\"} 7",
            "rir_sidecar_upstream_retries_total{upstream=\"arin\",operation=\"poc\"} 1",
            &throttled,
            &format!("rir_sidecar_throttle_requests_per_second{{registry=\"{instance}\"}} 500.0"),
            concat!("rir_sidecar_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ],
    );
}

#[tokio::test]
async fn a_run_that_is_tried_again_counts_once() {
    let mut scene = scene().await;
    impatient(&mut scene);
    scene.settings.arin.retry_count = 0;
    scene.arin.fail(Rule::new(Fault::Status(503)).on(Operation::Customer).times(1));
    scene.arin.fail(Rule::new(Fault::Hang).on(Operation::Poc).times(1));
    let service = Service::start(&scene).await;
    let done = "rir_sidecar_jobs_total{kind=\"sync-config\",result=\"done\"} 1\n";
    until("the job is over", async || service.figures().await.contains(done)).await;
    let figures = service.figures().await;
    has(
        &figures,
        &[
            "rir_sidecar_runs_total{result=\"partial\"} 0",
            "rir_sidecar_runs_total{result=\"changed\"} 1",
            "rir_sidecar_jobs_total{kind=\"sync-config\",result=\"retried\"} 1",
            "rir_sidecar_jobs_total{kind=\"sync-config\",result=\"done\"} 1",
            "rir_sidecar_upstream_requests_total{upstream=\"arin\",operation=\"poc\",status=\"timeout\"} 1",
        ],
    );
}

#[tokio::test]
async fn nobody_at_the_other_end_is_unreachable() {
    let scene = scene().await;
    let metrics = Arc::new(Metrics::default());
    let settings = rir_sidecar::config::Netbox { url: "http://127.0.0.1:1/".parse().unwrap(), ..scene.settings.netbox };
    let client = netbox::Client::new(&settings).unwrap().measured(Arc::clone(&metrics));
    client.acting_for(&KEY.into()).unwrap().counting().status().await.unwrap_err();
    has(
        &metrics.text().unwrap(),
        &[
            "rir_sidecar_upstream_requests_total{upstream=\"netbox\",operation=\"GET status\",status=\"unreachable\"} 4",
            "rir_sidecar_upstream_retries_total{upstream=\"netbox\",operation=\"GET status\"} 3",
        ],
    );
}
