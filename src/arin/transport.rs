//! The exchange with ARIN: the only place that knows base URLs, headers, the API key and retries.
//!
//! A request is sent until it is answered, refused, or `arin.retry_count` retries are used up; [`Error::retry`] says
//! which failures count. One that is not repeatable is sent again only if ARIN has certainly not carried it out. A 429
//! holds back every request to the same instance, not only the one that got it, and is no failed try: the request is
//! sent again when its turn comes, until ARIN has answered 429 to everything for `arin.patience`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use reqwest::{
    RequestBuilder, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tracing::{Instrument, debug_span, field::Empty};
use url::Url;

use super::{
    convert::Unfit,
    error::{Error, ErrorKind},
    rate_limit::RateLimit,
    request::Request,
    response::Response,
    xml::Element,
};
use crate::{
    config::Auth,
    outbound::{self, NoAnswer, excerpt::presentable_url, retry_after::retry_after},
    retry::{Policy, Retry},
};

/// One base URL, asked with one key.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) http: outbound::client::Client,
    pub(super) rate_limit: Arc<RateLimit>,
    pub(super) base: Url,
    pub(super) key: Key,
    pub(super) retries: Policy,
}

/// What came of sending a request once.
enum Exchange<T> {
    /// An answer: the object, or that there is none.
    Answered(Option<T>),
    /// 429.
    Throttled,
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

/// The number of a try, and the time since which its request has waited to be sent.
#[derive(Debug, Clone, Copy)]
struct Turn {
    attempt: u32,
    wanted: Instant,
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
    /// Sends a request as often as it takes and is allowed, and reads the answer.
    pub(super) async fn call<T>(
        &self,
        request: &Request,
        read: fn(&Element) -> Result<T, Unfit>,
    ) -> Result<Option<T>, Error> {
        let wanted = Instant::now();
        let attempt = |retries| async move {
            let answer = self.attempt(request, Turn { attempt: retries + 1, wanted }, read).await;
            answer.map_err(|kind| Error::of(request.clone(), kind.without(self.key.secret.expose_secret())))
        };
        let retry = |error: &Error| match error.retry() {
            // The rate limit has held it back for as long as there is patience.
            Retry::After(_) => Retry::Never,
            retry if request.repeatable || matches!(error.kind, ErrorKind::NoAnswer(NoAnswer::NotSent(_))) => retry,
            Retry::Backoff | Retry::Never => Retry::Never,
        };
        self.http.repeat(request.name, self.retries, retry, attempt).await
    }

    /// Sends a request, and where the key may go into the query once more if it was refused in the header. A refusal means
    /// that nothing was done, but only what may be sent twice is.
    async fn attempt<T>(
        &self,
        request: &Request,
        turn: Turn,
        read: fn(&Element) -> Result<T, Unfit>,
    ) -> Result<Option<T>, ErrorKind> {
        let place = self.key.place();
        let answer = self.answered(request, place, turn, read).await;
        match answer {
            Err(ErrorKind::Unauthorized(_)) if request.repeatable && self.key.may_be_for_query(place) => {
                let answer = self.answered(request, Place::Query, turn, read).await;
                self.key.is_for_query.fetch_or(answer.is_ok(), Ordering::Relaxed);
                answer
            }
            answer => answer,
        }
    }

    /// Sends a request until the answer is not 429.
    async fn answered<T>(
        &self,
        request: &Request,
        place: Place,
        turn: Turn,
        read: fn(&Element) -> Result<T, Unfit>,
    ) -> Result<Option<T>, ErrorKind> {
        loop {
            let span = debug_span!("arin.request", arin.operation = %request, arin.attempt = turn.attempt, http.status = Empty);
            match self.exchange(request, place, turn, read).instrument(span).await? {
                Exchange::Answered(found) => return Ok(found),
                Exchange::Throttled => self.http.sent_again(request.name),
            }
        }
    }

    /// Sends a request once, when its turn comes.
    async fn exchange<T>(
        &self,
        request: &Request,
        place: Place,
        turn: Turn,
        read: fn(&Element) -> Result<T, Unfit>,
    ) -> Result<Exchange<T>, ErrorKind> {
        let permit = self.rate_limit.acquire(turn.wanted).await.map_err(ErrorKind::Throttled)?;
        let response = self.http.send(request.name, self.built(request, place)).await?;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            permit.refused(retry_after(response.headers())).await;
            return Ok(Exchange::Throttled);
        }
        permit.taken().await;
        let key_has_worked = self.key.has_worked.load(Ordering::Relaxed);
        let found = self.receive(response).await?.judge(request, key_has_worked, read)?;
        self.key.has_worked.fetch_or(found.is_some(), Ordering::Relaxed);
        Ok(Exchange::Answered(found))
    }

    /// Builds a request. ARIN wants to know the type of the body even where there is none: it has answered GETs with 415.
    fn built(&self, request: &Request, place: Place) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("rest").extend(&request.path);
        }
        if place == Place::Query {
            url.query_pairs_mut().append_pair("apikey", self.key.secret.expose_secret());
        }
        let mut builder = self.http.request(request.method.clone(), url).header(CONTENT_TYPE, "application/xml");
        if place == Place::Header {
            builder = builder.header(AUTHORIZATION, &self.key.header);
        }
        if let Some(payload) = &request.payload {
            builder = builder.body(payload.clone());
        }
        builder
    }

    async fn receive(&self, response: reqwest::Response) -> Result<Response, NoAnswer> {
        let text = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let html = text(CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        let location = text(LOCATION).map(presentable_url);
        let status = response.status();
        let body = match self.http.body(response).await {
            // The status says it all.
            Err(_) if status.is_server_error() => Vec::new(),
            body => body?,
        };
        Ok(Response { status, html, location, body })
    }
}
