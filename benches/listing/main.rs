//! Measures what ARIN's public listing spares: syncs with the listing beside syncs that ask for everything, of worlds
//! of different size on a real NetBox; and what a great many loopbacks and links cost, on a NetBox in memory. Prints
//! Markdown; `tests/bench.sh listing` starts it, `docs/benchmarks.md` explains the figures.
//!
//! The simulated ARIN lives in this process. Each sync is a process of its own, the program as it is shipped.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on ends"
)]

#[path = "../bootstrap.rs"]
mod bootstrap;
mod bounds;
#[path = "../sync/holders.rs"]
mod holders;
mod loopbacks;
#[path = "../sync/netbox.rs"]
mod netbox;
#[path = "../one_sync.rs"]
mod one_sync;
mod sized;
mod spent;
mod table;

use bootstrap::bootstrap;
use netbox::Netbox;

/// A world, what is aimed at for it, and its name.
struct Size {
    name: &'static str,
    aggregates: usize,
    prefixes: usize,
    /// Seconds that an unchanged sync may take with 50 ms of latency.
    unchanged: f64,
}

const SIZES: [Size; 2] = [
    Size { name: "M", aggregates: 10, prefixes: 1_000, unchanged: 1.5 },
    Size { name: "L", aggregates: 40, prefixes: 10_000, unchanged: 6.0 },
];
/// What is measured on a NetBox in memory, by its name on the command line.
const LOOPBACKS: &str = "loopbacks";

#[tokio::main]
async fn main() {
    // Fails when somebody else chose before, which is just as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    // `cargo bench` adds arguments of its own.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    if wanted(LOOPBACKS) {
        loopbacks::measure().await;
    }
    let sizes: Vec<&Size> = SIZES.iter().filter(|size| wanted(size.name)).collect();
    if sizes.is_empty() {
        return;
    }
    let netbox = Netbox::of_the_lab();
    bootstrap(&netbox.url, &netbox.token).await;
    for size in sizes {
        sized::measure(size, &netbox).await;
    }
}
