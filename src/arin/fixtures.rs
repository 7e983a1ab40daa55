//! Documents and settings for the tests of this room.

use std::{collections::BTreeMap, time::Duration};

use crate::config::{Arin, Listing, Proxy};

/// Settings that try three times, at once.
pub(super) fn settings() -> Arin {
    Arin {
        listing: Listing::Auto,
        whois_url: None,
        refresh: Duration::from_secs(7 * 24 * 3600),
        whois_requests_per_second: 0,
        allowed_base_urls: Vec::new(),
        auth: BTreeMap::new(),
        ca_file: None,
        proxy: Proxy::None,
        requests_per_second: 0,
        burst: 1,
        max_in_flight: 8,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        retry_count: 2,
        retry_backoff: Duration::from_millis(5),
        patience: Duration::from_secs(600),
        max_body_bytes: 100_000,
    }
}

/// Reads a file of `tests/fixtures/arin`.
pub(super) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/arin/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}
