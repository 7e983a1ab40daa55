//! The OpenAPI document: what is committed is what the code says, a linter has nothing to say about it, and what is served
//! behaves as it tells.
//!
//! `RIR_LAB_OPENAPI_TOOLS` names the folder of the tools (`tests/lab/lab.sh openapi`); their tests fail without it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use rir_sidecar::{
    http,
    queue::{Ending, Queue},
};
use serde_json::{Value, json};
use tokio::process::Command;

use super::Service;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");

#[test]
fn the_committed_document_is_that_of_the_code() {
    let document = http::openapi();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::create_dir_all(Path::new(COMMITTED).parent().unwrap()).unwrap();
        std::fs::write(COMMITTED, &document).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == document, "run `UPDATE_OPENAPI=1 cargo nextest run openapi`, and look at what changed");
}

/// All operations: path, method and what is said of them.
fn operations(document: &Value) -> Vec<(&String, &String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, op)| (path, method, op)))
        .collect()
}

#[test]
fn operations_are_named_by_verb_and_resource() {
    let document: Value = serde_json::from_str(&http::openapi()).unwrap();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(name.split_once('_').is_some(), "{method} {path}: {name}");
        assert!(names.insert(name), "{name} stands for two");
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{name} has no summary");
    }
    assert!(names.len() >= 18, "{names:?}");
}

#[test]
fn every_refusal_is_a_problem() {
    let document: Value = serde_json::from_str(&http::openapi()).unwrap();
    for (path, method, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.as_str() < "400" {
                continue;
            }
            let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{method} {path}: {status}");
        }
    }
}

fn tools() -> PathBuf {
    let Some(folder) = std::env::var_os("RIR_LAB_OPENAPI_TOOLS") else {
        panic!("RIR_LAB_OPENAPI_TOOLS is not set: it names the folder that `tests/lab/lab.sh openapi` prints");
    };
    folder.into()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn a_linter_has_nothing_to_say() {
    let tools = tools();
    let mut linter = Command::new(tools.join("venv/bin/node"));
    linter.arg(tools.join("node_modules/@redocly/cli/bin/cli.js")).args(["lint", "--config", "redocly.yaml"]);
    linter.arg("openapi.json").current_dir(Path::new(COMMITTED).parent().unwrap());
    linter.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    let output = linter.output().await.unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// Ends all jobs soon, so that streams of events end.
async fn work_off(queue: Queue) {
    loop {
        for claim in queue.claim("w", 10, Duration::from_millis(200)).await.unwrap() {
            let done = Ending::Done { result: json!({}), then: Vec::new() };
            queue.settle(&claim, done).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_served_behaves_as_the_document_says() {
    let service = Service::with(|settings| {
        // The tool cannot sign.
        settings.webhook.secret = "".into();
        settings.webhook.allow_unsigned = true;
        // It asks more often than a user may.
        settings.http.requests_per_minute = 0;
    })
    .await;
    let worker = tokio::spawn(work_off(service.queue.clone()));
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(tools().join("venv/bin/schemathesis"));
    command.args(["--config-file", concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/schemathesis.toml")]);
    command.args(["run", &service.url("/openapi.json"), "--seed", "1", "--no-color"]);
    command.args(["--header", &format!("Authorization: Bearer {}", service.ann)]);
    command.env("NO_PROXY", "127.0.0.1").current_dir(folder.path());
    let output = command.output().await.unwrap();
    worker.abort();
    assert!(output.status.success(), "{}", said(&output));
}
