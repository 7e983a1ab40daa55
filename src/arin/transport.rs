//! The calls of Reg-RWS over an [`Exchange`]: the only place that knows the API key and which calls are sent again.
//!
//! A question is asked until it is answered, refused, or `arin.retry_count` retries are used up; [`Error::retry`] says
//! which failures count. A call that changes something is sent once, whatever comes of it. Its key stands where the answer
//! to a question has shown that it is taken.

use std::{
    iter,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reqwest::{
    RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{
    error::{Error, ErrorKind},
    exchange::{Exchange, Turn},
    request::Request,
    response::Reading,
    write::{self, Call, Failure, Receipt, Unwritten},
};
use crate::{config::Auth, retry::Retry};

/// The longest that a call which changes something waits for its turn. Whoever sends it has claimed it meanwhile.
const LONGEST_TURN: Duration = Duration::from_secs(5);

/// One base URL, asked with one key.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) exchange: Exchange,
    pub(super) key: Key,
}

/// An API key that can be sent.
#[derive(Debug)]
pub(super) struct Key {
    secret: SecretString,
    header: HeaderValue,
    auth: Auth,
    /// True once the key has brought an object.
    has_worked: AtomicBool,
    /// True once the key has been taken in the query where the header was refused.
    is_for_query: AtomicBool,
}

/// The place of the key in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Query,
}

impl Key {
    /// Takes a key; `None` for one that no header can carry.
    pub(super) fn new(secret: &SecretString, auth: Auth) -> Option<Self> {
        let secret = SecretString::from(secret.expose_secret().trim());
        let usable = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        let text = Some(secret.expose_secret()).filter(|key| usable(key)).map(|key| format!("ApiKey {key}"))?;
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(Self { secret, header, auth, has_worked: AtomicBool::default(), is_for_query: AtomicBool::default() })
    }

    fn place(&self) -> Place {
        match self.auth {
            Auth::Header => Place::Header,
            Auth::Query => Place::Query,
            Auth::HeaderThenQuery if self.is_for_query.load(Ordering::Relaxed) => Place::Query,
            Auth::HeaderThenQuery => Place::Header,
        }
    }

    /// Returns whether the query is worth a try after a refusal: the key has not worked at either place yet.
    fn may_be_for_query(&self, refused: Place) -> bool {
        let new = !self.has_worked.load(Ordering::Relaxed);
        self.auth == Auth::HeaderThenQuery && refused == Place::Header && new
    }
}

impl Transport {
    /// Asks as often as it takes and is allowed, and reads the answer.
    pub(super) async fn call<T>(&self, request: &Request, read: Reading<T>) -> Result<Option<T>, Error> {
        let wanted = Instant::now();
        let attempt = |retries| async move {
            let turn = Turn { name: request.name, operation: request, attempt: retries + 1, wanted };
            let answer = self.attempt(request, turn, read).await;
            answer.map_err(|kind| Error::of(request.clone(), kind.without(self.key.secret.expose_secret())))
        };
        let retry = |error: &Error| match error.retry() {
            // The rate limit has held it back for as long as there is patience.
            Retry::After(_) => Retry::Never,
            retry @ (Retry::Backoff | Retry::Never) => retry,
        };
        self.exchange.http.repeat(request.name, self.exchange.retries, retry, attempt).await
    }

    /// Asks, and where the key may go into the query once more if it was refused in the header.
    async fn attempt<T>(&self, request: &Request, turn: Turn<'_>, read: Reading<T>) -> Result<Option<T>, ErrorKind> {
        let place = self.key.place();
        let answer = self.answered(request, place, turn, read).await;
        match answer {
            Err(ErrorKind::Unauthorized(_)) if self.key.may_be_for_query(place) => {
                let answer = self.answered(request, Place::Query, turn, read).await;
                self.key.is_for_query.fetch_or(answer.is_ok(), Ordering::Relaxed);
                answer
            }
            answer => answer,
        }
    }

    async fn answered<T>(
        &self,
        request: &Request,
        place: Place,
        turn: Turn<'_>,
        read: Reading<T>,
    ) -> Result<Option<T>, ErrorKind> {
        let response = self.exchange.answer(turn, || self.built(request, place)).await?;
        let key_has_worked = self.key.has_worked.load(Ordering::Relaxed);
        let found = response.judge(request, key_has_worked, read)?;
        self.key.has_worked.fetch_or(found.is_some(), Ordering::Relaxed);
        Ok(found)
    }

    /// Builds a request. ARIN wants to know the type of the body even where there is none: it has answered GETs with 415.
    fn built(&self, request: &Request, place: Place) -> RequestBuilder {
        let mut url = self.exchange.url(iter::once("rest").chain(request.path.iter().map(String::as_str)));
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        if place == Place::Query {
            url.query_pairs_mut().append_pair("apikey", self.key.secret.expose_secret());
        }
        let builder = self.exchange.http.request(request.method.clone(), url).header(CONTENT_TYPE, "application/xml");
        match place {
            Place::Header => builder.header(AUTHORIZATION, &self.key.header),
            Place::Query => builder,
        }
    }

    /// Sends a call that changes something, once.
    pub(super) async fn write(&self, call: &Call) -> Result<Receipt, Unwritten> {
        let Some(kind) = call.kind() else {
            return Err(Unwritten::NotSent(ErrorKind::NoSuchCall.into()));
        };
        let request = Request::of_call(call, kind);
        let turn = Turn { name: request.name, operation: &request, attempt: 1, wanted: Instant::now() };
        let mut builder = self.built(&request, self.key.place());
        if let Some(body) = &call.body {
            builder = builder.body(body.clone());
        }
        let told = |kind: ErrorKind| Error::of(request.clone(), kind.without(self.key.secret.expose_secret()));
        let response = match self.exchange.answer_once(LONGEST_TURN, turn, builder).await {
            Ok(response) => response,
            Err(unanswered) if unanswered.is_not_sent() => return Err(Unwritten::NotSent(told(unanswered.into()))),
            Err(unanswered) => return Err(Unwritten::Unknown(told(unanswered.into()))),
        };
        let receipt = write::judge(response, kind, self.key.has_worked.load(Ordering::Relaxed));
        self.key.has_worked.fetch_or(receipt.is_ok(), Ordering::Relaxed);
        receipt.map_err(|failure| match failure {
            Failure::Refused(kind) => Unwritten::Refused(told(kind)),
            Failure::Unknown(kind) => Unwritten::Unknown(told(kind)),
        })
    }
}
