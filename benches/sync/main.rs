//! Measures whole syncs of worlds of different size on a real NetBox, and beside each what merely writing the same rows
//! costs: the write floor. Prints Markdown; `tests/bench.sh` starts it, `docs/benchmarks.md` explains the figures.
//!
//! The simulated ARIN lives in this process. Each sync is a process of its own, the program as it is shipped. It asks for
//! everything, because no listing is set for this ARIN: what that spares, the bench `listing` measures.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on ends"
)]

#[path = "../bootstrap.rs"]
mod bootstrap;
mod expected;
mod floor;
mod holders;
mod netbox;
#[path = "../one_sync.rs"]
mod one_sync;
mod sidecar;
mod table;

use std::time::Duration;

use rir_sandbox::{
    regrws::{Options, Server},
    world::World,
};

use bootstrap::bootstrap;
use expected::Expected;
use floor::Floor;
use netbox::Netbox;
use one_sync::Settings;
use sidecar::Sync;

/// ARIN's answering times.
const LATENCIES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(50)];
/// Requests to ARIN under way at once: the default, and what the unchanged sync is measured with besides.
const IN_FLIGHT: [usize; 2] = [8, 16];
/// The number of times that the write floor is measured after each pair of syncs.
const FLOORS: usize = 2;

/// A world and what is measured of it.
#[derive(Debug)]
struct Size {
    name: &'static str,
    aggregates: usize,
    prefixes: usize,
}

const SIZES: [Size; 3] = [
    Size { name: "S", aggregates: 4, prefixes: 100 },
    Size { name: "M", aggregates: 10, prefixes: 1_000 },
    Size { name: "L", aggregates: 40, prefixes: 10_000 },
];

/// The measurements of one world at one latency.
struct Measured {
    latency: Duration,
    first: Sync,
    second: Sync,
    /// The unchanged sync once more, with more requests to ARIN under way.
    hurried: Sync,
    floors: Vec<Floor>,
}

#[tokio::main]
async fn main() {
    // `cargo bench` adds arguments of its own.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |size: &&Size| if asked.is_empty() { size.name != "L" } else { asked.iter().any(|a| a == size.name) };
    let netbox = Netbox::of_the_lab();
    bootstrap(&netbox.url, &netbox.token).await;
    for size in SIZES.iter().filter(wanted) {
        let world = World::sized(size.aggregates, size.prefixes);
        let expected = Expected::of(&world);
        netbox.wipe(false);
        let rir = netbox.furnish(&world).await;
        let mut all = Vec::new();
        for latency in LATENCIES {
            eprintln!("bench: {} at {latency:?}", size.name);
            all.push(measure(&netbox, &world, rir, latency).await);
        }
        table::print(size, &expected, &all);
    }
}

/// Syncs twice and once more, then measures the floor of what the first sync wrote.
async fn measure(netbox: &Netbox, world: &World, rir: u64, latency: Duration) -> Measured {
    let arin = Server::start(world.registry.clone(), Options { latency, ..Options::default() }).await.unwrap();
    netbox.wipe(true);
    let config = netbox.add_config(world, &arin.url(), rir).await;
    let settings = IN_FLIGHT.map(|in_flight| {
        let url = arin.url();
        let unbound = format!("allowed_base_urls = [{url:?}]\nrequests_per_second = 0\nmax_in_flight = {in_flight}\n");
        Settings::write((&netbox.url, &netbox.token), &world.config, &format!("[arin]\n{unbound}"))
    });
    let first = Sync::run(&settings[0], netbox, &arin).await;
    let written = floor::Rows::read(netbox).await;
    let second = Sync::run(&settings[0], netbox, &arin).await;
    let hurried = Sync::run(&settings[1], netbox, &arin).await;
    let mut floors = Vec::new();
    for _ in 0..FLOORS {
        netbox.wipe(true);
        let again = netbox.add_config(world, &arin.url(), rir).await;
        floors.push(written.write(netbox, config, again).await);
    }
    arin.stop().await;
    Measured { latency, first, second, hurried, floors }
}
