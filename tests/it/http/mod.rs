//! The HTTP interface over real HTTP: on the in-memory NetBox, a simulated ARIN and the queue in memory.

mod access;
mod connections;
mod docs;
mod events;
mod findings;
mod health;
mod idempotency;
mod irr;
mod jobs;
mod logs;
mod openapi;
mod plans;
mod problems;
pub(crate) mod requests;
mod routing;
mod syncs;
pub(crate) mod webhooks;

use std::net::SocketAddr;

use reqwest::{Method, StatusCode, header::HeaderMap};
use rir_sandbox::{
    netbox::{Action, Grant},
    regrws::KEY,
};
use rir_sidecar::{
    config::{Settings, keys::Keyring},
    http,
    irr::{store::Store, update::Mirror},
    model::{Resource, RowId},
    netbox::schema,
    queue::{Delay, Job, JobId, Order, Queue, Trigger, Work},
    services::Services,
    worker::Worker,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::scene::{CONFIG, Scene, Target, custom, keyring, small};

/// The secret of the webhooks.
const SECRET: &str = "0123456789abcdef";

/// The service, running.
struct Service {
    scene: Scene,
    queue: Queue,
    services: Services,
    address: SocketAddr,
    stop: CancellationToken,
    keys: watch::Sender<Keyring>,
    task: JoinHandle<()>,
    http: reqwest::Client,
    /// May view and change all configs, and has an API key.
    ann: String,
    /// May view all configs, and has an API key.
    bob: String,
    /// May view and change all configs, and has no API key.
    cat: String,
    /// May do nothing.
    eve: String,
}

/// An answer of the service.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    body: Value,
}

impl Service {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings than the usual ones.
    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut scene = Scene::new(Target::sandbox().await, small()).await;
        scene.settings.webhook.secret = SECRET.into();
        change(&mut scene.settings);
        let people = people(&scene);
        Self::of(scene, keyring(&[(CONFIG, "ann", KEY), (CONFIG, "bob", KEY)]), people).await
    }

    /// For a scene, with the tokens of `ann`, `bob`, `cat` and `eve`.
    async fn of(scene: Scene, keyring: Keyring, [ann, bob, cat, eve]: [String; 4]) -> Self {
        let stop = CancellationToken::new();
        let (keys, ring) = watch::channel(keyring);
        let queue = Queue::open(&scene.settings.queue).await.unwrap();
        let mirror = Mirror::new(Store::open(&scene.settings.queue).unwrap(), &scene.settings).unwrap();
        let services = Services { queue: queue.clone(), mirror, keys: ring, ..scene.services() };
        let router = http::router(services.clone(), stop.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (served, end) = (services.clone(), stop.clone());
        let task = tokio::spawn(async move { http::serve(router, listener, &served, end).await });
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { scene, queue, services, address, stop, keys, task, http, ann, bob, cat, eve }
    }

    /// Works off its jobs until it is dropped.
    fn work(&self) -> DropGuard {
        let stop = CancellationToken::new();
        tokio::spawn(Worker::new(self.services.clone(), "worker", tokio::runtime::Handle::current()).run(stop.clone()));
        stop.drop_guard()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// As a user, by token.
    async fn get(&self, token: &str, path: &str) -> Answer {
        answer(self.request(Method::GET, path).bearer_auth(token)).await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth(token);
        answer(request.header("content-type", "application/json").body(body.to_string())).await
    }

    async fn delete(&self, token: &str, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path).bearer_auth(token)).await
    }

    /// The path of the scene's config, with more behind it.
    fn config(&self, more: &str) -> String {
        format!("/api/v1/configs/{}{more}", self.scene.config)
    }

    /// Queues a sync of a config, past HTTP.
    async fn queued(&self, config: RowId) -> JobId {
        self.order(Work::SyncConfig { config, resources: Resource::all() }).await
    }

    async fn order(&self, work: Work) -> JobId {
        let order = Order { job: Job::new(work, Trigger::Api).by("ann"), delay: Delay::None };
        self.queue.enqueue(&[order]).await.unwrap().remove(0).job
    }

    /// Adds a second config, which only `ann` may view.
    async fn another_config(&self, name: &str) -> RowId {
        let rir = self.scene.ids("ipam/rirs").await[0];
        self.scene.add_config(name, crate::scene::ORG, rir).await
    }
}

fn people(scene: &Scene) -> [String; 4] {
    let server = scene.netbox.server.as_ref().unwrap();
    let configs = custom(schema::CONFIG);
    let ipam = ["ipam/aggregates", "ipam/prefixes"].map(|list| Grant::new(list, &[Action::View]));
    let view = Grant::new(&configs, &[Action::View]);
    let both = Grant::new(&configs, &[Action::View, Action::Change]);
    let ours = schema::TYPES.into_iter().filter(|slug| *slug != schema::CONFIG);
    let ours: Vec<Grant> = ours.map(|slug| Grant::new(&custom(slug), &[Action::View])).collect();
    let all = |first: Grant| [vec![first], ipam.to_vec(), ours.clone()].concat();
    let people = [("ann", all(both.clone())), ("bob", all(view)), ("cat", all(both)), ("eve", Vec::new())];
    people.map(|(name, grants)| server.add_user(name, grants))
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, headers, text, body }
}

impl Answer {
    /// Asserts the status and returns the body.
    #[track_caller]
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.body
    }

    /// Asserts that it is a problem of this kind and status.
    #[track_caller]
    fn problem(self, status: u16, slug: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(self.body["type"], format!("urn:rir-sidecar:problem:{slug}"), "{}", self.text);
        assert_eq!(self.body["status"], status);
        self.expect(status)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}
