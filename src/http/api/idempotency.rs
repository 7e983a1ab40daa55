//! `Idempotency-Key` on POST: the same request sent again gets the answer of the first time, and nothing is done.
//!
//! A key belongs to a user, a method and a path. Answers below 500 are kept for a day, unless they are too large to
//! keep, as only previews are, which do nothing anyway. A request whose client goes away is finished all the same, so
//! that its answer is there when the client asks again.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts, Request, State},
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{CONTENT_TYPE, LOCATION},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::{Instrument, Span, warn};

use crate::{
    coordination::KnownAnswer,
    error_chain::error_chain,
    hex,
    http::{
        app::App,
        auth::caller::Caller,
        extract::RawBody,
        problem::{Kind, Problem},
    },
};

/// The header that carries the key.
const KEY_HEADER: &str = "idempotency-key";
/// The header that marks an answer from before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The time for which answers are kept.
const ANSWER_TTL: Duration = Duration::from_secs(24 * 3600);
/// The longest key.
const LONGEST_KEY: usize = 255;
/// The largest answer that is kept, in bytes.
const LARGEST_ANSWER: usize = 1 << 20;

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAnswer {
    status: u16,
    content_type: Option<String>,
    location: Option<String>,
    body: String,
}

/// Answers a request that came before from what is kept.
pub(crate) async fn remember(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Problem> {
    if request.method() != Method::POST || !request.headers().contains_key(KEY_HEADER) {
        return Ok(next.run(request).await);
    }
    let (mut parts, body) = request.into_parts();
    let Caller(user) = Caller::from_request_parts(&mut parts, &app).await?;
    let key = storage_key(&user.name, &parts)?;
    let RawBody(body) = RawBody::from_request(Request::from_parts(parts.clone(), body), &app).await?;
    let fingerprint = hex::encode(&Sha256::digest(&body));
    match app.services.coordination.recall_answer(&key, &fingerprint).await? {
        KnownAnswer::Reserved => {
            let request = Request::from_parts(parts, Body::from(body));
            // In a task of its own, which a client that goes away does not end.
            let task = tokio::spawn(answer(app, key, fingerprint, request, next).instrument(Span::current()));
            task.await.map_err(|_| Problem::new(Kind::Internal, "the request came to a sudden end"))
        }
        KnownAnswer::InProgress => {
            let problem = Problem::new(Kind::RequestInProgress, "the first request has not been answered yet");
            Err(problem.after(Duration::from_secs(1)))
        }
        KnownAnswer::OtherRequest => {
            Err(Problem::new(Kind::IdempotencyKeyReused, "the key came with another body before; take a new one"))
        }
        KnownAnswer::Answer(text) => replay(&text),
    }
}

/// Handles the request, and keeps the answer.
async fn answer(app: Arc<App>, key: String, fingerprint: String, request: Request, next: Next) -> Response {
    let (head, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let written = std::str::from_utf8(&body).ok().filter(|body| body.len() <= LARGEST_ANSWER);
    let kept = written.filter(|_| !head.status.is_server_error()).map(|body| KeptAnswer {
        status: head.status.as_u16(),
        content_type: text(CONTENT_TYPE),
        location: text(LOCATION),
        body: body.to_owned(),
    });
    let done = match kept.and_then(|kept| serde_json::to_string(&kept).ok()) {
        Some(kept) => app.services.coordination.remember_answer(&key, &fingerprint, &kept, ANSWER_TTL).await,
        None => app.services.coordination.forget_answer(&key).await,
    };
    if let Err(error) = done {
        warn!(error = %error_chain(&error), "an answer could not be kept for its idempotency key");
    }
    Response::from_parts(head, Body::from(body))
}

fn replay(text: &str) -> Result<Response, Problem> {
    let unreadable = || Problem::new(Kind::Internal, "the answer that was kept cannot be read");
    let kept: KeptAnswer = serde_json::from_str(text).map_err(|_| unreadable())?;
    let status = StatusCode::from_u16(kept.status).map_err(|_| unreadable())?;
    let mut response = (status, Bytes::from(kept.body)).into_response();
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    for (name, value) in [(CONTENT_TYPE, kept.content_type), (LOCATION, kept.location)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Returns the name under which an answer is kept, made from user, method, path and key.
fn storage_key(user: &str, parts: &Parts) -> Result<String, Problem> {
    let key = parts.headers.get(KEY_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    if !(1..=LONGEST_KEY).contains(&key.len()) || !key.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        let detail = format!("Idempotency-Key has to be 1 to {LONGEST_KEY} printable ASCII characters");
        return Err(Problem::new(Kind::InvalidRequest, detail));
    }
    let mut hash = Sha256::new();
    let path = parts.uri.path_and_query().map_or_else(|| parts.uri.path(), |path| path.as_str());
    for part in [user.as_bytes(), parts.method.as_str().as_bytes(), path.as_bytes(), key] {
        // With their lengths, no two sets of parts read the same.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    Ok(hex::encode(&hash.finalize()))
}
