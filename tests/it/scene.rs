//! A NetBox, real or in memory, and a simulated ARIN, set up for one sync test.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use jiff::Timestamp;
use rir_sandbox::{
    netbox::{Options as NetboxOptions, Server as NetboxServer, TOKEN},
    regrws::{KEY, Lookup, Options, Server},
    world::{Aggregate, Holder, Prefix, World},
};
use rir_sidecar::{
    config::{self, Settings, keys::Keyring},
    findings,
    model::{Config, Resource, RowId, Scope},
    netbox::{
        self,
        schema::{self, Document},
    },
    services::Services,
    sync::{self, Context, NoCheckpoint, Plan, Preview, Request, Requester, SyncRun},
};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

pub(crate) type Row = Map<String, Value>;

/// The organization of every scene's config.
pub(crate) const ORG: &str = "EXAMPLE-NET-1";
/// The name of every scene's config.
pub(crate) const CONFIG: &str = "example-arin";

/// The NetBox of a scene.
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) token: String,
    /// The in-memory one, if it is that.
    pub(crate) server: Option<NetboxServer>,
    /// The name that the lab has for a real one.
    pub(crate) name: String,
}

impl Target {
    pub(crate) async fn sandbox() -> Self {
        let server = NetboxServer::start(NetboxOptions::default()).await.unwrap();
        Self { url: server.url(), token: TOKEN.to_owned(), server: Some(server), name: String::new() }
    }

    /// The real NetBox that `tests/run.sh` started.
    pub(crate) fn lab() -> Self {
        let variable =
            |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; use tests/run.sh"));
        let (url, token) = (variable("RIR_LAB_NETBOX_URL"), variable("RIR_LAB_NETBOX_TOKEN"));
        Self { url, token, server: None, name: "main".to_owned() }
    }
}

/// Two systems to sync between.
pub(crate) struct Scene {
    pub(crate) netbox: Target,
    pub(crate) arin: Server,
    pub(crate) settings: Settings,
    pub(crate) config: RowId,
    keys: Keyring,
    http: reqwest::Client,
}

/// A world of one allocation: a customer's net, an organization's net, and room between.
pub(crate) fn small() -> World {
    let mut world = World::demo();
    world.registry.nets.clear();
    world.registry.customers.clear();
    world.ipam.aggregates.clear();
    world.ipam.prefixes.clear();
    let parent = world.registry.allocate(&[cidr("23.144.0.0/20")], ORG);
    let address = world.registry.orgs.get("SAMPLE-3").unwrap().address.clone();
    let customer = world.registry.add_customer(ORG, "Sample Bakery", address);
    world.registry.reassign(&parent, &[cidr("23.144.1.0/24")], Holder::Customer(customer)).unwrap();
    world.registry.reassign(&parent, &[cidr("23.144.2.0/24")], Holder::Org("SAMPLE-3".into())).unwrap();
    aggregate(&mut world, "23.144.0.0/20");
    for text in ["23.144.1.0/24", "23.144.1.0/26", "23.144.2.0/24", "23.144.3.0/24"] {
        prefix(&mut world, text, None);
    }
    world
}

pub(crate) fn cidr(text: &str) -> IpNet {
    text.parse().unwrap()
}

pub(crate) fn aggregate(world: &mut World, text: &str) {
    world.ipam.aggregates.push(Aggregate { prefix: cidr(text), rir: "ARIN".into() });
}

pub(crate) fn prefix(world: &mut World, text: &str, vrf: Option<&str>) {
    world.ipam.prefixes.push(Prefix { prefix: cidr(text), vrf: vrf.map(str::to_owned) });
}

impl Scene {
    /// Sets up both systems. A real NetBox is emptied of what earlier tests left.
    pub(crate) async fn new(netbox: Target, world: World) -> Self {
        // Fails when another test of this process was first, which is just as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let arin = Server::start(world.registry.clone(), Options::default()).await.unwrap();
        let settings = settings(&netbox, &arin.url());
        let client = netbox::Client::new(&settings.netbox).unwrap();
        let plan = schema::plan(&client, Document::current()).await.unwrap();
        schema::apply(&client, &plan, false).await.unwrap();
        let mut scene = Self { netbox, arin, settings, config: RowId(0), keys: Keyring::default(), http: unpooled() };
        scene.clear().await;
        scene.furnish(&world).await;
        scene
    }

    /// Empties a real NetBox; one in memory is new anyway.
    async fn clear(&self) {
        if self.netbox.server.is_some() {
            return;
        }
        let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/lab.sh");
        let wiped =
            tokio::process::Command::new(lab).args(["wipe", "--name", &self.netbox.name]).status().await.unwrap();
        assert!(wiped.success(), "could not empty the NetBox of the lab");
    }

    /// Puts the NetBox side of the world in place, and a config for it.
    async fn furnish(&mut self, world: &World) {
        let rir = self.add("ipam/rirs", json!([{ "name": "ARIN", "slug": "arin" }])).await[0];
        let aggregates: Vec<Value> = world
            .ipam
            .aggregates
            .iter()
            .map(|aggregate| json!({ "prefix": aggregate.prefix.to_string(), "rir": rir }))
            .collect();
        self.add("ipam/aggregates", json!(aggregates)).await;
        let names: BTreeSet<&String> = world.ipam.prefixes.iter().filter_map(|prefix| prefix.vrf.as_ref()).collect();
        let mut vrfs: BTreeMap<&String, u64> = BTreeMap::new();
        for name in names {
            vrfs.insert(name, self.add("ipam/vrfs", json!([{ "name": name }])).await[0]);
        }
        let prefix = |prefix: &Prefix| {
            let vrf = prefix.vrf.as_ref().and_then(|name| vrfs.get(name));
            json!({ "prefix": prefix.prefix.to_string(), "vrf": vrf })
        };
        for some in world.ipam.prefixes.chunks(200) {
            self.add("ipam/prefixes", json!(some.iter().map(prefix).collect::<Vec<_>>())).await;
        }
        self.config = self.add_config(CONFIG, ORG, rir).await;
        self.keys = keyring(&[(CONFIG, "ann", KEY)]);
    }

    pub(crate) async fn add_config(&self, name: &str, org: &str, rir: u64) -> RowId {
        let row = json!([{ "name": name, "rir": rir, "registry": "arin", "api_url": self.arin.url(),
                           "org_handle": org, "is_active": true }]);
        RowId(self.add(&custom(schema::CONFIG), row).await[0])
    }

    /// Judges a part of the config at a time, and records what came of it.
    pub(crate) async fn refresh_findings(&self, scope: &Scope, now: Timestamp) -> findings::Refreshed {
        let ctx = self.context();
        let configs = ctx.netbox.configs().await.unwrap();
        let config = configs.iter().find(|config| config.id == self.config).unwrap();
        let instances = configs.iter().map(|config| (config.id, ctx.arin.instance(&config.api_url).unwrap()));
        let ctx = findings::Context {
            netbox: ctx.netbox.clone(),
            settings: Arc::clone(&ctx.settings),
            instances: instances.collect(),
            stop: ctx.stop.clone(),
            now,
            run: "test".to_owned(),
        };
        findings::refresh(&ctx, config, scope).await.unwrap()
    }

    /// Replaces the keys file: config, user, key.
    pub(crate) fn keys(&mut self, keys: &[(&str, &str, &str)]) {
        self.keys = keyring(keys);
    }

    /// Adds rows and gives their ids.
    pub(crate) async fn add(&self, path: &str, rows: Value) -> Vec<u64> {
        if rows.as_array().is_some_and(Vec::is_empty) {
            return Vec::new();
        }
        let added = self.call(reqwest::Method::POST, path, rows).await;
        added.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
    }

    /// Changes fields of a row, as a person would.
    pub(crate) async fn edit(&self, path: &str, id: u64, mut fields: Value) {
        fields["id"] = json!(id);
        self.call(reqwest::Method::PATCH, path, json!([fields])).await;
    }

    /// Removes a row.
    pub(crate) async fn remove(&self, path: &str, id: u64) {
        self.call(reqwest::Method::DELETE, path, json!([{ "id": id }])).await;
    }

    /// Changes fields of many rows in one request, as a bulk edit does.
    pub(crate) async fn patch(&self, path: &str, rows: Value) {
        self.call(reqwest::Method::PATCH, path, rows).await;
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: Value) -> Value {
        let url = format!("{}/api/{path}/", self.netbox.url);
        let request = self.http.request(method, url).bearer_auth(&self.netbox.token);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) async fn list(&self, path: &str, query: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        loop {
            let url = format!("{}/api/{path}/?{query}&offset={}", self.netbox.url, rows.len());
            let answer = self.http.get(url).bearer_auth(&self.netbox.token).send().await.unwrap();
            let text = answer.text().await.unwrap();
            let page: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"));
            let found = page["results"].as_array().unwrap();
            rows.extend(found.iter().map(|row| row.as_object().unwrap().clone()));
            if found.is_empty() || rows.len() as u64 >= page["count"].as_u64().unwrap() {
                return rows;
            }
        }
    }

    /// All rows of one of our types by what they are called, `handle` or `key`.
    pub(crate) async fn rows(&self, slug: &str) -> BTreeMap<String, Row> {
        let name = |row: &Row| row.get("handle").or(row.get("key")).unwrap().as_str().unwrap().to_owned();
        self.rows_of(slug).await.into_iter().map(|row| (name(&row), row)).collect()
    }

    pub(crate) async fn row_by_id(&self, slug: &str, id: RowId) -> Row {
        self.list(&custom(slug), &format!("id={id}")).await.pop().unwrap()
    }

    /// The ids of all rows of a list.
    pub(crate) async fn ids(&self, path: &str) -> Vec<u64> {
        self.list(path, "limit=1000&ordering=id").await.iter().map(|row| row["id"].as_u64().unwrap()).collect()
    }

    /// All rows of one of our types, in the order they were made.
    pub(crate) async fn rows_of(&self, slug: &str) -> Vec<Row> {
        self.list(&custom(slug), "limit=1000&ordering=id").await
    }

    pub(crate) async fn row(&self, slug: &str, handle: &str) -> Row {
        self.rows(slug).await.remove(handle).unwrap_or_else(|| panic!("no {slug} {handle}"))
    }

    /// The log rows of a run, each as `operation object_type handle status`.
    pub(crate) async fn log(&self, run: &SyncRun) -> Vec<String> {
        let rows = self.rows_of(schema::SYNC_LOG).await;
        let ours = rows.iter().filter(|row| row["run"] == run.id.as_str());
        let text = |row: &Row, name: &str| {
            let value = &row[name];
            value.as_str().or_else(|| value["value"].as_str()).unwrap_or("-").to_owned()
        };
        let line =
            |row: &Row| ["operation", "object_type", "object_handle", "status"].map(|name| text(row, name)).join(" ");
        let mut lines: Vec<String> = ours.map(line).collect();
        lines.sort();
        lines
    }

    /// Counts the rows of each of our types.
    pub(crate) async fn census(&self) -> BTreeMap<&'static str, usize> {
        let mut census = BTreeMap::new();
        for slug in schema::TYPES {
            census.insert(slug, self.list(&custom(slug), "limit=1000&fields=id").await.len());
        }
        census
    }

    pub(crate) fn context(&self) -> Context {
        self.services().context(CancellationToken::new())
    }

    /// Makes the services of the program for this scene.
    pub(crate) fn services(&self) -> Services {
        Services::for_one_process(self.settings.clone(), self.keys.clone()).unwrap()
    }

    /// Syncs the scene's config as a whole.
    pub(crate) async fn sync(&self) -> SyncRun {
        self.sync_as(&self.context(), CONFIG, Scope::Config, &Resource::all(), None).await
    }

    pub(crate) async fn sync_as(
        &self,
        ctx: &Context,
        name: &str,
        scope: Scope,
        resources: &BTreeSet<Resource>,
        user: Option<&str>,
    ) -> SyncRun {
        let configs = ctx.netbox.configs().await.unwrap();
        let requester = user.map_or(Requester::Automatic, Requester::User);
        let request = Request::of(of_name(&configs, name), &configs);
        sync::run(ctx, &Request { scope, resources: resources.clone(), requester, ..request }, &NoCheckpoint).await
    }

    pub(crate) async fn preview(&self) -> Preview {
        let ctx = self.context();
        let configs = ctx.netbox.configs().await.unwrap();
        sync::preview(&ctx, &Request::of(of_name(&configs, CONFIG), &configs)).await
    }

    /// Returns the plan of a further sync.
    pub(crate) async fn left_to_do(&self) -> Plan {
        let preview = self.preview().await;
        assert_eq!(preview.run.ended, None);
        preview.plan
    }
}

fn of_name<'a>(configs: &'a [Config], name: &str) -> &'a Config {
    configs.iter().find(|config| config.name == name).unwrap()
}

/// The path of one of our types.
pub(crate) fn custom(slug: &str) -> String {
    format!("plugins/custom-objects/{slug}")
}

pub(crate) fn keyring(keys: &[(&str, &str, &str)]) -> Keyring {
    let table = |(config, user, key): &(&str, &str, &str)| {
        format!("[[key]]\nconfig = \"{config}\"\nuser = \"{user}\"\napi_key = \"{key}\"\n")
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), keys.iter().map(table).collect::<String>()).unwrap();
    Keyring::load(file.path()).unwrap()
}

/// Settings with waits that suit a test.
fn settings(netbox: &Target, arin: &str) -> Settings {
    let set = [
        ("NETBOX__URL", netbox.url.as_str()),
        ("NETBOX__TOKEN", netbox.token.as_str()),
        ("ARIN__ALLOWED_BASE_URLS", arin),
        ("ARIN__REQUESTS_PER_SECOND", "0"),
        ("ARIN__RETRY_BACKOFF", "5ms"),
        ("ARIN__CONNECT_TIMEOUT", "1s"),
        ("ARIN__TIMEOUT", "2s"),
    ];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    config::load_from(None, &BTreeMap::from(set)).unwrap()
}

/// Waits that are short enough for a test of what happens without an answer.
pub(crate) fn impatient(scene: &mut Scene) {
    scene.settings.arin.timeout = Duration::from_millis(200);
    scene.settings.arin.retry_count = 1;
}

/// Answers look-ups only for ranges that are registered exactly.
pub(crate) fn exact(scene: &Scene) {
    scene.arin.configure(|options| options.lookup = Lookup::Exact);
}

/// Without connections kept: NetBox's web server closes them after two seconds, just when the next test request leaves.
fn unpooled() -> reqwest::Client {
    reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap()
}
