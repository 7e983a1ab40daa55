//! A job's progress as server-sent events.
//!
//! The id of an event is the version of the job, so that a client that comes back with `Last-Event-ID` receives only
//! what is new. The stream ends with the job, when the service goes away, after an hour, and when the caller's token or
//! permission is gone: NetBox is asked as often as for any caller (`http.auth_cache`). While NetBox does not say,
//! nothing is sent.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, request::Parts},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};
use utoipa::ToSchema;

use super::{job_access::JobAccess, views::JobView};
use crate::{
    error_chain::error_chain,
    http::{
        app::App,
        auth::caller::Caller,
        error_responses::{ApiErrors, NotFound},
        event_streams::{Due, StreamPlace, StreamTime},
        extract::{JobIdParam, LastEventId},
        problem::{Kind, Problem},
    },
    queue::{JobId, Record},
};

/// Makes nginx pass events on at once.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");
/// The time between two looks at the job. Each look is a question to the queue, for each client that watches.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The wait before NetBox is asked again that did not say whether the caller may still look.
const RECHECK_PAUSE: Duration = Duration::from_secs(5);
/// The time after which something is sent though nothing happens.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Sends a job each time it changes.
///
/// Each event is the job as `GET /api/v1/jobs/{id}` shows it. The stream ends when the job is over; a client that comes
/// back after that with the last event's id gets 204, which tells it to stay away. It also ends after an hour, and when
/// your token or your permission is gone; you can have ten at once.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/events", tag = "jobs", operation_id = "watch_job",
    params(
        ("id" = JobId, Path, description = "Its id"),
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event received: it is not sent again")),
    responses(
        (status = 200, description = "Events", content_type = "text/event-stream", body = JobEvent),
        (status = 204, description = "The job is over, and the last event was received"),
        NotFound,
        ApiErrors))]
pub(crate) async fn watch_job(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    JobIdParam(id): JobIdParam,
    last: Option<LastEventId>,
    head: Parts,
) -> Result<Response, Problem> {
    let record = JobAccess::of(&app, &user).visible(&id).await?;
    let seen = last.map(|LastEventId(version)| version);
    if record.state.is_over() && seen == Some(record.version) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = app.event_streams.open(&user.name)?;
    let time = StreamTime::begin(app.services.settings.http.auth_cache, Instant::now());
    let watcher = JobWatcher { app, head, id, next: Some(record), seen, over: false, time, _place: place };
    let events = Sse::new(events(watcher)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_INTERVAL));
    Ok(([UNBUFFERED], events).into_response())
}

/// One event of the stream.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is for the document; events are written line by line")]
pub(crate) struct JobEvent {
    /// Always `job`.
    event: String,
    /// The version of the job.
    id: String,
    /// The job as JSON, as `GET /api/v1/jobs/{id}` shows it.
    data: String,
}

/// Polls a job for a client.
struct JobWatcher {
    app: Arc<App>,
    /// The request, with the token that has to be good for as long as the stream goes on.
    head: Parts,
    id: JobId,
    /// The record that was read and not yet compared.
    next: Option<Record>,
    /// The version that the client has.
    seen: Option<u64>,
    over: bool,
    time: StreamTime,
    _place: StreamPlace,
}

fn events(watcher: JobWatcher) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(watcher, |mut watcher| async move {
        let record = watcher.next_version().await?;
        let version = record.version.to_string();
        let event = Event::default().event("job").id(version);
        // A view of strings, numbers and times always has a written form.
        let event = event.json_data(JobView::from(record)).unwrap_or_default();
        Some((Ok(event), watcher))
    })
}

impl JobWatcher {
    /// Waits for a version that the client does not have; `None` when there will be no more.
    async fn next_version(&mut self) -> Option<Record> {
        while !self.over {
            let record = match self.next.take() {
                Some(record) => record,
                None => self.poll().await?,
            };
            self.over = record.state.is_over();
            if self.seen != Some(record.version) {
                self.seen = Some(record.version);
                return Some(record);
            }
        }
        None
    }

    /// Returns the job a moment later; `None` when the stream has to end. Clients that may come back do so by
    /// themselves.
    async fn poll(&mut self) -> Option<Record> {
        let mut wait = POLL_INTERVAL;
        loop {
            tokio::select! {
                () = sleep(wait) => {}
                () = self.app.stop.cancelled() => return None,
            }
            match self.time.due(Instant::now()) {
                Due::Look => return self.look().await,
                Due::Recheck => match self.recheck().await {
                    Ok(record) => {
                        self.time.checked(Instant::now());
                        return Some(record);
                    }
                    Err(problem) if is_final(problem.kind()) => {
                        debug!("stopped sending the events of job {}: its caller may not view it any more", self.id);
                        return None;
                    }
                    Err(_) => wait = RECHECK_PAUSE,
                },
                Due::End => return None,
            }
        }
    }

    async fn look(&self) -> Option<Record> {
        match self.app.services.queue.find(&self.id).await {
            Ok(found) => found,
            Err(error) => {
                warn!(error = %error_chain(&error), "stopped sending the events of job {}", self.id);
                None
            }
        }
    }

    /// Returns the job, if the caller's token is still good and the caller may still view it.
    async fn recheck(&self) -> Result<Record, Problem> {
        let user = self.app.users.identify(&self.head).await?;
        JobAccess::of(&self.app, &user).visible(&self.id).await
    }
}

/// Returns whether the caller may not look any more, rather than that nobody knows.
fn is_final(problem: Kind) -> bool {
    [Kind::NotAuthenticated, Kind::NotPermitted, Kind::NotFound].contains(&problem)
}
