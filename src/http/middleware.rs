//! The middleware of all requests: id, span, metrics and timeout.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::{Instrument, debug, field::Empty, info_span};

use super::{
    app::App,
    problem::{Kind, Problem},
};
use crate::{
    supervise::caught,
    telemetry::{
        metrics::{Method, Part},
        traces,
    },
};

/// The header that carries the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a client.
const LONGEST_ID: usize = 64;

/// Adds an id and a span to each request, and counts it when it is answered.
pub(super) async fn trace(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    // The path as it was registered, and the method as one of few words: there is no end to what clients send as either.
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let method = Method::of(request.method().as_str());
    let span =
        info_span!("http.request", request.id = %id, http.method = method.word(), http.route = %route, user = Empty);
    traces::carry_on(&span, traceparent(request.headers()).as_deref());
    let begun = Instant::now();
    async {
        let mut response = next.run(request).await;
        let (status, took) = (response.status(), begun.elapsed());
        app.services.metrics.answered(method, &route, status, took);
        let (method, status) = (method.word(), status.as_u16());
        debug!(http.status = status, took_ms = took.as_secs_f64() * 1e3, "answered {method} {route} with {status}");
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

/// Answers a request that panics, and counts it.
pub(super) async fn catch_panic(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let answered = caught(&app.services.metrics, Part::Request, next.run(request)).await;
    answered.unwrap_or_else(|_| Problem::new(Kind::Internal, "the fault is in the log of rir-sidecar").into_response())
}

/// Ends a request that takes too long. What was begun for it may still be finished.
pub(super) async fn time_out(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let limit = humantime::format_duration(limit);
            Problem::new(Kind::Timeout, format!("there was no answer within {limit}")).into_response()
        }
    }
}

/// Returns the client's id for the request, if it is a harmless word, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    match given.filter(|id| (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(harmless)) {
        Some(id) => id.to_owned(),
        None => format!("{:032x}", fastrand::u128(..)),
    }
}

/// Returns the trace context for the jobs that a request asks for: that of the current span, or else the client's.
pub(super) fn trace_context(headers: &HeaderMap) -> Option<String> {
    traces::current().or_else(|| traceparent(headers))
}

/// Returns the client's trace context, if it sends one.
fn traceparent(headers: &HeaderMap) -> Option<String> {
    traces::checked(headers.get(traces::TRACEPARENT)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn an_id_is_taken_when_it_is_harmless() {
        let id = |text: &str| request_id(&headers("x-request-id", text));
        assert_eq!(id("abc-1.2_3"), "abc-1.2_3");
        for odd in ["", "a b", "a\"b", &"a".repeat(65)] {
            assert_ne!(id(odd), odd);
            assert_eq!(id(odd).len(), 32);
        }
    }

    #[test]
    fn a_trace_context_is_taken_when_it_is_one() {
        let given = |text: &str| traceparent(&headers("traceparent", text));
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(given(good).as_deref(), Some(good));
        assert_eq!(given("00-0af7-b7ad-01"), None);
        assert_eq!(given(&good.to_uppercase()), None);
    }
}
