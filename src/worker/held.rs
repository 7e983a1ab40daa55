//! The jobs that a worker has not let go of.
//!
//! A worker holds a job from the moment in which it hears that the job is its own, until the queue has heard how the job
//! ended and the job has really stopped. A job that was lost is told to stop, and stops when it next waits for something;
//! until then the worker must not begin it a second time. What the queue has given the worker, and the worker does not
//! hold, was lost on its way: the worker gets it with its next claim.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;

use crate::queue::JobId;

/// The jobs of one worker.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<Mutex<BTreeSet<JobId>>>);

/// A job that is held until this is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    held: Held,
    job: JobId,
}

impl Held {
    pub(super) fn hold(&self, job: JobId) -> Hold {
        self.0.lock().insert(job.clone());
        Hold { held: self.clone(), job }
    }

    pub(super) fn jobs(&self) -> Vec<JobId> {
        self.0.lock().iter().cloned().collect()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.held.0.lock().remove(&self.job);
    }
}
