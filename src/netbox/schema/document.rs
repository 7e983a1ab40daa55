//! The document that describes our types, choice sets and custom links.

/// Slug of the RIR configs.
pub const CONFIG: &str = "rir-config";
/// Slug of the organizations.
pub const ORGANIZATION: &str = "rir-organization";
/// Slug of the contacts.
pub const CONTACT: &str = "rir-contact";
/// Slug of the networks.
pub const NETWORK: &str = "rir-network";
/// Slug of the customers.
pub const CUSTOMER: &str = "rir-customer";
/// Slug of the addresses.
pub const ADDRESS: &str = "rir-address";
/// Slug of the sync log.
pub const SYNC_LOG: &str = "rir-sync-log";

/// All slugs.
pub const TYPES: [&str; 7] = [CONFIG, ADDRESS, ORGANIZATION, CONTACT, NETWORK, CUSTOMER, SYNC_LOG];

/// Types, choice sets and custom links as NetBox should have them.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {}

impl Document {
    /// The one this program needs.
    #[must_use]
    pub fn current() -> Self {
        Self {}
    }
}
