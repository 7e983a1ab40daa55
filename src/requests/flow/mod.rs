//! Goes on with requests: sends what is approved, once; looks for what became of a call without an answer; follows tickets.
//!
//! | file | its part |
//! |---|---|
//! | `step` | what a request needs next: pure |
//! | `send` | checks again, claims the row, sends, and records what came of it |
//! | `settle` | looks at the registry, and at tickets |
//! | `left_behind` | the request for the customer of a network that was returned |
//! | `logged` | the rows of the sync log |
//!
//! A row is claimed before anything is sent: it becomes `submitting`, on the condition that nobody has changed it since it was
//! read, with the intent in it and the time at which the claim ends. So of two processes that see the same approval one
//! sends. Whoever finds a claim that has ended takes the call for one whose answer was lost.

mod left_behind;
mod logged;
mod send;
mod settle;
mod step;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::lock::Mutex;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub use self::step::{Step, step};
use super::{
    answered::Answered,
    checks::Known,
    decisions::{Decisions, NotDecided},
    intent::Intent,
    record::{ChangeRequest, Destination, NotUnderstood},
    seal::{NotSealed, Sealer},
    state::State,
};
use crate::{
    arin,
    config::{
        Settings,
        keys::{Keyring, NoKey},
    },
    model::{Config, RowId},
    netbox::{self, Refusal, RequestFilter, RequestRow, Row, Saved},
    retry::Retry,
};

/// What requests are gone on with. One is made for each run, as it keeps what was asked once for all of them.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Flow {
    pub netbox: netbox::Client,
    /// The registry instances that may be asked.
    pub arin: arin::Pool,
    /// The API keys.
    pub keys: Keyring,
    pub settings: Arc<Settings>,
    /// Cancelled when nothing more is to be begun. What was begun comes to its end.
    pub stop: CancellationToken,
    /// The name of the run, for NetBox's change log and the sync log.
    pub run: String,
    /// What requests of each config are checked against in NetBox.
    known: Mutex<BTreeMap<RowId, Arc<Known>>>,
    /// The open tickets that each person's key has shown in this run.
    tickets: Mutex<BTreeMap<(RowId, String), OpenTickets>>,
}

/// The open tickets that a key shows.
type OpenTickets = Answered<Vec<arin::Ticket>>;

/// How a request stands after it was gone on with.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The request.
    pub request: ChangeRequest,
    /// Its end was reached just now, and the registry is another one than before: the rows of its range are to be synced.
    pub has_changed_registry: bool,
    /// The time after which it is worth another try; `None` if it waits for a person, or is over.
    pub again: Option<Duration>,
}

/// A request that could not be gone on with. Its row says how far it came.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub enum NotGoneOn {
    /// Nothing may be sent.
    #[error("changes at the registry are switched off; set requests.enabled and requests.seal_file to allow them")]
    Disabled,
    /// Its row was edited, or its approval is over.
    #[error(transparent)]
    NotSealed(#[from] NotSealed),
    /// Its row makes no sense.
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
    /// It is somebody else's.
    #[error("{approver} has approved change request {id}, so that only {approver} can send it")]
    OtherApprover { id: RowId, approver: String },
    /// It was sent, and what was noted of that is not there.
    #[error(
        "change request {0} is {1}, but what was noted when it was sent cannot be read; was it edited in NetBox? Look at \
         ARIN Online what became of it"
    )]
    NoIntent(RowId, State),
    /// Its config is gone.
    #[error("the RIR config of change request {0} is gone")]
    NoConfig(RowId),
    /// Whoever approved it has no key any more.
    #[error("change request {id} waits for an API key")]
    NoKey {
        id: RowId,
        #[source]
        why: NoKey,
    },
    /// The registry of its config is not to be asked.
    #[error("change request {id} cannot be sent")]
    NoClient {
        id: RowId,
        #[source]
        why: arin::Error,
    },
    /// ARIN cannot be asked what has to be known before it is sent.
    #[error("change request {id} is not sent yet, as ARIN could not be asked: {why}")]
    NotChecked { id: RowId, why: String },
    /// Somebody has changed it meanwhile.
    #[error("somebody else has changed change request {0} meanwhile; look at it again")]
    Changed(RowId),
    /// Nothing more was to be begun.
    #[error("stopped before change request {0}")]
    Stopped(RowId),
    /// Its end could not be recorded.
    #[error(transparent)]
    NotDecided(#[from] NotDecided),
    /// NetBox cannot be asked.
    #[error("could not read what change request {id} depends on")]
    Read {
        id: RowId,
        #[source]
        why: netbox::Error,
    },
    /// NetBox did not take how far it came.
    #[error("could not record how far change request {id} came")]
    Save {
        id: RowId,
        #[source]
        why: Refusal,
    },
}

impl NotGoneOn {
    /// Returns whether trying again may help without anybody doing something.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Disabled
            | Self::NotSealed(_)
            | Self::NotUnderstood(_)
            | Self::OtherApprover { .. }
            | Self::NoIntent(..)
            | Self::NoConfig(_)
            | Self::NoKey { .. }
            | Self::NoClient { .. } => Retry::Never,
            Self::NotChecked { .. } | Self::Changed(_) | Self::Stopped(_) => Retry::Backoff,
            Self::NotDecided(why) => why.retry(),
            Self::Read { why, .. } => why.retry(),
            Self::Save { why, .. } => why.retry(),
        }
    }
}

impl Flow {
    /// Makes one for a run.
    #[must_use]
    pub fn new(
        (netbox, arin): (netbox::Client, arin::Pool),
        keys: Keyring,
        settings: Arc<Settings>,
        (stop, run): (CancellationToken, String),
    ) -> Self {
        Self { netbox, arin, keys, settings, stop, run, known: Mutex::default(), tickets: Mutex::default() }
    }

    /// Does the next thing about a request, if there is one. With `now_too` it also looks where it is not time yet.
    ///
    /// # Errors
    /// When it could not be done; the row of the request says how far it came.
    pub async fn go_on(&self, config: &Config, request: ChangeRequest, now_too: bool) -> Result<Progress, NotGoneOn> {
        if !self.settings.requests.enabled {
            return Err(NotGoneOn::Disabled);
        }
        if self.stop.is_cancelled() {
            return Err(NotGoneOn::Stopped(request.id));
        }
        let decisions = Decisions {
            netbox: &self.netbox,
            arin: &self.arin,
            keys: &self.keys,
            settings: &self.settings.requests,
            now: Timestamp::now(),
        };
        if let Some(expired) = decisions.expire(&request).await? {
            return Ok(Progress::rests(expired));
        }
        let intent = request.noted();
        if request.state.is_under_way() && intent.is_none() {
            return Err(NotGoneOn::NoIntent(request.id, request.state));
        }
        match step(&request, intent, Timestamp::now(), now_too) {
            Step::Rest => Ok(Progress::rests(request)),
            Step::Wait(wait) => Ok(Progress { again: Some(wait), ..Progress::rests(request) }),
            Step::Send => self.send(config, request, None).await,
            Step::Look(intent) => self.look(config, request, *intent).await,
            Step::Follow(intent) => self.follow(config, request, *intent).await,
        }
    }

    /// Returns the requests of a config of which something is to be done: those to be sent first, and of the others that first
    /// which was left alone for the longest time. So a run that is broken off again and again comes to all of them, however
    /// many have to be looked at.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn work(&self, config: &Config) -> Result<Vec<RowId>, netbox::Error> {
        let states = State::ALL.into_iter().filter(|state| *state == State::Approved || state.is_under_way());
        let states = states.map(|state| state.name().to_owned()).collect();
        let filter = RequestFilter { config: Some(config.id), states, ids: Vec::new() };
        let mut rows = self.netbox.request_rows(&filter).await?;
        let is_sent = |row: &RequestRow| row.state != State::Approved.name();
        rows.sort_by(|one, other| (is_sent(one), &one.etag, one.id).cmp(&(is_sent(other), &other.etag, other.id)));
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Reads a request, and does the next thing about it as [`Flow::go_on`] does.
    ///
    /// # Errors
    /// As [`Flow::go_on`], and when its row is gone or makes no sense.
    pub async fn take_up(&self, config: &Config, id: RowId, now_too: bool) -> Result<Progress, NotGoneOn> {
        if self.stop.is_cancelled() {
            return Err(NotGoneOn::Stopped(id));
        }
        let row = self.netbox.request_row(id).await.map_err(|why| NotGoneOn::Read { id, why })?;
        let row = row.ok_or(NotGoneOn::NotDecided(NotDecided::NoSuchRequest(id)))?;
        self.go_on(config, row.try_into()?, now_too).await
    }

    fn sealer(&self) -> Result<Sealer, NotGoneOn> {
        Sealer::new(&self.settings.requests).ok_or(NotGoneOn::Disabled)
    }

    fn destination(&self, config: &Config, id: RowId) -> Result<Destination, NotGoneOn> {
        let instance = self.arin.instance(&config.api_url);
        instance
            .map(|instance| Destination::new(config, instance))
            .ok_or_else(|| NotGoneOn::NotDecided(NotDecided::NoDestination(id)))
    }

    /// Returns the client with the key of a person, and nobody else's.
    fn client(&self, config: &Config, person: &str, id: RowId) -> Result<arin::Client, NotGoneOn> {
        let key = self.keys.choose(&config.name, Some(person), None).map_err(|why| NotGoneOn::NoKey { id, why })?;
        let client = self.arin.client(&config.api_url, key.secret.clone());
        client.map_err(|why| NotGoneOn::NoClient { id, why })
    }

    /// Changes a row that nobody else has changed since it was read.
    async fn save(&self, request: &ChangeRequest, fields: &Row) -> Result<ChangeRequest, NotGoneOn> {
        let id = request.id;
        let saved = self.netbox.save_request((id, &request.etag), fields, &self.message()).await;
        match saved.map_err(|why| NotGoneOn::Save { id, why })? {
            Saved::Saved(row) => Ok((*row).try_into()?),
            Saved::Changed => Err(NotGoneOn::Changed(id)),
            Saved::NotThere => Err(NotGoneOn::NotDecided(NotDecided::NoSuchRequest(id))),
        }
    }

    /// Records what became of a call. What is known of that counts more than what somebody wrote into the row meanwhile.
    async fn record(&self, request: &ChangeRequest, fields: &Row) -> Result<ChangeRequest, NotGoneOn> {
        let id = request.id;
        match self.save(request, fields).await {
            Err(NotGoneOn::Changed(_)) => {
                let row = self.netbox.request_row(id).await.map_err(|why| NotGoneOn::Read { id, why })?;
                let row = row.ok_or(NotGoneOn::NotDecided(NotDecided::NoSuchRequest(id)))?;
                let etag = row.etag;
                self.save(&ChangeRequest { etag, ..request.clone() }, fields).await
            }
            saved => saved,
        }
    }

    /// Returns the line of NetBox's change log.
    fn message(&self) -> String {
        format!("rir-sidecar requests {}", self.run)
    }
}

impl Progress {
    fn rests(request: ChangeRequest) -> Self {
        Self { request, has_changed_registry: false, again: None }
    }
}

/// Returns the fields by which a request gets to another state, with a sentence and what is known of its call.
fn moved(request: &ChangeRequest, to: State, message: &str, intent: Option<&Intent>) -> Row {
    let mut fields = request.moved_because(to, message);
    fields.insert("intent".to_owned(), intent.map_or(Value::Null, |intent| json!(intent)));
    fields
}

/// Returns the moment after a wait.
fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}
