//! Answers as NetBox's REST framework words them.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Body,
    pub(super) etag: Option<String>,
    pub(super) location: Option<String>,
}

/// What an answer holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    Nothing,
    Json(Value),
    Html(&'static str),
}

impl Reply {
    pub(super) fn json(status: StatusCode, body: impl Into<Value>) -> Self {
        Self { status, body: Body::Json(body.into()), etag: None, location: None }
    }

    pub(super) fn ok(body: impl Into<Value>) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(super) fn created(body: impl Into<Value>) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    pub(super) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Body::Nothing, etag: None, location: None }
    }

    pub(super) fn detail(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::json(status, json!({ "detail": detail.into() }))
    }

    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::detail(StatusCode::BAD_REQUEST, detail)
    }

    /// 400 with what is wrong, by field.
    pub(super) fn invalid(errors: Map<String, Value>) -> Self {
        Self::json(StatusCode::BAD_REQUEST, errors)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::detail(StatusCode::FORBIDDEN, detail)
    }

    pub(super) fn not_allowed(method: &str) -> Self {
        Self::detail(StatusCode::METHOD_NOT_ALLOWED, format!("Method \"{method}\" not allowed."))
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::detail(StatusCode::NOT_FOUND, detail)
    }

    /// 412 with the ETag that would have been right.
    pub(super) fn stale(etag: String) -> Self {
        Self::detail(StatusCode::PRECONDITION_FAILED, "Precondition failed.").etag(etag)
    }

    /// The 500 of an exception nobody caught.
    pub(super) fn exception(exception: &str, error: impl Into<String>, version: &str) -> Self {
        let body = json!({
            "error": error.into(), "exception": exception, "netbox_version": version, "python_version": "3.12.1",
        });
        Self::json(StatusCode::INTERNAL_SERVER_ERROR, body)
    }

    /// The HTML page of a path nobody serves.
    pub(super) fn no_page() -> Self {
        let page = "<!DOCTYPE html><html><head><title>Page Not Found | NetBox</title></head><body></body></html>";
        Self { status: StatusCode::NOT_FOUND, body: Body::Html(page), etag: None, location: None }
    }

    /// To the same path with a slash at its end.
    pub(super) fn moved(location: String) -> Self {
        Self { status: StatusCode::MOVED_PERMANENTLY, body: Body::Html(""), etag: None, location: Some(location) }
    }

    pub(super) fn etag(self, etag: String) -> Self {
        Self { etag: Some(etag), ..self }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let header = |name: HeaderName, value: Option<String>| {
            value.and_then(|value| HeaderValue::from_str(&value).ok()).map(|value| (name, value))
        };
        let headers: Vec<_> =
            [header(header::ETAG, self.etag), header(header::LOCATION, self.location)].into_iter().flatten().collect();
        let head = (self.status, AppendHeaders(headers));
        match self.body {
            Body::Nothing => head.into_response(),
            Body::Html(page) => (head.0, head.1, [(header::CONTENT_TYPE, "text/html")], page).into_response(),
            Body::Json(body) => (head.0, head.1, axum::Json(body)).into_response(),
        }
    }
}

/// One thing wrong with one field.
pub(super) fn wrong(message: impl Into<String>) -> Value {
    Value::Array(vec![Value::String(message.into())])
}
