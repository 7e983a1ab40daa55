//! The behaviour of the simulated Reg-RWS.

use std::{collections::BTreeSet, time::Duration};

use super::{fault::Fault, fnv::fnv};
use crate::limit::Limit;

/// Behaviour of a server. All of it can be changed while it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The documented forms that its payloads take.
    pub style: Style,
    /// The net that a range look-up finds.
    pub lookup: Lookup,
    /// Keys that are let in.
    pub keys: BTreeSet<String>,
    /// The requests that are taken; each one beyond is answered by 429.
    pub limit: Option<Limit>,
    /// The wait before each answer.
    pub latency: Duration,
    /// Faults that come by chance.
    pub noise: Option<Noise>,
}

/// A key that a server with default [`Options`] lets in.
pub const KEY: &str = "API-SAND-BOX0-0000-0001";

impl Default for Options {
    fn default() -> Self {
        Self {
            style: Style::Plain,
            lookup: Lookup::Covering,
            keys: BTreeSet::from([KEY.to_owned()]),
            limit: None,
            latency: Duration::ZERO,
            noise: None,
        }
    }
}

/// The documented forms that payloads take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One form: default namespace, zero-padded IPv4, ISO dates, whole country codes, street lines counted from 1.
    Plain,
    /// All forms that ARIN's pages and clients tell of, mixed. Which ones an object shows depends on its handle alone,
    /// so the same object always looks the same.
    Odd,
}

/// The net that `mostSpecificNet` finds; the two readings of ARIN's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// The most specific net that covers the range asked.
    Covering,
    /// Only a net whose registered range is the range asked.
    Exact,
}

/// Faults that come by chance. Chance depends on the seed, the path and how often it was asked, and not on the order in
/// which concurrent requests arrive, so that a run can be repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// Share of requests that fail, 0 to 1.
    pub rate: f64,
    /// Start of the random sequence.
    pub seed: u64,
    /// The faults, of which one is picked at a time.
    pub faults: Vec<Fault>,
}

impl Noise {
    /// Failures that pass when tried again: 502, 503, outages and cut-off answers.
    #[must_use]
    pub fn transient(rate: f64, seed: u64) -> Self {
        let faults = vec![Fault::Status(503), Fault::Status(502), Fault::Outage, Fault::CutOff];
        Self { rate, seed, faults }
    }

    /// Returns the fault that befalls the request for `path` that came `before` others for it.
    pub(super) fn fault(&self, path: &str, before: u32) -> Option<Fault> {
        let seed = fnv(path.as_bytes()) ^ self.seed.rotate_left(17) ^ u64::from(before).rotate_left(41);
        let mut rng = fastrand::Rng::with_seed(seed);
        if rng.f64() >= self.rate {
            return None;
        }
        rng.choice(&self.faults).cloned()
    }
}
