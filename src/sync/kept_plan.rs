//! The form in which a preview is kept for whoever asked for it.
//!
//! A plan may have very many rows. It is kept in compressed parts of a bounded number of rows, so that neither who
//! writes it down nor who reads it ever has more than one part of it in memory.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    approved::{PlannedRow, named},
    json::RunView,
    plan::{Change, ShownChange},
    result::Preview,
};

/// Limits how many bytes the rows of one plan take, compressed: those of more than 200,000 rows.
pub const LARGEST_PLAN: usize = 16 << 20;
/// The rows of one part.
const ROWS_IN_A_PART: usize = 1000;
/// The largest part that is read, in bytes, before it was compressed.
const LARGEST_PART: u64 = 16 << 20;
/// Limits how many failures, and how many objects that were passed over, are kept; they are counted all the same.
const MOST_OBJECTS: usize = 1000;

/// A plan without its rows.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PlanHead {
    /// The preview, without its rows.
    #[serde(flatten)]
    pub run: RunView,
    /// The numbers of those that are not kept, because there are too many.
    pub left_out: LeftOut,
}

/// What is not kept of a plan, because it is too large. It is in `counts` and in `digest` all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// Rows that would be written.
    pub changes: usize,
    /// Objects that could not be asked for.
    pub failures: usize,
    /// Objects that were passed over.
    pub skipped: usize,
}

/// A part of a plan that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("a part of a plan cannot be written or read")]
pub struct BadPart(#[from] io::Error);

impl PlanHead {
    /// Makes the head of a preview, of whose rows so many are not kept.
    #[must_use]
    pub fn new(preview: &Preview, changes_left_out: usize) -> Self {
        let mut run = RunView::of_preview(preview);
        let left_out = LeftOut {
            changes: changes_left_out,
            failures: run.failures.len().saturating_sub(MOST_OBJECTS),
            skipped: run.skipped.len().saturating_sub(MOST_OBJECTS),
        };
        run.failures.truncate(MOST_OBJECTS);
        run.skipped.truncate(MOST_OBJECTS);
        Self { run, left_out }
    }

    /// Writes it as the part before the first row.
    ///
    /// # Errors
    /// When it has no written form, for which there is no known reason.
    pub fn pack(&self) -> Result<Vec<u8>, BadPart> {
        packed(std::iter::once(self))
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is not what [`PlanHead::pack`] wrote.
    pub fn unpack(part: &[u8]) -> Result<Self, BadPart> {
        let text = unpacked(part)?;
        Ok(serde_json::from_str(&text).map_err(io::Error::from)?)
    }
}

/// Some rows of a plan as one part.
#[derive(Debug)]
pub struct Part {
    /// The number of its rows.
    pub rows: usize,
    /// What is kept.
    pub bytes: Vec<u8>,
}

/// Writes the rows of a plan as parts, for as long as all of them together take no more than `limit` bytes.
pub fn pack_rows(changes: &[Change], limit: usize) -> impl Iterator<Item = Result<Part, BadPart>> {
    let pack = |rows: &[Change]| Ok(Part { rows: rows.len(), bytes: packed(rows.iter().map(Change::shown))? });
    changes.chunks(ROWS_IN_A_PART).map(pack).scan(limit, |room, part| match part {
        Ok(part) => {
            *room = room.checked_sub(part.bytes.len())?;
            Some(Ok(part))
        }
        Err(error) => Some(Err(error)),
    })
}

/// Reads the rows of one part.
///
/// # Errors
/// When they are not what [`pack_rows`] wrote.
pub fn unpack_rows(part: &[u8]) -> Result<Vec<ShownChange>, BadPart> {
    let text = unpacked(part)?;
    let rows = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
    Ok(rows.map_err(io::Error::from)?)
}

/// Reads the rows of a plan in so many parts, without what would be written to them; `None` when not all of them are
/// kept.
///
/// # Errors
/// When a part cannot be had or read.
pub async fn named_rows<'a, E: From<BadPart>>(
    parts: usize,
    part: impl Fn(usize) -> BoxFuture<'a, Result<Option<Vec<u8>>, E>>,
) -> Result<Option<BTreeMap<String, PlannedRow>>, E> {
    let Some(head) = part(0).await? else { return Ok(None) };
    if PlanHead::unpack(&head)?.left_out.changes > 0 {
        return Ok(None);
    }
    let mut rows = BTreeMap::new();
    for number in 1..parts {
        let Some(part) = part(number).await? else { return Ok(None) };
        rows.extend(unpack_rows(&part)?.iter().map(named));
    }
    Ok(Some(rows))
}

/// Writes values as lines of JSON, compressed.
fn packed<T: Serialize>(values: impl Iterator<Item = T>) -> Result<Vec<u8>, BadPart> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    for value in values {
        serde_json::to_writer(&mut out, &value).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(out.finish()?)
}

fn unpacked(part: &[u8]) -> Result<String, BadPart> {
    let mut text = String::new();
    GzDecoder::new(part).take(LARGEST_PART).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::{
        model::{Fields, Key, ObjectType, RowId, Value},
        sync::{
            note::Note,
            outcome::Failure,
            plan::{Action, Plan},
            result::SyncRun,
        },
    };

    /// A network as it is written for a reassignment.
    fn network(number: usize) -> Change {
        let [a, b] = [number / 256, number % 256];
        let text = |text: String| Value::Text(text);
        let handle = format!("NET-10-{a}-{b}-0-1");
        let key = Key::recorded(format!("arin:{handle}"));
        let fields = Fields::from([
            ("key", text(key.to_string())),
            ("handle", text(handle.clone())),
            ("status", text("registered".into())),
            ("net_name", text(format!("EXAMPLE-CUSTOMER-{number}"))),
            ("net_type", text("S".into())),
            ("version", Value::Number(4)),
            ("start_address", text(format!("10.{a}.{b}.0"))),
            ("end_address", text(format!("10.{a}.{b}.255"))),
            ("cidrs", text(format!("10.{a}.{b}.0/24"))),
            ("organization", Value::Empty),
            ("parent_handle", text("NET-10-0-0-0-1".into())),
            ("prefix", Value::NetBoxRow(RowId(number as u64))),
            ("digest", text(crate::model::payload::digest(&handle))),
            ("raw_data", Value::Json(serde_json::Value::Null)),
        ]);
        Change { object: ObjectType::Network, key, handle, action: Action::Create { fields } }
    }

    fn preview(rows: usize, failures: usize) -> Preview {
        let failure = |number| Failure::new(ObjectType::Network, number, "ARIN does not answer");
        let run = SyncRun {
            id: "20260131T120000Z-1a2b3c4d".into(),
            config: "example".into(),
            config_id: RowId(1),
            started: Timestamp::UNIX_EPOCH,
            took: Duration::from_secs(1),
            user: None,
            applied: Vec::new(),
            unchanged: Vec::new(),
            failures: (0..failures).map(failure).collect(),
            skips: Vec::new(),
            in_full: Vec::new(),
            ended: None,
            before: Note::default(),
            remark: None,
            unrecorded: None,
            arin_requests: 3,
            listing_requests: 0,
            spared: 0,
            netbox_requests: 4,
        };
        let plan = Plan { changes: (0..rows).map(network).collect(), ..Plan::default() };
        Preview { plan, digest: None, run }
    }

    #[test]
    fn what_is_kept_reads_as_what_was_shown() {
        let preview = preview(2500, 3);
        let parts: Vec<Part> = pack_rows(&preview.plan.changes, usize::MAX).map(Result::unwrap).collect();
        assert_eq!(parts.iter().map(|part| part.rows).collect::<Vec<_>>(), [1000, 1000, 500]);
        let rows: Vec<_> = parts.iter().flat_map(|part| unpack_rows(&part.bytes).unwrap()).collect();
        assert_eq!(rows, preview.plan.changes.iter().map(Change::shown).collect::<Vec<_>>());
        let head = PlanHead::unpack(&PlanHead::new(&preview, 0).pack().unwrap()).unwrap();
        assert_eq!(
            serde_json::to_value(&head.run).unwrap(),
            serde_json::to_value(RunView::of_preview(&preview)).unwrap()
        );
        assert_eq!(head.left_out, LeftOut::default());
    }

    #[test]
    fn what_is_too_much_is_left_out_and_counted() {
        let preview = preview(2500, MOST_OBJECTS + 7);
        let one = pack_rows(&preview.plan.changes, usize::MAX).next().unwrap().unwrap().bytes.len();
        let kept: usize = pack_rows(&preview.plan.changes, one * 3 / 2).map(|part| part.unwrap().rows).sum();
        assert_eq!(kept, ROWS_IN_A_PART);
        let head = PlanHead::new(&preview, 2500 - kept);
        assert_eq!(head.left_out, LeftOut { changes: 1500, failures: 7, skipped: 0 });
        assert_eq!(head.run.failures.len(), MOST_OBJECTS);
        assert_eq!(
            (head.run.counts[&ObjectType::Network].created, head.run.counts[&ObjectType::Network].failed),
            (2500, MOST_OBJECTS + 7)
        );
    }

    #[test]
    fn a_hundred_thousand_rows_fit() {
        let changes: Vec<Change> = (0..5_000).map(network).collect();
        let bytes: usize = pack_rows(&changes, usize::MAX).map(|part| part.unwrap().bytes.len()).sum();
        assert!(bytes * 20 < LARGEST_PLAN / 2, "{bytes}");
    }
}
