//! The client against a server that misbehaves, over real HTTP on a loopback port.

mod calls;
mod fuzz;
mod retries;
mod safety;
mod throttling;
mod whois;
mod writing;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Response, request::Parts},
};
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{
    client::{Client, Pool},
    error::{Error, ErrorKind},
    fixtures::{fixture, settings},
};
use crate::{
    config::{Arin, Auth},
    error_chain::error_chain,
    model::{CustomerHandle, Instance, NetBlock, NetHandle, OrgHandle, PocHandle},
    outbound::{AnswerLost, NoAnswer},
    retry::Retry,
};

const KEY: &str = "API-AAAA-BBBB-CCCC-DDDD";

/// A server that keeps what it is asked and answers by a function of how often it was asked before.
struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as it arrived.
#[derive(Clone)]
struct Seen {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: Bytes,
    at: Instant,
}

impl Server {
    async fn answering(answer: impl Fn(usize) -> Response<Body> + Clone + Send + Sync + 'static) -> Self {
        Self::start(move |asked, _| answer(asked)).await
    }

    /// Answers by a function of the path and query.
    async fn answering_to(answer: impl Fn(&str) -> Response<Body> + Clone + Send + Sync + 'static) -> Self {
        Self::start(move |_, uri| answer(uri)).await
    }

    async fn start(answer: impl Fn(usize, &str) -> Response<Body> + Clone + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (listener, url) = listener().await;
        let kept = Arc::clone(&seen);
        let router = axum::Router::new().fallback(move |parts: Parts, body: Bytes| {
            let mut seen = kept.lock().unwrap();
            let Parts { method, uri, headers, .. } = parts;
            let uri = uri.to_string();
            let answer = answer(seen.len(), &uri);
            seen.push(Seen { method, uri, headers, body, at: Instant::now() });
            async move { answer }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn client(&self) -> Client {
        self.client_with(settings())
    }

    fn client_with(&self, settings: Arin) -> Client {
        client(&self.url, settings)
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn client(url: &str, settings: Arin) -> Client {
    let pool = Pool::new(&Arin { allowed_base_urls: vec![url.parse().unwrap()], ..settings }).unwrap();
    pool.client(url, SecretString::from(KEY)).unwrap()
}

/// The settings, with the way of the key to this server.
fn by(auth: Auth, url: &str, settings: Arin) -> Arin {
    Arin { auth: [(url.parse().unwrap(), auth)].into(), ..settings }
}

fn xml(status: u16, name: &str) -> Response<Body> {
    let answer = Response::builder().status(status).header("content-type", "application/xml");
    answer.body(Body::from(fixture(name))).unwrap()
}

fn throttled(retry_after: Option<String>) -> Response<Body> {
    let answer = Response::builder().status(429);
    let answer = retry_after.iter().fold(answer, |answer, wait| answer.header("retry-after", wait));
    answer.body(Body::empty()).unwrap()
}

fn example() -> OrgHandle {
    OrgHandle::new("EXAMPLE-1").unwrap()
}

/// The error with all its causes, in both forms, as any log might show it.
fn chain(error: &Error) -> String {
    format!("{}\n{error:?}", error_chain(error))
}

/// A server that writes `answer` and hangs up, and then, from the second connection on, `then`.
async fn raw_server(answer: Vec<u8>, then: Vec<u8>) -> String {
    let (listener, url) = listener().await;
    let connections = AtomicUsize::new(0);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let answer = if connections.fetch_add(1, Ordering::Relaxed) == 0 { &answer } else { &then };
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(answer).await;
            let _ = socket.shutdown().await;
        }
    });
    url
}

fn with_length(length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
