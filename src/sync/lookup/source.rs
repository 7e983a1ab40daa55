//! The answers to the questions of a run: from the listing and what is recorded where nothing speaks for a change, else from
//! ARIN.
//!
//! | question | spared when |
//! |---|---|
//! | a net by handle | it is listed as it is recorded, and it is not its turn to be asked for again |
//! | the net of a range | the listing has none for it; else it is a question for that net by handle |
//! | a customer | its net is listed as it is recorded, or it has none, and it is not the customer's turn |
//! | an organization | it is recorded, no net that has changed is or was held by it, and it is not its turn |
//! | what the findings need an answer about | never |
//! | a contact | it is recorded without being the config's organization's, and it is not its turn |
//!
//! All else is asked, and each answer is held against the listing: where the two contradict each other, the listing is not
//! believed any more in that range.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use ipnet::IpNet;
use parking_lot::{Mutex, RwLock};
use tokio::sync;

use super::{
    listing::{Doubt, Listing, Spot},
    net_match::Parent,
    recall::{Recall, RecordedNet},
    worklist::Recorded,
};
use crate::{
    arin::{Client, Error},
    model::{Customer, CustomerHandle, Instance, ListedNet, Net, NetBlock, NetHandle, Org, OrgHandle, Poc, PocHandle},
};

/// Answers the questions of one run; clones share what they know.
#[derive(Clone)]
pub(super) struct Source {
    arin: Client,
    /// The organization that the config is about.
    owner: Option<OrgHandle>,
    /// What questions can be spared by, once it is there; a run that asks everything never has it.
    known: Arc<OnceLock<Evidence>>,
    spared: Arc<AtomicU64>,
    /// True if ARIN has answered since somebody looked.
    answered: Arc<AtomicBool>,
}

/// An object that ARIN has.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told<T> {
    /// It was asked for.
    Read(T),
    /// Nothing speaks for a change.
    AsRecorded,
}

impl<T> Told<T> {
    /// Makes something else of the object.
    pub(super) fn map<U>(self, to: impl FnOnce(T) -> U) -> Told<U> {
        match self {
            Self::Read(object) => Told::Read(to(object)),
            Self::AsRecorded => Told::AsRecorded,
        }
    }
}

/// What questions can be spared by.
struct Evidence {
    recall: Recall,
    /// The listings of ranges that are disjoint, by first address.
    listings: BTreeMap<IpAddr, Extract>,
    /// The range in which a net is listed, by its first address.
    places: BTreeMap<NetHandle, IpAddr>,
    /// Organizations and customers that have to be asked for: they hold, or held, a net that has changed, or the findings
    /// need an answer of this sync.
    changed: Mutex<BTreeSet<Recorded>>,
    /// Nets that were asked for to see whether the listing can be believed.
    checked: Mutex<BTreeMap<NetHandle, Option<Net>>>,
    /// What ARIN answers for a range that lies in a smaller net than the parent.
    reading: sync::Mutex<Option<Reading>>,
}

/// What is listed in a range, as long as it can be believed.
struct Extract {
    range: IpNet,
    listing: RwLock<Result<Arc<Listing>, Doubt>>,
}

/// The two readings of `mostSpecificNet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// It knows only ranges that are registered exactly.
    Exact,
    /// It names the smallest net around a range.
    Around,
}

impl Source {
    pub(super) fn new(arin: Client, owner: Option<OrgHandle>) -> Self {
        Self { arin, owner, known: Arc::default(), spared: Arc::default(), answered: Arc::default() }
    }

    /// Takes what questions can be spared by from now on.
    pub(super) fn spare_by(&self, recall: Recall, listings: Vec<(IpNet, Result<Listing, Doubt>)>) {
        let mut places = BTreeMap::new();
        for (range, listing) in &listings {
            let nets = listing.iter().flat_map(Listing::nets);
            places.extend(nets.map(|net| (net.handle.clone(), range.network())));
        }
        let listed = |(range, listing): (IpNet, Result<Listing, Doubt>)| {
            (range.network(), Extract { range, listing: RwLock::new(listing.map(Arc::new)) })
        };
        let listings = listings.into_iter().map(listed).collect();
        let changed = Mutex::new(recall.suspects().clone());
        let (checked, reading) = (Mutex::default(), sync::Mutex::default());
        self.known.get_or_init(|| Evidence { recall, listings, places, changed, checked, reading });
    }

    /// Returns the count of the questions that are spared.
    pub(super) fn spared(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.spared)
    }

    /// Returns the listing of a range, if there is one that can be believed.
    pub(super) fn listing(&self, range: IpNet) -> Option<Arc<Listing>> {
        self.known.get()?.listed(range)?.listing.read().as_ref().ok().cloned()
    }

    /// Returns why the listing of a range cannot be believed, if there was to be one.
    pub(super) fn doubt(&self, range: IpNet) -> Option<Doubt> {
        self.known.get()?.listed(range)?.listing.read().as_ref().err().cloned()
    }

    /// Returns the registry instance that is asked.
    pub(super) fn instance(&self) -> &Instance {
        self.arin.instance()
    }

    /// Returns whether ARIN has answered since the last time. What is spared is no answer.
    pub(super) fn take_answered(&self) -> bool {
        self.answered.swap(false, Ordering::Relaxed)
    }

    /// Asks ARIN itself for an organization.
    pub(super) async fn ask_for_org(&self, handle: &OrgHandle) -> Result<Option<Org>, Error> {
        self.answer(self.arin.org(handle).await)
    }

    /// Asks ARIN itself for a contact.
    pub(super) async fn ask_for_poc(&self, handle: &PocHandle) -> Result<Option<Poc>, Error> {
        self.answer(self.arin.poc(handle).await)
    }

    pub(super) async fn org(&self, handle: &OrgHandle) -> Result<Option<Told<Org>>, Error> {
        let spared =
            |known: &Evidence| known.recall.has_org(handle) && !known.has_to_ask(&Recorded::Org(handle.clone()));
        if self.known.get().is_some_and(spared) {
            return Ok(self.as_recorded());
        }
        Ok(self.ask_for_org(handle).await?.map(Told::Read))
    }

    pub(super) async fn customer(&self, handle: &CustomerHandle) -> Result<Option<Told<Customer>>, Error> {
        let spared = |known: &Evidence| {
            let as_recorded = |net: Option<&NetHandle>| net.is_none_or(|net| known.unchanged(net).is_some());
            known.recall.customer(handle).is_some_and(as_recorded)
                && !known.has_to_ask(&Recorded::Customer(handle.clone()))
        };
        if self.known.get().is_some_and(spared) {
            return Ok(self.as_recorded());
        }
        Ok(self.answer(self.arin.customer(handle).await)?.map(Told::Read))
    }

    /// Asks for a contact that the config's organization does not name, or not any more.
    pub(super) async fn poc(&self, handle: &PocHandle) -> Result<Option<Told<Poc>>, Error> {
        let owner = self.owner.as_ref();
        if self.known.get().is_some_and(|known| known.recall.has_poc_elsewhere(handle, owner)) {
            return Ok(self.as_recorded());
        }
        Ok(self.ask_for_poc(handle).await?.map(Told::Read))
    }

    /// Asks for a net by its handle. One that is as recorded comes without its document.
    pub(super) async fn net(&self, handle: &NetHandle) -> Result<Option<Net>, Error> {
        if let Some(known) = self.known.get() {
            let unchanged = known.unchanged(handle).filter(|_| !known.recall.is_due(handle.as_str()));
            if let Some(recorded) = unchanged {
                self.count();
                return Ok(Some(recorded.net.clone()));
            }
            if let Some(answer) = known.checked.lock().remove(handle) {
                return Ok(answer);
            }
        }
        self.ask_for_net(handle).await
    }

    /// Asks ARIN itself for a net by its handle.
    pub(super) async fn ask_for_net(&self, handle: &NetHandle) -> Result<Option<Net>, Error> {
        let answer = self.answer(self.arin.net(handle).await)?;
        self.compare(handle, answer.as_ref());
        Ok(answer)
    }

    /// Asks for the net of an aggregate, or else the net that it lies in.
    pub(super) async fn net_of_aggregate(&self, range: IpNet) -> Result<Option<Net>, Error> {
        if let Some(listing) = self.listing(range) {
            let handle = match listing.spot(range) {
                Spot::Exact(handle) => Some(handle),
                Spot::Within(net) => Some(&net.handle),
                Spot::Free => None,
            };
            if let Some(handle) = handle
                && let Some(net) = self.net(handle).await?
            {
                return Ok(Some(net));
            }
        }
        self.ask_for_aggregate(range).await
    }

    /// Asks ARIN itself for the net of an aggregate, or else the net that it lies in.
    pub(super) async fn ask_for_aggregate(&self, range: IpNet) -> Result<Option<Net>, Error> {
        if let Some(net) = self.ask_for_range(range).await? {
            return Ok(Some(net));
        }
        // Where only ranges count that are registered exactly, this may still be a part of an allocation.
        let answer = self.answer(self.arin.parent_net(range.into()).await)?;
        self.compare_found(answer.as_ref());
        Ok(answer)
    }

    /// Asks for the net of a prefix in an aggregate with this net, if it has one. `knows` says whether a net has come up.
    pub(super) async fn net_of_prefix(
        &self,
        range: IpNet,
        (parent, aggregate): (Option<&Parent>, IpNet),
        knows: impl Fn(&NetHandle) -> bool,
    ) -> Result<Option<Net>, Error> {
        let frame = parent.map_or(NetBlock::from(aggregate), |parent| parent.range);
        let is_below = |net: &ListedNet| {
            let parent = parent.is_some_and(|parent| parent.handle == net.handle);
            !parent && net.range().is_some_and(|range| frame.covers(&range))
        };
        if let Some(listing) = self.listing(range) {
            match listing.spot(range) {
                Spot::Exact(handle) => {
                    if let Some(net) = self.net(handle).await? {
                        return Ok(Some(net));
                    }
                }
                Spot::Within(net) if is_below(net) && !knows(&net.handle) => return self.inside_of(net, range).await,
                Spot::Within(_) | Spot::Free => {
                    self.count();
                    return Ok(None);
                }
            }
        }
        self.ask_for_range(range).await
    }

    /// Asks for a range that lies in a net below the parent, which nothing else has brought up. Whether asking for the range
    /// would bring it up depends on how ARIN reads the question, so that is found out once.
    async fn inside_of(&self, around: &ListedNet, range: IpNet) -> Result<Option<Net>, Error> {
        let Some(known) = self.known.get() else { return self.ask_for_range(range).await };
        let mut reading = known.reading.lock().await;
        match *reading {
            Some(Reading::Exact) => {
                self.count();
                Ok(None)
            }
            Some(Reading::Around) => {
                drop(reading);
                self.net(&around.handle).await
            }
            None => {
                let answer = self.ask_for_range(range).await?;
                *reading = match &answer {
                    None => Some(Reading::Exact),
                    Some(net) => (net.handle == around.handle).then_some(Reading::Around),
                };
                Ok(answer)
            }
        }
    }

    /// Asks ARIN itself for the most specific net of a range.
    pub(super) async fn ask_for_range(&self, range: IpNet) -> Result<Option<Net>, Error> {
        let answer = self.answer(self.arin.most_specific_net(range.into()).await)?;
        self.compare_found(answer.as_ref());
        Ok(answer)
    }

    /// Returns the recorded nets that the listings lack. They have to be asked for first: if ARIN has one, its listing cannot
    /// be believed.
    pub(super) fn lacking(&self) -> Vec<NetHandle> {
        let Some(known) = self.known.get() else { return Vec::new() };
        let believed = |listed: &Extract| Some((listed.range, listed.listing.read().as_ref().ok().cloned()?));
        let lacking = |(range, listing): (IpNet, Arc<Listing>)| {
            let inside = known.recall.nets_inside(range).filter(move |_| listing.is_whole());
            inside.filter(|handle| !known.places.contains_key(*handle))
        };
        known.listings.values().filter_map(believed).flat_map(lacking).cloned().collect()
    }

    /// Takes the answer about a recorded net that the listing lacks.
    pub(super) fn checked(&self, handle: NetHandle, answer: Option<Net>) {
        if let Some(known) = self.known.get() {
            known.checked.lock().insert(handle, answer);
        }
    }

    /// Takes up that ARIN does not have an object any more. Returns who has to be asked for: whoever held a net.
    pub(super) fn gone(&self, recorded: &Recorded) -> Option<Recorded> {
        let (Some(known), Recorded::Net(handle)) = (self.known.get(), recorded) else { return None };
        let holder = known.recall.net(handle)?.net.holder.clone().map(Recorded::from);
        known.changed.lock().extend(holder.clone());
        holder
    }

    /// Takes up that a net was read. Returns who has to be asked for, as it has changed: who holds it, and who held it.
    pub(super) fn read(&self, net: &Net) -> Vec<Recorded> {
        let Some(known) = self.known.get().filter(|_| net.raw.has_document()) else { return Vec::new() };
        let recorded = known.recall.net(&net.handle);
        let listed_otherwise = known.listed_net(&net.handle).is_some() && known.unchanged(&net.handle).is_none();
        let as_recorded = recorded.is_some_and(|recorded| recorded.net.raw.digest() == net.raw.digest());
        if as_recorded && !listed_otherwise && !known.is_asked_in_full(net) {
            return Vec::new();
        }
        let before = recorded.and_then(|recorded| recorded.net.holder.clone());
        let holders: BTreeSet<Recorded> =
            [before, net.holder.clone()].into_iter().flatten().map(Recorded::from).collect();
        known.changed.lock().extend(holders.iter().cloned());
        holders.into_iter().collect()
    }

    fn answer<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        self.answered.fetch_or(answer.is_ok(), Ordering::Relaxed);
        answer
    }

    fn as_recorded<T>(&self) -> Option<Told<T>> {
        self.count();
        Some(Told::AsRecorded)
    }

    fn count(&self) {
        self.spared.fetch_add(1, Ordering::Relaxed);
    }

    fn compare_found(&self, answer: Option<&Net>) {
        if let Some(net) = answer {
            self.compare(&net.handle, Some(net));
        }
    }

    /// Holds what ARIN says of a net against the listing.
    fn compare(&self, handle: &NetHandle, answer: Option<&Net>) {
        let Some(known) = self.known.get() else { return };
        let by_range = || known.listed_at(answer?.range()?.first());
        let by_handle = known.places.get(handle).and_then(|place| known.listings.get(place));
        let Some(listed) = by_handle.or_else(by_range) else { return };
        let mut listing = listed.listing.write();
        let doubt = listing.as_ref().ok().and_then(|listing| listing.contradiction(handle, answer));
        if let Some(doubt) = doubt {
            *listing = Err(doubt);
        }
    }
}

impl Evidence {
    fn listed(&self, range: IpNet) -> Option<&Extract> {
        self.listed_at(range.network()).filter(|listed| listed.range.contains(&range))
    }

    fn listed_at(&self, address: IpAddr) -> Option<&Extract> {
        let (_, listed) = self.listings.range(..=address).next_back()?;
        Some(listed).filter(|listed| listed.range.contains(&address))
    }

    fn believed(&self, handle: &NetHandle) -> Option<Arc<Listing>> {
        self.listings.get(self.places.get(handle)?)?.listing.read().as_ref().ok().cloned()
    }

    fn listed_net(&self, handle: &NetHandle) -> Option<ListedNet> {
        self.believed(handle)?.net(handle).cloned()
    }

    /// Returns a net as it is recorded, if it is listed so.
    fn unchanged(&self, handle: &NetHandle) -> Option<&RecordedNet> {
        let listing = self.believed(handle)?;
        self.recall.unchanged(listing.net(handle)?)
    }

    /// Returns whether a net lies where the listing cannot be believed, so that nothing about it is spared.
    fn is_asked_in_full(&self, net: &Net) -> bool {
        let extract = net.range().and_then(|range| self.listed_at(range.first()));
        extract.is_some_and(|extract| extract.listing.read().is_err())
    }

    fn has_to_ask(&self, holder: &Recorded) -> bool {
        self.changed.lock().contains(holder)
    }
}
