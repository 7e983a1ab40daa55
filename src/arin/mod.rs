//! The client of ARIN's Reg-RWS: five reads, answered in the words of [`crate::model`].
//!
//! A [`Pool`] holds what all configs share: the connections, and for each registry [`Instance`] its throttle. It hands out
//! a [`Client`] for each config, after checking the config's base URL against the allow list. A client's methods return
//! `Ok(Some(object))`, `Ok(None)` when ARIN said that there is no such object, or an [`Error`]; nothing else ever
//! becomes `None`.
//!
//! On the way in: `transport` sends the question and tries again what may pass, `throttle` holds it back, `answer` judges
//! status and body, `xml` reads the body into a tree of `element`s, `convert` makes the model value of it.
//!
//! The client assumes of an answer only what is documented: elements in any order and under any prefix, each of them
//! possibly missing or empty, with unknown ones between. It never writes to ARIN, never follows a redirect, and never
//! shows an API key.

mod answer;
mod convert;
mod element;
mod error;
mod pool;
#[cfg(test)]
mod tests;
mod text;
mod throttle;
mod transport;
mod xml;

use std::{fmt, sync::Arc};

pub use convert::Unfit;
pub use error::{Decode, Error, Fault, Operation};
pub use pool::Pool;
pub use throttle::SharedLimit;
pub use xml::Malformed;

use crate::model::{Customer, CustomerHandle, Instance, Net, NetBlock, NetHandle, Org, OrgHandle, Poc, PocHandle};
use transport::Transport;

/// Asks one registry instance with one API key. Cheap to clone; clones count their requests together.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
}

impl Client {
    /// The registry instance that is asked.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        self.transport.instance()
    }

    /// Requests sent so far, retries included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.transport.requests()
    }

    /// Returns the organization, or `None` when ARIN has none of that handle.
    ///
    /// # Errors
    /// When ARIN could not be asked, refused, or answered something that is no organization.
    pub async fn org(&self, handle: &OrgHandle) -> Result<Option<Org>, Error> {
        self.transport.fetch(&Operation::Org(handle.clone()), convert::org).await
    }

    /// Returns the point of contact, or `None` when ARIN has none of that handle.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn poc(&self, handle: &PocHandle) -> Result<Option<Poc>, Error> {
        self.transport.fetch(&Operation::Poc(handle.clone()), convert::poc).await
    }

    /// Returns the customer, or `None` when ARIN has none of that handle.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn customer(&self, handle: &CustomerHandle) -> Result<Option<Customer>, Error> {
        self.transport.fetch(&Operation::Customer(handle.clone()), convert::customer).await
    }

    /// Returns the net, or `None` when ARIN has none of that handle.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn net(&self, handle: &NetHandle) -> Result<Option<Net>, Error> {
        self.transport.fetch(&Operation::Net(handle.clone()), convert::net).await
    }

    /// Returns the most specific net for the range. `None` says that the range has no registration of its own; the net
    /// that covers it may come back as well, so compare its range with the one asked for.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn most_specific_net(&self, range: NetBlock) -> Result<Option<Net>, Error> {
        self.transport.fetch(&Operation::MostSpecificNet(range), convert::net).await
    }

    /// Asks the cheapest question that needs a valid key.
    ///
    /// # Errors
    /// As [`Client::org`]; [`Error::Unauthorized`] when ARIN does not take the key.
    pub async fn try_key(&self, handle: &OrgHandle) -> Result<Option<Org>, Error> {
        self.org(handle).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("instance", self.instance()).finish_non_exhaustive()
    }
}
