//! What has to hold in the end:
//!
//! - nothing is lost: every order and webhook that was answered with a success came to an end, nothing is left in the queue
//!   or among the dead letters, and a preview finds nothing to do, so that every change at ARIN and in NetBox's IPAM is in the
//!   rows;
//! - nothing is doubled: no two rows have one key, no two attempts were at work in one place at the same time, and ARIN was
//!   not asked more often than the settings allow;
//! - the memory of a replica stays as it was, and each replica ends when it is asked to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use jiff::Timestamp;
use rir_sandbox::netbox::TOKEN;
use rir_sidecar::{
    config::keys::Keyring,
    netbox::schema,
    queue::{Queue, State},
    services::Services,
    sync::{self, Request},
};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Kill,
    attempts::{self, Attempt},
    checks::{Check, Found, WINDOW, checks, memory},
    load::Load,
    places::{CONFIGS, Places},
    processes::{Processes, REPLICAS},
};

/// What was seen while it went on.
pub(crate) struct Seen {
    pub(crate) minutes: u64,
    pub(crate) kills: Vec<Kill>,
    /// All requests to ARIN, and the most in a window.
    pub(crate) rate: (usize, usize),
    pub(crate) memory: Vec<f64>,
    /// The time until everything had come to an end; `None` if it did not.
    pub(crate) waited: Option<Duration>,
    /// Replicas that did not end well.
    pub(crate) status: usize,
}

/// Waits until every config was synced since then and the queue is empty. Returns how long that took.
pub(crate) async fn wait_for_the_end(
    places: &Places,
    load: &Load<'_>,
    since: Timestamp,
    longest: Duration,
) -> Option<Duration> {
    let (began, queue) = (Instant::now(), load.queue().await);
    while began.elapsed() < longest {
        sleep(Duration::from_secs(1)).await;
        let rows = rows(places, schema::CONFIG).await;
        let synced = |row: &Value| row["last_sync"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let all_synced = rows.iter().all(|row| synced(row).is_some_and(|at| at > since));
        let Ok(figures) = queue.figures().await else { continue };
        let left: u64 = figures.jobs.iter().filter(|(state, _)| !state.is_over()).map(|(_, count)| count).sum();
        if all_synced && left == 0 {
            return Some(began.elapsed());
        }
    }
    None
}

/// Prints what was seen, and what holds and what does not.
pub(crate) async fn tell(places: &Places, processes: &Processes, load: &Load<'_>, seen: Seen) -> ExitCode {
    let queue = load.queue().await;
    let (all, at_once) = at_once(processes, &queue, &seen.kills).await;
    tell_figures(load, &seen, all);
    let promised: BTreeSet<_> = load.promised.lock().unwrap().clone();
    let mut unfinished = 0;
    for id in &promised {
        let over = queue.find(id).await.unwrap().is_some_and(|record| matches!(record.state, State::Done));
        unfinished += usize::from(!over);
    }
    let figures = queue.figures().await.unwrap();
    let left = |wanted: fn(State) -> bool| -> u64 {
        figures.jobs.iter().filter(|(state, _)| wanted(**state)).map(|(_, count)| count).sum()
    };
    let found = Found {
        promised: promised.len(),
        unfinished,
        left: left(|state| !state.is_over()) as usize,
        dead: left(|state| state == State::Dead) as usize,
        left_to_do: left_to_do(places).await,
        keys: keys(places).await,
        attempts: all,
        at_once,
        requests: seen.rate,
        memory: seen.memory,
        waited: seen.waited,
        status: seen.status,
    };
    let checks = checks(&found);
    println!("\n| has to be none | found | |\n|---|---:|---|");
    for check in &checks {
        println!("| {} | {} | {} |", check.what, check.found, check.verdict());
    }
    ExitCode::from(u8::from(!checks.iter().all(Check::holds)))
}

fn tell_figures(load: &Load<'_>, seen: &Seen, attempts: usize) {
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let (early, late) = memory(&seen.memory);
    let most = seen.memory.iter().copied().fold(0.0, f64::max);
    let redis = seen.kills.iter().filter(|kill| kill.replica.is_none()).count();
    println!("| seen in {} minutes | |\n|---|---|", seen.minutes);
    println!("| kills | {} of Redis, {} of replicas |", redis, seen.kills.len() - redis);
    println!("| syncs asked for over the API | {}, {} taken |", of(&load.orders.sent), of(&load.orders.taken));
    println!(
        "| webhooks | {} of {} changes, {} taken |",
        of(&load.webhooks.sent),
        of(&load.changes),
        of(&load.webhooks.taken)
    );
    println!("| changes at ARIN | {} |", of(&load.edits));
    println!("| attempts at jobs | {attempts} |");
    println!("| requests to ARIN | {}, at most {} in {WINDOW} s |", seen.rate.0, seen.rate.1);
    println!("| memory of a replica | {early:.1} MB after a third, {late:.1} MB in the end, {most:.1} MB at most |");
    let waited = seen.waited.map_or("not".to_owned(), |waited| format!("after {:.0} s", waited.as_secs_f64()));
    println!("| everything had come to an end | {waited} |");
}

/// Counts all attempts at jobs, and those that began while another one was at work in the same place.
async fn at_once(processes: &Processes, queue: &Queue, kills: &[Kill]) -> (usize, usize) {
    let (mut places, mut all) = (BTreeMap::<String, Vec<Attempt>>::new(), 0);
    for replica in 0..REPLICAS {
        let kills: Vec<Timestamp> =
            kills.iter().filter(|kill| kill.replica == Some(replica)).map(|kill| kill.at).collect();
        let log = fs::read_to_string(processes.log(replica)).unwrap();
        for attempt in attempts::read(&log, &kills) {
            all += 1;
            let job = queue.find(&attempt.job).await.unwrap().and_then(|record| record.job);
            if let Some(place) = job.and_then(|job| Some(job.alone_at()?.to_string())) {
                places.entry(place).or_default().push(attempt);
            }
        }
    }
    (all, attempts::at_once(&places))
}

/// Counts the changes that a sync of each config would still make.
async fn left_to_do(places: &Places) -> usize {
    let settings = places.settings(&[("ARIN__REQUESTS_PER_SECOND", "0")]);
    let services = Services::for_one_process(settings, Keyring::load(&places.keys()).unwrap()).unwrap();
    let mut left = 0;
    for (name, ..) in CONFIGS {
        let ctx = services.context(CancellationToken::new());
        let configs = ctx.netbox.configs().await.unwrap();
        let config = configs.iter().find(|config| config.name == name).unwrap();
        let preview = sync::preview(&ctx, &Request::of(config, &configs)).await;
        assert_eq!(preview.run.ended, None, "{name}");
        for change in &preview.plan.changes {
            eprintln!("left to do at {name}: {change:?}");
        }
        left += preview.plan.changes.len();
    }
    left
}

/// Returns the keys of the rows of each of our types.
async fn keys(places: &Places) -> Vec<Vec<String>> {
    let mut keys = Vec::new();
    for slug in schema::TYPES {
        let rows = rows(places, slug).await;
        keys.push(rows.iter().filter_map(|row| row["key"].as_str().map(str::to_owned)).collect());
    }
    keys
}

/// Reads all rows of a type.
async fn rows(places: &Places, slug: &str) -> Vec<Value> {
    let http = reqwest::Client::builder().build().unwrap();
    let mut all = Vec::new();
    loop {
        let path = format!("plugins/custom-objects/{slug}/?limit=1000&offset={}&ordering=id", all.len());
        let answer = http.get(format!("{}/api/{path}", places.netbox.url())).bearer_auth(TOKEN).send().await.unwrap();
        let page: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let rows = page["results"].as_array().unwrap_or_else(|| panic!("{slug}: {page}"));
        all.extend(rows.iter().cloned());
        if rows.is_empty() || all.len() as u64 >= page["count"].as_u64().unwrap() {
            return all;
        }
    }
}
