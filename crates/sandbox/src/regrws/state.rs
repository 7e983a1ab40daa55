//! What a running server knows, shared by all requests in flight.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    http::request::Parts,
    response::{IntoResponse, Response},
};
use tokio::{sync::watch, time::Instant};

use super::{
    Fault, Options, Request, Requests,
    fault::Rules,
    gate::{self, Meter},
    havoc,
    records::Records,
    reply::Reply,
};

/// All of it. No lock is held while another is taken, nor over an `await`.
#[derive(Debug)]
pub(super) struct State {
    pub(super) records: Mutex<Records>,
    pub(super) options: Mutex<Arc<Options>>,
    pub(super) rules: Mutex<Rules>,
    pub(super) requests: Mutex<Requests>,
    /// How often each path was asked since there is noise.
    asked: Mutex<HashMap<String, u32>>,
    meter: Mutex<Meter>,
    stopping: watch::Receiver<bool>,
}

impl State {
    pub(super) fn new(records: Records, options: Options, stopping: watch::Receiver<bool>) -> Self {
        Self {
            records: Mutex::new(records),
            options: Mutex::new(Arc::new(options)),
            rules: Mutex::default(),
            requests: Mutex::default(),
            asked: Mutex::default(),
            meter: Mutex::default(),
            stopping,
        }
    }

    /// Takes note of a request and answers it, or fails as told.
    pub(super) async fn respond(&self, head: Parts) -> Response {
        let request = Request::read(&head.method, &head.uri, &head.headers);
        lock(&self.requests).0.push(request.clone());
        let options = Arc::clone(&lock(&self.options));
        if !options.latency.is_zero() {
            tokio::time::sleep(options.latency).await;
        }
        let throttled = options.throttle.and_then(|throttle| lock(&self.meter).count(throttle, Instant::now()));
        if let Some(reply) = throttled {
            return reply.into_response();
        }
        let reply = self.reply(&request, &head, &options);
        match self.fault(&request, &options) {
            Some(fault) => self.spoilt(fault, reply).await,
            None => reply.into_response(),
        }
    }

    fn reply(&self, request: &Request, head: &Parts, options: &Options) -> Reply {
        gate::refusal(request, &head.headers, options)
            .unwrap_or_else(|| lock(&self.records).answer(request, options.style, options.lookup))
    }

    fn fault(&self, request: &Request, options: &Options) -> Option<Fault> {
        let struck = lock(&self.rules).strike(request);
        struck.or_else(|| {
            let noise = options.noise.as_ref()?;
            let mut asked = lock(&self.asked);
            let before = asked.entry(request.path.clone()).or_default();
            *before += 1;
            noise.fault(&request.path, *before)
        })
    }

    async fn spoilt(&self, fault: Fault, reply: Reply) -> Response {
        match havoc::response(fault, reply) {
            Some(response) => response,
            None => self.hang().await,
        }
    }

    async fn hang(&self) -> Response {
        // The sender is gone or has spoken: either way the server stops.
        let _ = self.stopping.clone().wait_for(|stopping| *stopping).await;
        axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}

/// Locks; a panic of another holder does not matter here, as no value is left half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
