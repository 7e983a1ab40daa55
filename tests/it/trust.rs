//! The certificates of NetBox, ARIN and Redis that are taken, over real TLS.

use rir_sandbox::{netbox::TOKEN, regrws::KEY};
use rir_sidecar::{
    arin, config,
    error_chain::error_chain,
    model::OrgHandle,
    netbox::Client,
    redis_client::{self, Script},
};
use secrecy::SecretString;

use crate::{
    certificates::{Certificate, Front, address, text},
    process::Means,
    scene::{ORG, Scene, Target, small},
};

/// Settings for these systems.
fn settings(set: &[(&str, &str)]) -> config::Settings {
    let usual = [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", TOKEN)];
    let set = usual.iter().chain(set).map(|(name, value)| (format!("RIR_SIDECAR__{name}"), (*value).to_owned()));
    config::load_from(None, &set.collect()).unwrap()
}

/// Asks NetBox at a URL where this file is named; returns its version, or why there is none.
async fn netbox(url: &str, ca_file: &str) -> String {
    let settings = settings(&[("NETBOX__URL", url), ("NETBOX__CA_FILE", ca_file), ("NETBOX__TIMEOUT", "5s")]);
    match Client::new(&settings.netbox).unwrap().whoami().await {
        Ok(user) => format!("known as {}", user.name),
        Err(error) => {
            let told = error_chain(&error);
            assert!(told.contains("NetBox presented a certificate that is not trusted"), "{told}");
            error.to_string()
        }
    }
}

/// A NetBox behind TLS.
async fn behind(certificate: &Certificate) -> (Target, Front) {
    let target = Target::sandbox().await;
    let front = Front::start(certificate, &address(&target.url)).await;
    (target, front)
}

#[tokio::test]
async fn netbox_with_the_certificate_of_its_install_guide_is_reached() {
    let guide = Certificate::of_the_guide();
    let (_netbox, front) = behind(&guide).await;
    let file = guide.file();
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}/", front.port);
        assert!(netbox(&url, text(&file)).await.starts_with("known as "), "{host}");
    }
}

#[tokio::test]
async fn another_certificate_of_the_same_name_is_not_trusted() {
    let (guide, other) = (Certificate::of_the_guide(), Certificate::of_the_guide());
    let (_netbox, front) = behind(&other).await;
    let url = format!("https://127.0.0.1:{}/", front.port);
    let file = guide.file();
    insta::assert_snapshot!(netbox(&url, text(&file)).await, @"GET /api/authentication-check/: NetBox presented a certificate that is not trusted: it is self-signed, or cannot be a server's; `rir-sidecar check` says what to do");
    insta::assert_snapshot!(netbox(&url, "").await, @"GET /api/authentication-check/: NetBox presented a certificate that is not trusted: it is self-signed, or cannot be a server's; `rir-sidecar check` says what to do");
}

#[tokio::test]
async fn whoever_shows_the_certificate_has_to_hold_its_key() {
    let (guide, other) = (Certificate::of_the_guide(), Certificate::of_the_guide());
    let target = Target::sandbox().await;
    let front = Front::with_key(&guide, &other, &address(&target.url)).await;
    let url = format!("https://127.0.0.1:{}/", front.port);
    insta::assert_snapshot!(netbox(&url, text(&guide.file())).await, @"GET /api/authentication-check/: NetBox presented a certificate that is not trusted: the server, or the authority that should have signed it, has another key; `rir-sidecar check` says what to do");
}

#[tokio::test]
async fn an_authority_vouches_for_the_names_in_a_certificate_only() {
    let (signed, other) = (Certificate::signed(), Certificate::signed());
    let (_netbox, front) = behind(&signed).await;
    let at = |host: &str| format!("https://{host}:{}/", front.port);
    assert!(netbox(&at("localhost"), text(&signed.authority())).await.starts_with("known as "));
    insta::assert_snapshot!(netbox(&at("127.0.0.1"), text(&signed.authority())).await, @"GET /api/authentication-check/: NetBox presented a certificate that is not trusted: it was made for another name; `rir-sidecar check` says what to do");
    insta::assert_snapshot!(netbox(&at("localhost"), text(&other.authority())).await, @"GET /api/authentication-check/: NetBox presented a certificate that is not trusted: the server, or the authority that should have signed it, has another key; `rir-sidecar check` says what to do");
    insta::assert_snapshot!(netbox(&at("localhost"), "").await, @"GET /api/authentication-check/: NetBox presented a certificate that is not trusted: no authority that is known here has signed it; `rir-sidecar check` says what to do");
}

#[tokio::test]
async fn arin_with_a_certificate_of_its_own_is_reached() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let guide = Certificate::of_the_guide();
    let front = Front::start(&guide, &address(&scene.arin.url())).await;
    let url = format!("https://127.0.0.1:{}", front.port);
    let ask = async |ca_file: &str| {
        let set = [("ARIN__ALLOWED_BASE_URLS", url.as_str()), ("ARIN__CA_FILE", ca_file), ("ARIN__RETRY_COUNT", "0")];
        let pool = arin::Pool::new(&settings(&set).arin).unwrap();
        let client = pool.client(&url, SecretString::from(KEY)).unwrap();
        client.org(&OrgHandle::new(ORG).unwrap()).await.map(|org| org.unwrap().handle.to_string())
    };
    assert_eq!(ask(text(&guide.file())).await.unwrap(), ORG);
    insta::assert_snapshot!(ask("").await.unwrap_err(), @"org EXAMPLE-NET-1: ARIN presented a certificate that is not trusted: it is self-signed, or cannot be a server's; `rir-sidecar check` says what to do");
}

/// A Redis behind TLS, and the answer to a script there where this file is named.
async fn redis(certificate: &Certificate) -> (Front, impl AsyncFn(&str, &str) -> Result<u64, redis_client::Error>) {
    let url = std::env::var("RIR_LAB_REDIS_URL").unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set"));
    let front = Front::start(certificate, &address(&url)).await;
    let ask = async |url: &str, ca_file: &str| {
        let settings = settings(&[("QUEUE__URL", url), ("QUEUE__CA_FILE", ca_file)]);
        let client = redis_client::Client::open(&settings.queue).unwrap();
        client.run(&Script::new("seven", "return 7"), &()).await
    };
    (front, ask)
}

#[tokio::test]
async fn redis_with_a_certificate_of_its_own_is_reached() {
    let guide = Certificate::of_the_guide();
    let (front, ask) = redis(&guide).await;
    let url = format!("rediss://127.0.0.1:{}/0", front.port);
    assert_eq!(ask(&url, text(&guide.file())).await.unwrap(), 7);
    insta::assert_snapshot!(ask(&url, "").await.unwrap_err(), @"Redis presented a certificate that is not trusted: it is self-signed, or cannot be a server's; put it, or that of the authority that signed it, into the PEM file of queue.ca_file");
    let other = Certificate::of_the_guide();
    insta::assert_snapshot!(ask(&url, text(&other.file())).await.unwrap_err(), @"Redis presented a certificate that is not trusted: it is self-signed, or cannot be a server's; put it, or that of the authority that signed it, into the PEM file of queue.ca_file");
}

#[tokio::test]
async fn redis_with_the_certificate_of_an_authority_is_reached() {
    let signed = Certificate::signed();
    let (front, ask) = redis(&signed).await;
    let at = |host: &str| format!("rediss://{host}:{}/0", front.port);
    assert_eq!(ask(&at("localhost"), text(&signed.authority())).await.unwrap(), 7);
    insta::assert_snapshot!(ask(&at("127.0.0.1"), text(&signed.authority())).await.unwrap_err(), @"Redis presented a certificate that is not trusted: it was made for another name; put it, or that of the authority that signed it, into the PEM file of queue.ca_file");
}

#[tokio::test]
async fn check_says_what_to_do_about_a_certificate_that_is_not_trusted() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let guide = Certificate::of_the_guide();
    let front = Front::start(&guide, &address(&scene.netbox.url)).await;
    let (url, file) = (format!("https://127.0.0.1:{}/", front.port), guide.file());
    let check = async |more: &[(&str, &str)]| {
        let set: Vec<_> = [("NETBOX__URL", url.as_str())].iter().chain(more).copied().collect();
        let output = Means::new(&scene, KEY, &set).run(&["check"]).await;
        let told = String::from_utf8_lossy(&output.stdout).replace(['│', '┆'], " ");
        (output.status.code(), told.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (code, told) = check(&[]).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("presented a certificate that is not trusted"), "{told}");
    assert!(told.contains("into a PEM file and set netbox.ca_file to its path"), "{told}");
    let (code, told) = check(&[("NETBOX__CA_FILE", text(&file))]).await;
    assert_eq!(code, Some(0), "{told}");
}
