//! The mirrors of routing registries: what is shown of them, and having one updated.

use std::{fmt::Write, sync::Arc, time::Duration};

use reqwest::Method;
use rir_sandbox::netbox::{Action, Grant};
use rir_sidecar::{
    config::Settings,
    irr::{store::Store, update::Mirror},
    model::SourceName,
    netbox::schema,
    queue::{Ending, JobId, Queue, State, Work},
    services::Services,
    worker::Worker,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::Command,
    sync::Notify,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Service, answer};
use crate::{process::until, queue::bench, scene::custom};

const SOURCES: &str = "/api/v1/irr/sources";
const TEST: &str = "/api/v1/irr/sources/TEST";

/// A service with a mirror of `TEST`, whose dump is a file, and one of `OTHER`, which nobody looks at.
struct Mirrored {
    service: Service,
    folder: tempfile::TempDir,
}

impl Mirrored {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dump = format!("file://{}", folder.path().join("test.db").display());
        let service = Service::with(|settings| {
            settings.irr = sources(&dump);
            change(settings);
        })
        .await;
        Self { service, folder }
    }

    fn serves(&self, count: u32) {
        std::fs::write(self.folder.path().join("test.db"), format!("{}# EOF\n", routes(0..count))).unwrap();
    }

    async fn get(&self, path: &str) -> Value {
        self.service.get(&self.service.bob, path).await.expect(200)
    }

    /// Has `ann` ask for something, and returns the job once it is over.
    async fn done(&self, path: &str, body: Value) -> Value {
        let told = self.service.post(&self.service.ann, path, body).await.expect(202);
        let job = format!("/api/v1/jobs/{}", told["job"]["id"].as_str().unwrap());
        until("the job is over", async || self.get(&job).await["ended"].is_string()).await;
        self.get(&job).await
    }

    async fn figures(&self) -> String {
        answer(self.service.request(Method::GET, "/metrics")).await.text
    }
}

fn sources(dump: &str) -> rir_sidecar::config::Irr {
    toml::from_str(&format!(
        "[[source]]\nname = 'TEST'\ndumps = ['{dump}']\n[[source]]\nname = 'OTHER'\ndumps = ['file:///nowhere']\n"
    ))
    .unwrap()
}

fn routes(numbers: std::ops::Range<u32>) -> String {
    numbers.fold(String::new(), |mut text, number| {
        let (high, low) = (number / 256, number % 256);
        writeln!(text, "route: 10.{high}.{low}.0/24\norigin: AS64496\nsource: TEST\n").unwrap();
        text
    })
}

fn name() -> SourceName {
    "TEST".parse().unwrap()
}

#[tokio::test]
async fn a_mirror_is_shown_with_what_is_held_of_it() {
    let here = Mirrored::new().await;
    let before = here.get(TEST).await;
    let of = |told: &Value| ["objects", "checked", "running_job", "objects_read"].map(|field| told[field].clone());
    assert_eq!(of(&before), [Value::Null, Value::Null, Value::Null, Value::Null]);
    here.serves(20);
    let _worker = here.service.work();
    let job = here.done(&format!("{TEST}/updates"), json!({})).await;
    assert_eq!((&job["kind"], &job["source"], &job["config"]), (&json!("update-irr"), &json!("TEST"), &Value::Null));
    assert_eq!((&job["user"], &job["result"]["result"]), (&json!("ann"), &json!("imported")));
    assert_eq!(
        (&job["progress"]["done"], &job["progress"]["phase"]),
        (&json!(20), &json!("reading the objects of the registry"))
    );
    let told = here.get(TEST).await;
    assert_eq!((&told["name"], &told["objects"], &told["trouble"]), (&json!("TEST"), &json!(20), &Value::Null));
    assert!(told["checked"].is_string() && told["stored"].as_u64() > Some(0), "{told}");
    assert_eq!(told["rejected"], json!({ "by_reason": {}, "examples": [] }));
    let all = here.get(SOURCES).await["sources"].clone();
    assert_eq!((&all[0], &all[1]["name"], &all[1]["objects"]), (&told, &json!("OTHER"), &Value::Null));
    assert_eq!(here.get("/api/v1/irr/sources/test").await, told, "names are compared without case");
}

#[tokio::test]
async fn a_source_that_is_not_set_is_told_apart_from_those_that_are() {
    let here = Mirrored::new().await;
    let ann = &here.service.ann;
    let told = here.service.get(ann, &format!("{SOURCES}/RADB")).await.problem(404, "not-found");
    assert_eq!(told["detail"], "RADB is no source of the settings, which are: TEST, OTHER");
    for call in ["updates", "accept-shrink"] {
        here.service.post(ann, &format!("{SOURCES}/RADB/{call}"), json!({})).await.problem(404, "not-found");
    }
    here.service.get(ann, &format!("{SOURCES}/1A")).await.problem(400, "invalid-request");
    let none = Service::new().await;
    assert_eq!(none.get(&none.ann, SOURCES).await.expect(200), json!({ "sources": [] }));
    let told = none.get(&none.ann, TEST).await.problem(404, "not-found");
    assert!(told["detail"].as_str().unwrap().contains("write a table [[irr.source]]"), "{told}");
}

#[tokio::test]
async fn a_mirror_takes_the_permission_for_all_configs() {
    let here = Mirrored::new().await;
    let service = &here.service;
    let other = service.another_config("other").await;
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    let configs = |actions: &[Action], ids: &[u64]| Grant::new(&custom(schema::CONFIG), actions).only(ids);
    let both = [service.scene.config.0, other.0];
    let dan = netbox.add_user("dan", vec![configs(&[Action::View, Action::Change], &both[..1])]);
    let fay = netbox.add_user("fay", vec![configs(&[Action::View], &both), configs(&[Action::Change], &both[..1])]);
    for nobody in [&dan, &service.eve] {
        for path in [SOURCES, TEST, "/api/v1/irr/sources/RADB"] {
            let told = service.get(nobody, path).await.problem(403, "not-permitted");
            assert!(told["detail"].as_str().unwrap().contains("view all RIR configs"), "{told}");
        }
    }
    for call in ["updates", "accept-shrink"] {
        let path = format!("{TEST}/{call}");
        for nobody in [&dan, &fay, &service.bob, &service.eve] {
            service.post(nobody, &path, json!({})).await.problem(403, "not-permitted");
        }
    }
    let state = service.services.mirror.store.state(&name()).await.unwrap();
    assert_eq!((state.reloads_asked, service.queue.claim("w", 1, Duration::ZERO).await.unwrap()), (0, Vec::new()));
    service.get(&fay, TEST).await.expect(200);
    answer(service.request(Method::GET, SOURCES)).await.problem(401, "not-authenticated");
    // No API key is needed, neither to ask nor to retry what somebody else has asked for.
    let told = service.post(&service.cat, &format!("{TEST}/updates"), json!({})).await.expect(202);
    let job = JobId::parse(told["job"]["id"].as_str().unwrap()).unwrap();
    let path = format!("/api/v1/jobs/{job}");
    service.get(&dan, &path).await.problem(404, "not-found");
    let told = service.delete(&fay, &path).await.problem(403, "not-permitted");
    assert!(told["detail"].as_str().unwrap().contains("which each mirror serves"), "{told}");
    service.delete(&service.ann, &path).await.expect(202);
    service.keys.send_replace(crate::scene::keyring(&[]));
    assert_eq!(service.post(&service.ann, &format!("{path}/retry"), json!({})).await.expect(202)["user"], "ann");
}

#[tokio::test]
async fn an_update_is_asked_for_as_any_job_is() {
    let here = Mirrored::new().await;
    let (service, updates) = (&here.service, format!("{TEST}/updates"));
    let told = service.post(&service.ann, &updates, json!({ "mode": "update" })).await;
    let location = told.header("location").to_owned();
    let told = told.expect(202);
    assert_eq!(
        (&told["coalesced"], location),
        (&json!(false), format!("/api/v1/jobs/{}", told["job"]["id"].as_str().unwrap()))
    );
    assert_eq!(service.post(&service.ann, &updates, json!({})).await.expect(202)["coalesced"], true);
    assert_eq!(service.services.mirror.store.state(&name()).await.unwrap().reloads_asked, 0);
    for odd in [json!({ "mode": "wipe" }), json!({ "mode": null }), json!({ "force": true })] {
        service.post(&service.ann, &updates, odd).await.problem(400, "invalid-request");
    }
    let again = || {
        let request = service.request(Method::POST, &updates).bearer_auth(&service.ann).header("idempotency-key", "k1");
        answer(request.header("content-type", "application/json").body(r#"{"mode":"reload"}"#))
    };
    let (first, second) = (again().await, again().await);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(first.expect(202), second.expect(202));
    assert_eq!(service.services.mirror.store.state(&name()).await.unwrap().reloads_asked, 1);
    let config = service.queued(service.scene.config).await;
    let listed = async |filter: &str| {
        let jobs = here.get(&format!("/api/v1/jobs?{filter}")).await["jobs"].as_array().unwrap().clone();
        jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("source=test").await, [told["job"]["id"].as_str().unwrap()]);
    assert_eq!(listed("source=OTHER").await, Vec::<String>::new());
    assert_eq!(listed(&format!("config={}", service.scene.config)).await, [config.to_string()]);
    service.get(&service.bob, "/api/v1/jobs?source=1A").await.problem(400, "invalid-request");
}

#[tokio::test]
async fn a_reload_that_is_asked_for_during_a_run_is_done_after_it() {
    let here = Mirrored::new().await;
    let (service, updates) = (&here.service, format!("{TEST}/updates"));
    here.serves(5);
    service.post(&service.ann, &updates, json!({})).await.expect(202);
    let running = service.queue.claim("w", 1, Duration::ZERO).await.unwrap().remove(0);
    // It has begun, and so does not know of the reload.
    let source = service.services.settings.irr.named(&name()).unwrap();
    service.services.mirror.update(source, |_| {}).await.unwrap();
    let told = here.get(TEST).await;
    assert_eq!((&told["running_job"], &told["reload_asked"]), (&json!(running.id), &json!(false)));
    let told = service.post(&service.ann, &updates, json!({ "mode": "reload" })).await.expect(202);
    assert_eq!((&told["job"]["state"], &here.get(TEST).await["reload_asked"]), (&json!("parked"), &json!(true)));
    service.queue.settle(&running, Ending::Done { result: json!({}), then: Vec::new() }).await.unwrap();
    let _worker = service.work();
    until("the reload is done", async || here.get(TEST).await["reload_asked"] == false).await;
    let job = format!("/api/v1/jobs/{}", told["job"]["id"].as_str().unwrap());
    until("its job is over", async || here.get(&job).await["ended"].is_string()).await;
    assert_eq!(here.get(&job).await["result"]["result"], "imported", "though the dump is the same");
}

#[tokio::test]
async fn a_dump_that_was_refused_is_accepted() {
    let here = Mirrored::new().await;
    let _worker = here.service.work();
    let accept = format!("{TEST}/accept-shrink");
    let told = here.service.post(&here.service.ann, &accept, json!({})).await.problem(409, "nothing-refused");
    assert!(told["detail"].as_str().unwrap().contains("no dump of TEST was refused"), "{told}");
    here.serves(100);
    here.done(&format!("{TEST}/updates"), json!({})).await;
    here.serves(10);
    assert_eq!(here.done(&format!("{TEST}/updates"), json!({})).await["result"]["result"], "failed");
    let told = here.get(TEST).await;
    assert_eq!((&told["objects"], &told["refused_objects"]), (&json!(100), &json!(10)));
    assert!(told["trouble"].as_str().unwrap().contains("10 objects and 100 are held"), "{told}");
    let refused = [
        "irr_trouble{source=\"TEST\"} 1\n",
        "irr_shrink_refused{source=\"TEST\"} 1\n",
        "irr_objects{source=\"TEST\"} 100\n",
    ];
    let figures = here.figures().await;
    assert!(refused.iter().all(|line| figures.contains(line)), "{figures}");
    assert_eq!(here.done(&accept, json!({})).await["result"]["result"], "imported");
    let told = here.get(TEST).await;
    assert_eq!(
        (&told["objects"], &told["refused_objects"], &told["trouble"]),
        (&json!(10), &Value::Null, &Value::Null)
    );
    let figures = here.figures().await;
    let accepted = [
        "irr_trouble{source=\"TEST\"} 0\n",
        "irr_shrink_refused{source=\"TEST\"} 0\n",
        "irr_objects{source=\"TEST\"} 10\n",
        "irr_updates_total{source=\"TEST\",result=\"imported\"} 2\n",
        "irr_updates_total{source=\"TEST\",result=\"failed\"} 1\n",
        "irr_updates_total{source=\"OTHER\",result=\"failed\"} 0\n",
        "irr_last_checked_timestamp_seconds{source=\"OTHER\"} 0.0\n",
        "irr_interval_seconds{source=\"OTHER\"} 300.0\n",
    ];
    assert!(accepted.iter().all(|line| figures.contains(line)), "{figures}");
}

/// A server that stops in the middle of a dump until it is told to go on.
async fn stalling_server(go_on: Arc<Notify>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/test.db", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while stream.read_line(&mut line).await.unwrap() > 2 {
                line.clear();
            }
            let (some, rest) = (routes(0..2500), format!("{}# EOF\n", routes(2500..3000)));
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", some.len() + rest.len());
            stream.write_all((head + &some).as_bytes()).await.unwrap();
            go_on.notified().await;
            stream.write_all(rest.as_bytes()).await.unwrap();
        }
    });
    url
}

/// Another process, which shares only Redis with the service: it works, and the service does not.
fn worker(service: &Service) -> DropGuard {
    let (settings, stop) = (&service.services.settings, CancellationToken::new());
    let mirror = Mirror::new(Store::open(&settings.queue).unwrap(), settings).unwrap();
    let settings = Arc::clone(settings);
    let (mut services, end) = (Services { mirror, metrics: Arc::default(), ..service.services.clone() }, stop.clone());
    tokio::spawn(async move {
        services.queue = Queue::open(&settings.queue).await.unwrap();
        Worker::new(services, "other", tokio::runtime::Handle::current()).run(end).await;
    });
    stop.drop_guard()
}

#[tokio::test]
async fn an_import_is_seen_from_any_replica_while_it_is_under_way() {
    let url = std::env::var("RIR_LAB_REDIS_URL")
        .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
    let go_on = Arc::new(Notify::new());
    let dump = stalling_server(Arc::clone(&go_on)).await;
    let here = Mirrored::with(|settings| {
        settings.queue = bench::settings(&url);
        settings.irr = sources(&dump);
    })
    .await;
    let service = &here.service;
    let _worker = worker(service);
    let told = service.post(&service.ann, &format!("{TEST}/updates"), json!({})).await.expect(202);
    until("some of it is read", async || here.get(TEST).await["objects_read"].as_u64() >= Some(1000)).await;
    let half = here.get(TEST).await;
    assert_eq!((&half["running_job"], &half["objects"]), (&told["job"]["id"], &Value::Null), "nothing is half taken");
    assert!(half["objects_read"].as_u64() < Some(3000), "{half}");
    let job = format!("/api/v1/jobs/{}", told["job"]["id"].as_str().unwrap());
    assert_eq!(here.get(&job).await["progress"]["done"], half["objects_read"]);
    assert_eq!(said_by_the_command(&here, &url, &dump).await, here.get(SOURCES).await["sources"]);
    go_on.notify_one();
    until("all of it is read", async || here.get(TEST).await["objects"] == 3000).await;
    until("the job is over", async || here.get(TEST).await["running_job"].is_null()).await;
    assert_eq!(here.get(TEST).await["objects_read"], Value::Null);
    assert_eq!(
        service.queue.find(&JobId::parse(told["job"]["id"].as_str().unwrap()).unwrap()).await.unwrap().unwrap().state,
        State::Done
    );
    // The process that is asked has worked off nothing, and tells it all the same.
    let figures = here.figures().await;
    assert!(figures.contains("irr_objects{source=\"TEST\"} 3000\n"), "{figures}");
    assert!(!figures.contains("irr_last_checked_timestamp_seconds{source=\"TEST\"} 0.0\n"), "{figures}");
    assert_eq!(said_by_the_command(&here, &url, &dump).await, here.get(SOURCES).await["sources"]);
}

/// What `rir-sidecar irr status` says.
async fn said_by_the_command(here: &Mirrored, url: &str, dump: &str) -> Value {
    let prefix = &here.service.services.settings.queue.prefix;
    let text = format!(
        "[netbox]\nurl = 'http://netbox.test/'\ntoken = 'x'\n[queue]\nurl = '{url}'\nprefix = '{prefix}'\n\
         [[irr.source]]\nname = 'TEST'\ndumps = ['{dump}']\n[[irr.source]]\nname = 'OTHER'\ndumps = ['file:///nowhere']\n"
    );
    let file = here.folder.path().join("settings.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    let output = command.arg("--config").arg(file).args(["irr", "status", "--output", "json"]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn mirrors_whose_place_does_not_answer_are_not_told_as_empty() {
    let here = Mirrored::with(|settings| settings.queue.url = "redis://127.0.0.1:1/".into()).await;
    here.service.get(&here.service.bob, TEST).await.problem(503, "queue-unavailable");
    let reload = json!({ "mode": "reload" });
    here.service.post(&here.service.ann, &format!("{TEST}/updates"), reload).await.problem(503, "queue-unavailable");
    assert!(!here.figures().await.contains("irr_objects{"));
}

#[tokio::test]
async fn a_job_about_a_mirror_names_its_source() {
    let here = Mirrored::new().await;
    let id = here.service.order(Work::UpdateIrr { source: name() }).await;
    assert_eq!(here.get(&format!("/api/v1/jobs/{id}")).await["source"], "TEST");
    let id = here.service.queued(here.service.scene.config).await;
    assert_eq!(here.get(&format!("/api/v1/jobs/{id}")).await["source"], Value::Null);
}
