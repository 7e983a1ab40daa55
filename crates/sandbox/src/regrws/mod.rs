//! A simulated Reg-RWS: ARIN's REST interface in front of a [`Registry`].
//!
//! | call | answers with |
//! |---|---|
//! | `GET /rest/org/{h}`, `/poc/{h}`, `/customer/{h}`, `/net/{h}` | the object |
//! | `GET /rest/net/mostSpecificNet/{start}/{end}` | the net that [`Lookup`] finds |
//! | `GET /rest/net/netsByIpRange/{start}/{end}` | a collection of the nets that touch the range |
//! | `GET /rest/net/parentNet/{start}/{end}` | the most specific net that is larger than the range |
//!
//! It speaks real HTTP, on a loopback port unless told otherwise, keeps account of what it was asked ([`Requests`]) and fails on demand
//! ([`Rule`], [`Fault`], [`Noise`]). A request passes [`Options::latency`], then [`Options::throttle`], then the faults,
//! then the check of its key. Nothing is ever written through it; the registry behind it can be edited at any time.
//!
//! The XML is written by hand and read by nobody here: clients are to be tried against it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{Router, extract::Request as HttpRequest, serve::ListenerExt};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::world::Registry;

mod fault;
mod forms;
mod gate;
mod havoc;
mod index;
mod options;
mod payload;
mod records;
mod reply;
mod requests;
mod state;
#[cfg(test)]
mod tests;
mod xml;

pub use fault::{Fault, Rule};
pub use options::{KEY, Lookup, Noise, Options, RetryAfter, Style, Throttle};
pub use records::Editing;
pub use requests::{Auth, Operation, Request, Requests, range_target};
use state::{State, lock};

/// A running server. It stops when dropped: it takes no more connections and ends those that are idle or hanging.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

/// A server that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the simulated Reg-RWS could not listen on {address}")]
pub struct StartError {
    /// The address asked for; port 0 for any.
    pub address: SocketAddr,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Server {
    /// Starts a server on a free loopback port, in the current Tokio runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(registry: Registry, options: Options) -> Result<Self, StartError> {
        Self::start_on(0, registry, options).await
    }

    /// Starts a server on this loopback port; 0 for any free one.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start_on(port: u16, registry: Registry, options: Options) -> Result<Self, StartError> {
        Self::start_at((Ipv4Addr::LOCALHOST, port).into(), registry, options).await
    }

    /// Starts a server on this address.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn start_at(address: SocketAddr, registry: Registry, options: Options) -> Result<Self, StartError> {
        let failed = |source| StartError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopping) = watch::channel(false);
        let state = Arc::new(State::new(records::Records::new(registry), options, stopping.clone()));
        let task = tokio::spawn(serve(listener, Arc::clone(&state), stopping));
        Ok(Self { address, state, stop, task })
    }

    /// Base URL, the part before `/rest`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The registry it serves, to be read or edited.
    #[must_use]
    pub fn registry(&self) -> Editing<'_> {
        Editing::of(&self.state.records)
    }

    /// Changes how it behaves from the next request on.
    pub fn configure(&self, change: impl FnOnce(&mut Options)) {
        change(Arc::make_mut(&mut lock(&self.state.options)));
    }

    /// What it was asked so far, failed requests included.
    #[must_use]
    pub fn requests(&self) -> Requests {
        lock(&self.state.requests).clone()
    }

    /// Forgets what it was asked.
    pub fn forget_requests(&self) {
        lock(&self.state.requests).0.clear();
    }

    /// Adds a rule; of several that fit a request, the one added first strikes.
    pub fn fail(&self, rule: Rule) {
        lock(&self.state.rules).0.push(rule);
    }

    /// Drops all rules.
    pub fn heal(&self) {
        lock(&self.state.rules).0.clear();
    }

    /// Stops it and waits until its port is free and every connection has ended.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // Neither a panic nor an I/O error of a server that is going away is of use to anyone.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn serve(listener: TcpListener, state: Arc<State>, mut stopping: watch::Receiver<bool>) -> io::Result<()> {
    let answer = move |request: HttpRequest| {
        let state = Arc::clone(&state);
        async move { state.respond(request.into_parts().0).await }
    };
    // Without this, small answers wait for the client's delayed acknowledgements. It may fail on a socket already gone.
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    axum::serve(listener, Router::new().fallback(answer))
        .with_graceful_shutdown(async move {
            let _ = stopping.wait_for(|stopping| *stopping).await;
        })
        .await
}
