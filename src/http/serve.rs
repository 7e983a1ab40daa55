//! Accepts connections until it is told to stop, and then lets what is under way finish.

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

/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be taken, as when there are too many.
const BREATH: Duration = Duration::from_millis(500);

/// Serves these calls until `stop` is cancelled, then until all requests under way are answered.
pub async fn serve(router: Router, listener: TcpListener, stop: CancellationToken) {
    let connections = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => connect(&router, &connections, stream, address),
                Err(error) => pause(&error).await,
            },
            () = stop.cancelled() => break,
        }
    }
    // Whoever comes now is to find another replica.
    drop(listener);
    connections.shutdown().await;
}

fn connect(router: &Router, connections: &GracefulShutdown, stream: TcpStream, address: SocketAddr) {
    // Small answers are not to wait for more. It may fail on a connection that is gone already.
    let _ = stream.set_nodelay(true);
    let router = router.clone();
    let answer = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(address));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), answer);
    let watched = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            debug!(%error, client = %address, "a connection ended early");
        }
    });
}

/// A client that is gone already is no reason to wait; anything else may pass.
async fn pause(error: &io::Error) {
    let gone = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused];
    if !gone.contains(&error.kind()) {
        warn!(%error, "no connection can be taken");
        tokio::time::sleep(BREATH).await;
    }
}
