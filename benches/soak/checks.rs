//! What has to hold in the end, decided by what was found.

use std::{collections::BTreeSet, time::Duration};

/// What the replicas together may send to ARIN: requests a second, and at once after a quiet time.
pub(crate) const RATE: usize = 20;
pub(crate) const BURST: usize = 20;
/// The time over which requests to ARIN are counted, in seconds.
pub(crate) const WINDOW: usize = 10;
/// Requests to ARIN that a window may have besides what the rate allows: those that were counted late.
const LATE: usize = RATE / 2;
/// The memory that a replica may have more at the end than after its first third.
const GROWTH: f64 = 1.2;
/// Memory that was looked at less often than this says nothing.
const FEWEST_LOOKS: usize = 60;
/// Less than this many says nothing of anything else.
const FEW: usize = 10;

/// What was found in the end.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The jobs of everything that was answered with a success, and those of them that did not end well.
    pub(crate) promised: usize,
    pub(crate) unfinished: usize,
    /// The jobs that are neither over nor dead, and those that are dead.
    pub(crate) left: usize,
    pub(crate) dead: usize,
    /// The changes that a preview finds.
    pub(crate) left_to_do: usize,
    /// The keys of all rows that have one, type by type.
    pub(crate) keys: Vec<Vec<String>>,
    /// All attempts at jobs, and those that began while another one in the same place was under way.
    pub(crate) attempts: usize,
    pub(crate) at_once: usize,
    /// All requests to ARIN, and the most in a [`WINDOW`].
    pub(crate) requests: (usize, usize),
    /// The memory of a replica, in MB, again and again.
    pub(crate) memory: Vec<f64>,
    /// The time until everything had come to an end; `None` if it did not.
    pub(crate) waited: Option<Duration>,
    /// Replicas that did not end well.
    pub(crate) status: usize,
}

/// Something that there must be none of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) what: &'static str,
    pub(crate) found: usize,
    /// Whether enough happened to tell.
    is_known: bool,
}

impl Check {
    pub(crate) fn verdict(&self) -> &'static str {
        match (self.found, self.is_known) {
            (0, true) => "holds",
            (0, false) => "was not tried enough",
            (_, _) => "**does not hold**",
        }
    }

    pub(crate) fn holds(&self) -> bool {
        self.found == 0 && self.is_known
    }
}

/// Decides what holds.
pub(crate) fn checks(found: &Found) -> [Check; 9] {
    let check = |what, found, is_known| Check { what, found, is_known };
    let (requests, most) = found.requests;
    let (early, late) = memory(&found.memory);
    let growth = (late - GROWTH * early).max(0.0).ceil() as usize;
    let rows: usize = found.keys.iter().map(Vec::len).sum();
    let doubled = found.keys.iter().map(|keys| doubled(keys)).sum();
    [
        check("promised jobs that did not end well", found.unfinished, found.promised > FEW),
        check("jobs left in the queue", found.left, found.waited.is_some()),
        check("dead letters", found.dead, found.promised > FEW),
        check("changes that a preview still finds", found.left_to_do, rows > FEW),
        check("rows with the key of another one", doubled, rows > FEW),
        check("attempts at once in one place", found.at_once, found.attempts > FEW),
        check("requests to ARIN beyond the rate", most.saturating_sub(RATE * WINDOW + BURST + LATE), requests > FEW),
        check("MB of memory beyond a fifth more", growth, found.memory.len() >= FEWEST_LOOKS),
        check("replicas that did not end when asked to", found.status, true),
    ]
}

/// Returns the medians of the memory in the second and in the last third.
pub(crate) fn memory(seen: &[f64]) -> (f64, f64) {
    let third = seen.len() / 3;
    let median = |part: &[f64]| {
        let mut part = part.to_vec();
        part.sort_by(f64::total_cmp);
        part.get(part.len() / 2).copied().unwrap_or_default()
    };
    (median(&seen[third..2 * third]), median(&seen[2 * third..]))
}

/// Counts the rows of one type whose key another one has.
fn doubled(keys: &[String]) -> usize {
    keys.len() - keys.iter().collect::<BTreeSet<_>>().len()
}
