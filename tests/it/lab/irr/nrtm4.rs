//! Over NRTMv4: what an IRRd publishes, over HTTP.

use std::{path::PathBuf, process::Command};

use axum::{Router, http::StatusCode, http::Uri};
use tokio::net::TcpListener;

use super::{irrd::Irrd, objects, said};

/// Serves the files of a folder, and returns the URL.
async fn served(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let file = async move |uri: Uri| {
        std::fs::read(folder.join(uri.path().trim_start_matches('/'))).map_err(|_| StatusCode::NOT_FOUND)
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(file)).await });
    url
}

/// Makes a pair of keys, puts the public one into the folder, and returns the private one.
fn key(irrd: &Irrd, name: &str) -> String {
    let openssl = |arguments: &[&str]| {
        let done = Command::new("openssl").args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", said(&done));
        String::from_utf8(done.stdout).unwrap()
    };
    let private = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let file = irrd.path("private.pem");
    std::fs::write(&file, &private).unwrap();
    std::fs::write(irrd.path(name), openssl(&["pkey", "-pubout", "-in", file.to_str().unwrap()])).unwrap();
    private
}

/// Has the IRRd sign with a key, and announce another one.
fn signs(irrd: &Irrd, key: &str, next: Option<&str>) {
    let pem = |name: &str, key: &str| {
        let lines: String = key.lines().map(|line| format!("\n        {line}")).collect();
        format!("{name}: |{lines}")
    };
    let mut lines = vec![
        "authoritative: true".to_owned(),
        "keep_journal: true".to_owned(),
        format!("nrtm4_server_local_path: '{}'", irrd.path("nrtm4").display()),
        pem("nrtm4_server_private_key", key),
    ];
    lines.extend(next.map(|next| pem("nrtm4_server_private_key_next", next)));
    irrd.settles(&lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_follows_three_hundred_changes_of_an_irrd_over_nrtm4_text_by_text() {
    let irrd = Irrd::new();
    // Returns what the IRRd has then.
    let publishes = |count, changed| {
        let says = |number| if number < changed { "changed" } else { "sample" }.to_owned();
        irrd.takes(&objects(count, says).replace("TEST", &irrd.name), &["publish"])
    };
    let (first, second) = (key(&irrd, "key.pem"), key(&irrd, "second.pem"));
    let url = served(irrd.path("nrtm4")).await;
    irrd.mirrors(&format!(
        "index = '{url}/update-notification-file.jose'\nkey_file = '{}'\n",
        irrd.path("key.pem").display()
    ));
    signs(&irrd, &first, None);
    let published = publishes(400, 0);
    let taken = irrd.updated();
    assert_eq!((&taken["result"], &taken["rejected"]["by_reason"]), (&"imported".into(), &serde_json::json!({})));
    assert_eq!(published.len(), 801);
    assert_eq!(irrd.mirrored(), published);
    // Twenty prefixes are new, then fifty are changed, then eighty are gone: two objects each. Before the last of them the
    // IRRd announces another key, and then signs with it.
    for (count, changed) in [(420, 0), (420, 50)] {
        let published = publishes(count, changed);
        assert_eq!(irrd.updated()["result"], "followed");
        assert_eq!(irrd.mirrored(), published, "{count} prefixes, {changed} changed");
    }
    signs(&irrd, &first, Some(&second));
    irrd.does(&["publish"]);
    assert_eq!(irrd.updated()["result"], "unchanged");
    signs(&irrd, &second, None);
    let published = publishes(340, 50);
    assert_eq!(irrd.updated()["result"], "followed");
    assert_eq!(irrd.mirrored(), published);
    assert_eq!(irrd.updated()["result"], "unchanged");
    assert!(irrd.irr(&["status"]).status.success());
    // The key that was given up counts no more.
    signs(&irrd, &first, None);
    publishes(300, 50);
    let refused = irrd.irr(&["update", &irrd.name]);
    assert!(said(&refused).contains("not to be trusted"), "{}", said(&refused));
    assert_eq!(irrd.mirrored(), published);
    // An IRRd that misses its files begins a new session, with versions that were there before.
    signs(&irrd, &second, None);
    std::fs::remove_dir_all(irrd.path("nrtm4")).unwrap();
    std::fs::create_dir(irrd.path("nrtm4")).unwrap();
    for (count, changed, result) in [(330, 330, "imported"), (330, 0, "followed")] {
        let published = publishes(count, changed);
        assert_eq!(irrd.updated()["result"], result);
        assert_eq!(irrd.mirrored(), published, "{result}");
    }
}
