//! One exchange with NetBox: URLs, headers, timeouts, TLS, retries of reads, spans.
//!
//! Reads are tried again when that may help; everything else is sent once. Nothing here follows a redirect, and the token
//! is exposed in this file only.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use reqwest::{
    Certificate, Method, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH, LOCATION, RETRY_AFTER},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::Instrument;
use url::Url;

use super::{
    Error,
    error::{Operation, excerpt},
};
use crate::{
    config,
    retry::{Policy, Retry},
    telemetry::metrics::{Metrics, Upstream},
};

/// Longest answer read: a page of 1,000 rows with large documents stays far below.
const MAX_BODY_BYTES: usize = 64 << 20;
/// Retries of reads.
const READS: Policy = Policy { count: 3, backoff: Duration::from_millis(500) };
/// Longest wait NetBox may ask for before a retry.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Speaks HTTP with one NetBox, as one user. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
    base: Url,
    authorization: HeaderValue,
    sent: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
}

/// An answer whose status is for the caller to judge.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) operation: Operation,
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Transport {
    pub(super) fn new(settings: &config::Netbox) -> Result<Self, Error> {
        Ok(Self {
            http: http(settings)?,
            base: settings.url.clone(),
            authorization: authorization(&settings.token)?,
            sent: Arc::default(),
            metrics: Arc::default(),
        })
    }

    /// The same, with what it does counted in these figures.
    pub(super) fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// The same over the same connections, with a count of its own.
    pub(super) fn counting(&self) -> Self {
        Self { sent: Arc::default(), ..self.clone() }
    }

    /// Speaks over the same connections with another token.
    pub(super) fn acting_for(&self, token: &SecretString) -> Result<Self, Error> {
        Ok(Self { authorization: authorization(token)?, ..self.clone() })
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Reads; tries again when that may help. The reply is a success or a 404.
    pub(super) async fn read(&self, path: &str, query: &[(&str, &str)]) -> Result<Reply, Error> {
        let mut retry = 0;
        loop {
            let error = match self.exchange(Method::GET, path, query, None, None).await.and_then(Reply::found_or_not) {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let wait = match error.retry() {
                Retry::Backoff if retry < READS.count => READS.jittered(retry),
                Retry::After(wait) if retry < READS.count => wait.min(MAX_WAIT),
                Retry::Never | Retry::Backoff | Retry::After(_) => return Err(error),
            };
            tracing::debug!(error = &error as &dyn std::error::Error, ?wait, "asking NetBox again");
            tokio::time::sleep(wait).await;
            self.metrics.retried(Upstream::Netbox, &Operation::new(Method::GET, path).kind());
            retry += 1;
        }
    }

    /// Sends once, whatever comes of it.
    pub(super) async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Reply, Error> {
        self.exchange(method, path, &[], Some(body), None).await
    }

    /// Sends once, for the case that what is at the path still has this ETag.
    pub(super) async fn send_if(&self, method: Method, path: &str, body: &Value, etag: &str) -> Result<Reply, Error> {
        self.exchange(method, path, &[], Some(body), Some(etag)).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        etag: Option<&str>,
    ) -> Result<Reply, Error> {
        let span = tracing::debug_span!("netbox.request", http.method = %method, http.path = path, http.status = tracing::field::Empty);
        let operation = Operation::new(method.clone(), path);
        let mut request = self.http.request(method, self.url(path, query)).header(AUTHORIZATION, &self.authorization);
        if let Some(etag) = etag {
            request = request.header(IF_MATCH, etag);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        async {
            let begun = Instant::now();
            let answer = request.send().await;
            self.metrics.upstream(Upstream::Netbox, &operation.kind(), &answer, begun.elapsed());
            let answer = match answer {
                Ok(answer) => answer,
                Err(source) => return Err(Error::Unreachable { operation, source: source.without_url() }),
            };
            tracing::Span::current().record("http.status", answer.status().as_u16());
            Reply::receive(operation, answer).await
        }
        .instrument(span)
        .await
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

fn http(settings: &config::Netbox) -> Result<reqwest::Client, Error> {
    crate::tls::choose_provider();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let mut http = reqwest::Client::builder()
        .user_agent(concat!("netbox-rir-sidecar/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .timeout(settings.timeout)
        // A connection for each request. One that is kept stays with one of NetBox's worker processes: two that happen to meet
        // at the same one write at half the speed for as long as a sync takes. And gunicorn closes an idle connection after
        // two seconds, perhaps just when a write leaves, which then has no known outcome.
        .pool_max_idle_per_host(0);
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(|source| Error::CaFile { path: path.clone(), source })?;
        http = http.tls_certs_merge(Certificate::from_pem_bundle(&pem).map_err(Error::Client)?);
    }
    http.build().map_err(Error::Client)
}

/// The two kinds of tokens have schemes of their own; v2 tokens (NetBox 4.5 and later) begin with `nbt_`.
fn authorization(token: &SecretString) -> Result<HeaderValue, Error> {
    let token = token.expose_secret().trim();
    let scheme = if token.starts_with("nbt_") { "Bearer" } else { "Token" };
    let mut value = HeaderValue::from_str(&format!("{scheme} {token}")).map_err(|_| Error::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Reply {
    async fn receive(operation: Operation, answer: Response) -> Result<Self, Error> {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(source) => return Err(Error::Unreachable { operation, source: source.without_url() }),
            };
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(Error::TooLarge { operation, limit: MAX_BODY_BYTES });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { operation, status, headers, body })
    }

    /// The reply, if it is a success.
    pub(super) fn found(self) -> Result<Self, Error> {
        if self.status.is_success() { Ok(self) } else { Err(self.into_error()) }
    }

    fn found_or_not(self) -> Result<Self, Error> {
        if self.status == StatusCode::NOT_FOUND { Ok(self) } else { self.found() }
    }

    /// Reads the body as what it should be.
    pub(super) fn decode<T: DeserializeOwned>(self, wanted: &'static str) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|source| Error::Malformed {
            excerpt: excerpt(&self.body),
            operation: self.operation,
            wanted,
            source: Some(source),
        })
    }

    /// The body as JSON, [`Value::Null`] when it is not.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What a status that is no success means.
    pub(super) fn into_error(self) -> Error {
        let (operation, status) = (self.operation.clone(), self.status);
        let detail = || super::error::readable(&self.json()).unwrap_or_else(|| excerpt(&self.body));
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Error::Forbidden { operation, status, detail: detail() }
            }
            StatusCode::NOT_FOUND => Error::NotFound { operation },
            StatusCode::TOO_MANY_REQUESTS => Error::Throttled { operation, wait: self.wait() },
            _ if status.is_redirection() => Error::Redirected { operation, location: self.header(LOCATION) },
            _ if status.is_server_error() => Error::Failed { operation, status, detail: detail() },
            _ => Error::Refused { operation, status, detail: detail() },
        }
    }

    fn wait(&self) -> Option<Duration> {
        self.header(RETRY_AFTER).parse().map(Duration::from_secs).ok()
    }

    fn header(&self, name: reqwest::header::HeaderName) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, token: &str) -> config::Netbox {
        config::Netbox {
            url: Url::parse(url).unwrap(),
            token: SecretString::from(token),
            token_file: None,
            ca_file: None,
            page_size: 1000,
            batch_size: 50,
            writes_in_flight: 2,
            timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn the_token_form_chooses_the_scheme() {
        let header = |token: &str| authorization(&SecretString::from(token)).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            header("0123456789abcdef0123456789abcdef01234567\n"),
            "Token 0123456789abcdef0123456789abcdef01234567"
        );
        assert_eq!(header("nbt_key.secret"), "Bearer nbt_key.secret");
    }

    #[test]
    fn the_token_is_in_no_debug_output() {
        let transport = Transport::new(&settings("http://netbox.test/", "nbt_key.secret")).unwrap();
        assert!(!format!("{transport:?}").contains("secret"));
    }

    #[test]
    fn a_token_of_two_lines_is_refused_without_showing_it() {
        let error = Transport::new(&settings("http://netbox.test/", "nbt_key\nsecret")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    #[test]
    fn the_path_netbox_is_served_under_is_kept() {
        for base in ["http://netbox.test/nb", "http://netbox.test/nb/"] {
            let transport = Transport::new(&settings(base, "t")).unwrap();
            assert_eq!(
                transport.url("/api/status/", &[("q", "a&b")]).as_str(),
                "http://netbox.test/nb/api/status/?q=a%26b"
            );
        }
    }
}
