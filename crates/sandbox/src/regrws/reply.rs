//! Answers before they go out.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{forms::Forms, judge::Component, xml::Element};

/// A status and an XML document.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: String,
    /// A file that is the answer instead.
    pub(super) file: Option<File>,
}

#[derive(Debug)]
pub(super) struct File {
    name: String,
    data: Vec<u8>,
}

/// Codes of the `error` payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Authentication,
    BadRequest,
    EntityValidation,
    MethodNotAllowed,
    NotAcceptable,
    NotRemovable,
    ObjectNotFound,
    Outage,
    SchemaValidation,
    TooManyRequests,
    Unspecified,
    UnsupportedMediaType,
    /// Any other, as it is written.
    Other(&'static str),
}

impl Reply {
    /// An object.
    pub(super) fn found(document: String) -> Self {
        Self { status: StatusCode::OK, body: document, file: None }
    }

    /// An `error` payload.
    pub(super) fn error(status: StatusCode, code: Code, message: &str) -> Self {
        Self::refused(status, code, message, Element::leaf("components"))
    }

    fn refused(status: StatusCode, code: Code, message: &str, components: Element) -> Self {
        let children = vec![
            Element::leaf("additionalInfo"),
            Element::text("code", code.text()),
            components,
            Element::text("message", message),
        ];
        let body = Element::new("error", children).document(&Forms::PLAIN);
        Self { status, body, file: None }
    }

    /// A document with these faults.
    pub(super) fn invalid(components: &[Component]) -> Self {
        let component = |Component { name, message }: &Component| {
            Element::new("component", vec![Element::text("name", name), Element::text("message", message)])
        };
        let components = Element::new("components", components.iter().map(component).collect());
        let message = "The payload entity failed to validate. See component messages for details.";
        Self::refused(StatusCode::BAD_REQUEST, Code::EntityValidation, message, components)
    }

    /// A document of which this element is wrong.
    pub(super) fn invalid_element(name: &'static str, message: &str) -> Self {
        Self::invalid(&[Component { name, message: message.to_owned() }])
    }

    /// A file.
    pub(super) fn file(name: &str, data: Vec<u8>) -> Self {
        Self { file: Some(File { name: name.to_owned(), data }), ..Self::found(String::new()) }
    }

    /// More than is sent at once.
    pub(super) fn too_large(why: &str) -> Self {
        Self::error(StatusCode::PAYLOAD_TOO_LARGE, Code::BadRequest, why)
    }

    /// A document that is not of the form it should have.
    pub(super) fn schema(why: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, Code::SchemaValidation, why)
    }

    /// A request that makes no sense, or none for this object.
    pub(super) fn bad_request(why: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, Code::BadRequest, why)
    }

    /// A good key that has no authority over the object.
    pub(super) fn no_authority() -> Self {
        let message = "The API key is not authorized to access this record.";
        Self::error(StatusCode::UNAUTHORIZED, Code::Authentication, message)
    }

    pub(super) fn forbidden(why: &str) -> Self {
        Self::error(StatusCode::FORBIDDEN, Code::BadRequest, why)
    }

    pub(super) fn conflict(why: &str) -> Self {
        Self::error(StatusCode::CONFLICT, Code::BadRequest, why)
    }

    /// A record that another one depends on.
    pub(super) fn not_removable(why: &str) -> Self {
        Self::error(StatusCode::CONFLICT, Code::NotRemovable, why)
    }

    /// "No such record."
    pub(super) fn not_found(what: &str) -> Self {
        let message = format!("The {what} you are trying to access does not exist.");
        Self::error(StatusCode::NOT_FOUND, Code::ObjectNotFound, &message)
    }
}

impl Code {
    fn text(self) -> &'static str {
        match self {
            Self::Authentication => "E_AUTHENTICATION",
            Self::BadRequest => "E_BAD_REQUEST",
            Self::EntityValidation => "E_ENTITY_VALIDATION",
            Self::MethodNotAllowed => "E_METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "E_NOT_ACCEPTABLE",
            Self::NotRemovable => "E_NOT_REMOVEABLE",
            Self::ObjectNotFound => "E_OBJECT_NOT_FOUND",
            Self::Outage => "E_OUTAGE",
            Self::SchemaValidation => "E_SCHEMA_VALIDATION",
            Self::TooManyRequests => "E_TOO_MANY_REQUESTS",
            Self::Unspecified => "E_UNSPECIFIED",
            Self::UnsupportedMediaType => "E_UNSUPPORTED_MEDIA_TYPE",
            Self::Other(code) => code,
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        if let Some(File { name, data }) = self.file {
            let disposition = format!("attachment; filename=\"{name}\"");
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            return (self.status, headers, data).into_response();
        }
        (self.status, [(header::CONTENT_TYPE, "application/xml")], self.body).into_response()
    }
}
