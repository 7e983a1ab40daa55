//! Reading whole lists, and single objects.
//!
//! A list is read page by page at the size the server really gives, several pages at once, ordered by id. Each page
//! begins with the last row of the page before: when the two differ, rows were deleted meanwhile and others have
//! slipped between two pages, and the list is read once more from one id to the next, which cannot lose any. `next`
//! links are not followed: they carry the host name NetBox believes it has.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    client::Client,
    error::{Error, ErrorKind},
    listing::Listing,
    row::{Row, id_of},
};
use crate::model::RowId;

/// Pages under way at once. NetBox has few worker processes, and others want them too.
const PAGES_IN_FLIGHT: usize = 4;

#[derive(Deserialize)]
struct Page {
    count: usize,
    results: Vec<Row>,
}

impl Client {
    /// Reads all rows of a list in the order of their ids, each once. With `fields` in the query it has to name `id`;
    /// the query must not hold `limit`, `offset` or `ordering`.
    ///
    /// # Errors
    /// When a page cannot be read, or a row has no id.
    pub async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Row>, Error> {
        let first = self.page(path, query, &[("offset", "0")]).await?;
        self.completed(path, query, first).await
    }

    /// Reads the rows of a list that are `wanted`, in the form of `T`. A filter that NetBox does not know is ignored,
    /// and everything comes back: so `wanted` has to say again what `query` asks for.
    pub(super) async fn list_where<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Listing<T>, Error> {
        Ok(Listing::of(path, &self.list(path, query).await?).only(wanted))
    }

    /// Reads all rows of a list like [`Client::list`]; `None` when it has more than `most` pages, which takes one to
    /// know.
    pub(super) async fn short_list(
        &self,
        path: &str,
        query: &[(&str, &str)],
        most: usize,
    ) -> Result<Option<Vec<Row>>, Error> {
        let first = self.page(path, query, &[("offset", "0")]).await?;
        if first.count > first.results.len() * most {
            return Ok(None);
        }
        self.completed(path, query, first).await.map(Some)
    }

    /// Reads the rest of a list, of which `first` is the first page.
    async fn completed(&self, path: &str, query: &[(&str, &str)], first: Page) -> Result<Vec<Row>, Error> {
        if first.results.len() >= first.count {
            return in_order(path, first.results);
        }
        if let Some(rows) = self.pages(path, query, first).await? {
            return in_order(path, rows);
        }
        tracing::debug!(path, "rows were deleted while the list was read; reading it by id");
        self.by_id(path, query).await
    }

    /// Reads the other pages by their place; `None` when rows have slipped between two pages.
    async fn pages(&self, path: &str, query: &[(&str, &str)], first: Page) -> Result<Option<Vec<Row>>, Error> {
        let size = first.results.len();
        if size < 2 {
            return Ok(None);
        }
        let offsets: Vec<String> = (size - 1..first.count - 1).step_by(size - 1).map(|at| at.to_string()).collect();
        let rest: Vec<Page> = stream::iter(offsets)
            .map(|offset| async move { self.page(path, query, &[("offset", &offset)]).await })
            .buffered(PAGES_IN_FLIGHT)
            .try_collect()
            .await?;
        Ok(joined(first.results, rest.into_iter().map(|page| page.results), first.count))
    }

    /// Reads each page from where the last one ended. No row that stays can be missed.
    async fn by_id(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Row>, Error> {
        let mut rows: Vec<Row> = Vec::new();
        let mut last = RowId(0);
        loop {
            let page = self.page(path, query, &[("id__gt", &last.to_string())]).await?.results;
            if page.iter().any(|row| id_of(row).is_none_or(|id| id <= last)) {
                return Err(Error::reading(path, ErrorKind::FilterIgnored));
            }
            match page.last().and_then(id_of) {
                Some(id) => last = id,
                None => return in_order(path, rows),
            }
            rows.extend(page);
        }
    }

    /// Reads the page at a place.
    async fn page(&self, path: &str, query: &[(&str, &str)], place: &[(&str, &str)]) -> Result<Page, Error> {
        let paging = [("limit", &*self.page_size.to_string()), ("ordering", "id")];
        self.one_page(path, &[query, &paging, place].concat()).await
    }

    async fn one_page(&self, path: &str, query: &[(&str, &str)]) -> Result<Page, Error> {
        self.transport.read(path, query).await?.found()?.decode("a page of a list")
    }

    /// Reads the newest rows of a list, at most `limit` and a page of them.
    pub(super) async fn newest(&self, path: &str, query: &[(&str, &str)], limit: usize) -> Result<Vec<Row>, Error> {
        let paging = [("limit", &*limit.to_string()), ("ordering", "-id")];
        Ok(self.one_page(path, &[query, &paging].concat()).await?.results)
    }

    /// Reads the first page of a list, and whether that is all there is.
    pub(super) async fn some(&self, path: &str, query: &[(&str, &str)]) -> Result<(Vec<Row>, bool), Error> {
        let page = self.page(path, query, &[]).await?;
        let complete = page.results.len() >= page.count;
        Ok((page.results, complete))
    }

    /// Reads one object; `None` when there is none (404).
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self, path: &str) -> Result<Option<Row>, Error> {
        let reply = self.transport.read(path, &[]).await?;
        if reply.status == StatusCode::NOT_FOUND { Ok(None) } else { reply.decode("an object").map(Some) }
    }
}

/// Puts rows in the order of their ids, each once.
fn in_order(path: &str, rows: Vec<Row>) -> Result<Vec<Row>, Error> {
    let by_id: Option<BTreeMap<_, _>> = rows.into_iter().map(|row| Some((id_of(&row)?, row))).collect();
    by_id.map(|rows| rows.into_values().collect()).ok_or_else(|| {
        let kind = ErrorKind::Malformed("rows with ids", String::new(), None);
        Error::reading(path, kind)
    })
}

/// Puts pages together, each of which begins with the last row of the one before; `None` when one does not, or rows are
/// missing at the end.
fn joined(first: Vec<Row>, rest: impl Iterator<Item = Vec<Row>>, count: usize) -> Option<Vec<Row>> {
    let mut rows = first;
    for page in rest {
        if page.first().and_then(id_of).is_none_or(|id| rows.last().and_then(id_of) != Some(id)) {
            return None;
        }
        rows.pop();
        rows.extend(page);
    }
    (rows.len() >= count).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[u64]) -> Vec<Row> {
        ids.iter().map(|id| Row::from_iter([("id".to_owned(), (*id).into())])).collect()
    }

    fn ids(rows: Option<Vec<Row>>) -> Option<Vec<u64>> {
        rows.map(|rows| rows.iter().filter_map(id_of).map(|id| id.0).collect())
    }

    #[test]
    fn pages_that_overlap_by_a_row_make_a_list() {
        let rows = joined(page(&[1, 2, 5]), [page(&[5, 6, 9]), page(&[9, 10])].into_iter(), 6);
        assert_eq!(ids(rows), Some(vec![1, 2, 5, 6, 9, 10]));
    }

    #[test]
    fn a_row_that_slipped_between_two_pages_is_noticed() {
        // 2 was deleted after the first page, so 6 moved to where 5 had been.
        assert_eq!(ids(joined(page(&[1, 2, 5]), [page(&[6, 9, 10])].into_iter(), 6)), None);
    }

    #[test]
    fn a_list_that_ends_too_early_is_noticed() {
        assert_eq!(ids(joined(page(&[1, 2, 5]), [page(&[5])].into_iter(), 6)), None);
    }
}
