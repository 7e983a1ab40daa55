//! Answers before they go out.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{fault::Fault, search::Nothing};
use crate::spoilt;

/// A status and a text, which is an XML document or a page.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: String,
}

impl Reply {
    /// A document.
    pub(super) fn document(body: String) -> Self {
        Self { status: StatusCode::OK, content_type: "application/xml", body }
    }

    /// A page of the listing's own, which says this.
    pub(super) fn page(status: StatusCode, says: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><title>Whois-RWS</title></head><body><p>{says}</p></body></html>"
        );
        Self { status, content_type: "text/html", body: page }
    }

    /// The page that says why there is no net.
    pub(super) fn nothing(nothing: Nothing) -> Self {
        match nothing {
            Nothing::NoResults => Self::page(StatusCode::NOT_FOUND, "Sorry, there were no results."),
            Nothing::NoRelatedResources => {
                let says = "Sorry, no related resources were found for the handle provided.";
                Self::page(StatusCode::NOT_FOUND, says)
            }
            Nothing::BadRequest => Self::page(StatusCode::BAD_REQUEST, "The range is not in CIDR notation."),
        }
    }

    /// Returns what goes out instead because of a fault; nothing for [`Fault::Hang`].
    pub(super) fn spoilt(self, fault: Fault) -> Option<Response> {
        Some(match fault {
            Fault::Status(status) => spoilt::bare(status),
            Fault::Outage => {
                Self::page(StatusCode::SERVICE_UNAVAILABLE, "The service is down for maintenance.").into_response()
            }
            Fault::CutOff => spoilt::cut_off(self.status, self.body),
            Fault::TruncatedXml => Self { body: spoilt::half(&self.body), ..self }.into_response(),
            Fault::Hang => return None,
            Fault::Html404 => spoilt::html_404(),
            Fault::Html200 => spoilt::html_200(),
            Fault::Refusal(status, code) => refusal(status, code),
            Fault::Garbage => spoilt::garbage(),
            Fault::Doctype => spoilt::xml(spoilt::with_doctype(&self.body)),
            // These are in the answer already.
            Fault::Namespace(_) | Fault::OldSnapshot | Fault::Missing(_) | Fault::LimitExceeded | Fault::Twice(_) => {
                self.into_response()
            }
        })
    }
}

fn refusal(status: u16, code: &str) -> Response {
    let body = format!(
        "<error xmlns=\"http://www.arin.net/regrws/core/v1\"><additionalInfo/><code>{code}</code><components/>\
         <message>The request is refused.</message></error>"
    );
    let mut response = spoilt::xml(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        (self.status, [(header::CONTENT_TYPE, self.content_type)], self.body).into_response()
    }
}
