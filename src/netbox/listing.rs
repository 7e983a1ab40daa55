//! The rows of a list in the form that the caller expects, and those that do not have it.

use tracing::warn;

use super::error::{Error, ErrorKind};
use crate::model::RowId;

/// The rows of a list. Whoever takes them says what those mean that cannot be read: [`Listing::all`] or
/// [`Listing::readable`].
#[derive(Debug)]
pub(super) struct Listing<T> {
    path: String,
    rows: Vec<T>,
    /// Number of rows that could be read, wanted or not.
    read: usize,
    unreadable: Vec<(RowId, serde_json::Error)>,
}

/// A row by its id, or why it cannot be read.
pub(super) type Item<T> = (RowId, Result<T, serde_json::Error>);

impl<T> Listing<T> {
    pub(super) fn empty(path: &str) -> Self {
        Self { path: path.to_owned(), rows: Vec::new(), read: 0, unreadable: Vec::new() }
    }

    pub(super) fn of(path: &str, entries: impl IntoIterator<Item = Item<T>>) -> Self {
        let mut unreadable = Vec::new();
        let readable = |(id, row): Item<T>| row.map_err(|error| unreadable.push((id, error))).ok();
        // There may be very many: collected from a vector, they stay in its memory.
        let rows: Vec<T> = entries.into_iter().filter_map(readable).collect();
        Self { read: rows.len(), rows, unreadable, path: path.to_owned() }
    }

    pub(super) fn only(mut self, wanted: impl Fn(&T) -> bool) -> Self {
        self.rows.retain(wanted);
        self
    }

    /// Adds the answer to another request for the same list.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        self.read += other.read;
        self.unreadable.extend(other.unreadable);
        self
    }

    /// Returns all rows, or an error that names one that cannot be read.
    pub(super) fn all(mut self) -> Result<Vec<T>, Error> {
        let others = self.unreadable.len().saturating_sub(1);
        let Some((id, reason)) = self.unreadable.into_iter().next() else {
            // Of lists that were put together as much room may be left as they take.
            self.rows.shrink_to_fit();
            return Ok(self.rows);
        };
        let first = if others == 0 { format!("row {id}") } else { format!("row {id} and {others} more") };
        let kind = ErrorKind::Malformed("a list of rows as expected", first, Some(reason));
        Err(Error::reading(self.path, kind))
    }

    /// Returns the rows that can be read, and warns of the others: one bad row of the operator's must not stop
    /// everything.
    ///
    /// # Errors
    /// When there are rows and none of them can be read, as in a NetBox that has renamed a field.
    pub(super) fn readable(self) -> Result<Vec<T>, Error> {
        let Some((id, reason)) = self.unreadable.first().filter(|_| self.read > 0) else { return self.all() };
        let (path, count) = (&self.path, self.unreadable.len());
        warn!(path, count, row = %id, %reason, "left out {count} rows of {path} that cannot be read");
        Ok(self.rows)
    }
}
