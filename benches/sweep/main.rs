//! Measures how much memory a sweep of a long change log takes, and prints Markdown. Needs the Redis at
//! `RIR_LAB_REDIS_URL`.
//!
//! ```text
//! cargo bench --bench sweep -- [changes]...
//! ```
//!
//! The change log is worked out when a page of it is asked for: each change is the creation or an update of a prefix, with
//! snapshots as large as NetBox's are. No webhook told of any.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use jiff::{SignedDuration, Timestamp};
use rir_sidecar::{
    config,
    coordination::Coordination,
    queue::{self, Queue},
};
use serde_json::{Value, json};

/// Without an argument.
const CHANGES: [u64; 2] = [60_000, 1_000_000];
/// The row before the first one: other things were changed before.
const BEFORE: u64 = 1000;
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The change log of a NetBox.
#[derive(Debug, Clone)]
struct Log {
    changes: u64,
    pages: Arc<AtomicU64>,
}

#[tokio::main]
async fn main() {
    let asked: Vec<u64> = std::env::args().filter_map(|text| text.parse().ok()).collect();
    let sizes = if asked.is_empty() { CHANGES.to_vec() } else { asked };
    println!("| changes | pages | s | MB before | MB at most |");
    println!("|---:|---:|---:|---:|---:|");
    for changes in sizes {
        measure(Log { changes, pages: Arc::default() }).await;
    }
}

async fn measure(log: Log) {
    let address = netbox(log.clone()).await;
    let prefix = format!("bench-{:016x}", fastrand::u64(..));
    let set = settings(&address, &prefix);
    let settings = config::load_from(None, &set.iter().cloned().collect()).unwrap();
    let coordination = Coordination::open(&settings.queue).await.unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    let mut child = command.env_clear().envs(set).args(["serve", "--no-worker"]).stdin(Stdio::null()).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (before, began) = (memory(&child, "VmRSS:"), Instant::now());
    while read(&coordination).await < BEFORE + log.changes {
        assert!(began.elapsed() < LONGEST_WAIT, "the sweep does not come to an end");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let (took, most) = (began.elapsed().as_secs_f64(), memory(&child, "VmHWM:"));
    let _ = child.kill();
    let _ = child.wait();
    let queue = Queue::open(&settings.queue).await.unwrap();
    let jobs = queue.figures().await.unwrap().jobs;
    assert_eq!(jobs.get(&queue::State::Delayed), Some(&1), "one job for all prefixes");
    let pages = log.pages.load(Ordering::Relaxed);
    println!("| {} | {pages} | {took:.0} | {before:.1} | {most:.1} |", log.changes);
}

fn settings(netbox: &str, prefix: &str) -> Vec<(String, String)> {
    let redis = std::env::var("RIR_LAB_REDIS_URL").unwrap();
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let set = [
        ("NETBOX__URL", netbox),
        ("NETBOX__TOKEN", "t"),
        ("QUEUE__URL", &redis),
        ("QUEUE__PREFIX", prefix),
        ("HTTP__LISTEN", &listen),
        ("WEBHOOK__DEBOUNCE", "10m"),
        ("WEBHOOK__DEBOUNCE_LONGEST", "10h"),
        ("SCHEDULE__ENABLED", "false"),
        ("SCHEDULE__TICK", "1s"),
        ("SWEEP__INTERVAL", "1h"),
        ("SWEEP__SETTLE", "0s"),
        ("TELEMETRY__LOG", "warn"),
    ];
    set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned())).into()
}

/// The last row that was read.
async fn read(coordination: &Coordination) -> u64 {
    let cursor = coordination.cursor("sweep").await.unwrap();
    let cursor: Value = cursor.map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default();
    cursor.get("read").and_then(Value::as_u64).unwrap_or_default()
}

/// A figure about a process, in MB.
fn memory(child: &Child, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// Serves what the sweep asks for.
async fn netbox(log: Log) -> String {
    let nothing = || async { Json(json!({ "count": 0, "results": [] })) };
    let router = Router::new()
        .route("/api/core/object-changes/", get(page))
        .route("/api/plugins/custom-objects/{list}/", get(nothing))
        .with_state(log);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

async fn page(State(log): State<Log>, Query(query): Query<Vec<(String, String)>>) -> Json<Value> {
    let asked = |name: &str| query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let (limit, last) = (asked("limit").and_then(|text| text.parse().ok()).unwrap_or(50), BEFORE + log.changes);
    if asked("ordering") == Some("-id") {
        return Json(json!({ "count": log.changes, "results": [{ "id": last }] }));
    }
    let after: u64 = asked("id__gt").and_then(|text| text.parse().ok()).unwrap_or(BEFORE);
    log.pages.fetch_add(1, Ordering::Relaxed);
    let rows: Vec<Value> = (after + 1..=last).take(limit).map(row).collect();
    Json(json!({ "count": last.saturating_sub(after), "results": rows }))
}

fn row(id: u64) -> Value {
    let snapshot = json!({
        "prefix": "23.144.0.0/24", "vrf": null, "tenant": 17, "status": "active", "role": 3, "is_pool": false,
        "mark_utilized": false, "description": "x".repeat(200), "comments": "y".repeat(400), "owner": null, "tags": ["edge"],
        "scope_type": "dcim.site", "scope": 12, "custom_fields": { "ticket": "CHG0012345", "reviewed": "2026-01-31" },
        "created": "2026-01-01T00:00:00Z", "last_updated": "2026-01-31T00:00:00Z",
    });
    // Half an hour ago: webhooks would have come, and all of it can be read.
    let time = Timestamp::now().checked_sub(SignedDuration::from_mins(30)).unwrap();
    json!({
        "id": id, "time": time.to_string(), "user_name": "importer", "request_id": format!("{id:032x}"),
        "action": { "value": "create", "label": "Created" }, "changed_object_type": "ipam.prefix",
        "changed_object_id": id, "prechange_data": if id.is_multiple_of(2) { Value::Null } else { json!({ "prefix": "x" }) },
        "postchange_data": snapshot,
    })
}
