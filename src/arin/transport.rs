//! The exchange with ARIN: the only place that knows base URLs, headers, the API key and retries.
//!
//! A request is sent until it is answered, refused, or `arin.retry_count` retries are used up; [`Error::retry`] says
//! which failures count. One that is not repeatable is sent again only if ARIN has certainly not carried it out. A 429
//! holds back every request to the same instance, not only the one that got it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{
    RequestBuilder, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION},
};
use secrecy::{ExposeSecret, SecretString};
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
        let attempt = |retries| async move {
            let attempt = retries + 1;
            let span =
                debug_span!("arin.request", arin.operation = %request, arin.attempt = attempt, http.status = Empty);
            let answer = self.attempt(request, retries, read).instrument(span).await;
            answer.map_err(|kind| Error::of(request.clone(), kind.without(self.key.secret.expose_secret())))
        };
        let retry = |error: &Error| match error.retry() {
            // The rate limit holds it back, with all others.
            Retry::After(_) => Retry::After(Duration::ZERO),
            retry if request.repeatable || matches!(error.kind, ErrorKind::NoAnswer(NoAnswer::NotSent(_))) => retry,
            Retry::Backoff | Retry::Never => Retry::Never,
        };
        self.http.repeat(request.name, self.retries, retry, attempt).await
    }

    async fn attempt<T>(
        &self,
        request: &Request,
        retries: u32,
        read: fn(&Element) -> Result<T, Unfit>,
    ) -> Result<Option<T>, ErrorKind> {
        let _permit = self.rate_limit.acquire().await;
        let response = self.http.send(request.name, self.with_key(request)).await?;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            let asked = retry_after(response.headers()).unwrap_or_else(|| self.retries.jittered(retries));
            return Err(ErrorKind::Throttled(self.rate_limit.pause(asked).await));
        }
        let key_has_worked = self.key.has_worked.load(Ordering::Relaxed);
        let found = self.receive(response).await?.judge(request, key_has_worked, read)?;
        self.key.has_worked.fetch_or(found.is_some(), Ordering::Relaxed);
        Ok(found)
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
