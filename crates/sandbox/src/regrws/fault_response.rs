//! Making a fault out of the answer that should have been.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};

use super::{
    fault::Fault,
    reply::{Code, Reply},
};

/// Returns what goes out instead of `reply`; nothing for [`Fault::Hang`].
pub(super) fn response(fault: Fault, reply: Reply) -> Option<Response> {
    Some(match fault {
        Fault::Status(status) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
        Fault::Outage => {
            Reply::error(StatusCode::SERVICE_UNAVAILABLE, Code::Outage, "The service is down for maintenance.")
                .into_response()
        }
        Fault::CutOff => cut_off(reply),
        Fault::TruncatedXml => {
            let half: String = reply.body.chars().take(reply.body.chars().count() / 2).collect();
            Reply { body: half, ..reply }.into_response()
        }
        Fault::Hang => return None,
        Fault::Html404 => html(StatusCode::NOT_FOUND, "404 Not Found"),
        Fault::Html200 => html(StatusCode::OK, "Please log in"),
        Fault::Refusal(status, code) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Reply::error(status, Code::Other(code), "The request is refused.").into_response()
        }
        Fault::Garbage => xml(vec![0xff, 0xfe, 0x00, b'<', 0x01, b'&', 0x80, b'>']),
        Fault::Doctype => xml(with_doctype(&reply.body)),
    })
}

fn xml(body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "application/xml")], body.into()).into_response()
}

fn html(status: StatusCode, title: &str) -> Response {
    let page = format!("<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}<hr></body></html>");
    (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
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

fn with_doctype(document: &str) -> String {
    let entities = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    match document.split_once("?>") {
        Some((declaration, root)) => format!("{declaration}?>{entities}{root}"),
        None => format!("{entities}{document}"),
    }
}
