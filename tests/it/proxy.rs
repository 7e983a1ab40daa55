//! A reverse proxy that plays tricks on writes, in front of a real NetBox.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::{net::TcpListener, task::JoinHandle};

/// The fate of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trick {
    /// Nothing special.
    Pass,
    /// It is done, and the answer is cut off.
    LoseAnswer,
    /// It is done, and no answer ever comes.
    Hang,
    /// It is done, and a gateway says that it did not get an answer in time.
    Gateway,
    /// It is never done, and the connection is cut.
    LoseRequest,
}

/// The proxy; it stops when dropped.
pub(crate) struct Proxy {
    port: u16,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

struct Seen {
    upstream: String,
    http: reqwest::Client,
    tricks: Mutex<VecDeque<Trick>>,
    no_arrays: bool,
    writes: Mutex<Vec<String>>,
}

impl Proxy {
    /// Starts one in front of `upstream` that plays these tricks on the first writes.
    pub(crate) async fn start(upstream: &str, tricks: impl IntoIterator<Item = Trick>) -> Self {
        Self::with(upstream, tricks.into_iter().collect(), false).await
    }

    /// Starts one that answers writes of arrays as versions of the plugin before 0.7 do.
    pub(crate) async fn without_arrays(upstream: &str) -> Self {
        Self::with(upstream, VecDeque::new(), true).await
    }

    async fn with(upstream: &str, tricks: VecDeque<Trick>, no_arrays: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // Fails when something else of this process was first, which is just as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().build().unwrap();
        let tricks = Mutex::new(tricks);
        let seen = Arc::new(Seen { upstream: upstream.to_owned(), http, tricks, no_arrays, writes: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { port, seen, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// The writes that came, `POST 3` for an array of three rows and `PATCH` for a single one.
    pub(crate) fn writes(&self) -> String {
        self.seen.writes.lock().unwrap().join(", ")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(seen): State<Arc<Seen>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let trick = if method == Method::GET { Trick::Pass } else { seen.note(&method, &body) };
    if trick == Trick::LoseRequest {
        return cut();
    }
    if seen.no_arrays && method != Method::GET && body.starts_with(b"[") {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let (status, bytes) = seen.forward(method, &uri, &headers, body).await;
    match trick {
        Trick::Pass => (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Trick::LoseAnswer | Trick::LoseRequest => cut(),
        Trick::Gateway => (StatusCode::GATEWAY_TIMEOUT, "<html>504</html>").into_response(),
        Trick::Hang => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            cut()
        }
    }
}

/// An answer that ends before its body does.
fn cut() -> Response {
    let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    (StatusCode::CREATED, Body::from_stream(broken)).into_response()
}

impl Seen {
    fn note(&self, method: &Method, body: &Bytes) -> Trick {
        let rows = serde_json::from_slice::<Vec<serde_json::Value>>(body).map(|rows| format!(" {}", rows.len()));
        self.writes.lock().unwrap().push(format!("{method}{}", rows.unwrap_or_default()));
        self.tricks.lock().unwrap().pop_front().unwrap_or(Trick::Pass)
    }

    async fn forward(&self, method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> (StatusCode, Bytes) {
        let mut request = self.http.request(method, format!("{}{uri}", self.upstream)).body(body);
        for name in [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT] {
            if let Some(value) = headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let reply = request.send().await.unwrap();
        (reply.status(), reply.bytes().await.unwrap())
    }
}
