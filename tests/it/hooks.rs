//! Setting up NetBox's webhook: `rir-sidecar bootstrap --webhook-url`.

use std::process::Output;

use rir_sidecar::netbox::{
    Client,
    schema::{
        self,
        hooks::{self, Hook},
    },
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::scene::{Row, Scene, Target, small};

const WEBHOOKS: &str = "extras/webhooks";
const RULES: &str = "extras/event-rules";

fn hook(url: &str, secret: &str) -> Hook {
    Hook::new(&url.parse().unwrap(), secret.into())
}

async fn ours(scene: &Scene, list: &str) -> Option<Row> {
    scene.list(list, "name=rir-sidecar").await.into_iter().next()
}

/// Sets it up, and again with another address and secret. Leaves nothing behind.
pub(crate) async fn a_webhook_is_set_up_once_and_kept_up_to_date(target: Target) {
    let scene = Scene::new(target, small()).await;
    let client = Client::new(&scene.settings.netbox).unwrap();
    let first = hook("https://rir.example.net", "0123456789abcdef");
    let told = hooks::plan(&client, &first).await.unwrap().to_string();
    assert_eq!(
        told,
        "+ webhook \"rir-sidecar\" to https://rir.example.net/webhooks/netbox\n+ event rule \"rir-sidecar\"\n"
    );
    assert_eq!(hooks::apply(&client, &first).await.unwrap().len(), 2);
    assert!(hooks::plan(&client, &first).await.unwrap().is_empty());
    assert_eq!(hooks::apply(&client, &first).await.unwrap(), [""; 0]);

    let (webhook, rule) = (ours(&scene, WEBHOOKS).await.unwrap(), ours(&scene, RULES).await.unwrap());
    assert_eq!((&webhook["secret"], &webhook["ssl_verification"]), (&json!("0123456789abcdef"), &json!(true)));
    assert_eq!((&rule["action_object_id"], &rule["enabled"]), (&webhook["id"], &json!(true)));
    assert_eq!(rule["event_types"], json!(["object_created", "object_updated"]));
    let config_type = client.config_type().await.unwrap().unwrap();
    let types = rule["object_types"].as_array().unwrap();
    for wanted in ["ipam.aggregate", "ipam.prefix", config_type.as_str()] {
        assert!(types.contains(&json!(wanted)), "{wanted} is not in {types:?}");
    }

    let installed = schema::installed(&client).await.unwrap().unwrap();
    assert_eq!(installed.url, "https://rir.example.net/webhooks/netbox");
    assert_eq!((installed.rule, installed.verifies), (Some(true), true));
    assert_eq!(installed.secret.unwrap().expose_secret(), "0123456789abcdef", "NetBox shows it");

    // The operator switches the rule off, adds a type and has certificates not verified; the address changes.
    let (webhook, rule) = (webhook["id"].as_u64().unwrap(), rule["id"].as_u64().unwrap());
    let more: Vec<Value> = types.iter().cloned().chain([json!("ipam.vrf")]).collect();
    scene.edit(RULES, rule, json!({ "enabled": false, "object_types": more })).await;
    let theirs = json!({ "ssl_verification": false, "timeout": 30 });
    scene.edit(WEBHOOKS, webhook, theirs).await;
    let second = hook("https://rir.example.net/hook", "fedcba9876543210");
    let told = hooks::plan(&client, &second).await.unwrap().to_string();
    assert_eq!(told, "~ webhook \"rir-sidecar\" to https://rir.example.net/hook: payload_url, secret\n");
    hooks::apply(&client, &second).await.unwrap();
    assert!(hooks::plan(&client, &second).await.unwrap().is_empty());
    let after = ours(&scene, RULES).await.unwrap();
    assert_eq!((&after["enabled"], after["object_types"].as_array().unwrap().len()), (&json!(false), 4));
    let after = ours(&scene, WEBHOOKS).await.unwrap();
    assert_eq!(after["secret"], "fedcba9876543210");
    assert_eq!((&after["ssl_verification"], &after["timeout"]), (&json!(false), &json!(30)));

    scene.remove(RULES, rule).await;
    scene.remove(WEBHOOKS, webhook).await;
}

#[tokio::test]
async fn sandbox_a_webhook_is_set_up_once_and_kept_up_to_date() {
    a_webhook_is_set_up_once_and_kept_up_to_date(Target::sandbox().await).await;
}

async fn bootstrap(netbox: &Target, secret: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    command.env_clear().env("RIR_SIDECAR__NETBOX__URL", &netbox.url).env("RIR_SIDECAR__NETBOX__TOKEN", &netbox.token);
    if let Some(secret) = secret {
        command.env("RIR_SIDECAR__WEBHOOK__SECRET", secret);
    }
    command.arg("bootstrap").args(arguments).output().await.unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn the_command_tells_what_it_did_and_never_the_secret() {
    let netbox = Target::sandbox().await;
    let (secret, url) = (Some("0123456789abcdef"), ["--webhook-url", "http://rir:8080/"]);
    let planned = bootstrap(&netbox, secret, &[&url[..], &["--plan-only"]].concat()).await;
    assert!(out(&planned).contains("+ event rule \"rir-sidecar\"\n"), "{}", out(&planned));
    let first = bootstrap(&netbox, secret, &url).await;
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    for line in [
        "created type rir-config",
        "created webhook \"rir-sidecar\" to http://rir:8080/webhooks/netbox",
        "created event rule \"rir-sidecar\"",
    ] {
        assert!(out(&first).lines().any(|told| told == line), "{line} is not in {}", out(&first));
    }
    assert!(!(out(&planned) + &out(&first)).contains("0123456789abcdef"));
    let again = bootstrap(&netbox, secret, &url).await;
    assert_eq!(out(&again), "NetBox has everything already; nothing to do\n");
}

#[tokio::test]
async fn without_a_secret_there_is_no_webhook() {
    let netbox = Target::sandbox().await;
    let refused = bootstrap(&netbox, None, &["--webhook-url", "http://rir:8080/"]).await;
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!((refused.status.code(), told.contains("webhook.secret_file")), (Some(2), true), "{told}");
    for odd in ["rir:8080", "http://user:canary@rir:8080/", "http://rir:8080/?secret=canary"] {
        let refused = bootstrap(&netbox, Some("0123456789abcdef"), &["--webhook-url", odd]).await;
        let told = out(&refused) + &String::from_utf8_lossy(&refused.stderr);
        assert_eq!((refused.status.code(), told.contains("canary")), (Some(2), false), "{told}");
    }
}
