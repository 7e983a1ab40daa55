//! What became of prefixes, as NetBox's change log tells it.
//!
//! The log is kept for so long only, 90 days unless NetBox's configuration says otherwise. A snapshot in it has links
//! as ids and tags by their names.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    changes::{CHANGES, PREFIX},
    client::Client,
    error::{Error, ErrorKind},
    listing::Listing,
    row::{Row, id_of, optional_reference, optional_text, text, typed},
};
use crate::model::RowId;

/// Prefixes whose changes are asked for in one query, so that its URL stays well below what web servers take.
const PREFIXES_IN_A_QUERY: usize = 100;
/// Rows in one page: each may hold two snapshots of some kilobytes.
const PAGE: u32 = 500;
/// The most deletions that are looked at.
const MOST_DELETIONS: usize = 20_000;
const CHANGE_FIELDS: &str = "id,time,changed_object_id,prechange_data,postchange_data";
const DELETION_FIELDS: &str = "id,time,action,user_name,prechange_data";

/// What a prefix was before or after a change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct PrefixSnapshot {
    pub prefix: IpNet,
    #[serde(deserialize_with = "optional_reference")]
    pub vrf: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    pub tenant: Option<RowId>,
    /// The code of its status.
    #[serde(deserialize_with = "text")]
    pub status: String,
    /// The names of its tags.
    #[serde(default)]
    pub tags: BTreeSet<String>,
}

/// A change of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct PrefixChangeRow {
    pub at: Timestamp,
    /// `None` when it was created.
    pub before: Option<PrefixSnapshot>,
    /// `None` when it was deleted.
    pub after: Option<PrefixSnapshot>,
}

/// The deletion of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct DeletionRow {
    pub at: Timestamp,
    /// The NetBox user who did it.
    pub user: Option<String>,
    pub prefix: IpNet,
    pub vrf: Option<RowId>,
}

#[derive(Deserialize)]
struct ChangeFields {
    id: RowId,
    time: Timestamp,
    changed_object_id: RowId,
    prechange_data: Option<Row>,
    postchange_data: Option<Row>,
}

#[derive(Deserialize)]
struct DeletionFields {
    time: Timestamp,
    #[serde(deserialize_with = "text")]
    action: String,
    #[serde(deserialize_with = "optional_text")]
    user_name: Option<String>,
    prechange_data: DeletedPrefix,
}

#[derive(Deserialize)]
struct DeletedPrefix {
    prefix: IpNet,
    #[serde(deserialize_with = "optional_reference")]
    vrf: Option<RowId>,
}

#[derive(Deserialize)]
struct TimeRow {
    time: Timestamp,
}

/// A change with the prefix that it is of, and its place in the log.
type Logged = (RowId, RowId, PrefixChangeRow);

/// Each method fails when NetBox cannot be asked, or ignores a filter. A row that cannot be read is left out with a
/// warning.
#[expect(clippy::missing_errors_doc, reason = "said once for all")]
impl Client {
    /// Reads the changes of these prefixes that the log still has, the newest first. Each prefix has an entry.
    pub async fn prefix_changes(&self, ids: &BTreeSet<RowId>) -> Result<BTreeMap<RowId, Vec<PrefixChangeRow>>, Error> {
        let small = self.with_pages_of(PAGE);
        let mut changes: BTreeMap<RowId, Vec<PrefixChangeRow>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        let all: Vec<String> = ids.iter().map(ToString::to_string).collect();
        for some in all.chunks(PREFIXES_IN_A_QUERY) {
            let mut query = vec![("fields", CHANGE_FIELDS), ("changed_object_type", PREFIX)];
            query.extend(some.iter().map(|id| ("changed_object_id", id.as_str())));
            let rows = small.list_as(CHANGES, &query, &change).await?.only(|(_, of, _)| ids.contains(of));
            let mut rows = rows.readable()?;
            rows.sort_by_key(|(id, _, change)| std::cmp::Reverse((change.at, *id)));
            for (_, of, change) in rows {
                changes.entry(of).or_default().push(change);
            }
        }
        Ok(changes)
    }

    /// Reads the deletions of prefixes, the newest first, at most 20,000 of them.
    pub async fn prefix_deletions(&self) -> Result<Vec<DeletionRow>, Error> {
        let limit = self.page_size.min(PAGE) as usize;
        let (mut deletions, mut before): (Vec<DeletionRow>, Option<RowId>) = (Vec::new(), None);
        while deletions.len() < MOST_DELETIONS {
            let last = before.map(|id| id.to_string());
            let mut query = vec![("fields", DELETION_FIELDS), ("changed_object_type", PREFIX), ("action", "delete")];
            query.extend(last.as_deref().map(|last| ("id__lt", last)));
            let page = self.newest(CHANGES, &query, limit).await?;
            let ids: Vec<RowId> = page.iter().filter_map(id_of).collect();
            let in_order = before.iter().chain(&ids).is_sorted_by(|newer, older| newer > older);
            if ids.len() < page.len() || !in_order {
                return Err(Error::reading(CHANGES, ErrorKind::FilterIgnored));
            }
            let Some(oldest) = ids.last() else { break };
            before = Some(*oldest);
            let rows = page.iter().map(|row| (id_of(row).unwrap_or(RowId(0)), typed::<DeletionFields>(row)));
            let rows = Listing::of(CHANGES, rows).readable()?;
            if rows.iter().any(|row| row.action != "delete") {
                return Err(Error::reading(CHANGES, ErrorKind::FilterIgnored));
            }
            deletions.extend(rows.into_iter().map(DeletionRow::from));
        }
        Ok(deletions)
    }

    /// Asks for the time of the oldest change of any object that the log still has; `None` when it is empty.
    pub async fn oldest_change(&self) -> Result<Option<Timestamp>, Error> {
        let query = [("fields", "id,time"), ("ordering", "time"), ("limit", "1")];
        let page: super::list::RawPage =
            self.transport.read(CHANGES, &query).await?.found()?.decode("the oldest row of the change log")?;
        let rows = page.results.iter().map(|row| (id_of(row).unwrap_or(RowId(0)), typed::<TimeRow>(row)));
        Ok(Listing::of(CHANGES, rows).all()?.first().map(|row| row.time))
    }
}

/// Reads a change, and forgets what does not matter of its snapshots.
fn change(row: Row) -> Result<Logged, serde_json::Error> {
    let ChangeFields { id, time, changed_object_id, prechange_data, postchange_data } = typed(&row)?;
    // The log has an empty snapshot of what was not there.
    let told = |snapshot: Option<Row>| {
        snapshot.filter(|fields| !fields.is_empty()).map(|fields| typed::<PrefixSnapshot>(&fields)).transpose()
    };
    let change = PrefixChangeRow { at: time, before: told(prechange_data)?, after: told(postchange_data)? };
    Ok((id, changed_object_id, change))
}

impl From<DeletionFields> for DeletionRow {
    fn from(row: DeletionFields) -> Self {
        let DeletedPrefix { prefix, vrf } = row.prechange_data;
        Self { at: row.time, user: row.user_name, prefix, vrf }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_snapshot_is_told_from_none() {
        let row = json!({
            "id": 12, "time": "2026-11-22T10:00:00Z", "changed_object_id": 7, "prechange_data": {},
            "postchange_data": {
                "prefix": "192.0.2.0/24", "vrf": null, "tenant": 3, "status": "active", "tags": ["At home"], "more": [],
            },
        });
        let (id, of, change) = change(row.as_object().unwrap().clone()).unwrap();
        let after = PrefixSnapshot {
            prefix: "192.0.2.0/24".parse().unwrap(),
            vrf: None,
            tenant: Some(RowId(3)),
            status: "active".to_owned(),
            tags: BTreeSet::from(["At home".to_owned()]),
        };
        let at = "2026-11-22T10:00:00Z".parse().unwrap();
        assert_eq!((id, of, change), (RowId(12), RowId(7), PrefixChangeRow { at, before: None, after: Some(after) }));
    }
}
