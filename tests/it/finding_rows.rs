//! The rows of findings, and when they are made: workers, the schedule and its metrics, on a simulated NetBox and ARIN.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rir_sandbox::netbox::{Fault, Rule, Server};
use rir_sidecar::{
    model::RowId,
    netbox::schema,
    queue::{Filter, JobId, Queue, Record, State, Work},
    scheduler::Scheduler,
};
use serde_json::{Value, json};

use crate::{
    scene::{CONFIG, Row, Scene, Target, custom, small},
    service::{Service, memory, wait_for_idle, whole},
};

/// A finding that a sync of this world never comes to.
const LEFT: &str = "arin:stale/prefix 198.51.100.0/24";

/// A scene whose jobs are tried again after a moment.
async fn scene() -> Scene {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    scene.settings.queue.retry_backoff = Duration::from_millis(10);
    scene
}

fn netbox(scene: &Scene) -> &Server {
    scene.netbox.server.as_ref().unwrap()
}

/// Adds a finding that is open on record.
async fn plant(scene: &Scene, key: &str, fields: Value) -> u64 {
    let mut row = json!({ "key": key, "subject": "198.51.100.0/24", "kind": "stale", "level": "notice", "state": "open",
                          "message": "It is so.", "since": "2026-01-01T00:00:00Z", "since_at_least": false,
                          "config": scene.config, "names": {} });
    row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    scene.add(&custom(schema::FINDING), json!([row])).await[0]
}

async fn finding(scene: &Scene, id: u64) -> Row {
    scene.row_by_id(schema::FINDING, RowId(id)).await
}

async fn config(scene: &Scene) -> Row {
    scene.row_by_id(schema::CONFIG, scene.config).await
}

/// Writes when the config was last synced and judged.
async fn set_times(scene: &Scene, synced: Option<Timestamp>, judged: Option<Timestamp>) {
    let [synced, judged] = [synced, judged].map(|time| time.map(|time| time.to_string()));
    scene.edit(&custom(schema::CONFIG), scene.config.0, json!({ "last_sync": synced, "judged": judged })).await;
}

fn yesterday() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(24)
}

/// Does a job and returns it when it is over.
async fn done(scene: &Scene, work: Work) -> Record {
    let service = Service::start(scene, memory(scene), 1);
    let record = service.over(&service.ask(work).await).await;
    service.stop().await;
    record
}

fn judging(scene: &Scene) -> Work {
    Work::Findings { config: scene.config }
}

/// Judges the scene's config when there is a finding to open and one to resolve.
pub(crate) async fn opened_and_resolved(scene: &Scene) {
    plant(scene, LEFT, json!({})).await;
    let result = done(scene, judging(scene)).await.result.unwrap();
    let findings = &result["findings"];
    assert!(findings["created"].as_u64() > Some(0) && findings["resolved"].as_u64() > Some(0), "{result}");
}

#[tokio::test]
async fn a_sync_resolves_what_does_not_hold_any_more_and_leaves_what_the_operator_said() {
    let scene = scene().await;
    let id = plant(&scene, LEFT, json!({ "ignore": true, "note": "They move in May." })).await;
    let record = done(&scene, whole(scene.config)).await;
    assert_eq!(record.state, State::Done, "{record:?}");
    assert_eq!(record.result.as_ref().unwrap()["findings"]["resolved"], 1, "{record:?}");
    let row = finding(&scene, id).await;
    assert_eq!((&row["state"]["value"], &row["ignore"]), (&json!("resolved"), &json!(true)));
    assert_eq!(row["note"], "They move in May.");
    let judged: Timestamp = config(&scene).await["judged"].as_str().unwrap().parse().unwrap();
    assert!(judged > yesterday());
}

#[tokio::test]
async fn a_second_sync_writes_no_finding() {
    let scene = scene().await;
    plant(&scene, LEFT, json!({})).await;
    done(&scene, whole(scene.config)).await;
    netbox(&scene).forget_requests();
    let record = done(&scene, whole(scene.config)).await;
    assert!(record.result.unwrap()["findings"].is_object());
    let requests = netbox(&scene).requests();
    let written = ["POST", "PATCH", "PUT", "DELETE"].map(|method| requests.count(method, schema::FINDING));
    assert_eq!(written, [0; 4]);
    assert!(requests.count("GET", schema::FINDING) > 0);
}

#[tokio::test]
async fn findings_of_another_config_are_left_alone() {
    let scene = scene().await;
    let other = scene.add_config("other", "OTHER-1", scene.ids("ipam/rirs").await[0]).await;
    let id = plant(&scene, LEFT, json!({ "config": other })).await;
    done(&scene, whole(scene.config)).await;
    assert_eq!(finding(&scene, id).await["state"]["value"], "open");
}

#[tokio::test]
async fn the_sync_of_a_prefix_says_nothing_of_findings_elsewhere_and_does_not_count_as_a_judgement() {
    let scene = scene().await;
    done(&scene, whole(scene.config)).await;
    set_times(&scene, None, None).await;
    let elsewhere = plant(&scene, LEFT, json!({})).await;
    let inside = json!({ "subject": "23.144.3.64/26" });
    let inside = plant(&scene, "arin:stale/prefix 23.144.3.64/26", inside).await;
    let prefix = id_of_prefix(&scene, "23.144.3.0/24").await;
    let work = Work::SyncPrefix { config: Some(scene.config), prefixes: [RowId(prefix)].into() };
    let record = done(&scene, work).await;
    assert_eq!(finding(&scene, elsewhere).await["state"]["value"], "open", "{record:?}");
    assert_eq!(finding(&scene, inside).await["state"]["value"], "resolved", "{record:?}");
    assert_eq!(config(&scene).await["judged"], Value::Null);
}

#[tokio::test]
async fn a_refresh_that_fails_fails_no_sync_and_says_what_to_do() {
    let scene = scene().await;
    plant(&scene, LEFT, json!({})).await;
    netbox(&scene).fail(Rule::new(Fault::Status(403)).path(schema::FINDING).method("PATCH"));
    let record = done(&scene, whole(scene.config)).await;
    assert_eq!(record.state, State::Done, "{record:?}");
    let result = record.result.unwrap();
    assert_eq!(result["result"], "changed");
    let why = result["findings_failed"].as_str().unwrap();
    assert!(why.contains(LEFT) && why.contains("its user needs the \"change\" permission"), "{why}");
    assert_eq!(config(&scene).await["judged"], Value::Null);
}

#[tokio::test]
async fn a_netbox_without_the_type_is_synced_and_the_answer_names_the_command() {
    let scene = scene().await;
    netbox(&scene).fail(Rule::new(Fault::Status(404)).path(schema::FINDING));
    let result = done(&scene, whole(scene.config)).await.result.unwrap();
    assert_eq!(result["result"], "changed");
    let why = result["findings_failed"].as_str().unwrap();
    assert!(why.starts_with("NetBox has no place for findings yet; run `rir-sidecar bootstrap`"), "{why}");
}

#[tokio::test]
async fn the_daily_job_judges_without_a_key_and_asks_arin_nothing() {
    let mut scene = scene().await;
    done(&scene, whole(scene.config)).await;
    set_times(&scene, Some(yesterday()), Some(yesterday())).await;
    let id = plant(&scene, LEFT, json!({})).await;
    scene.keys(&[]);
    scene.arin.forget_requests();
    let record = done(&scene, judging(&scene)).await;
    assert_eq!(record.state, State::Done, "{record:?}");
    assert_eq!(record.result.unwrap()["findings"]["resolved"], 1);
    assert_eq!(finding(&scene, id).await["state"]["value"], "resolved");
    assert_eq!(scene.arin.requests().total(), 0);
    assert_ne!(config(&scene).await["judged"], yesterday().to_string());
}

#[tokio::test]
async fn a_daily_job_that_cannot_succeed_leaves_no_dead_letter_and_one_that_may_is_tried_again() {
    let scene = scene().await;
    plant(&scene, LEFT, json!({})).await;
    netbox(&scene).fail(Rule::new(Fault::Status(403)).path(schema::FINDING).method("PATCH"));
    let record = done(&scene, judging(&scene)).await;
    assert_eq!((record.state, record.attempts), (State::Done, 1));
    assert!(record.result.unwrap()["findings_failed"].as_str().unwrap().contains("permission"));
    netbox(&scene).heal();
    // A reading is tried four times within one attempt.
    let tries = 4;
    netbox(&scene).fail(Rule::new(Fault::Status(503)).path(schema::FINDING).times(tries));
    let record = done(&scene, judging(&scene)).await;
    assert_eq!((record.state, record.attempts), (State::Done, 2), "{record:?}");
    assert!(record.result.unwrap()["findings"].is_object());
}

#[tokio::test]
async fn a_config_that_is_not_active_is_not_judged() {
    let scene = scene().await;
    let id = plant(&scene, LEFT, json!({})).await;
    scene.edit(&custom(schema::CONFIG), scene.config.0, json!({ "is_active": false })).await;
    let record = done(&scene, judging(&scene)).await;
    assert_eq!(record.result.unwrap(), json!({ "findings": { "skipped": "the config is not active" } }));
    assert_eq!(finding(&scene, id).await["state"]["value"], "open");
}

async fn queued(queue: &Queue) -> Vec<(JobId, State, Work)> {
    let records = queue.list(&Filter { limit: 100, ..Filter::default() }).await.unwrap();
    records.into_iter().filter_map(|record| Some((record.id, record.state, record.job?.work))).collect()
}

#[tokio::test]
async fn the_schedule_judges_a_config_once_on_each_day_on_which_no_sync_did() {
    let scene = scene().await;
    let services = scene.services();
    let mut scheduler = Scheduler::new(services.clone(), "replica");
    set_times(&scene, Some(Timestamp::now()), Some(Timestamp::now())).await;
    scheduler.tick().await;
    assert_eq!(queued(&services.queue).await, []);
    set_times(&scene, Some(Timestamp::now()), Some(yesterday())).await;
    scheduler.tick().await;
    assert_eq!(queued(&services.queue).await, [], "the sync that has just ended judges it");
    let an_hour_ago = Timestamp::now() - jiff::SignedDuration::from_hours(1);
    set_times(&scene, Some(an_hour_ago), Some(yesterday())).await;
    scheduler.tick().await;
    scheduler.tick().await;
    let jobs = queued(&services.queue).await;
    assert_eq!(jobs.iter().map(|(_, _, work)| work).collect::<Vec<_>>(), [&judging(&scene)]);
    assert_eq!(jobs[0].1, State::Delayed, "not all configs are judged at midnight");
    // It fails, or somebody cancels it: there is no other one on that day.
    services.queue.cancel(&jobs[0].0, "ann").await.unwrap();
    scheduler.tick().await;
    assert_eq!(queued(&services.queue).await.len(), 1);
}

#[tokio::test]
async fn a_config_that_is_due_is_synced_and_not_judged_besides() {
    let scene = scene().await;
    let services = scene.services();
    set_times(&scene, None, None).await;
    Scheduler::new(services.clone(), "replica").tick().await;
    let works: Vec<Work> = queued(&services.queue).await.into_iter().map(|(_, _, work)| work).collect();
    assert_eq!(works, [whole(scene.config)]);
}

#[tokio::test]
async fn the_metrics_tell_what_netbox_has_and_follow_what_the_operator_ignores() {
    let scene = scene().await;
    let services = scene.services();
    set_times(&scene, Some(Timestamp::now()), Some(Timestamp::now())).await;
    let overdue = json!({ "kind": "overdue", "level": "alert", "due": (yesterday()).to_string()[..10] });
    let id = plant(&scene, LEFT, overdue).await;
    plant(&scene, "arin:stale/prefix 198.51.100.0/25", json!({})).await;
    plant(&scene, "arin:stale/prefix 198.51.100.128/25", json!({ "state": "resolved" })).await;
    let figures = format!("findings:{}", scene.config);
    let known = json!({ "subjects": 5, "assigned": 4, "must": 3, "registered": 2, "unknown": 1,
                        "last_complete_look": "2026-11-27T10:00:00Z" });
    services.coordination.set_cursor(&figures, &known.to_string()).await.unwrap();
    let told = |name: &str| -> Vec<String> {
        let text = services.metrics.text().unwrap();
        text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
    };
    Scheduler::new(services.clone(), "replica").tick().await;
    let mut found = told("rir_sidecar_findings{");
    found.sort();
    let alert = format!("rir_sidecar_findings{{config=\"{CONFIG}\",kind=\"overdue\",level=\"alert\"}} 1");
    let notice = format!("rir_sidecar_findings{{config=\"{CONFIG}\",kind=\"stale\",level=\"notice\"}} 1");
    assert_eq!(found, [alert, notice.clone()]);
    assert_eq!(
        told("rir_sidecar_findings_overdue_days{"),
        [format!("rir_sidecar_findings_overdue_days{{config=\"{CONFIG}\"}} 1")]
    );
    assert_eq!(told("rir_sidecar_findings_subjects{").len(), 5);
    assert_eq!(told("rir_sidecar_findings_last_complete_look_timestamp_seconds{").len(), 1);
    scene.edit(&custom(schema::FINDING), id, json!({ "ignore": true })).await;
    // Another replica comes to hold the schedule.
    services.coordination.release_lease("scheduler", "replica").await.unwrap();
    Scheduler::new(services.clone(), "other").tick().await;
    assert_eq!(told("rir_sidecar_findings{"), [notice]);
    assert_eq!(
        told("rir_sidecar_findings_overdue_days{"),
        [format!("rir_sidecar_findings_overdue_days{{config=\"{CONFIG}\"}} 0")]
    );
    Scheduler::new(services.clone(), "third").tick().await;
    assert_eq!(told("rir_sidecar_findings{"), Vec::<String>::new(), "who does not hold the schedule tells nothing");
}

#[tokio::test]
async fn what_was_judged_is_told_to_the_process_that_reports_it() {
    let scene = scene().await;
    let queue = memory(&scene);
    let services = rir_sidecar::services::Services { queue: queue.clone(), ..scene.services() };
    let shutdown = tokio_util::sync::CancellationToken::new();
    let worker = rir_sidecar::worker::Worker::new(services.clone(), "worker", tokio::runtime::Handle::current());
    let worker = tokio::spawn(worker.run(shutdown.clone()));
    let id = crate::service::ask(&queue, judging(&scene), None, rir_sidecar::queue::Trigger::Schedule).await;
    crate::service::over(&queue, &id).await;
    wait_for_idle(&queue).await;
    shutdown.cancel();
    worker.await.unwrap();
    let figures = services.coordination.cursor(&format!("findings:{}", scene.config)).await.unwrap().unwrap();
    assert!(serde_json::from_str::<Value>(&figures).unwrap()["subjects"].is_u64(), "{figures}");
}

/// A small world in which one tenant's prefix is registered and another one's is not, and which was looked at
/// completely.
async fn planted() -> Scene {
    let mut scene = scene().await;
    scene.settings.findings.own_tenants = Some(std::collections::BTreeSet::new());
    let tenants = json!([{ "name": "Sample Bakery", "slug": "bakery" }, { "name": "Dairy", "slug": "dairy" }]);
    let tenants = scene.add("tenancy/tenants", tenants).await;
    for (range, tenant) in [("23.144.1.0/24", tenants[0]), ("23.144.3.0/24", tenants[1])] {
        let prefix = id_of_prefix(&scene, range).await;
        scene.edit("ipam/prefixes", prefix, json!({ "tenant": tenant, "status": "active" })).await;
    }
    done(&scene, whole(scene.config)).await;
    look(&scene, json!({ "complete": true, "message": "" })).await;
    scene
}

async fn id_of_prefix(scene: &Scene, range: &str) -> u64 {
    let rows = scene.list("ipam/prefixes", "limit=1000").await;
    rows.iter().find(|row| row["prefix"] == range).unwrap()["id"].as_u64().unwrap()
}

/// Says how the aggregate was looked at just now.
async fn look(scene: &Scene, fields: Value) {
    let aggregate = scene.ids("ipam/aggregates").await[0];
    let key = format!("{}:{aggregate}", scene.config);
    let mut row = json!({ "key": key, "subject": "23.144.0.0/20", "config": scene.config, "aggregate": aggregate,
                          "source": "questions", "looked_at": Timestamp::now().to_string() });
    row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let known = scene.rows(schema::LOOK).await.get(&key).map(|row| row["id"].as_u64().unwrap());
    match known {
        Some(id) => scene.edit(&custom(schema::LOOK), id, row).await,
        None => drop(scene.add(&custom(schema::LOOK), json!([row])).await),
    }
}

/// The findings by kind and subject, each with its state.
async fn findings(scene: &Scene) -> std::collections::BTreeMap<String, String> {
    let text = |row: &Row, name: &str| row[name].as_str().or(row[name]["value"].as_str()).unwrap().to_owned();
    let rows = scene.rows_of(schema::FINDING).await;
    rows.iter().map(|row| (["kind", "subject"].map(|name| text(row, name)).join(" "), text(row, "state"))).collect()
}

async fn unregistered(scene: &Scene) -> Row {
    let rows = scene.rows_of(schema::FINDING).await;
    rows.into_iter().find(|row| row["kind"]["value"] == "unregistered").unwrap()
}

#[tokio::test]
async fn what_is_not_registered_is_on_record_with_its_prefix_until_it_is() {
    let scene = planted().await;
    done(&scene, judging(&scene)).await;
    let row = unregistered(&scene).await;
    assert_eq!((&row["subject"], &row["state"]["value"]), (&json!("23.144.3.0/24"), &json!("open")));
    assert_eq!(row["prefix"]["id"], id_of_prefix(&scene, "23.144.3.0/24").await);
    assert_eq!(row["names"]["prefix"], "23.144.3.0/24");
    let due: jiff::civil::Date = row["due"].as_str().unwrap().parse().unwrap();
    let since: Timestamp = row["since"].as_str().unwrap().parse().unwrap();
    assert_eq!(due, since.to_zoned(jiff::tz::TimeZone::UTC).date() + jiff::Span::new().days(7));
    let id = row["id"].as_u64().unwrap();
    scene.edit(&custom(schema::FINDING), id, json!({ "ignore": true, "note": "They move in May." })).await;
    {
        let mut registry = scene.arin.registry();
        let address = registry.orgs["SAMPLE-3"].address.clone();
        let dairy = registry.add_customer(crate::scene::ORG, "Dairy", address);
        let parent = "NET-23-144-0-0-1".to_owned();
        registry
            .reassign(&parent, &[crate::scene::cidr("23.144.3.0/24")], rir_sandbox::world::Holder::Customer(dairy))
            .unwrap();
    }
    done(&scene, whole(scene.config)).await;
    let row = finding(&scene, id).await;
    assert_eq!(
        (&row["state"]["value"], &row["ignore"], &row["note"]),
        (&json!("resolved"), &json!(true), &json!("They move in May."))
    );
}

#[tokio::test]
async fn the_same_world_judged_again_writes_no_finding() {
    let scene = planted().await;
    done(&scene, judging(&scene)).await;
    let before = scene.rows_of(schema::FINDING).await;
    assert!(before.len() > 1, "{before:?}");
    netbox(&scene).forget_requests();
    for work in [judging(&scene), whole(scene.config)] {
        done(&scene, work).await;
    }
    let requests = netbox(&scene).requests();
    assert_eq!(["POST", "PATCH", "PUT", "DELETE"].map(|method| requests.count(method, schema::FINDING)), [0; 4]);
    assert_eq!(scene.rows_of(schema::FINDING).await, before);
}

#[tokio::test]
async fn an_aggregate_that_is_not_known_any_more_changes_no_state_and_is_told() {
    let scene = planted().await;
    done(&scene, judging(&scene)).await;
    let known = |all: &std::collections::BTreeMap<String, String>| {
        let known = all.iter().filter(|(name, _)| !name.starts_with("not-known "));
        known.map(|(name, state)| (name.clone(), state.clone())).collect::<Vec<_>>()
    };
    let before = findings(&scene).await;
    assert_eq!(before["unregistered 23.144.3.0/24"], "open");
    for (complete, state) in [(false, "open"), (true, "resolved")] {
        look(&scene, json!({ "complete": complete, "message": "ARIN does not answer" })).await;
        done(&scene, judging(&scene)).await;
        let after = findings(&scene).await;
        assert_eq!(after["not-known 23.144.0.0/20"], state);
        assert_eq!(known(&after), known(&before));
    }
}

#[tokio::test]
async fn the_sync_of_a_prefix_opens_and_resolves_what_is_about_it() {
    let scene = planted().await;
    done(&scene, judging(&scene)).await;
    let before = findings(&scene).await;
    let prefix = id_of_prefix(&scene, "23.144.3.0/24").await;
    scene.edit("ipam/prefixes", prefix, json!({ "tenant": null })).await;
    let work = || Work::SyncPrefix { config: Some(scene.config), prefixes: [RowId(prefix)].into() };
    let record = done(&scene, work()).await;
    let after = findings(&scene).await;
    assert_eq!(after["unregistered 23.144.3.0/24"], "resolved", "{:?}", record.result);
    let elsewhere = |all: &std::collections::BTreeMap<String, String>| {
        all.iter()
            .filter(|(name, _)| !name.contains("23.144.3.0/24"))
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(elsewhere(&after), elsewhere(&before));
}
