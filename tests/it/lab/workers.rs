//! Types that are made or changed while a NetBox with several workers runs: the first sync after that writes everything,
//! and nobody has to restart NetBox.
//!
//! `RIR_LAB_TRIED_WORKERS` (4) says with how many workers, `RIR_LAB_TRIES` (1) how often each; `2,4,8` and `20` take an
//! hour. A line is printed for each try.

use std::{env, time::Instant};

use futures_util::future::join_all;
use rir_sandbox::world::World;
use rir_sidecar::{
    error_chain::error_chain,
    netbox::{
        Client, Error, objects_path,
        schema::{self, Document, TYPES, Workers},
    },
    sync::Verdict,
};
use serde_json::{Value, json};

use super::netbox::{settings, variable};
use crate::scene::{Scene, Target};

/// A field of each type that an older version did not have. No field that refers to another of the types comes after it:
/// that one would get another weight, and saving it has NetBox look at the other type anew.
const NEWER: [(&str, &str); 7] = [
    ("rir-config", "last_result"),
    ("rir-address", "country"),
    ("rir-organization", "raw_data"),
    ("rir-contact", "raw_data"),
    ("rir-network", "raw_data"),
    ("rir-customer", "raw_data"),
    ("rir-sync-log", "run"),
];
/// Requests that go out together, so that each worker takes some of them.
const AT_ONCE: usize = 12;

/// Runs the lab's script for the NetBox of these tests.
async fn lab(command: &str, workers: usize) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/lab.sh");
    let mut lab = tokio::process::Command::new(script);
    lab.args([command, "--name", &format!("workers{workers}")]).env("RIR_LAB_WORKERS", workers.to_string());
    let done = lab.stdout(std::process::Stdio::null()).status().await.unwrap();
    assert!(done.success(), "lab.sh {command}");
}

fn number(variable: &str, default: usize) -> usize {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// The types as an older version had them.
fn older() -> Document {
    let (mut slug, mut text) = (String::new(), String::new());
    for line in include_str!("../../../src/netbox/schema/types.toml").lines() {
        if let Some(name) = line.strip_prefix("slug = ") {
            slug = name.trim_matches('"').to_owned();
        }
        let newer = |(of, name): &(&str, &str)| *of == slug && line.contains(&format!("name = \"{name}\""));
        if !NEWER.iter().any(newer) {
            text += line;
            text += "\n";
        }
    }
    Document::parse(&text).unwrap()
}

async fn apply(client: &Client, document: &Document) {
    let plan = schema::plan(client, document).await.unwrap();
    schema::apply(client, &plan, true).await.unwrap();
}

/// Has each worker make its classes of these types, one after the other.
async fn look_at(client: &Client, slugs: impl Iterator<Item = &'static str>) -> Vec<Result<(), Error>> {
    let mut all = Vec::new();
    for slug in slugs {
        let path = objects_path(slug);
        let looks = (0..AT_ONCE).map(|_| client.list(&path, &[("fields", "id")]));
        all.extend(join_all(looks).await.into_iter().map(|rows| rows.map(drop)));
    }
    all
}

/// Installs or upgrades the types and syncs; returns what was wrong.
async fn trial(target: Target, upgrade: bool) -> Vec<String> {
    let begun = Instant::now();
    let client = Client::new(&settings(&target.url)).unwrap();
    if upgrade {
        apply(&client, &older()).await;
        for looked in look_at(&client, TYPES.into_iter()).await {
            looked.unwrap();
        }
    }
    apply(&client, Document::current()).await;
    if upgrade {
        // As somebody may who looks at NetBox's pages just then: what refers to a type before the type itself. A worker that
        // is behind may answer that with 500 (Custom Objects plugin 0.7.1): they are what the sync has to come through with.
        let is_behind = |error: &Error| error_chain(error).contains("Invalid field name");
        for looked in look_at(&client, TYPES.into_iter().rev()).await {
            looked.unwrap_or_else(|error| assert!(is_behind(&error), "{}", error_chain(&error)));
        }
    }
    let met = schema::ask_workers(&client, Document::current()).await.unwrap();
    let renewed = match &met {
        Workers::Current => Workers::Current,
        Workers::Stale(_) => schema::renew_workers(&client, Document::current()).await.unwrap(),
    };
    let applied = begun.elapsed();

    let scene = Scene::new(target, World::demo()).await;
    let run = scene.sync().await;
    let mut wrong: Vec<String> = run.all_failures().iter().map(|it| format!("{}: {}", it.handle, it.message)).collect();
    if renewed != Workers::Current {
        wrong.push(format!("workers: {renewed:?}"));
    }
    if run.verdict() != Verdict::Changed {
        wrong.push(format!("{:?}: {:?}", run.verdict(), run.ended));
    }
    // Workers that are new see what is really there.
    lab("restart", scene_workers(&scene)).await;
    let left = scene.left_to_do().await.to_string();
    wrong.extend((!left.is_empty()).then_some(left));
    for (key, row) in scene.rows("rir-address").await {
        wrong.extend(row["country"].is_null().then(|| format!("{key} has no country")));
    }
    for slug in ["rir-organization", "rir-contact", "rir-network", "rir-customer"] {
        for (handle, row) in scene.rows(slug).await {
            wrong.extend(row["raw_data"].is_null().then(|| format!("{handle} has no document")));
        }
    }
    let log = scene.rows_of("rir-sync-log").await;
    wrong.extend(log.iter().filter(|row| row["run"] == Value::Null).map(|row| format!("log {}", row["id"])));
    let config = scene.row_by_id("rir-config", scene.config).await;
    wrong.extend((config["last_result"]["value"] != json!("changed")).then(|| format!("config {config:?}")));
    println!(
        "{} workers, {}: met {met:?}; {} s for the types, {} s in all, {} requests to NetBox; wrong: {wrong:?}",
        scene_workers(&scene),
        if upgrade { "upgrade" } else { "install" },
        applied.as_secs(),
        begun.elapsed().as_secs(),
        run.netbox_requests,
    );
    wrong
}

fn scene_workers(scene: &Scene) -> usize {
    scene.netbox.name.trim_start_matches("workers").parse().unwrap()
}

async fn trials(upgrade: bool) {
    let tried = env::var("RIR_LAB_TRIED_WORKERS").unwrap_or_else(|_| "4".to_owned());
    let mut wrong = Vec::new();
    for workers in tried.split(',').map(|workers| workers.parse().unwrap()) {
        lab("netbox", workers).await;
        let folder = std::path::PathBuf::from(variable("RIR_LAB_DIR")).join(format!("netbox/workers{workers}"));
        let url = std::fs::read_to_string(folder.join("url")).unwrap().trim().to_owned();
        for _ in 0..number("RIR_LAB_TRIES", 1) {
            lab("reset", workers).await;
            let (url, name) = (url.clone(), format!("workers{workers}"));
            let target = Target { url, token: variable("RIR_LAB_NETBOX_TOKEN"), server: None, name };
            wrong.extend(trial(target, upgrade).await);
        }
        lab("stop", workers).await;
    }
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test]
async fn a_first_sync_after_an_install_writes_everything() {
    trials(false).await;
}

#[tokio::test]
async fn a_first_sync_after_an_upgrade_loses_nothing() {
    trials(true).await;
}
