//! Making a fault out of the answer that should have been.

use std::time::Duration;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    fault::Fault,
    forms::Forms,
    reply::{Code, Reply},
    xml::Element,
};
use crate::spoilt;

/// What goes out instead of an answer.
pub(super) enum Sent {
    Answer(Response),
    /// The answer after so much time.
    Later(Duration, Response),
    /// Nothing, while the connection stays.
    Nothing,
    /// Nothing, and the connection ends.
    Closed,
}

/// Returns what goes out instead of a reply, which is asked for only by a fault that lets the request take effect.
pub(super) fn spoilt(fault: Fault, reply: impl FnOnce() -> Reply) -> Sent {
    let response = match fault {
        Fault::Status(status) => spoilt::bare(status),
        Fault::Outage => {
            Reply::error(StatusCode::SERVICE_UNAVAILABLE, Code::Outage, "The service is down for maintenance.")
                .into_response()
        }
        Fault::LostBefore | Fault::LostAndLate(_) => return Sent::Closed,
        Fault::LostAfter => {
            reply();
            return Sent::Closed;
        }
        Fault::FailedAfter => {
            reply();
            Reply::error(StatusCode::INTERNAL_SERVER_ERROR, Code::Unspecified, "An error occurred.").into_response()
        }
        Fault::Slow(wait) => return Sent::Later(wait, reply().into_response()),
        Fault::Ticket => reply().into_response(),
        Fault::Neither => {
            let body = Element::leaf("ticketedRequest").document(&Forms::PLAIN);
            Reply { body, ..reply() }.into_response()
        }
        Fault::CutOff => {
            let reply = reply();
            spoilt::cut_off(reply.status, reply.body)
        }
        Fault::TruncatedXml => {
            let reply = reply();
            Reply { body: spoilt::half(&reply.body), ..reply }.into_response()
        }
        Fault::Hang => {
            reply();
            return Sent::Nothing;
        }
        Fault::Html404 => spoilt::html_404(),
        Fault::Html200 => {
            reply();
            spoilt::html_200()
        }
        Fault::Refusal(status, code) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Reply::error(status, Code::Other(code), "The request is refused.").into_response()
        }
        Fault::Garbage => {
            reply();
            spoilt::garbage()
        }
        Fault::Doctype => spoilt::xml(spoilt::with_doctype(&reply().body)),
    };
    Sent::Answer(response)
}
