//! Jobs that are no good company: one that keeps its thread busy, and one that breaks down.

use std::{collections::BTreeMap, sync::mpsc};

use serde_json::json;

use super::*;
use crate::{
    config::{self, keys::Keyring},
    model::{Config, Resource, RowId},
    queue::{Delay, Job, Order, State, Trigger},
    sync::Requester,
};

const LEASE: Duration = Duration::from_secs(30);

fn worker(threads: Handle) -> Worker {
    let set = [("URL", "http://netbox.test/"), ("TOKEN", "t")];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__NETBOX__{name}"), value.to_owned()));
    let settings = config::load_from(None, &BTreeMap::from(set)).unwrap();
    assert_eq!(settings.queue.lease, LEASE);
    Worker::new(Services::for_one_process(settings, Keyring::default()).unwrap(), "w", threads)
}

async fn claimed(worker: &Worker) -> Arc<Task> {
    let work = Work::SyncConfig { config: RowId(1), resources: Resource::all() };
    claimed_of(worker, Job::new(work, Trigger::Api)).await
}

async fn claimed_of(worker: &Worker, job: Job) -> Arc<Task> {
    let order = Order { job, delay: Delay::None };
    worker.services.queue.enqueue(&[order]).await.unwrap();
    let claim = worker.services.queue.claim("w", 1, Duration::ZERO).await.unwrap().remove(0);
    Arc::new(worker.task(claim))
}

fn done() -> Ending {
    Ending::Done { result: json!("done"), then: Vec::new() }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_keeps_its_thread_busy_keeps_its_lease() {
    let threads = JobThreads::start().unwrap();
    let worker = worker(threads.handle());
    let (task, queue) = (claimed(&worker).await, worker.services.queue.clone());
    let (free, busy) = mpsc::channel();
    let job = async move {
        busy.recv_timeout(Duration::from_secs(60)).expect("the others go on meanwhile");
        done()
    };
    let working = tokio::spawn(async move { worker.finish(&task, job, &CancellationToken::new()).await });
    sleep(LEASE * 10).await;
    assert_eq!(queue.claim("other", 1, Duration::ZERO).await.unwrap(), [], "the lease was renewed all the time");
    free.send(()).unwrap();
    assert_eq!(working.await.unwrap(), JobEnd::Done);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_panics_is_tried_again_and_takes_nothing_with_it() {
    let worker = worker(Handle::current());
    let task = claimed(&worker).await;
    let end = worker.finish(&task, async { panic!("no such thing") }, &CancellationToken::new()).await;
    assert_eq!(end, JobEnd::Retried);
    let record = worker.services.queue.find(&task.claim.id).await.unwrap().unwrap();
    assert_eq!(record.state, State::Delayed);
    assert!(record.error.as_ref().is_some_and(|error| error.contains("no such thing")), "{record:?}");
    let metrics = worker.services.metrics.text().unwrap();
    assert!(metrics.contains("rir_sidecar_panics_total{part=\"job\"} 1"), "{metrics}");
    drop(task);
    assert_eq!(worker.held.jobs(), [], "nothing is held any more");
}

/// A job that takes its process with it has had its attempt.
#[tokio::test(start_paused = true)]
async fn an_attempt_is_counted_before_the_job_begins() {
    let worker = worker(Handle::current());
    let task = claimed(&worker).await;
    let (queue, id) = (worker.services.queue.clone(), task.claim.id.clone());
    let attempts = move || {
        let (queue, id) = (queue.clone(), id.clone());
        async move { queue.find(&id).await.unwrap().unwrap().attempts }
    };
    assert_eq!(attempts().await, 0, "nobody has begun");
    let counted = attempts();
    let (tell, hear) = tokio::sync::oneshot::channel();
    let job = async move {
        tell.send(counted.await).unwrap();
        done()
    };
    assert_eq!(worker.finish(&task, job, &CancellationToken::new()).await, JobEnd::Done);
    assert_eq!(hear.await.unwrap(), 1);
}

/// A job whose worker gave it up goes on until it next waits.
#[tokio::test(start_paused = true)]
async fn a_job_is_held_until_it_has_really_ended() {
    let threads = JobThreads::start().unwrap();
    let worker = worker(threads.handle());
    let task = claimed(&worker).await;
    let ((free, busy), (tell, begun)) = (mpsc::channel::<()>(), mpsc::channel());
    let mut performing = worker.begin(&task, async move {
        tell.send(()).unwrap();
        busy.recv_timeout(Duration::from_secs(60)).unwrap();
        done()
    });
    begun.recv_timeout(Duration::from_secs(60)).unwrap();
    performing.abort_all();
    assert_eq!(worker.held.jobs().as_slice(), std::slice::from_ref(&task.claim.id));
    free.send(()).unwrap();
    while performing.join_next().await.is_some() {}
    assert_eq!(worker.held.jobs().len(), 1, "and until the queue has heard of it");
    drop(task);
    assert_eq!(worker.held.jobs(), []);
}

#[tokio::test(start_paused = true)]
async fn a_run_asks_as_its_job_says() {
    let worker = worker(Handle::current());
    let config = Config::new(RowId(1), "ours");
    for full in [false, true] {
        let work = Work::PlanConfig { config: config.id, resources: Resource::all() };
        let task = claimed_of(&worker, Job { full, ..Job::new(work, Trigger::Api).by(full.to_string()) }).await;
        let request = task.request(&config, std::slice::from_ref(&config));
        assert_eq!((request.full, request.requester), (full, Requester::User(full.to_string().as_str())));
        assert!(request.is_whole() && request.name == task.run_name());
    }
}
