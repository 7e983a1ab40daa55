//! Measures what it costs to refresh the findings after a sync, beyond the sync. Prints Markdown; `tests/bench.sh` starts it.
//!
//! On the simulated NetBox each prefix is assigned to one of many tenants, on the real one of the lab every tenth. The first
//! refresh writes all that there is to find, the second one has nothing to write: it is what a refresh costs from then on.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on ends"
)]

#[path = "../bootstrap.rs"]
mod bootstrap;
#[expect(dead_code, reason = "the benchmark of syncs uses the rest")]
#[path = "../sync/netbox.rs"]
mod lab;
#[path = "../one_sync.rs"]
mod one_sync;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rir_sandbox::{
    netbox,
    regrws::{KEY, Options, Server},
    world::World,
};
use rir_sidecar::{
    config::{self, keys::Keyring},
    findings,
    model::Scope,
    services::Services,
    sync::{self, NoCheckpoint, Request},
};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

/// The prefixes of one tenant, more or less.
const OF_A_TENANT: usize = 25;
/// Aggregates and prefixes: the world L, and one with 20,000 nets.
const SIZES: [(&str, usize, usize); 2] = [("L", 40, 10_000), ("100,000", 200, 134_000)];

/// On the real NetBox one of so many prefixes is assigned.
const ASSIGNED: usize = 10;

/// What a refresh took.
struct Taken {
    time: Duration,
    requests: u64,
    findings: usize,
}

#[tokio::main]
async fn main() {
    drop(rustls::crypto::ring::default_provider().install_default());
    println!(
        "| world | sync | first refresh | requests | findings | second refresh | requests | sync and refresh, peak |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, aggregates, prefixes) in SIZES {
        let world = World::sized(aggregates, prefixes);
        eprintln!("bench: {name}");
        let server = netbox::Server::start(netbox::Options::default()).await.unwrap();
        bootstrap::bootstrap(&server.url(), netbox::TOKEN).await;
        let arin = Server::start(world.registry.clone(), Options::default()).await.unwrap();
        furnish(&server, &world, &arin.url());
        measure((name, &world), (&server.url(), netbox::TOKEN), &arin).await;
    }
    let (name, aggregates, prefixes) = SIZES[0];
    let world = World::sized(aggregates, prefixes);
    eprintln!("bench: {name} on the real NetBox");
    let lab = lab::Netbox::of_the_lab();
    let arin = Server::start(world.registry.clone(), Options::default()).await.unwrap();
    furnish_lab(&lab, &world, &arin.url()).await;
    measure((&format!("{name}, real NetBox"), &world), (&lab.url, &lab.token), &arin).await;
    lab.wipe(false);
}

/// Syncs, refreshes twice, does both once more in a process of its own, and prints what that took.
async fn measure((name, world): (&str, &World), netbox: (&str, &str), arin: &Server) {
    let services = services(netbox, arin);
    let began = Instant::now();
    sync(&services).await;
    let synced = began.elapsed();
    let [first, second] = [refresh(&services).await, refresh(&services).await];
    let of_arin = format!(
        "[arin]\nallowed_base_urls = [{:?}]\nwhois_url = {:?}\nrequests_per_second = 0\nwhois_requests_per_second = 0\n",
        arin.url(),
        arin.whois_url()
    );
    let more = format!("{of_arin}[findings]\nown_tenants = []\n");
    let (_, peak) = one_sync::Settings::write(netbox, &world.config, &more).sync(&[]).await;
    println!(
        "| {name} | {:.1} s | {:.1} s | {} | {} | {:.1} s | {} | {} MB |",
        synced.as_secs_f64(),
        first.time.as_secs_f64(),
        first.requests,
        first.findings,
        second.time.as_secs_f64(),
        second.requests,
        peak / 1024
    );
}

/// Puts the world into the NetBox of the lab: some of the prefixes have a tenant.
async fn furnish_lab(lab: &lab::Netbox, world: &World, arin: &str) {
    let rir = lab.add("ipam/rirs", json!([{ "name": "ARIN", "slug": "arin" }])).await[0];
    let aggregates: Vec<Value> =
        world.ipam.aggregates.iter().map(|aggregate| json!({ "prefix": aggregate.prefix, "rir": rir })).collect();
    lab.add_all("ipam/aggregates", &aggregates, 200).await;
    let tenant =
        |number: usize| json!({ "name": format!("Sample Tenant {number}"), "slug": format!("tenant-{number}") });
    let tenants: Vec<Value> = (0..world.ipam.prefixes.len().div_ceil(OF_A_TENANT)).map(tenant).collect();
    let tenants = lab.add("tenancy/tenants", tenants.into()).await;
    let prefix = |(number, prefix): (usize, &rir_sandbox::world::Prefix)| {
        let tenant = (number % ASSIGNED == 0).then(|| tenants[number / OF_A_TENANT]);
        json!({ "prefix": prefix.prefix, "tenant": tenant })
    };
    let prefixes: Vec<Value> = world.ipam.prefixes.iter().enumerate().map(prefix).collect();
    lab.add_all("ipam/prefixes", &prefixes, 200).await;
    lab.add_config(world, arin, rir).await;
}

/// Puts the world into NetBox: each prefix has a tenant.
fn furnish(server: &netbox::Server, world: &World, arin: &str) {
    let row = |value: Value| if let Value::Object(row) = value { row } else { Map::new() };
    let rir = server.add_rir("ARIN");
    for aggregate in &world.ipam.aggregates {
        server.add_aggregate(aggregate.prefix, rir);
    }
    let mut tenants = Vec::new();
    for number in 0..world.ipam.prefixes.len().div_ceil(OF_A_TENANT) {
        let tenant = json!({ "name": format!("Sample Tenant {number}"), "slug": format!("tenant-{number}") });
        tenants.push(server.add_object("tenancy/tenants", row(tenant)).unwrap());
    }
    for (prefix, number) in world.ipam.prefixes.iter().zip(0..) {
        let tenant = tenants[number / OF_A_TENANT];
        let prefix = json!({ "prefix": prefix.prefix.to_string(), "tenant": tenant });
        server.add_object("ipam/prefixes", row(prefix)).unwrap();
    }
    let config = json!({ "name": world.config, "rir": rir, "registry": "arin", "api_url": arin,
                         "org_handle": world.org_handle, "is_active": true });
    server.add_row("rir-config", row(config)).unwrap();
}

fn services((netbox, token): (&str, &str), arin: &Server) -> Services {
    let (url, whois) = (arin.url(), arin.whois_url());
    let set = [
        ("NETBOX__URL", netbox),
        ("NETBOX__TOKEN", token),
        ("ARIN__ALLOWED_BASE_URLS", &url),
        ("ARIN__WHOIS_URL", &whois),
        ("ARIN__REQUESTS_PER_SECOND", "0"),
        ("ARIN__WHOIS_REQUESTS_PER_SECOND", "0"),
    ];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    let mut settings = config::load_from(None, &BTreeMap::from(set)).unwrap();
    settings.findings.own_tenants = Some(BTreeSet::new());
    let file = tempfile::NamedTempFile::new().unwrap();
    let keys = format!("[[key]]\nconfig = \"example-arin\"\nuser = \"ann\"\napi_key = \"{KEY}\"\n");
    std::fs::write(file.path(), keys).unwrap();
    Services::for_one_process(settings, Keyring::load(file.path()).unwrap()).unwrap()
}

async fn sync(services: &Services) {
    let ctx = services.context(CancellationToken::new());
    let configs = ctx.netbox.configs().await.unwrap();
    let run = sync::run(&ctx, &Request::of(&configs[0], &configs), &NoCheckpoint).await;
    assert_eq!((run.ended, run.failures.len()), (None, 0));
}

async fn refresh(services: &Services) -> Taken {
    let ctx = services.context(CancellationToken::new());
    let configs = ctx.netbox.configs().await.unwrap();
    let instances = configs.iter().map(|config| (config.id, ctx.arin.instance(&config.api_url).unwrap()));
    let ctx = findings::Context {
        netbox: ctx.netbox.counting(),
        settings: ctx.settings.clone(),
        instances: instances.collect(),
        stop: ctx.stop.clone(),
        now: Timestamp::now(),
        run: "bench".to_owned(),
    };
    let began = Instant::now();
    let refreshed = findings::refresh(&ctx, &configs[0], &Scope::Config).await.unwrap();
    let time = began.elapsed();
    Taken { time, requests: ctx.netbox.requests(), findings: refreshed.created }
}
