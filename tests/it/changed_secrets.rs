//! Secrets that change under a running process, as they do in Kubernetes.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    time::Duration,
};

use reqwest::StatusCode;
use rir_sandbox::regrws::KEY;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    http::webhooks::{prefix_created, signature},
    process::{Means, Process, until},
    scene::{Scene, Target, small},
};

const FIRST: &str = "the-first-secret-of-all";
const SECOND: &str = "the-second-secret-of-all";
const THIRD: &str = "the-third-secret-of-all";

/// A Secret as the kubelet mounts it: each file is a link into the folder that `..data` leads to, and a change is a new
/// folder to which `..data` is made to lead at one blow.
struct Mount {
    folder: TempDir,
    changes: u32,
}

impl Mount {
    fn new(files: &[(&str, &str)]) -> Self {
        let mut mount = Self { folder: tempfile::tempdir().unwrap(), changes: 0 };
        mount.change(files);
        for (name, _) in files {
            symlink(format!("..data/{name}"), mount.folder.path().join(name)).unwrap();
        }
        mount
    }

    fn change(&mut self, files: &[(&str, &str)]) {
        let at = |name: &str| self.folder.path().join(name);
        let (before, now) = (format!("..{}", self.changes), format!("..{}", self.changes + 1));
        fs::create_dir(at(&now)).unwrap();
        for (name, secret) in files {
            let file = at(&now).join(name);
            fs::write(&file, secret).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o440)).unwrap();
        }
        symlink(&now, at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        if self.changes > 0 {
            fs::remove_dir_all(at(&before)).unwrap();
        }
        self.changes += 1;
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

/// Sends a webhook, signed with a secret.
async fn send(process: &Process, secret: &str, webhook: &Value) -> StatusCode {
    let body = webhook.to_string();
    let request =
        reqwest::Client::new().post(process.url("/webhooks/netbox")).header("content-type", "application/json");
    let request = request.header("X-Hook-Signature", signature(secret, &body)).body(body);
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_webhook_secret_is_changed_without_a_restart_and_without_a_refused_webhook() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let secrets = |now, before| [("webhook-secret", now), ("previous-webhook-secret", before)];
    let mut mount = Mount::new(&secrets(FIRST, FIRST));
    let (now, before) = (mount.path("webhook-secret"), mount.path("previous-webhook-secret"));
    let means = Means::new(&scene, KEY, &[("WEBHOOK__SECRET_FILE", &now), ("WEBHOOK__PREVIOUS_SECRET_FILE", &before)]);
    let process = means.start(&["serve"]).await;
    assert_eq!(send(&process, FIRST, &prefix_created(1)).await, 202);

    mount.change(&secrets(SECOND, FIRST));
    // What NetBox still signs with the old one, and the first that it signs with the new one.
    assert_eq!(send(&process, FIRST, &prefix_created(2)).await, 202);
    assert_eq!(send(&process, SECOND, &prefix_created(3)).await, 202);
    assert_eq!(send(&process, FIRST, &prefix_created(4)).await, 202);

    mount.change(&secrets(THIRD, SECOND));
    until("the third secret is known", async || send(&process, THIRD, &prefix_created(5)).await.is_success()).await;
    assert_eq!(send(&process, SECOND, &prefix_created(6)).await, 202);
    assert_eq!(send(&process, FIRST, &prefix_created(7)).await, 401, "it was the one before no longer");
    process.end().await;
}

/// The kubelet takes a minute or more to bring a Secret to a pod, and NetBox never sends a refused webhook again.
#[tokio::test]
async fn a_webhook_of_a_secret_that_is_not_yet_known_is_made_up_for_by_the_sweep() {
    let mut world = small();
    let prefix = world.ipam.prefixes.remove(0).prefix;
    let scene = Scene::new(Target::sandbox().await, world).await;
    scene.netbox.server.as_ref().unwrap().age_changes(Duration::from_secs(7_200));
    let mount = Mount::new(&[("webhook-secret", FIRST)]);
    let file = mount.path("webhook-secret");
    let sweep = [("SWEEP__INTERVAL", "1s"), ("SWEEP__SETTLE", "0s"), ("SCHEDULE__TICK", "1s")];
    let means = Means::new(&scene, KEY, &[&[("WEBHOOK__SECRET_FILE", file.as_str())][..], &sweep].concat());
    let process = means.start(&["serve"]).await;
    let id = scene.add("ipam/prefixes", json!([{ "prefix": prefix }])).await[0];
    assert_eq!(send(&process, SECOND, &prefix_created(id)).await, 401);
    let synced = async || scene.rows("rir-network").await.contains_key("NET-23-144-1-0-1");
    until("the prefix is synced all the same", synced).await;
    process.end().await;
}
