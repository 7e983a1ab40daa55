//! The rows of a list in the form that the caller expects, and those that do not have it.

use reqwest::Method;
use serde::de::{DeserializeOwned, Error as _};
use tracing::warn;

use super::{
    error::{Error, Operation},
    row::{Row, id_of},
};
use crate::model::RowId;

/// The rows of a list, read. The caller has to say what those mean that could not be: [`Listing::all`] or
/// [`Listing::readable`].
#[derive(Debug)]
pub(super) struct Listing<T> {
    path: String,
    rows: Vec<T>,
    /// Number of rows that were read, wanted or not.
    read: usize,
    /// The first row that could not be read, and why.
    first_unreadable: Option<(RowId, serde_json::Error)>,
    unreadable: usize,
}

impl<T: DeserializeOwned> Listing<T> {
    pub(super) fn of(path: &str, rows: &[Row]) -> Self {
        Self::read(path, rows, |row| serde_path_to_error::deserialize(row).map_err(serde_json::Error::custom))
    }
}

impl<T> Listing<T> {
    pub(super) fn empty(path: &str) -> Self {
        Self { path: path.to_owned(), rows: Vec::new(), read: 0, first_unreadable: None, unreadable: 0 }
    }

    pub(super) fn read(path: &str, rows: &[Row], read: impl Fn(&Row) -> Result<T, serde_json::Error>) -> Self {
        let mut listing = Self::empty(path);
        for row in rows {
            match read(row) {
                Ok(row) => listing.rows.push(row),
                Err(error) => {
                    listing.unreadable += 1;
                    listing.first_unreadable.get_or_insert_with(|| (id_of(row).unwrap_or(RowId(0)), error));
                }
            }
        }
        Self { read: listing.rows.len(), ..listing }
    }

    pub(super) fn only(mut self, wanted: impl Fn(&T) -> bool) -> Self {
        self.rows.retain(wanted);
        self
    }

    /// Adds what another request for the same list brought.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        self.read += other.read;
        self.unreadable += other.unreadable;
        self.first_unreadable = self.first_unreadable.or(other.first_unreadable);
        self
    }

    /// Returns the rows, for a list of which none may be missing.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub(super) fn all(self) -> Result<Vec<T>, Error> {
        match self.first_unreadable {
            None => Ok(self.rows),
            Some((id, reason)) => Err(Error::Malformed {
                operation: Operation::new(Method::GET, self.path),
                wanted: "a list of rows as expected",
                excerpt: match self.unreadable {
                    1 => format!("row {id}"),
                    more => format!("row {id} and {} more", more - 1),
                },
                source: Some(reason),
            }),
        }
    }

    /// Returns the rows that can be read, and warns of the others: one bad row of the operator's must not stop everything.
    ///
    /// # Errors
    /// When there are rows and none of them can be read, as with a NetBox that has renamed a field.
    pub(super) fn readable(self) -> Result<Vec<T>, Error> {
        if let Some((id, reason)) = self.first_unreadable.as_ref().filter(|_| self.read > 0) {
            let (path, count) = (&self.path, self.unreadable);
            warn!(path, count, first.id = %id, first.reason = %reason, "left out {count} rows of {path} that cannot be read");
            return Ok(self.rows);
        }
        self.all()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Named {
        name: String,
    }

    fn listing(rows: &[Value]) -> Listing<Named> {
        let rows: Vec<Row> = rows.iter().map(|row| row.as_object().unwrap().clone()).collect();
        Listing::of("/api/x/", &rows)
    }

    fn error(error: &Error) -> String {
        crate::error_chain::error_chain(error)
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named_with_its_path_its_id_and_its_field() {
        let rows = [json!({"id": 7, "name": "a"}), json!({"id": 8, "name": 5}), json!({"id": 9})];
        insta::assert_snapshot!(error(&listing(&rows).all().unwrap_err()), @"NetBox's answer to GET /api/x/ is not a list of rows as expected: row 8 and 1 more: name: invalid type: integer `5`, expected a string");
        insta::assert_snapshot!(error(&listing(&rows[2..]).all().unwrap_err()), @"NetBox's answer to GET /api/x/ is not a list of rows as expected: row 9: missing field `name`");
    }

    #[test]
    fn a_list_is_read_without_its_bad_rows_only_while_there_are_good_ones() {
        let (good, bad) = ([json!({"id": 7, "name": "a"})], [json!({"id": 8})]);
        let both = || listing(&bad).and(listing(&good));
        assert_eq!(both().readable().unwrap().len(), 1);
        assert_eq!(both().only(|named| named.name == "b").readable().unwrap(), []);
        assert!(both().all().is_err());
        assert!(listing(&bad).readable().is_err());
        assert_eq!(listing(&[]).readable().unwrap(), []);
    }
}
