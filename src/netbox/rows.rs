//! Reading: whole lists, single objects, and who and what we talk to.
//!
//! A list is read page by page at the size the server really gives, several pages at once, ordered by id. Each page begins
//! with the last row of the page before: when the two differ, rows were deleted meanwhile and others have slipped between
//! two pages, and the list is read once more from one id to the next, which cannot lose any. `next` links are not
//! followed: they carry the host name NetBox believes it has.

use std::{collections::BTreeMap, fmt};

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{Client, Error, ErrorKind, Row};

/// Pages under way at once. NetBox has few worker processes, and others want them too.
const PAGES_IN_FLIGHT: usize = 4;
/// Name of the plugin in NetBox's status.
const PLUGIN: &str = "netbox_custom_objects";

/// An ETag that no object has.
const NEVER: &str = "W/\"never\"";

/// What runs at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// NetBox's version, `4.7.3`.
    pub netbox: String,
    /// The Custom Objects plugin's version, if it is installed.
    pub custom_objects: Option<String>,
}

/// Whom a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// NetBox user name.
    pub name: String,
}

/// What a token may be allowed to do with the objects of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Read them.
    View,
    /// Create them.
    Add,
    /// Write to those that exist.
    Change,
    /// Delete them.
    Delete,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Add => "add",
            Self::Change => "change",
            Self::Delete => "delete",
        })
    }
}

#[derive(Deserialize)]
struct Page {
    count: usize,
    results: Vec<Row>,
}

#[derive(Deserialize)]
struct StatusBody {
    #[serde(rename = "netbox-version")]
    netbox: String,
    #[serde(default)]
    plugins: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct UserBody {
    username: String,
}

/// The id of a row.
#[must_use]
pub fn id_of(row: &Row) -> Option<u64> {
    row.get("id").and_then(Value::as_u64)
}

impl Client {
    /// Reads all rows of a list in the order of their ids, each once. With `fields` in the query it has to name `id`; the
    /// query must not hold `limit`, `offset` or `ordering`.
    ///
    /// # Errors
    /// When a page cannot be read, or a row has no id.
    pub async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Row>, Error> {
        let first = self.page(path, query, &[("offset", "0")]).await?;
        self.completed(path, query, first).await
    }

    /// Reads all rows of a list like [`Client::list`], or `None` when it has more than `most` pages. To know that takes one.
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

    /// The whole list, of which the first page is read.
    async fn completed(&self, path: &str, query: &[(&str, &str)], first: Page) -> Result<Vec<Row>, Error> {
        if first.results.len() >= first.count {
            return self.in_order(path, first.results);
        }
        match self.pages(path, query, first).await? {
            Some(rows) => self.in_order(path, rows),
            None => {
                tracing::debug!(path, "rows were deleted while the list was read; reading it by id");
                self.by_id(path, query).await
            }
        }
    }

    /// The same; `None` when rows have slipped between two pages.
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
        let mut last = 0;
        loop {
            let page = self.page(path, query, &[("id__gt", &last.to_string())]).await?.results;
            if page.iter().any(|row| id_of(row).is_none_or(|id| id <= last)) {
                return Err(Error::reading(path, ErrorKind::FilterIgnored));
            }
            match page.last().and_then(id_of) {
                Some(id) => last = id,
                None => return self.in_order(path, rows),
            }
            rows.extend(page);
        }
    }

    async fn page(&self, path: &str, query: &[(&str, &str)], place: &[(&str, &str)]) -> Result<Page, Error> {
        let limit = self.page_size.to_string();
        let paging = [("limit", limit.as_str()), ("ordering", "id")];
        self.transport.read(path, &[query, &paging, place].concat()).await?.found()?.decode("a page of a list")
    }

    fn in_order(&self, path: &str, rows: Vec<Row>) -> Result<Vec<Row>, Error> {
        let mut by_id = BTreeMap::new();
        for row in rows {
            let Some(id) = id_of(&row) else {
                let kind = ErrorKind::Malformed("rows with ids", String::new(), None);
                return Err(Error::reading(path, kind));
            };
            by_id.insert(id, row);
        }
        Ok(by_id.into_values().collect())
    }

    /// Reads the newest rows of a list, at most `limit` and a page of them.
    pub(super) async fn newest(&self, path: &str, query: &[(&str, &str)], limit: usize) -> Result<Vec<Row>, Error> {
        let limit = limit.to_string();
        let paging = [("limit", limit.as_str()), ("ordering", "-id")];
        let page: Page =
            self.transport.read(path, &[query, &paging].concat()).await?.found()?.decode("a page of a list")?;
        Ok(page.results)
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

    /// Asks which versions run.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn status(&self) -> Result<Status, Error> {
        let body: StatusBody = self.transport.read("/api/status/", &[]).await?.found()?.decode("a status document")?;
        Ok(Status { netbox: body.netbox, custom_objects: body.plugins.get(PLUGIN).cloned() })
    }

    /// Asks whom the token belongs to. What that user may do is not told there; see [`Client::may`].
    ///
    /// # Errors
    /// When NetBox cannot be asked or does not know the token.
    pub async fn whoami(&self) -> Result<User, Error> {
        let path = "/api/authentication-check/";
        let body: UserBody = self.transport.read(path, &[]).await?.found()?.decode("a user")?;
        Ok(User { name: body.username })
    }

    /// Asks whether the token may do something with the objects of a list, by reading one or writing none of them.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or has no such list.
    pub async fn may(&self, path: &str, permission: Permission) -> Result<bool, Error> {
        let method = match permission {
            Permission::View => {
                return match self.transport.read(path, &[("limit", "1")]).await.and_then(super::transport::Reply::found)
                {
                    Ok(_) => Ok(true),
                    Err(error) if error.is_forbidden() => Ok(false),
                    Err(error) => Err(error),
                };
            }
            Permission::Add => Method::POST,
            Permission::Change => Method::PATCH,
            Permission::Delete => Method::DELETE,
        };
        let reply = self.transport.send(method, path, &Value::Array(Vec::new())).await?;
        match reply.status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Ok(false),
            // Whoever is not allowed to is told so first: these mean that nothing is no proper thing to write.
            StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED => Ok(true),
            _ => reply.found().map(|_| true),
        }
    }
}

impl Client {
    /// Asks whether the token may write to one object, by writing nothing to it on a condition that never holds.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn may_change(&self, path: &str) -> Result<bool, Error> {
        let nothing = Value::Object(Row::new());
        let reply = self.transport.send_if(Method::PATCH, path, &nothing, NEVER).await?;
        match reply.status {
            // The condition is looked at only once it is settled who may write to what.
            StatusCode::PRECONDITION_FAILED => Ok(true),
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Ok(false),
            _ => reply.found().map(|_| true),
        }
    }
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
        ids.iter().map(|id| Row::from_iter([("id".to_owned(), Value::from(*id))])).collect()
    }

    fn ids(rows: Option<Vec<Row>>) -> Option<Vec<u64>> {
        rows.map(|rows| rows.iter().filter_map(id_of).collect())
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
