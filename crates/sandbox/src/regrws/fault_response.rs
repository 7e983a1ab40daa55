//! Making a fault out of the answer that should have been.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    fault::Fault,
    reply::{Code, Reply},
};
use crate::spoilt;

/// Returns what goes out instead of `reply`; nothing for [`Fault::Hang`].
pub(super) fn response(fault: Fault, reply: Reply) -> Option<Response> {
    Some(match fault {
        Fault::Status(status) => spoilt::bare(status),
        Fault::Outage => {
            Reply::error(StatusCode::SERVICE_UNAVAILABLE, Code::Outage, "The service is down for maintenance.")
                .into_response()
        }
        Fault::CutOff => spoilt::cut_off(reply.status, reply.body),
        Fault::TruncatedXml => Reply { body: spoilt::half(&reply.body), ..reply }.into_response(),
        Fault::Hang => return None,
        Fault::Html404 => spoilt::html_404(),
        Fault::Html200 => spoilt::html_200(),
        Fault::Refusal(status, code) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Reply::error(status, Code::Other(code), "The request is refused.").into_response()
        }
        Fault::Garbage => spoilt::garbage(),
        Fault::Doctype => spoilt::xml(spoilt::with_doctype(&reply.body)),
    })
}
