//! One exchange over HTTP, and the loop that repeats it.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{
    ClientBuilder, Method, RequestBuilder, Response,
    header::{ACCEPT, HeaderMap, HeaderValue},
};
use tokio::time::sleep;
use tracing::{Span, debug};
use url::Url;

use super::no_answer::{AnswerLost, NoAnswer};
use crate::{
    retry::{Policy, Retry},
    telemetry::metrics::{Metrics, Upstream},
};

/// Makes a client ask for one type of document, and wait for so long.
pub(crate) fn asking_for(accept: &'static str, timeout: Duration, builder: ClientBuilder) -> ClientBuilder {
    builder.default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))])).timeout(timeout)
}

/// Sends requests to one system. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    upstream: Upstream,
    max_body: usize,
    sent: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, upstream: Upstream, max_body: usize) -> Self {
        Self { http, upstream, max_body, sent: Arc::default(), metrics: Arc::default() }
    }

    /// Returns the same client with other metrics.
    pub(crate) fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Returns a client over the same connections that counts its requests from zero.
    pub(crate) fn counting(&self) -> Self {
        Self { sent: Arc::default(), ..self.clone() }
    }

    /// Returns the number of requests sent so far, retries included.
    pub(crate) fn requests(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Sends a request once and returns the head of its answer. `name` is for metrics. A failure does not show the URL,
    /// which may carry a key.
    pub(crate) async fn send(&self, name: &str, request: RequestBuilder) -> Result<Response, NoAnswer> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let answer = request.send().await;
        self.metrics.upstream(self.upstream, name, &answer, begun.elapsed());
        let response = answer.map_err(|error| NoAnswer::before_answer(error.without_url()))?;
        Span::current().record("http.status", response.status().as_u16());
        Ok(response)
    }

    /// Reads the body of an answer up to the limit.
    pub(crate) async fn body(&self, mut response: Response) -> Result<Vec<u8>, NoAnswer> {
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| NoAnswer::in_body(error.without_url(), body.len()))?
        {
            if body.len().saturating_add(chunk.len()) > self.max_body {
                return Err(AnswerLost::TooLarge(self.max_body).into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Repeats `attempt`, which gets the number of retries before it, until it succeeds, `retry` says that trying again
    /// is no use, or the retries of the policy are used up.
    pub(crate) async fn repeat<T, E: Error + 'static, Attempt: Future<Output = Result<T, E>>>(
        &self,
        name: &str,
        policy: Policy,
        retry: impl Fn(&E) -> Retry,
        attempt: impl Fn(u32) -> Attempt,
    ) -> Result<T, E> {
        let mut retries = 0;
        loop {
            let error = match attempt(retries).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let wait = match retry(&error) {
                Retry::Backoff if retries < policy.count => policy.jittered(retries),
                Retry::After(wait) if retries < policy.count => wait,
                Retry::Never | Retry::Backoff | Retry::After(_) => return Err(error),
            };
            debug!(error = &error as &dyn Error, ?wait, "{:?} is asked again", self.upstream);
            drop(error);
            sleep(wait).await;
            self.sent_again(name);
            retries += 1;
        }
    }

    /// Counts a request that is sent once more. `name` is for metrics.
    pub(crate) fn sent_again(&self, name: &str) {
        self.metrics.retried(self.upstream, name);
    }
}
