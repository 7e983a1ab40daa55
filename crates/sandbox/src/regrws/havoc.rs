//! Making a fault out of the answer that should have been.

use std::{convert::Infallible, io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};

use super::{
    Fault,
    reply::{Code, Reply},
};

/// What goes out instead of `reply`. [`Fault::Hang`] is not an answer and gives none.
pub(super) fn response(fault: Fault, reply: Reply) -> Option<Response> {
    Some(match fault {
        Fault::Status(status) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
        Fault::Outage => {
            Reply::error(StatusCode::SERVICE_UNAVAILABLE, Code::Outage, "The service is down for maintenance.")
                .into_response()
        }
        Fault::Throttled(retry_after) => Reply::throttled(retry_after).into_response(),
        Fault::CutOff => cut_off(reply),
        Fault::TruncatedXml => {
            let half: String = reply.body.chars().take(reply.body.chars().count() / 2).collect();
            Reply { body: half, ..reply }.into_response()
        }
        Fault::Hang => return None,
        Fault::Html404 => html_404(),
        Fault::Garbage => xml(vec![0xff, 0xfe, 0x00, b'<', 0x01, b'&', 0x80, b'>']),
        Fault::Empty => xml(""),
        Fault::Redirect(url) => redirect(&url),
        Fault::HugeBody => huge(),
        Fault::Doctype => xml(with_doctype(&reply.body)),
    })
}

fn xml(body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "application/xml")], body.into()).into_response()
}

fn html_404() -> Response {
    let page = "<!DOCTYPE html><html><head><title>404 Not Found</title></head><body>Not Found<hr></body></html>";
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

fn redirect(url: &str) -> Response {
    let location: Option<(HeaderName, HeaderValue)> =
        HeaderValue::from_str(url).ok().map(|value| (header::LOCATION, value));
    (StatusCode::FOUND, axum::response::AppendHeaders(location)).into_response()
}

/// The body, then a moment for it to arrive, then the end of the connection, a hundred bytes early.
fn cut_off(reply: Reply) -> Response {
    let announced = HeaderValue::from(reply.body.len() + 100);
    let body = stream::once(async move { Ok(Bytes::from(reply.body)) }).chain(stream::once(async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    }));
    let mut response = xml(Body::from_stream(body));
    *response.status_mut() = reply.status;
    response.headers_mut().insert(header::CONTENT_LENGTH, announced);
    response
}

/// A gigabyte that begins like an organization with a comment.
fn huge() -> Response {
    let head = r#"<?xml version="1.0"?><org xmlns="http://www.arin.net/regrws/core/v1"><comment><line number="1">"#;
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    let body =
        stream::iter(std::iter::once(Bytes::from_static(head.as_bytes())).chain(std::iter::repeat_n(chunk, 16_384)));
    xml(Body::from_stream(body.map(Ok::<_, Infallible>)))
}

fn with_doctype(document: &str) -> String {
    let entities = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    match document.split_once("?>") {
        Some((declaration, root)) => format!("{declaration}?>{entities}{root}"),
        None => format!("{entities}{document}"),
    }
}
