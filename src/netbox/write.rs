//! Writing rows of custom object types in batches, where each row has an outcome of its own.
//!
//! Batches of up to `netbox.batch_size` rows go out, `netbox.writes_in_flight` of them at once, those of all writers counted.
//! `batch` drives one of them to its end, `judge` reads NetBox's answers. What can be assumed: a type written to has a unique field `key`, and a draft's
//! body holds it.

mod batch;
mod judge;

use std::{collections::BTreeMap, fmt, sync::Arc};

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use self::batch::{Action, Batch, Course, Entry, Settled};
use super::{Client, Error, Row};

/// What a request costs NetBox besides its rows is about what so many rows cost.
const FEW: usize = 10;

/// A row to create.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What identifies it, the value of its unique `key` field.
    pub key: String,
    /// All its fields, `key` among them.
    pub body: Row,
}

/// Fields to write to a row that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// The row.
    pub id: u64,
    /// Its key, for messages.
    pub key: String,
    /// The fields.
    pub body: Row,
}

/// A row that is there after a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: u64,
    /// Whether somebody else had created it before us, so that it was updated instead.
    pub adopted: bool,
}

/// Why a row was not written. A value, not the end of the run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// NetBox says what is wrong with it: `postal_code: This field is required.`
    #[error("{reason}")]
    Rejected {
        /// What is wrong, by field.
        reason: String,
    },
    /// NetBox failed over this row alone, and no other row has its key.
    #[error("NetBox failed over it")]
    Failed(#[source] Arc<Error>),
    /// No answer came however often it was tried, so it may or may not have been written.
    #[error("it is not known whether it was written")]
    Unknown(#[source] Arc<Error>),
    /// It was not sent, because an earlier row met a failure that every further one would meet too.
    #[error("it was not written")]
    GivenUp(#[source] Arc<Error>),
    /// It was not sent, because writing was asked to stop.
    #[error("it was not written, as the run was stopped")]
    NotSent,
}

/// Writes rows of one custom object type; made by [`Client::writer`].
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    client: &'a Client,
    slug: &'a str,
    message: &'a str,
    keep: &'a [&'a str],
    stop: Option<&'a CancellationToken>,
    progress: Option<&'a (dyn Fn(usize) + Sync)>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(client: &'a Client, slug: &'a str, message: &'a str) -> Self {
        Self { client, slug, message, keep: &[], stop: None, progress: None }
    }

    /// Never overwrites these fields of a row that turns out to exist: links, and fields that belong to the operator.
    #[must_use]
    pub fn keeping(self, keep: &'a [&'a str]) -> Self {
        Self { keep, ..self }
    }

    /// Sends nothing more once `stop` is cancelled; the batches under way end.
    #[must_use]
    pub fn until(self, stop: &'a CancellationToken) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Tells how many more rows are settled, whatever their outcome, each time some are.
    #[must_use]
    pub fn counting(self, progress: &'a (dyn Fn(usize) + Sync)) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Creates rows. The outcomes stand in the order of the drafts.
    pub async fn create(&self, drafts: Vec<Draft>) -> Vec<Result<Created, Refusal>> {
        let entry = |(place, Draft { key, body })| Entry { place, id: None, key, body, adopted: false };
        self.write(Action::Create, drafts.into_iter().enumerate().map(entry).collect()).await
    }

    /// Writes fields of rows that exist. The outcomes stand in the order of the patches.
    pub async fn update(&self, patches: Vec<Patch>) -> Vec<Result<(), Refusal>> {
        let entry = |(place, Patch { id, key, body })| Entry { place, id: Some(id), key, body, adopted: false };
        let entries = patches.into_iter().enumerate().map(entry).collect();
        self.write(Action::Update, entries).await.into_iter().map(|outcome| outcome.map(|_| ())).collect()
    }

    /// Deletes rows; one that is gone already counts as deleted. The outcomes stand in the order of the ids.
    pub async fn delete(&self, ids: &[u64]) -> Vec<Result<(), Refusal>> {
        let entry = |(place, id): (usize, &u64)| Entry {
            place,
            id: Some(*id),
            key: String::new(),
            body: Row::new(),
            adopted: false,
        };
        let entries = ids.iter().enumerate().map(entry).collect();
        self.write(Action::Delete, entries).await.into_iter().map(|outcome| outcome.map(|_| ())).collect()
    }

    /// Writes rows in batches, some at once, and puts the outcomes in the order of the entries.
    async fn write(&self, action: Action, entries: Vec<Entry>) -> Vec<Result<Created, Refusal>> {
        let count = entries.len();
        let rows = rows_a_batch(count, self.client.batch_size, self.client.writes_in_flight);
        let batches: Vec<Batch> = entries.chunks(rows).map(|chunk| Batch::new(action, chunk.to_vec())).collect();
        let course = Course::new(*self);
        let settled: Vec<Vec<Settled>> = stream::iter(batches)
            .map(|batch| course.settle(batch))
            .buffer_unordered(self.client.writes_in_flight)
            .collect()
            .await;
        let mut outcomes: BTreeMap<usize, Result<Created, Refusal>> = settled.into_iter().flatten().collect();
        (0..count).map(|place| outcomes.remove(&place).unwrap_or(Err(Refusal::NotSent))).collect()
    }
}

/// How many rows each batch has, so that those that are under way at once end together: a short last one would leave
/// NetBox's other workers idle. Fewer than a few rows are not worth a request of their own.
fn rows_a_batch(count: usize, most: usize, in_flight: usize) -> usize {
    let rounds = count.div_ceil(most * in_flight).max(1);
    count.div_ceil(rounds * in_flight).clamp(FEW.min(most), most)
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("slug", &self.slug).field("message", &self.message).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_that_go_out_together_are_even() {
        let batches = |count: usize| {
            let rows = rows_a_batch(count, 50, 2);
            (0..count).step_by(rows).map(|from| rows.min(count - from)).collect::<Vec<_>>()
        };
        assert_eq!(batches(0), [0_usize; 0]);
        assert_eq!(batches(6), [6]);
        assert_eq!(batches(15), [10, 5]);
        assert_eq!(batches(24), [12, 12]);
        assert_eq!(batches(100), [50, 50]);
        assert_eq!(batches(108), [27, 27, 27, 27]);
        assert_eq!(batches(306), [39, 39, 39, 39, 39, 39, 39, 33]);
        assert_eq!(rows_a_batch(3, 1, 1), 1);
    }
}
