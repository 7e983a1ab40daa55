//! What is known of a source beside its objects: pure.

use std::fmt;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::irr::{nrtm4::Standing, rejects::Rejects, source::Serial};

/// One object in so many may have changed since the snapshot before there has to be a new one: whoever reads the objects
/// holds the changes in memory.
const CHANGED_AT_MOST_ONE_IN: u64 = 20;
/// The oldest a snapshot may become while there are changes: as old as NRTMv4 lets a snapshot become.
const OLDEST_SNAPSHOT: SignedDuration = SignedDuration::from_hours(24);

/// What is known of a source beside its objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceState {
    /// What is held of its objects; `None` before the first import, and if Redis has lost it.
    pub holding: Option<Holding>,
    /// What the runs that update it have noted.
    pub notes: Notes,
    /// How many times a reload was asked for. [`Notes::reloads_done`] follows, so none is lost that is asked for during a
    /// run.
    pub reloads_asked: u64,
    /// The shrink that a person accepted last.
    pub accepted: Option<RefusedShrink>,
}

/// What is held of the objects of a source. The store alone makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Which of all the snapshots it is; each has a greater number than the one before.
    pub generation: u64,
    /// The number of blocks of the snapshot.
    pub blocks: u64,
    /// The number of objects in the snapshot.
    pub objects: u64,
    /// The bytes of their texts, with an empty line behind each.
    pub bytes: u64,
    /// The bytes that the snapshot takes.
    pub stored: u64,
    /// When the snapshot was made.
    pub made: Timestamp,
    /// The serial of the last change that is in the snapshot; `None` if the source tells no serials.
    pub snapshot_serial: Option<Serial>,
    /// The newest serial: changes up to it count, and there are no further ones.
    pub serial: Option<Serial>,
    /// The number of changes between the two.
    pub tail: u64,
}

/// What the runs that update a source note. Each replaces what the one before noted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// When the upstream was last asked successfully.
    pub checked: Option<Timestamp>,
    /// When objects last changed.
    pub changed: Option<Timestamp>,
    /// What tells the dump that was imported from others: the ETag, the Last-Modified or a hash, as the caller likes.
    pub imported: Option<String>,
    /// The ranges that its objects are about, if the registry was asked about ranges; in the order in which it was.
    pub asked: Vec<IpNet>,
    /// When its validator made the list that is held, if it is one of VRPs and says so.
    pub generated: Option<Timestamp>,
    /// Where it stands, if it is followed over NRTMv4.
    pub v4: Option<Standing>,
    /// What keeps the source from being updated.
    pub trouble: Option<Trouble>,
    /// The dump that was refused because it has too few objects.
    pub refused: Option<RefusedShrink>,
    /// How many of the reloads that were asked for are done.
    pub reloads_done: u64,
    /// The objects that were left out.
    pub rejected: Rejects,
}

/// What keeps a source from being updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// It, in a sentence.
    pub message: String,
    /// When it, or another trouble without a success in between, was first met.
    pub since: Timestamp,
    /// How many times in a row.
    pub times: u32,
    /// In how many of these times the upstream answered with something that cannot be used.
    #[serde(default)]
    pub unusable: u32,
}

/// Whether an upstream answered with something that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// No: it did not answer, or nothing is the matter with its answer.
    Not,
    /// Yes; the next answer may be better.
    Now,
    /// Yes, and so will be all others.
    ForEver,
}

/// So many answers that cannot be used, and a dump is taken instead. An IRRd stays behind for ever then.
const RELOAD_AFTER: u32 = 5;

/// A dump that was refused because it has too few objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedShrink {
    /// The objects that it has.
    pub objects: u64,
    /// When it was refused first.
    pub at: Timestamp,
}

/// What a write stands on: it is done only while the source is still as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Basis(Option<(u64, Option<Serial>)>);

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// It is done.
    Done,
    /// Nothing is done: the source is not what the write stands on any more.
    Stale,
}

impl SourceState {
    /// Returns what a write stands on that follows from this state.
    #[must_use]
    pub fn basis(&self) -> Basis {
        Basis(self.holding.as_ref().map(|holding| (holding.generation, holding.serial)))
    }

    /// Returns whether a reload was asked for that is not done.
    #[must_use]
    pub fn wants_reload(&self) -> bool {
        self.reloads_asked > self.notes.reloads_done
    }

    /// Returns whether a person accepted the shrink that was refused.
    #[must_use]
    pub fn shrink_is_accepted(&self) -> bool {
        self.notes.refused.is_some() && self.notes.refused == self.accepted
    }
}

impl Notes {
    /// Notes a run that failed.
    pub fn fail(&mut self, message: String, unusable: Unusable, now: Timestamp) {
        let before = self.trouble.take();
        let since = before.as_ref().map_or(now, |trouble| trouble.since);
        let (times, met) = before.map_or((0, 0), |trouble| (trouble.times, trouble.unusable));
        let more = match unusable {
            Unusable::Not => 0,
            Unusable::Now => 1,
            Unusable::ForEver => RELOAD_AFTER,
        };
        self.trouble =
            Some(Trouble { message, since, times: times.saturating_add(1), unusable: met.saturating_add(more) });
    }
}

impl Trouble {
    /// Returns whether a dump is to be taken, as what comes otherwise has been of no use for too long.
    #[must_use]
    pub fn calls_for_reload(&self) -> bool {
        self.unusable >= RELOAD_AFTER
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some((generation, None)) => write!(f, "{generation}:"),
            Some((generation, Some(serial))) => write!(f, "{generation}:{serial}"),
        }
    }
}

/// Returns whether it is time for a new snapshot.
#[must_use]
pub fn needs_compaction(holding: &Holding, now: Timestamp) -> bool {
    let is_long = holding.tail > holding.objects.checked_div(CHANGED_AT_MOST_ONE_IN).unwrap_or(0);
    let is_old = now.duration_since(holding.made) >= OLDEST_SNAPSHOT;
    holding.tail > 0 && (is_long || is_old)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn holding(objects: u64, tail: u64) -> Holding {
        Holding {
            generation: 1,
            blocks: 1,
            objects,
            bytes: 0,
            stored: 0,
            made: at(0),
            snapshot_serial: Some(Serial(10)),
            serial: Some(Serial(99)),
            tail,
        }
    }

    #[test]
    fn a_snapshot_is_made_anew_when_much_has_changed() {
        let needs = |objects, tail| needs_compaction(&holding(objects, tail), at(1));
        assert!(!needs(1000, 50));
        assert!(needs(1000, 51));
        assert!(needs(0, 1), "all is new in an empty source");
    }

    #[test]
    fn a_snapshot_is_made_anew_after_a_day_with_changes() {
        let needs = |tail, hour| needs_compaction(&holding(1000, tail), at(hour));
        assert!(!needs(1, 23));
        assert!(needs(1, 24));
        assert!(!needs(0, 1000), "nothing has changed");
        assert!(!needs(1, -1000), "a clock that went back");
    }

    #[test]
    fn trouble_counts_from_the_first_of_a_row() {
        let mut notes = Notes::default();
        notes.fail("no answer".to_owned(), Unusable::Not, at(1));
        notes.fail("denied".to_owned(), Unusable::Now, at(2));
        assert_eq!(notes.trouble, Some(Trouble { message: "denied".to_owned(), since: at(1), times: 2, unusable: 1 }));
    }

    #[test]
    fn only_the_shrink_that_was_refused_is_accepted() {
        let refused = |objects| Some(RefusedShrink { objects, at: at(1) });
        let state = |refused, accepted| SourceState {
            notes: Notes { refused, ..Notes::default() },
            accepted,
            ..SourceState::default()
        };
        assert!(state(refused(5), refused(5)).shrink_is_accepted());
        assert!(!state(refused(4), refused(5)).shrink_is_accepted());
        assert!(!state(refused(5), None).shrink_is_accepted());
        assert!(!state(None, None).shrink_is_accepted());
    }

    #[test]
    fn each_basis_has_a_text_of_its_own() {
        let bases = [None, Some((1, None)), Some((1, Some(Serial(0)))), Some((1, Some(Serial(u64::MAX))))];
        let texts = bases.map(|basis| Basis(basis).to_string());
        assert_eq!(texts, ["", "1:", "1:0", "1:18446744073709551615"]);
    }
}
