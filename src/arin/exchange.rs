//! The exchange over HTTP that Reg-RWS and the public listing have in common. It knows no API key.
//!
//! A 429 holds back every request to the same place, not only the one that got it, and is no failed try: a question is
//! asked again when its turn comes, until everything has been answered with 429 for `arin.patience`. What is to be sent
//! once is not.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{
    RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, HeaderValue, LOCATION},
};
use tokio::time::{Instant, timeout};
use tracing::{Instrument, debug_span, field::Empty};
use url::Url;

use super::{
    error::Unanswered,
    rate_limit::{Permit, RateLimit},
    response::Response,
};
use crate::{
    outbound::{NoAnswer, client::Client as Http, excerpt::presentable_url, retry_after::retry_after},
    retry::Policy,
};

/// A base URL, the limit of requests to it, and how often each of them is tried.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) http: Http,
    pub(super) rate_limit: Arc<RateLimit>,
    pub(super) base: Url,
    pub(super) retries: Policy,
}

/// One try of a request.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    /// The name in metrics.
    pub(super) name: &'static str,
    /// The request in traces.
    pub(super) operation: &'a (dyn fmt::Display + Sync),
    /// The number of the try, from 1.
    pub(super) attempt: u32,
    /// The time since which the request has waited to be sent.
    pub(super) wanted: Instant,
}

impl Exchange {
    /// Returns the base URL with more segments.
    pub(super) fn url<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// Sends a request until the answer is not 429.
    pub(super) async fn answer(
        &self,
        turn: Turn<'_>,
        build: impl Fn() -> RequestBuilder,
    ) -> Result<Response, Unanswered> {
        loop {
            let permit = self.rate_limit.acquire(turn.wanted).await.map_err(Unanswered::Throttled)?;
            let response = self.sent(turn, permit, build()).await?;
            if response.status != StatusCode::TOO_MANY_REQUESTS {
                return Ok(response);
            }
            self.http.sent_again(turn.name);
        }
    }

    /// Sends a request when its turn comes, and never again, and not at all if that takes longer than this. A 429 is an
    /// answer like any other.
    pub(super) async fn answer_once(
        &self,
        longest: Duration,
        turn: Turn<'_>,
        request: RequestBuilder,
    ) -> Result<Response, Unanswered> {
        let permit = timeout(longest, self.rate_limit.acquire(turn.wanted)).await;
        let permit = permit.map_err(|_| Unanswered::NoTurn(longest))?.map_err(Unanswered::Throttled)?;
        self.sent(turn, permit, request).await
    }

    async fn sent(&self, turn: Turn<'_>, permit: Permit<'_>, request: RequestBuilder) -> Result<Response, Unanswered> {
        let Turn { operation, attempt, .. } = turn;
        let span =
            debug_span!("arin.request", arin.operation = %operation, arin.attempt = attempt, http.status = Empty);
        self.exchanged(turn, permit, request).instrument(span).await
    }

    /// Sends a request, and reads the answer. The body of a 429 is not read.
    async fn exchanged(
        &self,
        turn: Turn<'_>,
        permit: Permit<'_>,
        request: RequestBuilder,
    ) -> Result<Response, Unanswered> {
        let response = self.http.send(turn.name, request).await?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            permit.refused(retry_after(response.headers())).await;
            return Ok(Response { status, html: false, location: None, body: Vec::new() });
        }
        permit.taken().await;
        Ok(self.receive(response).await?)
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
