//! One exchange with NetBox: URLs, headers, TLS, retries of reads, spans.
//!
//! Reads are tried again when that may help; everything else is sent once. Nothing here follows a redirect, and the
//! token is exposed in this file only.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, IF_MATCH, LOCATION},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::{Instrument, debug_span, field::Empty, warn};
use url::Url;

use super::{
    clock::Clock,
    error::{Error, ErrorKind, Request, readable},
    fault::Fault,
    row::document,
};
use crate::{
    config::{self, Secret},
    http_client,
    outbound::{
        self, NoAnswer,
        excerpt::{excerpt, presentable_url},
        retry_after::retry_after,
    },
    retry::Policy,
    telemetry::metrics::{Metrics, Upstream},
    tls::Trust,
};

/// The longest answer read: a page of 1,000 rows with large documents stays far below.
const MAX_BODY_BYTES: usize = 64 << 20;
const READ_RETRIES: Policy = Policy { count: 3, backoff: Duration::from_millis(500) };
/// The longest wait that NetBox may ask for before a retry.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Speaks HTTP with one NetBox, as one user. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    http: outbound::client::Client,
    base: Url,
    token: Secret,
    clock: Clock,
}

/// An answer whose status is for the caller to judge.
#[derive(Debug)]
pub(super) struct Reply {
    request: Request,
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Transport {
    pub(super) fn new(settings: &config::Netbox) -> Result<Self, Error> {
        let http = http(settings)?;
        authorization(&settings.token)?;
        Ok(Self {
            http: outbound::client::Client::new(http, Upstream::Netbox, MAX_BODY_BYTES),
            base: settings.url.as_url().clone(),
            token: settings.token.clone(),
            clock: Clock::default(),
        })
    }

    /// Returns the same with other metrics.
    pub(super) fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { http: self.http.measured(metrics), ..self }
    }

    /// Returns the same over the same connections, with a count of its own.
    pub(super) fn counting(&self) -> Self {
        Self { http: self.http.counting(), ..self.clone() }
    }

    /// Speaks over the same connections with another token.
    pub(super) fn acting_for(&self, token: &SecretString) -> Result<Self, Error> {
        let token = Secret::from(token.clone());
        authorization(&token)?;
        Ok(Self { token, ..self.clone() })
    }

    /// Returns the part of a v2 token by which NetBox finds it, and which is no secret.
    pub(super) fn token_key(&self) -> Option<String> {
        let token = self.token.now();
        let (key, _secret) = token.expose_secret().trim().strip_prefix("nbt_")?.split_once('.')?;
        Some(key.to_owned())
    }

    /// Returns the time by NetBox's own clock; `None` before an answer told it.
    pub(super) fn clock(&self) -> Option<Timestamp> {
        self.clock.now()
    }

    pub(super) fn sent(&self) -> u64 {
        self.http.requests()
    }

    /// Reads; tries again when that may help. The reply is a success or a 404.
    pub(super) async fn read(&self, path: &str, query: &[(&str, &str)]) -> Result<Reply, Error> {
        self.ask(Method::GET, path, query).await
    }

    /// Asks by a method that writes nothing, as [`Transport::read`].
    pub(super) async fn ask(&self, method: Method, path: &str, query: &[(&str, &str)]) -> Result<Reply, Error> {
        let request = &Request::new(method, path);
        let attempt =
            |_| async move { self.exchange(request, self.without_body(request, query)).await?.found_or_not() };
        self.http.repeat(&request.name(), READ_RETRIES, Error::retry, attempt).await
    }

    /// Sends once, whatever comes of it.
    pub(super) async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Reply, Error> {
        let request = Request::new(method, path);
        self.exchange(&request, self.with_body(&request, body)).await
    }

    /// Sends once, for the case that what is at the path still has this ETag.
    pub(super) async fn send_if(&self, method: Method, path: &str, body: &Value, etag: &str) -> Result<Reply, Error> {
        let request = Request::new(method, path);
        self.exchange(&request, self.with_body(&request, body).header(IF_MATCH, etag)).await
    }

    fn without_body(&self, request: &Request, query: &[(&str, &str)]) -> RequestBuilder {
        self.http.request(request.method.clone(), self.url(&request.path, query))
    }

    fn with_body(&self, request: &Request, body: &Value) -> RequestBuilder {
        self.without_body(request, &[]).header(CONTENT_TYPE, "application/json").body(body.to_string())
    }

    /// Sends a request with the token of now. If that is refused because it was changed meanwhile, nothing was done, and
    /// the request is sent once more with the new one.
    async fn exchange(&self, request: &Request, builder: RequestBuilder) -> Result<Reply, Error> {
        let (version, again) = (self.token.version(), builder.try_clone());
        let reply = self.with_token(request, builder).await?;
        match again {
            Some(again) if reply.is_refusal() && self.token.is_newer_than(version) => {
                self.with_token(request, again).await
            }
            Some(_) | None => Ok(reply),
        }
    }

    async fn with_token(&self, request: &Request, builder: RequestBuilder) -> Result<Reply, Error> {
        let token = authorization(&self.token).map_err(|kind| Error::of(request.clone(), kind))?;
        let builder = builder.header(AUTHORIZATION, token);
        let span = debug_span!(
            "netbox.request", http.method = %request.method, http.path = request.path, http.status = Empty
        );
        let reply = async {
            let response = self.http.send(&request.name(), builder).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = self.http.body(response).await?;
            let reply = Reply { request: request.clone(), status, headers, body };
            self.clock.hear(reply.date());
            Ok(reply)
        };
        let reply: Result<Reply, NoAnswer> = reply.instrument(span).await;
        reply.map_err(|no_answer| Error::of(request.clone(), no_answer.into()))
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

fn http(settings: &config::Netbox) -> Result<reqwest::Client, ErrorKind> {
    if settings.is_read_by_proxy() {
        warn!("the proxy of netbox.proxy reads NetBox's token, as netbox.url is not encrypted; set it to an https URL");
    }
    let encrypted = settings.url.as_url().scheme() == "https" || settings.proxy.may_be_encrypted();
    let client = http_client::build(Trust::of(settings.ca_file.as_deref(), encrypted), &settings.proxy, |builder| {
        outbound::client::asking_for("application/json", settings.timeout, builder)
            // Each request gets a connection of its own. One that is kept stays with one of NetBox's worker processes:
            // two that happen to meet at the same one write at half the speed for as long as a sync takes. And gunicorn
            // closes an idle connection after two seconds, perhaps just when a write leaves, whose outcome is unknown
            // then.
            .pool_max_idle_per_host(0)
    });
    client.map_err(ErrorKind::Client)
}

/// Returns the header for a token. The two kinds of tokens have schemes of their own; v2 tokens (NetBox 4.5 and later)
/// begin with `nbt_`.
fn authorization(token: &Secret) -> Result<HeaderValue, ErrorKind> {
    let token = token.now();
    let token = token.expose_secret().trim();
    let scheme = if token.starts_with("nbt_") { "Bearer" } else { "Token" };
    let mut value = HeaderValue::from_str(&format!("{scheme} {token}")).map_err(|_| ErrorKind::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Reply {
    /// Returns the reply, if it is a success.
    pub(super) fn found(self) -> Result<Self, Error> {
        if self.status.is_success() { Ok(self) } else { Err(self.into_error()) }
    }

    fn is_refusal(&self) -> bool {
        matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    fn found_or_not(self) -> Result<Self, Error> {
        if self.status == StatusCode::NOT_FOUND { Ok(self) } else { self.found() }
    }

    /// Reads the body as what it should be.
    pub(super) fn decode<T: DeserializeOwned>(self, wanted: &'static str) -> Result<T, Error> {
        document(&self.body).map_err(|source| {
            let kind = ErrorKind::Malformed(wanted, self.excerpt(), Some(source));
            Error::of(self.request, kind)
        })
    }

    /// Returns the time at which NetBox answered, by its own clock.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let date = httpdate::parse_http_date(self.headers.get(DATE)?.to_str().ok()?).ok()?;
        Timestamp::try_from(date).ok()
    }

    /// Returns the body as JSON, [`Value::Null`] when it is not.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the error that the request met with, whatever its status.
    pub(super) fn failed_with(&self, kind: ErrorKind) -> Error {
        Error::of(self.request.clone(), kind)
    }

    /// Returns what a status that is no success means.
    pub(super) fn into_error(self) -> Error {
        let status = self.status;
        let location = self.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let detail = || readable(&self.json()).unwrap_or_else(|| self.excerpt());
        let kind = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                ErrorKind::Forbidden(status, detail(), self.request.permission())
            }
            StatusCode::NOT_FOUND => ErrorKind::NotFound,
            StatusCode::TOO_MANY_REQUESTS => {
                ErrorKind::Throttled(retry_after(&self.headers).map(|wait| wait.min(MAX_WAIT)))
            }
            _ if status.is_redirection() => ErrorKind::Redirected(excerpt(&presentable_url(location), 200)),
            _ if Fault::of(&self.json()) == Some(Fault::StaleClass) => ErrorKind::StaleType(detail()),
            _ if status.is_server_error() => ErrorKind::Failed(status, detail()),
            _ => ErrorKind::Refused(status, detail()),
        };
        Error::of(self.request, kind)
    }

    fn excerpt(&self) -> String {
        excerpt(&String::from_utf8_lossy(&self.body), 200)
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use std::{io::Read, net::TcpListener};

    use super::*;
    use crate::outbound::AnswerLost;

    fn settings(url: &str, token: &str) -> config::Netbox {
        config::Netbox {
            url: url.parse().unwrap(),
            token: token.into(),
            token_file: None,
            ca_file: None,
            proxy: config::Proxy::None,
            page_size: 1000,
            batch_size: 50,
            writes_in_flight: 2,
            timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn the_token_form_chooses_the_scheme() {
        let header = |token: &str| authorization(&Secret::from(token)).unwrap().to_str().unwrap().to_owned();
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

    async fn failed_write(url: &str, timeout: Duration) -> ErrorKind {
        let settings = config::Netbox { timeout, ..settings(url, "t") };
        let transport = Transport::new(&settings).unwrap();
        let error = transport.send(Method::POST, "/api/x/", &Value::Null).await.unwrap_err();
        assert_eq!(transport.sent(), 1);
        error.kind
    }

    fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        (listener, url)
    }

    #[tokio::test]
    async fn a_write_without_a_connection_was_not_sent() {
        let kind = failed_write("http://127.0.0.1:1/", Duration::from_secs(20)).await;
        assert!(matches!(kind, ErrorKind::NoAnswer(NoAnswer::NotSent(_))), "{kind:?}");
    }

    #[tokio::test]
    async fn a_write_whose_connection_ends_has_an_unknown_outcome() {
        let (listener, url) = listener();
        std::thread::spawn(move || listener.accept().unwrap().0.read(&mut [0; 4096]));
        let kind = failed_write(&url, Duration::from_secs(20)).await;
        assert!(matches!(kind, ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::Disconnected(_)))), "{kind:?}");
    }

    #[tokio::test]
    async fn a_write_that_is_not_answered_in_time_has_an_unknown_outcome() {
        let (_listener, url) = listener();
        let kind = failed_write(&url, Duration::from_millis(100)).await;
        assert!(matches!(kind, ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::TimedOut(_)))), "{kind:?}");
    }
}
