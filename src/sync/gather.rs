//! Asks the RIR everything a run wants to know, and passes on what it learns as it learns it.
//!
//! What is passed on comes in an order in which references point backwards: an organization before the nets it holds, a
//! net before its customer. So whoever listens can write at once, while the asking goes on.
//! Each organization, customer and contact is asked for once, however many nets refer to it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Display,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{OnceCell, mpsc, oneshot};

use super::{
    Context,
    outcome::{Failure, Skip},
    progress::{Phase, Progress},
    questions::{Questions, Recorded},
    walk,
};
use crate::{
    arin::{self, Client},
    model::{
        Customer, CustomerHandle, Holder, Instance, Key, Net, NetHandle, ObjectType, Org, OrgHandle, Poc, PocFunction,
        PocHandle, Resource, RowId,
    },
    retry::Retry,
};
use tokio_util::sync::CancellationToken;

/// After this many look-ups in a row that the registry did not answer, in spite of their retries, it counts as down.
const OUTAGE_AFTER: u32 = 5;

/// One thing learnt.
#[derive(Debug)]
pub(super) enum Finding {
    Org(Org),
    Functions(BTreeMap<PocHandle, BTreeSet<PocFunction>>),
    Poc(Poc),
    Net(Net),
    Customer(Customer),
    /// The net that answers for an aggregate, if one does.
    Answer(RowId, Option<NetHandle>),
    Failed(Failure),
    Skipped(Skip),
}

/// Why the asking ended before everything was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// No request of this config can succeed.
    #[error(transparent)]
    Config(arin::Error),
    /// The registry does not answer.
    #[error("gave up after {OUTAGE_AFTER} look-ups in a row without an answer")]
    Outage(#[source] arin::Error),
    /// A person or the system asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Nobody listens any more, because writing came to an end.
    #[error("writing to NetBox ended")]
    Unheard,
}

/// Asks all `questions`, and then for what is recorded and did not come up. Gives those of it that the RIR says it does not
/// have. What is recorded may become known while the asking goes on.
///
/// # Errors
/// When it makes no sense to ask on. What was learnt until then has been passed on.
pub(super) async fn gather(
    questions: &Questions,
    arin: &Client,
    Context { settings, progress, stop, .. }: &Context,
    out: mpsc::Sender<Finding>,
    recorded: oneshot::Receiver<Vec<Recorded>>,
) -> Result<BTreeSet<(ObjectType, Key)>, Stopped> {
    let asker = Asker {
        arin,
        in_flight: settings.arin.max_in_flight,
        progress,
        stop,
        out,
        orgs: Memo::default(),
        customers: Memo::default(),
        seen: Mutex::default(),
        unanswered: AtomicU32::new(0),
    };
    progress.update(|at| at.phase = Phase::Organization);
    let contacts = asker.organizations(questions).await?;
    progress.update(|at| at.phase = Phase::Networks);
    for (range, why) in &questions.passed_over {
        asker.tell(Finding::Skipped(Skip::new(ObjectType::Network, range, why.to_string()))).await?;
    }
    tokio::try_join!(asker.contacts(contacts), walk::aggregates(&asker, questions))?;
    progress.update(|at| at.phase = Phase::Recorded);
    let recorded = recorded.await.map_err(|_| Stopped::Unheard)?;
    asker.unseen(recorded, &questions.instance).await
}

pub(super) struct Asker<'a> {
    pub(super) arin: &'a Client,
    pub(super) in_flight: usize,
    pub(super) progress: &'a Progress,
    stop: &'a CancellationToken,
    out: mpsc::Sender<Finding>,
    orgs: Memo<OrgHandle>,
    customers: Memo<CustomerHandle>,
    seen: Mutex<BTreeSet<Recorded>>,
    unanswered: AtomicU32,
}

impl Asker<'_> {
    /// Asks for the config's organization and the recipients. Gives the contacts to ask for.
    async fn organizations(&self, questions: &Questions) -> Result<Vec<PocHandle>, Stopped> {
        let wants = |resource| questions.resources.contains(&resource);
        let mut contacts = Vec::new();
        let needed = wants(Resource::Organizations) || wants(Resource::Contacts);
        if let Some(handle) = questions.org.as_ref().filter(|_| needed) {
            let asked = self.judge(ObjectType::Organization, handle, self.arin.org(handle).await)?;
            match asked {
                Asked::Found(org) => {
                    if wants(Resource::Contacts) {
                        contacts = org.pocs.keys().cloned().collect();
                        self.tell(Finding::Functions(org.pocs.clone())).await?;
                    }
                    if wants(Resource::Organizations) {
                        self.found_org(org).await?;
                    }
                }
                Asked::Absent => {
                    let message = "ARIN has no such organization; correct the config's org handle. \
                                   Its contacts were skipped.";
                    self.tell(Finding::Failed(Failure::new(ObjectType::Organization, handle, message))).await?;
                }
                Asked::Failed(mut failure) => {
                    failure.message.push_str(". Its contacts were skipped.");
                    self.tell(Finding::Failed(failure)).await?;
                }
            }
        }
        if wants(Resource::Organizations) {
            for handle in &questions.recipients {
                self.org(handle).await?;
            }
        }
        Ok(contacts)
    }

    async fn contacts(&self, handles: Vec<PocHandle>) -> Result<(), Stopped> {
        stream::iter(handles.into_iter().map(Ok))
            .try_for_each_concurrent(self.in_flight, |handle| async move {
                self.may_go_on()?;
                match self.judge(ObjectType::Contact, &handle, self.arin.poc(&handle).await)? {
                    Asked::Found(poc) => {
                        self.mark(Recorded::Poc(poc.handle.clone()));
                        self.tell(Finding::Poc(poc)).await
                    }
                    Asked::Absent => {
                        let message = "the organization names this contact, but ARIN does not have it";
                        self.tell(Finding::Skipped(Skip::new(ObjectType::Contact, &handle, message))).await
                    }
                    Asked::Failed(failure) => self.tell(Finding::Failed(failure)).await,
                }
            })
            .await
    }

    /// Asks once for an organization that holds a net. It is told of before this returns.
    async fn org(&self, handle: &OrgHandle) -> Result<(), Stopped> {
        let ask = async {
            match self.judge(ObjectType::Organization, handle, self.arin.org(handle).await)? {
                Asked::Found(org) => self.found_org(org).await,
                Asked::Absent => {
                    let message = "a net names this organization, but ARIN does not have it";
                    self.tell(Finding::Skipped(Skip::new(ObjectType::Organization, handle, message))).await
                }
                Asked::Failed(failure) => self.tell(Finding::Failed(failure)).await,
            }
        };
        self.orgs.once(handle, ask).await
    }

    async fn found_org(&self, org: Org) -> Result<(), Stopped> {
        self.mark(Recorded::Org(org.handle.clone()));
        self.orgs.known(&org.handle);
        self.tell(Finding::Org(org)).await
    }

    async fn customer(&self, handle: &CustomerHandle) -> Result<(), Stopped> {
        let ask = async {
            match self.judge(ObjectType::Customer, handle, self.arin.customer(handle).await)? {
                Asked::Found(customer) => {
                    self.mark(Recorded::Customer(customer.handle.clone()));
                    self.tell(Finding::Customer(customer)).await
                }
                Asked::Absent => {
                    let message = "a net names this customer, but ARIN does not have it";
                    self.tell(Finding::Skipped(Skip::new(ObjectType::Customer, handle, message))).await
                }
                Asked::Failed(failure) => self.tell(Finding::Failed(failure)).await,
            }
        };
        self.customers.once(handle, ask).await
    }

    /// Passes on a net with whoever holds it, unless it came up before.
    pub(super) async fn found_net(&self, net: Net) -> Result<(), Stopped> {
        if !self.mark(Recorded::Net(net.handle.clone())) {
            return Ok(());
        }
        match net.holder.clone() {
            Some(Holder::Org(org)) => {
                self.org(&org).await?;
                self.tell(Finding::Net(net)).await
            }
            Some(Holder::Customer(customer)) => {
                self.tell(Finding::Net(net)).await?;
                self.customer(&customer).await
            }
            None => self.tell(Finding::Net(net)).await,
        }
    }

    /// Asks by handle for what is recorded and did not come up: it may have moved out of sight, or be gone.
    async fn unseen(
        &self,
        recorded: Vec<Recorded>,
        instance: &Instance,
    ) -> Result<BTreeSet<(ObjectType, Key)>, Stopped> {
        let unseen = recorded.into_iter().filter(|recorded| !self.is_marked(recorded));
        let gone = stream::iter(unseen)
            .map(|recorded| async move {
                let gone = self.is_gone(&recorded).await?;
                Ok::<_, Stopped>(gone.then(|| (recorded.object(), recorded.key(instance))))
            })
            .buffer_unordered(self.in_flight)
            .try_filter_map(|gone| async { Ok(gone) });
        gone.try_collect().await
    }

    async fn is_gone(&self, recorded: &Recorded) -> Result<bool, Stopped> {
        self.may_go_on()?;
        if self.is_marked(recorded) {
            return Ok(false);
        }
        let object = recorded.object();
        let asked = match recorded {
            Recorded::Org(handle) => self.judge(object, handle, self.arin.org(handle).await)?.map(Finding::Org),
            Recorded::Poc(handle) => self.judge(object, handle, self.arin.poc(handle).await)?.map(Finding::Poc),
            Recorded::Customer(handle) => {
                self.judge(object, handle, self.arin.customer(handle).await)?.map(Finding::Customer)
            }
            Recorded::Net(handle) => self.judge(object, handle, self.arin.net(handle).await)?.map(Finding::Net),
        };
        match asked {
            Asked::Absent => Ok(true),
            Asked::Failed(failure) => self.tell(Finding::Failed(failure)).await.map(|()| false),
            Asked::Found(Finding::Net(net)) => self.found_net(net).await.map(|()| false),
            Asked::Found(found) => self.tell(found).await.map(|()| false),
        }
    }

    /// Sorts an answer: what was found, what the RIR does not have, what failed. Ends the asking where going on is
    /// pointless.
    pub(super) fn judge<T>(
        &self,
        object: ObjectType,
        handle: impl Display,
        answer: Result<Option<T>, arin::Error>,
    ) -> Result<Asked<T>, Stopped> {
        let error = match answer {
            Ok(answer) => {
                self.unanswered.store(0, Ordering::Relaxed);
                return Ok(answer.map_or(Asked::Absent, Asked::Found));
            }
            Err(error) => error,
        };
        if error.stops_config() {
            return Err(Stopped::Config(error));
        }
        let retry = error.retry();
        if retry != Retry::Never && self.unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= OUTAGE_AFTER {
            return Err(Stopped::Outage(error));
        }
        Ok(Asked::Failed(Failure::of(object, handle, &error, retry)))
    }

    /// Passes on what was learnt.
    pub(super) async fn tell(&self, finding: Finding) -> Result<(), Stopped> {
        self.out.send(finding).await.map_err(|_| Stopped::Unheard)
    }

    /// Whether asking may go on.
    pub(super) fn may_go_on(&self) -> Result<(), Stopped> {
        if self.stop.is_cancelled() { Err(Stopped::Interrupted) } else { Ok(()) }
    }

    fn mark(&self, found: Recorded) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(found)
    }

    fn is_marked(&self, recorded: &Recorded) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(recorded)
    }
}

/// How a question ended.
pub(super) enum Asked<T> {
    Found(T),
    Absent,
    Failed(Failure),
}

impl<T> Asked<T> {
    fn map<U>(self, found: impl FnOnce(T) -> U) -> Asked<U> {
        match self {
            Self::Found(value) => Asked::Found(found(value)),
            Self::Absent => Asked::Absent,
            Self::Failed(failure) => Asked::Failed(failure),
        }
    }
}

/// Sees to it that something is done once for each handle; who comes second waits until it is done.
struct Memo<H>(Mutex<HashMap<H, Arc<OnceCell<()>>>>);

impl<H> Default for Memo<H> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<H: Clone + Eq + Hash> Memo<H> {
    async fn once(&self, handle: &H, ask: impl Future<Output = Result<(), Stopped>>) -> Result<(), Stopped> {
        self.cell(handle).get_or_try_init(|| ask).await?;
        Ok(())
    }

    /// Notes that nobody has to ask for this one.
    fn known(&self, handle: &H) {
        let known = Arc::new(OnceCell::new_with(Some(())));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(handle.clone()).or_insert(known);
    }

    fn cell(&self, handle: &H) -> Arc<OnceCell<()>> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(handle.clone()).or_default())
    }
}
