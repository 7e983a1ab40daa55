//! What stands before every answer: the request's form, its key, and the limit on requests.

use axum::http::{HeaderMap, StatusCode, header};
use tokio::time::{Duration, Instant};

use super::{
    Auth, Options, Request,
    options::Throttle,
    reply::{Code, Reply},
};

/// Requests counted by whole seconds.
#[derive(Debug, Default)]
pub(super) struct Meter {
    second: Option<Instant>,
    count: u32,
}

impl Meter {
    /// Counts one request; the refusal when it is one too many.
    pub(super) fn count(&mut self, throttle: Throttle, now: Instant) -> Option<Reply> {
        let current = self.second.filter(|since| now.duration_since(*since) < Duration::from_secs(1));
        if current.is_none() {
            *self = Self { second: Some(now), count: 0 };
        }
        self.count += 1;
        (self.count > throttle.per_second).then(|| Reply::throttled(throttle.retry_after))
    }
}

/// Why a request is not answered, if so.
pub(super) fn refusal(request: &Request, headers: &HeaderMap, options: &Options) -> Option<Reply> {
    if let Some(reply) = key_refusal(&request.auth, options) {
        return Some(reply);
    }
    if request.method != "GET" {
        let message = "This service only reads.";
        return Some(Reply::error(StatusCode::METHOD_NOT_ALLOWED, Code::BadRequest, message));
    }
    if !accepts_xml(headers) {
        let message = "Only application/xml can be produced.";
        return Some(Reply::error(StatusCode::NOT_ACCEPTABLE, Code::BadRequest, message));
    }
    None
}

fn key_refusal(auth: &Auth, options: &Options) -> Option<Reply> {
    let refused = |status, message| Some(Reply::error(status, Code::Authentication, message));
    match auth.key() {
        None => refused(StatusCode::BAD_REQUEST, "An API key is required."),
        Some(key) if options.keys.contains(key) => None,
        Some(key) if options.unlinked_keys.contains(key) => {
            refused(StatusCode::UNAUTHORIZED, "The API key is not linked to a point of contact with authority.")
        }
        Some(_) => refused(StatusCode::BAD_REQUEST, "The API key is not valid."),
    }
}

fn accepts_xml(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else { return true };
    accept
        .split(',')
        .filter_map(|range| range.split(';').next())
        .any(|range| ["application/xml", "application/*", "*/*"].contains(&range.trim()))
}
