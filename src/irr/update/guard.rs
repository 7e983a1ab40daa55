//! The shrink guard: a dump that suddenly has few objects, or none, is a fault of the upstream until a person says that it
//! is not. An IRRd empties the source then.
//!
//! So is an answer without any object about space of which some are held: a registry that has lost its database answers so.
//! One that has never had any is believed.

use jiff::Timestamp;

use crate::{
    config::{IrrSource, SourceKind},
    irr::store::{RefusedShrink, SourceState},
};

/// A dump or an answer with too few objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shrink {
    /// Where its objects were to come from.
    pub kind: SourceKind,
    /// The objects that it has.
    pub objects: u64,
    /// The objects that are held.
    pub held: u64,
}

/// Returns how much a dump has shrunk, if that is more than it may and nobody has accepted it. One that a person accepted may
/// have fewer objects by as much again as any other.
///
/// `held` are the objects in the place of which they would come.
pub(super) fn shrink(source: &IrrSource, state: &SourceState, held: u64, objects: u64) -> Option<Shrink> {
    let before = match &state.notes.refused {
        Some(refused) if state.shrink_is_accepted() => refused.objects,
        Some(_) | None => held,
    };
    let is_accepted_as_empty = state.shrink_is_accepted() && before == 0;
    let may_be_empty = is_accepted_as_empty || (source.kind == SourceKind::Query && held == 0);
    let is_empty = objects == 0 && !may_be_empty;
    let least = least(before, source.max_shrink());
    (is_empty || objects < least).then_some(Shrink { kind: source.kind, objects, held })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count of objects, which is far below 2^52 and not negative"
)]
fn least(before: u64, max_shrink: f64) -> u64 {
    (before as f64 * (1.0 - max_shrink)).ceil() as u64
}

impl Shrink {
    /// Returns what is noted of it. The time is that at which it was refused first, as long as it is the same.
    pub(super) fn refused(self, before: Option<&RefusedShrink>, now: Timestamp) -> RefusedShrink {
        match before {
            Some(before) if before.objects == self.objects => before.clone(),
            Some(_) | None => RefusedShrink { objects: self.objects, at: now },
        }
    }
}
