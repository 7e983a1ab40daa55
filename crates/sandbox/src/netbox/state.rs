//! What the requests to one server share, and the way of a request: read, held back, struck by a fault or answered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::{
    body::{Body, Bytes},
    extract::Request as HttpRequest,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::sync::watch;

use super::{Fault, Options, Request, Requests, call::Call, fault::Rules, reply::Reply, route, store::Store};

/// The largest body it reads.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// What the requests to one server share.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Mutex<Options>,
    pub(super) rules: Mutex<Rules>,
    pub(super) requests: Mutex<Requests>,
    pub(super) store: Mutex<Store>,
    stopping: watch::Receiver<bool>,
}

impl State {
    pub(super) fn new(options: Options, stopping: watch::Receiver<bool>) -> Self {
        Self {
            options: Mutex::new(options),
            rules: Mutex::default(),
            requests: Mutex::default(),
            store: Mutex::new(Store::new()),
            stopping,
        }
    }

    /// Answers one request.
    pub(super) async fn respond(&self, request: HttpRequest) -> Response {
        let (head, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let call = Call::read(head.method, &head.uri, &head.headers, &body);
        let fault = self.strike(&call, head.uri.query().unwrap_or_default());
        let options = lock(&self.options).clone();
        if !options.latency.is_zero() {
            tokio::time::sleep(options.latency).await;
        }
        match fault {
            None => self.answer(&options, &call, None).into_response(),
            Some(Fault::Status(status)) => route::fault(status).into_response(),
            Some(Fault::RefuseRow { field, value }) => {
                self.answer(&options, &call, Some((field, value))).into_response()
            }
            Some(Fault::Hang) => self.hang().await,
            Some(Fault::HangAfter) => {
                self.answer(&options, &call, None);
                self.hang().await
            }
            Some(Fault::LoseAnswer) => {
                self.answer(&options, &call, None);
                broken_off()
            }
        }
    }

    fn strike(&self, call: &Call, query: &str) -> Option<Fault> {
        let (method, path) = (call.method.to_string(), call.path.clone());
        let seen = Request { method, path, query: query.to_owned(), rows: call.rows() };
        let fault = lock(&self.rules).strike(&seen);
        lock(&self.requests).0.push(seen);
        fault
    }

    fn answer(&self, options: &Options, call: &Call, refused: Option<(String, String)>) -> Reply {
        route::answer(&mut lock(&self.store), options, call, refused)
    }

    /// Gives no answer until the server stops, and then breaks off.
    async fn hang(&self) -> Response {
        let _ = self.stopping.clone().wait_for(|stopping| *stopping).await;
        broken_off()
    }
}

/// The connection closes before a byte of the answer was sent: its body fails before its head is written out.
fn broken_off() -> Response {
    let nothing = stream::iter([Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))]);
    let mut response = Body::from_stream(nothing).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("1"));
    response
}

/// Locks; a panic elsewhere while it was held does not matter to a stand-in.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
