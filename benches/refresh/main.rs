//! Measures what it costs to refresh the findings after a sync, beyond the sync, on the simulated NetBox. Prints Markdown;
//! `tests/bench.sh` starts it.
//!
//! Each prefix is assigned to one of many tenants. The first refresh writes all that there is to find, the second one has
//! nothing to write: it is what a refresh costs from then on.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that cannot go on ends")]

#[path = "../bootstrap.rs"]
mod bootstrap;

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

/// What a refresh took.
struct Taken {
    time: Duration,
    requests: usize,
    findings: usize,
}

#[tokio::main]
async fn main() {
    drop(rustls::crypto::ring::default_provider().install_default());
    println!("| world | sync | first refresh | requests | findings | second refresh | requests |");
    println!("|---|---|---|---|---|---|---|");
    for (name, aggregates, prefixes) in SIZES {
        let world = World::sized(aggregates, prefixes);
        eprintln!("bench: {name}");
        let server = netbox::Server::start(netbox::Options::default()).await.unwrap();
        bootstrap::bootstrap(&server.url(), netbox::TOKEN).await;
        let arin = Server::start(world.registry.clone(), Options::default()).await.unwrap();
        furnish(&server, &world, &arin.url());
        let services = services(&server.url(), &arin);
        let began = Instant::now();
        sync(&services).await;
        let synced = began.elapsed();
        let [first, second] = [refresh(&services, &server).await, refresh(&services, &server).await];
        println!(
            "| {name} | {:.1} s | {:.1} s | {} | {} | {:.1} s | {} |",
            synced.as_secs_f64(),
            first.time.as_secs_f64(),
            first.requests,
            first.findings,
            second.time.as_secs_f64(),
            second.requests
        );
    }
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

fn services(netbox: &str, arin: &Server) -> Services {
    let (url, whois) = (arin.url(), arin.whois_url());
    let set = [
        ("NETBOX__URL", netbox),
        ("NETBOX__TOKEN", netbox::TOKEN),
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

async fn refresh(services: &Services, server: &netbox::Server) -> Taken {
    let ctx = services.context(CancellationToken::new());
    let configs = ctx.netbox.configs().await.unwrap();
    let instances = configs.iter().map(|config| (config.id, ctx.arin.instance(&config.api_url).unwrap()));
    let ctx = findings::Context {
        netbox: ctx.netbox.clone(),
        settings: ctx.settings.clone(),
        instances: instances.collect(),
        stop: ctx.stop.clone(),
        now: Timestamp::now(),
        run: "bench".to_owned(),
    };
    server.forget_requests();
    let began = Instant::now();
    let refreshed = findings::refresh(&ctx, &configs[0], &Scope::Config).await.unwrap();
    let time = began.elapsed();
    Taken { time, requests: server.take_count(), findings: refreshed.created }
}
