//! Reading the rows of a list by their ids, where only some of them matter.

use std::collections::BTreeSet;

use super::{client::Client, error::Error, ipam::IDS_IN_A_QUERY, list::Reader, listing::Listing};
use crate::model::RowId;

/// More ids than fit into so many queries are not asked for by themselves: the whole list is read.
const MOST_QUERIES: usize = 3;

impl Client {
    /// Reads the rows with these ids, in the form of `T`, whose id `id` tells.
    pub(super) async fn list_by_id<T: Send>(
        &self,
        (path, fields): (&str, &str),
        ids: &BTreeSet<RowId>,
        form: Reader<'_, T>,
        id: fn(&T) -> RowId,
    ) -> Result<Listing<T>, Error> {
        let wanted = |row: &T| ids.contains(&id(row));
        if ids.len() > IDS_IN_A_QUERY * MOST_QUERIES {
            return Ok(self.list_as(path, &[("fields", fields)], form).await?.only(wanted));
        }
        let all: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut found = Listing::empty(path);
        for some in all.chunks(IDS_IN_A_QUERY) {
            let mut query = vec![("fields", fields)];
            query.extend(some.iter().map(|id| ("id", id.as_str())));
            found = found.and(self.list_as(path, &query, form).await?.only(wanted));
        }
        Ok(found)
    }
}
