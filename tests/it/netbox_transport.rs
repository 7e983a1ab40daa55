//! The NetBox client and answers that no NetBox gives, but a proxy in front of one does.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use rir_sidecar::{
    config,
    netbox::{Client, Draft, ErrorKind, Permission, Refusal, Row},
};
use tokio::net::TcpListener;

/// A server that gives these answers one after the other, the last one for ever.
async fn server(answers: Vec<fn() -> Response>) -> (Client, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let answer = move || {
        let asked = count.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
        let answer = answers.get(asked).map(|answer| answer()).unwrap();
        async move { answer }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    (client(&url), asked)
}

/// A NetBox that knows the token of the moment only, and takes a note of each request: method and token.
struct Rotating {
    known: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Rotating {
    async fn start() -> Self {
        let (known, asked) = (Arc::<Mutex<String>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let state = (Arc::clone(&known), Arc::clone(&asked));
        let answer = move |method: Method, headers: HeaderMap| {
            let token = headers[header::AUTHORIZATION].to_str().unwrap().replace("Token ", "");
            let knows = *state.0.lock().unwrap() == token;
            state.1.lock().unwrap().push(format!("{method} {token}"));
            async move { if knows { (StatusCode::OK, "[]").into_response() } else { forbidden() } }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
        Self { known, asked, url }
    }

    fn knows_only(&self, token: &str) {
        token.clone_into(&mut self.known.lock().unwrap());
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Settings whose token is read from a file.
fn with_token_file(url: &str, path: &std::path::Path) -> config::Settings {
    let set = [("NETBOX__URL", url), ("NETBOX__TOKEN_FILE", path.to_str().unwrap())];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    config::load_from(None, &set.into()).unwrap()
}

#[tokio::test]
async fn a_token_that_is_changed_in_its_file_is_used_without_a_failure() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let write = |token: &str| std::fs::write(file.path(), token).unwrap();
    write("first");
    let netbox = Rotating::start().await;
    netbox.knows_only("first");
    let client = Client::new(&with_token_file(&netbox.url, file.path()).netbox).unwrap();
    client.may("/api/ipam/prefixes/", Permission::View).await.unwrap();
    write("second");
    client.may("/api/ipam/prefixes/", Permission::View).await.unwrap();
    assert_eq!(netbox.asked(), ["GET first", "GET first"], "the old one is used for as long as it is good");
    netbox.knows_only("second");
    assert!(client.may("/api/ipam/prefixes/", Permission::Add).await.unwrap());
    assert!(client.may("/api/ipam/prefixes/", Permission::View).await.unwrap());
    assert_eq!(netbox.asked(), ["POST first", "POST second", "GET second"]);
    netbox.knows_only("third");
    assert!(!client.may("/api/ipam/prefixes/", Permission::Add).await.unwrap());
    assert_eq!(netbox.asked(), ["POST second"], "there is no other to try");
}

fn client(url: &str) -> Client {
    let settings = config::Netbox {
        url: url.parse().unwrap(),
        token: "nbt_key.secret".into(),
        token_file: None,
        ca_file: None,
        proxy: config::Proxy::None,
        page_size: 10,
        batch_size: 10,
        writes_in_flight: 1,
        timeout: Duration::from_secs(1),
    };
    Client::new(&settings).unwrap()
}

fn status() -> Response {
    r#"{"netbox-version": "4.7.3", "plugins": {}}"#.into_response()
}

fn unavailable() -> Response {
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

fn throttled() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response()
}

fn https() -> Response {
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, "https://netbox.example.net/api/status/")]).into_response()
}

fn login_page() -> Response {
    "<html><body>\n  Log in</body></html>".into_response()
}

fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, r#"{"detail": "Invalid v2 token"}"#).into_response()
}

#[tokio::test]
async fn reads_are_tried_again_when_that_may_help() {
    let (client, _) = server(vec![unavailable, throttled, status]).await;
    assert_eq!(client.status().await.unwrap().netbox, "4.7.3");
    assert_eq!(client.requests(), 3);
}

#[tokio::test]
async fn reads_are_not_tried_for_ever() {
    let (client, asked) = server(vec![throttled]).await;
    assert!(matches!(client.status().await.unwrap_err().kind, ErrorKind::Throttled(_)));
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn what_would_fail_again_is_not_tried_again() {
    let (client, asked) = server(vec![forbidden]).await;
    insta::assert_snapshot!(client.status().await.unwrap_err(), @r#"GET /api/status/: NetBox refused it with 403 Forbidden (Invalid v2 token); the token has to be valid, and its user needs the "view" permission on these objects"#);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_names_the_setting() {
    let (client, asked) = server(vec![https]).await;
    insta::assert_snapshot!(client.status().await.unwrap_err(), @"GET /api/status/: NetBox redirected it to https://netbox.example.net/api/status/; set netbox.url to where it answers itself");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_answer_of_something_else_is_shown() {
    let (client, _) = server(vec![login_page]).await;
    insta::assert_snapshot!(client.status().await.unwrap_err(), @"GET /api/status/: NetBox's answer is not a status document: <html><body> Log in</body></html>");
}

#[tokio::test]
async fn a_row_that_never_left_was_not_written_and_is_not_looked_for() {
    let client = client("http://127.0.0.1:1/");
    let draft = Draft { key: "k".to_owned(), body: Row::new() };
    let outcomes = client.writer("rir-network", "test").create(vec![draft]).await;
    assert!(matches!(outcomes.as_slice(), [Err(Refusal::GivenUp(_))]), "{outcomes:?}");
    assert_eq!(client.requests(), 4);
}
