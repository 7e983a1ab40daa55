//! `POST /configs/{id}/plan`, `GET /plans/{id}`, and syncs by a plan

use std::time::Duration;

use rir_sandbox::{
    netbox::{Action, Fault, Grant, Rule},
    regrws::{KEY, Operation},
};
use rir_sidecar::{
    netbox::schema,
    queue::{JobId, Record, State},
};
use serde_json::{Value, json};

use super::{Answer, Service};
use crate::{
    scene::{CONFIG, custom, keyring},
    service::over,
};

/// Asks for a preview, and returns the path of its plan.
async fn asked(service: &Service, token: &str, body: Value) -> String {
    let answer = service.post(token, &service.config("/plan"), body).await;
    let path = answer.header("location").to_owned();
    assert_eq!(path, format!("/api/v1/plans/{}", answer.expect(202)["job"]["id"].as_str().unwrap()));
    path
}

fn id(path: &str) -> JobId {
    JobId::parse(path.rsplit('/').next().unwrap()).unwrap()
}

/// Has a preview made, and returns its plan.
async fn plan(service: &Service, token: &str, body: Value) -> Value {
    let path = asked(service, token, body).await;
    over(&service.queue, &id(&path)).await;
    service.get(token, &path).await.expect(200)
}

async fn approve(service: &Service, digest: &Value) -> Answer {
    service.post(&service.ann, &service.config("/sync"), json!({ "plan": digest })).await
}

/// Has a plan written, and returns what became of that.
async fn written(service: &Service, digest: &Value) -> Record {
    let job = approve(service, digest).await.expect(202)["job"]["id"].clone();
    over(&service.queue, &JobId::parse(job.as_str().unwrap()).unwrap()).await
}

#[tokio::test]
async fn a_preview_is_a_job_that_tells_what_a_sync_would_write_and_writes_nothing() {
    let service = Service::new().await;
    let before = service.scene.census().await;
    let path = asked(&service, &service.bob, json!({})).await;
    let waiting = service.get(&service.bob, &path).await;
    assert_eq!(waiting.header("retry-after"), "2");
    let job = waiting.expect(202);
    assert_eq!((&job["kind"], &job["user"], &job["state"]), (&json!("plan-config"), &json!("bob"), &json!("ready")));
    let _worker = service.work();
    let record = over(&service.queue, &id(&path)).await;
    let told = service.get(&service.bob, &path).await.expect(200);
    assert_eq!((&told["config"], &told["failures"]), (&json!("example-arin"), &json!([])));
    assert_eq!((&told["user"], &told["config_id"]), (&json!("bob"), &json!(service.scene.config)));
    assert_eq!((&told["result"], &told["counts"]["network"]["created"]), (&json!("changed"), &json!(3)));
    let changes = told["changes"].as_array().unwrap();
    let net = changes.iter().find(|change| change["handle"] == "NET-23-144-2-0-1").unwrap();
    assert_eq!((&net["action"], &net["type"]), (&json!("create"), &json!("network")));
    assert_eq!(net["fields"]["net_type"], json!({ "was": null, "becomes": "S" }));
    assert_eq!(service.scene.census().await, before);
    let result = record.result.unwrap();
    assert_eq!((&result["plan"], &result["digest"]), (&json!(path), &told["digest"]));
}

#[tokio::test]
async fn a_preview_may_be_of_some_kinds_only() {
    let service = Service::new().await;
    let _worker = service.work();
    let told = plan(&service, &service.bob, json!({ "resources": ["organizations"] })).await;
    assert_eq!(told["resources"], json!(["organizations"]));
    assert!(told["changes"].as_array().unwrap().iter().all(|change| change["type"] != "network"), "{told}");
    for odd in [json!({ "resources": [] }), json!({ "plan": told["digest"] })] {
        service.post(&service.bob, &service.config("/plan"), odd).await.problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_preview_says_the_same_to_people_and_as_the_command_line() {
    let service = Service::new().await;
    let _worker = service.work();
    let path = asked(&service, &service.bob, json!({})).await;
    over(&service.queue, &id(&path)).await;
    let answer = service.get(&service.bob, &format!("{path}?format=text")).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/plain; charset=utf-8"));
    let here = service.scene.preview().await;
    let digest = here.digest.as_ref().unwrap();
    assert!(answer.text.starts_with(&format!("example-arin: {} rows to write\n", here.plan.changes.len())));
    assert!(answer.text.contains(&here.plan.to_string()), "{}", answer.text);
    assert!(answer.text.ends_with(&format!("\nplan {digest}\n")), "{}", answer.text);
    assert_eq!(service.get(&service.bob, &path).await.expect(200)["digest"], json!(digest));
    service.get(&service.bob, &format!("{path}?format=xml")).await.problem(400, "invalid-request");
}

#[tokio::test]
async fn a_preview_is_made_with_the_callers_own_key() {
    let service = Service::new().await;
    service.post(&service.cat, &service.config("/plan"), json!({})).await.problem(409, "no-api-key");
    service.post(&service.eve, &service.config("/plan"), json!({})).await.problem(404, "not-found");
    let of_bob = asked(&service, &service.bob, json!({})).await;
    assert_ne!(asked(&service, &service.ann, json!({})).await, of_bob, "equal previews of two users stay two");
    assert_eq!(asked(&service, &service.bob, json!({})).await, of_bob, "an equal preview of one user is one");
    // What is in the keys file when the job is begun decides; nobody else's key takes the place of one that is gone.
    service.keys.send_replace(keyring(&[(CONFIG, "ann", KEY)]));
    let _worker = service.work();
    over(&service.queue, &id(&of_bob)).await;
    let told = service.get(&service.bob, &of_bob).await.expect(200);
    assert_eq!(told["result"], "failed");
    assert!(told["reason"].as_str().unwrap().contains("bob"), "{told}");
}

#[tokio::test]
async fn a_plan_is_for_those_who_may_view_its_config() {
    let service = Service::new().await;
    let _worker = service.work();
    let path = asked(&service, &service.bob, json!({})).await;
    service.get(&service.eve, &path).await.problem(404, "not-found");
    over(&service.queue, &id(&path)).await;
    service.get(&service.cat, &path).await.expect(200);
    let told = service.get(&service.eve, &path).await.problem(404, "not-found");
    assert!(told["detail"].as_str().unwrap().starts_with("there is no plan "), "{told}");
    let sync = service.post(&service.ann, &service.config("/sync"), json!({})).await.expect(202);
    let sync = format!("/api/v1/plans/{}", sync["job"]["id"].as_str().unwrap());
    for none in [sync.as_str(), "/api/v1/plans/019aab3d5c2e0123456789ab", "/api/v1/plans/x"] {
        service.get(&service.ann, none).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_preview_that_is_cancelled_asks_arin_no_more() {
    let service = Service::with(|settings| {
        settings.queue.lease = Duration::from_secs(1);
        settings.arin.max_in_flight = 1;
    })
    .await;
    service.scene.arin.configure(|options| options.latency = Duration::from_millis(400));
    let _worker = service.work();
    let path = asked(&service, &service.ann, json!({})).await;
    while service.scene.arin.requests().total() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    service.get(&service.ann, &path).await.expect(202);
    service.delete(&service.ann, &format!("/api/v1/jobs/{}", id(&path))).await.expect(202);
    assert_eq!(over(&service.queue, &id(&path)).await.state, State::Cancelled);
    service.get(&service.ann, &path).await.problem(409, "plan-failed");
    let asked = service.scene.arin.requests().total();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(service.scene.arin.requests().total(), asked);
}

#[tokio::test]
async fn a_preview_of_a_worker_that_goes_away_is_made_by_another() {
    let service = Service::with(|settings| {
        settings.worker.shutdown_timeout = Duration::from_secs(3);
        settings.arin.max_in_flight = 1;
    })
    .await;
    service.scene.arin.configure(|options| options.latency = Duration::from_secs(1));
    let worker = service.work();
    let path = asked(&service, &service.ann, json!({})).await;
    while service.scene.arin.requests().total() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(worker);
    while service.queue.find(&id(&path)).await.unwrap().unwrap().state == State::Running {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(service.get(&service.ann, &path).await.expect(202)["state"], "ready");
    service.scene.arin.configure(|options| options.latency = Duration::ZERO);
    let _worker = service.work();
    let record = over(&service.queue, &id(&path)).await;
    assert_eq!((record.state, record.attempts), (State::Done, 1));
    service.get(&service.ann, &path).await.expect(200);
}

#[tokio::test]
async fn what_could_not_be_found_out_is_told() {
    let service = Service::new().await;
    service.scene.arin.configure(|options| options.keys.clear());
    let _worker = service.work();
    let told = plan(&service, &service.ann, json!({})).await;
    assert_eq!((&told["result"], &told["digest"]), (&json!("failed"), &Value::Null));
    assert!(told["reason"].is_string(), "{told}");
}

#[tokio::test]
async fn a_plan_shows_persons_to_those_who_may_view_the_contacts() {
    let service = Service::new().await;
    service.keys.send_replace(keyring(&[(CONFIG, "dan", KEY), (CONFIG, "bob", KEY)]));
    let some = [schema::CONFIG, schema::ORGANIZATION, schema::NETWORK, schema::CUSTOMER];
    let some = some.map(|slug| Grant::new(&custom(slug), &[Action::View]));
    let dan = service.scene.netbox.server.as_ref().unwrap().add_user("dan", some.to_vec());
    let _worker = service.work();
    let path = asked(&service, &service.bob, json!({})).await;
    over(&service.queue, &id(&path)).await;
    let whole = service.get(&service.bob, &path).await;
    assert!(whole.text.contains('@'), "there are mail addresses in it: {}", whole.text);
    let whole = whole.expect(200);
    let of = |plan: &Value, object: &str| {
        plan["changes"].as_array().unwrap().iter().filter(|change| change["type"] == object).count()
    };
    assert!(of(&whole, "contact") > 0 && of(&whole, "address") > 0);
    assert_eq!(whole["withheld"], Value::Null);
    let text = service.get(&dan, &format!("{path}?format=text")).await.text;
    assert!(!text.contains('@') && text.contains("rows about contact are left out"), "{text}");
    let told = service.get(&dan, &path).await;
    assert!(!told.text.contains('@'), "{}", told.text);
    let told = told.expect(200);
    assert_eq!((of(&told, "contact"), of(&told, "address")), (0, 0));
    let withheld = json!({ "contact": of(&whole, "contact"), "address": of(&whole, "address") });
    assert_eq!(told["withheld"], withheld);
    assert_eq!((of(&told, "network"), &told["counts"]), (of(&whole, "network"), &whole["counts"]));
}

#[tokio::test]
async fn exactly_a_plan_that_still_comes_out_is_written() {
    let service = Service::new().await;
    let _worker = service.work();
    let told = plan(&service, &service.bob, json!({})).await;
    let record = written(&service, &told["digest"]).await;
    let result = record.result.unwrap();
    assert_eq!(
        (&result["result"], &result["counts"]["network"]["created"]),
        (&json!("changed"), &json!(3)),
        "{result}"
    );
    assert!(service.scene.left_to_do().await.changes.is_empty());
    let config = service.scene.row_by_id(schema::CONFIG, service.scene.config).await;
    assert_eq!(config["last_result"]["value"], "changed");
}

#[tokio::test]
async fn a_plan_that_does_not_come_out_any_more_is_not_written() {
    let service = Service::new().await;
    let _worker = service.work();
    let told = plan(&service, &service.ann, json!({})).await;
    drop(service.scene.arin.registry().nets.remove("NET-23-144-2-0-1"));
    let before = service.scene.census().await;
    let record = written(&service, &told["digest"]).await;
    assert_eq!((record.state, record.attempts), (State::Done, 1));
    let result = record.result.unwrap();
    assert_eq!(result["result"], "refused");
    assert!(result["reason"].as_str().unwrap().starts_with("plan-differs: "), "{result}");
    let difference = &result["difference"];
    assert_eq!((&difference["approved"], &difference["added"]["count"]), (&told["digest"], &json!(0)));
    let net = json!({ "action": "create", "type": "network", "handle": "NET-23-144-2-0-1" });
    assert!(difference["dropped"]["first"].as_array().unwrap().contains(&net), "{difference}");
    let mut after = service.scene.census().await;
    *after.get_mut(schema::SYNC_LOG).unwrap() -= 1;
    assert_eq!(after, before, "nothing but a row of the sync log that says so");
    let config = service.scene.row_by_id(schema::CONFIG, service.scene.config).await;
    assert_eq!((&config["last_sync"], &config["last_result"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_plan_that_a_newer_one_contradicts_is_refused_at_once() {
    let service = Service::new().await;
    let _worker = service.work();
    let older = plan(&service, &service.ann, json!({})).await;
    plan(&service, &service.ann, json!({ "resources": ["contacts"] })).await;
    drop(service.scene.arin.registry().nets.remove("NET-23-144-2-0-1"));
    let newer = plan(&service, &service.bob, json!({})).await;
    assert_ne!(older["digest"], newer["digest"]);
    let told = approve(&service, &older["digest"]).await.problem(409, "plan-differs");
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.contains("network NET-23-144-2-0-1"), "{detail}");
    assert!(detail.contains(&format!("/api/v1/plans/{}", newer["id"].as_str().unwrap())), "{detail}");
    assert_eq!(written(&service, &newer["digest"]).await.result.unwrap()["result"], "changed");
}

#[tokio::test]
async fn a_plan_is_written_in_the_way_in_which_it_was_found_out() {
    let service = Service::new().await;
    let worker = service.work();
    let quick = plan(&service, &service.ann, json!({})).await;
    let contacts = plan(&service, &service.ann, json!({ "resources": ["contacts"] })).await;
    let whole = plan(&service, &service.ann, json!({ "full": true })).await;
    assert_eq!((&quick["full"], &whole["full"]), (&json!(false), &json!(true)));
    assert_eq!(quick["digest"], whole["digest"], "it is what they say that counts");
    plan(&service, &service.bob, json!({})).await;
    // Nothing is written meanwhile.
    drop(worker);
    let full = async |body: Value| {
        let told = service.post(&service.ann, &service.config("/sync"), body).await.expect(202);
        assert_eq!(told["job"]["kind"], "apply-plan");
        told["job"]["full"].clone()
    };
    assert_eq!(full(json!({ "plan": contacts["digest"] })).await, json!(false));
    assert_eq!(full(json!({ "plan": contacts["digest"], "full": true })).await, json!(true));
    assert_eq!(
        full(json!({ "plan": whole["digest"] })).await,
        json!(true),
        "of three that say the same one was asked so"
    );
}

#[tokio::test]
async fn a_newer_plan_that_was_found_out_in_another_way_contradicts_nothing() {
    let service = Service::new().await;
    let worker = service.work();
    let older = plan(&service, &service.ann, json!({ "full": true })).await;
    drop(service.scene.arin.registry().nets.remove("NET-23-144-2-0-1"));
    let newer = plan(&service, &service.bob, json!({})).await;
    assert_ne!(older["digest"], newer["digest"]);
    drop(worker);
    approve(&service, &older["digest"]).await.expect(202);
    let _worker = service.work();
    plan(&service, &service.bob, json!({ "full": true })).await;
    approve(&service, &older["digest"]).await.problem(409, "plan-differs");
}

#[tokio::test]
async fn a_plan_has_to_be_kept_and_of_the_config() {
    let service = Service::new().await;
    let _worker = service.work();
    let told = plan(&service, &service.ann, json!({ "resources": ["contacts"] })).await;
    let other = service.another_config("other").await;
    service.keys.send_replace(keyring(&[(CONFIG, "ann", KEY), ("other", "ann", KEY)]));
    let path = format!("/api/v1/configs/{other}/sync");
    service.post(&service.ann, &path, json!({ "plan": told["digest"] })).await.problem(409, "plan-unknown");
    let unknown = json!(format!("sha256-{}", "0a".repeat(32)));
    approve(&service, &unknown).await.problem(409, "plan-unknown");
    for odd in [json!("sha256-0a"), Value::Null] {
        approve(&service, &odd).await.problem(400, "invalid-request");
    }
    let others = json!({ "plan": told["digest"], "resources": ["networks"] });
    service.post(&service.ann, &service.config("/sync"), others).await.problem(409, "plan-unknown");
    let these = json!({ "plan": told["digest"], "resources": ["contacts"] });
    service.post(&service.ann, &service.config("/sync"), these).await.expect(202);
    let job = approve(&service, &told["digest"]).await.expect(202)["job"].clone();
    assert_eq!((&job["kind"], &job["plan"]), (&json!("apply-plan"), &told["digest"]));
    assert_eq!(job["resources"], json!(["contacts"]));
}

#[tokio::test]
async fn a_plan_whose_writing_was_interrupted_is_written_to_its_end() {
    let service = Service::with(|settings| settings.queue.retry_backoff = Duration::from_millis(10)).await;
    let _worker = service.work();
    let told = plan(&service, &service.ann, json!({})).await;
    // The organization and the networks are written, and then NetBox is away for as long as all tries of one attempt.
    let rule = Rule::new(Fault::Status(503)).method("POST").path(schema::CUSTOMER).times(4);
    service.scene.netbox.server.as_ref().unwrap().fail(rule);
    let record = written(&service, &told["digest"]).await;
    let result = record.result.unwrap();
    assert_eq!(result["result"], "changed", "{result} {:?}", record.error);
    assert!(record.error.is_some(), "the first attempt failed");
    assert!(service.scene.left_to_do().await.changes.is_empty());
}

#[tokio::test]
async fn what_arin_does_not_answer_is_asked_again_before_a_plan_is_refused() {
    let service = Service::with(|settings| {
        settings.queue.retry_backoff = Duration::from_millis(10);
        settings.arin.retry_count = 0;
    })
    .await;
    let _worker = service.work();
    let told = plan(&service, &service.ann, json!({})).await;
    let rule = rir_sandbox::regrws::Rule::new(rir_sandbox::regrws::Fault::Status(503));
    service.scene.arin.fail(rule.on(Operation::Customer).times(1));
    let record = written(&service, &told["digest"]).await;
    assert!(record.error.unwrap().contains("could not be compared with the plan"));
    assert_eq!(record.result.unwrap()["result"], "changed");
}
