//! The service as it is run: processes of the real program with a real NetBox, its webhooks, and a real Redis. Only ARIN is
//! simulated.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use rir_sandbox::{
    regrws::{KEY, Noise},
    world::World,
};
use rir_sidecar::{
    config::{self, Settings},
    model::{RowId, Scope},
    queue::{Queue, Record, State, Trigger, Work},
};
use serde_json::json;
use tokio::{
    process::{Child, Command},
    time::sleep,
};

use super::netbox::variable;
use crate::{
    scene::{CONFIG, Scene, Target, cidr, custom, small},
    service::{ask, whole},
};

const SECRET: &str = "a secret of the test's own";
/// Longest wait for anything here: NetBox takes minutes to send 500 webhooks on a busy machine.
const PATIENCE: Duration = Duration::from_secs(420);

/// Two systems, a queue of their own, and what a process needs to know of them.
struct Lab {
    scene: Scene,
    folder: tempfile::TempDir,
    settings: Vec<(String, String)>,
    queue: Queue,
}

/// A process of the service.
struct Replica {
    child: Child,
    url: String,
}

impl Lab {
    async fn new(world: World, redis: &str) -> Self {
        let scene = Scene::new(Target::lab(), world).await;
        lab(&["rqworker"]).await;
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.toml");
        let table = format!("[[key]]\nconfig = \"{CONFIG}\"\nuser = \"ann\"\napi_key = \"{KEY}\"\n");
        std::fs::write(&keys, table).unwrap();
        std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o600)).unwrap();
        let prefix = format!("test-{:016x}", fastrand::u64(..));
        let arin = scene.arin.url();
        let set = [
            ("NETBOX__URL", scene.netbox.url.as_str()),
            ("NETBOX__TOKEN", scene.netbox.token.as_str()),
            ("ARIN__ALLOWED_BASE_URLS", arin.as_str()),
            ("ARIN__REQUESTS_PER_SECOND", "0"),
            ("ARIN__RETRY_BACKOFF", "50ms"),
            ("KEYS__FILE", keys.to_str().unwrap()),
            ("QUEUE__URL", redis),
            ("QUEUE__PREFIX", prefix.as_str()),
            ("QUEUE__LEASE", "3s"),
            ("QUEUE__RETRY_BACKOFF", "1s"),
            ("QUEUE__MAX_ATTEMPTS", "12"),
            ("WEBHOOK__SECRET", SECRET),
            ("SCHEDULE__ENABLED", "false"),
            ("SWEEP__INTERVAL", "0s"),
        ];
        let settings: Vec<_> = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned())).into();
        let read: Settings = config::load_from(None, &settings.iter().cloned().collect()).unwrap();
        let queue = Queue::open(&read.queue).await.unwrap();
        Self { scene, folder, settings, queue }
    }

    fn command(&self, arguments: &[&str], more: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.env_clear().envs(self.settings.iter().cloned()).envs(more.iter().copied()).args(arguments);
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts a process and waits until it is ready.
    async fn replica(&self, more: &[(&str, &str)]) -> Replica {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        self.replica_at(&address.to_string(), more).await
    }

    async fn replica_at(&self, address: &str, more: &[(&str, &str)]) -> Replica {
        let log = std::fs::File::create(self.folder.path().join(format!("log-{}", fastrand::u32(..)))).unwrap();
        let mut command = self.command(&["serve"], more);
        let command = command.env("RIR_SIDECAR__HTTP__LISTEN", address).stdout(Stdio::null()).stderr(log);
        let replica = Replica { child: command.spawn().unwrap(), url: format!("http://{address}") };
        until("the service is ready", async || replica.is_ready().await).await;
        replica
    }

    /// Has NetBox send its webhooks to a process.
    async fn webhooks_to(&self, replica: &Replica) {
        let url = format!("{}/webhooks/netbox", replica.url);
        let done = self.command(&["bootstrap", "--webhook-url", &url], &[]).output().await.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        // Whether a rule is enabled is the operator's, and an earlier test may have switched it off.
        self.enable_webhooks(true).await;
    }

    /// Has NetBox send its webhooks, or none.
    async fn enable_webhooks(&self, enabled: bool) {
        for id in self.scene.ids("extras/event-rules").await {
            self.scene.edit("extras/event-rules", id, json!({ "enabled": enabled })).await;
        }
    }

    async fn jobs(&self) -> Vec<Record> {
        let filter = rir_sidecar::queue::Filter { limit: 10_000, ..Default::default() };
        self.queue.list(&filter).await.unwrap_or_default()
    }

    /// Waits until there are jobs and all of them are over.
    async fn idle(&self) -> Vec<Record> {
        until("all jobs are over", async || {
            let jobs = self.jobs().await;
            !jobs.is_empty() && jobs.iter().all(|job| job.state.is_over())
        })
        .await;
        self.jobs().await
    }

    /// Nothing is left to write, nothing was retired, and no row is there twice.
    async fn converged(&self) {
        let left = self.scene.left_to_do().await;
        assert!(left.changes.is_empty(), "{left}");
        for slug in ["rir-organization", "rir-contact", "rir-network", "rir-customer"] {
            let rows = self.scene.rows_of(slug).await;
            let keys: BTreeSet<&str> = rows.iter().map(|row| row["key"].as_str().unwrap()).collect();
            assert_eq!(keys.len(), rows.len(), "twins among {slug}");
            let retired = rows.iter().filter(|row| row["status"]["value"] != "registered").count();
            assert_eq!(retired, 0, "retired among {slug}");
        }
    }
}

impl Replica {
    async fn is_ready(&self) -> bool {
        let answer = reqwest::Client::new().get(format!("{}/health/ready", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// SIGKILL.
    async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, and waits until it has ended.
    async fn end(mut self) {
        let status = Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status().await.unwrap();
        assert!(status.success());
        let ended = tokio::time::timeout(Duration::from_secs(40), self.child.wait()).await;
        assert!(ended.unwrap().unwrap().success());
    }
}

/// A command of the lab.
async fn lab(arguments: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/lab.sh");
    let status = Command::new(script).args(arguments).stdout(Stdio::null()).status().await.unwrap();
    assert!(status.success(), "lab.sh {arguments:?}");
}

async fn until(what: &str, true_yet: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !true_yet().await {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(Duration::from_millis(100)).await;
    }
}

fn shared_redis() -> String {
    variable("RIR_LAB_REDIS_URL")
}

/// A Redis of one test's own that keeps everything it has said yes to.
struct Redis {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Redis {
    async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { folder: tempfile::tempdir().unwrap(), port, child: None };
        redis.restart().await;
        redis
    }

    async fn restart(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]).arg(self.folder.path());
        self.child = Some(command.stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap());
        until("Redis answers", async || tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()).await;
    }

    async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

/// Prints a figure that a test has measured: `cargo nextest run --no-capture`.
fn measured(what: &str, value: impl std::fmt::Debug) {
    eprintln!("measured: {what}: {value:?}");
}

#[tokio::test]
async fn a_new_aggregate_brings_its_registrations_and_then_all_is_quiet() {
    let mut world = small();
    let aggregates = std::mem::take(&mut world.ipam.aggregates);
    let lab = Lab::new(world, &shared_redis()).await;
    let replica = lab.replica(&[]).await;
    lab.webhooks_to(&replica).await;
    let rir = lab.scene.ids("ipam/rirs").await[0];
    lab.scene.add("ipam/aggregates", json!([{ "prefix": aggregates[0].prefix.to_string(), "rir": rir }])).await;
    let jobs = lab.idle().await;
    let arrived = jobs.iter().map(|job| job.created).min().unwrap();
    let done = jobs.iter().filter_map(|job| job.ended).max().unwrap();
    measured("from the webhook to the end of the run, 2 s of debounce included", done.duration_since(arrived));
    let networks = lab.scene.rows("rir-network").await;
    assert!(networks["NET-23-144-0-0-1"]["aggregate"].is_object() && networks.len() == 3, "{:?}", networks.keys());
    assert!(lab.scene.rows("rir-organization").await.contains_key("EXAMPLE-NET-1"));
    assert!(!lab.scene.rows_of("rir-sync-log").await.is_empty());

    // Our own writes come back as webhooks. Nothing may follow from them.
    let before = lab.jobs().await.len();
    let quiet = Instant::now();
    while quiet.elapsed() < Duration::from_secs(60) {
        let now = lab.jobs().await;
        assert!(now.len() == before && now.iter().all(|job| job.state.is_over()), "{now:#?}");
        sleep(Duration::from_secs(1)).await;
    }

    // Whose a prefix is decides whether it has to be registered, and nothing but the change tells.
    let prefix = lab.scene.ids("ipam/prefixes").await[0];
    let tenant = lab.scene.add("tenancy/tenants", json!([{ "name": "Harbour Catch Ltd", "slug": "harbour" }])).await[0];
    lab.scene.edit("ipam/prefixes", prefix, json!({ "tenant": tenant })).await;
    until("the prefix with another tenant is synced", async || {
        let works = lab.jobs().await.into_iter().filter(|job| job.state.is_over()).filter_map(|record| record.job);
        works.map(|job| job.work).any(|work| work.additions().contains(&RowId(prefix)))
    })
    .await;
    lab.enable_webhooks(false).await;
    replica.end().await;
}

#[tokio::test]
async fn five_hundred_changed_prefixes_become_few_jobs() {
    let mut world = small();
    world.ipam.prefixes.clear();
    for number in 0..500_u32 {
        let (third, fourth) = (number / 64 + 4, number % 64 * 4);
        crate::scene::prefix(&mut world, &format!("23.144.{third}.{fourth}/30"), None);
    }
    let lab = Lab::new(world, &shared_redis()).await;
    let replica = lab.replica(&[]).await;
    lab.webhooks_to(&replica).await;
    let ids = lab.scene.ids("ipam/prefixes").await;
    let edited: Vec<_> = ids
        .iter()
        .zip(0_u32..)
        .map(|(id, number)| {
            let (third, fourth) = (number / 64 + 4, number % 64 * 4);
            json!({ "id": id, "prefix": format!("23.144.{third}.{fourth}/31") })
        })
        .collect();
    lab.scene.patch("ipam/prefixes", json!(edited)).await;
    // Webhooks come at about ten a second, each once; the last ones are on their way for a while.
    until("all webhooks were heard", async || {
        let jobs = lab.jobs().await;
        let mut heard: BTreeSet<RowId> = BTreeSet::new();
        for job in jobs.into_iter().filter_map(|record| record.job) {
            if let Work::SyncPrefix { config: Some(_), prefixes } = job.work {
                heard.extend(prefixes);
            }
        }
        heard.len() == 500
    })
    .await;
    let jobs = lab.idle().await;
    measured("jobs of a bulk edit of 500 prefixes", jobs.len());
    assert!(jobs.len() <= 10, "{} jobs", jobs.len());
    assert!(jobs.iter().all(|job| job.state == State::Done));
    ask(&lab.queue, whole(lab.scene.config), None, Trigger::Api).await;
    lab.idle().await;
    lab.converged().await;
    lab.enable_webhooks(false).await;
    replica.end().await;
}

#[tokio::test]
async fn a_replica_that_is_killed_in_a_run_changes_nothing_about_its_end() {
    let lab = Lab::new(World::demo(), &shared_redis()).await;
    lab.scene.arin.configure(|options| options.latency = Duration::from_millis(150));
    let mut replicas = [lab.replica(&[]).await, lab.replica(&[]).await, lab.replica(&[]).await];
    let id = ask(&lab.queue, whole(lab.scene.config), None, Trigger::Api).await;
    // The process that has the run is the victim: the name of a worker tells its process.
    let mut victim = None;
    while victim.is_none() {
        sleep(Duration::from_millis(20)).await;
        let worker = lab.queue.find(&id).await.unwrap().and_then(|record| record.worker);
        let is_it =
            |replica: &Replica| worker.as_ref().is_some_and(|name| name.contains(&format!("-{}-", replica.pid())));
        victim = replicas.iter().position(is_it);
    }
    let victim = &mut replicas[victim.unwrap()];
    let name = format!("-{}-", victim.pid());
    victim.kill().await;
    let killed = Instant::now();
    until("another one takes the job over", async || {
        lab.queue.find(&id).await.unwrap().is_some_and(|record| record.attempts == 2)
    })
    .await;
    measured("takeover after SIGKILL, with a lease of 3 s", killed.elapsed());
    let jobs = lab.idle().await;
    // A run is one job. Its attempts count from the last note of its checkpoint on.
    let again: Vec<_> = jobs.iter().filter(|job| job.id == id && job.attempts == 1).collect();
    assert!(again.len() == 1 && !again[0].worker.as_ref().unwrap().contains(&name), "{again:#?}");
    assert!(jobs.iter().all(|job| job.state == State::Done && job.attempts == 1), "{jobs:#?}");
    lab.converged().await;
    let undisturbed = Scene::new(Target::sandbox().await, World::demo()).await;
    undisturbed.sync().await;
    undisturbed.refresh_findings(&Scope::Config, jiff::Timestamp::now()).await;
    let (mut ours, mut theirs) = (lab.scene.census().await, undisturbed.census().await);
    ours.remove("rir-sync-log");
    theirs.remove("rir-sync-log");
    assert_eq!(ours, theirs);
}

#[tokio::test]
async fn everything_converges_after_redis_netbox_and_arin_were_in_trouble() {
    let mut redis = Redis::start().await;
    let lab_ = Lab::new(World::demo(), &redis.url()).await;
    let first = lab_.replica(&[]).await;
    let second = lab_.replica(&[]).await;
    lab_.scene.arin.configure(|options| {
        options.latency = Duration::from_millis(50);
        options.noise = Some(Noise::transient(0.3, 7));
    });
    let id = ask(&lab_.queue, whole(lab_.scene.config), None, Trigger::Api).await;
    sleep(Duration::from_secs(2)).await;
    redis.kill().await;
    sleep(Duration::from_secs(5)).await;
    redis.restart().await;
    sleep(Duration::from_secs(3)).await;
    lab(&["stop"]).await;
    sleep(Duration::from_secs(60)).await;
    lab(&["start", "--rqworker"]).await;
    until("the run is over", async || {
        lab_.queue.find(&id).await.ok().flatten().is_some_and(|record| record.state.is_over())
    })
    .await;
    let record = lab_.queue.find(&id).await.unwrap().unwrap();
    assert_eq!(record.state, State::Done, "{record:#?}");
    lab_.idle().await;
    lab_.scene.arin.configure(|options| options.noise = None);
    lab_.converged().await;
    first.end().await;
    second.end().await;
}

#[tokio::test]
async fn no_request_fails_in_a_rolling_restart() {
    let lab = Lab::new(small(), &shared_redis()).await;
    let mut replicas = vec![lab.replica(&[]).await, lab.replica(&[]).await];
    let balancer = Balancer::new(&replicas);
    let clients: Vec<_> =
        (0..4).map(|_| tokio::spawn(balancer.clone().keep_asking(lab.scene.netbox.token.clone()))).collect();
    balancer.served_by(&replicas).await;
    for _ in 0..2 {
        let old = replicas.remove(0);
        balancer.serving().remove(&old.url);
        // Requests that were sent before the balancer knew are still under way.
        old.end().await;
        let new = lab.replica(&[]).await;
        balancer.serving().insert(new.url.clone(), 0);
        replicas.push(new);
        balancer.served_by(&replicas).await;
    }
    measured("requests answered by the last two replicas", balancer.serving().clone());
    balancer.serving().clear();
    for client in clients {
        client.await.unwrap();
    }
}

/// The knowledge of a load balancer: the replicas that take requests, and how many each of them has answered.
#[derive(Clone)]
struct Balancer(Arc<Mutex<BTreeMap<String, usize>>>);

impl Balancer {
    fn new(replicas: &[Replica]) -> Self {
        Self(Arc::new(Mutex::new(replicas.iter().map(|replica| (replica.url.clone(), 0)).collect())))
    }

    fn serving(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.lock().unwrap()
    }

    /// Sends one request after the other, and takes nothing but a good answer, until no replica is left.
    async fn keep_asking(self, token: String) {
        let client = reqwest::Client::new();
        loop {
            let Some(url) = fastrand::choice(self.serving().keys().cloned().collect::<Vec<_>>()) else { return };
            let answer = client.get(format!("{url}/api/v1/configs")).bearer_auth(&token).send().await;
            assert_eq!(answer.unwrap().status(), 200);
            if let Some(answered) = self.serving().get_mut(&url) {
                *answered += 1;
            }
        }
    }

    /// Waits until each replica has answered some more requests.
    async fn served_by(&self, replicas: &[Replica]) {
        let before = self.serving().clone();
        until("each replica has answered", async || {
            let serving = self.serving();
            replicas.iter().all(|replica| serving[&replica.url] >= before[&replica.url] + 5)
        })
        .await;
    }
}

#[tokio::test]
async fn changes_whose_webhooks_were_lost_are_found_by_the_sweep_and_only_once() {
    let lab = Lab::new(small(), &shared_redis()).await;
    lab.enable_webhooks(false).await;
    let sweeping = [
        ("RIR_SIDECAR__SWEEP__INTERVAL", "2s"),
        ("RIR_SIDECAR__SWEEP__SETTLE", "1s"),
        ("RIR_SIDECAR__SCHEDULE__TICK", "1s"),
        ("RIR_SIDECAR__WEBHOOK__DEBOUNCE", "100ms"),
    ];
    let replica = lab.replica(&sweeping).await;
    // What was there before the first sweep is found by it; that is to be over.
    until("the first sweep has found the config", async || {
        let jobs = lab.jobs().await;
        jobs.iter().any(|job| job.job.as_ref().is_some_and(|job| matches!(job.work, Work::SyncConfig { .. })))
    })
    .await;
    let before: BTreeSet<_> = lab.idle().await.into_iter().map(|job| job.id).collect();
    let rir = lab.scene.ids("ipam/rirs").await[0];
    let aggregate = lab.scene.add("ipam/aggregates", json!([{ "prefix": "23.145.0.0/20", "rir": rir }])).await[0];
    let prefix = lab.scene.add("ipam/prefixes", json!([{ "prefix": cidr("23.144.9.0/24") }])).await[0];
    lab.scene.edit("ipam/prefixes", prefix, json!({ "description": "of no concern" })).await;
    // Time for several sweeps.
    sleep(Duration::from_secs(12)).await;
    let jobs = lab.idle().await.into_iter().filter(|job| !before.contains(&job.id));
    let mut found = Vec::new();
    for work in jobs.filter_map(|record| record.job).map(|job| job.work) {
        if let Work::SyncAggregate { config, aggregate: id } = &work
            && *id == RowId(aggregate)
        {
            found.push(config.map_or("aggregate", |_| "aggregate for the config"));
        } else if let Work::SyncPrefix { config, prefixes } = &work
            && *prefixes == BTreeSet::from([RowId(prefix)])
        {
            found.push(config.map_or("prefix", |_| "prefix for the config"));
        } else {
            panic!("{work:?}");
        }
    }
    found.sort_unstable();
    assert_eq!(found, ["aggregate", "aggregate for the config", "prefix", "prefix for the config"]);
    replica.end().await;
}

#[tokio::test]
async fn an_hour_of_changes_without_webhooks_is_recovered_and_none_twice() {
    let lab_ = Lab::new(small(), &shared_redis()).await;
    lab_.enable_webhooks(false).await;
    let scene = &lab_.scene;
    let rir = scene.ids("ipam/rirs").await[0];
    let aggregates = (0..4).map(|number| json!({ "prefix": format!("23.145.{}.0/20", number * 16), "rir": rir }));
    let aggregates = scene.add("ipam/aggregates", aggregates.collect()).await;
    let prefixes = (0..40).map(|number| json!({ "prefix": format!("23.144.8.{}/30", number * 4) })).collect();
    let prefixes = scene.add("ipam/prefixes", prefixes).await;
    for id in prefixes.iter().take(5) {
        scene.edit("ipam/prefixes", *id, json!({ "description": "of no concern" })).await;
    }
    // Nothing says where to begin but the config: its last sync was before all of it.
    let before = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_mins(63)).unwrap();
    scene.edit(&custom("rir-config"), scene.config.0, json!({ "last_sync": before.to_string() })).await;
    lab(&["age"]).await;
    let sweeping = [
        ("RIR_SIDECAR__SWEEP__INTERVAL", "2s"),
        ("RIR_SIDECAR__SCHEDULE__TICK", "1s"),
        ("RIR_SIDECAR__WEBHOOK__DEBOUNCE", "100ms"),
    ];
    let (first, second) = (lab_.replica(&sweeping).await, lab_.replica(&sweeping).await);
    until("the sweep has found something", async || !lab_.jobs().await.is_empty()).await;
    // Time for several sweeps more, each of which reads the last changes again.
    sleep(Duration::from_secs(10)).await;
    let (mut asked, mut looked_at) = (Vec::new(), Vec::new());
    for work in lab_.idle().await.into_iter().filter_map(|record| record.job).map(|job| job.work) {
        match work {
            Work::SyncAggregate { config: None, aggregate } => asked.push(aggregate.0),
            Work::SyncPrefix { config: None, prefixes } => looked_at.extend(prefixes.into_iter().map(|id| id.0)),
            Work::SyncAggregate { .. }
            | Work::SyncPrefix { .. }
            | Work::SyncConfig { .. }
            | Work::PlanConfig { .. }
            | Work::ApplyPlan { .. }
            | Work::Findings { .. }
            | Work::Requests { .. }
            | Work::UpdateIrr { .. }
            | Work::Routing {} => {}
        }
    }
    asked.sort_unstable();
    looked_at.sort_unstable();
    assert_eq!(asked, scene.ids("ipam/aggregates").await);
    assert_eq!(looked_at, scene.ids("ipam/prefixes").await);
    assert!(aggregates.iter().all(|id| asked.contains(id)) && prefixes.iter().all(|id| looked_at.contains(id)));
    lab_.converged().await;
    first.end().await;
    second.end().await;
}

#[tokio::test]
async fn a_config_that_is_due_is_synced_by_one_of_the_replicas() {
    let lab = Lab::new(small(), &shared_redis()).await;
    let schedule = [("RIR_SIDECAR__SCHEDULE__ENABLED", "true"), ("RIR_SIDECAR__SCHEDULE__TICK", "1s")];
    let (first, second) = (lab.replica(&schedule).await, lab.replica(&schedule).await);
    until("it is synced", async || {
        let jobs = lab.jobs().await;
        jobs.iter()
            .any(|job| job.job.as_ref().is_some_and(|job| job.work.name() == "sync-config") && job.state == State::Done)
    })
    .await;
    sleep(Duration::from_secs(4)).await;
    let runs = lab
        .idle()
        .await
        .into_iter()
        .filter(|job| job.job.as_ref().is_some_and(|job| matches!(job.work, Work::SyncConfig { .. })));
    assert_eq!(runs.count(), 1);
    lab.converged().await;
    first.end().await;
    second.end().await;
}
