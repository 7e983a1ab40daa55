//! Looking at jobs, cancelling them, giving them another life.

use std::{collections::BTreeSet, time::Duration};

use rir_sandbox::{
    netbox::{Action, Grant},
    regrws::KEY,
};
use rir_sidecar::{
    model::{Resource, RowId},
    netbox::schema,
    queue::{Delay, Ending, Job, JobId, Order, Progress, State, Trigger, Work, job::VERSION},
};
use serde_json::{Value, json};

use super::Service;
use crate::scene::{CONFIG, custom, keyring};

const JOBS: &str = "/api/v1/jobs";

fn ids(told: &Value) -> Vec<String> {
    told["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_job_tells_what_it_is_about_and_how_far_it_is() {
    let service = Service::new().await;
    let config = Some(service.scene.config);
    let id = service.order(Work::SyncAggregate { config, aggregate: RowId(8) }).await;
    let claim = service.queue.claim("w", 1, Duration::ZERO).await.unwrap().remove(0);
    let progress =
        Progress { done: 3, total: 7, phase: "looking up aggregates and prefixes".into(), ..Progress::default() };
    service.queue.heartbeat(&claim, "w", &progress).await.unwrap();
    let told = service.get(&service.bob, &format!("{JOBS}/{id}")).await.expect(200);
    let about = ["kind", "config", "aggregate", "prefixes"].map(|name| told[name].clone());
    assert_eq!(about, [json!("sync-aggregate"), json!(service.scene.config), json!(8), Value::Null]);
    assert_eq!((&told["user"], &told["trigger"], &told["state"]), (&json!("ann"), &json!("api"), &json!("running")));
    assert_eq!(told["progress"], json!(progress));
    assert_eq!((&told["attempts"], &told["error"]), (&json!(1), &Value::Null));
    let failed = Ending::Failed { error: "no: because".into(), retry: None };
    service.queue.settle(&claim, failed).await.unwrap();
    let told = service.get(&service.bob, &format!("{JOBS}/{id}")).await.expect(200);
    assert_eq!((&told["state"], &told["error"]), (&json!("dead"), &json!("no: because")));
    assert!(told["ended"].is_string());
}

#[tokio::test]
async fn jobs_are_shown_to_those_who_may_view_their_config() {
    let service = Service::new().await;
    let (ours, foreign) = (service.queued(service.scene.config).await, service.queued(RowId(999)).await);
    let free = service.order(Work::SyncPrefix { config: None, prefixes: BTreeSet::from([RowId(1)]) }).await;
    let listed = ids(&service.get(&service.bob, JOBS).await.expect(200));
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([free.to_string(), ours.to_string()]));
    service.get(&service.bob, &format!("{JOBS}/{foreign}")).await.problem(404, "not-found");
    assert!(ids(&service.get(&service.eve, JOBS).await.expect(200)).is_empty());
    service.get(&service.eve, &format!("{JOBS}/{ours}")).await.problem(404, "not-found");
    service.get(&service.eve, &format!("{JOBS}/{free}")).await.problem(404, "not-found");
    for unknown in ["0123456789abcdef01234567", "nonsense"] {
        service.get(&service.bob, &format!("{JOBS}/{unknown}")).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let service = Service::new().await;
    let mut made = Vec::new();
    for id in 1..=5 {
        made.push(
            service
                .order(Work::SyncAggregate { config: Some(service.scene.config), aggregate: RowId(id) })
                .await
                .to_string(),
        );
        // What nobody of these may view stands between.
        service.order(Work::SyncAggregate { config: Some(RowId(999)), aggregate: RowId(id) }).await;
    }
    // Those of one millisecond have no order of their own.
    made.sort_unstable_by(|a, b| b.cmp(a));
    let mut seen = Vec::new();
    let mut path = format!("{JOBS}?limit=2");
    loop {
        let page = service.get(&service.bob, &path).await.expect(200);
        assert!(ids(&page).len() <= 2);
        seen.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{JOBS}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, made);
    service.queue.cancel(&JobId::parse(&made[3]).unwrap(), "ann").await.unwrap();
    let cancelled = service.get(&service.bob, &format!("{JOBS}?state=cancelled")).await.expect(200);
    assert_eq!(ids(&cancelled), made[3..4]);
    let config = format!("{JOBS}?config={}&limit=200", service.scene.config);
    assert_eq!(ids(&service.get(&service.bob, &config).await.expect(200)), made);
    for odd in ["state=sleeping", "limit=0", "limit=201", "cursor=x", "config=x", "config=0", "page=2"] {
        service.get(&service.bob, &format!("{JOBS}?{odd}")).await.problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_job_is_cancelled_and_retried_by_those_who_may_change_its_config() {
    let service = Service::new().await;
    let id = service.queued(service.scene.config).await;
    let path = format!("{JOBS}/{id}");
    service.delete(&service.bob, &path).await.problem(403, "not-permitted");
    service.delete(&service.eve, &path).await.problem(404, "not-found");
    let told = service.delete(&service.cat, &path).await.expect(202);
    assert_eq!(told["state"], "cancelled");
    service.delete(&service.cat, &path).await.problem(409, "job-state");
    let retry = format!("{path}/retry");
    service.post(&service.bob, &retry, json!({})).await.problem(403, "not-permitted");
    assert_eq!(service.post(&service.ann, &retry, json!({})).await.expect(202)["state"], "ready");
    let told = service.post(&service.ann, &retry, json!({})).await.problem(409, "job-state");
    assert!(told["detail"].as_str().unwrap().contains("ready"), "{told}");
}

#[tokio::test]
async fn a_job_tells_who_cancelled_and_who_retried_it() {
    let service = Service::new().await;
    let id = service.queued(service.scene.config).await;
    let path = format!("{JOBS}/{id}");
    let told = service.delete(&service.cat, &path).await.expect(202);
    assert_eq!((&told["cancelled_by"], &told["retried_by"]), (&json!("cat"), &Value::Null));
    service.delete(&service.ann, &path).await.problem(409, "job-state");
    let told = service.post(&service.ann, &format!("{path}/retry"), json!({})).await.expect(202);
    assert_eq!((&told["cancelled_by"], &told["retried_by"]), (&Value::Null, &json!("ann")));
    let told = service.get(&service.bob, &path).await.expect(200);
    assert_eq!((&told["user"], &told["retried_by"]), (&json!("ann"), &json!("ann")));
}

#[tokio::test]
async fn who_retries_anothers_job_needs_a_key_and_has_the_job_as_their_own() {
    let service = Service::new().await;
    let config = service.scene.config;
    let of = |trigger: Trigger, user: Option<&str>| {
        let work = Work::SyncConfig { config, resources: Resource::all() };
        Job { user: user.map(str::to_owned), ..Job::new(work, trigger) }
    };
    let theirs = [
        of(Trigger::Api, Some("ann")),
        of(Trigger::Schedule, None),
        of(Trigger::Webhook, Some("ann")),
        // Whoever changes something asks for nothing: without a key of theirs, another one would be used.
        of(Trigger::Webhook, Some("cat")),
        of(Trigger::Sweep, Some("cat")),
    ];
    for job in theirs {
        let id = service.queue.enqueue(&[Order { job: job.clone(), delay: Delay::None }]).await.unwrap().remove(0).job;
        service.queue.cancel(&id, "bob").await.unwrap();
        let retry = format!("{JOBS}/{id}/retry");
        service.keys.send_replace(keyring(&[(CONFIG, "ann", KEY)]));
        service.post(&service.cat, &retry, json!({})).await.problem(409, "no-api-key");
        assert_eq!(service.queue.find(&id).await.unwrap().unwrap().state, State::Cancelled);
        service.keys.send_replace(keyring(&[(CONFIG, "ann", KEY), (CONFIG, "cat", KEY)]));
        let told = service.post(&service.cat, &retry, json!({})).await.expect(202);
        assert_eq!((&told["user"], &told["trigger"]), (&json!("cat"), &json!("api")), "{job:?}");
        let claim = service.queue.claim("w", 1, Duration::ZERO).await.unwrap().remove(0);
        assert_eq!((claim.job.asked_by(), claim.job.work.clone()), (Some("cat"), job.work));
        service.queue.settle(&claim, Ending::Cancelled).await.unwrap();
    }
}

#[tokio::test]
async fn ones_own_job_is_retried_with_or_without_a_key() {
    let service = Service::new().await;
    let id = service.queued(service.scene.config).await;
    service.queue.cancel(&id, "bob").await.unwrap();
    service.keys.send_replace(keyring(&[]));
    let told = service.post(&service.ann, &format!("{JOBS}/{id}/retry"), json!({})).await.expect(202);
    assert_eq!((&told["user"], &told["state"]), (&json!("ann"), &json!("ready")));
}

#[tokio::test]
async fn a_job_that_is_not_understood_is_made_nobodys() {
    let service = Service::new().await;
    let job = Job { v: VERSION + 1, ..Job::new(prefix(None), Trigger::Api) }.by("ann");
    let id = service.queue.enqueue(&[Order { job, delay: Delay::None }]).await.unwrap().remove(0).job;
    assert_eq!(service.queue.claim("w", 1, Duration::ZERO).await.unwrap(), []);
    let told = service.post(&service.ann, &format!("{JOBS}/{id}/retry"), json!({})).await.problem(409, "job-state");
    assert!(told["detail"].as_str().unwrap().contains("does not understand"), "{told}");
}

fn prefix(config: Option<RowId>) -> Work {
    Work::SyncPrefix { config, prefixes: BTreeSet::from([RowId(1)]) }
}

#[tokio::test]
async fn a_job_that_names_no_config_takes_the_permission_for_all_of_them() {
    let service = Service::new().await;
    let other = service.another_config("other").await;
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    let configs = |actions: &[Action], ids: &[u64]| Grant::new(&custom(schema::CONFIG), actions).only(ids);
    let both = [service.scene.config.0, other.0];
    let dan = netbox.add_user("dan", vec![configs(&[Action::View, Action::Change], &both[..1])]);
    let fay = netbox.add_user("fay", vec![configs(&[Action::View], &both), configs(&[Action::Change], &both[..1])]);
    let id = service.order(prefix(None)).await;
    let path = format!("{JOBS}/{id}");
    assert!(ids(&service.get(&dan, JOBS).await.expect(200)).is_empty(), "dan may view one config only");
    service.get(&dan, &path).await.problem(404, "not-found");
    service.get(&dan, &format!("{path}/events")).await.problem(404, "not-found");
    service.delete(&dan, &path).await.problem(404, "not-found");
    assert_eq!(ids(&service.get(&fay, JOBS).await.expect(200)), [id.to_string()]);
    let told = service.delete(&fay, &path).await.problem(403, "not-permitted");
    assert!(told["detail"].as_str().unwrap().contains("all RIR configs"), "{told}");
    service.delete(&service.bob, &path).await.problem(403, "not-permitted");
    service.delete(&service.cat, &path).await.expect(202);
    // To make it theirs they need a key for each, too.
    service.keys.send_replace(keyring(&[(CONFIG, "cat", KEY)]));
    let retry = format!("{path}/retry");
    let told = service.post(&service.cat, &retry, json!({})).await.problem(409, "no-api-key");
    assert!(told["detail"].as_str().unwrap().contains("other"), "{told}");
    service.keys.send_replace(keyring(&[(CONFIG, "cat", KEY), ("other", "cat", KEY)]));
    assert_eq!(service.post(&service.cat, &retry, json!({})).await.expect(202)["user"], "cat");
}
