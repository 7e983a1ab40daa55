//! What a run begins with: pure.

use crate::{
    config::IrrSource,
    irr::store::{Holding, SourceState, Trouble},
};

/// What a run begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beginning {
    /// Take a dump, whatever is held.
    Import,
    /// Take the dump if it is another one than the last.
    ImportIfNewer,
    /// Ask for the changes since what is held.
    Follow(Holding),
}

/// Decides what a run begins with, by what is held.
#[must_use]
pub fn decide(source: &IrrSource, state: &SourceState) -> Beginning {
    let calls_for_reload = state.notes.trouble.as_ref().is_some_and(Trouble::calls_for_reload);
    if state.wants_reload() || state.shrink_is_accepted() || calls_for_reload {
        return Beginning::Import;
    }
    match &state.holding {
        None => Beginning::Import,
        Some(holding) if source.nrtm.is_some() && holding.serial.is_some() => Beginning::Follow(holding.clone()),
        // Without a serial there is nothing to go on from.
        Some(_) if source.nrtm.is_some() => Beginning::Import,
        Some(_) => Beginning::ImportIfNewer,
    }
}
