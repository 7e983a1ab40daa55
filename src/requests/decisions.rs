//! What people decide about requests: approve, reject, withdraw; and approvals that come by themselves, or end.
//!
//! | decision | who | written with |
//! |---|---|---|
//! | approve, reject | who may change the row in NetBox, with a token of their own | that token |
//! | withdraw | who asked for it | the sidecar's token |
//! | approve beforehand, expire | nobody | the sidecar's token |
//!
//! What a person decides by their permission is written with their token: NetBox's change log names them, and NetBox itself
//! looks at the permission again as it writes. Whoever asked may be allowed to add rows only, and so takes back what the
//! sidecar has written for them. The seal is the sidecar's in each case, and each row is written only as long as nobody has
//! changed it since it was looked at.

use jiff::{Timestamp, civil::Time, tz::TimeZone};

use super::{
    approve::{Approver, NotApproved, NotStanding, Standing, is_expired, may_approve, standing},
    record::{Approval, ChangeRequest, Destination, NotUnderstood, approval_fields},
    seal::{Asked, NotSealed, Sealer, digest},
    state::State,
};
use crate::{
    arin,
    config::{self, keys::Keyring},
    model::{Config, RowId},
    netbox::{self, Client, Refusal, RequestFilter, RequestRow, Row, Saved},
    retry::Retry,
};

/// What decisions are made with.
#[derive(Debug, Clone, Copy)]
pub struct Decisions<'a> {
    /// NetBox, with the sidecar's own token.
    pub netbox: &'a Client,
    /// The registry instances that may be asked.
    pub arin: &'a arin::Pool,
    /// The API keys.
    pub keys: &'a Keyring,
    /// The rules.
    pub settings: &'a config::Requests,
    /// The time.
    pub now: Timestamp,
}

/// Somebody who decides.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The NetBox user, by the token that they brought.
    pub name: &'a str,
    /// NetBox, with that token; `None` for somebody whom the sidecar's own token speaks for.
    pub netbox: Option<&'a Client>,
}

/// A decision that did not come about.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub enum NotDecided {
    /// It may not be approved.
    #[error(transparent)]
    NotApproved(#[from] NotApproved),
    /// It was not approved beforehand.
    #[error("change request {id} was not approved beforehand")]
    NotStanding {
        id: RowId,
        #[source]
        why: NotStanding,
    },
    /// Its seal is broken.
    #[error(transparent)]
    NotSealed(#[from] NotSealed),
    /// Its row makes no sense.
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
    /// There is none, or none that this person sees.
    #[error("there is no change request {0}, or none that you may view in NetBox")]
    NoSuchRequest(RowId),
    /// It is too late.
    #[error("change request {id} is {state}, and cannot be {decision} any more")]
    TooLate { id: RowId, state: State, decision: State },
    /// Only those who may change it decide against it.
    #[error(
        "{person} needs the permission to change change request {id} in NetBox, and a token of their own, to reject it"
    )]
    MayNotReject { id: RowId, person: String },
    /// Only who asked for it takes it back.
    #[error(
        "{asked} has asked for change request {id}; only they can withdraw it, but whoever may change it can reject it"
    )]
    NotTheirs { id: RowId, asked: String },
    /// Somebody else was faster.
    #[error("somebody else has changed change request {0} meanwhile; look at it again")]
    Changed(RowId),
    /// Its config is not there any more, or leads where no key may be sent.
    #[error("the RIR config of change request {0} is gone, or its API URL is not in arin.allowed_base_urls")]
    NoDestination(RowId),
    /// NetBox cannot be asked.
    #[error("could not read change request {0} and what decides about it")]
    Read(RowId, #[source] netbox::Error),
    /// NetBox did not take it.
    #[error("could not record the decision about change request {0}")]
    Save(RowId, #[source] Refusal),
}

/// What kind of reason a decision did not come about for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDecidedKind {
    /// The person may not.
    NotPermitted,
    /// There is no such request, as far as the person sees.
    NotFound,
    /// Nothing may be decided at all, as the settings say.
    Disabled,
    /// The person has no API key.
    NoKey,
    /// The request does not allow it as it stands.
    State,
    /// NetBox could not be asked, or did not take it.
    Unavailable,
}

impl NotDecided {
    /// Returns of which kind it is.
    #[must_use]
    pub fn kind(&self) -> NotDecidedKind {
        match self {
            Self::NotApproved(NotApproved::Disabled) => NotDecidedKind::Disabled,
            Self::NotApproved(NotApproved::NoKey { .. }) => NotDecidedKind::NoKey,
            Self::NotApproved(
                NotApproved::NoOwnToken { .. } | NotApproved::NotPermitted { .. } | NotApproved::OwnRequest { .. },
            )
            | Self::MayNotReject { .. }
            | Self::NotTheirs { .. }
            | Self::Save(_, Refusal::Forbidden(_)) => NotDecidedKind::NotPermitted,
            Self::NoSuchRequest(_) => NotDecidedKind::NotFound,
            Self::Read(..) | Self::Save(..) => NotDecidedKind::Unavailable,
            Self::NotApproved(
                NotApproved::NotWaiting { .. }
                | NotApproved::Incomplete { .. }
                | NotApproved::Blocked { .. }
                | NotApproved::OtherDigest { .. },
            )
            | Self::NotStanding { .. }
            | Self::NotSealed(_)
            | Self::NotUnderstood(_)
            | Self::TooLate { .. }
            | Self::Changed(_)
            | Self::NoDestination(_) => NotDecidedKind::State,
        }
    }

    /// Returns whether trying again may help without anybody doing something.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Read(_, error) => error.retry(),
            Self::Save(_, refusal) => refusal.retry(),
            Self::NotApproved(_)
            | Self::NotStanding { .. }
            | Self::NotSealed(_)
            | Self::NotUnderstood(_)
            | Self::NoSuchRequest(_)
            | Self::TooLate { .. }
            | Self::MayNotReject { .. }
            | Self::NotTheirs { .. }
            | Self::Changed(_)
            | Self::NoDestination(_) => Retry::Never,
        }
    }
}

impl Decisions<'_> {
    /// Approves a request, of which a person has seen the digest `saw`; `None` if they approve it as it stands, whatever that
    /// is. Returns it as it is then.
    ///
    /// # Errors
    /// When they may not, or it is not what they saw, or NetBox does not take it.
    pub async fn approve(
        &self,
        person: &Person<'_>,
        configs: &[Config],
        (id, saw): (RowId, Option<&str>),
    ) -> Result<ChangeRequest, NotDecided> {
        let sealer = self.sealer()?;
        let Some(client) = person.netbox else {
            return Err(NotApproved::NoOwnToken { person: person.name.to_owned() }.into());
        };
        let request = self.request(client, id).await?;
        let destination = self.destination(&request, configs)?;
        let config = destination.name.as_str();
        let now = request.content.call.as_ref().map(|call| digest(&destination.instance, call)).unwrap_or_default();
        let approver = Approver {
            name: person.name,
            with_own_token: true,
            has_key: self.has_key(config, person.name),
            saw: saw.unwrap_or(&now),
        };
        let approval = may_approve(&request, (&approver, config, &now), self.settings, self.now)?;
        sealer.verify_asked(&request, &destination)?;
        let message = format!("rir-sidecar: {} approved what is to be changed at the registry", person.name);
        let fields = approved(&request, &destination, &sealer, &approval);
        let may_not = || NotApproved::NotPermitted { id, person: person.name.to_owned() }.into();
        self.save_permitted(client, &request, (&fields, &message), may_not).await
    }

    /// Approves a request that was approved beforehand: by "Auto reassign" of a network that it is inside, and by whoever
    /// made the change in NetBox that it follows from. Jobs of one config never run side by side, so that no day has more of
    /// them than it may.
    ///
    /// # Errors
    /// When it was not, or NetBox does not take it.
    pub async fn approve_standing(
        &self,
        request: &ChangeRequest,
        configs: &[Config],
        changed_by: Option<&str>,
    ) -> Result<ChangeRequest, NotDecided> {
        let id = request.id;
        let sealer = self.sealer()?;
        let destination = self.destination(request, configs)?;
        let read = |error| NotDecided::Read(id, error);
        let inside = self.netbox.auto_reassigned(request.config).await.map_err(read)?;
        let today = self.standing_today(request.config).await.map_err(read)?;
        let ground = Standing {
            inside: &inside,
            changed_by,
            has_key: self.has_key(&destination.name, &request.requested_by),
            today,
        };
        let approval = standing(request, &ground, self.settings, self.now);
        let approval = approval.map_err(|why| NotDecided::NotStanding { id, why })?;
        sealer.verify_asked(request, &destination)?;
        let message = format!("rir-sidecar: approved beforehand, by a network's \"Auto reassign\" and {}", approval.by);
        self.save(self.netbox, request, (&approved(request, &destination, &sealer, &approval), &message)).await
    }

    /// Returns how many more requests of a config may be approved beforehand today.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn standing_left(&self, config: RowId) -> Result<u32, netbox::Error> {
        Ok(self.settings.auto_per_day.saturating_sub(self.standing_today(config).await?))
    }

    async fn standing_today(&self, config: RowId) -> Result<u32, netbox::Error> {
        let filter = RequestFilter { config: Some(config), ..RequestFilter::default() };
        let rows = self.netbox.request_rows(&filter).await?;
        let today = rows.iter().filter(|row| was_standing_today(row, self.now)).count();
        Ok(u32::try_from(today).unwrap_or(u32::MAX))
    }

    /// Rejects a request, for a reason that is kept with it.
    ///
    /// # Errors
    /// When the person may not, or it is too late, or NetBox does not take it.
    pub async fn reject(&self, person: &Person<'_>, id: RowId, reason: &str) -> Result<ChangeRequest, NotDecided> {
        let may_not = || NotDecided::MayNotReject { id, person: person.name.to_owned() };
        let client = person.netbox.ok_or_else(may_not)?;
        let request = self.request(client, id).await?;
        let said = if reason.trim().is_empty() { String::new() } else { format!(": {}", reason.trim()) };
        let message = format!("rejected by {}{said}", person.name);
        let fields = may_end(&request, State::Rejected)?.moved_because(State::Rejected, &message);
        self.save_permitted(client, &request, (&fields, &format!("rir-sidecar: {message}")), may_not).await
    }

    /// Takes a request back for who asked for it.
    ///
    /// # Errors
    /// When the person did not, or it is too late, or NetBox does not take it.
    pub async fn withdraw(&self, person: &Person<'_>, id: RowId) -> Result<ChangeRequest, NotDecided> {
        let request = self.request(person.netbox.unwrap_or(self.netbox), id).await?;
        if request.requested_by != person.name {
            return Err(NotDecided::NotTheirs { id, asked: request.requested_by });
        }
        self.end(&request, (State::Withdrawn, &format!("withdrawn by {}", person.name))).await
    }

    /// Ends a request whose approval is over. Returns `None` for any other.
    ///
    /// # Errors
    /// When NetBox does not take it.
    pub async fn expire(&self, request: &ChangeRequest) -> Result<Option<ChangeRequest>, NotDecided> {
        if !is_expired(request, self.now) {
            return Ok(None);
        }
        let message = "the approval ended before it was sent; ask for it again";
        self.end(request, (State::Expired, message)).await.map(Some)
    }

    fn sealer(&self) -> Result<Sealer, NotApproved> {
        Sealer::new(self.settings).filter(|_| self.settings.enabled).ok_or(NotApproved::Disabled)
    }

    fn has_key(&self, config: &str, person: &str) -> bool {
        self.keys.of(config).any(|key| key.user == person)
    }

    async fn request(&self, client: &Client, id: RowId) -> Result<ChangeRequest, NotDecided> {
        let row = client.request_row(id).await.map_err(|error| NotDecided::Read(id, error))?;
        Ok(row.ok_or(NotDecided::NoSuchRequest(id))?.try_into()?)
    }

    fn destination(&self, request: &ChangeRequest, configs: &[Config]) -> Result<Destination, NotDecided> {
        let config = configs.iter().find(|config| config.id == request.config);
        let destination =
            config.and_then(|config| Some(Destination::new(config, self.arin.instance(&config.api_url)?)));
        destination.ok_or(NotDecided::NoDestination(request.id))
    }

    /// Ends a request of which nothing was sent, with the sidecar's own token.
    async fn end(&self, request: &ChangeRequest, (to, message): (State, &str)) -> Result<ChangeRequest, NotDecided> {
        let fields = may_end(request, to)?.moved_because(to, message);
        self.save(self.netbox, request, (&fields, &format!("rir-sidecar: {message}"))).await
    }

    /// Writes what a person decides with their token. It is NetBox that says whether they may.
    async fn save_permitted(
        &self,
        client: &Client,
        request: &ChangeRequest,
        written: (&Row, &str),
        may_not: impl FnOnce() -> NotDecided + Send,
    ) -> Result<ChangeRequest, NotDecided> {
        match self.save(client, request, written).await {
            // They have seen it a moment ago.
            Err(NotDecided::Save(_, Refusal::Forbidden(_)) | NotDecided::NoSuchRequest(_)) => Err(may_not()),
            saved => saved,
        }
    }

    async fn save(
        &self,
        client: &Client,
        request: &ChangeRequest,
        (fields, message): (&Row, &str),
    ) -> Result<ChangeRequest, NotDecided> {
        let saved = client.save_request((request.id, &request.etag), fields, message).await;
        match saved.map_err(|why| NotDecided::Save(request.id, why))? {
            Saved::Saved(row) => Ok((*row).try_into()?),
            Saved::Changed => Err(NotDecided::Changed(request.id)),
            Saved::NotThere => Err(NotDecided::NoSuchRequest(request.id)),
        }
    }
}

/// Returns the request if it can be ended like that: nothing of it was sent, or it was sent in vain.
fn may_end(request: &ChangeRequest, to: State) -> Result<&ChangeRequest, NotDecided> {
    let (id, state) = (request.id, request.state);
    let given_up = to == State::Rejected && state == State::Unknown && was_sent_in_vain(request);
    if !state.is_open() || (state.is_under_way() && !given_up) {
        return Err(NotDecided::TooLate { id, state, decision: to });
    }
    Ok(request)
}

/// Returns whether a request was sent as often as it is, and ARIN has shown nothing of it in the last look. A person may say
/// then that nothing will come of it.
fn was_sent_in_vain(request: &ChangeRequest) -> bool {
    request
        .noted()
        .is_some_and(|intent| !intent.may_be_sent_again() && intent.looked.last().is_some_and(|look| look.nothing))
}

/// Returns the fields of a request that is approved.
fn approved(request: &ChangeRequest, destination: &Destination, sealer: &Sealer, approval: &Approval) -> Row {
    let mut fields = request.moved(State::Approved);
    fields.extend(approval_fields(Some(approval)));
    let seal = sealer.approve(request.id, &Asked::of(request, destination), approval);
    fields.insert("seal".to_owned(), seal.into());
    fields
}

/// Returns whether a request was approved beforehand since midnight UTC. One that somebody asked for and approved counts as
/// well: nobody else has looked at either.
fn was_standing_today(row: &RequestRow, now: Timestamp) -> bool {
    let midnight = now.to_zoned(TimeZone::UTC).with().time(Time::midnight()).build();
    let today = |at: Timestamp| midnight.as_ref().is_ok_and(|midnight| at >= midnight.timestamp());
    row.approved_by.is_some() && row.approved_by == row.requested_by && row.approved_at.is_some_and(today)
}
