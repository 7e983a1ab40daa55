//! The rows of tickets at the registry, written by their number.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::{
    change_requests::holds,
    client::{Client, objects_path},
    error::Error,
    row::{Row, id_of},
    schema::document::TICKET,
    write::{Draft, Patch, Refusal},
};
use crate::model::{Key, RowId};

/// A ticket to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "`types.toml` says what the fields are")]
pub struct TicketDraft {
    /// Its number at the registry instance.
    pub key: Key,
    pub number: String,
    pub ticket_type: Option<String>,
    pub status: Option<String>,
    pub resolution: Option<String>,
    pub config: RowId,
    pub change_request: Option<RowId>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub waiting_for_us: bool,
}

impl TicketDraft {
    fn body(&self) -> Row {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let fields = json!({
            "key": self.key.as_str(),
            "number": self.number,
            "ticket_type": self.ticket_type,
            "status": self.status,
            "resolution": self.resolution,
            "config": self.config,
            "change_request": self.change_request,
            "created_at": time(self.created_at),
            "updated_at": time(self.updated_at),
            "waiting_for_us": self.waiting_for_us,
        });
        fields.as_object().cloned().unwrap_or_default()
    }
}

impl Client {
    /// Makes the rows of tickets that have none, and writes those that differ. The outcomes stand in the order of the
    /// tickets; no two of them may have the same key.
    ///
    /// # Errors
    /// When it cannot be read which tickets are recorded.
    pub async fn record_tickets(
        &self,
        tickets: &[TicketDraft],
        message: &str,
    ) -> Result<Vec<Result<RowId, Refusal>>, Error> {
        let rows = self.list(&objects_path(TICKET), &[]).await?;
        let key = |row: &Row| row.get("key").and_then(|key| key.as_str()).map(str::to_owned);
        let recorded: BTreeMap<String, &Row> = rows.iter().filter_map(|row| Some((key(row)?, row))).collect();
        let (mut drafts, mut patches, mut outcomes) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (place, ticket) in tickets.iter().enumerate() {
            let (key, body) = (ticket.key.to_string(), ticket.body());
            match recorded.get(&key).and_then(|row| Some((id_of(row)?, holds(row, &body)))) {
                None => drafts.push((place, Draft { key, body })),
                Some((id, true)) => drop(outcomes.insert(place, Ok(id))),
                Some((id, false)) => patches.push((place, Patch { id, key, body })),
            }
        }
        let writer = self.writer(TICKET, message);
        let (places, drafts): (Vec<usize>, Vec<Draft>) = drafts.into_iter().unzip();
        let made = writer.create(drafts).await.into_iter().map(|made| made.map(|created| created.id));
        outcomes.extend(places.into_iter().zip(made));
        let ids: Vec<(usize, RowId)> = patches.iter().map(|(place, patch)| (*place, patch.id)).collect();
        let written = writer.update(patches.into_iter().map(|(_, patch)| patch)).await;
        outcomes.extend(ids.into_iter().zip(written).map(|((place, id), written)| (place, written.map(|()| id))));
        Ok((0..tickets.len()).map(|place| outcomes.remove(&place).unwrap_or(Err(Refusal::NotSent))).collect())
    }
}
