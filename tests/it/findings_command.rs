//! `rir-sidecar findings`: what it lists, and how it ends.

use std::{fs, process::Output};

use rir_sandbox::{
    netbox::{Options, Server as Netbox, TOKEN},
    regrws::KEY,
};
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::{
    process::Means,
    scene::{CONFIG, ORG, Scene, Target, custom, small},
};

/// A day that has passed.
const PASSED: &str = "2026-01-31";
/// A day that has not.
const AHEAD: &str = "2126-01-31";

/// A NetBox with findings, and the command for it.
struct Findings {
    scene: Scene,
    means: Means,
    settings: NamedTempFile,
}

impl Findings {
    async fn new() -> Self {
        let scene = Scene::new(Target::sandbox().await, small()).await;
        let means = Means::new(&scene, KEY, &[]);
        let settings = NamedTempFile::new().unwrap();
        fs::write(settings.path(), "[findings]\nown_tenants = [\"example-networks\"]\n").unwrap();
        Self { scene, means, settings }
    }

    async fn record(&self, rows: Value) -> Vec<u64> {
        self.scene.add(&custom(schema::FINDING), rows).await
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let settings = self.settings.path().to_str().unwrap();
        self.means.run(&[&["--config", settings, "findings"], arguments].concat()).await
    }

    /// The subjects that it lists, and the exit code.
    async fn listed(&self, arguments: &[&str]) -> (Vec<String>, i32) {
        let done = self.run(&[arguments, &["--output", "json"]].concat()).await;
        let rows: Vec<Value> = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", err(&done)));
        let subjects = rows.iter().map(|row| row["subject"].as_str().unwrap().to_owned()).collect();
        (subjects, done.status.code().unwrap())
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn finding(config: u64, level: &str, subject: &str, due: &str) -> Value {
    let kind = if level == "info" { "voluntary" } else { "unregistered" };
    json!({
        "key": format!("{config} {subject}"), "config": config, "level": level, "kind": kind, "subject": subject,
        "due": due, "state": "open", "message": "It is not registered.",
    })
}

#[tokio::test]
async fn it_ends_with_3_when_an_open_finding_that_is_not_ignored_is_overdue() {
    let findings = Findings::new().await;
    let config = findings.scene.config.0;
    let ahead = findings.record(json!([finding(config, "notice", "23.144.1.0/24", AHEAD)])).await[0];
    assert_eq!(findings.listed(&[]).await, (vec!["23.144.1.0/24".to_owned()], 0), "there is time left");
    let path = custom(schema::FINDING);
    findings.scene.edit(&path, ahead, json!({ "due": PASSED })).await;
    assert_eq!(findings.listed(&[]).await, (vec!["23.144.1.0/24".to_owned()], 3));
    assert_eq!(findings.listed(&["--level", "info"]).await, (Vec::new(), 3), "also by what is not shown");
    findings.scene.edit(&path, ahead, json!({ "ignore": true })).await;
    assert_eq!(findings.listed(&[]).await, (Vec::new(), 0), "it is ignored");
    assert_eq!(findings.listed(&["--all"]).await, (vec!["23.144.1.0/24".to_owned()], 0));
    findings.scene.edit(&path, ahead, json!({ "ignore": false, "state": "resolved" })).await;
    assert_eq!(findings.listed(&[]).await, (Vec::new(), 0), "it is resolved");
    assert_eq!(findings.listed(&["--all"]).await, (vec!["23.144.1.0/24".to_owned()], 0));
}

#[tokio::test]
async fn it_lists_what_is_asked_for() {
    let findings = Findings::new().await;
    let (ours, rir) = (findings.scene.config.0, findings.scene.ids("ipam/rirs").await[0]);
    let other = findings.scene.add_config("other", ORG, rir).await.0;
    let rows = json!([
        finding(ours, "info", "23.144.3.0/24", AHEAD),
        finding(ours, "notice", "23.144.2.0/24", AHEAD),
        finding(other, "alert", "23.144.1.0/24", PASSED),
    ]);
    findings.record(rows).await;
    let (all, code) = findings.listed(&[]).await;
    assert_eq!((all.join(" ").as_str(), code), ("23.144.1.0/24 23.144.2.0/24 23.144.3.0/24", 3));
    assert_eq!(findings.listed(&["--kind", "voluntary", "overdue"]).await.0, ["23.144.3.0/24"]);
    assert_eq!(findings.listed(&["--kind", "voluntary", "--kind", "unregistered"]).await.0.len(), 3);
    assert_eq!(findings.listed(&["--level", "notice"]).await, (vec!["23.144.2.0/24".to_owned()], 3));
    let (of_ours, code) = findings.listed(&["--config-name", CONFIG]).await;
    assert_eq!(
        (of_ours.join(" ").as_str(), code),
        ("23.144.2.0/24 23.144.3.0/24", 0),
        "the other's is none of its business"
    );
    let unknown = findings.run(&["--config-name", "nobody"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(err(&unknown).contains("no RIR config \"nobody\"") && err(&unknown).contains(CONFIG), "{}", err(&unknown));
    let unknown = findings.run(&["--kind", "late"]).await;
    assert!(err(&unknown).contains("not-in-netbox"), "{}", err(&unknown));
}

#[tokio::test]
async fn each_form_tells_the_same() {
    let findings = Findings::new().await;
    let mut row = finding(findings.scene.config.0, "alert", "23.144.1.0/24", PASSED);
    row["message"] = json!("=1+1 is \"no\" name, and Caf\u{e9} is one");
    row["names"] = json!({ "prefix": "23.144.1.0/24", "network": "NET-1" });
    findings.record(json!([row])).await;
    let aggregate = findings.scene.ids("ipam/aggregates").await[0];
    let key = format!("{}:{aggregate}", findings.scene.config);
    let look = json!([{
        "key": key, "subject": "23.144.0.0/20", "config": findings.scene.config, "aggregate": aggregate, "complete": true,
        "looked_at": "2026-11-26T05:00:00Z", "source": "questions",
    }]);
    findings.scene.add(&custom(schema::LOOK), look).await;
    let table = findings.run(&[]).await;
    let shown = out(&table);
    for part in
        ["alert", PASSED, "unregistered", "23.144.1.0/24", "Caf\u{e9}", "1 alert. 1 is overdue.", "by questions only"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "no colours in a file: {shown}");
    let json = findings.run(&["--output", "json"]).await;
    let rows: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (&rows[0]["network"], &rows[0]["config_name"], &rows[0]["customer"]),
        (&json!("NET-1"), &json!(CONFIG), &Value::Null)
    );
    assert!(err(&json).contains("example-networks") && err(&json).contains("by questions only"), "{}", err(&json));
    let csv = findings.run(&["--output", "csv"]).await;
    let text = out(&csv);
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("level,kind,subject,due,message,"), "{text}");
    let begin = format!(
        "alert,unregistered,23.144.1.0/24,{PASSED},\"'=1+1 is \"\"no\"\" name, and Caf\u{e9} is one\",23.144.1.0/24,,NET-1,"
    );
    assert!(lines.next().unwrap().starts_with(&begin), "{text}");
    assert_eq!((lines.next(), csv.status.code()), (None, Some(3)));
}

#[tokio::test]
async fn nothing_found_says_whether_anybody_knows_who_the_customers_are() {
    let findings = Findings::new().await;
    let done = findings.run(&[]).await;
    assert!(out(&done).contains("Nothing was found."), "{}", out(&done));
    assert!(out(&done).contains("Your own tenants: example-networks."), "{}", out(&done));
    let unset = findings.means.run(&["findings"]).await;
    assert!(out(&unset).contains("findings.own_tenants is not set"), "{}", out(&unset));
    assert_eq!((done.status.code(), unset.status.code()), (Some(0), Some(0)));
}

#[tokio::test]
async fn a_netbox_without_the_types_is_told_from_one_without_findings() {
    let findings = Findings::new().await;
    let bare = Netbox::start(Options::default()).await.unwrap();
    let done = Means::new(&findings.scene, KEY, &[("NETBOX__URL", &bare.url()), ("NETBOX__TOKEN", TOKEN)])
        .run(&["findings"])
        .await;
    assert_eq!(done.status.code(), Some(2), "{}", err(&done));
    assert!(err(&done).contains("run `rir-sidecar bootstrap`"), "{}", err(&done));
}
