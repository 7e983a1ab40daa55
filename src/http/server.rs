//! The server: accepts connections until it has to stop, and then lets the requests under way finish.

use std::{io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, warn};

/// Limits how long a client may take to send the head of a request.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The wait when no connection can be accepted, as when too many files are open.
const ACCEPT_RETRY_WAIT: Duration = Duration::from_millis(500);

/// Serves these calls until `stop` is cancelled, then until all requests under way are answered.
pub async fn serve(router: Router, listener: TcpListener, stop: CancellationToken) {
    let connections = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => connect(&router, &connections, stream, address),
                Err(error) => wait_to_accept(&error).await,
            },
            () = stop.cancelled() => break,
        }
    }
    // New clients are to find another replica.
    drop(listener);
    connections.shutdown().await;
}

fn connect(router: &Router, connections: &GracefulShutdown, stream: TcpStream, address: SocketAddr) {
    // A small answer is not to wait for more data. Setting this fails on a connection that is gone already.
    let _ = stream.set_nodelay(true);
    let router = router.clone();
    let answer = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(address));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answer);
    let watched = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            debug!(%error, client = %address, "a connection ended early");
        }
    });
}

/// Waits until a connection may be accepted again. A client that is gone already is no reason to wait.
async fn wait_to_accept(error: &io::Error) {
    let gone = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused];
    if !gone.contains(&error.kind()) {
        warn!(%error, "no connection can be taken");
        tokio::time::sleep(ACCEPT_RETRY_WAIT).await;
    }
}
