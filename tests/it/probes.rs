//! A process tells that it is well: over HTTP, also where it only works, and by `rir-sidecar health`.

use std::process::Output;

use rir_sandbox::regrws::KEY;
use tokio::process::Command;

use crate::{
    process::{Means, free_address, until},
    scene::{Scene, Target, small},
};

/// An address at which there is no Redis.
const NOWHERE: &str = "redis://127.0.0.1:1/";

async fn scene() -> Scene {
    Scene::new(Target::sandbox().await, small()).await
}

fn told(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_process_that_only_works_tells_its_health_and_figures_and_nothing_else() {
    let scene = scene().await;
    let means = Means::new(&scene, KEY, &[("QUEUE__URL", NOWHERE)]);
    let process = means.start(&["work"]).await;
    let url = process.url("");
    assert_eq!(process.get("/health/live").await.0, 200);
    let (status, why) = process.get("/health/ready").await;
    assert!(status == 503 && why.contains("the queue does not answer"), "{status} {why}");
    let (status, figures) = process.get("/metrics").await;
    assert!(status == 200 && figures.contains("rir_sidecar_queue_up 0\n"), "{figures}");
    assert!(figures.contains("rir_sidecar_jobs_total{kind=\"sync-config\",result=\"dead\"} 0\n"), "{figures}");
    for path in ["/api/v1/configs", "/docs", "/openapi.json", "/webhooks/netbox", "/"] {
        assert_eq!(process.get(path).await.0, 404, "{path}");
    }
    assert_eq!(told(&means.run(&["health"]).await), (Some(0), "live\n".to_owned()));
    let (code, why) = told(&means.run(&["health", "--ready"]).await);
    assert_eq!(code, Some(1));
    assert!(why.ends_with("/health/ready answered 503 Service Unavailable: the queue does not answer\n"), "{why}");
    assert_eq!(why.lines().count(), 1, "{why}");
    process.end().await;
    let listens = format!("listening on {url}");
    assert!(means.said().contains(&listens), "{}", means.said());
}

#[tokio::test]
async fn health_is_asked_on_this_machine_whatever_is_listened_on() {
    let scene = scene().await;
    let port = free_address().rsplit(':').next().unwrap().to_owned();
    for all in ["0.0.0.0", "[::]"] {
        let means = Means::new(&scene, KEY, &[("HTTP__LISTEN", &format!("{all}:{port}"))]);
        let (code, why) = told(&means.run(&["health"]).await);
        assert!(code == Some(1) && why.contains(&format!("http://127.0.0.1:{port}/health/live")), "{why}");
        let process = means.start(&["serve"]).await;
        // Over IPv4, which a listener on all addresses of IPv6 takes as well.
        assert_eq!(told(&means.run(&["health", "--ready"]).await), (Some(0), "ready\n".to_owned()));
        process.end().await;
    }
}

#[tokio::test]
async fn only_where_to_ask_has_to_be_set() {
    let address = free_address();
    let mut health = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    health.env_clear().env("RIR_SIDECAR__HTTP__LISTEN", &address).arg("health");
    let (code, why) = told(&health.output().await.unwrap());
    assert!(code == Some(1) && why.contains(&address), "{why}");
    let scene = scene().await;
    let (code, why) = told(&Means::new(&scene, KEY, &[("HTTP__LISTEN", "here")]).run(&["health"]).await);
    assert!(code == Some(1) && why.contains("http.listen"), "{why}");
}

#[tokio::test]
async fn the_simulated_arin_can_be_served_alone() {
    // Fails when another test of this process was first, which is just as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let address = free_address();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    let mut sandbox = command.args(["sandbox", "--listen", &address]).kill_on_drop(true).spawn().unwrap();
    let url = format!("http://{address}/rest/org/EXAMPLE-NET-1");
    let ask = async || reqwest::Client::new().get(&url).header("authorization", format!("ApiKey {KEY}")).send().await;
    until("it answers", async || ask().await.is_ok()).await;
    assert!(ask().await.unwrap().text().await.unwrap().contains("<handle>EXAMPLE-NET-1</handle>"));
    let pid = sandbox.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(sandbox.wait().await.unwrap().success());
}
