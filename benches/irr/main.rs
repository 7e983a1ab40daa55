//! Measures the mirrors of routing registries with the Redis at `RIR_LAB_REDIS_URL`, next to a bare loop that is their bound
//! and next to a real IRRd, and prints Markdown.
//!
//! ```text
//! cargo bench --bench irr -- [million | judged]
//! ```
//!
//! Imports of 200,000 objects and of 1,000,000, changes to them, ten sources at once, and how prefixes stand by them. `judged` does
//! the last alone. The IRRd (`tests/lab/lab.sh irrd`)
//! takes the 200,000; with `million` the 1,000,000, too, for which it needs a quarter of an hour and more.
//! All read the same made-up dumps. Processor time counts, as it depends less on what else the machine does.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on ends"
)]

mod bound;
mod cost;
mod irrd;
mod judged;
mod many;
mod redis_server;
mod routes;
mod sidecar;
mod upstream;

use std::path::{Path, PathBuf};

use bound::Blocks;
use cost::{Cost, middle};
use irrd::Irrd;
use redis_server::RedisServer;
use sidecar::{Sidecar, source};
use tokio::process::Command;
use upstream::{DUMPED, Upstream};

/// Each figure is that of the run in the middle.
const RUNS: usize = 3;
/// The changes that are followed in one run.
const CHANGES: u64 = 10_000;
const MB: f64 = 1024.0 * 1024.0;

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, file, more @ ..] = &words[..]
        && first == "bound"
    {
        let blocks = more.first().map(|redis| Blocks::new(redis, &more[1]));
        println!("{}", bound::read(file, blocks));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut redis = RedisServer::of_the_lab();
    if words.iter().any(|word| word == "judged") {
        return judged::measure(folder.path(), &mut redis).await;
    }
    let irrd = Irrd::of_the_lab();
    let upstream = Upstream::start().await;
    for (objects, peer) in [(200_000, true), (1_000_000, words.iter().any(|word| word == "million"))] {
        Desk::new(objects, folder.path(), &upstream).measure(&mut redis, peer.then_some(&irrd)).await;
    }
    many::measure(folder.path(), &mut redis).await;
    judged::measure(folder.path(), &mut redis).await;
}

/// A source: its files, and its upstream.
struct Desk<'a> {
    name: String,
    objects: u64,
    text: u64,
    dump: PathBuf,
    serial_file: PathBuf,
    upstream: &'a Upstream,
}

impl<'a> Desk<'a> {
    fn new(objects: u64, folder: &Path, upstream: &'a Upstream) -> Self {
        let name = format!("BENCH-{objects}");
        let (dump, serial_file) = (folder.join(format!("{name}.db.gz")), folder.join(format!("{name}.CURRENTSERIAL")));
        let text = routes::write_dump(&name, objects, &dump);
        std::fs::write(&serial_file, DUMPED.to_string()).unwrap();
        Self { name, objects, text, dump, serial_file, upstream }
    }

    async fn measure(&self, redis: &mut RedisServer, irrd: Option<&Irrd>) {
        let packed = std::fs::metadata(&self.dump).unwrap().len();
        println!(
            "\n### {} route objects: {:.0} MB of text, {:.0} MB packed\n",
            self.objects,
            self.text as f64 / MB,
            packed as f64 / MB
        );
        println!("| what | CPU s | of them the database | seconds | peak MB |\n|---|---:|---:|---:|---:|");
        let (mut read, mut stored, mut imports, mut reloads, mut follows, mut sizes) =
            (vec![], vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..RUNS {
            read.push(self.bound(redis, false).await);
            stored.push(self.bound(redis, true).await);
            let table = source(&self.name, (&self.dump, &self.serial_file, Some(self.upstream.port)));
            let sidecar = Sidecar::new(&redis.url, ("http://netbox.test/", "x"), &table);
            self.upstream.release(&self.name, self.objects, DUMPED);
            let before = redis.memory();
            imports.push(sidecar.update(&self.name, ("imported", DUMPED), redis).await);
            let size = redis.memory() - before;
            sidecar.irr(&["reload", &self.name], redis).await;
            redis.forget_peak();
            reloads.push(sidecar.update(&self.name, ("imported", DUMPED), redis).await);
            sizes.push((size, redis.peak() - before));
            self.upstream.release(&self.name, self.objects, DUMPED + CHANGES);
            follows.push(sidecar.update(&self.name, ("followed", DUMPED + CHANGES), redis).await);
            redis.clear(&sidecar.prefix);
        }
        sizes.sort_unstable();
        let (size, reloading) = sizes[RUNS / 2];
        let (read, stored, import, follow) = (middle(read), middle(stored), middle(imports), middle(follows));
        line("bound: unpack, split, keys", &read);
        line("bound: and blocks into Redis", &stored);
        line("first import", &import);
        line("reload", &middle(reloads));
        line("10,000 changes", &follow);
        let peer = irrd.map(|irrd| self.of_irrd(irrd));
        if let Some((import, follow)) = &peer {
            line("IRRd: first import", import);
            line("IRRd: 10,000 changes", follow);
        }
        println!("\n- An import takes {:.2} times the bound's processor time.", import.all_cpu() / stored.all_cpu());
        if let Some((theirs, followed)) = &peer {
            println!(
                "- IRRd takes {:.0} times as much for an import, and {:.0} times as much for the changes.",
                theirs.all_cpu() / import.all_cpu(),
                followed.all_cpu() / follow.all_cpu()
            );
        }
        println!(
            "- In Redis {:.1} MB, {:.0} bytes an object; {:.1} MB at most during a reload.",
            size as f64 / MB,
            size as f64 / self.objects as f64,
            reloading as f64 / MB
        );
    }

    /// Runs the bound in a process of its own.
    async fn bound(&self, redis: &mut RedisServer, stores: bool) -> Cost {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("bound").arg(&self.dump);
        if stores {
            command.args([redis.url.as_str(), "bench-bound"]);
        }
        let cost = cost::of(command, || redis.cpu()).await;
        assert_eq!(cost.printed.trim(), self.objects.to_string(), "the bound has missed some");
        redis.clear("bench-bound");
        cost
    }

    /// Has the IRRd do the same: the import, and the changes.
    fn of_irrd(&self, irrd: &Irrd) -> (Cost, Cost) {
        let (name, newest) = (self.name.as_str(), DUMPED + CHANGES);
        self.upstream.release(name, self.objects, DUMPED);
        let serial_file = self.dump.with_extension("irrd");
        irrd.mirror(name, (&self.dump, &serial_file, self.upstream.port));
        irrd.settle();
        let import = irrd.until(name, DUMPED, || std::fs::write(&serial_file, DUMPED.to_string()).unwrap());
        irrd.settle();
        let follow = irrd.until(name, newest, || self.upstream.release(name, self.objects, newest));
        (import, follow)
    }
}

fn line(what: &str, cost: &Cost) {
    println!("| {what} | {:.2} | {:.2} | {:.2} | {:.0} |", cost.all_cpu(), cost.database_cpu, cost.seconds, cost.peak);
}
