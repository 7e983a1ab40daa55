//! The measurements as Markdown.

use std::time::Duration;

use rir_sandbox::regrws::Operation;

use crate::{IN_FLIGHT, Measured, Size, expected::Expected, floor::Floor, holders::Holders, sidecar::Sync};

/// First sync against the floor and ARIN's time: what is aimed at.
const RATIO: f64 = 1.3;
/// Rows that an unchanged sync writes: the config's result and one row of the log.
const UNCHANGED_WRITES: usize = 2;

/// Prints the tables of one world.
pub(crate) fn print(size: &Size, expected: &Expected, all: &[Measured]) {
    println!("\n### World {}: {} aggregates, {} prefixes\n", size.name, size.aggregates, size.prefixes);
    println!(
        "| sync | ARIN latency, in flight | seconds | write floor s | ARIN s | ratio (aim {RATIO}) \
         | NetBox CPU s | floor CPU s | ARIN requests (look-ups, nets, customers, orgs, POCs) | NetBox requests | rows written | peak MB |"
    );
    println!("|---|---|---:|---|---:|---:|---:|---|---|---:|---:|---:|");
    for measured in all {
        first(measured);
        line("second", measured.latency, IN_FLIGHT[0], &measured.second, ["", "", ""]);
        line("third", measured.latency, IN_FLIGHT[1], &measured.hurried, ["", "", ""]);
    }
    println!("\nCreated by the first sync: {}.", created(&all[0].first));
    println!("{}", counted(expected, all));
}

fn first(measured: &Measured) {
    let floors = |of: fn(&Floor) -> f64| measured.floors.iter().map(of).collect::<Vec<_>>();
    let (times, cpu) = (floors(|floor| floor.took.as_secs_f64()), floors(|floor| floor.netbox_cpu));
    let ratio = measured.first.took.as_secs_f64()
        / (mean(&times) + arin_seconds(&measured.first, measured.latency, IN_FLIGHT[0]));
    line(
        "first",
        measured.latency,
        IN_FLIGHT[0],
        &measured.first,
        [&each(&times), &format!("{ratio:.2}"), &each(&cpu)],
    );
}

fn line(name: &str, latency: Duration, in_flight: usize, sync: &Sync, [floor, ratio, cpu]: [&str; 3]) {
    let asked = [Operation::MostSpecificNet, Operation::Net, Operation::Customer, Operation::Org, Operation::Poc]
        .map(|operation| sync.count(operation).to_string());
    println!(
        "| {name}: {} | {} ms, {in_flight} | {:.2} | {floor} | {:.2} | {ratio} | {:.1} | {cpu} | {} ({}) | {} | {} | {:.1} |",
        sync.result,
        latency.as_millis(),
        sync.took.as_secs_f64(),
        arin_seconds(sync, latency, in_flight),
        sync.netbox_cpu,
        sync.asked.total(),
        asked.join(", "),
        sync.netbox_requests,
        sync.written,
        // Tens of megabytes do not need more precision than this.
        f64::from(u32::try_from(sync.peak_kib).unwrap_or(u32::MAX)) / 1024.0,
    );
}

/// The time that ARIN takes to answer, at best.
fn arin_seconds(sync: &Sync, latency: Duration, in_flight: usize) -> f64 {
    let rounds = sync.asked.total().div_ceil(in_flight);
    latency.as_secs_f64() * f64::from(u32::try_from(rounds).unwrap_or(u32::MAX))
}

fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / f64::from(u32::try_from(figures.len()).unwrap_or(1))
}

/// The mean, and what it is the mean of.
fn each(figures: &[f64]) -> String {
    let each: Vec<String> = figures.iter().map(|figure| format!("{figure:.1}")).collect();
    format!("{:.1} ({})", mean(figures), each.join(", "))
}

fn created(sync: &Sync) -> String {
    let types = sync.created.iter().filter(|(_, count)| **count > 0);
    types.map(|(slug, count)| format!("{count} {slug}")).collect::<Vec<_>>().join(", ")
}

/// The verdict of counting: whether ARIN was asked too much, or an unchanged sync wrote too much.
fn counted(expected: &Expected, all: &[Measured]) -> String {
    let mut wrong = Vec::new();
    for Measured { latency, first, second, hurried, .. } in all {
        for (name, sync) in [("first", first), ("second", second), ("third", hurried)] {
            wrong.extend(expected.exceeded(&sync.asked).iter().map(|what| format!("{latency:?} {name}: {what}")));
        }
        for (name, sync) in [("second", second), ("third", hurried)] {
            let logged = sync.created.iter().filter(|(_, count)| **count > 0).collect::<Vec<_>>();
            if sync.written != UNCHANGED_WRITES || logged != [(&"rir-sync-log", &1)] {
                wrong.push(format!("{latency:?} {name}: {} rows written, created {}", sync.written, created(sync)));
            }
        }
    }
    let Expected { look_ups, holders: Holders { customers, orgs, pocs } } = expected;
    let limits = format!(
        "at most {look_ups} look-ups, {customers} customers, {orgs} organizations and {pocs} contacts asked for, none \
         twice; unchanged syncs write the config and one log row"
    );
    if wrong.is_empty() {
        format!("Counted: {limits}: holds.")
    } else {
        format!("Counted: {limits}: FAILS: {}.", wrong.join("; "))
    }
}
