//! The NetBox of the lab, spoken to without the sidecar's own client.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use reqwest::Method;
use rir_sandbox::world::World;
use rir_sidecar::netbox::schema;
use serde_json::{Map, Value, json};

pub(crate) type Row = Map<String, Value>;

/// Ticks of the kernel's clock of CPU time in a second; the same on every Linux.
const TICKS: f64 = 100.0;
/// Path of the change log, which has one entry for each row written, whoever wrote it.
const CHANGE_LOG: &str = "core/object-changes";

pub(crate) struct Netbox {
    pub(crate) url: String,
    pub(crate) token: String,
    http: reqwest::Client,
    /// The file with the process id of its web server.
    pid: PathBuf,
}

impl Netbox {
    /// The one that `tests/bench.sh` started.
    pub(crate) fn of_the_lab() -> Self {
        // Fails when somebody else chose before, which is just as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let variable =
            |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; use tests/bench.sh"));
        // A connection that is kept stays with one worker process, and two may meet at the same one.
        #[expect(clippy::disallowed_methods, reason = "the program's own clients are what is measured")]
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let pid = PathBuf::from(variable("RIR_LAB_DIR")).join("netbox/main/pid");
        Self { url: variable("RIR_LAB_NETBOX_URL"), token: variable("RIR_LAB_NETBOX_TOKEN"), http, pid }
    }

    /// Empties it, or only the tables of custom objects and the change log.
    pub(crate) fn wipe(&self, only_objects: bool) {
        let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/lab.sh");
        let wiped = Command::new(lab).arg("wipe").args(only_objects.then_some("--objects")).status().unwrap();
        assert!(wiped.success(), "could not empty the NetBox of the lab");
    }

    /// Puts the address plan in place and gives the id of its RIR.
    pub(crate) async fn furnish(&self, world: &World) -> u64 {
        let rir = self.add("ipam/rirs", json!([{ "name": "ARIN", "slug": "arin" }])).await[0];
        let ipam = &world.ipam;
        let aggregate = |aggregate: &rir_sandbox::world::Aggregate| json!({ "prefix": aggregate.prefix, "rir": rir });
        self.add("ipam/aggregates", ipam.aggregates.iter().map(aggregate).collect()).await;
        let mut vrfs = BTreeMap::new();
        for name in ipam.prefixes.iter().filter_map(|prefix| prefix.vrf.as_ref()).collect::<BTreeSet<_>>() {
            vrfs.insert(name, self.add("ipam/vrfs", json!([{ "name": name }])).await[0]);
        }
        let rows = ipam.prefixes.iter().map(|prefix| {
            let vrf = prefix.vrf.as_ref().and_then(|name| vrfs.get(name));
            json!({ "prefix": prefix.prefix, "vrf": vrf })
        });
        self.add_all("ipam/prefixes", &rows.collect::<Vec<_>>(), 200).await;
        rir
    }

    pub(crate) async fn add_config(&self, world: &World, arin: &str, rir: u64) -> u64 {
        let row = json!([{ "name": world.config, "rir": rir, "registry": "arin", "api_url": arin,
                           "org_handle": world.org_handle, "is_active": true }]);
        self.add(&custom(schema::CONFIG), row).await[0]
    }

    /// Adds rows in batches, one after the other: two that add prefixes at once may lock each other out (NetBox keeps account
    /// of how prefixes nest).
    pub(crate) async fn add_all(&self, path: &str, rows: &[Value], batch: usize) {
        for some in rows.chunks(batch) {
            self.add(path, some.into()).await;
        }
    }

    /// Adds rows and gives their ids.
    pub(crate) async fn add(&self, path: &str, rows: Value) -> Vec<u64> {
        let added = self.send(Method::POST, path, rows).await;
        added.iter().map(|row| row["id"].as_u64().unwrap()).collect()
    }

    /// Sends rows, and gives them as they are then.
    pub(crate) async fn send(&self, method: Method, path: &str, rows: Value) -> Vec<Row> {
        let url = format!("{}/api/{path}/", self.url);
        let request = self.http.request(method, url).header("content-type", "application/json");
        let answer = request.bearer_auth(&self.token).body(rows.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A page of a list.
    pub(crate) async fn page(&self, path: &str, query: &str) -> Row {
        let url = format!("{}/api/{path}/?{query}", self.url);
        let answer = self.http.get(url).bearer_auth(&self.token).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// The number of rows of a list.
    pub(crate) async fn count(&self, path: &str) -> usize {
        let page = self.page(path, "limit=1").await;
        usize::try_from(page["count"].as_u64().unwrap()).unwrap()
    }

    /// CPU seconds that its workers have used so far. Unlike the time that passes, they hardly depend on what else the
    /// machine does. Those of PostgreSQL, a fifth as much, are not among them.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let master = fs::read_to_string(&self.pid).unwrap();
        let master = master.trim();
        let workers = fs::read_to_string(format!("/proc/{master}/task/{master}/children")).unwrap();
        let of = |worker: &str| {
            let stat = fs::read_to_string(format!("/proc/{worker}/stat")).unwrap();
            // After the name, which may hold anything: fields 3 and on, user time the 14th, system time the 15th.
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
            fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
        };
        workers.split_whitespace().map(of).sum::<f64>() / TICKS
    }

    /// Counts the rows that were written since the change log was emptied.
    pub(crate) async fn writes(&self) -> usize {
        self.count(CHANGE_LOG).await
    }
}

/// The path of one of our types.
pub(crate) fn custom(slug: &str) -> String {
    format!("plugins/custom-objects/{slug}")
}
