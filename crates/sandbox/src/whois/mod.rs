//! A simulated Whois-RWS: ARIN's public listing of what is registered inside a range.
//!
//! | call, behind `/whois/rest` | answers with |
//! |---|---|
//! | `GET /cidr/{address}/{length}/more` | the nets inside the range, of all depths |
//! | `GET /cidr/{address}/{length}` | the nets with this range, or else the wider net of which it is one block |
//! | `GET /cidr/{address}/{length}/less` | the nets around the range |
//! | `GET /net/{handle}` | the net |
//! | `GET /net/{handle}/children` | the nets that were cut from it |
//! | `GET /org/{handle}/nets` | the nets that the organization holds |
//!
//! It lists the registry of a [`crate::regrws::Server`] at the same port, needs no key, and notes of each request
//! ([`Request`]) whether one came along. Lists hold references, or whole nets if `showDetails=true` is in the query.
//! A request passes [`Options::limit`], then [`Options::latency`], then the faults ([`Rule`], [`Fault`]).
//!
//! ARIN's listing lags ten minutes behind its registry: `Listing::refresh` makes this one lag.

use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

#[cfg(test)]
mod contract;
mod fault;
mod options;
mod payload;
mod reply;
mod requests;
mod search;
mod service;
#[cfg(test)]
mod tests;

use crate::{
    served::Served,
    server::{Shared, lock},
};
pub use fault::Fault;
pub use options::{Blocks, Namespace, Options};
pub use requests::{Operation, Request, Requests};
pub(crate) use service::Whois;

/// The path of the base URL.
pub(crate) const PATH: &str = "/whois/rest";

/// When a fault strikes: always, unless there are conditions.
pub type Rule = crate::server::Rule<Whois>;

/// A running simulated listing.
pub type Listing = Shared<Whois>;

/// Makes the listing of this registry; it ends with the server of which this is the end.
pub(crate) fn listing(served: &Arc<Mutex<Served>>, stopping: CancellationToken) -> Listing {
    let whois = Whois::new(lock(served).clone());
    Shared::new(whois, Arc::clone(served), Options::default(), stopping)
}

impl Listing {
    /// Lists the registry as it is at this moment, until the next call, whatever happens to it meanwhile.
    pub fn refresh(&self) {
        let now = lock(&self.backing).clone();
        lock(&self.system).kept = Some(now);
    }

    /// Lists the registry as it is when a question comes, as it does in the beginning.
    pub fn follow(&self) {
        lock(&self.system).kept = None;
    }

    /// Returns how many requests were answered by 429 because of [`Options::limit`].
    #[must_use]
    pub fn throttled(&self) -> usize {
        lock(&self.system).throttled()
    }
}
