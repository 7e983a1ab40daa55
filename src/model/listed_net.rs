//! A net as the registry's public listing tells of it.

use jiff::{Timestamp, civil::Date};

use super::{Holder, NetBlock, NetHandle};

/// A net in ARIN's public listing (`net` payload of Whois-RWS).
///
/// The listing may only spare questions. What it tells is ten minutes old, and never says that something is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct ListedNet {
    pub handle: NetHandle,
    pub name: String,
    /// The blocks that make up its range, in address order; never empty.
    pub blocks: Vec<NetBlock>,
    /// The net it was cut from.
    pub parent: Option<NetHandle>,
    pub holder: Option<Holder>,
    pub registration_date: Option<Date>,
    /// The time at which it was last changed; `None` when the listing did not say.
    pub updated: Option<Updated>,
}

/// The time at which a net was last changed (`updateDate`, which Reg-RWS does not have).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Updated {
    /// The time.
    pub at: Timestamp,
    /// Only the day is known: the time is midnight where the listing is written, as in old records.
    pub to_the_day: bool,
}

impl ListedNet {
    /// Returns the whole range, first to last address over all blocks; `None` only if the blocks mix address families.
    #[must_use]
    pub fn range(&self) -> Option<NetBlock> {
        NetBlock::spanning(&self.blocks)
    }
}
