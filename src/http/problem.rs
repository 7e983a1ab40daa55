//! Errors as clients see them: problem details (RFC 9457), each kind with a `type` that never changes.
//!
//! A 5xx carries no inner text: what happened is in the log, under the request's id. Whatever a request said wrongly is
//! repeated shortened.

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

use crate::{
    error_chain::error_chain, irr::store::StoreError, netbox, outbound::excerpt::excerpt, queue, retry::Retry,
    sync::kept_plan::BadPart,
};

/// The part of `type` that all kinds have in common.
const NAMESPACE: &str = "urn:rir-sidecar:problem:";
/// The longest detail, in characters. It may quote the request.
const LONGEST_DETAIL: usize = 300;
/// The media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Makes the kinds of problems from a table: status, last part of `type`, title.
macro_rules! kinds {
    ($($name:ident => $status:ident, $slug:literal, $title:literal;)+) => {
        /// The kind of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { $($name,)+ }

        impl Kind {
            fn description(self) -> (StatusCode, &'static str, &'static str) {
                match self { $(Self::$name => (StatusCode::$status, $slug, $title),)+ }
            }
        }
    };
}

kinds! {
    InvalidRequest => BAD_REQUEST, "invalid-request", "The request is invalid";
    NotAuthenticated => UNAUTHORIZED, "not-authenticated", "A valid NetBox token is needed";
    BadSignature => UNAUTHORIZED, "bad-signature", "The webhook is not signed by NetBox";
    NotPermitted => FORBIDDEN, "not-permitted", "NetBox does not permit this to the user";
    StaleWebhook => FORBIDDEN, "stale-webhook", "The webhook was not made just now";
    NotFound => NOT_FOUND, "not-found", "There is no such thing";
    MethodNotAllowed => METHOD_NOT_ALLOWED, "method-not-allowed", "The path does not take this method";
    BodyTooSlow => REQUEST_TIMEOUT, "body-too-slow", "The body took too long to arrive";
    NoApiKey => CONFLICT, "no-api-key", "The user has no API key for the RIR config";
    NoConfig => CONFLICT, "no-config", "No active RIR config is for this object";
    PlanUnknown => CONFLICT, "plan-unknown", "No such plan of the RIR config is kept";
    PlanDiffers => CONFLICT, "plan-differs", "The plan has changed since it was made";
    PlanFailed => CONFLICT, "plan-failed", "The preview came to no plan";
    NothingToAsk => CONFLICT, "nothing-to-ask", "There is nothing that ARIN could be asked for";
    RequestsDisabled => CONFLICT, "requests-disabled", "Changes at the registry are switched off";
    RequestState => CONFLICT, "request-state", "The change request does not allow this as it stands";
    NothingRefused => CONFLICT, "nothing-refused", "No dump was refused";
    JobState => CONFLICT, "job-state", "The state of the job does not allow this";
    AnswerNotKept => CONFLICT, "answer-not-kept", "The request was done before, and its answer was not kept";
    RequestInProgress => CONFLICT, "request-in-progress", "A request with this idempotency key is under way";
    BodyTooLarge => PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";
    UnsupportedMediaType => UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body has to be JSON";
    NoPrefix => UNPROCESSABLE_ENTITY, "no-prefix", "The text is no prefix";
    IdempotencyKeyReused => UNPROCESSABLE_ENTITY, "idempotency-key-reused",
        "The idempotency key was used for another request";
    TooManyUnknownTokens => TOO_MANY_REQUESTS, "too-many-unknown-tokens", "Too many tokens that NetBox does not know";
    TooManyEventStreams => TOO_MANY_REQUESTS, "too-many-event-streams", "The user follows too many jobs at once";
    TooManyRequests => TOO_MANY_REQUESTS, "too-many-requests", "Too many requests of one user";
    TooManyIdempotencyKeys => TOO_MANY_REQUESTS, "too-many-idempotency-keys",
        "No more answers are kept for idempotency keys of the user";
    Internal => INTERNAL_SERVER_ERROR, "internal", "Something went wrong here";
    NetboxUnavailable => SERVICE_UNAVAILABLE, "netbox-unavailable", "NetBox cannot be asked now";
    QueueUnavailable => SERVICE_UNAVAILABLE, "queue-unavailable", "The queue cannot be reached now";
    Busy => SERVICE_UNAVAILABLE, "busy", "The service has too much to do just now";
    NotReady => SERVICE_UNAVAILABLE, "not-ready", "The service is not ready";
    Timeout => GATEWAY_TIMEOUT, "timeout", "The request took too long";
}

impl Kind {
    /// Returns the `WWW-Authenticate` of a problem that better credentials would solve.
    fn challenge(self) -> Option<&'static str> {
        if self == Self::NotAuthenticated {
            return Some("Bearer realm=\"NetBox\", Token realm=\"NetBox\"");
        }
        (self == Self::BadSignature).then_some("HMAC-SHA512 header=\"X-Hook-Signature\"")
    }
}

/// A problem to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    wait: Option<Duration>,
}

/// The reason why a request was not done (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemBody<'a> {
    /// The kind of problem; never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:rir-sidecar:problem:not-found")]
    kind: String,
    /// The kind of problem in words.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The details of this time.
    detail: &'a str,
}

impl Problem {
    /// Makes a problem of a kind; `detail` says what happened this time and what to do about it.
    #[must_use]
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: excerpt(&detail.into(), LONGEST_DETAIL), wait: None }
    }

    /// Adds the time to wait before trying again.
    #[must_use]
    pub(super) fn after(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    /// Makes the problem of a limit that other requests have used up; `limit` says which.
    #[must_use]
    pub(super) fn busy(limit: &str) -> Self {
        Self::new(Kind::Busy, format!("{limit}; try again")).after(Duration::from_secs(1))
    }

    /// Makes the problem of a thing that is not there, or that the caller may not see. It does not say which of the
    /// two.
    #[must_use]
    pub(super) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(Kind::NotFound, format!("there is no {what} {id} that you may see"))
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns what happened this time.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, slug, title) = self.kind.description();
        let kind = format!("{NAMESPACE}{slug}");
        let body = ProblemBody { kind, title, status: status.as_u16(), detail: &self.detail };
        // Strings and a number always have a written form.
        let body = serde_json::to_string(&body).unwrap_or_default();
        let challenge = self.kind.challenge().map(|text| (WWW_AUTHENTICATE, HeaderValue::from_static(text)));
        let wait = self.wait.map(|wait| (RETRY_AFTER, HeaderValue::from(whole_seconds(wait))));
        let headers: Vec<(HeaderName, HeaderValue)> = challenge.into_iter().chain(wait).collect();
        (status, [(CONTENT_TYPE, MEDIA_TYPE)], AppendHeaders(headers), body).into_response()
    }
}

/// Returns the wait in seconds, rounded up: a client that comes back after them is not too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl From<queue::Error> for Problem {
    fn from(error: queue::Error) -> Self {
        warn!(error = %error_chain(&error), "the queue did not do what a request asked for");
        Self::new(Kind::QueueUnavailable, "nothing was done; try again").after(Duration::from_secs(1))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        warn!(error = %error_chain(&error), "the place of the mirrors did not do what a request asked for");
        match error.retry() {
            Retry::Never => Self::new(Kind::Internal, "what is kept of the mirror cannot be read; the log says why"),
            Retry::Backoff | Retry::After(_) => {
                let detail = "the place of the mirrors does not answer; try again";
                Self::new(Kind::QueueUnavailable, detail).after(Duration::from_secs(1))
            }
        }
    }
}

impl From<BadPart> for Problem {
    fn from(error: BadPart) -> Self {
        warn!(error = %error_chain(&error), "a plan that is kept cannot be read");
        Self::new(Kind::Internal, "the plan that is kept cannot be read; make a new one")
    }
}

/// The answer to an error of NetBox's towards the sidecar itself. A caller whom NetBox refuses something learns it
/// where NetBox is asked for them.
impl From<netbox::Error> for Problem {
    fn from(error: netbox::Error) -> Self {
        warn!(error = %error_chain(&error), "NetBox did not do what a request needs");
        let detail = if error.is_forbidden() {
            "NetBox refuses it to rir-sidecar: `rir-sidecar check` says what is missing"
        } else if error.is_not_found() {
            "NetBox lacks the RIR types: `rir-sidecar bootstrap` makes them"
        } else {
            "NetBox gave no usable answer; try again"
        };
        Self::new(Kind::NetboxUnavailable, detail).after(Duration::from_secs(5))
    }
}

/// Returns the schema of a problem, which no handler names.
pub(super) fn schema() -> (String, RefOr<openapi::Schema>) {
    ("Problem".to_owned(), ProblemBody::schema())
}
