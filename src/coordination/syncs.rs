//! What replicas tell each other of the syncs of a config.
//!
//! NetBox has the result of a config's last sync, too. It may refuse to take it, and then nothing there says that the
//! config was synced at all.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is known of the syncs of a config besides what NetBox has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Syncs {
    /// The last sync of all of it that ended.
    pub run: Option<LastRun>,
    /// The last time that the schedule queued it.
    pub asked: Option<Asked>,
}

/// The last sync of all of a config that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The time at which it began.
    pub started: Timestamp,
    /// The time at which it ended.
    pub ended: Timestamp,
    /// Its result.
    pub result: String,
}

/// The last time that the schedule queued a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The time.
    pub at: Timestamp,
    /// How many times it has been queued since a sync of it last ended.
    pub times: u32,
}
