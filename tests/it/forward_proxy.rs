//! The ways to NetBox and ARIN through a proxy, and what the proxy sees.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use rir_sandbox::{netbox::TOKEN, regrws::KEY};
use rir_sidecar::{arin, config, model::OrgHandle, netbox::Client};
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    process::Command,
    task::JoinHandle,
};

use crate::{
    certificates::{Certificate, Front, address, text},
    scene::{ORG, Scene, Target, small},
};

/// A proxy that takes every host for the same server, and keeps all that it could read on the way there.
struct ForwardProxy {
    port: u16,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    /// The first line of each connection.
    asked: Vec<String>,
    /// All that could be read, of all connections.
    read: Vec<u8>,
}

impl ForwardProxy {
    async fn start(behind: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Seen>>::default();
        let (kept, behind) = (Arc::clone(&seen), behind.to_owned());
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(pass(client, behind.clone(), Arc::clone(&kept)));
            }
        });
        Self { port, seen, task }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All that it could read, as text.
    fn read(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().read).into_owned()
    }

    /// The first line of each connection so far.
    fn asked(&self) -> Vec<String> {
        self.seen.lock().unwrap().asked.clone()
    }
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes one connection on: as a tunnel if that is asked for, else as it is, which a server understands as well.
async fn pass(client: TcpStream, behind: String, seen: Arc<Mutex<Seen>>) {
    let (mut from, mut to) = client.into_split();
    let head = head(&mut from).await;
    {
        let mut seen = seen.lock().unwrap();
        seen.asked.push(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned());
        seen.read.extend_from_slice(&head);
    }
    let (mut answers, mut asks) = TcpStream::connect(behind).await.unwrap().into_split();
    if head.starts_with(b"CONNECT ") {
        to.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    } else {
        asks.write_all(&head).await.unwrap();
    }
    tokio::spawn(async move { copy(&mut answers, &mut to).await });
    let mut some = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut some).await {
        seen.lock().unwrap().read.extend_from_slice(&some[..count]);
        asks.write_all(&some[..count]).await.unwrap();
    }
}

/// Reads up to the empty line.
async fn head(from: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await.unwrap());
    }
    head
}

/// Settings for these systems, where the environment has these variables besides.
fn settings(set: &[(&str, &str)], variables: &[(&str, &str)]) -> config::Settings {
    let usual = [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", TOKEN), ("ARIN__RETRY_COUNT", "0")];
    let set = usual.iter().chain(set).map(|(name, value)| (format!("RIR_SIDECAR__{name}"), (*value).to_owned()));
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    config::load_from(None, &set.chain(variables).collect::<BTreeMap<_, _>>()).unwrap()
}

async fn is_known(settings: &config::Settings) -> bool {
    Client::new(&settings.netbox).unwrap().whoami().await.is_ok()
}

#[tokio::test]
async fn netbox_over_https_goes_through_a_proxy_without_showing_the_token() {
    let (netbox, guide) = (Target::sandbox().await, Certificate::of_the_guide());
    let front = Front::start(&guide, &address(&netbox.url)).await;
    let proxy = ForwardProxy::start(&front.address()).await;
    let (file, url) = (guide.file(), proxy.url());
    let https = [("NETBOX__URL", "https://netbox.test/"), ("NETBOX__CA_FILE", text(&file))];
    for way in [url.as_str(), "environment"] {
        let set = [&https[..], &[("NETBOX__PROXY", way)]].concat();
        let settings = settings(&set, &[("HTTPS_PROXY", &url)]);
        assert!(is_known(&settings).await, "{way}");
        assert!(!settings.netbox.is_read_by_proxy());
    }
    assert_eq!(proxy.asked(), ["CONNECT netbox.test:443 HTTP/1.1"; 2]);
    assert!(!proxy.read().contains(TOKEN));
}

#[tokio::test]
async fn netbox_without_https_shows_its_token_to_the_proxy_that_is_named() {
    let netbox = Target::sandbox().await;
    let proxy = ForwardProxy::start(&address(&netbox.url)).await;
    let settings = settings(&[("NETBOX__PROXY", &proxy.url())], &[]);
    assert!(is_known(&settings).await);
    assert!(proxy.asked()[0].starts_with("GET http://netbox.test/api/"), "{:?}", proxy.asked());
    assert!(proxy.read().contains(TOKEN) && settings.netbox.is_read_by_proxy());
}

#[tokio::test]
async fn this_machine_is_never_asked_through_a_proxy() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let proxy = ForwardProxy::start("127.0.0.1:1").await;
    let (url, arin) = (proxy.url(), scene.arin.url());
    for way in [url.as_str(), "environment"] {
        let set = [
            ("NETBOX__URL", scene.netbox.url.as_str()),
            ("NETBOX__PROXY", way),
            ("ARIN__ALLOWED_BASE_URLS", &arin),
            ("ARIN__PROXY", way),
        ];
        let settings = settings(&set, &[("HTTP_PROXY", &url), ("NO_PROXY", "elsewhere.test")]);
        assert!(is_known(&settings).await, "{way}");
        let client = arin::Pool::new(&settings.arin).unwrap().client(&arin, SecretString::from(KEY)).unwrap();
        client.org(&OrgHandle::new(ORG).unwrap()).await.unwrap();
    }
    assert_eq!(proxy.read(), "");
}

#[tokio::test]
async fn arin_goes_through_the_proxy_that_is_named_without_showing_the_key() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let guide = Certificate::of_the_guide();
    let front = Front::start(&guide, &address(&scene.arin.url())).await;
    let proxy = ForwardProxy::start(&front.address()).await;
    let (file, url) = (guide.file(), proxy.url());
    let ask = async |way: &str, variables: &[(&str, &str)]| {
        let set =
            [("ARIN__ALLOWED_BASE_URLS", "https://arin.test"), ("ARIN__CA_FILE", text(&file)), ("ARIN__PROXY", way)];
        let pool = arin::Pool::new(&settings(&set, variables).arin).unwrap();
        let client = pool.client("https://arin.test", SecretString::from(KEY)).unwrap();
        client.org(&OrgHandle::new(ORG).unwrap()).await.is_ok()
    };
    assert!(ask(&url, &[]).await);
    assert!(ask("environment", &[("https_proxy", &url)]).await);
    let exempt = [("https_proxy", url.as_str()), ("NO_PROXY", "arin.test")];
    assert!(!ask("environment", &exempt).await && !ask("", &exempt[..1]).await, "there is no such host");
    assert_eq!(proxy.asked(), ["CONNECT arin.test:443 HTTP/1.1"; 2]);
    assert!(!proxy.read().contains(KEY));
}

#[tokio::test]
async fn the_password_of_a_proxy_is_taken_from_the_environment() {
    let netbox = Target::sandbox().await;
    let proxy = ForwardProxy::start(&address(&netbox.url)).await;
    let url = format!("http://us%20er:pass@127.0.0.1:{}", proxy.port);
    assert!(is_known(&settings(&[("NETBOX__PROXY", "environment")], &[("http_proxy", &url)])).await);
    // "us er:pass"
    assert!(proxy.read().contains("authorization: Basic dXMgZXI6cGFzcw=="), "{}", proxy.read());
}

/// What a real environment says holds for nothing unless a setting says so: not for NetBox, ARIN, nor the collector of
/// traces.
#[tokio::test]
async fn no_proxy_of_the_environment_is_used_unasked() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let proxy = ForwardProxy::start("127.0.0.1:1").await;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.toml");
    let key = format!("[[key]]\nconfig = \"{}\"\nuser = \"ann\"\napi_key = \"{KEY}\"\n", crate::scene::CONFIG);
    std::fs::write(&keys, key).unwrap();
    std::fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let collector = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    for (name, value) in [
        ("NETBOX__URL", scene.netbox.url.as_str()),
        ("NETBOX__TOKEN", TOKEN),
        ("ARIN__ALLOWED_BASE_URLS", &scene.arin.url()),
        ("KEYS__FILE", text(&keys)),
        ("TELEMETRY__OTLP_ENDPOINT", &endpoint),
    ] {
        command.env(format!("RIR_SIDECAR__{name}"), value);
    }
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env(name, proxy.url());
    }
    let traces = Arc::new(AtomicBool::new(false));
    let came = Arc::clone(&traces);
    tokio::spawn(async move {
        while collector.accept().await.is_ok() {
            came.store(true, Ordering::Relaxed);
        }
    });
    let arguments = ["sync", "--config-name", crate::scene::CONFIG];
    let output = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(proxy.read(), "");
    assert!(traces.load(Ordering::Relaxed), "the collector was not asked");
}
