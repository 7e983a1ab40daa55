//! Opens requests: makes their rows, at most one for each range and registry at a time.
//!
//! Equal ranges are kept apart by the unique key of their rows ([`super::record`]). Ranges that only overlap are looked for
//! before and after the rows are made: of two that come at the same moment at least one sees the other then, and gives way.

use std::collections::BTreeSet;

use jiff::{Timestamp, Unit};
use serde_json::json;

use super::{
    change::Content,
    operation::Operation,
    record::{ChangeRequest, Destination, Subject, approval_fields, key_when_over},
    seal::{Asked, Sealer, digest},
    state::State,
};
use crate::{
    model::{Instance, NetBlock, NetHandle, RowId},
    netbox::{self, Client, Draft, Refusal, RequestFilter, RequestLinks, RequestRow, Row, Saved, registered::range},
};

/// A request to be opened.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct NewRequest {
    pub destination: Destination,
    /// What it is about, even if it is not known yet what is to be sent.
    pub subject: Subject,
    pub operation: Operation,
    pub summary: String,
    pub message: Option<String>,
    pub parent: Option<NetHandle>,
    pub links: RequestLinks,
    pub content: Content,
    pub requested_by: String,
    pub requested_at: Timestamp,
}

/// A request that was not opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// Another one about the same, or about addresses in common, is open.
    #[error("change request {0} is open, which is about the same addresses; wait for it, or withdraw or reject it")]
    Taken(RowId),
    /// Another one of the same call is about addresses in common.
    #[error("another one that was asked for at the same time has addresses in common with it")]
    Twice,
    /// NetBox did not take the row.
    #[error("could not record the change request")]
    NotMade(#[source] Refusal),
}

/// Opens requests with the sidecar's own token. The outcomes stand in the order of the requests.
///
/// # Errors
/// When it cannot be read which are open.
pub async fn open(
    netbox: &Client,
    sealer: &Sealer,
    requests: &[NewRequest],
) -> Result<Vec<Result<RowId, NotOpened>>, netbox::Error> {
    let before = open_rows(netbox).await?;
    let mut places: Vec<(usize, Draft)> = Vec::new();
    let mut outcomes: Vec<Result<RowId, NotOpened>> = Vec::new();
    for (place, new) in requests.iter().enumerate() {
        let earlier =
            requests.iter().take(place).zip(&outcomes).any(|(other, outcome)| outcome.is_ok() && other.meets(new));
        let taken = before.iter().find(|row| new.overlaps(row));
        outcomes.push(match (earlier, taken) {
            (_, Some(row)) => Err(NotOpened::Taken(row.id)),
            (true, None) => Err(NotOpened::Twice),
            (false, None) => {
                places.push((place, new.row(sealer)));
                Ok(RowId(0))
            }
        });
    }
    let (places, drafts): (Vec<usize>, Vec<Draft>) = places.into_iter().unzip();
    let made = make(netbox, drafts, &message(requests)).await;
    for (place, made) in places.into_iter().zip(made) {
        if let Some(outcome) = outcomes.get_mut(place) {
            *outcome = made;
        }
    }
    give_way(netbox, requests, &mut outcomes).await?;
    Ok(outcomes)
}

/// Returns the fields of a request whose content is another one now. It waits for somebody again, if it is complete, and an
/// approval that there was is gone.
#[must_use]
pub fn asked_again(request: &ChangeRequest, content: &Content, destination: &Destination, sealer: &Sealer) -> Row {
    let mut fields = asked(&Asked { content, ..Asked::of(request, destination) }, sealer);
    fields.extend(approval_fields(None));
    fields
}

/// Makes rows. A place that a request holds which is over, because somebody edited its row, is freed.
async fn make(netbox: &Client, drafts: Vec<Draft>, message: &str) -> Vec<Result<RowId, NotOpened>> {
    let mut outcomes = Vec::with_capacity(drafts.len());
    for (made, draft) in netbox.make_requests(drafts.clone(), message).await.into_iter().zip(drafts) {
        outcomes.push(match made {
            Ok(id) => Ok(id),
            Err(Refusal::Taken(holder)) if is_freed(netbox, holder).await => {
                let again = netbox.make_requests(vec![draft], message).await.pop();
                again.unwrap_or(Err(Refusal::NotSent)).map_err(NotOpened::of)
            }
            Err(refusal) => Err(NotOpened::of(refusal)),
        });
    }
    outcomes
}

async fn is_freed(netbox: &Client, holder: RowId) -> bool {
    let Ok(Some(row)) = netbox.request_row(holder).await else { return false };
    let is_over = row.state.parse::<State>().is_ok_and(|state| !state.is_open());
    let key = Row::from_iter([("key".to_owned(), key_when_over(holder).as_str().into())]);
    let free = netbox.save_request((holder, &row.etag), &key, "rir-sidecar: it is over, and gives its place free");
    is_over && matches!(free.await, Ok(Saved::Saved(_)))
}

/// Withdraws those of the requests just opened that another one got in the way of meanwhile.
async fn give_way(
    netbox: &Client,
    requests: &[NewRequest],
    outcomes: &mut [Result<RowId, NotOpened>],
) -> Result<(), netbox::Error> {
    let ours: BTreeSet<RowId> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().copied()).collect();
    if ours.is_empty() {
        return Ok(());
    }
    let others: Vec<RequestRow> = open_rows(netbox).await?.into_iter().filter(|row| !ours.contains(&row.id)).collect();
    for (new, outcome) in requests.iter().zip(outcomes) {
        let (Ok(id), Some(other)) = (&*outcome, others.iter().find(|row| new.overlaps(row))) else { continue };
        let why = format!("change request {} was opened at the same time, about addresses in common", other.id);
        *outcome = withdraw(netbox, *id, &why)
            .await
            .map_or_else(|refusal| Err(NotOpened::NotMade(refusal)), |()| Err(NotOpened::Taken(other.id)));
    }
    Ok(())
}

async fn withdraw(netbox: &Client, id: RowId, why: &str) -> Result<(), Refusal> {
    let unread = |error: netbox::Error| Refusal::GivenUp(error.into());
    let Some(row) = netbox.request_row(id).await.map_err(unread)? else { return Ok(()) };
    let fields = json!({ "state": State::Withdrawn.name(), "key": key_when_over(id).as_str(), "message": why });
    let fields = fields.as_object().cloned().unwrap_or_default();
    netbox.save_request((id, &row.etag), &fields, &format!("rir-sidecar: {why}")).await.map(drop)
}

async fn open_rows(netbox: &Client) -> Result<Vec<RequestRow>, netbox::Error> {
    let states = State::ALL.into_iter().filter(|state| state.is_open()).map(|state| state.name().to_owned());
    netbox.request_rows(&RequestFilter { states: states.collect(), ..RequestFilter::default() }).await
}

fn message(requests: &[NewRequest]) -> String {
    let people: BTreeSet<&str> = requests.iter().map(|new| new.requested_by.as_str()).collect();
    format!("rir-sidecar: asked for by {}", people.into_iter().collect::<Vec<_>>().join(", "))
}

impl NotOpened {
    fn of(refusal: Refusal) -> Self {
        if let Refusal::Taken(id) = refusal { Self::Taken(id) } else { Self::NotMade(refusal) }
    }
}

impl NewRequest {
    /// Returns the row that it becomes.
    #[must_use]
    pub fn row(&self, sealer: &Sealer) -> Draft {
        let Self { destination, subject, operation, content, requested_by, .. } = self;
        let about = match (&content.change, subject) {
            (Some(change), _) => change.range(),
            (None, Subject::Range(range)) => Some(*range),
            (None, Subject::Customer(_)) => None,
        };
        // NetBox keeps times to the microsecond.
        let at = self.requested_at.round(Unit::Microsecond).unwrap_or(self.requested_at);
        let to_seal = Asked { destination, operation: *operation, range: about, content, by: requested_by, at };
        let key = subject.key(&destination.instance).to_string();
        let fields = json!({
            "key": key,
            "summary": self.summary,
            "operation": operation.name(),
            "message": self.message,
            "config": destination.config,
            "range": about.map(|range| range.to_string()),
            "parent_handle": self.parent.as_ref().map(NetHandle::as_str),
            "prefix": self.links.prefix,
            "network": self.links.network,
            "customer": self.links.customer,
            "organization": self.links.organization,
            "requested_by": requested_by,
            "requested_at": at.to_string(),
        });
        let mut body = fields.as_object().cloned().unwrap_or_default();
        body.extend(asked(&to_seal, sealer));
        Draft { key, body }
    }

    /// Returns whether another new request is in its way.
    fn meets(&self, other: &Self) -> bool {
        match (&self.subject, &other.subject) {
            _ if self.destination.instance != other.destination.instance => false,
            (Subject::Range(one), Subject::Range(two)) => one.overlaps(two),
            (one, two) => one == two,
        }
    }

    /// Returns whether an open row is about addresses in common, or about the same customer.
    fn overlaps(&self, row: &RequestRow) -> bool {
        let instance = &self.destination.instance;
        match &self.subject {
            Subject::Range(ours) => range_held(row, instance).is_some_and(|range| range.overlaps(ours)),
            Subject::Customer(_) => row.key == self.subject.key(instance),
        }
    }
}

/// Returns the range at a registry instance that an open row keeps others from.
fn range_held(row: &RequestRow, instance: &Instance) -> Option<NetBlock> {
    let range = range(row.range.as_deref()?)?;
    (row.key == Subject::Range(range).key(instance)).then_some(range)
}

/// Returns the fields that say what is sent, with the seal of that.
fn asked(to_seal: &Asked<'_>, sealer: &Sealer) -> Row {
    let Asked { destination, content, .. } = to_seal;
    let state = if content.is_ready() { State::Waiting } else { State::Draft };
    let fields = json!({
        "state": state.name(),
        "payload": content,
        "digest": content.call.as_ref().map(|call| digest(&destination.instance, call)),
        "seal": sealer.ask(to_seal),
    });
    fields.as_object().cloned().unwrap_or_default()
}
