//! Errors as clients see them: problem details (RFC 9457), each kind with a `type` that never changes.
//!
//! A 5xx carries no inner text: what happened is in the log, under the request's id.

use std::time::Duration;

use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::Serialize;
use tracing::warn;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{self, RefOr},
};

use crate::{error_chain::error_chain, netbox, queue};

/// What `type` begins with.
const NAMESPACE: &str = "urn:rir-sidecar:problem:";
/// Media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The request cannot be understood.
    InvalidRequest,
    /// No token, or one that NetBox does not know.
    NotAuthenticated,
    /// A webhook without the signature of one of our secrets.
    BadSignature,
    /// The caller may see it, but not do this.
    NotPermitted,
    /// There is no such thing, or the caller may not see it.
    NotFound,
    /// The path knows other methods only.
    MethodNotAllowed,
    /// The caller has no API key for the RIR config.
    NoApiKey,
    /// No active RIR config is for this object.
    NoConfig,
    /// The state of the job does not allow it.
    JobState,
    /// Another request with this idempotency key is under way.
    RequestInProgress,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// Too many unknown tokens from this address.
    TooManyUnknownTokens,
    /// Something went wrong that should not.
    Internal,
    /// NetBox cannot be asked.
    NetboxUnavailable,
    /// The queue cannot be reached.
    QueueUnavailable,
    /// The service does not do its work now.
    NotReady,
    /// It took too long.
    Timeout,
}

impl Kind {
    /// Status, last part of `type`, and title.
    fn told(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid-request", "The request is invalid"),
            Self::NotAuthenticated => (StatusCode::UNAUTHORIZED, "not-authenticated", "A valid NetBox token is needed"),
            Self::BadSignature => (StatusCode::UNAUTHORIZED, "bad-signature", "The webhook is not signed by NetBox"),
            Self::NotPermitted => (StatusCode::FORBIDDEN, "not-permitted", "NetBox does not permit this to the user"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The path does not take this method")
            }
            Self::NoApiKey => (StatusCode::CONFLICT, "no-api-key", "The user has no API key for the RIR config"),
            Self::NoConfig => (StatusCode::CONFLICT, "no-config", "No active RIR config is for this object"),
            Self::JobState => (StatusCode::CONFLICT, "job-state", "The state of the job does not allow this"),
            Self::RequestInProgress => {
                (StatusCode::CONFLICT, "request-in-progress", "A request with this idempotency key is under way")
            }
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body has to be JSON")
            }
            Self::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The idempotency key was used for another request",
            ),
            Self::TooManyUnknownTokens => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-unknown-tokens", "Too many tokens that NetBox does not know")
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here"),
            Self::NetboxUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "netbox-unavailable", "NetBox cannot be asked now")
            }
            Self::QueueUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "queue-unavailable", "The queue cannot be reached now")
            }
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not-ready", "The service is not ready"),
            Self::Timeout => (StatusCode::GATEWAY_TIMEOUT, "timeout", "The request took too long"),
        }
    }
}

/// A problem to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    wait: Option<Duration>,
}

/// What is wrong with a request, or why it was not done (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
struct Body<'a> {
    /// What kind of problem it is; never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:rir-sidecar:problem:not-found")]
    kind: String,
    /// The kind of problem in words.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time.
    detail: &'a str,
}

impl Problem {
    /// A problem of a kind; `detail` says what happened this time and what to do about it.
    #[must_use]
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), wait: None }
    }

    /// Says how long to wait before trying again.
    #[must_use]
    pub(super) fn after(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    /// There is no such thing, or the caller may not see it: which of the two is not told.
    #[must_use]
    pub(super) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(Kind::NotFound, format!("there is no {what} {id} that you may see"))
    }

    /// The kind.
    #[must_use]
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    fn challenge(&self) -> Option<&'static str> {
        match self.kind {
            Kind::NotAuthenticated => Some("Bearer realm=\"NetBox\", Token realm=\"NetBox\""),
            Kind::BadSignature => Some("HMAC-SHA512 header=\"X-Hook-Signature\""),
            Kind::InvalidRequest
            | Kind::NotPermitted
            | Kind::NotFound
            | Kind::MethodNotAllowed
            | Kind::NoApiKey
            | Kind::NoConfig
            | Kind::JobState
            | Kind::RequestInProgress
            | Kind::BodyTooLarge
            | Kind::UnsupportedMediaType
            | Kind::IdempotencyKeyReused
            | Kind::TooManyUnknownTokens
            | Kind::Internal
            | Kind::NetboxUnavailable
            | Kind::QueueUnavailable
            | Kind::NotReady
            | Kind::Timeout => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, slug, title) = self.kind.told();
        let kind = format!("{NAMESPACE}{slug}");
        let body = Body { kind, title, status: status.as_u16(), detail: &self.detail };
        // Strings and a number always have a written form.
        let body = serde_json::to_string(&body).unwrap_or_default();
        let challenge = self.challenge().map(|text| (WWW_AUTHENTICATE, HeaderValue::from_static(text)));
        let wait = self.wait.map(|wait| (RETRY_AFTER, HeaderValue::from(whole_seconds(wait))));
        let headers: Vec<(HeaderName, HeaderValue)> = challenge.into_iter().chain(wait).collect();
        (status, [(CONTENT_TYPE, MEDIA_TYPE)], AppendHeaders(headers), body).into_response()
    }
}

/// Seconds, rounded up: who comes back after them is not too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl From<queue::Error> for Problem {
    fn from(error: queue::Error) -> Self {
        warn!(error = %error_chain(&error), "the queue did not do what a request asked for");
        Self::new(Kind::QueueUnavailable, "nothing was done; try again").after(Duration::from_secs(1))
    }
}

/// What NetBox did not do for rir-sidecar itself. What it refuses a caller is told where it is asked.
impl From<netbox::Error> for Problem {
    fn from(error: netbox::Error) -> Self {
        warn!(error = %error_chain(&error), "NetBox did not do what a request needs");
        let unavailable = |detail: &str| Self::new(Kind::NetboxUnavailable, detail).after(Duration::from_secs(5));
        if error.is_forbidden() {
            unavailable("NetBox refuses it to rir-sidecar: `rir-sidecar check` says what is missing")
        } else if error.is_not_found() {
            unavailable("NetBox lacks the RIR types: `rir-sidecar bootstrap` makes them")
        } else {
            unavailable("NetBox gave no usable answer; try again")
        }
    }
}

/// The schema of a problem, which no handler names.
pub(super) fn schema() -> (String, RefOr<openapi::Schema>) {
    ("Problem".to_owned(), Body::schema())
}
