//! Asks for single objects, each at most once, and passes on what comes back.
//!
//! Each organization, customer and contact is asked for once in a run, however many nets refer to it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    fmt::Display,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use futures_util::{StreamExt, TryStreamExt, stream};
use parking_lot::Mutex;
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        outcome::{Failure, Skip},
        progress::Progress,
        request::Context,
    },
    finding::{Finding, OUTAGE_AFTER, Stopped},
    source::{Source, Told},
    worklist::{Recorded, Worklist},
};
use crate::{
    arin::{self, Client},
    model::{
        CustomerHandle, Holder, Key, Net, NetHandle, NetType, ObjectType, Org, OrgHandle, PocHandle, Registry,
        Resource, Standing,
    },
    retry::Retry,
};

/// Recorded objects that came up before this look-up, and so are not asked for again.
pub(in crate::sync) type Answered = BTreeSet<Recorded>;

/// Asks one registry instance for a run; clones share what was asked.
#[derive(Clone)]
pub(super) struct Asker {
    pub(super) source: Source,
    pub(super) in_flight: usize,
    pub(super) progress: Progress,
    /// The organization that the config is about.
    pub(super) owner: Option<OrgHandle>,
    stop: CancellationToken,
    pub(super) asked: Arc<AskedBefore>,
    out: mpsc::Sender<Finding>,
}

/// The objects that a run has asked for.
pub(super) struct AskedBefore {
    orgs: Memo<OrgHandle, bool>,
    customers: Memo<CustomerHandle, bool>,
    /// Nets that others were cut from.
    pub(super) parents: Memo<NetHandle, Found<Arc<Net>>>,
    /// What came up: true if it was read, false if it is as recorded.
    told: Mutex<BTreeMap<Recorded, bool>>,
    /// Objects that something read in this run names, as far as it is not known that they were found.
    named: Mutex<BTreeSet<Recorded>>,
    /// Nets of other registries that have been told of.
    elsewhere: Mutex<BTreeSet<NetHandle>>,
    answered: Answered,
    /// Look-ups in a row that ARIN did not answer.
    unanswered: AtomicU32,
    /// Look-ups in a row for which ARIN did not take the key.
    denied: AtomicU32,
}

/// An object that was asked for. All that there is to say if it was not found has been passed on.
#[derive(Debug, Clone)]
pub(super) enum Found<T> {
    Object(T),
    Nothing {
        /// Asking again brings nothing else.
        settled: bool,
        /// The reason, if it is not that there is no such object.
        failed: Option<String>,
    },
}

impl Asker {
    pub(super) fn new(ctx: &Context, arin: Client, owner: Option<OrgHandle>, answered: Answered) -> Self {
        let (orgs, customers) = (Memo::default(), Memo::default());
        for before in &answered {
            match before {
                Recorded::Org(handle) => orgs.known(handle, true),
                Recorded::Customer(handle) => customers.known(handle, true),
                Recorded::Poc(_) | Recorded::Net(_) => {}
            }
        }
        let asked = AskedBefore {
            orgs,
            customers,
            parents: Memo::default(),
            told: Mutex::default(),
            named: Mutex::default(),
            elsewhere: Mutex::default(),
            answered,
            unanswered: AtomicU32::new(0),
            denied: AtomicU32::new(0),
        };
        Self {
            source: Source::new(arin, owner.clone()),
            owner,
            in_flight: ctx.settings.arin.max_in_flight.max(1),
            progress: ctx.progress.clone(),
            stop: ctx.stop.clone(),
            asked: Arc::new(asked),
            // Nobody listens until `telling` says who.
            out: mpsc::channel(1).0,
        }
    }

    /// Returns the same asker, which passes on what it learns to `out`.
    pub(super) fn telling(&self, out: mpsc::Sender<Finding>) -> Self {
        Self { out, ..self.clone() }
    }

    /// Passes on what was asked for by name and needs no question.
    pub(super) async fn pass_over(&self, worklist: &Worklist) -> Result<(), Stopped> {
        for (range, why) in &worklist.passed_over {
            self.skip(ObjectType::Network, range, &why.to_string()).await?;
        }
        Ok(())
    }

    /// Asks for the config's organization. Returns the contacts to ask for, and whether it has not to be asked again.
    pub(super) async fn organization(&self, worklist: &Worklist) -> Result<(Vec<PocHandle>, bool), Stopped> {
        let wants = |resource| worklist.resources.contains(&resource);
        let (mut contacts, mut settled) = (Vec::new(), true);
        let needed = wants(Resource::Organizations) || wants(Resource::Contacts);
        if let Some(handle) = worklist.org.as_ref().filter(|_| needed) {
            match self.own_organization(handle).await? {
                Found::Object(org) => {
                    if wants(Resource::Contacts) {
                        contacts = org.pocs.keys().cloned().collect();
                        self.tell(Finding::Functions(org.pocs.clone())).await?;
                    }
                    if wants(Resource::Organizations) {
                        self.found_org(org).await?;
                    }
                }
                Found::Nothing { settled: answered, .. } => settled = answered,
            }
        }
        Ok((contacts, settled))
    }

    async fn own_organization(&self, handle: &OrgHandle) -> Result<Found<Org>, Stopped> {
        let answer = self.source.ask_for_org(handle).await;
        let mut failure = match self.judge(ObjectType::Organization, handle, answer).await? {
            Ok(Some(org)) => return Ok(Found::Object(org)),
            Ok(None) => Failure::new(
                ObjectType::Organization,
                handle,
                "ARIN has no such organization; correct the config's org handle",
            ),
            Err(failure) => failure,
        };
        failure.message.push_str(". Its contacts were skipped.");
        let (settled, failed) = (!failure.may_pass, Some(failure.message.clone()));
        self.tell(Finding::Failed(failure)).await?;
        Ok(Found::Nothing { settled, failed })
    }

    /// Asks for the contacts of the config's organization, and for the organizations that nets may be given to.
    pub(super) async fn people(
        &self,
        (handles, mut settled): (Vec<PocHandle>, bool),
        worklist: &Worklist,
    ) -> Result<(), Stopped> {
        let wanted = worklist.resources.contains(&Resource::Organizations);
        for handle in worklist.recipients.iter().filter(|_| wanted) {
            settled &= self.org(handle).await?;
        }
        let asked = stream::iter(handles)
            .map(|handle| async move {
                self.may_go_on()?;
                let asked = self.source.ask_for_poc(&handle).await;
                let absent = "the organization names this contact, but ARIN does not have it";
                match self.found(ObjectType::Contact, &handle, asked, absent).await? {
                    Found::Object(poc) => {
                        self.mark(Recorded::Poc(poc.handle.clone()), true);
                        self.tell(Finding::Poc(poc)).await.map(|()| true)
                    }
                    Found::Nothing { settled, .. } => {
                        self.name(Recorded::Poc(handle));
                        Ok(settled)
                    }
                }
            })
            .buffer_unordered(self.in_flight);
        let all = asked.try_fold(settled, |all, settled| async move { Ok(all && settled) }).await?;
        if all { self.tell(Finding::OrganizationDone).await } else { Ok(()) }
    }

    /// Asks once for an organization that holds a net, and passes it on before this returns. Returns whether it has not to
    /// be asked for again.
    async fn org(&self, handle: &OrgHandle) -> Result<bool, Stopped> {
        let ask = async {
            let absent = "a net names this organization, but ARIN does not have it";
            match self.found(ObjectType::Organization, handle, self.source.org(handle).await, absent).await? {
                Found::Object(Told::Read(org)) => self.found_org(org).await.map(|()| true),
                Found::Object(Told::AsRecorded) => self.as_recorded(Recorded::Org(handle.clone())).await.map(|()| true),
                Found::Nothing { settled, .. } => {
                    self.name(Recorded::Org(handle.clone()));
                    Ok(settled)
                }
            }
        };
        self.asked.orgs.once(handle, ask).await
    }

    async fn found_org(&self, org: Org) -> Result<(), Stopped> {
        self.mark(Recorded::Org(org.handle.clone()), true);
        self.asked.orgs.known(&org.handle, true);
        self.tell(Finding::Org(org)).await
    }

    async fn customer(&self, handle: &CustomerHandle) -> Result<bool, Stopped> {
        let ask = async {
            let absent = "a net names this customer, but ARIN does not have it";
            match self.found(ObjectType::Customer, handle, self.source.customer(handle).await, absent).await? {
                Found::Object(Told::Read(customer)) => {
                    self.mark(Recorded::Customer(customer.handle.clone()), true);
                    self.tell(Finding::Customer(customer)).await.map(|()| true)
                }
                Found::Object(Told::AsRecorded) => {
                    self.as_recorded(Recorded::Customer(handle.clone())).await.map(|()| true)
                }
                Found::Nothing { settled, .. } => {
                    self.name(Recorded::Customer(handle.clone()));
                    Ok(settled)
                }
            }
        };
        self.asked.customers.once(handle, ask).await
    }

    /// Passes on that an object is as recorded, unless it came up before.
    async fn as_recorded(&self, recorded: Recorded) -> Result<(), Stopped> {
        let (object, key) = (recorded.object(), self.source.instance().key(recorded.handle()));
        if self.mark(recorded, false) { self.tell(Finding::AsRecorded(object, key)).await } else { Ok(()) }
    }

    /// Passes on a net with whoever holds it, unless it came up before. Returns whether the holder has not to be asked for
    /// again.
    pub(super) async fn found_net(&self, net: Net) -> Result<bool, Stopped> {
        if !self.mark(Recorded::Net(net.handle.clone()), net.raw.has_document()) {
            return Ok(true);
        }
        self.source.read(&net).iter().for_each(|holder| self.forget_if_recalled(holder));
        if let Some(parent) = &net.parent {
            self.name(Recorded::Net(parent.clone()));
        }
        if let Some(registry) = net.registry() {
            self.in_hands_of(registry, &net).await?;
            return self.tell(Finding::Net(net)).await.map(|()| true);
        }
        match net.holder.clone() {
            Some(Holder::Org(org)) => {
                let settled = self.org(&org).await?;
                self.tell(Finding::Net(net)).await.map(|()| settled)
            }
            Some(Holder::Customer(customer)) => {
                self.tell(Finding::Net(net)).await?;
                self.customer(&customer).await
            }
            None => self.tell(Finding::Net(net)).await.map(|()| true),
        }
    }

    /// Passes on, once for each net, that a registry has it. Whoever ARIN names as its holder is not asked for: that is the
    /// registry itself.
    pub(super) async fn in_hands_of(&self, registry: Registry, net: &Net) -> Result<(), Stopped> {
        if !self.asked.elsewhere.lock().insert(net.handle.clone()) {
            return Ok(());
        }
        let code = net.kind.as_ref().map_or("", NetType::code);
        let why = match registry {
            Registry::Arin | Registry::Iana => {
                format!("{registry} itself has it (net type {code}): nobody holds it now")
            }
            Registry::Afrinic | Registry::Apnic | Registry::Lacnic | Registry::RipeNcc => {
                format!("{registry} has it (net type {code}), not ARIN; look there for who holds it")
            }
        };
        self.skip(ObjectType::Network, &net.handle, &why).await
    }

    /// Asks for recorded nets that the listing lacks. One that ARIN has speaks against the listing. What cannot be asked for
    /// now comes up again at the end.
    pub(super) async fn check_listings(&self) -> Result<(), Stopped> {
        let lacking = self.source.lacking().into_iter();
        let lacking = lacking.filter(|handle| !self.is_marked(&Recorded::Net(handle.clone())));
        let checks = stream::iter(lacking).map(|handle| async move {
            self.may_go_on()?;
            let answer = self.source.ask_for_net(&handle).await;
            if let Ok(answer) = self.judge(ObjectType::Network, &handle, answer).await? {
                self.source.checked(handle, answer);
            }
            Ok(())
        });
        checks.buffer_unordered(self.in_flight).try_collect().await
    }

    /// Asks by handle for what is recorded and did not come up: it may have moved out of sight, or be gone. Returns what
    /// the registry says it does not have. What something else that was read names is in doubt, and not among it.
    pub(super) async fn recorded(
        &self,
        recorded: Vec<(Recorded, Key)>,
    ) -> Result<BTreeSet<(ObjectType, Key)>, Stopped> {
        // A net that is gone may be why others have to be asked for.
        let (nets, others): (Vec<_>, Vec<_>) =
            recorded.into_iter().partition(|(recorded, _)| matches!(recorded, Recorded::Net(_)));
        let mut gone = self.all_gone(nets).await?;
        gone.extend(self.all_gone(others).await?);
        let mut certain = BTreeSet::new();
        for (recorded, key) in gone {
            if self.is_named(&recorded) {
                let why = "ARIN does not have it, but something that ARIN has names it; so it keeps its status";
                self.skip(recorded.object(), recorded.handle(), why).await?;
            } else {
                certain.insert((recorded.object(), key));
            }
        }
        Ok(certain)
    }

    async fn all_gone(&self, recorded: Vec<(Recorded, Key)>) -> Result<Vec<(Recorded, Key)>, Stopped> {
        let unseen = recorded.into_iter().filter(|(recorded, _)| !self.was_asked(recorded));
        let gone = stream::iter(unseen)
            .map(|(recorded, key)| async move { Ok(self.is_gone(&recorded).await?.then_some((recorded, key))) })
            .buffer_unordered(self.in_flight)
            .try_filter_map(|gone| async { Ok(gone) });
        gone.try_collect().await
    }

    async fn is_gone(&self, recorded: &Recorded) -> Result<bool, Stopped> {
        self.may_go_on()?;
        if self.is_marked(recorded) {
            return Ok(false);
        }
        let source = &self.source;
        let answer = match recorded {
            Recorded::Org(handle) => source.org(handle).await.map(|org| org.map(|org| org.map(Finding::Org))),
            Recorded::Poc(handle) => source.poc(handle).await.map(|poc| poc.map(|poc| poc.map(Finding::Poc))),
            Recorded::Customer(handle) => {
                let customer = source.customer(handle).await;
                customer.map(|customer| customer.map(|customer| customer.map(Finding::Customer)))
            }
            Recorded::Net(handle) => source.net(handle).await.map(|net| net.map(|net| Told::Read(Finding::Net(net)))),
        };
        let found = match self.judge(recorded.object(), recorded.handle(), answer).await? {
            Ok(Some(Told::AsRecorded)) => return self.as_recorded(recorded.clone()).await.map(|()| false),
            Ok(Some(Told::Read(found))) => Ok(Some(found)),
            Ok(None) => Ok(None),
            Err(failure) => Err(failure),
        };
        match found {
            Ok(None) => {
                self.source.gone(recorded).iter().for_each(|holder| self.forget_if_recalled(holder));
                return Ok(true);
            }
            Ok(Some(Finding::Net(net))) => drop(self.found_net(net).await?),
            Ok(Some(found)) => self.tell(found).await?,
            Err(failure) => self.tell(Finding::Failed(failure)).await?,
        }
        Ok(false)
    }

    /// Returns the object of an answer. Passes on why there is none: a failure, or a skip with the text `absent`.
    pub(super) async fn found<T>(
        &self,
        object: ObjectType,
        handle: impl Display,
        answer: Result<Option<T>, arin::Error>,
        absent: &str,
    ) -> Result<Found<T>, Stopped> {
        match self.judge(object, &handle, answer).await? {
            Ok(Some(found)) => Ok(Found::Object(found)),
            Ok(None) => {
                self.skip(object, handle, absent).await?;
                Ok(Found::Nothing { settled: true, failed: None })
            }
            Err(failure) => {
                let (settled, failed) = (!failure.may_pass, Some(failure.message.clone()));
                self.tell(Finding::Failed(failure)).await?;
                Ok(Found::Nothing { settled, failed })
            }
        }
    }

    /// Sorts an answer into found, absent and failed. Ends the asking where going on is pointless.
    pub(super) async fn judge<T>(
        &self,
        object: ObjectType,
        handle: impl Display,
        answer: Result<Option<T>, arin::Error>,
    ) -> Result<Result<Option<T>, Failure>, Stopped> {
        let AskedBefore { unanswered, denied, .. } = &*self.asked;
        let error = match answer {
            Ok(answer) => {
                if self.source.take_answered() {
                    unanswered.store(0, Ordering::Relaxed);
                    denied.store(0, Ordering::Relaxed);
                }
                if answer.is_none() {
                    self.unseen(object, &handle, Standing::Absent).await?;
                }
                return Ok(Ok(answer));
            }
            Err(error) => error,
        };
        let handle = handle.to_string();
        if error.refuses_key() {
            let error = self.denied(error, object, &handle).await?;
            self.unseen(object, &handle, Standing::Denied).await?;
            return Ok(Err(Failure::of(object, handle, &error, Retry::Never)));
        }
        if error.stops_config() {
            return Err(Stopped::Config(error));
        }
        if error.denies_sight() {
            self.unseen(object, &handle, Standing::Denied).await?;
        }
        let retry = error.retry();
        if retry == Retry::Never && !error.is_foreign() {
            unanswered.store(0, Ordering::Relaxed);
        } else if unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= OUTAGE_AFTER {
            return Err(Stopped::Outage(error));
        }
        Ok(Err(Failure::of(object, handle, &error, retry)))
    }

    /// Finds out whether a key that ARIN did not take is bad or has only no authority over this object. As long as it has
    /// brought nothing, and again after some refusals in a row, it is tried on the config's own organization. Returns the
    /// error if it is about the object alone.
    async fn denied(&self, error: arin::Error, object: ObjectType, handle: &str) -> Result<arin::Error, Stopped> {
        let refusals = self.asked.denied.fetch_add(1, Ordering::Relaxed) + 1;
        let has_worked = !error.stops_config();
        if has_worked && !refusals.is_multiple_of(OUTAGE_AFTER) {
            return Ok(error);
        }
        let asked = |owner: &&OrgHandle| object == ObjectType::Organization && owner.as_str() == handle;
        match self.owner.as_ref().filter(|owner| !asked(owner)) {
            None if has_worked => Ok(error),
            None => Err(Stopped::Config(error)),
            Some(owner) => match self.source.ask_for_org(owner).await {
                Err(refused) if refused.refuses_key() => Err(Stopped::Config(refused)),
                Ok(_) | Err(_) => Ok(error.about_one_object()),
            },
        }
    }

    /// Passes on that an organization or a customer cannot be seen. Nobody has to know of a contact, and of a net it is told
    /// in another way.
    async fn unseen(&self, object: ObjectType, handle: impl Display, why: Standing) -> Result<(), Stopped> {
        match object {
            ObjectType::Organization | ObjectType::Customer => {
                self.tell(Finding::Unseen((object, handle.to_string()), why)).await
            }
            ObjectType::Address | ObjectType::Contact | ObjectType::Network => Ok(()),
        }
    }

    /// Passes on what was learnt.
    pub(super) async fn tell(&self, finding: Finding) -> Result<(), Stopped> {
        self.out.send(finding).await.map_err(|_| Stopped::Unheard)
    }

    /// Passes on that something was passed over.
    pub(super) async fn skip(&self, object: ObjectType, handle: impl Display, why: &str) -> Result<(), Stopped> {
        self.tell(Finding::Skipped(Skip::new(object, handle, why))).await
    }

    /// Returns an error once somebody asked to stop.
    pub(super) fn may_go_on(&self) -> Result<(), Stopped> {
        if self.stop.is_cancelled() { Err(Stopped::Interrupted) } else { Ok(()) }
    }

    /// Notes that an object came up, `read` or as recorded. Returns whether that is news.
    fn mark(&self, found: Recorded, read: bool) -> bool {
        match self.asked.told.lock().entry(found) {
            Entry::Vacant(new) => {
                new.insert(read);
                true
            }
            Entry::Occupied(mut before) => read && !before.insert(read | *before.get()),
        }
    }

    pub(super) fn is_marked(&self, recorded: &Recorded) -> bool {
        let told = self.asked.told.lock();
        told.contains_key(recorded) || self.asked.answered.contains(recorded)
    }

    /// Forgets all that came up as recorded, so that it can be asked for.
    pub(super) fn forget_recalled(&self) {
        let recalled: Vec<Recorded> =
            self.asked.told.lock().extract_if(.., |_, read| !*read).map(|(recalled, _)| recalled).collect();
        recalled.iter().for_each(|recalled| self.asked.forget(recalled));
        self.asked.parents.retain(|found| match found {
            Found::Object(net) => net.raw.has_document(),
            Found::Nothing { .. } => true,
        });
    }

    /// Forgets an object if it came up as recorded, so that it can be asked for.
    fn forget_if_recalled(&self, recorded: &Recorded) {
        let mut told = self.asked.told.lock();
        if told.get(recorded) == Some(&false) {
            told.remove(recorded);
            self.asked.forget(recorded);
        }
    }

    /// Returns whether there is nothing to ask about an object any more. What a net or the organization names and did not
    /// turn up has been asked for, with what there was to say.
    fn was_asked(&self, recorded: &Recorded) -> bool {
        self.is_marked(recorded)
            || match recorded {
                Recorded::Org(_) | Recorded::Poc(_) | Recorded::Customer(_) => self.is_named(recorded),
                Recorded::Net(handle) => matches!(self.asked.parents.get(handle), Some(Found::Nothing { .. })),
            }
    }

    /// Notes that something that was read names this object.
    fn name(&self, named: Recorded) {
        self.asked.named.lock().insert(named);
    }

    fn is_named(&self, recorded: &Recorded) -> bool {
        self.asked.named.lock().contains(recorded)
    }
}

impl AskedBefore {
    fn forget(&self, recorded: &Recorded) {
        match recorded {
            Recorded::Org(handle) => self.orgs.forget(handle),
            Recorded::Customer(handle) => self.customers.forget(handle),
            Recorded::Poc(_) | Recorded::Net(_) => {}
        }
    }
}

/// Does something once for each handle; whoever comes second waits until it is done.
pub(super) struct Memo<H, T>(Mutex<HashMap<H, Arc<OnceCell<T>>>>);

impl<H, T> Default for Memo<H, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<H: Clone + Eq + Hash, T: Clone> Memo<H, T> {
    /// Returns what `ask` came to, which whoever was first has done.
    pub(super) async fn once(&self, handle: &H, ask: impl Future<Output = Result<T, Stopped>>) -> Result<T, Stopped> {
        self.cell(handle).get_or_try_init(|| ask).await.cloned()
    }

    /// Notes what asking for this one comes to, so that nobody has to.
    fn known(&self, handle: &H, value: T) {
        let known = Arc::new(OnceCell::new_with(Some(value)));
        self.0.lock().entry(handle.clone()).or_insert(known);
    }

    /// Has this one asked for again.
    fn forget(&self, handle: &H) {
        self.0.lock().remove(handle);
    }

    /// Has all asked for again that came to something else.
    fn retain(&self, keep: impl Fn(&T) -> bool) {
        self.0.lock().retain(|_, cell| cell.get().is_none_or(&keep));
    }

    /// Returns what asking for this one came to, if somebody has.
    fn get(&self, handle: &H) -> Option<T> {
        self.0.lock().get(handle)?.get().cloned()
    }

    fn cell(&self, handle: &H) -> Arc<OnceCell<T>> {
        let mut cells = self.0.lock();
        Arc::clone(cells.entry(handle.clone()).or_default())
    }
}
