//! Syncs of the world M and of M with a great many loopbacks and links, on a NetBox in memory, which takes them in at
//! once.

use std::time::Duration;

use rir_sandbox::{
    netbox::{self, TOKEN},
    populate,
    regrws::{Options, Server},
    world::World,
};
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};

use crate::{
    bootstrap::bootstrap,
    one_sync::Settings,
    spent::{self, Spent},
    table,
};

const COUNT: usize = 50_000;
const LATENCY: Duration = Duration::from_millis(50);

/// The first sync of a world, an unchanged one, and one that asks for everything.
const SYNCS: [(&str, &[&str]); 3] = [("first", &[]), ("the same day", &[]), ("the same day, `--full`", &["--full"])];

/// Measures both worlds and prints their table.
pub(crate) async fn measure() {
    let (without, with) = (syncs(&World::with_loopbacks(0)).await, syncs(&World::with_loopbacks(COUNT)).await);
    let named = |world: &str, all: &[Spent]| {
        let line = |((name, _), spent): (&(&str, &[&str]), &Spent)| (format!("{world}, {name}"), spent.clone());
        SYNCS.iter().zip(all).map(line).collect::<Vec<_>>()
    };
    table::print_loopbacks(LATENCY, &[named("M", &without), named("M and 50,000", &with)].concat());
    for (at, (name, _)) in SYNCS.iter().enumerate().take(2) {
        table::print_cost(name, &without[at], &with[at]);
    }
}

async fn syncs(world: &World) -> Vec<Spent> {
    let arin = Server::start(world.registry.clone(), Options::default()).await.unwrap();
    spent::slow_down(&arin, LATENCY);
    let netbox = netbox::Server::start(netbox::Options::default()).await.unwrap();
    bootstrap(&netbox.url(), TOKEN).await;
    let rirs = populate(&netbox, &world.ipam);
    let row = json!({ "name": world.config, "rir": rirs["ARIN"], "registry": "arin", "api_url": arin.url(),
                      "org_handle": world.org_handle, "is_active": true });
    let Value::Object(row) = row else { panic!("no object") };
    netbox.add_row(schema::CONFIG, row).unwrap();
    let settings = Settings::write((&netbox.url(), TOKEN), &world.config, &spent::arin(&arin, Some(0)));
    let mut all = Vec::new();
    for (name, flags) in SYNCS {
        let spent = Spent::of(&settings, &arin, flags).await;
        eprintln!("bench: {name}: {} in {:.2} s", spent.result, spent.took.as_secs_f64());
        all.push(spent);
    }
    all
}
