//! Changes at ARIN as people ask for them, approve and send them: processes of the command line, each with the token of
//! whoever calls it, between a NetBox and a simulated ARIN.
//!
//! What has to come of it is what ARIN's documents and the rules of approval say. These tests know nothing of how it is
//! done: they see what the command prints, the rows in NetBox, and what ARIN was asked and has in the end.

pub(crate) mod approval;
pub(crate) mod bulk;
mod drafts;
pub(crate) mod happy;
mod left_behind;
mod lost;
mod modify;
pub(crate) mod people;
pub(crate) mod removal;
pub(crate) mod shown;
pub(crate) mod tickets;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use ipnet::IpNet;
use rir_sandbox::{
    regrws::{KEY, Operation, Request},
    world::{Address, Country, Customer, Holder, Net, World},
};
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::scene::{CONFIG, ORG, Row, Scene, Target, cidr, custom, small};
use people::Person;

/// The allocation that everything is cut from.
pub(crate) const PARENT: &str = "NET-23-144-0-0-1";
/// A reassignment to a customer, which the world begins with.
const SIMPLE: &str = "NET-23-144-1-0-1";
/// A reassignment to an organization, which the world begins with.
const DETAILED: &str = "NET-23-144-2-0-1";
/// The organization that takes reassignments.
const RECIPIENT: &str = "SAMPLE-3";
const PREFIXES: &str = "ipam/prefixes";
/// The API key of whoever approves; that of whoever asks is the sandbox's own.
const SECOND_KEY: &str = "API-SAND-BOX0-0000-0002";
/// A third one.
const THIRD_KEY: &str = "API-SAND-BOX0-0000-0003";
/// The command that takes up what is under way.
const RUN: [&str; 6] = ["requests", "run", "--config-name", CONFIG, "--output", "json"];
/// The time after which an unknown call is looked for again: the shortest that there is.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// So often what is under way is taken up again before it counts as stuck.
const ROUNDS: usize = 12;
/// The longest wait until something that was claimed is taken over.
const PATIENCE: Duration = Duration::from_secs(120);
/// The states in which nothing is left to be done by a machine.
const OVER: [&str; 6] = ["done", "refused", "rejected", "withdrawn", "expired", "failed"];

/// Two systems, somebody who asks for changes, and somebody who approves them.
pub(crate) struct Changes {
    pub(crate) scene: Scene,
    folder: tempfile::TempDir,
    set: BTreeMap<String, String>,
    /// Asks for changes; may approve those of others.
    ann: Person,
    /// Approves what `ann` asks for.
    bob: Person,
}

/// What a command has told.
#[derive(Debug)]
pub(crate) struct Told {
    code: i32,
    /// The requests that it printed.
    requests: Vec<Value>,
    /// What it wrote beside them.
    words: String,
}

/// A world with one allocation, a reassignment of each kind in it, and no prefix.
pub(crate) fn empty() -> World {
    let mut world = small();
    world.ipam.prefixes.clear();
    world
}

/// An address in the United States, as NetBox has it.
pub(crate) fn in_reston() -> Value {
    json!({
        "street_address": "12 Harbour Street", "city": "Reston", "state_province": "VA", "postal_code": "20190",
        "country": "US",
    })
}

impl Changes {
    pub(crate) async fn new(target: Target) -> Self {
        Self::of(target, empty()).await
    }

    pub(crate) async fn of(target: Target, world: World) -> Self {
        let scene = Scene::new(target, world).await;
        scene.arin.configure(|options| options.keys.extend([SECOND_KEY, THIRD_KEY].map(str::to_owned)));
        let [ann, bob] = [people::may_approve(&scene, "ann").await, people::may_approve(&scene, "bob").await];
        let folder = tempfile::tempdir().unwrap();
        let set = usual(&scene, folder.path());
        let changes = Self { scene, folder, set, ann, bob };
        changes.keys(&[(CONFIG, &changes.ann, KEY), (CONFIG, &changes.bob, SECOND_KEY)]);
        secret_file(&changes.folder.path().join("seal"), "0123456789abcdef0123456789abcdef0123456789abcdef");
        changes
    }

    /// Replaces the keys file.
    fn keys(&self, keys: &[(&str, &Person, &str)]) {
        let table = |(config, person, key): &(&str, &Person, &str)| {
            format!("[[key]]\nconfig = \"{config}\"\nuser = \"{}\"\napi_key = \"{key}\"\n", person.name)
        };
        secret_file(&self.folder.path().join("keys.toml"), &keys.iter().map(table).collect::<String>());
    }

    /// Changes a setting for all processes from now on.
    fn set(&mut self, name: &str, value: &str) {
        self.set.insert(format!("RIR_SIDECAR__{name}"), value.to_owned());
    }

    fn command(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.env_clear().envs(&self.set).env("RIR_SIDECAR__NETBOX__TOKEN", token);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs `requests ..` with the token of this person.
    async fn run_as(&self, person: &Person, arguments: &[&str]) -> Told {
        let user = ["--user", &person.name, "--output", "json"];
        self.run(&person.token, &[&["requests"], arguments, &user].concat()).await
    }

    async fn run(&self, token: &str, arguments: &[&str]) -> Told {
        let output = self.command(token, arguments).output().await.unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let requests: Option<Vec<Value>> = serde_json::from_str(&out).ok();
        let words = if requests.is_some() { err } else { format!("{err}{out}") };
        let words = format!("{}\n{words}", arguments.join(" "));
        Told { code: output.status.code().unwrap(), requests: requests.unwrap_or_default(), words }
    }

    /// Shows a request as anybody may see it who may see its row.
    async fn show(&self, request: &Value) -> Value {
        let arguments = ["requests", "show", &id(request), "--output", "json"];
        self.run(&self.bob.token, &arguments).await.expect(0).one()
    }

    /// Starts `requests ..` with the token of this person.
    fn spawn_as(&self, person: &Person, arguments: &[&str]) -> Child {
        let user = ["--user", &person.name, "--output", "json"];
        self.spawn(&person.token, &[&["requests"], arguments, &user].concat())
    }

    fn spawn(&self, token: &str, arguments: &[&str]) -> Child {
        let log = || File::options().create(true).append(true).open(self.log()).unwrap();
        self.command(token, arguments).stdout(log()).stderr(log()).spawn().unwrap()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Syncs the config as the service does, and refreshes the findings.
    pub(crate) async fn sync(&self) {
        let told = self.run(&self.scene.netbox.token, &["sync", "--all"]).await;
        assert_eq!(told.code, 0, "{}", told.words);
    }

    /// `ann` asks for something, with the token of the service.
    pub(crate) async fn prepare(&self, arguments: &[&str]) -> Told {
        let by = ["--config-name", CONFIG, "--user", &self.ann.name, "--output", "json"];
        self.run(&self.scene.netbox.token, &[&["requests", "prepare"], arguments, &by].concat()).await
    }

    /// `ann` asks for something that lacks nothing.
    pub(crate) async fn waiting(&self, arguments: &[&str]) -> Value {
        let told = self.prepare(arguments).await.expect(0);
        let request = told.one();
        assert_eq!(request["state"], "waiting", "{request:#}");
        request
    }

    /// `ann` asks for something that lacks nothing, and `bob` approves it.
    pub(crate) async fn approved(&self, arguments: &[&str]) -> Value {
        let request = self.waiting(arguments).await;
        let told = self.approve(&self.bob, &request).await.expect(0);
        let request = told.one();
        assert_eq!((&request["state"], &request["approved_by"]), (&json!("approved"), &json!(self.bob.name)));
        request
    }

    /// `ann` asks for something, `bob` approves and sends it, and ARIN does it at once.
    async fn done(&self, arguments: &[&str]) -> Value {
        let request = self.approved(arguments).await;
        let request = self.submit(&self.bob, &[&request]).await.expect(0).one();
        assert_eq!(request["state"], "done", "{request:#}");
        request
    }

    /// Somebody approves what they saw.
    async fn approve(&self, person: &Person, request: &Value) -> Told {
        let digest = request["digest"].as_str().unwrap_or_else(|| panic!("no digest: {request:#}"));
        self.run_as(person, &["approve", &id(request), "--digest", digest]).await
    }

    /// Somebody sends requests.
    pub(crate) async fn submit(&self, person: &Person, requests: &[&Value]) -> Told {
        let ids: Vec<String> = requests.iter().map(|request| id(request)).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.run_as(person, &[&["submit"], &ids[..]].concat()).await
    }

    /// What a service does without being asked: sends what is approved, looks for what is unknown, follows tickets.
    async fn take_up(&self) -> Told {
        self.run(&self.scene.netbox.token, &RUN).await
    }

    /// `bob` looks what became of all requests in this state, now, and not when it is time for that.
    async fn look(&self, state: &str) {
        let ids = self.states().await.into_iter().filter(|(_, is)| is == state).map(|(id, _)| id.to_string());
        let ids: Vec<String> = ids.collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        if !ids.is_empty() {
            self.run_as(&self.bob, &[&["look"], &ids[..]].concat()).await;
        }
    }

    /// Takes up what is under way until all of it is over, or seems to be stuck.
    async fn settle(&self) {
        let (began, mut rounds) = (Instant::now(), 0);
        while rounds < ROUNDS && began.elapsed() < PATIENCE {
            let states = self.states().await;
            if states.values().all(|state| OVER.contains(&state.as_str()) || state == "draft") {
                return;
            }
            // What a process that was killed had claimed is only taken over after a while.
            rounds += usize::from(states.values().all(|state| state != "submitting"));
            tokio::time::sleep(LOOK_AGAIN + Duration::from_millis(100)).await;
            self.take_up().await;
            self.look("ticket").await;
        }
    }

    /// Somebody who has the token of the service, and says that they are `bob`.
    fn service(&self) -> Person {
        Person { name: self.bob.name.clone(), token: self.scene.netbox.token.clone() }
    }

    /// Adds a tenant.
    pub(crate) async fn tenant(&self, name: &str) -> u64 {
        let slug: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
        self.scene.add("tenancy/tenants", json!([{ "name": name, "slug": slug }])).await[0]
    }

    /// Writes down where a tenant is.
    pub(crate) async fn address(&self, tenant: u64, mut address: Value) -> u64 {
        (address["tenant"], address["key"]) = (json!(tenant), json!(format!("operator:{:016x}", fastrand::u64(..))));
        self.scene.add(&custom(schema::ADDRESS), json!([address])).await[0]
    }

    /// Adds a tenant with an address in Reston.
    pub(crate) async fn customer(&self, name: &str) -> u64 {
        let tenant = self.tenant(name).await;
        self.address(tenant, in_reston()).await;
        tenant
    }

    /// Assigns a prefix to a tenant.
    pub(crate) async fn assign(&self, prefix: &str, tenant: u64) -> u64 {
        self.scene.add(PREFIXES, json!([{ "prefix": prefix, "tenant": tenant }])).await[0]
    }

    /// The rows of all requests, the oldest first.
    async fn rows(&self) -> Vec<Row> {
        self.scene.rows_of(schema::CHANGE_REQUEST).await
    }

    async fn row(&self, request: &Value) -> Row {
        let id = request["id"].as_u64().unwrap();
        self.rows().await.into_iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no row of request {id}"))
    }

    /// Edits the row of a request in NetBox, as anybody with permission to change it could.
    async fn edit(&self, request: &Value, fields: Value) {
        self.scene.edit(&custom(schema::CHANGE_REQUEST), request["id"].as_u64().unwrap(), fields).await;
    }

    async fn state(&self, request: &Value) -> String {
        choice(&self.row(request).await, "state")
    }

    /// The states of all requests by id.
    async fn states(&self) -> BTreeMap<u64, String> {
        let rows = self.scene.list(&custom(schema::CHANGE_REQUEST), "limit=1000&ordering=id&fields=id,state").await;
        rows.iter().map(|row| (row["id"].as_u64().unwrap(), choice(row, "state"))).collect()
    }

    /// The kinds of the open findings about something.
    pub(crate) async fn open_findings(&self, subject: &str) -> BTreeMap<String, u64> {
        let rows = self.scene.rows_of(schema::FINDING).await;
        let open = rows.iter().filter(|row| row["subject"] == subject && choice(row, "state") == "open");
        open.map(|row| (choice(row, "kind"), row["id"].as_u64().unwrap())).collect()
    }

    /// The calls that were to change something at ARIN, whatever became of them.
    pub(crate) fn writes(&self) -> Vec<Request> {
        self.scene.arin.requests().0.into_iter().filter(|request| request.operation.is_write()).collect()
    }

    /// The calls that were to change something, a line each.
    fn wrote(&self) -> Vec<String> {
        self.writes().iter().map(|write| format!("{} {}", write.method, write.path)).collect()
    }

    /// The nets at ARIN that have exactly this range.
    pub(crate) fn nets(&self, range: &str) -> Vec<Net> {
        let range = cidr(range);
        let registry = self.scene.arin.registry();
        registry
            .nets
            .values()
            .filter(|net| net.range() == Some((range.network(), range.broadcast())))
            .cloned()
            .collect()
    }

    /// The one net at ARIN that has exactly this range.
    #[track_caller]
    pub(crate) fn net(&self, range: &str) -> Net {
        let nets = self.nets(range);
        let [net] = <[Net; 1]>::try_from(nets).unwrap_or_else(|nets| panic!("not one net of {range}: {nets:#?}"));
        net
    }

    /// The customer who holds a net at ARIN.
    #[track_caller]
    pub(crate) fn holder(&self, net: &Net) -> Customer {
        let Holder::Customer(handle) = &net.holder else { panic!("no customer holds it: {net:?}") };
        self.scene.arin.registry().customers[handle].clone()
    }

    /// The customers at ARIN who hold no net.
    fn left_over(&self) -> BTreeSet<String> {
        let registry = self.scene.arin.registry();
        let holds = |handle: &String| registry.nets.values().any(|net| net.holder == Holder::Customer(handle.clone()));
        registry.customers.keys().filter(|handle| !holds(handle)).cloned().collect()
    }

    /// Registers a net for a customer at ARIN, past us, and lets NetBox know. Returns the handle of the net.
    fn register(&self, range: &str, customer: &str) -> String {
        let address = Address {
            street: vec!["1 Old Road".to_owned()],
            city: Some("Denver".to_owned()),
            state_province: Some("CO".to_owned()),
            postal_code: Some("80202".to_owned()),
            country: Country::US,
        };
        let mut registry = self.scene.arin.registry();
        let customer = registry.add_customer(ORG, customer, Some(address));
        let block: IpNet = cidr(range);
        registry.reassign(PARENT, &[block], Holder::Customer(customer)).unwrap()
    }
}

impl Told {
    /// Sees to it that the command ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{} {:#?}", self.words, self.requests);
        self
    }

    /// The one request that it printed.
    #[track_caller]
    pub(crate) fn one(self) -> Value {
        let Self { requests, words, .. } = self;
        let [request] =
            <[Value; 1]>::try_from(requests).unwrap_or_else(|all| panic!("not one request: {words} {all:#?}"));
        request
    }
}

/// The id of a request, as it is given to a command.
pub(crate) fn id(request: &Value) -> String {
    request["id"].as_u64().unwrap_or_else(|| panic!("no id: {request:#}")).to_string()
}

/// The code of a choice.
fn choice(row: &Row, field: &str) -> String {
    row[field]["value"].as_str().unwrap_or_default().to_owned()
}

/// The verdicts of the checks of a request, by name, each with its reason.
fn checks(request: &Value) -> BTreeMap<String, (String, String)> {
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    let checks = request["checks"].as_array().unwrap_or_else(|| panic!("no checks: {request:#}"));
    checks.iter().map(|check| (text(check, "name"), (text(check, "verdict"), text(check, "reason")))).collect()
}

/// The reasons of the checks of a request that have this verdict.
fn reasons(request: &Value, verdict: &str) -> String {
    let checks = checks(request).into_values().filter(|(given, _)| given == verdict);
    checks.map(|(_, reason)| reason).collect::<Vec<_>>().join("\n")
}

/// What a request lacks, each with where to put it.
fn missing(request: &Value) -> BTreeMap<String, String> {
    let text = |missing: &Value, name: &str| missing[name].as_str().unwrap().to_owned();
    let missing = request["missing"].as_array().unwrap_or_else(|| panic!("nothing of what is missing: {request:#}"));
    missing.iter().map(|missing| (text(missing, "what"), text(missing, "where_to"))).collect()
}

/// The body that is to be sent.
fn body(request: &Value) -> String {
    request["payload"]["body"].as_str().unwrap_or_else(|| panic!("no body: {request:#}")).to_owned()
}

/// The elements of a document that hold a text, each with it, in order.
fn elements(document: &str) -> Vec<(String, String)> {
    let leaf = regex_lite::Regex::new(r"<([A-Za-z0-9-]+)(?:\s[^<>]*)?>([^<>]+)</").unwrap();
    let leaves = leaf.captures_iter(document).map(|found| (found[1].to_owned(), found[2].trim().to_owned()));
    leaves.filter(|(_, text)| !text.is_empty()).collect()
}

/// The text of an element that a document has once.
fn element(document: &str, name: &str) -> Option<String> {
    elements(document).into_iter().find(|(found, _)| found == name).map(|(_, text)| text)
}

/// The number of calls of one kind.
fn count(writes: &[Request], operation: Operation) -> usize {
    writes.iter().filter(|write| write.operation == operation).count()
}

fn usual(scene: &Scene, folder: &Path) -> BTreeMap<String, String> {
    let (keys, seal) = (folder.join("keys.toml"), folder.join("seal"));
    let set = [
        ("NETBOX__URL", scene.netbox.url.clone()),
        ("ARIN__ALLOWED_BASE_URLS", scene.arin.url()),
        ("ARIN__REQUESTS_PER_SECOND", "0".to_owned()),
        ("ARIN__RETRY_BACKOFF", "5ms".to_owned()),
        ("ARIN__TIMEOUT", "2s".to_owned()),
        ("ARIN__CONNECT_TIMEOUT", "1s".to_owned()),
        ("KEYS__FILE", keys.to_str().unwrap().to_owned()),
        ("FINDINGS__OWN_TENANTS", "example-networks".to_owned()),
        ("SYNC__MAX_RETIRED_SHARE", "1".to_owned()),
        ("REQUESTS__ENABLED", "true".to_owned()),
        ("REQUESTS__SEAL_FILE", seal.to_str().unwrap().to_owned()),
        ("REQUESTS__LOOK_AGAIN", format!("{}s", LOOK_AGAIN.as_secs())),
    ];
    set.into_iter().map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value)).collect()
}

fn secret_file(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
