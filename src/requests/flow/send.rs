//! Sends a request that is approved, once.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Flow, NotGoneOn, Progress, after, moved};
use crate::{
    arin::Ticket,
    config,
    findings::read::read_without_prefixes,
    model::Config,
    netbox::{self, RequestFilter},
    requests::{
        answered::Answered,
        change::{Change, Content},
        checks::{self, Known, Live, UnderWay, check},
        intent::Intent,
        look::{Sent, settled, unsettled},
        open::asked_again,
        record::{ChangeRequest, Destination, approval_fields},
        seal::NotSealed,
        state::State,
    },
};

/// The wait before a call that did not leave this machine is sent again.
const NOT_SENT: Duration = Duration::from_secs(60);

impl Flow {
    /// Checks a request again, claims its row, sends it, and records what came of it. With an intent it was sent before, and
    /// is certainly not done.
    pub(super) async fn send(
        &self,
        config: &Config,
        request: ChangeRequest,
        before: Option<Intent>,
    ) -> Result<Progress, NotGoneOn> {
        let (sealer, destination) = (self.sealer()?, self.destination(config, request.id)?);
        let approval = match sealer.valid_approval(&request, &destination, Timestamp::now()) {
            Ok(approval) => approval.clone(),
            Err(broken @ NotSealed::Broken(_)) if before.is_none() => {
                self.void(&request, &broken.to_string()).await?;
                return Err(broken.into());
            }
            Err(other) => return Err(other.into()),
        };
        let (Some(change), Some(call)) = (&request.content.change, &request.content.call) else {
            return Err(NotSealed::Broken(request.id).into());
        };
        let client = self.client(config, &approval.by, request.id)?;
        let live = checks::ask(&client, change).await;
        if let Some(why) = live.failure() {
            return Err(NotGoneOn::NotChecked { id: request.id, why });
        }
        let known = self.known(config, &request, &destination).await?;
        let content = checked(&request.content, change, &live, &known);
        if content.is_blocked() {
            let why = content.blocked_because();
            let request = self.back_to_draft(&request, &destination, (&content, &why)).await?;
            return Ok(Progress::rests(request));
        }
        let now = Timestamp::now();
        let mut intent = match before {
            Some(intent) => Intent { sent_again: Some(now), ..intent },
            None => Intent::new(change.clone(), &approval.by, now, live.net.found()),
        };
        let claim = config::Requests::claim(&self.settings.arin);
        intent.again_at = Some(after(now, claim));
        let mut fields = moved(&request, State::Submitting, "It is being sent.", Some(&intent));
        fields.insert("submitted_at".to_owned(), json!(now.to_string()));
        let claimed = self.save(&request, &fields).await?;
        // From here on it comes to an end that is recorded, whoever wants to stop.
        let sent = match timeout(claim, client.write(call)).await {
            Ok(Ok(receipt)) => settled(change, &receipt),
            Ok(Err(unwritten)) => unsettled(&intent, &unwritten),
            Err(_) => Sent::Unknown("there was no answer in time".to_owned()),
        };
        self.ended(config, claimed, intent, sent).await
    }

    /// Records what came of sending a call.
    async fn ended(
        &self,
        config: &Config,
        request: ChangeRequest,
        mut intent: Intent,
        sent: Sent,
    ) -> Result<Progress, NotGoneOn> {
        match sent {
            Sent::Done(registered, ticket) => {
                let progress = self.done(config, request, intent, (&registered, ticket.as_deref())).await?;
                if let Some(number) = ticket {
                    // What it is for is known by what is done; the row is for whoever looks for it.
                    let ticket = Answered::Found(Ticket::numbered(&number));
                    self.note_ticket(config, &progress.request, (&number, &ticket, None)).await?;
                }
                Ok(progress)
            }
            Sent::Ticket(number) => {
                intent.became(&number, false);
                self.ticketed(config, request, intent, &Ticket::numbered(&number)).await
            }
            Sent::Refused(why) => {
                let request = self.record(&request, &moved(&request, State::Refused, &why, Some(&intent))).await?;
                self.log(config, &request, &why).await;
                Ok(Progress::rests(request))
            }
            Sent::NotSent(why) => {
                let message = format!("It was not sent: {why}.");
                let request = self.record(&request, &moved(&request, State::Approved, &message, None)).await?;
                Ok(Progress { again: Some(NOT_SENT), ..Progress::rests(request) })
            }
            Sent::Unknown(why) => {
                intent.again_at = Some(Timestamp::now());
                let message = format!("It is not known yet what became of it: {why}.");
                let request = self.record(&request, &moved(&request, State::Unknown, &message, Some(&intent))).await?;
                Ok(Progress { again: Some(Duration::ZERO), ..Progress::rests(request) })
            }
            Sent::SomethingElse(why) => {
                intent.again_at = Some(Timestamp::now());
                let request = self.record(&request, &moved(&request, State::Unknown, &why, Some(&intent))).await?;
                self.log(config, &request, &why).await;
                Ok(Progress { again: Some(Duration::ZERO), has_changed_registry: true, request })
            }
        }
    }

    /// Takes the approval and the seal off a request whose row somebody has edited. It is not sealed anew: whoever edited it
    /// would have it as if it had been asked for like that, and could approve it.
    async fn void(&self, request: &ChangeRequest, why: &str) -> Result<ChangeRequest, NotGoneOn> {
        let mut fields = request.moved_because(State::Draft, why);
        fields.extend(approval_fields(None));
        fields.insert("seal".to_owned(), Value::Null);
        self.save(request, &fields).await
    }

    /// Makes a request, whose seal is whole, a draft again, which nobody has approved.
    async fn back_to_draft(
        &self,
        request: &ChangeRequest,
        destination: &Destination,
        (content, why): (&Content, &str),
    ) -> Result<ChangeRequest, NotGoneOn> {
        let mut fields = asked_again(request, content, destination, &self.sealer()?);
        fields.insert("state".to_owned(), State::Draft.name().into());
        fields.insert("message".to_owned(), why.into());
        self.save(request, &fields).await
    }

    /// Returns what a request is checked against in NetBox, which is read once in a run.
    pub(super) async fn known(
        &self,
        config: &Config,
        request: &ChangeRequest,
        destination: &Destination,
    ) -> Result<Arc<Known>, NotGoneOn> {
        let mut all = self.known.lock().await;
        let known = match all.get(&config.id) {
            Some(known) => Arc::clone(known),
            None => {
                let read = |why| NotGoneOn::Read { id: request.id, why };
                let known = Arc::new(self.read_known(destination).await.map_err(read)?);
                all.insert(config.id, Arc::clone(&known));
                known
            }
        };
        drop(all);
        if known.under_way.iter().all(|other| other.id != request.id) {
            return Ok(known);
        }
        let others = known.under_way.iter().filter(|other| other.id != request.id).cloned();
        Ok(Arc::new(Known { under_way: others.collect(), ..Known::clone(&known) }))
    }

    async fn read_known(&self, destination: &Destination) -> Result<Known, netbox::Error> {
        let configs = self.netbox.configs().await?;
        let instances = configs.iter().filter_map(|it| Some((it.id, self.arin.instance(&it.api_url)?))).collect();
        let sides = read_without_prefixes(&self.netbox, &instances, &self.settings).await?;
        let filter = RequestFilter { states: UnderWay::states(), ..RequestFilter::default() };
        let under_way = self.netbox.request_rows(&filter).await?.iter().filter_map(UnderWay::of).collect();
        Ok(Known::new((&sides.0, &sides.1), &self.settings.findings, destination, under_way))
    }
}

/// Returns the content with the checks of now.
fn checked(content: &Content, change: &Change, live: &Live, known: &Known) -> Content {
    Content { checks: check(change, content, live, known), ..content.clone() }
}
