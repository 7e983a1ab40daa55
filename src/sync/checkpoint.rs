//! The checkpoint of a run: what it has finished, so that whoever takes it over goes on from there.
//!
//! A run appends a [`Note`] each time it has written everything about some aggregates. Another worker that takes the run
//! over reads the notes, asks nothing that they cover, and reports the run as one. What was done after the last note is done
//! again, which changes nothing.

use std::ops::ControlFlow;

use super::{note::Note, result::SyncRun};

/// Keeps the notes of a run. It is made with those of the workers that had the run before.
pub trait Checkpoint: Sync {
    /// Returns the notes of those that had the run before, the oldest first.
    fn notes(&self) -> &[Note];

    /// Appends a note. Returns `Break` when the run has to end here, because others are to go first or it has become
    /// somebody else's.
    fn append(&self, note: &Note) -> impl Future<Output = ControlFlow<()>> + Send;

    /// Returns whether the run, which ends like this for now, will be taken up again, so that it is not reported yet.
    fn goes_on(&self, run: &SyncRun) -> bool;
}

/// For a run that nobody takes over, as on the command line.
#[derive(Debug, Clone, Copy)]
pub struct NoCheckpoint;

impl Checkpoint for NoCheckpoint {
    fn notes(&self) -> &[Note] {
        &[]
    }

    async fn append(&self, _: &Note) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn goes_on(&self, _: &SyncRun) -> bool {
        false
    }
}
