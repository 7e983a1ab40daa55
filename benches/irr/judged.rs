//! How prefixes stand in the routing registries: judged from nothing, by a process of its own, and once more when nothing has
//! changed.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;
use rir_sandbox::netbox::{Options, Server, TOKEN};
use rir_sidecar::{
    irr::store::Store,
    netbox::{
        Client,
        schema::{self, Document, origins},
    },
    routing::{Context, OwnRoutes, check},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    redis_server::RedisServer,
    routes,
    sidecar::{Sidecar, source},
    upstream::DUMPED,
};

/// A plan, and what it is judged by.
struct World {
    prefixes: u32,
    /// The objects of each source.
    sources: &'static [u64],
    vrps: u32,
}

const WORLDS: [World; 2] = [
    World { prefixes: 1_500, sources: &[1_000_000], vrps: 0 },
    World { prefixes: 10_000, sources: &[1_000_000, 1_000_000, 1_200_000], vrps: 800_000 },
];
/// So many prefixes are in one aggregate, each a /24.
const IN_AN_AGGREGATE: u32 = 2_048;
/// Where the made-up routes begin.
const FIRST: u32 = 1 << 24;

pub(crate) async fn measure(folder: &Path, redis: &mut RedisServer) {
    println!("\n### How prefixes stand\n");
    println!("| prefixes | objects | VRPs | | CPU s | seconds | peak MB |\n|---:|---:|---:|---|---:|---:|---:|");
    for world in WORLDS {
        judge(&world, folder, redis).await;
    }
}

async fn judge(world: &World, folder: &Path, redis: &mut RedisServer) {
    let serial_file = folder.join("JUDGED.CURRENTSERIAL");
    std::fs::write(&serial_file, DUMPED.to_string()).unwrap();
    let (mut names, mut tables) = (Vec::new(), String::new());
    for (number, objects) in world.sources.iter().enumerate() {
        let name = format!("JUDGED-{number}");
        let dump: PathBuf = folder.join(format!("{name}.db.gz"));
        routes::write_dump(&name, *objects, &dump);
        tables.push_str(&source(&name, (&dump, &serial_file, None)));
        names.push(name);
    }
    if world.vrps > 0 {
        let list = folder.join("vrps.json");
        std::fs::write(&list, vrps(world.vrps)).unwrap();
        write!(tables, "[rpki]\nvrps = 'file://{}'\n", list.display()).unwrap();
        names.push("RPKI".to_owned());
    }
    let netbox = Server::start(Options::default()).await.unwrap();
    let sidecar = Sidecar::new(&redis.url, (&netbox.url(), TOKEN), &tables);
    let settings = Arc::new(sidecar.settings());
    let client = Client::new(&settings.netbox).unwrap();
    plan(&netbox, &client, world.prefixes).await;
    for name in &names {
        sidecar.irr(&["update", name], redis).await;
    }

    let objects: u64 = world.sources.iter().sum();
    let line = |what: &str, (cpu, seconds, peak): (Option<f64>, f64, Option<f64>)| {
        let cpu = cpu.map(|cpu| format!("{cpu:.2}")).unwrap_or_default();
        let peak = peak.map(|peak| format!("{peak:.0}")).unwrap_or_default();
        println!("| {} | {objects} | {} | {what} | {cpu} | {seconds:.2} | {peak} |", world.prefixes, world.vrps);
    };
    let cold = sidecar.irr(&["check", "--level", "danger"], redis).await;
    line("a process of its own", (Some(cold.all_cpu()), cold.seconds, Some(cold.peak)));

    let ctx = Context {
        netbox: client,
        store: Store::open(&settings.queue).unwrap(),
        own: OwnRoutes::default(),
        settings,
        stop: CancellationToken::new(),
        now: Timestamp::now(),
        run: "bench".to_owned(),
    };
    for what in ["the service, from nothing", "the service, nothing has changed"] {
        let began = Instant::now();
        let judged = check(&ctx).await.unwrap().assessment;
        assert!(judged.ranges.len() > world.prefixes as usize, "{}", judged.ranges.len());
        line(what, (None, began.elapsed().as_secs_f64(), None));
    }
    redis.clear(&sidecar.prefix);
}

/// Aggregates with prefixes, all announced by one AS.
async fn plan(netbox: &Server, client: &Client, prefixes: u32) {
    let types = schema::plan(client, Document::current()).await.unwrap();
    schema::apply(client, &types, false).await.unwrap();
    let field = origins::plan(client).await.unwrap().unwrap();
    origins::apply(client, &field).await.unwrap();
    let rir = netbox.add_rir("ARIN");
    let add = |list: &str, row: Value| netbox.add_object(list, row.as_object().unwrap().clone()).unwrap();
    let asn = add("ipam/asns", json!({ "asn": 64496, "rir": rir }));
    let net = |number: u32, length| IpNet::V4(Ipv4Net::new((FIRST + (number << 8)).into(), length).unwrap());
    for number in (0..prefixes).step_by(IN_AN_AGGREGATE as usize) {
        let fields = json!({ "origin_asns": [asn] });
        add("ipam/aggregates", json!({ "prefix": net(number, 13).to_string(), "rir": rir, "custom_fields": fields }));
    }
    for number in 0..prefixes {
        netbox.add_prefix(net(number, 24), None);
    }
}

/// A list as Routinator writes it.
fn vrps(count: u32) -> String {
    let mut text = String::from("{\"roas\": [\n");
    for number in 0..count {
        let (end, address) =
            (if number + 1 == count { "" } else { "," }, std::net::Ipv4Addr::from(FIRST + (number << 8)));
        writeln!(
            text,
            r#"{{"asn": "AS{}", "prefix": "{address}/24", "maxLength": 24, "ta": "arin"}}{end}"#,
            1000 + number % 60_000
        )
        .unwrap();
    }
    text + "]}\n"
}
