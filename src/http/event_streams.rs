//! The limits on event streams: how many there may be, how long each may go on, and how often it has to ask whether its
//! caller may still see what it tells.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::problem::{Kind, Problem};
use crate::deadline::later;

/// Limits how many streams one user may have.
const MOST_EACH: usize = 10;
/// The share of all connections that streams may take: one of so many.
const SHARE_OF_CONNECTIONS: usize = 5;
/// Limits how long a stream may go on. Clients then come back by themselves.
const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// The least time between two questions about a caller.
const SHORTEST_RECHECK: Duration = Duration::from_secs(1);
/// The time after which a client may try again.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The streams that there are.
#[derive(Debug)]
pub(super) struct EventStreams {
    most: usize,
    by_user: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// The place of one stream, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct StreamPlace {
    user: String,
    by_user: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl EventStreams {
    /// Lets streams take a part of so many connections.
    pub(super) fn new(connections: usize) -> Self {
        Self { most: (connections / SHARE_OF_CONNECTIONS).max(1), by_user: Arc::default() }
    }

    /// Takes a place for a stream of this user.
    ///
    /// # Errors
    /// When the user, or all users together, have too many already.
    pub(super) fn open(&self, user: &str) -> Result<StreamPlace, Problem> {
        let mut by_user = self.by_user.lock();
        if by_user.get(user).is_some_and(|count| *count >= MOST_EACH) {
            let detail = format!("{user} has {MOST_EACH} event streams already; close one");
            return Err(Problem::new(Kind::TooManyEventStreams, detail).after(RETRY_AFTER));
        }
        if by_user.values().sum::<usize>() >= self.most {
            let limit = format!("{} event streams are open, a fifth of http.max_connections", self.most);
            return Err(Problem::busy(&limit).after(RETRY_AFTER));
        }
        *by_user.entry(user.to_owned()).or_default() += 1;
        Ok(StreamPlace { user: user.to_owned(), by_user: Arc::clone(&self.by_user) })
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut by_user = self.by_user.lock();
        if let Some(count) = by_user.get_mut(&self.user) {
            *count -= 1;
        }
        by_user.retain(|_, count| *count > 0);
    }
}

/// The next thing that a stream has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Look at the job.
    Look,
    /// Ask whether the caller may still look.
    Recheck,
    /// End.
    End,
}

/// The time of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamTime {
    interval: Duration,
    recheck: Instant,
    end: Instant,
}

impl StreamTime {
    /// Begins now, for a caller who was just checked and whose check is good for `interval`.
    pub(super) fn begin(interval: Duration, now: Instant) -> Self {
        let interval = interval.clamp(SHORTEST_RECHECK, LONGEST_LIFE);
        Self { interval, recheck: later(now, interval), end: later(now, LONGEST_LIFE) }
    }

    /// Returns what is due.
    pub(super) fn due(&self, now: Instant) -> Due {
        if now >= self.end {
            return Due::End;
        }
        if now >= self.recheck { Due::Recheck } else { Due::Look }
    }

    /// The caller was checked again.
    pub(super) fn checked(&mut self, now: Instant) {
        self.recheck = later(now, self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_few_streams_and_all_have_not_many() {
        let streams = EventStreams::new(75);
        let mut open: Vec<StreamPlace> = (0..MOST_EACH).map(|_| streams.open("ann").unwrap()).collect();
        assert_eq!(streams.open("ann").unwrap_err().kind(), Kind::TooManyEventStreams);
        open.extend((0..5).map(|_| streams.open("bob").unwrap()));
        assert_eq!(streams.open("bob").unwrap_err().kind(), Kind::Busy);
        open.remove(0);
        drop(streams.open("bob").unwrap());
        streams.open("ann").unwrap();
        drop(open);
        assert_eq!(streams.by_user.lock().len(), 0);
    }

    #[test]
    fn a_stream_asks_again_and_ends() {
        let (begun, minute) = (Instant::now(), Duration::from_secs(60));
        let mut time = StreamTime::begin(minute, begun);
        assert_eq!(
            [0, 59, 60].map(|second| time.due(begun + Duration::from_secs(second))),
            [Due::Look, Due::Look, Due::Recheck]
        );
        time.checked(begun + minute);
        assert_eq!(time.due(begun + minute), Due::Look);
        assert_eq!(time.due(begun + 2 * minute), Due::Recheck);
        assert_eq!(time.due(begun + LONGEST_LIFE), Due::End);
    }

    #[test]
    fn a_check_that_is_good_for_no_time_is_not_repeated_at_once() {
        let begun = Instant::now();
        let time = StreamTime::begin(Duration::ZERO, begun);
        assert_eq!(time.due(begun), Due::Look);
    }
}
