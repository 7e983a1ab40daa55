//! Answers before they go out.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{RetryAfter, forms::Forms, xml::Element};

/// A status and an XML document.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: String,
    /// When to come back, for a 429.
    pub(super) retry_after: RetryAfter,
}

/// Codes of the `error` payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Authentication,
    BadRequest,
    ObjectNotFound,
    Outage,
    Unspecified,
}

impl Reply {
    /// An object.
    pub(super) fn found(document: String) -> Self {
        Self { status: StatusCode::OK, body: document, retry_after: RetryAfter::Absent }
    }

    /// An `error` payload.
    pub(super) fn error(status: StatusCode, code: Code, message: &str) -> Self {
        let code = match code {
            Code::Authentication => "E_AUTHENTICATION",
            Code::BadRequest => "E_BAD_REQUEST",
            Code::ObjectNotFound => "E_OBJECT_NOT_FOUND",
            Code::Outage => "E_OUTAGE",
            Code::Unspecified => "E_UNSPECIFIED",
        };
        let children = vec![
            Element::leaf("additionalInfo"),
            Element::text("code", code),
            Element::leaf("components"),
            Element::text("message", message),
        ];
        let body = Element::new("error", children).document(&Forms::PLAIN);
        Self { status, body, retry_after: RetryAfter::Absent }
    }

    /// "No such record."
    pub(super) fn not_found(what: &str) -> Self {
        let message = format!("The {what} you are trying to access does not exist.");
        Self::error(StatusCode::NOT_FOUND, Code::ObjectNotFound, &message)
    }

    /// "Too many requests."
    pub(super) fn throttled(retry_after: RetryAfter) -> Self {
        let message = "You have exceeded the allowed number of requests for the measured time period.";
        Self { retry_after, ..Self::error(StatusCode::TOO_MANY_REQUESTS, Code::Unspecified, message) }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        if let Some(value) = retry_after(self.retry_after) {
            headers.insert(header::RETRY_AFTER, value);
        }
        response
    }
}

fn retry_after(form: RetryAfter) -> Option<HeaderValue> {
    match form {
        RetryAfter::Absent => None,
        RetryAfter::Seconds(seconds) => Some(HeaderValue::from(seconds)),
        RetryAfter::Date(seconds) => {
            let then = std::time::SystemTime::now() + std::time::Duration::from_secs(seconds);
            HeaderValue::try_from(httpdate::fmt_http_date(then)).ok()
        }
    }
}
