//! Writing rows of custom object types in batches, where each row has an outcome of its own.
//!
//! Batches of up to `netbox.batch_size` rows go out, `netbox.writes_in_flight` of them at once, those of all writers
//! counted. `batch` drives one of them to its end, `judge` reads NetBox's answers. It assumes that the type has a
//! unique field `key`, and that a draft's body holds it.

mod batch;
mod judge;
mod writer;

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

pub use self::writer::{Created, Draft, NotTaken, Patch, Refusal, Writer};
use self::{
    batch::{Batch, Delivery},
    writer::{Action, RowToWrite, Settled},
};
use super::row::Row;
use crate::model::RowId;

/// Fewest rows of a batch: besides its rows a request costs NetBox about as much as so many rows.
const MIN_ROWS: usize = 10;

impl Writer<'_> {
    /// Creates rows. The outcomes stand in the order of the drafts, of which each is taken when its batch is sent.
    pub async fn create<I>(&self, drafts: I) -> Vec<Result<Created, Refusal>>
    where
        I: IntoIterator<Item = Draft, IntoIter: ExactSizeIterator + Send>,
    {
        self.write(Action::Create, drafts.into_iter().map(|Draft { key, body }| (None, key, body))).await
    }

    /// Writes fields of rows that exist. The outcomes stand in the order of the patches, of which each is taken when its
    /// batch is sent.
    pub async fn update<I>(&self, patches: I) -> Vec<Result<(), Refusal>>
    where
        I: IntoIterator<Item = Patch, IntoIter: ExactSizeIterator + Send>,
    {
        let rows = patches.into_iter().map(|Patch { id, key, body }| (Some(id), key, body));
        self.write(Action::Update, rows).await.into_iter().map(|outcome| outcome.map(|_| ())).collect()
    }

    /// Deletes rows; one that is gone already counts as deleted. The outcomes stand in the order of the ids.
    pub async fn delete(&self, ids: &[RowId]) -> Vec<Result<(), Refusal>> {
        let rows = ids.iter().map(|id| (Some(*id), String::new(), Row::new()));
        self.write(Action::Delete, rows).await.into_iter().map(|outcome| outcome.map(|_| ())).collect()
    }

    /// Writes rows in batches, some at once, and puts the outcomes in the order of the rows.
    async fn write(
        &self,
        action: Action,
        rows: impl ExactSizeIterator<Item = (Option<RowId>, String, Row)> + Send,
    ) -> Vec<Result<Created, Refusal>> {
        let count = rows.len();
        let size = rows_a_batch(count, self.client.batch_size, self.client.writes_in_flight);
        let delivery = Delivery::new(*self);
        let settled: Vec<Vec<Settled>> = stream::iter(in_batches(rows, size))
            .map(|entries| delivery.settle(Batch::new(action, entries)))
            .buffer_unordered(self.client.writes_in_flight)
            .collect()
            .await;
        let mut outcomes: BTreeMap<usize, Result<Created, Refusal>> = settled.into_iter().flatten().collect();
        (0..count).map(|place| outcomes.remove(&place).unwrap_or(Err(Refusal::NotSent))).collect()
    }
}

/// Puts rows into batches of one size. Each row is taken when its batch is: there may be very many, and as JSON each takes
/// some kilobytes.
fn in_batches(
    rows: impl Iterator<Item = (Option<RowId>, String, Row)>,
    size: usize,
) -> impl Iterator<Item = Vec<RowToWrite>> {
    let entry = |(place, (id, key, body))| RowToWrite { place, id, key, body, adopted: false };
    let mut entries = rows.enumerate().map(entry);
    std::iter::from_fn(move || Some(entries.by_ref().take(size).collect::<Vec<_>>()).filter(|some| !some.is_empty()))
}

/// Returns how many rows each batch has, so that those that are under way at once end together: a short last one would
/// leave NetBox's other workers idle.
fn rows_a_batch(count: usize, most: usize, in_flight: usize) -> usize {
    let rounds = count.div_ceil(most * in_flight).max(1);
    count.div_ceil(rounds * in_flight).clamp(MIN_ROWS.min(most), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_taken_when_its_batch_is() {
        let taken = std::cell::Cell::new(0);
        let row = |number: usize| {
            taken.set(number);
            (None, number.to_string(), Row::new())
        };
        let mut batches = in_batches((1..=5).map(row), 2);
        let mut next = || batches.next().map(|some| some.iter().map(|row| (row.place, row.key.clone())).collect());
        let batch = |rows: &[(usize, &str)]| -> Option<Vec<(usize, String)>> {
            Some(rows.iter().map(|(place, key)| (*place, (*key).to_owned())).collect())
        };
        assert_eq!((next(), taken.get()), (batch(&[(0, "1"), (1, "2")]), 2));
        assert_eq!((next(), taken.get()), (batch(&[(2, "3"), (3, "4")]), 4));
        assert_eq!((next(), next()), (batch(&[(4, "5")]), None));
    }

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
