//! `Idempotency-Key` on POST: the same request sent again gets the answer of the first time, and nothing is done.
//!
//! A key belongs to a user, a method and a path. Only what was done is kept, for a day: a refusal or a failure frees
//! the key. Each user has a quota, so that nobody can fill Redis; a request for which there is no room is refused before
//! anything is done, because the promise could not be kept. Of an answer that turns out too large it is remembered that
//! the request was done. A request whose client goes away is finished all the same, so that its answer is there when
//! the client asks again.

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
    coordination::{AnswerKey, KnownAnswer, Quota},
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
/// The most that is kept for one user.
const QUOTA: Quota = Quota { answers: 1000, bytes: 4 << 20, largest: 64 << 10 };

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAnswer {
    status: u16,
    content_type: Option<String>,
    location: Option<String>,
    /// The body; `None` if it was too large.
    body: Option<String>,
}

/// Answers a request that came before from what is kept.
pub(crate) async fn remember(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Problem> {
    if request.method() != Method::POST || !request.headers().contains_key(KEY_HEADER) {
        return Ok(next.run(request).await);
    }
    let (mut parts, body) = request.into_parts();
    let Caller(user) = Caller::from_request_parts(&mut parts, &app).await?;
    let key = answer_key(&user.name, &parts)?;
    let RawBody(body) = RawBody::from_request(Request::from_parts(parts.clone(), body), &app).await?;
    let fingerprint = hex::encode(&Sha256::digest(&body));
    match app.services.coordination.recall_answer(&key, &fingerprint, &QUOTA).await? {
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
        KnownAnswer::NoRoom { wait } => Err(no_room().after(wait)),
    }
}

fn no_room() -> Problem {
    let Quota { answers, bytes, .. } = QUOTA;
    let detail = format!(
        "nothing was done: {answers} answers, or {} MiB of them, are kept for your idempotency keys of the last day, \
         which is the most; wait, or send the request without Idempotency-Key",
        bytes >> 20
    );
    Problem::new(Kind::TooManyIdempotencyKeys, detail)
}

/// Handles the request, and keeps the answer if something was done.
async fn answer(app: Arc<App>, key: AnswerKey, fingerprint: String, request: Request, next: Next) -> Response {
    let (head, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let response = Response::from_parts(head, Body::from(body.clone()));
    let coordination = &app.services.coordination;
    let done = match kept(&response, &body) {
        Some(kept) => coordination.remember_answer(&key, &fingerprint, &kept, ANSWER_TTL).await,
        None => coordination.forget_answer(&key).await,
    };
    if let Err(error) = done {
        warn!(error = %error_chain(&error), "an answer could not be kept for its idempotency key");
    }
    response
}

/// Returns an answer in the form in which it is kept; `None` when nothing was done. Too large a body is left out.
fn kept(response: &Response, body: &[u8]) -> Option<String> {
    if !response.status().is_success() {
        return None;
    }
    let header = |name: HeaderName| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    let with = |body: Option<&str>| {
        let (status, body) = (response.status().as_u16(), body.map(str::to_owned));
        let kept = KeptAnswer { status, content_type: header(CONTENT_TYPE), location: header(LOCATION), body };
        // Strings and a number always have a written form.
        serde_json::to_string(&kept).unwrap_or_default()
    };
    let whole = std::str::from_utf8(body).ok().filter(|body| body.len() <= QUOTA.largest);
    let whole = whole.map(|body| with(Some(body))).filter(|kept| kept.len() <= QUOTA.largest);
    Some(whole.unwrap_or_else(|| with(None)))
}

fn replay(text: &str) -> Result<Response, Problem> {
    let unreadable = || Problem::new(Kind::Internal, "the answer that was kept cannot be read");
    let kept: KeptAnswer = serde_json::from_str(text).map_err(|_| unreadable())?;
    let status = StatusCode::from_u16(kept.status).map_err(|_| unreadable())?;
    let body = kept.body.ok_or_else(|| {
        let detail = "the request was done, and is not done again; its answer was too large to be kept";
        Problem::new(Kind::AnswerNotKept, detail)
    })?;
    let mut response = (status, Bytes::from(body)).into_response();
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
fn answer_key(user: &str, parts: &Parts) -> Result<AnswerKey, Problem> {
    let key = parts.headers.get(KEY_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    if !(1..=LONGEST_KEY).contains(&key.len()) || !key.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        let detail = format!("Idempotency-Key has to be 1 to {LONGEST_KEY} printable ASCII characters");
        return Err(Problem::new(Kind::InvalidRequest, detail));
    }
    let path = parts.uri.path_and_query().map_or_else(|| parts.uri.path(), |path| path.as_str());
    let request = [user.as_bytes(), parts.method.as_str().as_bytes(), path.as_bytes(), key];
    Ok(AnswerKey { user: name_of(&[user.as_bytes()]), request: name_of(&request) })
}

/// Returns a name of fixed length that other parts do not have.
fn name_of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // With their lengths, no two sets of parts read the same.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_body(status: u16, body: &str) -> Option<Option<String>> {
        let response = (StatusCode::from_u16(status).unwrap(), body.to_owned()).into_response();
        let kept = kept(&response, body.as_bytes())?;
        assert!(kept.len() <= QUOTA.largest);
        Some(serde_json::from_str::<KeptAnswer>(&kept).unwrap().body)
    }

    #[test]
    fn only_what_was_done_is_kept() {
        assert_eq!(kept_body(202, "{}"), Some(Some("{}".to_owned())));
        for status in [302, 400, 403, 409, 429, 500, 503] {
            assert_eq!(kept_body(status, "{}"), None, "{status}");
        }
    }

    #[test]
    fn of_a_large_answer_it_is_kept_that_there_was_one() {
        assert_eq!(kept_body(202, &"x".repeat(QUOTA.largest)), Some(None));
        // What is kept is longer than the body, in which each quotation mark is escaped.
        assert_eq!(kept_body(202, &"\"".repeat(QUOTA.largest / 2)), Some(None));
        let short = "x".repeat(QUOTA.largest / 2);
        assert_eq!(kept_body(202, &short), Some(Some(short.clone())));
    }
}
