//! Setting up NetBox's webhook: `rir-sidecar bootstrap --webhook-url`.

use std::process::Output;

use rir_sandbox::netbox::{Fault, Rule};
use rir_sidecar::netbox::{
    Client,
    schema::{
        self,
        hooks::{self, Hook},
    },
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::Command,
};

use crate::{
    process::free_address,
    scene::{Row, Scene, Target, small},
};

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

    // A rule of the operator's uses the webhook, and NetBox would remove it with the webhook.
    let theirs = json!([{ "name": "theirs", "object_types": ["ipam.vrf"], "event_types": ["object_created"],
                          "action_type": "webhook", "action_object_type": "extras.webhook",
                          "action_object_id": webhook }]);
    let theirs = scene.add(RULES, theirs).await[0];
    let removal = hooks::removal(&client).await.unwrap();
    let stays = "  webhook \"rir-sidecar\" stays, as other event rules use it: theirs\n";
    assert_eq!(removal.to_string(), format!("- event rule \"rir-sidecar\"\n{stays}"));
    assert_eq!(hooks::remove(&client, &removal).await.unwrap(), ["removed event rule \"rir-sidecar\""]);
    scene.remove(RULES, theirs).await;
    let removal = hooks::removal(&client).await.unwrap();
    assert_eq!(hooks::remove(&client, &removal).await.unwrap(), ["removed webhook \"rir-sidecar\""]);
    assert_eq!(hooks::remove(&client, &removal).await.unwrap(), [""; 0], "somebody else removed it meanwhile");
    assert!(hooks::removal(&client).await.unwrap().is_empty());
    assert!(ours(&scene, WEBHOOKS).await.is_none() && ours(&scene, RULES).await.is_none());
    assert_eq!(client.config_type().await.unwrap(), Some(config_type), "the types stay");
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

#[tokio::test]
async fn the_webhook_is_removed_without_its_secret_and_only_once() {
    let netbox = Target::sandbox().await;
    bootstrap(&netbox, Some("0123456789abcdef"), &["--webhook-url", "http://rir:8080/"]).await;
    let both = "event rule \"rir-sidecar\"\n- webhook \"rir-sidecar\"\n";
    let planned = bootstrap(&netbox, None, &["--remove-webhook", "--plan-only"]).await;
    assert_eq!(out(&planned), format!("- {both}"));
    let done = bootstrap(&netbox, None, &["--remove-webhook"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let removed = "removed event rule \"rir-sidecar\"\nremoved webhook \"rir-sidecar\"\n";
    assert_eq!(out(&done), format!("- {both}{removed}"));
    let again = bootstrap(&netbox, None, &["--remove-webhook"]).await;
    let nothing = "NetBox has no webhook and no event rule of rir-sidecar; nothing to do\n";
    assert_eq!((again.status.code(), out(&again)), (Some(0), nothing.to_owned()));
    let types = bootstrap(&netbox, None, &[]).await;
    assert_eq!(out(&types), "NetBox has everything already; nothing to do\n", "the types stay");
    for other in [&["--webhook-url", "http://rir:8080/"][..], &["--allow-destructive"]] {
        let refused = bootstrap(&netbox, None, &[&["--remove-webhook"], other].concat()).await;
        assert_eq!(refused.status.code(), Some(2), "{other:?}");
    }
}

/// A server that answers each question with the same document.
async fn always(document: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{document}", document.len());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.read(&mut [0; 4096]).await;
            let _ = client.write_all(answer.as_bytes()).await;
        }
    });
    url
}

/// A job that sets NetBox up is tried again after 1, and given up after 2.
#[tokio::test]
async fn the_exit_code_says_whether_another_try_may_help() {
    let netbox = Target::sandbox().await;
    let (url, token) = (netbox.url.as_str(), netbox.token.as_str());
    let unknown = "nbt_unknown00001.0123456789abcdefghijklmnopqrstuvwxyzABCD";
    let without_plugin = always(r#"{"netbox-version": "4.7.3", "plugins": {}}"#).await;
    for (what, url, token, code) in [
        ("a refused token", url, unknown, 2),
        ("a wrong URL", &format!("{url}/netbox"), token, 2),
        ("no NetBox at all", &always("<html>Welcome</html>").await, token, 2),
        ("no plugin", &without_plugin, token, 2),
        ("nobody there", &format!("http://{}", free_address()), token, 1),
    ] {
        let target = Target { url: url.to_owned(), token: token.to_owned(), server: None, name: String::new() };
        for arguments in [&[][..], &["--remove-webhook"]] {
            let ended = bootstrap(&target, None, arguments).await;
            let told = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert_eq!(ended.status.code(), Some(code), "{what} {arguments:?}: {told}");
        }
    }
    netbox.server.as_ref().unwrap().fail(Rule::new(Fault::Status(503)).path("status"));
    assert_eq!(bootstrap(&netbox, None, &[]).await.status.code(), Some(1), "NetBox is being restarted");
}
