//! Measures what it costs to refresh the findings after a sync, beyond the sync. Prints Markdown; `tests/bench.sh` starts it.
//!
//! A world says which of its prefixes are assigned to a tenant: each one, so that there is a finding for nearly every prefix,
//! or every tenth. The first refresh writes all that there is to find, the second one has nothing to write: it is what a
//! refresh costs from then on. What memory both take is measured with a sync before, in a process of their own.
//!
//! Arguments pick worlds by their names; without any, all of them are measured.

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

use ipnet::IpNet;
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
/// The prefixes that it takes for a world to have 20,000 nets.
const FOR_20_000_NETS: usize = 134_000;
/// The worlds on simulated NetBoxes: L, and those with 20,000 nets and 100,000 prefixes.
const SIMULATED: [Size; 3] = [
    Size { name: "L", aggregates: 40, prefixes: 10_000, assigned: 1 },
    Size { name: "tenth", aggregates: 200, prefixes: 100_000, assigned: 10 },
    Size { name: "each", aggregates: 200, prefixes: 100_000, assigned: 1 },
];
/// The world on the real NetBox.
const REAL: Size = Size { name: "real", aggregates: 40, prefixes: 10_000, assigned: 10 };

/// A world by its size.
#[derive(Debug, Clone, Copy)]
struct Size {
    name: &'static str,
    aggregates: usize,
    prefixes: usize,
    /// One of so many prefixes has a tenant.
    assigned: usize,
}

/// What a refresh took.
struct Taken {
    time: Duration,
    requests: u64,
    findings: usize,
}

#[tokio::main]
async fn main() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_asked = |size: &&Size| asked.is_empty() || asked.iter().any(|name| name == size.name);
    println!(
        "| world | sync | first refresh | requests | findings | second refresh | requests | first sync and refresh, peak \
         | unchanged ones, peak |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for size in SIMULATED.iter().filter(is_asked) {
        eprintln!("bench: {}", size.name);
        simulated(size).await;
    }
    if is_asked(&&REAL) {
        eprintln!("bench: {}", REAL.name);
        real(&REAL).await;
    }
}

impl Size {
    fn world(&self) -> World {
        if self.prefixes < 100_000 {
            return World::sized(self.aggregates, self.prefixes);
        }
        // All prefixes that are registered stay, and of the others as many as there is room for.
        let mut world = World::sized(self.aggregates, FOR_20_000_NETS);
        let nets: BTreeSet<IpNet> = world.registry.nets.values().flat_map(|net| net.blocks.iter().copied()).collect();
        let (registered, others): (Vec<_>, Vec<_>) =
            world.ipam.prefixes.into_iter().partition(|prefix| nets.contains(&prefix.prefix));
        let room = self.prefixes.saturating_sub(registered.len());
        world.ipam.prefixes = registered.into_iter().chain(others.into_iter().take(room)).collect();
        world
    }

    /// Returns the tenant of the prefix at a position, by its own position.
    fn tenant(&self, prefix: usize) -> Option<usize> {
        prefix.is_multiple_of(self.assigned).then_some(prefix / OF_A_TENANT)
    }
}

/// Measures a world on two simulated NetBoxes: one for how long it takes, the other for how much memory.
async fn simulated(size: &Size) {
    let world = size.world();
    let arin = Server::start(world.registry.clone(), Options::default()).await.unwrap();
    let server = furnished(size, &world, &arin.url()).await;
    let taken = timed(&server.url(), netbox::TOKEN, &arin).await;
    drop(server);
    let server = furnished(size, &world, &arin.url()).await;
    let settings = settings((&server.url(), netbox::TOKEN), &world, &arin);
    let peaks = [settings.sync(&[]).await.1, settings.sync(&[]).await.1];
    println!("| {} | {taken} | {} MB | {} MB |", size.name, peaks[0] / 1024, peaks[1] / 1024);
}

/// Measures a world on the NetBox of the lab, which is furnished once: the memory is that of the unchanged case alone.
async fn real(size: &Size) {
    let world = size.world();
    let lab = lab::Netbox::of_the_lab();
    let arin = Server::start(world.registry.clone(), Options::default()).await.unwrap();
    furnish_lab(&lab, size, &world, &arin.url()).await;
    let taken = timed(&lab.url, &lab.token, &arin).await;
    let (_, peak) = settings((&lab.url, &lab.token), &world, &arin).sync(&[]).await;
    println!("| {} | {taken} | | {} MB |", size.name, peak / 1024);
    lab.wipe(false);
}

/// Syncs and refreshes twice, and tells what that took.
async fn timed(url: &str, token: &str, arin: &Server) -> String {
    let services = services((url, token), arin);
    let began = Instant::now();
    sync(&services).await;
    let synced = began.elapsed();
    let [first, second] = [refresh(&services).await, refresh(&services).await];
    format!(
        "{:.1} s | {:.1} s | {} | {} | {:.1} s | {}",
        synced.as_secs_f64(),
        first.time.as_secs_f64(),
        first.requests,
        first.findings,
        second.time.as_secs_f64(),
        second.requests,
    )
}

/// Returns the settings of a process that syncs and refreshes.
fn settings(netbox: (&str, &str), world: &World, arin: &Server) -> one_sync::Settings {
    let of_arin = format!(
        "[arin]\nallowed_base_urls = [{:?}]\nwhois_url = {:?}\nrequests_per_second = 0\nwhois_requests_per_second = 0\n",
        arin.url(),
        arin.whois_url()
    );
    one_sync::Settings::write(netbox, &world.config, &format!("{of_arin}[findings]\nown_tenants = []\n"))
}

/// Puts the world into the NetBox of the lab.
async fn furnish_lab(lab: &lab::Netbox, size: &Size, world: &World, arin: &str) {
    let rir = lab.add("ipam/rirs", json!([{ "name": "ARIN", "slug": "arin" }])).await[0];
    let aggregates: Vec<Value> =
        world.ipam.aggregates.iter().map(|aggregate| json!({ "prefix": aggregate.prefix, "rir": rir })).collect();
    lab.add_all("ipam/aggregates", &aggregates, 200).await;
    let tenant =
        |number: usize| json!({ "name": format!("Sample Tenant {number}"), "slug": format!("tenant-{number}") });
    let tenants: Vec<Value> = (0..world.ipam.prefixes.len().div_ceil(OF_A_TENANT)).map(tenant).collect();
    let tenants = lab.add("tenancy/tenants", tenants.into()).await;
    let prefix = |(number, prefix): (usize, &rir_sandbox::world::Prefix)| {
        let tenant = size.tenant(number).map(|tenant| tenants[tenant]);
        json!({ "prefix": prefix.prefix, "tenant": tenant })
    };
    let prefixes: Vec<Value> = world.ipam.prefixes.iter().enumerate().map(prefix).collect();
    lab.add_all("ipam/prefixes", &prefixes, 200).await;
    lab.add_config(world, arin, rir).await;
}

/// Makes a simulated NetBox with the world.
async fn furnished(size: &Size, world: &World, arin: &str) -> netbox::Server {
    let server = netbox::Server::start(netbox::Options::default()).await.unwrap();
    bootstrap::bootstrap(&server.url(), netbox::TOKEN).await;
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
        let tenant = size.tenant(number).map(|tenant| tenants[tenant]);
        let prefix = json!({ "prefix": prefix.prefix.to_string(), "tenant": tenant });
        server.add_object("ipam/prefixes", row(prefix)).unwrap();
    }
    let config = json!({ "name": world.config, "rir": rir, "registry": "arin", "api_url": arin,
                         "org_handle": world.org_handle, "is_active": true });
    server.add_row("rir-config", row(config)).unwrap();
    server
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
