//! What NetBox has recorded, from one part of a run to the next.
//!
//! A run of forty parts would read all recorded rows forty times. A worker that does two parts of a run one right after the
//! other, with nobody at the config between them, knows them already: the number of the claim tells.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    model::RowId,
    queue::{Claim, JobId},
    sync::Rows,
};

/// The rows as the last part left them, by config.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<BTreeMap<RowId, Known>>);

#[derive(Debug)]
struct Known {
    run: JobId,
    turn: u64,
    rows: Rows,
}

impl Memory {
    /// Gives the rows to a job if they are still true. Whatever is known of its config is not kept any longer.
    pub(super) fn recall(&self, claim: &Claim) -> Option<Rows> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&claim.job.work.config()?)?;
        (known.run == *run(claim) && known.turn + 1 == claim.turn).then_some(known.rows)
    }

    /// Keeps the rows that a part leaves behind for the next one of its run.
    pub(super) fn keep(&self, claim: &Claim, rows: Option<Rows>) {
        if let (Some(config), Some(rows)) = (claim.job.work.config(), rows) {
            let known = Known { run: run(claim).clone(), turn: claim.turn, rows };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(config, known);
        }
    }
}

/// The run that a job is a part of, or begins.
fn run(claim: &Claim) -> &JobId {
    claim.job.run.as_ref().unwrap_or(&claim.id)
}
