//! The measurements as Markdown.

use std::time::Duration;

use crate::{
    Size,
    bounds::{self, Bounds},
    sized::{LATENCIES, Measured, Sync},
    spent::{IN_FLIGHT, Spent},
};

/// Prints the table of one world, and whether the bounds hold.
pub(crate) fn print(size: &Size, bounds: &Bounds, measured: &Measured) {
    println!("\n### World {}: {} aggregates, {} prefixes\n", size.name, size.aggregates, size.prefixes);
    println!(
        "| sync | ARIN latency, in flight | seconds | requests to Reg-RWS (look-ups, nets, customers, orgs, POCs) \
         | to the listing | spared | NetBox CPU s | rows written | peak MB |"
    );
    println!("|---|---|---:|---|---:|---:|---:|---:|---:|");
    line("first", LATENCIES[0], &measured.first);
    for (latency, [listed, full]) in LATENCIES.iter().zip(&measured.unchanged) {
        line("the same day", *latency, listed);
        line("the same day, `--full`", *latency, full);
    }
    line("the same day, the listing's default limit", LATENCIES[1], &measured.limited);
    line("a day later", LATENCIES[1], &measured.day);
    line("eight days later", LATENCIES[1], &measured.week);
    println!();
    bounds.verdicts(size, measured).iter().for_each(|verdict| println!("- {verdict}"));
}

fn line(name: &str, latency: Duration, Sync { spent, netbox_cpu, written, seconds }: &Sync) {
    let range = match seconds.as_slice() {
        [shortest, .., longest] => format!(" ({shortest:.2} to {longest:.2})"),
        [_] | [] => String::new(),
    };
    println!("{} {netbox_cpu:.1} | {written} | {:.1} |", asked(name, latency, spent, &range), megabytes(spent));
}

/// The columns that all tables begin with.
fn asked(name: &str, latency: Duration, spent: &Spent, range: &str) -> String {
    let (seconds, kinds) = (spent.took.as_secs_f64(), spent.kinds().map(|kind| kind.to_string()).join(", "));
    format!(
        "| {name}: {} | {} ms, {IN_FLIGHT} | {seconds:.2}{range} | {} ({kinds}) | {} | {} |",
        spent.result,
        latency.as_millis(),
        spent.asked.total(),
        spent.listing,
        spent.spared,
    )
}

fn megabytes(spent: &Spent) -> f64 {
    // Tens of megabytes do not need more precision than this.
    f64::from(u32::try_from(spent.peak_kib).unwrap_or(u32::MAX)) / 1024.0
}

/// Prints the table of M and of M with loopbacks and links.
pub(crate) fn print_loopbacks(latency: Duration, lines: &[(String, Spent)]) {
    println!("\n### World M with loopbacks and links\n");
    println!(
        "| sync | ARIN latency, in flight | seconds | requests to Reg-RWS (look-ups, nets, customers, orgs, POCs) \
         | to the listing | spared | peak MB |"
    );
    println!("|---|---|---:|---|---:|---:|---:|");
    for (name, spent) in lines {
        println!("{} {:.1} |", asked(name, latency, spent, ""), megabytes(spent));
    }
    println!();
}

/// Prints what loopbacks and links cost a sync.
pub(crate) fn print_cost(name: &str, without: &Spent, with: &Spent) {
    println!("- {name}: {}", bounds::loopbacks(without, with));
}
