//! A job's progress as server-sent events.
//!
//! The id of an event is the version of the job, so that a client that comes back with `Last-Event-ID` is told only what
//! is new. The stream ends with the job, and when the service goes away.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::StatusCode,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use utoipa::ToSchema;

use super::{
    App,
    accounts::Caller,
    extract::{JobSegment, LastEventId},
    jobs,
    problem::Problem,
    refusals::{Refusals, Unseen},
    views::JobView,
};
use crate::{
    error_chain::error_chain,
    queue::{JobId, Queue, Record},
};

/// Has nginx pass events on at once.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");
/// How often the job is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often something is sent though nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Tells how a job is, each time it changes.
///
/// Each event is the job as `GET /api/v1/jobs/{id}` shows it. The stream ends when the job is over; a client that comes
/// back after that with the last event's id gets 204, which tells it to stay away.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/events", tag = "jobs", operation_id = "watch_job",
    params(
        ("id" = JobId, Path, description = "Its id"),
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event received: it is not sent again")),
    responses(
        (status = 200, description = "Events", content_type = "text/event-stream", body = JobEvent),
        (status = 204, description = "The job is over, and the last event was received"),
        Unseen,
        Refusals))]
pub(super) async fn watch_job(
    State(app): State<App>,
    Caller(account): Caller,
    JobSegment(id): JobSegment,
    last: Option<LastEventId>,
) -> Result<Response, Problem> {
    let record = jobs::visible(&app, &account, &id).await?;
    let seen = last.map(|LastEventId(version)| version);
    if record.state.is_over() && seen == Some(record.version) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let watcher =
        Watcher { queue: app.queue.clone(), id, next: Some(record), seen, stop: app.stop.clone(), over: false };
    let events = Sse::new(events(watcher)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([UNBUFFERED], events).into_response())
}

/// One event of the stream.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is there for the document; events are written line by line")]
pub(super) struct JobEvent {
    /// `job`
    event: String,
    /// Version of the job.
    id: String,
    /// The job as JSON, as `GET /api/v1/jobs/{id}` shows it.
    data: String,
}

/// Looks at a job again and again.
struct Watcher {
    queue: Queue,
    id: JobId,
    /// What was found and not yet told.
    next: Option<Record>,
    /// The version told last.
    seen: Option<u64>,
    stop: CancellationToken,
    over: bool,
}

fn events(watcher: Watcher) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(watcher, |mut watcher| async move {
        let record = watcher.changed().await?;
        let version = record.version.to_string();
        let event = Event::default().event("job").id(version);
        // A view of strings, numbers and times always has a written form.
        let event = event.json_data(JobView::from(record)).unwrap_or_default();
        Some((Ok(event), watcher))
    })
}

impl Watcher {
    /// Waits until there is something to tell; `None` when there will be nothing more.
    async fn changed(&mut self) -> Option<Record> {
        while !self.over {
            let record = match self.next.take() {
                Some(record) => record,
                None => self.look().await?,
            };
            self.over = record.state.is_over();
            if self.seen != Some(record.version) {
                self.seen = Some(record.version);
                return Some(record);
            }
        }
        None
    }

    /// The job a moment later; `None` when it is forgotten, the queue is away or the service stops. Clients come back.
    async fn look(&mut self) -> Option<Record> {
        tokio::select! {
            () = sleep(LOOK) => {}
            () = self.stop.cancelled() => return None,
        }
        match self.queue.find(&self.id).await {
            Ok(found) => found,
            Err(error) => {
                warn!(error = %error_chain(&error), "stopped telling of job {}", self.id);
                None
            }
        }
    }
}
