//! The simulated ARIN and NetBox, with the two RIR configs that are kept in step, and the trouble that both make.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use rir_sandbox::{
    netbox::{self, TOKEN},
    populate,
    regrws::{self, KEY, Noise},
    world::{Aggregate, Holder, Ipam, Prefix, World},
};
use rir_sidecar::{
    config::{self, Settings},
    netbox::schema::{self, Document},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::checks::{BURST, RATE, WINDOW};

/// The configs: name, RIR, organization, and the second numbers of their aggregates, 23.x.0.0/16.
pub(crate) const CONFIGS: [(&str, &str, &str, &[u8]); 2] =
    [("first", "ARIN", "EXAMPLE-NET-1", &[144, 145]), ("second", "ARIN too", "SAMPLE-3", &[160])];
/// The share of requests that ARIN and NetBox each answer wrongly or not at all.
const FAULTS: f64 = 0.05;
/// Nets and prefixes of each aggregate in the beginning.
const NETS: u8 = 10;
const PREFIXES: u8 = 30;

/// Everything outside of the replicas and Redis.
pub(crate) struct Places {
    pub(crate) folder: TempDir,
    pub(crate) arin: regrws::Server,
    pub(crate) netbox: netbox::Server,
    /// The ids of the configs in NetBox.
    pub(crate) configs: Vec<u64>,
    /// The nets that answer for the aggregates.
    pub(crate) allocations: Vec<(u8, String)>,
}

impl Places {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (world, allocations) = world();
        let keys = folder.path().join("keys.toml");
        let key = |config: &str| format!("[[key]]\nconfig = \"{config}\"\nuser = \"sandbox\"\napi_key = \"{KEY}\"\n");
        fs::write(&keys, CONFIGS.map(|(name, ..)| key(name)).concat()).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
        let arin = regrws::Server::start(world.registry, regrws::Options::default()).await.unwrap();
        let netbox = netbox::Server::start(netbox::Options::default()).await.unwrap();
        let rirs = populate(&netbox, &world.ipam);
        let mut places = Self { folder, arin, netbox, configs: Vec::new(), allocations };
        let client = rir_sidecar::netbox::Client::new(&places.settings(&[]).netbox).unwrap();
        let plan = schema::plan(&client, Document::current()).await.unwrap();
        schema::apply(&client, &plan, false).await.unwrap();
        let add = |(name, rir, org, _): (&str, &str, &str, &[u8])| {
            let row = json!({ "name": name, "rir": rirs[rir], "registry": "arin", "api_url": places.arin.url(),
                              "org_handle": org, "is_active": true });
            places.netbox.add_row(schema::CONFIG, row.as_object().cloned().unwrap()).unwrap()
        };
        let configs = CONFIGS.map(add).to_vec();
        places.configs = configs;
        places
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.path().join("keys.toml")
    }

    /// The settings of a process, as variables of its environment, with more of them.
    pub(crate) fn variables(&self, more: &[(&str, &str)]) -> BTreeMap<String, String> {
        let (keys, rate, burst) = (self.keys().to_str().unwrap().to_owned(), RATE.to_string(), BURST.to_string());
        let (arin, netbox) = (self.arin.url(), self.netbox.url());
        let all = [
            ("NETBOX__URL", netbox.as_str()),
            ("NETBOX__TOKEN", TOKEN),
            ("NETBOX__TIMEOUT", "3s"),
            ("ARIN__ALLOWED_BASE_URLS", arin.as_str()),
            ("ARIN__REQUESTS_PER_SECOND", rate.as_str()),
            ("ARIN__BURST", burst.as_str()),
            ("ARIN__RETRY_BACKOFF", "100ms"),
            ("ARIN__TIMEOUT", "2s"),
            ("ARIN__CONNECT_TIMEOUT", "1s"),
            ("KEYS__FILE", keys.as_str()),
            // What ARIN has removed in half an hour is more than a fifth.
            ("SYNC__MAX_RETIRED_SHARE", "1.0"),
            ("QUEUE__LEASE", "10s"),
            ("QUEUE__RETRY_BACKOFF", "1s"),
            ("QUEUE__MAX_ATTEMPTS", "50"),
            ("HTTP__REQUESTS_PER_MINUTE", "0"),
            ("WEBHOOK__SECRET", crate::load::SECRET),
            ("WEBHOOK__DEBOUNCE", "1s"),
            ("WEBHOOK__DEBOUNCE_LONGEST", "5s"),
            ("SCHEDULE__INTERVAL", "1m"),
            ("SCHEDULE__TICK", "2s"),
            ("SWEEP__INTERVAL", "10s"),
            ("SWEEP__SETTLE", "5s"),
            ("TELEMETRY__LOG", "info,rir_sidecar::worker=debug"),
            ("TELEMETRY__LOG_FORMAT", "json"),
        ];
        let named = |(name, value): &(&str, &str)| (format!("RIR_SIDECAR__{name}"), (*value).to_owned());
        all.iter().chain(more).map(named).collect()
    }

    pub(crate) fn settings(&self, more: &[(&str, &str)]) -> Settings {
        config::load_from(None, &self.variables(more)).unwrap()
    }

    /// From now on both systems have all faults that there are, now and then.
    pub(crate) fn break_sometimes(&self) {
        use regrws::Fault as Arin;
        let statuses = [500, 502, 503].map(Arin::Status);
        let others = [Arin::Outage, Arin::CutOff, Arin::TruncatedXml, Arin::Hang, Arin::Html404, Arin::Html200];
        let more = [Arin::Refusal(403, "E_FORBIDDEN"), Arin::Garbage, Arin::Doctype];
        let faults = statuses.into_iter().chain(others).chain(more).collect();
        self.arin.configure(|options| options.noise = Some(Noise { rate: FAULTS, seed: 1, faults }));
        use netbox::Fault as Netbox;
        let exception =
            |exception: &str, error: &str| Netbox::Exception { exception: exception.into(), error: error.into() };
        let faults = [
            Netbox::Status(500),
            Netbox::Status(502),
            Netbox::Status(503),
            Netbox::Status(429),
            Netbox::Hang,
            Netbox::LoseAnswer,
            Netbox::LoseAnswer,
            exception("OperationalError", "deadlock detected"),
        ];
        let share = FAULTS / faults.len() as f64;
        for (fault, seed) in faults.into_iter().zip(1..) {
            self.netbox.fail(netbox::Rule::new(fault).by_chance(share, seed));
        }
    }

    pub(crate) fn heal(&self) {
        self.arin.configure(|options| options.noise = None);
        self.netbox.heal();
    }

    /// Counts the requests to ARIN. Returns all of them, and the most in a [`WINDOW`] of seconds.
    pub(crate) async fn measure_rate(&self, ended: &CancellationToken) -> (usize, usize) {
        let (mut all, mut most, mut last) = (0, 0, VecDeque::new());
        let mut tick = interval(Duration::from_millis(100));
        while !ended.is_cancelled() {
            tick.tick().await;
            self.netbox.forget_requests();
            let count = self.arin.take_count();
            last.push_back(count);
            if last.len() > 10 * WINDOW {
                last.pop_front();
            }
            all += count;
            most = most.max(last.iter().sum());
        }
        (all, most)
    }
}

/// A world with an allocation for each aggregate, some nets reassigned from it, and prefixes. Returns the allocations, too.
fn world() -> (World, Vec<(u8, String)>) {
    let mut world = World::demo();
    let registry = &mut world.registry;
    registry.nets.clear();
    registry.customers.clear();
    let (mut ipam, mut allocations) = (Ipam::default(), Vec::new());
    for (_, rir, org, numbers) in CONFIGS {
        for number in numbers {
            let range = block(*number, 0, 16);
            let parent = registry.allocate(&[range], org);
            for third in 0..NETS {
                let customer = registry.add_customer(org, &format!("Sample {number}-{third}"), None);
                registry.reassign(&parent, &[block(*number, third, 24)], Holder::Customer(customer)).unwrap();
            }
            ipam.aggregates.push(Aggregate { prefix: range, rir: rir.to_owned() });
            ipam.prefixes.extend((0..PREFIXES).map(|third| Prefix { prefix: block(*number, third, 24), vrf: None }));
            allocations.push((*number, parent));
        }
    }
    (World { ipam, ..world }, allocations)
}

fn block(second: u8, third: u8, length: u8) -> IpNet {
    format!("23.{second}.{third}.0/{length}").parse().unwrap()
}
