//! The sync log: what each run did, object by object.

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
    /// Only those that are older than this one.
    pub before: Option<RowId>,
}

/// The part of a row that says whether it is too old.
#[derive(Deserialize)]
struct AgedRow {
    id: RowId,
    #[serde(deserialize_with = "optional_reference")]
    config: Option<RowId>,
    created: Timestamp,
}

impl Client {
    /// Reads the newest rows of a config's sync log, at most `limit`.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or ignores a part of the filter, or a row cannot be read.
    pub async fn sync_log(&self, config: RowId, filter: &LogFilter, limit: usize) -> Result<Vec<LogRow>, Error> {
        let path = objects_path(SYNC_LOG);
        let LogFilter { run, status, object_type, before } = filter;
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
            wanted.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
        let newest = self.newest(&path, &query, limit).await?;
        let read = |row: &Row| (id_of(row).unwrap_or(RowId(0)), typed(row));
        let rows: Vec<LogRow> = Listing::of(&path, newest.iter().map(read)).all()?;
        // The newest rows of all configs may hold none of this one: so here a filter that was ignored is an error.
        if rows.iter().all(|row| row.config == config && filter.fits(row)) {
            return Ok(rows);
        }
        Err(Error::reading(path, ErrorKind::FilterIgnored))
    }

    /// Removes log rows of a config that were written before a time, and returns how many.
    ///
    /// # Errors
    /// When NetBox cannot be asked. That a row could not be removed is no error: the next run tries again.
    pub async fn prune_log(&self, config: RowId, before: Timestamp, message: &str) -> Result<usize, Error> {
        let (config_id, time) = (config.to_string(), before.to_string());
        let query = [("config_id", &*config_id), ("created__lt", &*time), ("fields", "id,config,created")];
        let old = |row: &AgedRow| row.config == Some(config) && row.created < before;
        let rows = self.list_where(&objects_path(SYNC_LOG), &query, old).await?.all()?;
        let ids: Vec<RowId> = rows.iter().map(|row| row.id).collect();
        let results = self.writer(SYNC_LOG, message).delete(&ids).await;
        Ok(results.iter().filter(|result| result.is_ok()).count())
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
