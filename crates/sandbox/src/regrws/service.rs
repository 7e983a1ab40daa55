//! The way of a request: noted, held back, answered, and the answer spoilt by a fault.

use std::collections::HashMap;

use axum::{
    body::to_bytes,
    extract::{ConnectInfo, Request as HttpRequest},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    access::Access,
    fault::Fault,
    fault_response::{Sent, spoilt},
    media,
    operation::has_other_method,
    options::{Noise, Options},
    records,
    reply::{Code, Reply},
    requests::{Operation, Request},
    state::{Asking, State},
    submission::Submission,
    tickets,
};
use crate::{
    call::When,
    limit::Counted,
    line::Line,
    server::{Shared, System, lock},
    whois::{self, Listing, Whois},
};

/// The longest body that is read.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// How often each request was asked since there is noise, and the requests under the limit.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct RegRws {
    asked: HashMap<String, u32>,
    counted: Counted,
}

/// The registry, and the public listing of it, which is served at the same port.
#[doc(hidden)]
pub struct Records {
    pub(super) state: State,
    pub(super) whois: Listing,
}

impl System for RegRws {
    type Backing = Records;
    type Options = Options;
    type Request = Request;
    type Fault = Fault;
    type When = When<Operation>;

    fn fits(when: &When<Operation>, request: &Request) -> bool {
        when.fits(request)
    }

    async fn respond(shared: &Shared<Self>, request: HttpRequest) -> Response {
        if request.uri().path().starts_with(whois::PATH) {
            return Whois::respond(&shared.backing.whois, request).await;
        }
        let line = request.extensions().get::<ConnectInfo<Line>>().map(|ConnectInfo(line)| line.clone());
        let (head, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let request = Request::read(&head, &body);
        let struck = shared.note(request.clone());
        let options = lock(&shared.options).clone();
        let throttled = lock(&shared.system).throttle(&options);
        if !options.latency.is_zero() {
            tokio::time::sleep(options.latency).await;
        }
        if let Some(throttled) = throttled {
            return throttled;
        }
        let fault = struck.or_else(|| lock(&shared.system).noise(&options, &request));
        let access = Access::of(&head.uri, &head.headers, &options);
        let state = shared.backing.state.clone();
        let by_ticket = fault == Some(Fault::Ticket);
        let reply = move || match access {
            Ok(access) => answer(&state, Asking { access, options, by_ticket }, &request),
            Err(refusal) => refusal,
        };
        let sent = match fault {
            None => Sent::Answer(reply().into_response()),
            Some(Fault::LostAndLate(wait)) => {
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    reply()
                });
                Sent::Closed
            }
            Some(fault) => spoilt(fault, reply),
        };
        shared.sent(sent, line).await
    }
}

/// Returns the answer to a request whose key is let in.
fn answer(state: &State, asking: Asking, request: &Request) -> Reply {
    if let Err(refusal) = media::accept(request, asking.options.content_type) {
        return refusal;
    }
    match Submission::read(request, asking.options.style) {
        Err(refusal) => refusal,
        Ok(Some(submission)) => state.write(&asking, request.operation, &submission),
        Ok(None) if request.operation == Operation::Unknown && has_other_method(&request.path) => {
            let message = "The method is not allowed here.";
            Reply::error(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, message)
        }
        Ok(None) => {
            tickets::answer(state, &asking, request).unwrap_or_else(|| records::answer(&state.seen(), request, &asking))
        }
    }
}

impl Shared<RegRws> {
    async fn sent(&self, sent: Sent, line: Option<Line>) -> Response {
        match sent {
            Sent::Answer(response) => response,
            Sent::Later(wait, response) => {
                tokio::time::sleep(wait).await;
                response
            }
            Sent::Nothing => self.spoilt(None).await,
            Sent::Closed => {
                line.iter().for_each(Line::cut);
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}

impl RegRws {
    pub(super) fn throttled(&self) -> usize {
        self.counted.refused
    }

    /// Counts a request. Returns the answer to one that is too many.
    fn throttle(&mut self, options: &Options) -> Option<Response> {
        let message = "You have exceeded the allowed number of requests for the measured time period.";
        let answer = || Reply::error(StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests, message).into_response();
        self.counted.refusal(options.limit.as_ref()?, answer)
    }

    /// Returns the fault that befalls a request by chance.
    fn noise(&mut self, options: &Options, request: &Request) -> Option<Fault> {
        let noise = if request.operation.is_write() { options.write_noise.as_ref() } else { None };
        let noise: &Noise = noise.or(options.noise.as_ref())?;
        let asked = format!("{}{}", request.path, request.body);
        let before = self.asked.entry(asked.clone()).or_default();
        *before += 1;
        noise.fault(&asked, *before)
    }
}
