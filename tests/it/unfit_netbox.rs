//! Syncs with a NetBox that is not fit to write: workers with an older form of a type, maintenance mode, rows that one
//! may not write, duplicates that are told by name.

use rir_sandbox::{
    netbox::{Action, Fault, Flaw, Grant, OldForm, Rule, Server},
    regrws::KEY,
    world::World,
};
use rir_sidecar::{
    model::RowId,
    netbox::{
        Client,
        schema::{self, Document, Workers},
    },
    sync::{SyncRun, Verdict},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    process::{Means, until},
    scene::{CONFIG, Scene, Target, custom, small},
};

const NETWORK: &str = "rir-network";

fn server(scene: &Scene) -> &Server {
    scene.netbox.server.as_ref().unwrap()
}

/// Gives one of several workers of NetBox's an older form of a type.
fn one_is_old(scene: &Scene, workers: usize, slug: &str, flaw: Flaw) {
    server(scene).configure(|options| {
        options.workers = workers;
        options.old_forms = vec![OldForm::new(workers - 1, slug, flaw)];
    });
}

/// Lets the sidecar be a user who may do what a sync needs, and not change types.
fn may_not_change_types(scene: &mut Scene) {
    let lists = schema::TYPES.map(custom).into_iter().chain(["ipam/aggregates", "ipam/prefixes"].map(str::to_owned));
    let all = [Action::View, Action::Add, Action::Change, Action::Delete];
    let token = server(scene).add_user("sidecar", lists.map(|list| Grant::new(&list, &all)).collect());
    scene.settings.netbox.token = token.as_str().into();
}

fn first_failure(run: &SyncRun) -> String {
    run.all_failures().into_iter().next().unwrap().message
}

/// Looks at the rows by workers that know the types.
async fn networks_are_whole(scene: &Scene) {
    server(scene).configure(|options| options.old_forms.clear());
    let networks = scene.rows(NETWORK).await;
    assert_eq!(networks.len(), 3);
    for (handle, row) in networks {
        assert!(!row["raw_data"].is_null() && !row["digest"].is_null(), "{handle}");
    }
    assert_eq!(scene.left_to_do().await.to_string(), "");
}

#[tokio::test]
async fn a_worker_that_lacks_a_field_loses_nothing() {
    for workers in [1, 2, 4] {
        let scene = Scene::new(Target::sandbox().await, small()).await;
        one_is_old(&scene, workers, NETWORK, Flaw::Lacks("raw_data".into()));
        let run = scene.sync().await;
        assert_eq!((run.verdict(), run.all_failures()), (Verdict::Changed, vec![]), "{workers} workers");
        networks_are_whole(&scene).await;
    }
}

#[tokio::test]
async fn a_worker_that_takes_no_reference_costs_no_row() {
    for workers in [1, 2, 4] {
        let scene = Scene::new(Target::sandbox().await, small()).await;
        one_is_old(&scene, workers, "rir-contact", Flaw::Refuses("organization".into()));
        let run = scene.sync().await;
        assert_eq!((run.verdict(), run.all_failures()), (Verdict::Changed, vec![]), "{workers} workers");
        server(&scene).configure(|options| options.old_forms.clear());
        assert!(scene.rows("rir-contact").await.values().all(|row| !row["organization"].is_null()));
    }
}

#[tokio::test]
async fn a_user_who_may_not_change_types_has_another_worker_write_it() {
    for flaw in [Flaw::Lacks("raw_data".into()), Flaw::Refuses("organization".into())] {
        let mut scene = Scene::new(Target::sandbox().await, small()).await;
        may_not_change_types(&mut scene);
        one_is_old(&scene, 3, NETWORK, flaw.clone());
        let run = scene.sync().await;
        assert_eq!((run.verdict(), run.all_failures()), (Verdict::Changed, vec![]), "{flaw:?}");
        networks_are_whole(&scene).await;
    }
}

#[tokio::test]
async fn what_no_worker_writes_whole_is_written_by_the_next_run() {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    may_not_change_types(&mut scene);
    one_is_old(&scene, 1, NETWORK, Flaw::Lacks("raw_data".into()));
    let run = scene.sync().await;
    assert_eq!(run.verdict(), Verdict::Partial);
    assert!(first_failure(&run).contains("restart NetBox's web workers"), "{}", first_failure(&run));
    assert!(run.may_pass().is_some());
    assert!(scene.rows(NETWORK).await.values().all(|row| row["digest"].is_null()));
    server(&scene).configure(|options| options.old_forms.clear());
    assert_eq!(scene.sync().await.verdict(), Verdict::Changed);
    networks_are_whole(&scene).await;
}

#[tokio::test]
async fn an_address_that_no_worker_writes_whole_is_made_anew_by_the_next_run() {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    may_not_change_types(&mut scene);
    one_is_old(&scene, 1, "rir-address", Flaw::Lacks("country".into()));
    let run = scene.sync().await;
    assert_eq!(run.verdict(), Verdict::Partial);
    server(&scene).configure(|options| options.old_forms.clear());
    assert_eq!(scene.sync().await.verdict(), Verdict::Changed);
    for row in scene.rows_of("rir-organization").await {
        let address = scene.row_by_id("rir-address", RowId(row["address"]["id"].as_u64().unwrap())).await;
        assert!(!address["country"].is_null(), "{address:?}");
    }
}

#[tokio::test]
async fn old_forms_are_found_and_renewed() {
    for (slug, flaw, told) in [
        (NETWORK, Flaw::Lacks("cidrs".into()), "rir-network: cidrs missing"),
        ("rir-customer", Flaw::Refuses("network".into()), "rir-customer: Cannot assign"),
    ] {
        let scene = Scene::new(Target::sandbox().await, small()).await;
        scene.sync().await;
        let (census, changes) = (scene.census().await, scene.list("core/object-changes", "limit=1").await);
        let client = Client::new(&scene.settings.netbox).unwrap();
        assert_eq!(schema::ask_workers(&client, Document::current()).await.unwrap(), Workers::Current);
        one_is_old(&scene, 4, slug, flaw);
        let Workers::Stale(found) = schema::ask_workers(&client, Document::current()).await.unwrap() else {
            panic!("{slug} is not found")
        };
        assert!(found.starts_with(told), "{found}");
        assert_eq!(schema::renew_workers(&client, Document::current()).await.unwrap(), Workers::Current);
        assert_eq!(schema::ask_workers(&client, Document::current()).await.unwrap(), Workers::Current);
        assert_eq!((scene.census().await, scene.list("core/object-changes", "limit=1").await), (census, changes));
    }
}

#[tokio::test]
async fn all_types_are_made_in_one_request() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    assert_eq!(server(&scene).requests().count("POST", "schema/apply"), 1);
}

#[tokio::test]
async fn maintenance_mode_ends_the_run_with_one_sentence() {
    let scene = Scene::new(Target::sandbox().await, World::demo()).await;
    let error = "NetBox is currently operating in maintenance mode and is unable to perform write operations.";
    let fault = Fault::Exception { exception: "InternalError".into(), error: error.into() };
    for method in ["POST", "PATCH", "DELETE"] {
        server(&scene).fail(Rule::new(fault.clone()).method(method));
    }
    server(&scene).forget_requests();
    let run = scene.sync().await;
    let writes = server(&scene).requests().writes();
    assert!(writes <= 6, "{writes} writes");
    assert_eq!(run.verdict(), Verdict::Failed);
    assert!(run.reason().unwrap().contains(error) && run.may_pass().is_some(), "{:?}", run.ended);
    server(&scene).heal();
    assert_eq!(scene.sync().await.verdict(), Verdict::Changed);
}

#[tokio::test]
async fn a_failure_that_is_the_same_for_all_rows_ends_the_run() {
    let scene = Scene::new(Target::sandbox().await, World::demo()).await;
    let fault = Fault::Exception { exception: "RuntimeError".into(), error: "A hook of ours failed.".into() };
    server(&scene).fail(Rule::new(fault).method("POST").path(NETWORK));
    server(&scene).forget_requests();
    let run = scene.sync().await;
    let asked = server(&scene).requests();
    assert!(asked.count("POST", NETWORK) <= 8, "{} requests", asked.count("POST", NETWORK));
    assert_eq!(run.verdict(), Verdict::Failed);
    assert!(run.reason().unwrap().contains("A hook of ours failed."), "{:?}", run.ended);
}

#[tokio::test]
async fn a_failure_over_one_row_is_that_rows() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let handle = "NET-23-144-1-0-1";
    let fault = Fault::ForbidRow { field: "handle".into(), value: handle.into() };
    server(&scene).fail(Rule::new(fault).path(NETWORK));
    let run = scene.sync().await;
    let failed: Vec<String> = run.all_failures().into_iter().map(|failure| failure.handle).collect();
    assert_eq!((run.verdict(), failed), (Verdict::Partial, vec![handle.to_owned()]));
    assert!(first_failure(&run).contains("it may not be written: POST"), "{}", first_failure(&run));
    server(&scene).heal();
    assert_eq!(scene.sync().await.verdict(), Verdict::Changed);
}

#[tokio::test]
async fn a_duplicate_that_is_told_by_name_is_adopted() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    scene.sync().await;
    let [id, row] = {
        let row = scene.rows(NETWORK).await.remove("NET-23-144-1-0-1").unwrap();
        [row["id"].clone(), Value::Object(row)]
    };
    server(&scene).configure(|options| options.names_duplicates = true);
    let client = Client::new(&scene.settings.netbox).unwrap();
    let draft = |key: &Value, name: &str| {
        let body = json!({ "key": key, "handle": "NET-1", "net_name": name });
        rir_sidecar::netbox::Draft { key: key.as_str().unwrap().to_owned(), body: body.as_object().cloned().unwrap() }
    };
    let writer = client.writer(NETWORK, "test").linking(&["handle"]);
    for drafts in [vec![draft(&row["key"], "ONE")], vec![draft(&json!("new"), "NEW"), draft(&row["key"], "TWO")]] {
        let name = drafts.last().unwrap().body["net_name"].clone();
        let outcomes = writer.create(drafts).await;
        let last = outcomes.last().unwrap().as_ref().unwrap();
        assert_eq!((json!(last.id), last.adopted), (id.clone(), true));
        let now = scene.row(NETWORK, "NET-23-144-1-0-1").await;
        assert_eq!(now["net_name"], name);
    }
}

#[tokio::test]
async fn check_and_bootstrap_tell_of_old_forms() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    one_is_old(&scene, 2, NETWORK, Flaw::Lacks("cidrs".into()));
    let run = async |token: &str, command: &str| {
        let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        program.env_clear().env("RIR_SIDECAR__NETBOX__URL", &scene.netbox.url);
        program.env("RIR_SIDECAR__NETBOX__TOKEN", token).arg(command);
        let output = program.output().await.unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let told = run(&scene.netbox.token, "check").await;
    assert!(told.contains("rir-network: cidrs missing") && told.contains("rir-sidecar bootstrap"), "{told}");
    let told = run(&scene.netbox.token, "bootstrap").await;
    assert!(told.contains("nothing to do") && !told.contains("Restart"), "{told}");
    assert!(!run(&scene.netbox.token, "check").await.contains("cidrs missing"));
    assert_eq!(scene.rows_of(schema::CONFIG).await[0]["name"], CONFIG);
}

/// Where `bootstrap` is a job that succeeded, nobody sees what it says.
#[tokio::test]
async fn a_service_tells_at_its_start_of_a_worker_that_only_a_restart_mends() {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    may_not_change_types(&mut scene);
    one_is_old(&scene, 2, NETWORK, Flaw::Lacks("cidrs".into()));
    let token = scene.settings.netbox.token.now();
    let means = Means::new(&scene, KEY, &[("NETBOX__TOKEN", token.expose_secret())]);
    let process = means.start(&["serve"]).await;
    let told = || means.said().contains("older form of a type (rir-network: cidrs missing)");
    until("it tells of the worker", async || told() && means.said().contains("restart NetBox's web workers")).await;
    process.end().await;
}

#[tokio::test]
async fn bootstrap_says_of_new_types_that_nobody_has_to_restart_netbox() {
    let netbox = Target::sandbox().await;
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    program.env_clear().env("RIR_SIDECAR__NETBOX__URL", &netbox.url).env("RIR_SIDECAR__NETBOX__TOKEN", &netbox.token);
    let output = program.arg("bootstrap").output().await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.ends_with("NetBox's web workers know the types as they are; none has to be restarted\n"), "{told}");
}
