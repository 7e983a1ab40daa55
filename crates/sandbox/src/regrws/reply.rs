//! Answers before they go out.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{forms::Forms, xml::Element};

/// A status and an XML document.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

/// Codes of the `error` payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Authentication,
    BadRequest,
    ObjectNotFound,
    Outage,
    TooManyRequests,
    /// Any other, as it is written.
    Other(&'static str),
}

impl Reply {
    /// An object.
    pub(super) fn found(document: String) -> Self {
        Self { status: StatusCode::OK, body: document }
    }

    /// An `error` payload.
    pub(super) fn error(status: StatusCode, code: Code, message: &str) -> Self {
        let code = match code {
            Code::Authentication => "E_AUTHENTICATION",
            Code::BadRequest => "E_BAD_REQUEST",
            Code::ObjectNotFound => "E_OBJECT_NOT_FOUND",
            Code::Outage => "E_OUTAGE",
            Code::TooManyRequests => "E_TOO_MANY_REQUESTS",
            Code::Other(code) => code,
        };
        let children = vec![
            Element::leaf("additionalInfo"),
            Element::text("code", code),
            Element::leaf("components"),
            Element::text("message", message),
        ];
        let body = Element::new("error", children).document(&Forms::PLAIN);
        Self { status, body }
    }

    /// "No such record."
    pub(super) fn not_found(what: &str) -> Self {
        let message = format!("The {what} you are trying to access does not exist.");
        Self::error(StatusCode::NOT_FOUND, Code::ObjectNotFound, &message)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        (self.status, [(header::CONTENT_TYPE, "application/xml")], self.body).into_response()
    }
}
