//! Answers that went wrong on their way, whichever system gave them.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};

/// An answer that says no more than its status.
pub(crate) fn bare(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

/// The first half of a text.
pub(crate) fn half(text: &str) -> String {
    text.chars().take(text.chars().count() / 2).collect()
}

/// An answer of 200 that is said to be XML.
pub(crate) fn xml(body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "application/xml")], body.into()).into_response()
}

/// An answer of 200 that is said to be XML and is none.
pub(crate) fn garbage() -> Response {
    xml(vec![0xff, 0xfe, 0x00, b'<', 0x01, b'&', 0x80, b'>'])
}

/// 404 with the page of a proxy that knows nothing of ARIN.
pub(crate) fn html_404() -> Response {
    html(StatusCode::NOT_FOUND, "404 Not Found")
}

/// 200 with the page of a portal that stands in between.
pub(crate) fn html_200() -> Response {
    html(StatusCode::OK, "Please log in")
}

/// The body, then a moment for it to arrive, then the end of the connection, a hundred bytes early.
pub(crate) fn cut_off(status: StatusCode, body: String) -> Response {
    let announced = HeaderValue::from(body.len() + 100);
    let body = stream::once(async move { Ok(Bytes::from(body)) }).chain(stream::once(async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    }));
    let mut response = xml(Body::from_stream(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_LENGTH, announced);
    response
}

/// The document behind a document type that declares entities in entities.
pub(crate) fn with_doctype(document: &str) -> String {
    let entities = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    match document.split_once("?>") {
        Some((declaration, root)) => format!("{declaration}?>{entities}{root}"),
        None => format!("{entities}{document}"),
    }
}

fn html(status: StatusCode, title: &str) -> Response {
    let page = format!("<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}<hr></body></html>");
    (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}
