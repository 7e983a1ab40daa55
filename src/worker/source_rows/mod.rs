//! Tells NetBox how the mirrored routing registries stand: a row for each source, and rows of the log.
//!
//! A run that changes nothing that a person would look at (`decide`) costs NetBox no request: what was told is noted in a
//! cursor. If that is lost, the row itself is looked at. NetBox has no part in a mirror: what it does not take within
//! [`WITHIN`] is told after a later run, but for the log row of a dump that was taken meanwhile.

mod decide;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::json;
use tokio::time::timeout;
use tracing::warn;

use crate::{
    config::{IrrSource, Settings},
    coordination::{self, Coordination},
    error_chain::error_chain,
    irr::{
        rejects::Rejects,
        store::SourceState,
        update::{UpdateError, Updated},
    },
    netbox::{self, Client, Draft, RecordedIrrSource, Refusal, Row, schema},
};
use decide::{LogEntry, ROUTE, SOURCE, Told, WrittenRow, is_due, left_out, log_entries, removed, row_of};

/// Limits how long NetBox may keep a run that is over from ending.
const WITHIN: Duration = Duration::from_secs(10);

/// Tells NetBox of the runs of sources.
#[derive(Debug, Clone, Copy)]
pub struct SourceTeller<'a> {
    /// Where the rows are.
    pub netbox: &'a Client,
    /// Where it is noted what was told.
    pub coordination: &'a Coordination,
    /// All settings; a row of a source that is not among them is marked.
    pub settings: &'a Settings,
    /// The name of the run.
    pub run: &'a str,
}

/// A run of a source that is over.
#[derive(Debug, Clone, Copy)]
pub struct SourceRun<'a> {
    /// The source.
    pub source: &'a IrrSource,
    /// How it stood before.
    pub before: &'a SourceState,
    /// How it stands now.
    pub after: &'a SourceState,
    /// What the run came to.
    pub updated: Result<&'a Updated, &'a UpdateError>,
}

/// A reason for which NetBox was not told.
#[derive(Debug, thiserror::Error)]
enum NotTold {
    #[error("it cannot be noted what NetBox was told")]
    Note(#[from] coordination::Error),
    #[error(transparent)]
    NetBox(#[from] netbox::Error),
    #[error("NetBox does not take the row")]
    Refused(#[from] Refusal),
    #[error("NetBox took longer than {WITHIN:?}")]
    TooLate,
}

impl SourceTeller<'_> {
    /// Tells of a run what a person would look at. What cannot be told is told after the next one.
    pub async fn tell(&self, run: SourceRun<'_>) {
        if let Err(error) = self.try_tell(run).await {
            let name = &run.source.name;
            warn!(source = %name, error = %error_chain(&error), "NetBox does not show yet how {name} stands");
        }
    }

    async fn try_tell(&self, run: SourceRun<'_>) -> Result<(), NotTold> {
        let name = run.source.name.as_str();
        let mut told = self.noted(name).await?;
        let before = told.clone();
        let updated = run.updated.ok();
        told.left_out = told.left_out.and(left_out(run.before, run.after, updated));
        let done = timeout(WITHIN, self.write(run, &mut told)).await.unwrap_or(Err(NotTold::TooLate));
        if told != before {
            self.note(name, &told).await?;
        }
        done
    }

    /// Writes the row if it is due, and the rows of the log if there is anything for it.
    async fn write(&self, run: SourceRun<'_>, told: &mut Told) -> Result<(), NotTold> {
        let (wanted, now, updated) = (row_of(run.source, run.after), Timestamp::now(), run.updated.ok());
        let mut before = told.written.clone();
        let mut is_written = false;
        if is_due(before.as_ref(), &wanted, now) {
            let rows = self.netbox.irr_source_rows().await?;
            let recorded = rows.get(&wanted.name);
            if before.is_none() {
                before = recorded.map(|it| WrittenRow { row: it.row.clone(), at: it.last_updated });
            }
            is_written = is_due(before.as_ref(), &wanted, now);
            if is_written {
                self.netbox.write_irr_source(recorded.map(|it| it.id), &wanted, &self.message()).await?;
                told.written = Some(WrittenRow { row: wanted.clone(), at: now });
            } else {
                told.written.clone_from(&before);
            }
            self.mark_removed(&rows).await?;
        }
        let state = before.as_ref().map(|written| &written.row);
        let entries = log_entries(state, &wanted, updated, &told.left_out);
        self.log(&wanted.name, entries).await;
        told.left_out = Rejects::default();
        if is_written {
            self.prune().await;
        }
        Ok(())
    }

    /// Marks the rows of sources that are not in the settings any more.
    pub(super) async fn forget_removed(&self) {
        let marked = async {
            let rows = self.netbox.irr_source_rows().await?;
            self.mark_removed(&rows).await
        };
        if let Err(error) = timeout(WITHIN, marked).await.unwrap_or(Err(NotTold::TooLate)) {
            warn!(error = %error_chain(&error), "NetBox does not show yet which sources are not mirrored any more");
        }
    }

    async fn mark_removed(&self, rows: &BTreeMap<String, RecordedIrrSource>) -> Result<(), NotTold> {
        let is_set = |name: &str| self.settings.irr.source.iter().any(|source| source.name.is(name));
        for (name, recorded) in rows.iter().filter(|(name, _)| !is_set(name)) {
            if let Some(row) = removed(&recorded.row) {
                self.netbox.write_irr_source(Some(recorded.id), &row, &self.message()).await?;
                // Whoever mirrors it again, or still does with settings of before, looks at the row first.
                self.note(name, &Told::default()).await?;
            }
        }
        Ok(())
    }

    /// Writes rows of the log. They are a courtesy: of those that NetBox does not take the process's own log tells.
    async fn log(&self, name: &str, entries: Vec<LogEntry>) {
        let draft = |(place, entry): (usize, LogEntry)| {
            let key = format!("irr:{name}:{}:{place}", self.run);
            let fields = json!({
                "key": key,
                "run": self.run,
                "operation": "sync",
                "object_type": entry.object_type,
                "object_handle": entry.handle,
                "status": entry.status,
                "message": entry.message,
            });
            Draft { key, body: fields.as_object().cloned().unwrap_or_else(Row::new) }
        };
        let drafts: Vec<Draft> = entries.into_iter().enumerate().map(draft).collect();
        if drafts.is_empty() {
            return;
        }
        let results = self.netbox.writer(schema::SYNC_LOG, &self.message()).create(drafts).await;
        if let Some(Err(error)) = results.into_iter().find(Result::is_err) {
            warn!(source = %name, error = %error_chain(&error), "could not write the log of {name}");
        }
    }

    /// Removes rows of the log that are older than the retention.
    async fn prune(&self) {
        let retention = self.settings.sync.log_retention;
        // NetBox has dated the rows.
        let before = self.netbox.clock().and_then(|now| now.checked_sub(retention).ok());
        let Some(before) = before.filter(|_| !retention.is_zero()) else { return };
        for object_type in [SOURCE, ROUTE] {
            if let Err(error) = self.netbox.prune_log_of(object_type, before, &self.message()).await {
                warn!(error = %error_chain(&error), "could not remove old rows of the sync log");
            }
        }
    }

    fn message(&self) -> String {
        format!("rir-sidecar irr {}", self.run)
    }

    /// Returns what was noted of a source. What cannot be read is as good as nothing.
    async fn noted(&self, name: &str) -> Result<Told, NotTold> {
        let text = self.coordination.cursor(&cursor_of(name)).await?.unwrap_or_default();
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    async fn note(&self, name: &str, told: &Told) -> Result<(), NotTold> {
        let text = serde_json::to_string(told).unwrap_or_default();
        Ok(self.coordination.set_cursor(&cursor_of(name), &text).await?)
    }
}

fn cursor_of(name: &str) -> String {
    format!("irr-source:{name}")
}
