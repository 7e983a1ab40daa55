//! Looks for what became of a call, and follows tickets, until a request has an end.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::warn;

use super::{Flow, NotGoneOn, Progress, after, moved};
use crate::{
    arin::{self, Call, TicketFilter},
    error_chain::error_chain,
    model::{Config, CustomerHandle, RowId},
    netbox::{RequestFilter, TicketDraft},
    requests::{
        answered::Answered,
        follow::{self, End, Next},
        intent::Intent,
        look::{self, Registered, Seen, Truth, judge, note},
        record::ChangeRequest,
        state::State,
    },
};

impl Flow {
    /// Looks for what became of a call whose answer is not there.
    pub(super) async fn look(
        &self,
        config: &Config,
        request: ChangeRequest,
        mut intent: Intent,
    ) -> Result<Progress, NotGoneOn> {
        let client = self.approvers_client(config, &request)?;
        let seen = self.seen(&client, (&request, &intent)).await?;
        let now = Timestamp::now();
        let truth = judge(&intent, &seen, now, self.settings.requests.look_again);
        note(&mut intent, &seen, &truth, now);
        match truth {
            Truth::Done(registered) => self.done(config, request, intent, (&registered, None)).await,
            Truth::NotDone if intent.may_be_sent_again() => {
                intent.again_at = None;
                self.send(config, request, Some(intent)).await
            }
            Truth::NotDone => {
                // The repetition may have been refused because the first call was carried out late.
                let why = "It was sent twice, and ARIN shows nothing of it. Look at ARIN Online; if it is not there \
                           either, reject it.";
                let wait = look::next_look(&intent, now, self.settings.requests.look_again);
                self.later(request, intent, (State::Unknown, why, wait)).await
            }
            Truth::Conflict(why) => self.failed(config, request, (&intent, &why)).await,
            Truth::Ticket(number) => {
                intent.became(&number, true);
                let known = look::open_ticket(&seen, &number);
                self.ticketed(config, request, intent, &known).await
            }
            Truth::Undecided(why, wait) => self.later(request, intent, (State::Unknown, &why, wait)).await,
        }
    }

    /// Asks how a ticket stands, and looks at the registry once it is over.
    pub(super) async fn follow(
        &self,
        config: &Config,
        request: ChangeRequest,
        mut intent: Intent,
    ) -> Result<Progress, NotGoneOn> {
        let client = self.approvers_client(config, &request)?;
        let Some(held) = intent.ticket.clone() else { return Ok(Progress::rests(request)) };
        let open = self.open_tickets(&client, config, &intent.by).await;
        let mut ticket = follow::listed(&held.number, &open);
        if !follow::not_listed(&[&held.number], &open).is_empty() {
            ticket = Answered::of(client.ticket(&held.number).await);
        }
        let waits = match follow::next(&ticket, intent.sent_at(), Timestamp::now()) {
            Next::Wait(wait, waits) => {
                self.note_ticket(config, &request, (&held.number, &ticket, waits)).await?;
                let why = match waits {
                    Some(true) => format!("Ticket {} waits for you, at ARIN Online.", held.number),
                    Some(false) | None => format!("ARIN works on ticket {}.", held.number),
                };
                return self.later(request, intent, (State::Ticket, &why, wait)).await;
            }
            Next::Look => Some(false),
        };
        self.note_ticket(config, &request, (&held.number, &ticket, waits)).await?;
        intent.ticket_is_over(Timestamp::now());
        let seen = self.seen(&client, (&request, &intent)).await?;
        let now = Timestamp::now();
        let end = follow::end(&intent, &ticket, &seen, (now, self.settings.requests.look_again));
        follow::note(&mut intent, &seen, &end, now);
        if let Answered::Found(found) = &ticket
            && follow::is_to_be_closed(&held, found, &end)
        {
            self.close(&client, &held.number).await;
        }
        match end {
            End::Done(registered) => self.done(config, request, intent, (&registered, None)).await,
            End::Refused(why) => {
                let request = self.record(&request, &moved(&request, State::Refused, &why, Some(&intent))).await?;
                self.log(config, &request, &why).await;
                Ok(Progress::rests(request))
            }
            End::Conflict(why) => self.failed(config, request, (&intent, &why)).await,
            End::Ticket(other) => {
                intent.became(&other, true);
                let known = look::open_ticket(&seen, &other);
                self.ticketed(config, request, intent, &known).await
            }
            End::Later(why, wait) => self.later(request, intent, (State::Ticket, &why, wait)).await,
        }
    }

    /// Records that ARIN has made a ticket of a request.
    pub(super) async fn ticketed(
        &self,
        config: &Config,
        request: ChangeRequest,
        mut intent: Intent,
        ticket: &arin::Ticket,
    ) -> Result<Progress, NotGoneOn> {
        let now = Timestamp::now();
        let (wait, waits) = match follow::next(&Answered::Found(ticket.clone()), intent.sent_at(), now) {
            Next::Wait(wait, waits) => (wait, waits),
            Next::Look => (Duration::ZERO, Some(false)),
        };
        intent.again_at = Some(after(now, wait));
        let message = format!("ARIN has made ticket {} of it.", ticket.number);
        let mut fields = moved(&request, State::Ticket, &message, Some(&intent));
        fields.insert("ticket".to_owned(), ticket.number.as_str().into());
        let request = self.record(&request, &fields).await?;
        self.note_ticket(config, &request, (&ticket.number, &Answered::Found(ticket.clone()), waits)).await?;
        Ok(Progress { again: Some(wait), ..Progress::rests(request) })
    }

    /// Records that a request is done, with what is registered now, and with a ticket that ARIN has made beside it.
    pub(super) async fn done(
        &self,
        config: &Config,
        request: ChangeRequest,
        intent: Intent,
        (registered, ticket): (&Registered, Option<&str>),
    ) -> Result<Progress, NotGoneOn> {
        let mut fields = moved(&request, State::Done, "ARIN has done it.", Some(&intent));
        fields.insert("answer".to_owned(), answer(registered));
        if let Some(number) = ticket {
            fields.insert("ticket".to_owned(), number.into());
        }
        let done = self.record(&request, &fields).await?;
        self.log(config, &done, "ARIN has done it").await;
        self.ask_for_customer_left_behind(config, &request).await;
        Ok(Progress { has_changed_registry: true, ..Progress::rests(done) })
    }

    /// Records that a request came to nothing, and that somebody has to see why.
    async fn failed(
        &self,
        config: &Config,
        request: ChangeRequest,
        (intent, why): (&Intent, &str),
    ) -> Result<Progress, NotGoneOn> {
        let request = self.record(&request, &moved(&request, State::Failed, why, Some(intent))).await?;
        self.log(config, &request, why).await;
        Ok(Progress { has_changed_registry: true, ..Progress::rests(request) })
    }

    /// Records that it is worth another look after a wait.
    async fn later(
        &self,
        request: ChangeRequest,
        mut intent: Intent,
        (state, why, wait): (State, &str, Duration),
    ) -> Result<Progress, NotGoneOn> {
        intent.again_at = Some(after(Timestamp::now(), wait));
        let request = self.record(&request, &moved(&request, state, why, Some(&intent))).await?;
        Ok(Progress { again: Some(wait), ..Progress::rests(request) })
    }

    /// Returns the client of whoever approved a request, if the row is still as it was approved: nobody's key is used
    /// because of what somebody wrote into a row.
    pub(super) fn approvers_client(&self, config: &Config, request: &ChangeRequest) -> Result<arin::Client, NotGoneOn> {
        let destination = self.destination(config, request.id)?;
        let approver = self.sealer()?.verify_approved(request, &destination)?.by.clone();
        self.client(config, &approver, request.id)
    }

    /// Looks at the registry.
    async fn seen(
        &self,
        client: &arin::Client,
        (request, intent): (&ChangeRequest, &Intent),
    ) -> Result<Seen, NotGoneOn> {
        let mut seen = look::look(client, intent).await;
        // There are as many rows as there ever were requests.
        if seen.tickets.found().is_some_and(|tickets| !tickets.is_empty()) {
            seen.claimed = self.claimed(request.id).await?;
        }
        Ok(seen)
    }

    /// Returns the numbers of tickets that are those of other requests.
    async fn claimed(&self, id: RowId) -> Result<BTreeSet<String>, NotGoneOn> {
        let rows = self.netbox.request_rows(&RequestFilter::default()).await;
        let rows = rows.map_err(|why| NotGoneOn::Read { id, why })?;
        Ok(rows.into_iter().filter(|row| row.id != id).filter_map(|row| row.ticket).collect())
    }

    /// Returns the open tickets that a person's key shows, asked for once in a run.
    async fn open_tickets(&self, client: &arin::Client, config: &Config, person: &str) -> Answered<Vec<arin::Ticket>> {
        let mut asked = self.tickets.lock().await;
        let key = (config.id, person.to_owned());
        if let Some(known) = asked.get(&key) {
            return known.clone();
        }
        let tickets = Answered::list(client.tickets(&TicketFilter::open()).await);
        asked.insert(key, tickets.clone());
        tickets
    }

    /// Closes a ticket. It does no harm if that fails.
    async fn close(&self, client: &arin::Client, number: &str) {
        if let Err(error) = client.write(&Call::close_ticket(number)).await {
            warn!(error = %error_chain(&error), "could not close ticket {number}");
        }
    }

    /// Keeps the row of a ticket up to date. What ARIN does not say now stays.
    pub(super) async fn note_ticket(
        &self,
        config: &Config,
        request: &ChangeRequest,
        (number, ticket, waits): (&str, &Answered<arin::Ticket>, Option<bool>),
    ) -> Result<(), NotGoneOn> {
        let Some(ticket) = ticket.found() else { return Ok(()) };
        let instance = self.destination(config, request.id)?.instance;
        let draft = TicketDraft {
            key: instance.key(format!("ticket/{number}")),
            number: number.to_owned(),
            ticket_type: ticket.kind.clone(),
            status: ticket.status.clone(),
            resolution: ticket.resolution.clone(),
            config: config.id,
            change_request: Some(request.id),
            created_at: ticket.created,
            updated_at: ticket.updated,
            waiting_for_us: waits.unwrap_or(false),
        };
        let recorded = self.netbox.record_tickets(&[draft], &self.message()).await;
        let recorded = recorded.map_err(|why| NotGoneOn::Read { id: request.id, why })?;
        recorded
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map(drop)
            .map_err(|why| NotGoneOn::Save { id: request.id, why })
    }
}

/// Returns what is kept of what ARIN answered.
fn answer(Registered { net, customer }: &Registered) -> Value {
    let mut answer = Map::new();
    if let Some(net) = net {
        let customer = net.customer().map(CustomerHandle::as_str);
        let facts = json!({ "handle": net.handle.as_str(), "customer": customer, "document": net.raw.json() });
        answer.insert("net".to_owned(), facts);
    }
    if let Some(customer) = customer {
        let document = customer.raw.json();
        answer.insert("customer".to_owned(), json!({ "handle": customer.handle.as_str(), "document": document }));
    }
    if answer.is_empty() { Value::Null } else { answer.into() }
}
