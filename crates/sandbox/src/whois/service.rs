//! The way of a request: noted, held back, answered, and the answer spoilt by a fault.

use std::sync::{Arc, Mutex};

use axum::{
    extract::Request as HttpRequest,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};

use super::{
    fault::Fault,
    options::Options,
    payload::Document,
    reply::Reply,
    requests::{Operation, Request},
    search,
};
use crate::{
    call::When,
    limit::Counted,
    served::{Served, Snapshot},
    server::{Shared, System, lock},
};

/// What the listing knows of other moments than now, and the requests under the limit.
#[doc(hidden)]
#[derive(Debug)]
pub struct Whois {
    /// The registry when the server started.
    began: Served,
    /// The registry that is listed instead of the one of now.
    pub(super) kept: Option<Served>,
    counted: Counted,
}

impl System for Whois {
    type Backing = Arc<Mutex<Served>>;
    type Options = Options;
    type Request = Request;
    type Fault = Fault;
    type When = When<Operation>;

    fn fits(when: &When<Operation>, request: &Request) -> bool {
        when.fits(request)
    }

    async fn respond(shared: &Shared<Self>, request: HttpRequest) -> Response {
        let head = request.into_parts().0;
        let request = Request::read(&head);
        let fault = shared.note(request.clone());
        let options = lock(&shared.options).clone();
        let throttled = lock(&shared.system).throttle(&options);
        if !options.latency.is_zero() {
            tokio::time::sleep(options.latency).await;
        }
        if let Some(throttled) = throttled {
            return throttled;
        }
        if head.method != Method::GET {
            return Reply::page(StatusCode::METHOD_NOT_ALLOWED, "There is nothing but GET.").into_response();
        }
        let snapshot = lock(&shared.system).snapshot(&shared.backing, fault.as_ref());
        let reply = reply(&snapshot, &request, &options, fault.as_ref());
        let Some(fault) = fault else { return reply.into_response() };
        shared.spoilt(reply.spoilt(fault)).await
    }
}

impl Whois {
    pub(super) fn new(began: Served) -> Self {
        Self { began, kept: None, counted: Counted::default() }
    }

    pub(super) fn throttled(&self) -> usize {
        self.counted.refused
    }

    fn snapshot(&mut self, now: &Mutex<Served>, fault: Option<&Fault>) -> Snapshot {
        if fault == Some(&Fault::OldSnapshot) {
            return self.began.snapshot();
        }
        match &mut self.kept {
            Some(kept) => kept.snapshot(),
            None => lock(now).snapshot(),
        }
    }

    /// Counts a request. Returns the answer to one that is too many.
    fn throttle(&mut self, options: &Options) -> Option<Response> {
        let answer = || Reply::page(StatusCode::TOO_MANY_REQUESTS, "There were too many requests.").into_response();
        self.counted.refusal(options.limit.as_ref()?, answer)
    }
}

fn reply(snapshot: &Snapshot, request: &Request, options: &Options, fault: Option<&Fault>) -> Reply {
    let found = search::search(snapshot, request, options);
    let found = match fault {
        Some(fault) => search::falsified(found, request, fault),
        None => found,
    };
    let namespace = if let Some(Fault::Namespace(namespace)) = fault { namespace } else { options.namespace.url() };
    match found {
        Ok(found) => Reply::document(Document { snapshot, options, namespace, details: request.details }.of(&found)),
        Err(nothing) => Reply::nothing(nothing),
    }
}
