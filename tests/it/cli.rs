//! The command as a person or a script runs it: arguments, output, exit codes, signals.

use std::{
    os::unix::fs::PermissionsExt,
    process::{Output, Stdio},
    time::Duration,
};

use rir_sandbox::{
    netbox::{Action, Grant, Server as NetboxServer, TokenLimit},
    regrws::{Fault, KEY, Operation, Rule},
};
use rir_sidecar::netbox::{Need, needs, schema};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::{
    process::{Means, free_address, until},
    scene::{CONFIG, Scene, Target, custom, small},
};

/// A scene and the files the command needs for it.
struct Bench {
    scene: Scene,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let scene = Scene::new(Target::sandbox().await, small()).await;
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.toml");
        std::fs::write(&keys, format!("[[key]]\nconfig = \"{CONFIG}\"\nuser = \"ann\"\napi_key = \"{KEY}\"\n"))
            .unwrap();
        std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o600)).unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, &scene.netbox.token).unwrap();
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
        let settings = format!(
            "[netbox]\nurl = \"{}\"\ntoken_file = {token:?}\n[keys]\nfile = {keys:?}\n[arin]\nallowed_base_urls = [\"{}\"]\n\
             requests_per_second = 0\nretry_count = 1\nretry_backoff = \"5ms\"\n",
            scene.netbox.url,
            scene.arin.url(),
        );
        std::fs::write(folder.path().join("settings.toml"), settings).unwrap();
        Self { scene, folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.env_clear().arg("--config").arg(self.folder.path().join("settings.toml")).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Lets the command work as a user of its own, who may do all that a sync needs.
    fn as_a_user_of_its_own(&self) -> &NetboxServer {
        let server = self.scene.netbox.server.as_ref().unwrap();
        let all = [Action::View, Action::Add, Action::Change, Action::Delete];
        let list = |need: Need| need.path.trim_start_matches("/api/").trim_end_matches('/').to_owned();
        let grants = needs(true, &self.scene.settings).into_iter().map(|need| Grant::new(&list(need), &all));
        let token = server.add_user("sidecar", grants.collect());
        std::fs::write(self.folder.path().join("token"), token).unwrap();
        server
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().await.unwrap()
    }
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn document(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap_or_else(|_| panic!("{}{}", out(output), err(output)))
}

#[tokio::test]
async fn a_sync_prints_a_table_and_one_line_a_phase() {
    let bench = Bench::new().await;
    let done = bench.run(&["sync", "--all"]).await;
    assert_eq!(code(&done), Some(0), "{}", err(&done));
    assert!(out(&done).contains("network"), "{}", out(&done));
    assert!(err(&done).lines().any(|line| line == format!("{CONFIG}: looking up aggregates and prefixes")));
    assert!(err(&done).lines().count() < 8, "{}", err(&done));
}

#[tokio::test]
async fn a_sync_says_in_a_line_what_its_findings_are_or_why_there_are_none() {
    let bench = Bench::new().await;
    let row = json!({ "key": "arin:stale/prefix 198.51.100.0/24", "subject": "198.51.100.0/24", "kind": "stale",
                      "level": "notice", "state": "open", "config": bench.scene.config, "names": {} });
    let ids = bench.scene.add(&custom(schema::FINDING), json!([row])).await;
    let line = |output: &Output| {
        out(output).lines().find(|line| line.starts_with("Findings: ")).map(str::to_owned).unwrap_or_default()
    };
    let done = bench.run(&["sync", "--all"]).await;
    assert_eq!(code(&done), Some(0), "{}", err(&done));
    assert!(line(&done).ends_with(" 0 overdue") && line(&done).contains("alerts"), "{}", out(&done));
    let row = bench.scene.row_by_id(schema::FINDING, rir_sidecar::model::RowId(ids[0])).await;
    assert_eq!(row["state"]["value"], "resolved");
    let server = bench.scene.netbox.server.as_ref().unwrap();
    let refused = rir_sandbox::netbox::Fault::Status(403);
    server.fail(rir_sandbox::netbox::Rule::new(refused).path(schema::FINDING));
    let failed = bench.run(&["sync", "--all"]).await;
    assert_eq!(code(&failed), Some(0), "a sync is no worse for it");
    assert!(line(&failed).starts_with("Findings: not refreshed: could not read"), "{}", out(&failed));
    let as_json = bench.run(&["sync", "--all", "--output", "json"]).await;
    assert_eq!(document(&as_json)["result"], "unchanged");
    assert!(err(&as_json).contains("warning: the findings were not refreshed"), "{}", err(&as_json));
    let preview = bench.run(&["sync", "--all", "--plan-only"]).await;
    assert_eq!(line(&preview), "", "a preview leaves everything as it is");
}

#[tokio::test]
async fn json_is_one_document_with_what_happened() {
    let bench = Bench::new().await;
    let document = document(&bench.run(&["sync", "--config-name", CONFIG, "--output", "json"]).await);
    let run = &document["runs"][0];
    assert_eq!((&document["result"], &run["result"]), (&json!("changed"), &json!("changed")));
    assert_eq!(
        run["counts"]["network"],
        json!({
            "created": 3, "updated": 0, "retired": 0, "unchanged": 0, "skipped": 0, "failed": 0
        })
    );
    assert_eq!(run["arin_requests"], json!(bench.scene.arin.requests().total()));
    assert!(run["netbox_requests"].as_u64().unwrap() > 8 && run["duration_seconds"].as_f64().unwrap() > 0.0);
    assert!(!run["run_id"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_preview_prints_a_diff_and_writes_nothing() {
    let bench = Bench::new().await;
    let done = bench.run(&["sync", "--all", "--plan-only"]).await;
    assert_eq!(code(&done), Some(0));
    assert!(out(&done).contains("+ network NET-23-144-2-0-1\n"), "{}", out(&done));
    assert_eq!(bench.scene.census().await["rir-network"], 0);
    let changes = document(&bench.run(&["sync", "--all", "--plan-only", "--output", "json"]).await);
    assert!(changes["runs"][0]["changes"].as_array().unwrap().len() > 10);
}

#[tokio::test]
async fn a_sync_by_a_digest_writes_what_the_preview_showed_or_nothing() {
    let bench = Bench::new().await;
    let preview = document(&bench.run(&["sync", "--all", "--plan-only", "--output", "json"]).await);
    let digest = preview["runs"][0]["digest"].as_str().unwrap();
    assert_eq!(preview["runs"][0]["result"], "changed");
    let done = bench.run(&["sync", "--all", "--resource", "contacts", "--plan", digest]).await;
    assert_eq!(code(&done), Some(1), "the plan of all kinds is not that of one");
    assert!(out(&done).contains("refused: plan-differs: the plan is sha256-"), "{}", out(&done));
    assert_eq!(bench.scene.census().await["rir-contact"], 0);
    let done = bench.run(&["sync", "--all", "--plan", digest, "--output", "json"]).await;
    assert_eq!((code(&done), &document(&done)["result"]), (Some(0), &json!("changed")));
    assert_eq!(document(&done)["runs"][0]["counts"], preview["runs"][0]["counts"]);
    let again = bench.run(&["sync", "--all", "--plan", digest]).await;
    assert_eq!(code(&again), Some(1), "it was written, so that nothing is left of it");
    assert_eq!(code(&bench.run(&["sync", "--all", "--plan", "sha256-0a"]).await), Some(2));
}

#[tokio::test]
async fn some_failed_objects_are_exit_code_3_and_are_listed() {
    let bench = Bench::new().await;
    bench.scene.arin.fail(Rule::new(Fault::Status(503)).on(Operation::Customer));
    let done = bench.run(&["sync", "--all", "--output", "json"]).await;
    assert_eq!(code(&done), Some(3));
    let failure = &document(&done)["runs"][0]["failures"][0];
    assert_eq!((&failure["type"], &failure["handle"]), (&json!("customer"), &json!("C00000001")));
    assert!(failure["message"].as_str().unwrap().contains("503"), "{failure}");
}

#[tokio::test]
async fn a_failed_config_is_exit_code_1_with_one_clear_sentence() {
    let bench = Bench::new().await;
    bench.scene.arin.configure(|options| options.keys.clear());
    let done = bench.run(&["sync", "--all"]).await;
    assert_eq!(code(&done), Some(1));
    assert_eq!(out(&done).matches("failed: ").count(), 1, "{}", out(&done));
    assert!(!(out(&done) + &err(&done)).contains(KEY), "the key is not shown");
}

#[tokio::test]
async fn wrong_usage_is_exit_code_2_and_says_what_is_right() {
    let bench = Bench::new().await;
    for arguments in [&["sync"][..], &["sync", "--all", "--aggregate", "1"], &["sync", "--all", "--resource", "nets"]] {
        assert_eq!(code(&bench.run(arguments).await), Some(2), "{arguments:?}");
    }
    let unknown = bench.run(&["sync", "--config-name", "nobody"]).await;
    assert_eq!(code(&unknown), Some(2));
    assert!(err(&unknown).contains(CONFIG), "names what there is: {}", err(&unknown));
    let nowhere = bench.run(&["sync", "--prefix", "999999"]).await;
    assert_eq!((code(&nowhere), err(&nowhere).contains("999999")), (Some(2), true));
    let mut command = bench.command(&["sync", "--all"]);
    let settings = command.env("RIR_SIDECAR__ARIN__BURTS", "1").output().await.unwrap();
    assert_eq!((code(&settings), err(&settings).contains("arin.burts")), (Some(2), true));
}

#[tokio::test]
async fn ctrl_c_finishes_what_is_under_way_and_is_recorded() {
    let bench = Bench::new().await;
    bench.scene.arin.configure(|options| options.latency = Duration::from_millis(300));
    let running = bench.command(&["sync", "--all"]).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let interrupted = Command::new("kill").args(["-INT", &running.id().unwrap().to_string()]).status().await.unwrap();
    assert!(interrupted.success());
    let done = running.wait_with_output().await.unwrap();
    assert_eq!(code(&done), Some(130), "{}", err(&done));
    let config = bench.scene.rows_of(schema::CONFIG).await.remove(0);
    assert_eq!(config["last_result"]["value"], "interrupted");
    bench.scene.arin.configure(|options| options.latency = Duration::ZERO);
    assert_eq!(code(&bench.run(&["sync", "--all"]).await), Some(0));
    assert_eq!(bench.scene.left_to_do().await.to_string(), "");
}

#[tokio::test]
async fn check_names_what_is_wrong_and_what_to_do() {
    let bench = Bench::new().await;
    let good = bench.run(&["check"]).await;
    assert_eq!(code(&good), Some(0), "{}", out(&good));
    assert!(!out(&good).contains("FAILED"));
    let keys = bench.folder.path().join("keys.toml");
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = bench.run(&["check"]).await;
    assert_eq!(code(&exposed), Some(2));
    let told = out(&exposed).replace("│", " ");
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("open to everybody"), "{told}");
}

#[tokio::test]
async fn a_check_of_the_settings_only_asks_nobody_and_tells_all_that_is_wrong() {
    let bench = Bench::new().await;
    let check = async |environment: &[(&str, &str)]| {
        let mut command = bench.command(&["check", "--settings-only"]);
        // Nobody answers there.
        command.env("RIR_SIDECAR__NETBOX__URL", "http://127.0.0.1:9/");
        command.envs(environment.iter().map(|(name, value)| (format!("RIR_SIDECAR__{name}"), *value)));
        command.output().await.unwrap()
    };
    let good = check(&[]).await;
    assert_eq!(code(&good), Some(0), "{}", err(&good));
    assert!(out(&good).starts_with("The settings can be used; ") && out(&good).contains("has 1 API key"));
    assert_eq!(bench.scene.arin.requests().total(), 0);

    let keys = bench.folder.path().join("keys.toml");
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = check(&[]).await;
    assert_eq!(code(&exposed), Some(2));
    assert!(err(&exposed).contains("keys.file: ") && err(&exposed).contains("open to everybody"), "{}", err(&exposed));
    let wrong = check(&[("ARIN__BURTS", "1"), ("WEBHOOK__SECRET", "short"), ("NETBOX__CA_FILE", "/nowhere")]).await;
    assert_eq!(code(&wrong), Some(2));
    for told in ["arin.burts", "webhook.secret", "netbox.ca_file", "keys.file: "] {
        assert!(err(&wrong).contains(told), "{told}: {}", err(&wrong));
    }
}

#[tokio::test]
async fn a_check_of_the_settings_only_makes_what_they_describe() {
    let bench = Bench::new().await;
    let mut command = bench.command(&["check", "--settings-only"]);
    for (name, value) in [("TELEMETRY__LOG", "rir_sidecar=loud"), ("QUEUE__URL", "redis.example.net:6379")] {
        command.env(format!("RIR_SIDECAR__{name}"), value);
    }
    let done = command.output().await.unwrap();
    assert_eq!(code(&done), Some(2), "{}", err(&done));
    for told in ["telemetry.log", "queue.url"] {
        assert!(err(&done).contains(told), "{told}: {}", err(&done));
    }
}

#[tokio::test]
async fn check_passes_on_what_netbox_says_of_the_token() {
    let bench = Bench::new().await;
    let server = bench.as_a_user_of_its_own();
    assert_eq!(code(&bench.run(&["check"]).await), Some(0));
    for (limit, reason, remedy) in [
        (TokenLimit::Disabled, "Token disabled", "make the token valid in NetBox"),
        (TokenLimit::Expired, "Token expired", "make the token valid in NetBox"),
        (TokenLimit::OtherAddresses, "Source IP 127.0.0.1 is not permitted", "make the token valid in NetBox"),
        (TokenLimit::ReadOnly, "NetBox lets it only read", "switch on \"Write enabled\""),
    ] {
        assert!(server.limit_token("sidecar", Some(limit)));
        let done = bench.run(&["check"]).await;
        let told = out(&done).replace(['│', '┆'], " ");
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code(&done), Some(2), "{told}");
        assert!(told.contains(reason) && told.contains(remedy), "{reason}, {remedy}: {told}");
        assert!(!told.contains("may not"), "the permissions are not what is wrong: {told}");
    }
}

#[tokio::test]
async fn a_service_says_at_its_start_what_is_wrong_with_its_token() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let server = scene.netbox.server.as_ref().unwrap();
    let token = server.add_user("sidecar", Vec::new());
    for (limit, told) in [
        (TokenLimit::OtherAddresses, "Source IP 127.0.0.1 is not permitted to authenticate using this token."),
        (TokenLimit::ReadOnly, "NetBox lets the token of rir-sidecar only read"),
    ] {
        server.limit_token("sidecar", Some(limit));
        let means = Means::new(&scene, KEY, &[("NETBOX__TOKEN", &token)]);
        let process = means.start(&["serve"]).await;
        until("it is told", async || means.said().contains(told)).await;
        process.end().await;
    }
}

/// Whoever starts a command again and again may give up on 2.
#[tokio::test]
async fn what_only_a_person_mends_is_exit_code_2() {
    let bench = Bench::new().await;
    std::fs::write(bench.folder.path().join("token"), "nbt_unknown00001.0123456789abcdefghijklmnopqrstuvwxyzABCD")
        .unwrap();
    for target in [&["--all"][..], &["--aggregate", "1"]] {
        let refused = bench.run(&[&["sync"], target].concat()).await;
        assert_eq!(code(&refused), Some(2), "{}", err(&refused));
    }
    let bench = Bench::new().await;
    let commands = [
        ("queue.url", &["serve"][..]),
        ("queue.url", &["sync", "--all"]),
        ("queue.url", &["jobs", "list"]),
        ("queue.url", &["check"]),
        ("keys.toml", &["serve"]),
    ];
    for (wrong, arguments) in commands {
        let mut command = bench.command(arguments);
        command.env("RIR_SIDECAR__HTTP__LISTEN", free_address());
        if wrong == "queue.url" {
            command.env("RIR_SIDECAR__QUEUE__URL", "redis://127.0.0.1:0/no-number");
        } else {
            std::fs::write(bench.folder.path().join("keys.toml"), "[[key]]\nconfig = 1\n").unwrap();
        }
        let ended = command.output().await.unwrap();
        let told = format!("{}{}", out(&ended), err(&ended));
        assert_eq!((code(&ended), told.contains(wrong)), (Some(2), true), "{arguments:?}: {told}");
    }
}

#[tokio::test]
async fn what_may_pass_is_exit_code_1() {
    let bench = Bench::new().await;
    let nowhere = free_address();
    let (redis, netbox) = (format!("redis://{nowhere}/"), format!("http://{nowhere}/"));
    for (name, url, arguments) in [
        ("QUEUE__URL", &redis, &["jobs", "list"][..]),
        ("QUEUE__URL", &redis, &["check"]),
        ("NETBOX__URL", &netbox, &["check"]),
    ] {
        let mut command = bench.command(arguments);
        command.env("RIR_SIDECAR__HTTP__LISTEN", free_address()).env(format!("RIR_SIDECAR__{name}"), url);
        let ended = command.output().await.unwrap();
        assert_eq!(code(&ended), Some(1), "{arguments:?}: {}{}", out(&ended), err(&ended));
    }
}

#[tokio::test]
async fn a_run_with_a_token_that_may_only_read_says_so() {
    let bench = Bench::new().await;
    let server = bench.as_a_user_of_its_own();
    server.limit_token("sidecar", Some(TokenLimit::ReadOnly));
    let done = bench.run(&["sync", "--all"]).await;
    assert!(out(&done).contains("the token has to be valid and write-enabled"), "{}", out(&done));
    server.limit_token("sidecar", Some(TokenLimit::Expired));
    let done = bench.run(&["sync", "--all"]).await;
    assert!(err(&done).contains("Token expired"), "{}", err(&done));
}

#[tokio::test]
async fn bootstrap_says_when_there_is_nothing_to_do() {
    let bench = Bench::new().await;
    let done = bench.run(&["bootstrap"]).await;
    assert_eq!((code(&done), out(&done).contains("nothing to do")), (Some(0), true), "{}", out(&done));
}

#[tokio::test]
async fn a_config_that_is_switched_off_is_left_out_unless_it_is_named() {
    let bench = Bench::new().await;
    bench.scene.edit(&custom(schema::CONFIG), bench.scene.config.0, json!({ "is_active": false })).await;
    let none = bench.run(&["sync", "--all"]).await;
    assert_eq!((code(&none), err(&none).contains("nothing to sync")), (Some(0), true));
    assert_eq!(bench.scene.arin.requests().total(), 0);
    assert_eq!(code(&bench.run(&["sync", "--config-name", CONFIG]).await), Some(0));
}

#[tokio::test]
async fn the_sandbox_says_where_its_public_listing_is() {
    // Fails when another test of this process was first, which is just as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    command.env_clear().args(["sandbox", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut sandbox = command.spawn().unwrap();
    let mut lines = BufReader::new(sandbox.stdout.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(url) = line.strip_prefix("Public listing of its nets, which takes no key: ") {
            break url.to_owned();
        }
    };
    let net = reqwest::get(format!("{url}/cidr/23.144.2.0/24")).await.unwrap().text().await.unwrap();
    assert!(net.contains("<handle>NET-23-144-2-0-1</handle>"), "{net}");
}

#[tokio::test]
async fn the_demo_ends_by_itself_and_well() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    let done = command.env_clear().arg("demo").output().await.unwrap();
    assert_eq!(code(&done), Some(0), "{}", err(&done));
    let said = out(&done);
    assert!(said.contains("example-arin: unchanged"), "{said}");
    let (_, findings) = said.split_once("== findings").unwrap();
    for kind in ["overdue", "not-in-netbox", "customer-name"] {
        assert!(findings.contains(kind), "{kind}: {findings}");
    }
    let (_, change) = said.split_once("== requests prepare --finding").unwrap();
    let (change, left) = change.split_once("== findings --kind overdue\n").unwrap();
    for word in ["waiting", "PUT /rest/net/NET-23-144-0-0-1/reassign", "approved", "done", "NET-23-144-7-128-1"] {
        assert!(change.contains(word), "{word}: {change}");
    }
    assert!(left.contains("Nothing was found."), "what was asked for settles it: {left}");
    let (_, mirror) = left.split_once("== irr update EXAMPLE-RR").unwrap();
    let (taken, followed) = mirror.split_once("== irr update EXAMPLE-RR").unwrap();
    for words in
        ["took a dump with 3 objects, serial 1000", "203.0.113.7/24", "│ EXAMPLE-RR    ┆ fresh ┆   1000 ┆       3 │"]
    {
        assert!(taken.contains(words), "{words}: {taken}");
    }
    for words in ["took 2 changes, serial 1002", "origin:         AS64511"] {
        assert!(followed.contains(words), "{words}: {followed}");
    }
    let (_, judged) = followed.split_once("== bootstrap --routing").unwrap();
    let (before, after) = judged.split_once("== The route object is made").unwrap();
    for (said, words) in
        [(before, ["danger", "missing"]), (after, ["took 1 change, serial 1003", "AS64496 in EXAMPLE-RR"])]
    {
        words.iter().for_each(|words| assert!(said.contains(words), "{words}: {said}"));
    }
    assert!(!after.contains("missing"), "{after}");
}
