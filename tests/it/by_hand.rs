//! `rir-sidecar sync` beside a service: they never write at the same time, and keep to one limit of requests to ARIN.

use std::time::Duration;

use rir_sandbox::regrws::KEY;
use rir_sidecar::{
    coordination::{Coordination, lease_by_hand},
    queue::{Ending, JobId, Queue, State, Trigger},
    services::Services,
    worker::Worker,
};
use serde_json::json;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{
    process::{Means, free_address, until},
    queue::bench::settings,
    scene::{Scene, Target, small},
    service::{ask, memory, over, whole},
};

/// A service's queue in Redis, and the command beside it.
struct Beside {
    scene: Scene,
    queue: Queue,
    coordination: Coordination,
    means: Means,
}

impl Beside {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With more settings than the usual ones.
    async fn with(more: &[(&str, &str)]) -> Self {
        let url = std::env::var("RIR_LAB_REDIS_URL")
            .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
        let (scene, settings) = (Scene::new(Target::sandbox().await, small()).await, settings(&url));
        let redis = [("QUEUE__URL", url.as_str()), ("QUEUE__PREFIX", &settings.prefix)];
        let means = Means::new(&scene, KEY, &[&redis, more].concat());
        let (queue, coordination) = (Queue::open(&settings).await, Coordination::open(&settings).await);
        Self { scene, queue: queue.unwrap(), coordination: coordination.unwrap(), means }
    }

    fn asked(&self) -> usize {
        self.scene.arin.requests().total()
    }

    /// Waits until the command has said something.
    async fn told(&self, words: &str) {
        until("it is told", async || self.means.said().contains(words)).await;
    }
}

#[tokio::test]
async fn a_sync_by_hand_waits_for_the_job_that_syncs_the_config() {
    let beside = Beside::new().await;
    let id = ask(&beside.queue, whole(beside.scene.config), None, Trigger::Schedule).await;
    let claim = beside.queue.claim("worker", 1, Duration::ZERO).await.unwrap().remove(0);
    let mut command = beside.means.spawn(&["sync", "--all"]);
    beside.told(&format!("job {id} of the service is syncing it; waiting")).await;
    assert_eq!(beside.asked(), 0);
    assert!(beside.coordination.lease_holder(&lease_by_hand(beside.scene.config)).await.unwrap().is_some());
    beside.queue.settle(&claim, Ending::Done { result: json!({}), then: Vec::new() }).await.unwrap();
    assert!(command.wait().await.unwrap().success(), "{}", beside.means.said());
    assert!(beside.asked() > 0);
    let holder = beside.coordination.lease_holder(&lease_by_hand(beside.scene.config)).await.unwrap();
    assert_eq!(holder, None, "it is given back");
}

#[tokio::test]
async fn a_sync_by_hand_that_waits_can_be_given_up() {
    let beside = Beside::new().await;
    let lease = lease_by_hand(beside.scene.config);
    assert!(beside.coordination.acquire_lease(&lease, "somebody", Duration::from_secs(60)).await.unwrap());
    let mut command = beside.means.spawn(&["sync", "--all"]);
    beside.told("somebody else by hand is syncing it; waiting").await;
    let pid = command.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    assert_eq!(command.wait().await.unwrap().code(), Some(130), "{}", beside.means.said());
    assert_eq!(beside.asked(), 0);
    assert_eq!(beside.coordination.lease_holder(&lease).await.unwrap().as_deref(), Some("somebody"));
}

/// A preview writes nothing.
#[tokio::test]
async fn a_preview_by_hand_waits_for_nobody() {
    let beside = Beside::new().await;
    let lease = lease_by_hand(beside.scene.config);
    assert!(beside.coordination.acquire_lease(&lease, "somebody", Duration::from_secs(60)).await.unwrap());
    assert!(beside.means.run(&["sync", "--all", "--plan-only"]).await.status.success());
}

/// Of a service whose workers all died, a job may still be called running. Who else is alive takes no job over: other syncs
/// by hand that wait like this one, or a process without workers.
#[tokio::test]
async fn a_job_that_nobody_is_there_to_do_holds_up_no_sync_by_hand() {
    let beside = Beside::with(&[("QUEUE__LEASE", "1500ms")]).await;
    let id = ask(&beside.queue, whole(beside.scene.config), None, Trigger::Schedule).await;
    beside.queue.claim("worker", 1, Duration::ZERO).await.unwrap();
    let coordination = beside.coordination.clone();
    let others = tokio::spawn(async move {
        loop {
            coordination.register_presence("another sync by hand").await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let mut command = beside.means.spawn(&["sync", "--all"]);
    let ended = tokio::time::timeout(Duration::from_secs(20), command.wait()).await;
    assert!(ended.expect("it waits for ever").unwrap().success(), "{}", beside.means.said());
    let job = beside.queue.find(&id).await.unwrap().unwrap();
    assert_eq!(job.state, State::Running, "nobody took the job over");
    others.abort();
}

#[tokio::test]
async fn a_job_waits_while_its_config_is_synced_by_hand() {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    scene.settings.queue.retry_backoff = Duration::from_millis(10);
    let services = Services { queue: memory(&scene), ..scene.services() };
    let lease = lease_by_hand(scene.config);
    assert!(services.coordination.acquire_lease(&lease, "by hand", Duration::from_secs(60)).await.unwrap());
    let stop = CancellationToken::new();
    let working = tokio::spawn(Worker::new(services.clone(), "worker", Handle::current()).run(stop.clone()));
    let id: JobId = ask(&services.queue, whole(scene.config), None, Trigger::Api).await;
    until("it was put off", async || {
        let job = services.queue.find(&id).await.unwrap().unwrap();
        job.state == State::Delayed && job.started.is_some()
    })
    .await;
    assert_eq!(scene.arin.requests().total(), 0);
    services.coordination.release_lease(&lease, "by hand").await.unwrap();
    assert_eq!(over(&services.queue, &id).await.result.unwrap()["result"], "changed");
    stop.cancel();
    working.await.unwrap();
}

#[tokio::test]
async fn a_sync_by_hand_keeps_to_the_limit_of_all_replicas() {
    let beside = Beside::with(&[("ARIN__REQUESTS_PER_SECOND", "1000")]).await;
    let instance = beside.scene.services().arin.instance(&beside.scene.arin.url()).unwrap().to_string();
    let rate = async || beside.coordination.change_rate(&instance, |rate, _| format!("{rate:?}")).await.unwrap();
    let untouched = rate().await;
    assert!(beside.means.run(&["sync", "--all"]).await.status.success());
    assert_ne!(rate().await, untouched, "its requests are counted where those of all replicas are");
}

#[tokio::test]
async fn without_redis_it_says_what_to_do_and_that_works() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let nowhere = format!("redis://{}/", free_address());
    let means = Means::new(&scene, KEY, &[("QUEUE__URL", &nowhere)]);
    let refused = means.run(&["sync", "--all"]).await;
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!((refused.status.code(), told.contains("RIR_SIDECAR__QUEUE__URL= ")), (Some(1), true), "{told}");
    assert_eq!(scene.census().await["rir-network"], 0);
    let means = Means::new(&scene, KEY, &[("QUEUE__URL", &nowhere), ("QUEUE__URL", "")]);
    assert!(means.run(&["sync", "--all"]).await.status.success());
}
