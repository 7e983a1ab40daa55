//! The limit on guesses of tokens from one client address: tokens that NetBox refused. A good token is none.
//!
//! Addresses share a fixed number of buckets, over which a hash spreads them that differs with each process. So memory
//! stays bounded however many addresses there are, and nobody can choose whom to share a bucket with.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    time::{Duration, Instant},
};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, request::Parts},
};
use governor::{DefaultKeyedRateLimiter, Quota, clock::Clock};
use parking_lot::Mutex;

use crate::config;

/// The number of buckets.
const BUCKETS: u64 = 1 << 16;

/// Counts the guesses of each client address.
#[derive(Debug)]
pub(crate) struct TokenGuessLimit {
    limiter: DefaultKeyedRateLimiter<u64>,
    /// The buckets that guessed too often, and until when they count as such.
    used_up: Mutex<HashMap<u64, Instant>>,
    hasher: RandomState,
    /// The header in which a reverse proxy writes the client's address.
    header: Option<String>,
}

impl TokenGuessLimit {
    /// Makes the limit that the settings name.
    #[must_use]
    pub(crate) fn new(settings: &config::Http) -> Self {
        let tokens = NonZeroU32::new(settings.unknown_tokens_per_minute).unwrap_or(NonZeroU32::MIN);
        let header = settings.client_address_header.trim();
        Self {
            limiter: DefaultKeyedRateLimiter::keyed(Quota::per_minute(tokens)),
            used_up: Mutex::default(),
            hasher: RandomState::new(),
            header: (!header.is_empty()).then(|| header.to_ascii_lowercase()),
        }
    }

    /// Returns whether the client has guessed too often.
    pub(crate) fn is_used_up(&self, parts: &Parts) -> bool {
        let until = self.used_up.lock().get(&self.bucket(parts)).copied();
        until.is_some_and(|until| until > Instant::now())
    }

    /// Counts a token that NetBox refused.
    ///
    /// # Errors
    /// Returns the time to wait when there were too many from this client.
    pub(crate) fn count(&self, parts: &Parts) -> Result<(), Duration> {
        let bucket = self.bucket(parts);
        let now = self.limiter.clock().now();
        let wait = match self.limiter.check_key(&bucket) {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal.wait_time_from(now),
        };
        let (mut used_up, now) = (self.used_up.lock(), Instant::now());
        used_up.retain(|_, until| *until > now);
        used_up.insert(bucket, now.checked_add(wait).unwrap_or(now));
        Err(wait)
    }

    fn bucket(&self, parts: &Parts) -> u64 {
        self.hasher.hash_one(customer(self.address(parts))) % BUCKETS
    }

    /// Returns the client's address: the reverse proxy's word where there is a proxy, else that of the connection.
    fn address(&self, parts: &Parts) -> IpAddr {
        let forwarded = self.header.as_ref().and_then(|name| last_address(&parts.headers, name));
        let connected = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        forwarded.or_else(connected).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

/// Returns the last address in a header. The proxy in front of us wrote that one; those before it anybody may have
/// written.
fn last_address(headers: &HeaderMap, name: &str) -> Option<IpAddr> {
    let text = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let last = text.rsplit(',').next()?.trim();
    let with_port = || last.parse::<SocketAddr>().ok().map(|address| address.ip());
    last.parse().ok().or_else(with_port)
}

/// Returns the address that stands for all addresses of one customer. In IPv6 a customer has a /64 at least, and so as
/// many addresses as they like.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        IpAddr::V4(v4) => IpAddr::V4(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_last_address_counts() {
        let address = |values: &[&str]| last_address(&headers(values), "x-forwarded-for").map(|ip| ip.to_string());
        assert_eq!(address(&["192.0.2.1, 192.0.2.2"]).as_deref(), Some("192.0.2.2"));
        assert_eq!(address(&["192.0.2.1", "[2001:db8::1]:443"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(address(&["192.0.2.1, unknown"]), None);
        assert_eq!(address(&[]), None);
    }

    #[test]
    fn the_addresses_of_one_customer_are_one() {
        let of = |text: &str| customer(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
