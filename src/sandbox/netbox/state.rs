//! What the requests to one server share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::{
    extract::Request as HttpRequest,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{Options, Request, Requests, fault::Rules};

/// What the requests to one server share.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Mutex<Options>,
    pub(super) rules: Mutex<Rules>,
    pub(super) requests: Mutex<Requests>,
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        Self { options: Mutex::new(options), rules: Mutex::default(), requests: Mutex::default() }
    }

    /// Answers one request.
    pub(super) async fn respond(&self, request: HttpRequest) -> Response {
        let uri = request.uri();
        let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
        let seen = Request { method: request.method().to_string(), path, query, rows: 0 };
        let fault = lock(&self.rules).strike(&seen);
        lock(&self.requests).0.push(seen);
        match fault {
            Some(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

/// Locks; a panic elsewhere while it was held does not matter to a stand-in.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
