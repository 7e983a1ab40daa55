//! An in-memory NetBox: the REST subset the sidecar uses, with its measured quirks.
//!
//! It speaks real HTTP on a loopback port, keeps account of what it was asked ([`Requests`]) and fails on demand
//! ([`Rule`], [`Fault`]). Rust callers seed it and look into it directly, past HTTP. The contract suite under `tests/`
//! runs against it and against a real NetBox alike, so that it cannot drift from what it stands in for.
//!
//! Custom object types come from `schema/apply` as on a real NetBox; none is built in. There is one user who may do
//! everything, one who may do nothing, and those that are added ([`User`]). PUT, polymorphic links, tags, display
//! expressions, branches, webhooks and GraphQL are not there.

use std::{io, sync::Arc};

use axum::{Router, extract::Request as HttpRequest, serve::ListenerExt};
use ipnet::IpNet;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

mod access;
mod bulk;
mod call;
mod fault;
mod field;
mod filter;
mod links;
mod model;
mod objects;
mod options;
mod order;
mod page;
mod render;
mod reply;
mod requests;
mod route;
mod rules;
mod schema;
mod seed;
mod state;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod users;
mod value;
mod write;

pub use fault::{Fault, Rule};
pub use options::{Options, READER_TOKEN, TOKEN, TOKEN_V1};
pub use requests::{Request, Requests};
use state::{State, lock};
pub use users::{Action, Grant, User};

/// A running server. It stops when dropped: it takes no more connections and ends those that are idle or hanging.
#[derive(Debug)]
pub struct Server {
    port: u16,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

/// A server that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the in-memory NetBox could not listen on port {port} of this machine")]
pub struct StartError {
    /// The port asked for; 0 for any.
    pub port: u16,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// One entry of the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The slug of a custom object type, or the endpoint of any other object (`ipam/aggregates`).
    pub slug: String,
    /// The object.
    pub id: u64,
    /// `create`, `update` or `delete`.
    pub action: &'static str,
    /// The `changelog_message` that came with the request; empty without one.
    pub message: String,
}

impl Server {
    /// Starts a server on a free loopback port, in the current Tokio runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        Self::start_on(0, options).await
    }

    /// Starts a server on this loopback port; 0 for any free one.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start_on(port: u16, options: Options) -> Result<Self, StartError> {
        let failed = |source| StartError { port, source };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let (stop, stopping) = watch::channel(false);
        let state = Arc::new(State::new(options, stopping.clone()));
        let task = tokio::spawn(serve(listener, Arc::clone(&state), stopping));
        Ok(Self { port, state, stop, task })
    }

    /// Base URL without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The v2 token it accepts.
    #[must_use]
    pub fn token(&self) -> String {
        lock(&self.state.options).token.clone()
    }

    /// The v1 token it accepts.
    #[must_use]
    pub fn token_v1(&self) -> String {
        lock(&self.state.options).token_v1.clone()
    }

    /// Changes how it behaves from the next request on.
    pub fn configure(&self, change: impl FnOnce(&mut Options)) {
        change(&mut lock(&self.state.options));
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

    /// Adds a user and returns their token.
    pub fn add_user(&self, name: &str, grants: Vec<Grant>) -> String {
        let mut options = lock(&self.state.options);
        let number = options.users.len() + 10;
        let token = format!("nbt_sandbox{number:05}.0123456789abcdefghijklmnopqrstuvwxyzABCD");
        options.users.push(User { name: name.to_owned(), token: token.clone(), grants });
        token
    }

    /// Takes a user's token away. Whether they were there.
    pub fn remove_user(&self, name: &str) -> bool {
        let mut options = lock(&self.state.options);
        let before = options.users.len();
        options.users.retain(|user| user.name != name);
        options.users.len() < before
    }

    /// Adds a rule; of several that fit a request, the one added first strikes.
    pub fn fail(&self, rule: Rule) {
        lock(&self.state.rules).0.push(rule);
    }

    /// Drops all rules.
    pub fn heal(&self) {
        lock(&self.state.rules).0.clear();
    }

    /// Adds a RIR and returns its id; its slug is the name in lower case with dashes.
    pub fn add_rir(&self, name: &str) -> u64 {
        self.add(model::RIRS, json!({ "name": name, "slug": seed::slug(name) }))
    }

    /// Adds a VRF and returns its id.
    pub fn add_vrf(&self, name: &str) -> u64 {
        self.add(model::VRFS, json!({ "name": name }))
    }

    /// Adds an aggregate of a RIR and returns its id.
    pub fn add_aggregate(&self, prefix: IpNet, rir: u64) -> u64 {
        self.add(model::AGGREGATES, json!({ "prefix": prefix, "rir": rir }))
    }

    /// Adds a prefix to a VRF, or to the global table, and returns its id.
    pub fn add_prefix(&self, prefix: IpNet, vrf: Option<u64>) -> u64 {
        self.add(model::PREFIXES, json!({ "prefix": prefix, "vrf": vrf }))
    }

    fn add(&self, endpoint: &str, values: Value) -> u64 {
        seed::add(&mut lock(&self.state.store), endpoint, model::object(values)).unwrap_or_default()
    }

    /// Removes an aggregate as a person would; links to it become null. Whether it was there.
    pub fn remove_aggregate(&self, id: u64) -> bool {
        seed::remove(&mut lock(&self.state.store), model::AGGREGATES, id)
    }

    /// Removes a prefix as a person would; links to it become null. Whether it was there.
    pub fn remove_prefix(&self, id: u64) -> bool {
        seed::remove(&mut lock(&self.state.store), model::PREFIXES, id)
    }

    /// Adds a custom object, unchecked, and returns its id; `None` when there is no such type.
    /// Links are ids, selections bare values.
    pub fn add_row(&self, slug: &str, values: Map<String, Value>) -> Option<u64> {
        seed::add(&mut lock(&self.state.store), &seed::custom(slug), values)
    }

    /// Changes fields of a custom object as a person would, unchecked. Whether it was there.
    pub fn edit_row(&self, slug: &str, id: u64, values: Map<String, Value>) -> bool {
        seed::edit(&mut lock(&self.state.store), &seed::custom(slug), id, values)
    }

    /// Removes a custom object as a person would. Whether it was there.
    pub fn remove_row(&self, slug: &str, id: u64) -> bool {
        seed::remove(&mut lock(&self.state.store), &seed::custom(slug), id)
    }

    /// The custom objects of a type by id, as they are stored: `id`, `created`, `last_updated` and the fields, links as
    /// ids, selections as bare values. Empty when there is no such type.
    #[must_use]
    pub fn rows(&self, slug: &str) -> Vec<Map<String, Value>> {
        seed::rows(&lock(&self.state.store), &seed::custom(slug))
    }

    /// The change log, oldest first. What was seeded is not in it.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        lock(&self.state.store).entries().iter().map(|entry| entry.change.clone()).collect()
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
        async move { state.respond(request).await }
    };
    // Without this, small answers wait for the client's delayed acknowledgements. It may fail on a socket already gone.
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    axum::serve(listener, Router::new().fallback(answer))
        .with_graceful_shutdown(async move {
            let _ = stopping.wait_for(|stopping| *stopping).await;
        })
        .await
}
