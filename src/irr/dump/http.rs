//! Files over HTTP.

use std::time::Duration;

use reqwest::{Response, StatusCode, header::LOCATION};
use tokio::time::timeout;
use tokio_util::bytes::Bytes;

use super::{error::FetchFailure, location::Location, validators::Validators};
use crate::outbound::{NoAnswer, excerpt::excerpt, retry_after::retry_after};

/// The most places that a server may lead on to, one after the other. Registries lead on once, if at all.
const MOST_REDIRECTS: usize = 5;
/// The most bytes of an error page that are read, and the characters that are shown of it.
const MOST_OF_PAGE: usize = 4096;
const MOST_SHOWN: usize = 200;

/// What a server answered.
pub(super) enum HttpAnswer {
    /// The file is the one that we know.
    Unchanged,
    /// This is the file.
    File(Response),
}

/// Asks for a file, or only for another one than that with these validators.
pub(super) async fn open(
    http: &reqwest::Client,
    location: &Location,
    known: &Validators,
    idle: Duration,
) -> Result<HttpAnswer, FetchFailure> {
    let mut place = location.clone();
    for _ in 0..=MOST_REDIRECTS {
        let request = known.condition(http.get(place.as_url().clone()));
        let response = timeout(idle, request.send()).await.map_err(|_| FetchFailure::Silent(idle))?;
        let response = response.map_err(|error| NoAnswer::before_answer(error.without_url()));
        let response = response.map_err(FetchFailure::NoAnswer)?;
        match response.status() {
            StatusCode::OK => return Ok(HttpAnswer::File(response)),
            StatusCode::NOT_MODIFIED if !known.is_empty() => return Ok(HttpAnswer::Unchanged),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => place = led_on(&place, &response)?,
            _ => return Err(refusal(response, idle).await),
        }
    }
    Err(FetchFailure::RedirectedTooOften(MOST_REDIRECTS))
}

/// Returns the next bytes of a file, of which so many came already.
pub(super) async fn next(response: &mut Response, received: u64) -> Result<Option<Bytes>, FetchFailure> {
    let received = usize::try_from(received).unwrap_or(usize::MAX);
    let lost = |error: reqwest::Error| FetchFailure::NoAnswer(NoAnswer::in_body(error.without_url(), received));
    response.chunk().await.map_err(lost)
}

/// Returns where an answer leads to.
pub(super) fn led_on(from: &Location, response: &Response) -> Result<Location, FetchFailure> {
    let to = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let to = from.redirected(to.ok_or(FetchFailure::RedirectedNowhere(None))?);
    let to = to.map_err(|error| FetchFailure::RedirectedNowhere(Some(error)))?;
    let scheme = to.as_url().scheme();
    if scheme == "https" || (scheme == "http" && !from.is_encrypted()) {
        Ok(to)
    } else {
        Err(FetchFailure::RedirectedAway(to))
    }
}

async fn refusal(mut response: Response, idle: Duration) -> FetchFailure {
    let status = response.status();
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => FetchFailure::Missing(status.as_u16()),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            FetchFailure::Unavailable(status.as_u16(), retry_after(response.headers()))
        }
        _ => {
            let mut page = Vec::new();
            // The page only adds to what is known already.
            while let Ok(Ok(Some(chunk))) = timeout(idle, response.chunk()).await {
                page.extend_from_slice(&chunk);
                if page.len() >= MOST_OF_PAGE {
                    break;
                }
            }
            FetchFailure::Status(status.as_u16(), excerpt(&String::from_utf8_lossy(&page), MOST_SHOWN))
        }
    }
}
