//! The server: accepts connections until it has to stop, and then lets the requests under way finish.
//!
//! Only so many connections are open at once (`http.max_connections`), and none is held for nothing: a request's head
//! has to arrive in time, as has the next request on a connection that is kept, and a client has to take what it is
//! sent. Connections beyond the limit are told so and closed; only the liveness probe is answered there, because a
//! process that is busy is not to be restarted. A few of them are told at once, and any more are closed without a word.
//!
//! At the end, clients that keep a connection learn of it by `Connection: close` in an answer. Those that do not ask for
//! anything within a moment find their connection closed, and only then is no new one taken any more.
//!
//! HTTP/1.1 is spoken, and nothing else: what stands in front speaks HTTP/2 and TLS.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderValue, header::CONNECTION},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, warn};

use super::{health::LIVENESS, listener, problem::Problem};
use crate::{error_chain::error_chain, services::Services, telemetry::metrics::Metrics};

/// Limits how long a client may take to send the head of a request, and how long a connection that is kept may be idle.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for a connection beyond the limit.
const REFUSED_HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// Limits how long a client may take none of its answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most of a request or an answer that one connection buffers, and so the largest head, in bytes.
const CONNECTION_BUFFER: usize = 64 << 10;
/// The connections beyond the limit that are answered at once.
const REFUSED_AT_ONCE: usize = 64;
/// The time after which it is said again that there are too many connections.
const WARN_INTERVAL: Duration = Duration::from_secs(60);
/// The wait when no connection can be accepted, as when too many files are open.
const ACCEPT_RETRY_WAIT: Duration = Duration::from_millis(500);
/// Limits how long connections that are kept stay open after the service is asked to end. Half of the time that it may take
/// to end is left to the requests under way.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Serves these calls until `stop` is cancelled, and until no connection is kept any more or a moment is over; then until
/// all requests under way are answered.
pub async fn serve(router: Router, listener: TcpListener, services: &Services, stop: CancellationToken) {
    let last_answers = LAST_ANSWERS.min(services.settings.worker.shutdown_timeout.checked_div(2).unwrap_or_default());
    let mut server = Server {
        router,
        connections: GracefulShutdown::new(),
        open: watch::Sender::new(()),
        places: Places::new(services),
        warned: None,
        stop: stop.clone(),
    };
    server.accept(&listener, stop.cancelled()).await;
    let open = server.open.clone();
    server.accept(&listener, timeout(last_answers, open.closed()).map(drop)).await;
    // Who has connected already is served; others are to find another replica.
    while let Some(Ok((stream, address))) = listener.accept().now_or_never() {
        server.connect(stream, address);
    }
    drop(listener);
    server.connections.shutdown().await;
}

struct Server {
    router: Router,
    connections: GracefulShutdown,
    /// Has a receiver for each connection.
    open: watch::Sender<()>,
    places: Places,
    /// When it was last said that there are too many connections.
    warned: Option<Instant>,
    /// Cancelled when the service is asked to end.
    stop: CancellationToken,
}

impl Server {
    /// Takes connections until `end`.
    async fn accept(&mut self, listener: &TcpListener, end: impl Future<Output = ()>) {
        let mut end = pin!(end);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => self.connect(stream, address),
                    Err(error) => wait_to_accept(&error).await,
                },
                () = &mut end => return,
            }
        }
    }

    fn connect(&mut self, stream: TcpStream, address: SocketAddr) {
        let address = listener::client(address);
        let place = self.places.take();
        if !matches!(place, Some(Place { kind: PlaceKind::Served, .. })) {
            self.warn_of_limit();
        }
        let Some(place) = place else { return };
        // A small answer is not to wait for more data. Setting this fails on a connection that is gone already.
        let _ = stream.set_nodelay(true);
        let (router, kind, stop) = (self.router.clone(), place.kind, self.stop.clone());
        let answer = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(address));
            let (answer, stop) = (answer(router.clone(), kind, request), stop.clone());
            async move { Ok::<_, Infallible>(last_if(stop.is_cancelled(), answer.await)) }
        });
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = kind.protocol().serve_connection(TokioIo::new(Box::pin(stream)), answer);
        let (watched, open) = (self.connections.watch(connection), self.open.subscribe());
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                debug!(error = %error_chain(&error), client = %address, "a connection ended early");
            }
            drop((place, open));
        });
    }

    fn warn_of_limit(&mut self) {
        let now = Instant::now();
        if self.warned.is_none_or(|warned| now.duration_since(warned) >= WARN_INTERVAL) {
            self.warned = Some(now);
            let most = self.places.most;
            warn!("{most} connections are open (http.max_connections); more are refused with 503");
        }
    }
}

async fn answer(router: Router, kind: PlaceKind, request: Request) -> Response {
    if kind == PlaceKind::Served || request.uri().path() == LIVENESS {
        let Ok(answer) = router.oneshot(request).await;
        return answer;
    }
    Problem::busy("there are more connections than http.max_connections").into_response()
}

/// Tells the client, if this is the last answer on its connection.
fn last_if(is_last: bool, mut answer: Response) -> Response {
    if is_last {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// The connections that there may be.
struct Places {
    most: usize,
    served: Arc<Semaphore>,
    refused: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// The use of a connection's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlaceKind {
    Served,
    Refused,
}

/// The place of one connection, which is free again when this is dropped.
struct Place {
    kind: PlaceKind,
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    fn new(services: &Services) -> Self {
        let most = services.settings.http.max_connections.min(Semaphore::MAX_PERMITS);
        Self {
            most,
            served: Arc::new(Semaphore::new(most)),
            refused: Arc::new(Semaphore::new(REFUSED_AT_ONCE)),
            metrics: Arc::clone(&services.metrics),
        }
    }

    /// Returns the place of one more connection; `None` when it cannot even be told that there is none.
    fn take(&self) -> Option<Place> {
        let of = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok();
        let (kind, permit) = match of(&self.served) {
            Some(permit) => (PlaceKind::Served, permit),
            None => {
                self.metrics.connection_refused();
                (PlaceKind::Refused, of(&self.refused)?)
            }
        };
        self.metrics.connected();
        Some(Place { kind, metrics: Arc::clone(&self.metrics), _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.disconnected();
    }
}

impl PlaceKind {
    /// Returns how HTTP is spoken on a connection.
    fn protocol(self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).max_buf_size(CONNECTION_BUFFER);
        match self {
            Self::Served => http.header_read_timeout(REQUEST_HEAD_TIMEOUT),
            Self::Refused => http.header_read_timeout(REFUSED_HEAD_TIMEOUT).keep_alive(false),
        };
        http
    }
}

/// Waits until a connection may be accepted again. A client that is gone already is no reason to wait.
async fn wait_to_accept(error: &io::Error) {
    let gone = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused];
    if !gone.contains(&error.kind()) {
        warn!(error = %error_chain(error), "no connection can be taken");
        tokio::time::sleep(ACCEPT_RETRY_WAIT).await;
    }
}
