//! The way of a request: noted, held back, answered, and the answer spoilt by a fault.

use std::{collections::HashMap, ops, sync::MutexGuard};

use axum::{
    extract::Request as HttpRequest,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use tokio::time::Instant;

use super::{
    fault::{Fault, When},
    fault_response,
    limit::Counted,
    options::{Noise, Options},
    records::Records,
    reply::{Code, Reply},
    requests::Request,
};
use crate::{
    server::{Shared, System, lock},
    world::Registry,
};

/// Records, how often each path was asked since there is noise, and the requests under the limit.
#[doc(hidden)]
#[derive(Debug)]
pub struct RegRws {
    records: Records,
    asked: HashMap<String, u32>,
    counted: Counted,
}

/// The registry behind a server, held for as long as this guard lives: answers wait for it, so do not keep it over an
/// `await`.
#[derive(Debug)]
pub struct Editing<'a>(pub(super) MutexGuard<'a, RegRws>);

impl ops::Deref for Editing<'_> {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.0.records.registry
    }
}

impl ops::DerefMut for Editing<'_> {
    fn deref_mut(&mut self) -> &mut Registry {
        self.0.records.edit()
    }
}

impl System for RegRws {
    type Options = Options;
    type Request = Request;
    type Fault = Fault;
    type When = When;

    fn fits(when: &When, request: &Request) -> bool {
        when.fits(request)
    }

    async fn respond(shared: &Shared<Self>, request: HttpRequest) -> Response {
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
            let reply = key_refusal(&head.uri, &head.headers, &options)
                .unwrap_or_else(|| service.records.answer(&request, options.style, options.lookup));
            let noise = || service.noise(options.noise.as_ref()?, head.uri.path());
            (reply, struck.or_else(noise))
        };
        let Some(fault) = fault else { return reply.into_response() };
        match fault_response::response(fault, reply) {
            Some(spoilt) => spoilt,
            None => {
                shared.hang().await;
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}

impl RegRws {
    pub(super) fn new(registry: Registry) -> Self {
        Self { records: Records::new(registry), asked: HashMap::new(), counted: Counted::default() }
    }

    pub(super) fn throttled(&self) -> usize {
        self.counted.refused
    }

    /// Counts a request. Returns the answer to one that is too many.
    fn throttle(&mut self, options: &Options) -> Option<Response> {
        let limit = options.limit.as_ref()?;
        let wait = self.counted.take(limit, Instant::now())?;
        let message = "You have exceeded the allowed number of requests for the measured time period.";
        let mut response = Reply::error(StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests, message).into_response();
        if let Some(value) = limit.header(wait).and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        Some(response)
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
