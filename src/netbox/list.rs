//! Reading whole lists, and single objects.
//!
//! A list is read page by page at the size the server really gives, several pages at once, ordered by id. Each page
//! begins with the last row of the page before: when the two differ, rows were deleted meanwhile and others have
//! slipped between two pages, and the list is read once more from one id to the next, which cannot lose any. `next`
//! links are not followed: they carry the host name NetBox believes it has.

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    client::Client,
    error::{Error, ErrorKind},
    listing::{Item, Listing},
    row::{Row, id_of, typed},
};
use crate::model::RowId;

/// Pages under way at once. NetBox has few worker processes, and others want them too.
const PAGES_IN_FLIGHT: usize = 4;

/// The rows that room is made for beforehand, at the most.
const MOST_RESERVED: usize = 1 << 20;

/// A page as NetBox sends it.
#[derive(Deserialize)]
pub(super) struct RawPage {
    /// The number of rows that the query finds, on this page or not.
    pub(super) count: usize,
    pub(super) results: Vec<Row>,
}

/// A page whose rows have their form, so that nobody holds a long list of rows as they were sent.
struct Page<T> {
    /// Rows in the whole list.
    count: usize,
    rows: Vec<Item<T>>,
}

/// The rows of the pages that were put together so far.
struct Joined<T> {
    rows: Vec<Item<T>>,
    /// Rows in the whole list.
    count: usize,
}

/// Reads a row in the form of `T`.
pub(super) type Reader<'a, T> = &'a (dyn Fn(Row) -> Result<T, serde_json::Error> + Sync);

/// A list to be read.
struct List<'a, T> {
    client: &'a Client,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    form: Reader<'a, T>,
}

impl Client {
    /// Reads all rows of a list in the order of their ids, each once. With `fields` in the query it has to name `id`;
    /// the query must not hold `limit`, `offset` or `ordering`.
    ///
    /// # Errors
    /// When a page cannot be read, or a row has no id.
    pub async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Row>, Error> {
        self.list_as(path, query, &Ok).await?.all()
    }

    /// Reads all rows of a list like [`Client::list`], in the form of `T`, page by page.
    pub(super) async fn list_as<T: Send>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        form: Reader<'_, T>,
    ) -> Result<Listing<T>, Error> {
        let list = List { client: self, path, query, form };
        let first = list.page(&[("offset", "0")]).await?;
        list.completed(first).await
    }

    /// Reads the rows of a list that are `wanted`, in the form of `T`. A filter that NetBox does not know is ignored,
    /// and everything comes back: so `wanted` has to say again what `query` asks for.
    pub(super) async fn list_where<T: DeserializeOwned + Send>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Listing<T>, Error> {
        Ok(self.list_as(path, query, &|row| typed(&row)).await?.only(wanted))
    }

    /// Reads all rows of a list like [`Client::list_as`]; `None` when it has more than `most` pages, which takes one to
    /// know.
    pub(super) async fn short_list<T: Send>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        most: usize,
        form: Reader<'_, T>,
    ) -> Result<Option<Listing<T>>, Error> {
        let list = List { client: self, path, query, form };
        let first = list.page(&[("offset", "0")]).await?;
        if first.count > first.rows.len() * most {
            return Ok(None);
        }
        list.completed(first).await.map(Some)
    }

    /// Reads the page at a place, as it is sent.
    async fn page(&self, path: &str, query: &[(&str, &str)], place: &[(&str, &str)]) -> Result<RawPage, Error> {
        let paging = [("limit", &*self.page_size.to_string()), ("ordering", "id")];
        self.one_page(path, &[query, &paging, place].concat()).await
    }

    async fn one_page(&self, path: &str, query: &[(&str, &str)]) -> Result<RawPage, Error> {
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

impl<T: Send> List<'_, T> {
    /// Reads the rest of the list, of which `first` is the first page.
    async fn completed(&self, first: Page<T>) -> Result<Listing<T>, Error> {
        if first.rows.len() >= first.count {
            return Ok(self.in_order(first.rows));
        }
        if let Some(rows) = self.pages(first).await? {
            return Ok(self.in_order(rows));
        }
        tracing::debug!(path = self.path, "rows were deleted while the list was read; reading it by id");
        self.by_id().await
    }

    /// Reads the other pages by their place; `None` when rows have slipped between two pages.
    async fn pages(&self, first: Page<T>) -> Result<Option<Vec<Item<T>>>, Error> {
        let (size, count) = (first.rows.len(), first.count);
        if size < 2 {
            return Ok(None);
        }
        // The count is NetBox's word. A page that is empty ends the list before that.
        let mut rest = stream::iter((size - 1..count - 1).step_by(size - 1))
            .map(|offset| async move { self.page(&[("offset", &offset.to_string())]).await })
            .buffered(PAGES_IN_FLIGHT);
        let mut joined = Joined { rows: first.rows, count };
        joined.rows.reserve_exact((count - size).min(MOST_RESERVED));
        while let Some(page) = rest.try_next().await? {
            if !joined.add(page.rows) {
                return Ok(None);
            }
        }
        Ok(joined.all())
    }

    /// Reads each page from where the last one ended. No row that stays can be missed.
    async fn by_id(&self) -> Result<Listing<T>, Error> {
        let mut rows: Vec<Item<T>> = Vec::new();
        let mut last = RowId(0);
        loop {
            let page = self.page(&[("id__gt", &last.to_string())]).await?.rows;
            if page.iter().any(|(id, _)| *id <= last) {
                return Err(Error::reading(self.path, ErrorKind::FilterIgnored));
            }
            match page.last() {
                Some((id, _)) => last = *id,
                None => return Ok(self.in_order(rows)),
            }
            rows.extend(page);
        }
    }

    /// Puts rows in the order of their ids, each once.
    fn in_order(&self, mut rows: Vec<Item<T>>) -> Listing<T> {
        rows.sort_by_key(|(id, _)| *id);
        rows.dedup_by_key(|(id, _)| *id);
        Listing::of(self.path, rows)
    }

    /// Reads the page at a place.
    async fn page(&self, place: &[(&str, &str)]) -> Result<Page<T>, Error> {
        let RawPage { count, results } = self.client.page(self.path, self.query, place).await?;
        let nameless = || Error::reading(self.path, ErrorKind::Malformed("rows with ids", String::new(), None));
        let entry = |row: Row| Ok::<_, Error>((id_of(&row).ok_or_else(nameless)?, (self.form)(row)));
        Ok(Page { count, rows: results.into_iter().map(entry).collect::<Result<_, _>>()? })
    }
}

impl<T> Joined<T> {
    /// Adds a page that has to begin with the last row of the one before. Returns whether it does.
    fn add(&mut self, page: Vec<Item<T>>) -> bool {
        let follows = page.first().is_some_and(|(id, _)| self.rows.last().is_some_and(|(last, _)| last == id));
        if follows {
            self.rows.pop();
            self.rows.extend(page);
        }
        follows
    }

    /// Returns all rows; `None` when some are missing at the end.
    fn all(self) -> Option<Vec<Item<T>>> {
        (self.rows.len() >= self.count).then_some(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[u64]) -> Vec<Item<()>> {
        ids.iter().map(|id| (RowId(*id), Ok(()))).collect()
    }

    fn joined(pages: &[&[u64]], count: usize) -> Option<Vec<u64>> {
        let (first, rest) = pages.split_first()?;
        let mut joined = Joined { rows: page(first), count };
        let follow = rest.iter().all(|next| joined.add(page(next)));
        let rows = joined.all().filter(|_| follow)?;
        Some(rows.iter().map(|(id, _)| id.0).collect())
    }

    #[test]
    fn pages_that_overlap_by_a_row_make_a_list() {
        assert_eq!(joined(&[&[1, 2, 5], &[5, 6, 9], &[9, 10]], 6), Some(vec![1, 2, 5, 6, 9, 10]));
    }

    #[test]
    fn a_row_that_slipped_between_two_pages_is_noticed() {
        // 2 was deleted after the first page, so 6 moved to where 5 had been.
        assert_eq!(joined(&[&[1, 2, 5], &[6, 9, 10]], 6), None);
    }

    #[test]
    fn a_list_that_ends_too_early_is_noticed() {
        assert_eq!(joined(&[&[1, 2, 5], &[5]], 6), None);
    }
}
