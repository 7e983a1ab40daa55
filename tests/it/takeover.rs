//! A run that changes hands, or makes room for others: what is finished is not asked for again.

use std::{collections::BTreeMap, time::Duration};

use rir_sandbox::{regrws::Operation, world::World};
use rir_sidecar::{
    model::{AggregateProgress, AggregateState},
    queue::{JobId, Queue, Record, State},
};

use crate::{
    scene::{ORG, Scene, Target, aggregate, cidr, prefix, small},
    service::{Service, ask, memory, over, whole},
};

/// Longest wait for something to come about.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Aggregates of [`wide`], and prefixes in each.
const AGGREGATES: usize = 6;
const PREFIXES: usize = 4;

/// A world of several aggregates, each an allocation with prefixes that nobody registered.
fn wide() -> World {
    let mut world = small();
    world.ipam.aggregates.clear();
    world.ipam.prefixes.clear();
    for a in 0..AGGREGATES {
        let range = format!("23.15{a}.0.0/16");
        world.registry.allocate(&[cidr(&range)], ORG);
        aggregate(&mut world, &range);
        for p in 0..PREFIXES {
            prefix(&mut world, &format!("23.15{a}.{p}.0/24"), None);
        }
    }
    world
}

/// One question at a time, each of which takes a moment.
async fn scene() -> Scene {
    let mut scene = Scene::new(Target::sandbox().await, wide()).await;
    scene.settings.arin.max_in_flight = 1;
    scene.settings.queue.lease = Duration::from_secs(1);
    scene.settings.queue.retry_backoff = Duration::from_millis(10);
    scene.arin.configure(|options| options.latency = Duration::from_millis(150));
    scene
}

/// Counts how often each range was asked for.
fn asked(scene: &Scene) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for request in scene.arin.requests().0 {
        if request.operation == Operation::MostSpecificNet {
            *asked.entry(request.target).or_default() += 1;
        }
    }
    asked
}

/// Waits until the notes of a job finish the organization and an aggregate.
async fn noted(queue: &Queue, id: &JobId) -> Vec<serde_json::Value> {
    let wait = async {
        loop {
            let found = queue.notes(id).await.unwrap();
            if found.iter().any(|note| note["organization"] == true) && !finished(&found).is_empty() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.unwrap()
}

/// The aggregates that some notes finish.
fn finished(notes: &[serde_json::Value]) -> Vec<AggregateProgress> {
    let all = notes.iter().flat_map(|note| note["aggregates"].as_array().unwrap());
    all.map(|line| serde_json::from_value(line.clone()).unwrap()).collect()
}

/// Returns whether a range, as `first/last`, lies in an aggregate.
fn holds(line: &AggregateProgress, range: &str) -> bool {
    line.range.contains(&range.split('/').next().unwrap().parse::<std::net::IpAddr>().unwrap())
}

fn lines(record: &Record) -> &[AggregateProgress] {
    &record.progress.aggregates
}

#[tokio::test]
async fn a_worker_that_takes_a_run_over_asks_nothing_about_what_is_finished() {
    let scene = scene().await;
    let queue = memory(&scene);
    let first = Service::start(&scene, queue.clone(), 1);
    let id = first.ask(whole(scene.config)).await;
    noted(&queue, &id).await;
    // As by SIGKILL: nothing is handed back.
    first.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    drop(first);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let finished = finished(&queue.notes(&id).await.unwrap());
    assert!(!finished.is_empty() && finished.len() < AGGREGATES, "{finished:?}");
    let before = asked(&scene);
    scene.arin.forget_requests();
    let second = Service::start(&scene, queue, 1);
    let record = second.over(&id).await;
    assert_eq!((record.state, record.result.as_ref().unwrap()["result"].as_str()), (State::Done, Some("changed")));
    let after = asked(&scene);
    let again: Vec<_> = after.keys().filter(|target| finished.iter().any(|line| holds(line, target))).collect();
    assert_eq!(again, Vec::<&String>::new());
    // The organization and its contacts are finished as well.
    assert_eq!(scene.arin.requests().count(Operation::Poc), 0);
    assert_eq!(before.len() + after.keys().filter(|target| !before.contains_key(*target)).count(), AGGREGATES * 5);
    let states: Vec<_> = lines(&record).iter().map(|line| line.state).collect();
    assert_eq!(states, [AggregateState::Done; AGGREGATES]);
    assert_eq!(record.result.unwrap()["counts"]["network"]["created"], AGGREGATES);
    assert!(scene.left_to_do().await.changes.is_empty());
    second.stop().await;
}

#[tokio::test]
async fn a_long_run_makes_room_for_another_config_and_asks_for_nothing_finished_again() {
    let mut scene = scene().await;
    scene.settings.worker.concurrency = 1;
    let rir = scene.ids("ipam/rirs").await[0];
    let other = scene.add_config("other", "SAMPLE-3", rir).await;
    scene.keys(&[(crate::scene::CONFIG, "ann", rir_sandbox::regrws::KEY)]);
    let queue = memory(&scene);
    let service = Service::start(&scene, queue.clone(), 1);
    let long = service.ask(whole(scene.config)).await;
    let finished = finished(&noted(&queue, &long).await);
    // It ends at once, as there is no API key for it; what counts is that it had its turn.
    let short = ask(&queue, whole(other), None, rir_sidecar::queue::Trigger::Api).await;
    let short = over(&queue, &short).await;
    let long = service.over(&long).await;
    assert!(short.ended < long.ended && short.started > Some(long.created), "{short:?} {long:?}");
    assert_eq!((long.state, long.attempts), (State::Done, 1));
    // What was begun and not finished when it made room may be asked for again.
    let twice = asked(&scene).into_iter().filter(|(_, times)| *times > 1);
    let again: Vec<_> = twice.filter(|(range, _)| finished.iter().any(|line| holds(line, range))).collect();
    assert!(!finished.is_empty() && again.is_empty(), "{again:?}");
    assert!(scene.left_to_do().await.changes.is_empty());
    service.stop().await;
}

#[tokio::test]
async fn progress_has_a_line_for_each_aggregate_and_its_parent_net() {
    let scene = scene().await;
    let service = Service::start(&scene, memory(&scene), 1);
    let id = service.ask(whole(scene.config)).await;
    let wait = async {
        loop {
            let record = service.queue.find(&id).await.unwrap().unwrap();
            if lines(&record).iter().any(|line| line.state == AggregateState::Asking) {
                return record;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let record = tokio::time::timeout(TIMEOUT, wait).await.unwrap();
    assert_eq!(lines(&record).len(), AGGREGATES);
    let record = service.over(&id).await;
    for line in lines(&record) {
        assert_eq!((line.state, line.prefixes_done, line.prefixes), (AggregateState::Done, 4, 4), "{line:?}");
        assert_eq!((line.parent.is_some(), line.networks, line.failed), (true, 1, 0), "{line:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn a_part_that_failed_is_asked_again_and_the_rest_is_not() {
    use rir_sandbox::regrws::{Fault, Rule};
    let mut scene = scene().await;
    scene.arin.configure(|options| options.latency = Duration::ZERO);
    scene.settings.arin.retry_count = 0;
    scene
        .arin
        .fail(Rule::new(Fault::Status(503)).on(Operation::MostSpecificNet).about("23.152.1.0/23.152.1.255").times(1));
    let service = Service::start(&scene, memory(&scene), 1);
    let record = service.over(&service.ask(whole(scene.config)).await).await;
    assert_eq!(record.state, State::Done, "{record:?}");
    assert_eq!(record.result.as_ref().unwrap()["result"], "changed", "{record:?}");
    assert_eq!(record.result.unwrap()["counts"]["network"]["failed"], 0);
    let twice: Vec<String> =
        asked(&scene).into_iter().filter(|(_, times)| *times > 1).map(|(range, _)| range).collect();
    assert!(twice.iter().all(|range| range.starts_with("23.152.")), "{twice:?}");
    assert!(scene.left_to_do().await.changes.is_empty());
    service.stop().await;
}
