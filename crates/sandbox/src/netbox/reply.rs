//! Answers as NetBox's REST framework words them.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// One answer.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    body: Body,
    etag: Option<String>,
}

#[derive(Debug)]
enum Body {
    Nothing,
    Json(Value),
    Html(&'static str),
}

impl Reply {
    pub(super) fn json(status: StatusCode, body: impl Into<Value>) -> Self {
        Self { status, body: Body::Json(body.into()), etag: None }
    }

    /// Returns it with another body, if it has one.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Value)) -> Self {
        if let Body::Json(body) = &mut self.body {
            change(body);
        }
        self
    }

    /// Returns it with the ETag of the one object that it is about.
    pub(super) fn tagged(self, etag: Option<String>) -> Self {
        Self { etag, ..self }
    }

    pub(super) fn ok(body: impl Into<Value>) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(super) fn created(body: impl Into<Value>) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    pub(super) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Body::Nothing, etag: None }
    }

    pub(super) fn detail(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::json(status, json!({ "detail": detail.into() }))
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

    pub(super) fn not_found() -> Self {
        Self::detail(StatusCode::NOT_FOUND, "Not found.")
    }

    /// The 500 of an exception nobody caught.
    pub(super) fn exception(exception: &str, error: &str) -> Self {
        Self::json(StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": error, "exception": exception }))
    }

    /// The HTML page of a path nobody serves.
    pub(super) fn no_page() -> Self {
        let page = "<!DOCTYPE html><html><head><title>Page Not Found | NetBox</title></head><body></body></html>";
        Self { status: StatusCode::NOT_FOUND, body: Body::Html(page), etag: None }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let etag = self.etag.map(|etag| [(header::ETAG, etag)]);
        match self.body {
            Body::Nothing => (self.status, etag, ()).into_response(),
            Body::Html(page) => (self.status, [(header::CONTENT_TYPE, "text/html")], page).into_response(),
            Body::Json(body) => (self.status, etag, axum::Json(body)).into_response(),
        }
    }
}

/// One thing wrong with one field.
pub(super) fn wrong(message: impl Into<String>) -> Value {
    Value::Array(vec![Value::String(message.into())])
}
