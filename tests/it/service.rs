//! Jobs that are worked off: real workers on a queue in memory, against the in-memory NetBox and the simulated ARIN.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rir_sandbox::{
    regrws::{Fault, KEY, Operation, Rule},
    world::World,
};
use rir_sidecar::{
    model::{Resource, RowId},
    netbox::schema,
    queue::{Asked, Delay, Ending, Job, JobId, Order, Queue, Record, State, Trigger, Work},
    services::Services,
    worker::Worker,
};
use serde_json::json;
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::scene::{CONFIG, ORG, Scene, Target, small};

/// Longest wait for a job.
const PATIENCE: Duration = Duration::from_secs(30);

/// A worker on a queue.
pub(crate) struct Service {
    pub(crate) queue: Queue,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

impl Service {
    /// Works for a scene with so many workers.
    pub(crate) fn start(scene: &Scene, queue: Queue, workers: usize) -> Self {
        let shutdown = CancellationToken::new();
        let services = Services { queue: queue.clone(), ..scene.services() };
        let tasks = (0..workers)
            .map(|number| {
                let worker = Worker::new(services.clone(), &format!("worker-{number}"), Handle::current());
                tokio::spawn(worker.run(shutdown.clone()))
            })
            .collect();
        Self { queue, shutdown, tasks }
    }

    /// Waits until a job is over.
    pub(crate) async fn over(&self, id: &JobId) -> Record {
        over(&self.queue, id).await
    }

    pub(crate) async fn ask(&self, work: Work) -> JobId {
        ask(&self.queue, work, None, Trigger::Api).await
    }

    /// Lets the workers end.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

pub(crate) async fn ask(queue: &Queue, work: Work, user: Option<&str>, trigger: Trigger) -> JobId {
    let job = Job { user: user.map(str::to_owned), ..Job::new(work, trigger) };
    let tickets = queue.enqueue(&[Order { job, delay: Delay::None }]).await.unwrap();
    tickets[0].job.clone()
}

/// Waits until a job is over.
pub(crate) async fn over(queue: &Queue, id: &JobId) -> Record {
    let wait = async {
        loop {
            let record = queue.find(id).await.unwrap().unwrap();
            if record.state.is_over() {
                return record;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{id} is not over"))
}

pub(crate) fn memory(scene: &Scene) -> Queue {
    Queue::in_memory(&scene.settings.queue)
}

pub(crate) fn whole(config: RowId) -> Work {
    Work::SyncConfig { config, resources: Resource::all() }
}

/// A scene whose jobs are tried again after a moment.
async fn scene(world: World) -> Scene {
    let mut scene = Scene::new(Target::sandbox().await, world).await;
    scene.settings.queue.retry_backoff = Duration::from_millis(10);
    scene
}

/// All rows but the log, without what differs from run to run.
async fn outcome(scene: &Scene) -> BTreeMap<String, String> {
    let varies =
        regex_lite::Regex::new(r#""(id|url|display|key|created|last_updated|last_synced)":("[^"]*"|\d+),?"#).unwrap();
    let mut rows = BTreeMap::new();
    for slug in ["rir-organization", "rir-contact", "rir-network", "rir-customer", "rir-address"] {
        for (name, row) in scene.rows(slug).await {
            let text = serde_json::to_string(&row).unwrap();
            rows.insert(format!("{slug} {name}"), varies.replace_all(&text, "").into_owned());
        }
    }
    rows
}

async fn failed_rows(scene: &Scene) -> usize {
    scene.rows_of("rir-sync-log").await.iter().filter(|row| row["status"]["value"] == "error").count()
}

#[tokio::test]
async fn a_run_of_a_worker_ends_like_one_of_the_command_line() {
    let at_once = scene(World::demo()).await;
    at_once.sync().await;
    let by_worker = scene(World::demo()).await;
    let service = Service::start(&by_worker, memory(&by_worker), 2);
    let id = service.ask(whole(by_worker.config)).await;
    let record = service.over(&id).await;
    assert_eq!(record.state, State::Done, "{record:?}");
    assert_eq!(record.result.unwrap()["result"], "changed");
    let (left, right) = (outcome(&by_worker).await, outcome(&at_once).await);
    let other: Vec<_> = left.iter().filter(|(name, row)| right.get(*name) != Some(row)).collect();
    assert!(other.is_empty() && left.len() == right.len(), "{other:#?}");
    assert!(by_worker.left_to_do().await.changes.is_empty());
    service.stop().await;
}

#[tokio::test]
async fn a_second_run_writes_one_row_and_the_config() {
    let scene = scene(small()).await;
    let service = Service::start(&scene, memory(&scene), 1);
    service.over(&service.ask(whole(scene.config)).await).await;
    let before = scene.census().await;
    let record = service.over(&service.ask(whole(scene.config)).await).await;
    assert_eq!(record.result.unwrap()["result"], "unchanged");
    let mut after = scene.census().await;
    *after.get_mut("rir-sync-log").unwrap() -= 1;
    assert_eq!(after, before);
    service.stop().await;
}

#[tokio::test]
async fn what_is_gone_at_arin_is_retired_at_the_end_of_the_run() {
    let scene = scene(small()).await;
    let service = Service::start(&scene, memory(&scene), 1);
    service.over(&service.ask(whole(scene.config)).await).await;
    drop(scene.arin.registry().nets.remove("NET-23-144-2-0-1"));
    let record = service.over(&service.ask(whole(scene.config)).await).await;
    assert_eq!(record.result.unwrap()["counts"]["network"]["retired"], 1);
    assert_eq!(scene.row("rir-network", "NET-23-144-2-0-1").await["status"]["value"], "not-found");
    service.stop().await;
}

#[tokio::test]
async fn an_outage_of_arin_is_tried_again_and_leaves_nothing_behind() {
    let mut scene = scene(small()).await;
    crate::scene::impatient(&mut scene);
    scene.settings.queue.max_attempts = 10;
    let service = Service::start(&scene, memory(&scene), 1);
    scene.arin.fail(Rule::new(Fault::Status(503)).on(Operation::MostSpecificNet).times(12));
    let record = service.over(&service.ask(whole(scene.config)).await).await;
    assert_eq!(record.state, State::Done);
    assert!(scene.left_to_do().await.changes.is_empty());
    service.stop().await;
}

#[tokio::test]
async fn a_wrong_key_is_recorded_and_not_tried_again() {
    let mut scene = scene(small()).await;
    scene.keys(&[(CONFIG, "ann", "API-WRONG")]);
    let service = Service::start(&scene, memory(&scene), 1);
    let record = service.over(&service.ask(whole(scene.config)).await).await;
    assert_eq!((record.state, record.attempts), (State::Done, 1));
    assert_eq!(record.result.unwrap()["result"], "failed");
    assert_eq!(scene.row_by_id("rir-config", scene.config).await["last_result"]["value"], "failed");
    assert!(failed_rows(&scene).await > 0);
    service.stop().await;
}

#[tokio::test]
async fn a_job_for_all_configs_makes_one_for_each() {
    let scene = scene(small()).await;
    let service = Service::start(&scene, memory(&scene), 2);
    let aggregate = scene.ids("ipam/aggregates").await[0];
    let work = Work::SyncAggregate { config: None, aggregate: RowId(aggregate) };
    let job = Job { full: true, ..Job::new(work, Trigger::Api) };
    let orders = [Order { job, delay: Delay::None }];
    service.over(&service.queue.enqueue(&orders).await.unwrap()[0].job).await;
    let prefixes: BTreeSet<RowId> = scene.ids("ipam/prefixes").await.into_iter().map(RowId).collect();
    service.over(&service.ask(Work::SyncPrefix { config: None, prefixes }).await).await;
    let done = wait_for_idle(&service.queue).await;
    let jobs = done.iter().map(|record| record.job.as_ref().unwrap());
    let mut kinds: Vec<_> = jobs.map(|job| (job.work.name(), job.full)).collect();
    kinds.sort_unstable();
    // Each asks ARIN as much as the one that made it.
    let (aggregate, prefix) = (("sync-aggregate", true), ("sync-prefix", false));
    assert_eq!(kinds, [aggregate, aggregate, prefix, prefix]);
    assert!(scene.rows("rir-network").await.contains_key("NET-23-144-1-0-1"));
    service.stop().await;
}

#[tokio::test]
async fn a_change_by_somebody_without_a_key_uses_another_and_says_so() {
    let scene = scene(small()).await;
    let service = Service::start(&scene, memory(&scene), 1);
    let work =
        Work::SyncAggregate { config: Some(scene.config), aggregate: RowId(scene.ids("ipam/aggregates").await[0]) };
    let id = ask(&service.queue, work.clone(), Some("bob"), Trigger::Webhook).await;
    assert_eq!(service.over(&id).await.result.unwrap()["result"], "changed");
    let summary = scene.rows_of("rir-sync-log").await.pop().unwrap();
    let message = summary["message"].as_str().unwrap();
    assert!(
        message.contains("API key of ann.") && message.contains("bob, who made the change, has no API key"),
        "{message}"
    );
    let id = ask(&service.queue, work, Some("bob"), Trigger::Api).await;
    assert_eq!(service.over(&id).await.result.unwrap()["result"], "failed");
    service.stop().await;
}

#[tokio::test]
async fn a_run_that_a_change_began_uses_one_key_to_its_end() {
    let scene = scene(small()).await;
    let service = Service::start(&scene, memory(&scene), 1);
    let id = ask(&service.queue, whole(scene.config), Some("bob"), Trigger::Webhook).await;
    let record = service.over(&id).await;
    assert_eq!(record.result.as_ref().unwrap()["result"], "changed", "{record:?}");
    let run = record.result.unwrap()["run"].clone();
    let rows = scene.rows_of("rir-sync-log").await;
    let summary = rows.iter().find(|row| row["run"] == run && row["object_type"].is_null()).unwrap();
    let message = summary["message"].as_str().unwrap();
    assert!(message.contains("API key of ann.") && message.contains("bob, who made the change"), "{message}");
    service.stop().await;
}

#[tokio::test]
async fn a_worker_that_goes_away_hands_its_job_to_another() {
    let mut scene = scene(small()).await;
    scene.settings.worker.shutdown_timeout = Duration::from_secs(3);
    scene.settings.arin.timeout = Duration::from_secs(20);
    // Eight questions, one after the other: the first part takes far longer than the process has to notice and to end.
    scene.arin.configure(|options| options.latency = Duration::from_secs(1));
    scene.settings.arin.max_in_flight = 1;
    let queue = memory(&scene);
    let first = Service::start(&scene, queue.clone(), 1);
    let id = first.ask(whole(scene.config)).await;
    while queue.find(&id).await.unwrap().unwrap().state != State::Running {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.stop().await;
    assert_eq!(queue.find(&id).await.unwrap().unwrap().state, State::Ready);
    scene.arin.configure(|options| options.latency = Duration::ZERO);
    let second = Service::start(&scene, queue, 1);
    let record = second.over(&id).await;
    assert_eq!((record.state, record.attempts), (State::Done, 1));
    assert!(scene.left_to_do().await.changes.is_empty());
    second.stop().await;
}

#[tokio::test]
async fn a_retried_job_uses_the_key_of_whoever_retried_it() {
    let mut scene = scene(small()).await;
    scene.keys(&[(CONFIG, "ann", "API-WRONG"), (CONFIG, "bob", KEY)]);
    let queue = memory(&scene);
    let id = ask(&queue, whole(scene.config), Some("ann"), Trigger::Api).await;
    queue.cancel(&id, "ann").await.unwrap();
    assert_eq!(queue.retry(&id, "bob", Some("bob")).await.unwrap(), Asked::Taken);
    let service = Service::start(&scene, queue, 1);
    let record = service.over(&id).await;
    assert_eq!(record.result.unwrap()["result"], "changed");
    assert_eq!(scene.row(schema::ORGANIZATION, ORG).await["synced_by"], "bob");
    service.stop().await;
}

#[tokio::test]
async fn a_cancelled_job_stops_and_says_so() {
    let mut scene = scene(small()).await;
    scene.settings.queue.lease = Duration::from_secs(1);
    scene.arin.configure(|options| options.latency = Duration::from_millis(500));
    let service = Service::start(&scene, memory(&scene), 1);
    let id = service.ask(whole(scene.config)).await;
    while service.queue.find(&id).await.unwrap().unwrap().state != State::Running {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    service.queue.cancel(&id, "ann").await.unwrap();
    assert_eq!(service.over(&id).await.state, State::Cancelled);
    service.stop().await;
}

#[tokio::test]
async fn a_job_that_lost_its_lease_stops_writing() {
    let mut scene = scene(small()).await;
    scene.settings.queue.lease = Duration::from_secs(1);
    scene.arin.configure(|options| options.latency = Duration::from_millis(300));
    let queue = memory(&scene);
    let service = Service::start(&scene, queue.clone(), 1);
    let id = service.ask(whole(scene.config)).await;
    while queue.find(&id).await.unwrap().unwrap().state != State::Running {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Somebody else ends the job meanwhile, as a worker would that took it over.
    let record = queue.find(&id).await.unwrap().unwrap();
    let stolen = rir_sidecar::queue::Claim {
        id: id.clone(),
        job: record.job.unwrap(),
        attempt: 1,
        fence: 1,
        created: record.created,
    };
    queue.settle(&stolen, Ending::Done { result: json!({}), then: vec![] }).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let written = scene.census().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(scene.census().await, written);
    service.stop().await;
}

/// Waits until no job is left to do, and lists all there were.
pub(crate) async fn wait_for_idle(queue: &Queue) -> Vec<Record> {
    let wait = async {
        loop {
            let all = queue.list(&rir_sidecar::queue::Filter { limit: 1000, ..Default::default() }).await.unwrap();
            if all.iter().all(|record| record.state.is_over()) {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}
