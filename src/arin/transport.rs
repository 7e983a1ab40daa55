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
    pub(super) auth: Auth,
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
    /// True once the key has brought an object.
    has_worked: AtomicBool,
}

impl Key {
    /// Takes a key; `None` for one that no header can carry.
    pub(super) fn new(secret: &SecretString) -> Option<Self> {
        let secret = SecretString::from(secret.expose_secret().trim());
        let usable = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        let text = Some(secret.expose_secret()).filter(|key| usable(key)).map(|key| format!("ApiKey {key}"))?;
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(Self { secret, header, has_worked: AtomicBool::new(false) })
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
            let answer = self.attempt(request, retries, wanted, read).await;
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

    /// Sends a request until the answer is not 429.
    async fn attempt<T>(
        &self,
        request: &Request,
        retries: u32,
        wanted: Instant,
        read: fn(&Element) -> Result<T, Unfit>,
    ) -> Result<Option<T>, ErrorKind> {
        loop {
            let attempt = retries + 1;
            let span =
                debug_span!("arin.request", arin.operation = %request, arin.attempt = attempt, http.status = Empty);
            match self.exchange(request, wanted, read).instrument(span).await? {
                Exchange::Answered(found) => return Ok(found),
                Exchange::Throttled => self.http.sent_again(request.name),
            }
        }
    }

    /// Sends a request once, when its turn comes.
    async fn exchange<T>(
        &self,
        request: &Request,
        wanted: Instant,
        read: fn(&Element) -> Result<T, Unfit>,
    ) -> Result<Exchange<T>, ErrorKind> {
        let permit = self.rate_limit.acquire(wanted).await.map_err(ErrorKind::Throttled)?;
        let response = self.http.send(request.name, self.with_key(request)).await?;
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

    fn with_key(&self, request: &Request) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("rest").extend(&request.path);
        }
        if self.auth == Auth::Query {
            url.query_pairs_mut().append_pair("apikey", self.key.secret.expose_secret());
        }
        let mut builder = self.http.request(request.method.clone(), url);
        if self.auth == Auth::Header {
            builder = builder.header(AUTHORIZATION, &self.key.header);
        }
        if let Some(payload) = &request.payload {
            builder = builder.header(CONTENT_TYPE, "application/xml").body(payload.clone());
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
