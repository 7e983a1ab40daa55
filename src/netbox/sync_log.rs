//! The sync log: what each run did, object by object.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    client::{Client, objects_path},
    error::{Error, ErrorKind},
    listing::Listing,
    row::{Row, id_of, optional_reference, optional_text, reference, text, typed},
    schema::document::SYNC_LOG,
};
use crate::model::RowId;

/// The beginning of each line in the details of a row, behind which a handle stands.
pub const DETAIL: &str = "- ";

/// A row of the sync log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "`types.toml` says what the fields are")]
pub struct LogRow {
    pub id: RowId,
    #[serde(deserialize_with = "reference")]
    pub config: RowId,
    #[serde(deserialize_with = "text")]
    pub run: String,
    #[serde(deserialize_with = "text")]
    pub operation: String,
    #[serde(deserialize_with = "optional_text")]
    pub object_type: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    pub object_handle: Option<String>,
    #[serde(deserialize_with = "text")]
    pub status: String,
    #[serde(deserialize_with = "optional_text")]
    pub message: Option<String>,
    /// Missing until `bootstrap` has brought the types up to date.
    #[serde(default, deserialize_with = "optional_text")]
    pub details: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub created: Option<Timestamp>,
}

/// The rows of the sync log to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only those of this run.
    pub run: Option<String>,
    /// Only those with this status.
    pub status: Option<String>,
    /// Only those about this type of object.
    pub object_type: Option<String>,
    /// Only those about the object with this handle, alone or among others.
    pub handle: Option<String>,
    /// Only those that are older than this one.
    pub before: Option<RowId>,
}

/// The part of a row that says whether it is too old.
#[derive(Deserialize)]
struct AgedRow {
    id: RowId,
    #[serde(deserialize_with = "optional_reference")]
    config: Option<RowId>,
    #[serde(deserialize_with = "optional_text")]
    object_type: Option<String>,
    created: Timestamp,
}

impl Client {
    /// Reads the newest rows of a config's sync log, at most `limit`.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or ignores a part of the filter, or a row cannot be read.
    pub async fn sync_log(&self, config: RowId, filter: &LogFilter, limit: usize) -> Result<Vec<LogRow>, Error> {
        let Some(handle) = &filter.handle else { return self.log_rows(config, filter, None, limit).await };
        let alone = self.log_rows(config, filter, Some(("object_handle", handle)), limit).await?;
        let mut rows: BTreeMap<RowId, LogRow> = alone.into_iter().map(|row| (row.id, row)).collect();
        let (mut others, mut filter) = (0, filter.clone());
        // Details are found by a part of them: NET-10 by NET-1.
        loop {
            let page = self.log_rows(config, &filter, Some(("details__ic", handle)), limit).await?;
            filter.before = page.last().map(|row| row.id);
            let complete = page.len() < limit;
            let about = page.into_iter().filter(|row| row.is_about(handle));
            rows.extend(about.inspect(|_| others += 1).map(|row| (row.id, row)));
            if complete || others >= limit {
                break;
            }
        }
        Ok(rows.into_values().rev().take(limit).collect())
    }

    /// Reads the newest rows that pass a filter and have a text in a field, as far as NetBox can tell.
    async fn log_rows(
        &self,
        config: RowId,
        filter: &LogFilter,
        text: Option<(&str, &str)>,
        limit: usize,
    ) -> Result<Vec<LogRow>, Error> {
        let path = objects_path(SYNC_LOG);
        let LogFilter { run, status, object_type, before, handle: _ } = filter;
        let config_id = Some(config.to_string());
        let before = before.map(|id| id.to_string());
        let wanted = [
            ("config_id", &config_id),
            ("run", run),
            ("status", status),
            ("object_type", object_type),
            ("id__lt", &before),
        ];
        let query: Vec<(&str, &str)> =
            wanted.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).chain(text).collect();
        let newest = self.newest(&path, &query, limit).await?;
        let read = |row: &Row| (id_of(row).unwrap_or(RowId(0)), typed(row));
        let rows: Vec<LogRow> = Listing::of(&path, newest.iter().map(read)).all()?;
        // The newest rows of all configs may hold none of this one: so here a filter that was ignored is an error.
        let has = |row: &LogRow| text.is_none_or(|(_, text)| row.mentions(text));
        if rows.iter().all(|row| row.config == config && filter.fits(row) && has(row)) {
            return Ok(rows);
        }
        Err(Error::reading(path, ErrorKind::FilterIgnored))
    }

    /// Removes log rows of a config that were written before a time, and returns how many.
    ///
    /// # Errors
    /// When NetBox cannot be asked. That a row could not be removed is no error: the next run tries again.
    pub async fn prune_log(&self, config: RowId, before: Timestamp, message: &str) -> Result<usize, Error> {
        let is_of = |row: &AgedRow| row.config == Some(config);
        self.prune(("config_id", &config.to_string()), is_of, before, message).await
    }

    /// Removes log rows about objects of a type that belong to no config and were written before a time, and returns how
    /// many.
    ///
    /// # Errors
    /// As [`Client::prune_log`].
    pub async fn prune_log_of(&self, object_type: &str, before: Timestamp, message: &str) -> Result<usize, Error> {
        let is_of = |row: &AgedRow| row.config.is_none() && row.object_type.as_deref() == Some(object_type);
        self.prune(("object_type", object_type), is_of, before, message).await
    }

    async fn prune(
        &self,
        of: (&str, &str),
        is_of: impl Fn(&AgedRow) -> bool,
        before: Timestamp,
        message: &str,
    ) -> Result<usize, Error> {
        let time = before.to_string();
        let query = [of, ("created__lt", &*time), ("fields", "id,config,object_type,created")];
        let old = |row: &AgedRow| is_of(row) && row.created < before;
        let rows = self.list_where(&objects_path(SYNC_LOG), &query, old).await?.all()?;
        let ids: Vec<RowId> = rows.iter().map(|row| row.id).collect();
        let results = self.writer(SYNC_LOG, message).delete(&ids).await;
        Ok(results.iter().filter(|result| result.is_ok()).count())
    }
}

impl LogRow {
    /// Returns whether it is about the object with this handle, alone or among others.
    fn is_about(&self, handle: &str) -> bool {
        let mut lines = self.details.iter().flat_map(|details| details.lines());
        self.object_handle.as_deref() == Some(handle) || lines.any(|line| line.strip_prefix(DETAIL) == Some(handle))
    }

    /// Returns whether its handle or its details have this text somewhere, in upper or lower case.
    fn mentions(&self, text: &str) -> bool {
        let has = |field: &Option<String>| {
            field.as_ref().is_some_and(|field| field.to_lowercase().contains(&text.to_lowercase()))
        };
        has(&self.object_handle) || has(&self.details)
    }
}

impl LogFilter {
    fn fits(&self, row: &LogRow) -> bool {
        let same = |wanted: &Option<String>, has: Option<&str>| wanted.is_none() || wanted.as_deref() == has;
        same(&self.run, Some(&row.run))
            && same(&self.status, Some(&row.status))
            && same(&self.object_type, row.object_type.as_deref())
            && self.before.is_none_or(|before| row.id < before)
    }
}
