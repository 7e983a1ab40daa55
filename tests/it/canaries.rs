//! Secrets, mail addresses and telephone numbers are in no log line, whatever goes wrong.

use jiff::Timestamp;
use reqwest::Client;
use rir_sandbox::{
    netbox::{Action, Fault as NetboxFault, Grant, Rule as NetboxRule},
    regrws::{Fault, Operation, Rule},
    world::World,
};
use rir_sidecar::netbox::schema;
use serde_json::json;

use crate::{
    http::webhooks::signature,
    process::{Means, Process, free_address, until},
    scene::{Scene, Target, custom, small},
};

const WEBHOOK_SECRET: &str = "canary-webhook-secret";
const API_KEY: &str = "API-CANA-RYCA-NARY-0001";
const UNKNOWN_TOKEN: &str = "nbt_canarycanary.unknowncaller00000000000000000000000000";
const REDIS_PASSWORD: &str = "canary-redis-password";

/// The user who makes a change in NetBox.
const USER: &str = "canary.user@people.example";

/// A world whose people have mail addresses and numbers to be looked for.
fn world() -> (World, Vec<String>) {
    let (mut world, mut canaries) = (small(), vec![USER.to_owned()]);
    for (number, poc) in world.registry.pocs.values_mut().enumerate() {
        poc.emails = vec![format!("canary.{number}@people.example")];
        poc.phones.truncate(1);
        poc.phones.iter_mut().for_each(|phone| phone.number = format!("+1-571-434-{:04}", 7000 + number));
        canaries.extend(poc.emails.iter().cloned());
        canaries.extend(poc.phones.iter().map(|phone| phone.number.clone()));
    }
    (world, canaries)
}

/// Lets much go wrong at both ends, with bodies that quote what they are about.
fn trouble(scene: &Scene, mail: &str) {
    let on = |fault, operation| Rule::new(fault).on(operation).times(1);
    scene.arin.configure(|options| options.keys = [API_KEY.to_owned()].into());
    for rule in [
        on(Fault::Status(503), Operation::Org),
        on(Fault::Doctype, Operation::Poc),
        on(Fault::TruncatedXml, Operation::Poc),
        on(Fault::Garbage, Operation::Poc),
        on(Fault::Status(401), Operation::Customer),
        on(Fault::Hang, Operation::MostSpecificNet),
        on(Fault::Html404, Operation::Net),
    ] {
        scene.arin.fail(rule);
    }
    let netbox = scene.netbox.server.as_ref().unwrap();
    let refused = NetboxFault::RefuseRow { field: "email".to_owned(), value: mail.to_owned() };
    netbox.fail(NetboxRule::new(refused).path("rir-contact"));
    netbox.fail(NetboxRule::new(NetboxFault::Status(500)).method("POST").path("rir-customer").times(1));
    netbox.fail(NetboxRule::new(NetboxFault::Status(502)).method("GET").path("ipam/prefixes").times(1));
}

/// Callers with and without a token that NetBox knows, webhooks that are signed, wrongly signed and unreadable.
async fn calls(scene: &Scene, process: &Process, token: &str) {
    let http = Client::new();
    let hook = async |body: &str, signature: &str| {
        let request = http.post(process.url("/webhooks/netbox")).header("X-Hook-Signature", signature);
        request.body(body.to_owned()).send().await.unwrap().status().as_u16()
    };
    let change = json!({
        "event": "created", "timestamp": Timestamp::now(), "object_type": "ipam.aggregate",
        "data": { "id": 1, "url": "/api/ipam/aggregates/1/" },
        "request": { "id": "1", "user": USER }, "snapshots": { "prechange": null, "postchange": { "rir": 1 } },
    })
    .to_string();
    assert_eq!(hook(&change, WEBHOOK_SECRET).await, 401);
    assert_eq!(hook("{\"event\": 7}", &signature(WEBHOOK_SECRET, "{\"event\": 7}")).await, 400);
    assert_eq!(hook(&change, &signature(WEBHOOK_SECRET, &change)).await, 202);
    let whoami = http.get(process.url("/api/v1/whoami")).bearer_auth(UNKNOWN_TOKEN).send().await.unwrap();
    assert_eq!(whoami.status(), 401);
    let sync = http.post(process.url(&format!("/api/v1/configs/{}/sync", scene.config))).bearer_auth(token);
    assert_eq!(sync.send().await.unwrap().status(), 202);
}

/// All that processes say of it, and what must not be in there.
async fn said(format: &str, auth: &str) -> (String, Vec<String>) {
    let (world, mut canaries) = world();
    let scene = Scene::new(Target::sandbox().await, world).await;
    trouble(&scene, &canaries[1]);
    let all = ["ipam/aggregates", "ipam/prefixes"].map(|list| Grant::new(list, &[Action::View]));
    let configs = Grant::new(&custom(schema::CONFIG), &[Action::View, Action::Change]);
    let token = scene.netbox.server.as_ref().unwrap().add_user("ann", [vec![configs], all.to_vec()].concat());
    let auth = format!("{}={auth}", scene.arin.url());
    let usual = [
        ("TELEMETRY__LOG", "debug,rir_sidecar=trace"),
        ("TELEMETRY__LOG_FORMAT", format),
        ("ARIN__AUTH", &auth),
        ("ARIN__TIMEOUT", "500ms"),
        ("ARIN__CONNECT_TIMEOUT", "500ms"),
        ("WEBHOOK__SECRET", WEBHOOK_SECRET),
    ];
    let means = Means::new(&scene, API_KEY, &usual);
    let process = means.start(&["serve"]).await;
    calls(&scene, &process, &token).await;
    let over = async || {
        let (_, figures) = process.get("/metrics").await;
        figures.contains("rir_sidecar_jobs_total{kind=\"sync-config\",result=\"done\"} 1")
            && figures.contains("rir_sidecar_jobs_total{kind=\"sync-aggregate\",result=\"done\"} 2")
    };
    until("all jobs are over", over).await;
    process.end().await;
    let queues = queues(&scene, &usual).await;
    canaries.extend([scene.netbox.token.clone(), token, WEBHOOK_SECRET.into(), API_KEY.into(), UNKNOWN_TOKEN.into()]);
    canaries.extend([REDIS_PASSWORD.into(), signature(WEBHOOK_SECRET, "{\"event\": 7}")]);
    (means.said() + &queues, canaries)
}

/// Returns the output of processes whose queue is away, or is named in a way that cannot be.
async fn queues(scene: &Scene, usual: &[(&str, &str)]) -> String {
    let (url, listen) = (format!("redis://:{REDIS_PASSWORD}@127.0.0.1:1/"), free_address());
    let away = Means::new(scene, API_KEY, &[usual, &[("QUEUE__URL", &url), ("HTTP__LISTEN", &listen)]].concat());
    let process = away.start(&["serve"]).await;
    assert_eq!(process.get("/health/ready").await.0, 503);
    process.end().await;
    let mut said = away.said();
    for odd in [format!("redis://:{REDIS_PASSWORD}@:x/"), format!("http://:{REDIS_PASSWORD}@redis/")] {
        let done = Means::new(scene, API_KEY, &[usual, &[("QUEUE__URL", &odd)]].concat()).run(&["serve"]).await;
        assert_ne!(done.status.code(), Some(0));
        said += &String::from_utf8_lossy(&[done.stdout, done.stderr].concat());
    }
    said
}

fn look(said: &str, canaries: &[String]) {
    for happened in [
        "refused a webhook: X-Hook-Signature is not",
        "refused a webhook: this is no change",
        "Arin is asked again",
        "Netbox is asked again",
        "hyper",
        "[withheld], who made the change, has no API key",
        "the queue does not answer",
    ] {
        assert!(said.contains(happened), "{happened:?} is not in\n{said}");
    }
    assert!(canaries.len() > 12);
    for canary in canaries {
        let at = said.lines().find(|line| line.contains(canary));
        assert_eq!(at, None, "{canary} is logged");
    }
}

#[tokio::test]
async fn nothing_secret_or_personal_is_in_lines_for_people() {
    let (said, canaries) = said("text", "header").await;
    look(&said, &canaries);
}

#[tokio::test]
async fn nothing_secret_or_personal_is_in_lines_for_machines() {
    let (said, canaries) = said("json", "query").await;
    look(&said, &canaries);
}
