//! The checkpoint of a run, which the queue keeps beside its job.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
};

use tracing::{debug, warn};

use super::task::Task;
use crate::{
    error_chain::error_chain,
    queue::{self, Noted, Signal},
    sync::{Checkpoint, SyncRun, Verdict, note::Note},
};

/// The checkpoint of a job's run.
pub(super) struct JobCheckpoint<'a> {
    task: &'a Task,
    notes: Vec<Note>,
    /// The queue took a note of this attempt.
    noted: AtomicBool,
    /// The run has made room for other jobs.
    yielded: AtomicBool,
}

impl<'a> JobCheckpoint<'a> {
    /// Reads the notes of the workers that had the job before.
    ///
    /// # Errors
    /// When the queue cannot be asked.
    pub(super) async fn open(task: &'a Task) -> Result<Self, queue::Error> {
        let written = task.queue.notes(&task.claim.id).await?;
        let notes = written.into_iter().map(serde_json::from_value).collect::<Result<Vec<Note>, _>>();
        let notes = notes.unwrap_or_else(|error| {
            warn!(error = %error_chain(&error), "the checkpoint cannot be read; the run begins anew");
            Vec::new()
        });
        Ok(Self { task, notes, noted: AtomicBool::new(false), yielded: AtomicBool::new(false) })
    }

    /// Returns the number of this attempt. Attempts count from the last note on.
    pub(super) fn attempt(&self) -> u32 {
        if self.noted.load(Ordering::Relaxed) { 1 } else { self.task.claim.attempt }
    }

    /// Returns whether the run has made room for other jobs and is to go on after them.
    pub(super) fn yielded(&self) -> bool {
        self.yielded.load(Ordering::Relaxed)
    }

    /// Decides whether the run goes on after a note that the queue has taken. `may_yield` is false where the run would
    /// have to ask everything again after it has made room.
    fn after(&self, Noted { signal, others_wait }: Noted, may_yield: bool) -> ControlFlow<()> {
        match signal {
            Signal::Lost => ControlFlow::Break(()),
            Signal::Cancelled => {
                self.task.cancelled.cancel();
                ControlFlow::Break(())
            }
            // While this worker has a free slot, it takes the others as well.
            Signal::Yours if may_yield && others_wait && self.task.slots.available_permits() == 0 => {
                self.yielded.store(true, Ordering::Relaxed);
                ControlFlow::Break(())
            }
            Signal::Yours => ControlFlow::Continue(()),
        }
    }
}

impl Checkpoint for JobCheckpoint<'_> {
    fn notes(&self) -> &[Note] {
        &self.notes
    }

    async fn append(&self, note: &Note) -> ControlFlow<()> {
        let Task { queue, claim, worker, .. } = self.task;
        let may_yield = !note.plan_approved;
        let note = match serde_json::to_value(note) {
            Ok(note) => note,
            Err(error) => {
                warn!(error = %error_chain(&error), "could not write a note down");
                return ControlFlow::Continue(());
            }
        };
        match queue.note(claim, worker, &note).await {
            Ok(noted) => {
                self.noted.store(true, Ordering::Relaxed);
                self.after(noted, may_yield)
            }
            // Whoever takes the run over does this part of it again, which changes nothing.
            Err(error) => {
                debug!(error = %error_chain(&error), "the queue did not take a note");
                ControlFlow::Continue(())
            }
        }
    }

    fn goes_on(&self, run: &SyncRun) -> bool {
        match run.verdict() {
            Verdict::Interrupted => !self.task.cancelled.is_cancelled(),
            Verdict::Unchanged | Verdict::Changed | Verdict::Partial | Verdict::Refused | Verdict::Failed => {
                run.may_pass().is_some() && !self.task.is_last(self.attempt())
            }
        }
    }
}
