//! Reads the sync log.

use jiff::Timestamp;

use super::{
    Client, Error, ErrorKind, Row,
    objects::{self, text},
    objects_path, schema,
};
use crate::model::RowId;

/// A row of the sync log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "`types.toml` says what the fields are")]
pub struct LogRow {
    pub id: RowId,
    pub config: RowId,
    pub run: String,
    pub operation: String,
    pub object_type: Option<String>,
    pub object_handle: Option<String>,
    pub status: String,
    pub message: Option<String>,
    pub created: Option<Timestamp>,
}

/// Which rows of the sync log to read.
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

impl Client {
    /// Reads the newest rows of a config's sync log, at most `limit`.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or ignores a part of the filter.
    pub async fn sync_log(&self, config: RowId, filter: &LogFilter, limit: usize) -> Result<Vec<LogRow>, Error> {
        let path = objects_path(schema::SYNC_LOG);
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
        let rows = self.newest(&path, &query, limit).await?;
        let rows: Vec<LogRow> = rows.iter().filter_map(log_row).collect();
        // A filter that NetBox does not know is ignored, and other rows come back.
        if rows.iter().all(|row| row.config == config && filter.fits(row)) {
            return Ok(rows);
        }
        Err(Error::reading(path, ErrorKind::FilterIgnored))
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

fn log_row(row: &Row) -> Option<LogRow> {
    let field = |name: &str| row.get(name).and_then(text).filter(|text| !text.is_empty()).map(str::to_owned);
    Some(LogRow {
        id: row.get("id").and_then(objects::id)?,
        config: row.get("config").and_then(objects::id)?,
        run: field("run").unwrap_or_default(),
        operation: field("operation").unwrap_or_default(),
        object_type: field("object_type"),
        object_handle: field("object_handle"),
        status: field("status").unwrap_or_default(),
        message: field("message"),
        created: field("created").and_then(|text| text.parse().ok()),
    })
}
