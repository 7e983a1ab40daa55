//! The way of a request: read, held back, struck by a fault or answered.

use axum::{
    body::{Body, Bytes},
    extract::Request as HttpRequest,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::{
    call::Call,
    fault::{Fault, When},
    options::Options,
    reply::Reply,
    requests::Request,
    route,
    store::Store,
    worker::{self, Flaw},
};
use crate::server::{Shared, System, lock};

/// The largest body it reads.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// A NetBox in memory.
#[doc(hidden)]
#[derive(Debug)]
pub struct NetBox {
    pub(super) store: Store,
    /// The number of requests that were taken.
    pub(super) taken: usize,
}

impl System for NetBox {
    type Backing = ();
    type Options = Options;
    type Request = Request;
    type Fault = Fault;
    type When = When;

    fn fits(when: &When, request: &Request) -> bool {
        when.fits(request)
    }

    async fn respond(shared: &Shared<Self>, request: HttpRequest) -> Response {
        let mut response = respond(shared, request).await;
        let date = lock(&shared.system).store.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(date) = HeaderValue::from_str(&date) {
            response.headers_mut().insert(header::DATE, date);
        }
        response
    }
}

async fn respond(shared: &Shared<NetBox>, request: HttpRequest) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = Call::read(head.method, &head.uri, &head.headers, &body);
    let request = Request { method: call.method.to_string(), path: call.path.clone(), rows: call.rows() };
    let fault = shared.note(request);
    let options = lock(&shared.options).clone();
    if !options.latency.is_zero() {
        tokio::time::sleep(options.latency).await;
    }
    let (flaws, call) = match shared.taken_by_a_worker(call) {
        Ok(taken) => taken,
        Err(reply) => return reply.into_response(),
    };
    let answer = |refused| {
        let answer = route::answer(&mut lock(&shared.system).store, &options, &call, refused);
        answer.with(|body| worker::forget(body, &flaws))
    };
    match fault {
        None => answer(None).into_response(),
        Some(Fault::Status(status)) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
        Some(Fault::Exception { exception, error }) => Reply::exception(&exception, &error).into_response(),
        Some(Fault::ForbidRow { field, value }) if call.has_row_with(&field, &value) => {
            Reply::forbidden("You do not have permission to perform this action.").into_response()
        }
        Some(Fault::ForbidRow { .. }) => answer(None).into_response(),
        Some(Fault::RefuseRow { field, value }) => answer(Some((field, value))).into_response(),
        Some(Fault::Hang) => {
            shared.hang().await;
            broken_off()
        }
        Some(Fault::LoseAnswer) => {
            answer(None);
            broken_off()
        }
    }
}

impl Shared<NetBox> {
    /// Has the next worker read a request. Returns what it has wrong about the type, or its answer if it cannot read it.
    fn taken_by_a_worker(&self, call: Call) -> Result<(Vec<Flaw>, Call), Reply> {
        let (taken, saved) = {
            let system = &mut *lock(&self.system);
            system.taken += 1;
            (system.taken, worker::saved(&system.store, &call))
        };
        let flaws = {
            let options = &mut *lock(&self.options);
            worker::flaws(&mut options.old_forms, taken % options.workers.max(1), &call, saved.as_deref())
        };
        call.read_with(&flaws).map(|call| (flaws, call))
    }
}

/// The connection closes before a byte of the answer was sent: its body fails before its head is written out.
fn broken_off() -> Response {
    let nothing = stream::iter([Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))]);
    let mut response = Body::from_stream(nothing).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("1"));
    response
}
