//! The exchange with ARIN: the only place that knows URLs, headers, the API key, time limits and retries.
//!
//! A question is asked until it is answered, refused, or `arin.retry_count` retries are used up; [`Error::retry`] says
//! which failures count. A 429 holds back every request to the same instance, not only the one that got it. All questions
//! are GETs, so asking twice does no harm, and dropping the future at any moment does none either.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use reqwest::{
    Response, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::sleep;
use tracing::{Instrument, Span, debug, debug_span, field::Empty};
use url::Url;

use super::{
    Error, Operation,
    answer::{Answer, judge},
    convert::Unfit,
    element::Element,
    pool::presentable,
    throttle::Throttle,
};
use crate::{
    config::{self, Auth},
    model::Instance,
    retry::{Policy, Retry},
    telemetry::metrics::{Metrics, Upstream},
};

/// Makes the HTTP client: pooled, with certificates checked by the platform's rules, and without redirects or proxies.
pub(super) fn http(settings: &config::Arin) -> Result<reqwest::Client, Error> {
    crate::tls::choose_provider();
    let encrypted = settings.allowed_base_urls.iter().any(|url| url.scheme() == "https");
    let builder = reqwest::Client::builder();
    // A sandbox on plain HTTP must also run where no certificates are installed.
    let builder = if encrypted { builder } else { builder.tls_certs_only([]) };
    builder
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/xml"))]))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.timeout)
        .pool_max_idle_per_host(settings.max_in_flight)
        .build()
        .map_err(Error::Setup)
}

/// One base URL, asked with one key.
pub(super) struct Transport {
    http: reqwest::Client,
    throttle: Arc<Throttle>,
    base: Url,
    key: SecretString,
    /// The header that carries the key, unless the query does.
    authorization: Option<HeaderValue>,
    policy: Policy,
    max_body: usize,
    sent: AtomicU64,
    /// Whether the key has brought an object already.
    proven: AtomicBool,
    metrics: Arc<Metrics>,
}

impl Transport {
    pub(super) fn new(
        settings: &config::Arin,
        http: reqwest::Client,
        throttle: Arc<Throttle>,
        base: Url,
        key: SecretString,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let key = SecretString::from(key.expose_secret().trim());
        let header = authorization(key.expose_secret()).ok_or(Error::UnusableKey)?;
        Ok(Self {
            http,
            throttle,
            base,
            authorization: (settings.auth == Auth::Header).then_some(header),
            key,
            policy: Policy { count: settings.retry_count, backoff: settings.retry_backoff },
            max_body: settings.max_body_bytes,
            sent: AtomicU64::new(0),
            proven: AtomicBool::new(false),
            metrics,
        })
    }

    pub(super) fn instance(&self) -> &Instance {
        self.throttle.instance()
    }

    pub(super) fn requests(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Asks, as often as it takes and is allowed, and reads the answer.
    pub(super) async fn fetch<T>(
        &self,
        operation: &Operation,
        read: fn(&Element) -> Result<T, Unfit>,
    ) -> Result<Option<T>, Error> {
        let mut retry = 0;
        loop {
            let span =
                debug_span!("arin.request", arin.operation = %operation, arin.attempt = retry + 1, http.status = Empty);
            let error = match self.ask(operation, retry, read).instrument(span).await {
                Ok(found) => return Ok(found),
                Err(error) => error.without(self.key.expose_secret()),
            };
            if retry >= self.policy.count || error.retry() == Retry::Never {
                return Err(error);
            }
            {
                // Gone before the wait: it could not be sent to another thread.
                let cause: &dyn std::error::Error = &error;
                debug!(arin.operation = %operation, arin.attempt = retry + 1, error = cause, "{operation} is asked again");
            }
            match error.retry() {
                Retry::Backoff => sleep(self.policy.jittered(retry)).await,
                // The throttle holds the request back, with all others.
                Retry::After(_) | Retry::Never => {}
            }
            self.metrics.retried(Upstream::Arin, operation.name());
            retry += 1;
        }
    }

    async fn ask<T>(
        &self,
        operation: &Operation,
        retry: u32,
        read: fn(&Element) -> Result<T, Unfit>,
    ) -> Result<Option<T>, Error> {
        let _permit = self.throttle.permit().await;
        let response = self.send(operation).await?;
        Span::current().record("http.status", response.status().as_u16());
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            let asked = retry_after(response.headers()).unwrap_or_else(|| self.policy.jittered(retry));
            return Err(Error::Throttled { operation: operation.clone(), wait: self.throttle.pause_all(asked).await });
        }
        let answer = self.receive(operation, response).await?;
        let found = judge(operation, answer, self.proven.load(Ordering::Relaxed), read)?;
        self.proven.fetch_or(found.is_some(), Ordering::Relaxed);
        Ok(found)
    }

    async fn send(&self, operation: &Operation) -> Result<Response, Error> {
        let mut request = self.http.get(self.url(operation));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let answer = request.send().await;
        self.metrics.upstream(Upstream::Arin, operation.name(), &answer, begun.elapsed());
        answer.map_err(|source| {
            let (operation, source) = (operation.clone(), source.without_url());
            if source.is_timeout() {
                Error::TimedOut { operation, source }
            } else {
                Error::Unreachable { operation, source }
            }
        })
    }

    fn url(&self, operation: &Operation) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("rest");
            match operation {
                Operation::Org(handle) => path.extend(["org", handle.as_str()]),
                Operation::Poc(handle) => path.extend(["poc", handle.as_str()]),
                Operation::Customer(handle) => path.extend(["customer", handle.as_str()]),
                Operation::Net(handle) => path.extend(["net", handle.as_str()]),
                Operation::MostSpecificNet(range) => path
                    .extend(["net", "mostSpecificNet"])
                    .extend([range.first().to_string(), range.last().to_string()]),
            };
        }
        if self.authorization.is_none() {
            url.query_pairs_mut().append_pair("apikey", self.key.expose_secret());
        }
        url
    }

    async fn receive(&self, operation: &Operation, response: Response) -> Result<Answer, Error> {
        let word = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let html = word(header::CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        let location = word(header::LOCATION).map(presentable);
        let status = response.status();
        let body = match self.body(operation, response).await {
            // The status says it all.
            Err(_) if status.is_server_error() => Vec::new(),
            body => body?,
        };
        Ok(Answer { status, html, location, body })
    }

    async fn body(&self, operation: &Operation, mut response: Response) -> Result<Vec<u8>, Error> {
        let too_large = || Error::TooLarge { operation: operation.clone(), limit: self.max_body };
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        if announced > self.max_body {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(announced);
        while let Some(chunk) = response.chunk().await.map_err(|source| broken(operation, body.len(), source))? {
            if body.len().saturating_add(chunk.len()) > self.max_body {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// The key as a header that is never shown; `None` for a key that cannot be one.
fn authorization(key: &str) -> Option<HeaderValue> {
    let usable = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    let mut header = usable.then(|| HeaderValue::from_str(&format!("ApiKey {key}")).ok()).flatten()?;
    header.set_sensitive(true);
    Some(header)
}

fn broken(operation: &Operation, received: usize, source: reqwest::Error) -> Error {
    let (operation, source) = (operation.clone(), source.without_url());
    if source.is_timeout() {
        Error::TimedOut { operation, source }
    } else {
        Error::CutOff { operation, received, source: Some(source) }
    }
}

/// How long `Retry-After` asks to wait (RFC 9110, 10.2.3), in seconds or as a date, which is read by the server's own
/// clock where it told the time. `None` when it is absent, unreadable, or already over.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let word = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let asked = word(header::RETRY_AFTER)?;
    let wait = match asked.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let now = word(header::DATE).and_then(|date| httpdate::parse_http_date(date).ok());
            httpdate::parse_http_date(asked).ok()?.duration_since(now.unwrap_or_else(SystemTime::now)).ok()?
        }
    };
    (!wait.is_zero()).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(retry_after: &str) -> Option<u64> {
        let date = HeaderValue::from_static("Fri, 06 Nov 2026 12:00:00 GMT");
        let asked = HeaderValue::from_str(retry_after).unwrap();
        retry_after_of([(header::DATE, date), (header::RETRY_AFTER, asked)])
    }

    fn retry_after_of(headers: impl IntoIterator<Item = (header::HeaderName, HeaderValue)>) -> Option<u64> {
        super::retry_after(&HeaderMap::from_iter(headers)).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_comes_in_seconds_or_as_a_date() {
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Fri, 06 Nov 2026 12:01:30 GMT"), Some(90));
    }

    #[test]
    fn no_wait_and_no_sense_are_left_to_the_back_off() {
        for text in ["", "0", "soon", "-1", "1.5", "99999999999999999999999", "Fri, 06 Nov 2026 11:59:59 GMT"] {
            assert_eq!(wait(text), None, "{text}");
        }
        assert_eq!(retry_after_of([]), None);
    }

    #[test]
    fn without_a_date_from_the_server_our_clock_counts() {
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        let wait = retry_after_of([(header::RETRY_AFTER, HeaderValue::from_str(&soon).unwrap())]).unwrap();
        assert!((50..=60).contains(&wait), "{wait}");
    }
}
