//! The scaffold of both simulated systems: a port of this machine, an account of the requests, and failure on demand.

use std::{
    io, mem,
    net::{Ipv4Addr, SocketAddr},
    ops,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::Request as HttpRequest,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::line::{Line, Lines};

/// A system that a [`Server`] can serve.
#[doc(hidden)]
pub trait System: Sized + Send + Sync + 'static {
    /// What stands behind the system and has locks of its own.
    type Backing: Send + Sync;
    type Options: Send;
    type Request: Clone + Send;
    type Fault: Clone + Send;
    type When: Default + Send;

    fn fits(when: &Self::When, request: &Self::Request) -> bool;

    fn respond(shared: &Shared<Self>, request: HttpRequest) -> impl Future<Output = Response> + Send;
}

/// A running server. It stops when dropped: it takes no more connections and ends those that are idle or hanging.
///
/// How it behaves and what it was asked is told by the methods of [`Shared`].
pub struct Server<S: System> {
    address: SocketAddr,
    pub(crate) shared: Arc<Shared<S>>,
    task: JoinHandle<io::Result<()>>,
}

/// A server that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("a simulated system could not listen on {address}")]
pub struct StartError {
    /// The address asked for; port 0 for any.
    pub address: SocketAddr,
    pub(crate) source: io::Error,
}

/// One system behind a port: its behaviour, and what it was asked.
///
/// Its requests share this state. No lock is held over an `await`, nor while another is taken, except that of a
/// registry, which is always the last.
pub struct Shared<S: System> {
    pub(crate) system: Mutex<S>,
    pub(crate) backing: S::Backing,
    pub(crate) options: Mutex<S::Options>,
    rules: Mutex<Vec<Rule<S>>>,
    requests: Mutex<Vec<S::Request>>,
    /// Connections yet to be closed before a byte is read.
    closing: Arc<AtomicUsize>,
    stopping: CancellationToken,
}

/// When a fault strikes.
pub struct Rule<S: System> {
    fault: S::Fault,
    pub(crate) when: S::When,
    /// The share of the requests that fit which it is about.
    chance: Option<Chance>,
    /// Requests that fit and are let through before it strikes.
    spared: u32,
    times: Option<u32>,
}

/// A share of requests, drawn by lot.
struct Chance {
    share: f64,
    rng: fastrand::Rng,
}

/// Requests in the order they came, those that failed included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests<R>(pub Vec<R>);

impl<S: System> Server<S> {
    pub(crate) async fn serve(address: SocketAddr, shared: Shared<S>) -> Result<Self, StartError> {
        let failed = |source| StartError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(shared);
        let task = tokio::spawn(answer(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Base URL without a trailing slash; of the simulated Reg-RWS the part before `/rest`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it and waits until its port is free and every connection has ended.
    pub async fn stop(mut self) {
        self.shared.stopping.cancel();
        // Neither a panic nor an I/O error of a server that is going away is of use to anyone.
        let _ = (&mut self.task).await;
    }
}

impl<S: System> ops::Deref for Server<S> {
    type Target = Shared<S>;

    fn deref(&self) -> &Shared<S> {
        &self.shared
    }
}

impl<S: System> Drop for Server<S> {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}

/// The loopback address with this port; 0 for any free one.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

async fn answer<S: System>(listener: TcpListener, shared: Arc<Shared<S>>) -> io::Result<()> {
    let stopping = shared.stopping.clone();
    let lines = Lines { listener, closing: Arc::clone(&shared.closing) };
    let answer = move |request: HttpRequest| {
        let shared = Arc::clone(&shared);
        async move { S::respond(&shared, request).await }
    };
    let service = Router::new().fallback(answer).into_make_service_with_connect_info::<Line>();
    axum::serve(lines, service).with_graceful_shutdown(stopping.cancelled_owned()).await
}

impl<S: System> Shared<S> {
    pub(crate) fn new(system: S, backing: S::Backing, options: S::Options, stopping: CancellationToken) -> Self {
        Self {
            system: Mutex::new(system),
            backing,
            options: Mutex::new(options),
            rules: Mutex::default(),
            requests: Mutex::default(),
            closing: Arc::default(),
            stopping,
        }
    }

    /// Changes how it behaves from the next request on.
    pub fn configure(&self, change: impl FnOnce(&mut S::Options)) {
        change(&mut lock(&self.options));
    }

    /// Returns what it was asked so far.
    #[must_use]
    pub fn requests(&self) -> Requests<S::Request> {
        Requests(lock(&self.requests).clone())
    }

    /// Counts what it was asked since that was last forgotten, and forgets it.
    #[must_use]
    pub fn take_count(&self) -> usize {
        mem::take(&mut *lock(&self.requests)).len()
    }

    /// Forgets what it was asked.
    pub fn forget_requests(&self) {
        lock(&self.requests).clear();
    }

    /// Closes so many of the next connections before a byte is read. Those that are open stay so.
    pub fn close_next(&self, connections: usize) {
        self.closing.fetch_add(connections, Ordering::Relaxed);
    }

    /// Adds a rule; of several that fit a request, the one added first strikes.
    pub fn fail(&self, rule: Rule<S>) {
        lock(&self.rules).push(rule);
    }

    /// Drops all rules.
    pub fn heal(&self) {
        lock(&self.rules).clear();
    }

    /// Takes note of a request. Returns the fault of the first rule that fits it, which has struck once more by this.
    pub(crate) fn note(&self, request: S::Request) -> Option<S::Fault> {
        let fault = {
            let mut rules = lock(&self.rules);
            let fits = |rule: &mut Rule<S>| rule.times != Some(0) && S::fits(&rule.when, &request) && rule.is_drawn();
            let rule = rules.iter_mut().find_map(|rule| fits(rule).then_some(rule));
            rule.and_then(|rule| {
                if !rule.strikes() {
                    return None;
                }
                rule.times = rule.times.map(|times| times.saturating_sub(1));
                Some(rule.fault.clone())
            })
        };
        lock(&self.requests).push(request);
        fault
    }

    /// Answers with what a fault has made of an answer. Without that there is none until the server stops.
    pub(crate) async fn spoilt(&self, answer: Option<Response>) -> Response {
        match answer {
            Some(answer) => answer,
            None => {
                self.hang().await;
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }

    /// Waits until the server stops, as a request does that gets no answer.
    pub(crate) async fn hang(&self) {
        self.stopping.cancelled().await;
    }
}

impl<S: System> Rule<S> {
    /// Strikes every request, always.
    #[must_use]
    pub fn new(fault: S::Fault) -> Self {
        Self { fault, when: S::When::default(), chance: None, spared: 0, times: None }
    }

    /// Strikes only this share of the requests that fit, 0 to 1, as a lot with this seed decides. The others are left to
    /// further rules.
    #[must_use]
    pub fn by_chance(self, share: f64, seed: u64) -> Self {
        Self { chance: Some(Chance { share, rng: fastrand::Rng::with_seed(seed) }), ..self }
    }

    /// Strikes only when so many requests that fit have got through.
    #[must_use]
    pub fn after(self, spared: u32) -> Self {
        Self { spared, ..self }
    }

    /// Returns whether it is about the next request that fits.
    fn is_drawn(&mut self) -> bool {
        self.chance.as_mut().is_none_or(|Chance { share, rng }| rng.f64() < *share)
    }

    /// Returns whether it strikes a request that fits.
    fn strikes(&mut self) -> bool {
        let strikes = self.spared == 0;
        self.spared = self.spared.saturating_sub(1);
        strikes
    }

    /// Strikes only so often.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

impl<R> Requests<R> {
    /// Returns how many there were.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.len()
    }
}

/// Locks; a panic elsewhere while it was held does not matter to a simulated system.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
