//! Having NetBox notify people: `rir-sidecar bootstrap --notify`.

use std::process::Output;

use rir_sidecar::netbox::{
    Client,
    schema::{self, notices},
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::scene::{Row, Scene, Target, small};

const GROUPS: &str = "extras/notification-groups";
const RULES: &str = "extras/event-rules";
const NAMES: [&str; 2] = ["rir-sidecar change requests", "rir-sidecar tickets"];

async fn rules(scene: &Scene) -> Vec<Row> {
    let all = scene.list(RULES, "limit=1000").await;
    NAMES.into_iter().filter_map(|name| all.iter().find(|row| row["name"] == name).cloned()).collect()
}

/// Sets it up, and again for another group. Leaves nothing behind.
pub(crate) async fn a_group_is_notified_of_requests_that_wait_for_somebody(target: Target) {
    let scene = Scene::new(target, small()).await;
    let client = Client::new(&scene.settings.netbox).unwrap();
    let names = ["registry", "on call"].map(|name| format!("{name} {:08x}", fastrand::u32(..)));
    let ids = scene.add(GROUPS, json!(names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>())).await;
    let missing = notices::group(&client, "nobody").await.unwrap().unwrap_err().to_string();
    assert!(missing.contains(&names[0]) && missing.contains(&names[1]), "{missing}");
    let group = notices::group(&client, &names[0]).await.unwrap().unwrap();
    let line =
        |name: &str, sign: &str| format!("{sign} event rule \"{name}\" for notification group \"{}\"\n", names[0]);
    let told = notices::plan(&client, &group).await.unwrap().to_string();
    assert_eq!(told, NAMES.map(|name| line(name, "+")).concat());
    assert_eq!(
        notices::apply(&client, &group).await.unwrap(),
        NAMES.map(|name| line(name, "created").trim().to_owned())
    );
    assert_eq!(notices::apply(&client, &group).await.unwrap(), [""; 0]);

    let made = rules(&scene).await;
    for (rule, slug) in made.iter().zip([schema::CHANGE_REQUEST, schema::TICKET]) {
        let of = scene.list("plugins/custom-objects/custom-object-types", &format!("slug={slug}")).await.remove(0);
        assert_eq!(rule["object_types"], json!([of["object_type_name"]]));
        assert_eq!(rule["event_types"], json!(["object_created", "object_updated"]));
        assert_eq!(
            (&rule["action_type"]["value"], &rule["action_object_id"]),
            (&json!("notification"), &json!(ids[0]))
        );
        assert_eq!((&rule["action_object_type"], &rule["enabled"]), (&json!("extras.notificationgroup"), &json!(true)));
    }
    let states =
        json!({ "and": [{ "attr": "state.value", "op": "in", "value": ["waiting", "unknown", "refused", "failed"] }] });
    assert_eq!((&made[0]["conditions"], &made[1]["conditions"]), (&states, &Value::Null));

    // The operator narrows a rule and switches the other off; another group is to be told.
    let fewer = json!({ "attr": "state.value", "value": "failed" });
    scene.edit(RULES, made[0]["id"].as_u64().unwrap(), json!({ "conditions": fewer })).await;
    scene.edit(RULES, made[1]["id"].as_u64().unwrap(), json!({ "enabled": false })).await;
    let other = notices::group(&client, &names[1]).await.unwrap().unwrap();
    assert_eq!(notices::apply(&client, &other).await.unwrap().len(), 2);
    let after = rules(&scene).await;
    assert!(after.iter().all(|rule| rule["action_object_id"] == ids[1]), "{after:#?}");
    assert_eq!((&after[0]["conditions"], &after[1]["enabled"]), (&fewer, &json!(false)));
    for rule in &after {
        scene.remove(RULES, rule["id"].as_u64().unwrap()).await;
    }
    for id in ids {
        scene.remove(GROUPS, id).await;
    }
}

#[tokio::test]
async fn sandbox_a_group_is_notified_of_requests_that_wait_for_somebody() {
    a_group_is_notified_of_requests_that_wait_for_somebody(Target::sandbox().await).await;
}

async fn bootstrap(netbox: &Target, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    command.env_clear().env("RIR_SIDECAR__NETBOX__URL", &netbox.url).env("RIR_SIDECAR__NETBOX__TOKEN", &netbox.token);
    command.arg("bootstrap").args(arguments).output().await.unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn the_command_sets_it_up_once_for_a_group_that_there_is() {
    let netbox = Target::sandbox().await;
    let refused = bootstrap(&netbox, &["--notify", "Registry"]).await;
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(told.contains("error: --notify: NetBox has no notification group \"Registry\""), "{told}");
    let group = json!({ "name": "Registry" }).as_object().cloned().unwrap();
    netbox.server.as_ref().unwrap().add_object(GROUPS, group).unwrap();
    let planned = bootstrap(&netbox, &["--notify", "Registry", "--plan-only"]).await;
    let line = "event rule \"rir-sidecar change requests\" for notification group \"Registry\"\n";
    assert!(out(&planned).contains(&format!("+ {line}")), "{}", out(&planned));
    let done = bootstrap(&netbox, &["--notify", "Registry"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(out(&done).contains(&format!("created {line}")), "{}", out(&done));
    let again = bootstrap(&netbox, &["--notify", "Registry"]).await;
    assert_eq!(out(&again), "NetBox has everything already; nothing to do\n");
    let both = bootstrap(&netbox, &["--notify", "Registry", "--remove-webhook"]).await;
    assert_eq!(both.status.code(), Some(2));
}
