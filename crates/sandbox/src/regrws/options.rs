//! The behaviour of the simulated Reg-RWS.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

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
    /// The organizations over which a key has authority; one that is not named here has authority over all.
    pub authority: BTreeMap<String, BTreeSet<String>>,
    /// The user whose key it is; one that is not named here has a user of its own.
    pub users: BTreeMap<String, String>,
    /// The requests that are taken; each one beyond is answered by 429.
    pub limit: Option<Limit>,
    /// The wait before each answer.
    pub latency: Duration,
    /// Faults that come by chance.
    pub noise: Option<Noise>,
    /// Faults that come to writes by chance; those of `noise` do, if there are none.
    pub write_noise: Option<Noise>,
    /// The moment of what is written.
    pub clock: Clock,
    /// The time for which reads do not see what was written.
    pub lag: Duration,
    /// The status of a write that was done or became a ticket.
    pub success: u16,
    /// When reports are made, and nets removed that have nets below them.
    pub jobs: Jobs,
    /// The requests that need the header `Content-Type`.
    pub content_type: ContentType,
    /// A reassignment may bring its customer along.
    pub embedded_customer: bool,
    /// All of a net may be reassigned or reallocated at once.
    pub whole_parent: bool,
    /// Characters that the name of a net has at most.
    pub net_name_limit: usize,
    /// A change of a net without the element `comment` leaves the comment as it is, and does not clear it.
    pub absent_comment_stays: bool,
    /// What is told of private customers.
    pub private_customers: Shown,
    /// What is told of organizations over which a key has no authority.
    pub foreign_orgs: Shown,
}

/// A key that a server with default [`Options`] lets in.
pub const KEY: &str = "API-SAND-BOX0-0000-0001";

impl Default for Options {
    fn default() -> Self {
        Self {
            style: Style::Plain,
            lookup: Lookup::Covering,
            keys: BTreeSet::from([KEY.to_owned()]),
            authority: BTreeMap::new(),
            users: BTreeMap::new(),
            limit: None,
            latency: Duration::ZERO,
            noise: None,
            write_noise: None,
            clock: Clock::Wall,
            lag: Duration::ZERO,
            success: 200,
            jobs: Jobs::AtOnce,
            content_type: ContentType::WithBody,
            embedded_customer: true,
            whole_parent: true,
            net_name_limit: 50,
            absent_comment_stays: false,
            private_customers: Shown::All,
            foreign_orgs: Shown::All,
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

/// The clock by which writes are dated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// That of this machine.
    Wall,
    /// [`crate::world::Registry::now`].
    Registry,
}

/// When a job is done for which there is a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    /// Right after the answer, by which the ticket is closed.
    AtOnce,
    /// When its ticket is accepted.
    WhenAccepted,
}

/// The requests that need the header `Content-Type`; a request that lacks it is answered by 415.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// All `PUT` and `POST`.
    WithBody,
    /// All.
    Always,
}

/// How much is told of something that not everybody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Everything.
    All,
    /// Of a private customer the name and the street of "Private Customer"; of an organization nothing, and the answer
    /// is 401.
    Little,
}

/// Faults that come by chance. Chance depends on the seed, the path, the body and how often both were asked, and not on
/// the order in which concurrent requests arrive, so that a run can be repeated.
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

    /// Everything that can go wrong with a write, each as often: answers lost, late, cut off or replaced before and
    /// after it was done, refusals of what should pass when tried again, and tickets.
    #[must_use]
    pub fn of_writes(rate: f64, seed: u64) -> Self {
        let faults = vec![
            Fault::LostBefore,
            Fault::LostAfter,
            Fault::FailedAfter,
            Fault::Refusal(429, "E_TOO_MANY_REQUESTS"),
            Fault::Outage,
            Fault::CutOff,
            Fault::Html200,
            Fault::Slow(Duration::from_secs(2)),
            Fault::Ticket,
        ];
        Self { rate, seed, faults }
    }

    /// Returns the fault that befalls a request that came `before` others that are the same.
    pub(super) fn fault(&self, asked: &str, before: u32) -> Option<Fault> {
        let seed = fnv(asked.as_bytes()) ^ self.seed.rotate_left(17) ^ u64::from(before).rotate_left(41);
        let mut rng = fastrand::Rng::with_seed(seed);
        if rng.f64() >= self.rate {
            return None;
        }
        rng.choice(&self.faults).cloned()
    }
}
