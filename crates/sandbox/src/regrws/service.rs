//! The way of a request: noted, held back, answered, and the answer spoilt by a fault.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    extract::Request as HttpRequest,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{
    fault::Fault,
    fault_response,
    options::{Noise, Options},
    records,
    reply::{Code, Reply},
    requests::{Operation, Request},
};
use crate::{
    call::When,
    limit::Counted,
    served::Served,
    server::{Shared, System, lock},
    whois::{self, Listing, Whois},
};

/// How often each path was asked since there is noise, and the requests under the limit.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct RegRws {
    asked: HashMap<String, u32>,
    counted: Counted,
}

/// The registry, and the public listing of it, which is served at the same port.
#[doc(hidden)]
pub struct Records {
    pub(super) served: Arc<Mutex<Served>>,
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
        let head = request.into_parts().0;
        let request = Request::read(head.uri.path());
        let struck = shared.note(request.clone());
        let options = lock(&shared.options).clone();
        let throttled = lock(&shared.system).throttle(&options);
        if !options.latency.is_zero() {
            tokio::time::sleep(options.latency).await;
        }
        if let Some(throttled) = throttled {
            return throttled;
        }
        let (reply, fault) = {
            let service = &mut lock(&shared.system);
            let snapshot = || lock(&shared.backing.served).snapshot();
            let reply = key_refusal(&head.uri, &head.headers, &options)
                .unwrap_or_else(|| records::answer(&snapshot(), &request, options.style, options.lookup));
            let noise = || service.noise(options.noise.as_ref()?, head.uri.path());
            (reply, struck.or_else(noise))
        };
        let Some(fault) = fault else { return reply.into_response() };
        shared.spoilt(fault_response::response(fault, reply)).await
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

    fn noise(&mut self, noise: &Noise, path: &str) -> Option<Fault> {
        let before = self.asked.entry(path.to_owned()).or_default();
        *before += 1;
        noise.fault(path, *before)
    }
}

/// Returns why a request is not answered, if its key is not let in.
fn key_refusal(uri: &Uri, headers: &HeaderMap, options: &Options) -> Option<Reply> {
    let refused = |message| Some(Reply::error(StatusCode::BAD_REQUEST, Code::Authentication, message));
    match key(uri, headers) {
        None => refused("An API key is required."),
        Some(key) if options.keys.contains(&key) => None,
        Some(_) => refused("The API key is not valid."),
    }
}

/// Returns the key in the `Authorization` header, or else in the query.
fn key(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let header = header.and_then(|value| value.split_once(' '));
    let header = header.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("ApiKey"));
    header.map(|(_, key)| key.trim().to_owned()).or_else(|| {
        let mut pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        pairs.find(|(name, _)| name == "apikey").map(|(_, key)| key.into_owned())
    })
}
