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
    queue::{Claim, JobId, Work},
    sync::{HandedOn, Rows},
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
    /// Gives the rows to a job if they are still true. Whatever else is known of its config is not, from now on.
    pub(super) fn recall(&self, claim: &Claim, rows: &HandedOn) {
        let Some((config, run)) = run_of(claim) else { return };
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&config);
        if let Some(known) = known.filter(|known| known.run == *run && known.turn + 1 == claim.turn) {
            rows.put(known.rows);
        }
    }

    /// Keeps the rows that a job leaves behind, if there may be another one of its run.
    pub(super) fn keep(&self, claim: &Claim, rows: &HandedOn) {
        if matches!(claim.job.work, Work::RecordRun { .. }) {
            return;
        }
        let (Some((config, run)), Some(rows)) = (run_of(claim), rows.take()) else { return };
        let known = Known { run: run.clone(), turn: claim.turn, rows };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(config, known);
    }
}

/// The config of a job and the run that it is a part of, or begins.
fn run_of(claim: &Claim) -> Option<(RowId, &JobId)> {
    let work = &claim.job.work;
    let begins = work.begins_run().then_some(&claim.id);
    Some((work.config()?, claim.job.run.as_ref().or(begins)?))
}
