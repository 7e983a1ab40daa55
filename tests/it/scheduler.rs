//! The schedule and the sweep, tick by tick, against the in-memory NetBox.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, http::Uri};
use parking_lot::Mutex;
use rir_sandbox::netbox::{Fault, Rule, Server};
use rir_sidecar::{
    model::RowId,
    netbox::schema,
    queue::{Filter, Record, Trigger, Work},
    scheduler::Scheduler,
    services::Services,
    worker::Worker,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Handle, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    scene::{Scene, Target, custom, small},
    service::wait_for_idle,
};

const CHANGES: &str = "core/object-changes";
/// Older than anything that may still come.
const HOUR: Duration = Duration::from_secs(3600);

/// A scene, and what replicas share.
struct Desk {
    scene: Scene,
    services: Services,
}

impl Desk {
    /// With nothing in the change log but what comes now.
    async fn new() -> Self {
        let mut scene = Scene::new(Target::sandbox().await, small()).await;
        scene.settings.schedule.enabled = false;
        scene.settings.sweep.interval = Duration::from_nanos(1);
        scene.settings.netbox.page_size = 10;
        let services = scene.services();
        let desk = Self { scene, services };
        desk.server().age_changes(2 * HOUR);
        desk
    }

    fn server(&self) -> &Server {
        self.scene.netbox.server.as_ref().unwrap()
    }

    /// A replica of its own.
    fn replica(&self) -> Scheduler {
        Scheduler::new(self.services.clone(), "replica")
    }

    /// Adds prefixes, each of which is a change, and returns their ids.
    async fn prefixes(&self, count: u64) -> BTreeSet<RowId> {
        let rows = (0..count).map(|number| json!({ "prefix": format!("23.144.{}.{}/32", number / 256, number % 256) }));
        let ids = self.scene.add("ipam/prefixes", rows.collect()).await;
        ids.into_iter().map(RowId).collect()
    }

    async fn jobs(&self) -> Vec<Record> {
        self.services.queue.list(&Filter { limit: 1000, ..Filter::default() }).await.unwrap()
    }

    /// The prefixes that jobs were queued for.
    async fn found(&self) -> BTreeSet<RowId> {
        let works = self.jobs().await.into_iter().filter_map(|record| record.job).map(|job| job.work);
        let prefixes = works.filter_map(|work| match work {
            Work::SyncPrefix { prefixes, .. } => Some(prefixes),
            Work::SyncConfig { .. }
            | Work::SyncAggregate { .. }
            | Work::PlanConfig { .. }
            | Work::ApplyPlan { .. }
            | Work::Findings { .. }
            | Work::Requests { .. }
            | Work::UpdateIrr { .. }
            | Work::Routing {} => None,
        });
        prefixes.flatten().collect()
    }

    async fn cursor(&self) -> Value {
        let cursor = self.services.coordination.cursor("sweep").await.unwrap();
        cursor.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }
}

#[tokio::test]
async fn the_sweep_reads_a_bounded_number_of_pages_a_tick_and_goes_on_at_the_next() {
    let desk = Desk::new().await;
    let ids = desk.prefixes(450).await;
    desk.server().age_changes(HOUR / 2);
    let mut replica = desk.replica();
    desk.server().forget_requests();
    replica.tick().await;
    // The newest row, the first one to read, and twenty pages.
    assert_eq!(desk.server().requests().count("GET", CHANGES), 22);
    assert_eq!(desk.found().await.len(), 200);
    replica.tick().await;
    assert_eq!(desk.found().await.len(), 400);
    replica.tick().await;
    assert_eq!(desk.found().await, ids);
    desk.server().forget_requests();
    replica.tick().await;
    assert_eq!(desk.server().requests().count("GET", CHANGES), 2, "what is done for good is not read again");
}

#[tokio::test]
async fn a_sweep_that_breaks_off_goes_on_where_it_stood() {
    let desk = Desk::new().await;
    let ids = desk.prefixes(60).await;
    desk.server().age_changes(HOUR / 2);
    desk.replica().tick().await;
    let first = desk.cursor().await;
    assert_eq!(desk.found().await, ids);
    let more = desk.prefixes(60).await;
    desk.server().age_changes(HOUR / 2);
    // NetBox goes down in the midst of it.
    let mut broken = desk.replica();
    let server = desk.server();
    server.fail(Rule::new(Fault::Status(403)).path(CHANGES).method("GET").after(3));
    broken.tick().await;
    let middle = desk.cursor().await;
    assert!(middle["read"].as_u64() > first["read"].as_u64(), "{first} {middle}");
    assert!(!desk.found().await.is_superset(&more));
    server.heal();
    server.forget_requests();
    desk.replica().tick().await;
    assert!(desk.found().await.is_superset(&more));
    assert_eq!(server.requests().count("GET", CHANGES), 1 + 4, "two of six pages were read before");
}

#[tokio::test]
async fn changes_that_may_still_come_are_read_again_and_none_is_queued_twice() {
    let desk = Desk::new().await;
    let ids = desk.prefixes(12).await;
    // Settled, and yet not so old that none could come up before them.
    desk.server().age_changes(Duration::from_secs(300));
    let mut replica = desk.replica();
    replica.tick().await;
    assert_eq!(desk.found().await, ids);
    let jobs = desk.jobs().await.len();
    for record in desk.jobs().await {
        desk.services.queue.cancel(&record.id, "ann").await.unwrap();
    }
    desk.server().forget_requests();
    replica.tick().await;
    assert_eq!(desk.server().requests().count("GET", CHANGES), 1 + 2);
    assert_eq!(desk.jobs().await.len(), jobs, "all of it was seen");
}

#[tokio::test]
async fn a_change_log_that_ends_before_the_cursor_is_read_anew() {
    let desk = Desk::new().await;
    desk.services.coordination.set_cursor("sweep", r#"{"done":900000000,"read":900000000}"#).await.unwrap();
    let ids = desk.prefixes(3).await;
    desk.server().age_changes(HOUR / 2);
    desk.replica().tick().await;
    assert_eq!(desk.found().await, ids);
    assert!(desk.cursor().await["read"].as_u64().unwrap() < 1000);
}

#[tokio::test]
async fn a_last_sync_in_the_future_blinds_neither_the_sweep_nor_the_schedule() {
    let mut desk = Desk::new().await;
    desk.scene.settings.schedule.enabled = true;
    desk.services = desk.scene.services();
    let config = custom(schema::CONFIG);
    desk.scene.edit(&config, desk.scene.config.0, json!({ "last_sync": "2999-01-01T00:00:00Z" })).await;
    let ids = desk.prefixes(3).await;
    desk.server().age_changes(HOUR / 2);
    desk.replica().tick().await;
    assert_eq!(desk.found().await, ids);
    assert_eq!(scheduled(&desk).await, 1);
}

async fn scheduled(desk: &Desk) -> usize {
    let jobs = desk.jobs().await.into_iter().filter_map(|record| record.job);
    let syncs = jobs.filter(|job| matches!(job.work, Work::SyncConfig { .. }));
    syncs.filter(|job| job.trigger == Trigger::Schedule).count()
}

/// A change in a branch is one for those who look at the branch. The merge makes it once more, under the same request.
#[tokio::test]
async fn a_merged_change_whose_webhook_was_lost_is_found_though_its_name_was_seen() {
    let desk = Desk::new().await;
    let request = "f44d32e0-0000-4000-8000-000000000001";
    desk.server().repeat_request(request);
    let id = desk.prefixes(1).await.pop_first().unwrap();
    desk.server().age_changes(HOUR / 2);
    let key = format!("ipam.prefix:{id}:{request}");
    // A webhook told of it in the branch, and an older NetBox did not say that it was one.
    let long_ago = jiff::Timestamp::now() - HOUR;
    desk.services.coordination.remember_changes(&[(key.clone(), long_ago)]).await.unwrap();
    desk.replica().tick().await;
    assert_eq!(desk.found().await, BTreeSet::from([id]));
}

#[tokio::test]
async fn an_interval_beyond_all_bounds_stops_neither_its_config_nor_the_others() {
    let mut desk = Desk::new().await;
    desk.scene.settings.schedule.enabled = true;
    desk.services = desk.scene.services();
    let rir = desk.scene.ids("ipam/rirs").await[0];
    for (name, hours) in [("huge", json!(5_124_095_576_030_431_u64)), ("vast", json!(u64::MAX)), ("none", json!(-5))] {
        let row = json!({ "name": name, "rir": rir, "registry": "arin", "org_handle": "A-1", "is_active": true,
                          "sync_interval": hours, "last_sync": "2026-01-01T00:00:00Z" });
        desk.server().add_row(schema::CONFIG, row.as_object().unwrap().clone()).unwrap();
    }
    let mut replica = desk.replica();
    replica.tick().await;
    replica.tick().await;
    // The scene's config, which was never synced, and the one that is due each hour.
    assert_eq!(scheduled(&desk).await, 2);
    let text = desk.services.metrics.text().unwrap();
    assert!(text.contains("rir_sidecar_panics_total{part=\"config\"} 0"), "{text}");
}

/// A config whose result NetBox does not take is due again after its interval, and not at each tick.
#[tokio::test]
async fn a_config_whose_result_is_refused_is_partial_and_not_synced_again_at_once() {
    let mut desk = Desk::new().await;
    desk.scene.settings.schedule.enabled = true;
    desk.scene.settings.sweep.interval = Duration::ZERO;
    desk.services = desk.scene.services();
    desk.server().fail(Rule::new(Fault::Status(403)).method("PATCH").path(schema::CONFIG));
    let (mut replica, queue) = (desk.replica(), desk.services.queue.clone());
    let stop = CancellationToken::new();
    let working = tokio::spawn(Worker::new(desk.services.clone(), "w", Handle::current()).run(stop.clone()));
    replica.tick().await;
    let ended = wait_for_idle(&queue).await;
    let result = ended[0].result.as_ref().unwrap();
    assert_eq!(result["result"], "partial", "{result}");
    assert!(result["reason"].as_str().unwrap().contains("could not be recorded with the RIR config"), "{result}");
    for _ in 0..3 {
        replica.tick().await;
        desk.replica().tick().await;
    }
    assert_eq!(wait_for_idle(&queue).await.len(), 1, "it was synced just now, whatever NetBox says");
    let log = desk.scene.rows_of(schema::SYNC_LOG).await.pop().unwrap();
    assert!(log["message"].as_str().unwrap().starts_with("partial: its result could not be recorded"), "{log:?}");
    let text = desk.services.metrics.text().unwrap();
    assert!(text.contains("rir_sidecar_unrecorded_results_total 1"), "{text}");
    stop.cancel();
    working.await.unwrap();
}

/// A job that comes to no end at all, as when it is cancelled before it begins, is queued again after a wait.
#[tokio::test]
async fn a_job_that_leaves_no_trace_is_not_queued_again_at_each_tick() {
    let mut desk = Desk::new().await;
    desk.scene.settings.schedule.enabled = true;
    desk.services = desk.scene.services();
    for _ in 0..3 {
        desk.replica().tick().await;
        for record in desk.jobs().await {
            desk.services.queue.cancel(&record.id, "ann").await.unwrap();
        }
    }
    assert_eq!(scheduled(&desk).await, 1);
}

/// How long the jobs of sources wait that nobody works on yet.
async fn waits(desk: &Desk) -> Vec<(String, i64)> {
    let now = jiff::Timestamp::now();
    let wait = |due: jiff::Timestamp| due.duration_since(now).as_secs().max(0);
    let jobs = desk.jobs().await.into_iter().filter(|record| !record.state.is_over());
    let of_source = |record: Record| {
        let Work::UpdateIrr { source } = record.job?.work else { return None };
        Some((source.to_string(), record.due.map_or(0, wait)))
    };
    let mut waits: Vec<_> = jobs.filter_map(of_source).collect();
    waits.sort_unstable();
    waits
}

#[tokio::test]
async fn each_mirrored_source_is_due_at_the_start_and_then_after_its_own_interval() {
    let mut desk = Desk::new().await;
    let folder = tempfile::tempdir().unwrap();
    let table = |name: &str, interval: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, format!("route: 192.0.2.0/24\norigin: AS64496\nsource: {name}\n")).unwrap();
        format!("[[source]]\nname = '{name}'\ndumps = ['file://{}']\ninterval = '{interval}'\n", file.display())
    };
    desk.scene.settings.irr = toml::from_str(&(table("FAST", "100s") + &table("SLOW", "1h"))).unwrap();
    desk.services = desk.scene.services();
    // NetBox has nothing to do with it.
    desk.server().fail(Rule::new(Fault::Status(403)));
    let mut replica = desk.replica();
    for _ in 0..3 {
        replica.tick().await;
        assert_eq!(waits(&desk).await, [("FAST".to_owned(), 0), ("SLOW".to_owned(), 0)], "once, and at once");
    }
    let stop = CancellationToken::new();
    let worker = Worker::new(desk.services.clone(), "worker", Handle::current());
    let working = tokio::spawn(worker.run(stop.clone()));
    let done = wait_for_idle(&desk.services.queue).await;
    stop.cancel();
    working.await.unwrap();
    let is_update = |job: &&Record| job.job.as_ref().is_some_and(|job| job.work.source().is_some());
    let updates = done.iter().filter(is_update);
    let results: Vec<_> = updates.map(|job| job.result.clone().unwrap()["result"].clone()).collect();
    assert_eq!(results, ["imported", "imported"]);
    replica.tick().await;
    let waits: Vec<_> = waits(&desk).await.into_iter().map(|(source, wait)| (source, wait > 0, wait <= 100)).collect();
    assert_eq!(waits, [("FAST".to_owned(), true, true), ("SLOW".to_owned(), true, false)]);
    // Whoever starts anew asks each at once.
    desk.replica().tick().await;
    assert_eq!(self::waits(&desk).await, [("FAST".to_owned(), 0), ("SLOW".to_owned(), 0)]);
}

/// When each source was asked, and how the one behaves that is slow.
struct Upstream {
    asked: Mutex<BTreeMap<String, Vec<Instant>>>,
    /// Each lets one slow answer go.
    permits: Semaphore,
}

impl Upstream {
    async fn answer(self: Arc<Self>, name: String) -> String {
        self.asked.lock().entry(name.clone()).or_default().push(Instant::now());
        if name == "SLOW" {
            self.permits.acquire().await.unwrap().forget();
        }
        format!("route: 192.0.2.0/24\norigin: AS64496\nsource: {name}\n")
    }

    async fn asked(&self, name: &str, times: usize) {
        let wait = async {
            while self.asked.lock().get(name).map_or(0, Vec::len) < times {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    }
}

#[tokio::test]
async fn a_source_that_answers_slowly_delays_no_other_and_is_asked_one_time_after_the_other() {
    let mut desk = Desk::new().await;
    desk.scene.settings.sweep.interval = HOUR;
    desk.scene.settings.schedule.tick = Duration::from_millis(50);
    let upstream = Arc::new(Upstream { asked: Mutex::default(), permits: Semaphore::new(0) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::clone(&upstream);
    let answer = move |uri: Uri| Arc::clone(&shared).answer(uri.path().trim_start_matches('/').to_owned());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let table =
        |name: &str| format!("[[source]]\nname = '{name}'\ndumps = ['http://{address}/{name}']\ninterval = '1s'\n");
    desk.scene.settings.irr = toml::from_str(&(table("SLOW") + &table("FAST"))).unwrap();
    desk.services = desk.scene.services();
    let stop = CancellationToken::new();
    let scheduling = tokio::spawn(desk.replica().run(stop.clone()));
    let worker = Worker::new(desk.services.clone(), "worker", Handle::current());
    let working = tokio::spawn(worker.run(stop.clone()));
    upstream.asked("FAST", 4).await;
    {
        let asked = upstream.asked.lock();
        assert_eq!(asked["SLOW"].len(), 1, "its interval has passed, and its run has not ended");
        let least = asked["FAST"].windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
        assert!(least >= Duration::from_secs(1), "{least:?}");
    }
    // Its interval counts from the begin of the run, and so the next one begins at once.
    let released = Instant::now();
    upstream.permits.add_permits(1);
    upstream.asked("SLOW", 2).await;
    assert!(upstream.asked.lock()["SLOW"][1] >= released, "no run begins before the one before has ended");
    stop.cancel();
    scheduling.await.unwrap();
    working.await.unwrap();
}
