//! The time by NetBox's own clock, as its answers tell it.
//!
//! What NetBox has dated is compared with this, and not with the clock of the machine here, which may be wrong.

use std::{sync::Arc, time::Instant};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Clocks that differ by more are worth a warning.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(30);

/// What the last answer said, and when it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock(Arc<Mutex<Option<(Timestamp, Instant)>>>);

impl Clock {
    /// Takes the time that an answer tells.
    pub(super) fn hear(&self, time: Option<Timestamp>) {
        if let Some(time) = time {
            *self.0.lock() = Some((time, Instant::now()));
        }
    }

    /// Returns what NetBox's clock shows now, give or take a second; `None` before an answer told the time.
    pub(super) fn now(&self) -> Option<Timestamp> {
        let (time, heard) = (*self.0.lock())?;
        time.checked_add(heard.elapsed()).ok()
    }
}
