//! Looks up the aggregates, and below each its prefixes, the shortest first.
//!
//! A prefix inside a reassigned net needs no question, because such a net can have no children. To know that in time, a
//! prefix waits until the answer for a shorter one around it is there; everything else is asked at once, several questions
//! at a time. A later aggregate is begun only when the earlier ones leave room, so that they are finished one by one and a
//! run that is taken over has little to ask again.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::IpAddr,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use ipnet::IpNet;

use super::{
    super::outcome::{Failure, InFull},
    ask::{Asker, Found},
    finding::{Finding, Stopped},
    net_match::{NetMatch, Parent, net_match},
    worklist::{Named, Target, Worklist},
};
use crate::model::{
    AggregateProgress, AggregateState, LookSource, Net, NetBlock, NetHandle, NetType, ObjectType, Registry,
    address_block::registrable,
};

/// So many questions are ready for each request that may be under way, so that none waits while an answer is read.
const READY: usize = 2;

/// Looks up all aggregates and the prefixes inside, in the order of the worklist.
pub(super) async fn look_up(asker: &Asker, worklist: &Worklist) -> Result<(), Stopped> {
    let begin = |(at, target)| Walk::new(Place { asker, at, target, named: worklist.named });
    let mut walks: Vec<Walk<'_>> = worklist.targets.iter().enumerate().map(begin).collect();
    for walk in &mut walks {
        walk.tell_listing().await?;
    }
    let mut asking = FuturesUnordered::new();
    // All walks before this one are over.
    let mut first = 0;
    loop {
        let mut at = first;
        while asking.len() < asker.in_flight * READY
            && let Some(walk) = walks.get_mut(at)
        {
            match walk.next() {
                Some(question) => {
                    asker.may_go_on()?;
                    asking.push(question.ask());
                }
                None => {
                    // One that has to be walked once more has a question again.
                    if !walk.end_if_over().await? {
                        at += 1;
                    }
                }
            }
        }
        while walks.get(first).is_some_and(|walk| walk.ended) {
            first += 1;
        }
        let Some(answer) = asking.next().await else { return Ok(()) };
        let answer = answer?;
        if let Some(walk) = walks.get_mut(answer.at) {
            walk.take(answer);
            walk.end_if_over().await?;
        }
    }
}

/// The aggregate that a walk is about.
#[derive(Clone, Copy)]
struct Place<'a> {
    asker: &'a Asker,
    /// Its place in the worklist.
    at: usize,
    target: &'a Target,
    /// What was asked for by name.
    named: Named,
}

/// The walk over one aggregate and the prefixes inside.
struct Walk<'a> {
    place: Place<'a>,
    /// The net that answers for the aggregate, once that is known.
    parent: Option<Parent>,
    /// The aggregate itself has been asked for.
    begun: bool,
    ready: VecDeque<IpNet>,
    /// Ranges under way, each with those that wait for its answer because it is around them.
    held: HashMap<IpNet, Vec<IpNet>>,
    reassigned: Reassigned,
    /// Ranges that need no question.
    passed_over: Vec<IpNet>,
    /// No question has to be asked again.
    settled: bool,
    /// It spares questions by the public listing.
    by_listing: bool,
    ended: bool,
}

/// A range to ask for.
struct Question<'a> {
    place: Place<'a>,
    range: IpNet,
    /// The net around it; `None` for the aggregate itself.
    inside: Option<Option<Parent>>,
}

/// An answer, as far as it matters for what is asked next.
struct Answer {
    at: usize,
    range: IpNet,
    net: Option<Known>,
    settled: bool,
}

/// A net that was found and passed on.
struct Known {
    parent: Option<Parent>,
    /// Its blocks, if it can have no children.
    reassigned: Vec<NetBlock>,
}

impl<'a> Walk<'a> {
    fn new(place: Place<'a>) -> Self {
        Self {
            place,
            parent: None,
            begun: false,
            ready: VecDeque::new(),
            held: HashMap::new(),
            reassigned: Reassigned::default(),
            passed_over: Vec::new(),
            settled: true,
            by_listing: false,
            ended: false,
        }
    }

    /// Returns what to ask next: the aggregate first, then what is inside. Passes over ranges that need no question, and
    /// puts aside those that have to wait.
    fn next(&mut self) -> Option<Question<'a>> {
        let place = self.place;
        let aggregate = place.target.aggregate.prefix;
        if !self.begun {
            self.begun = true;
            place.progress(|line| line.state = AggregateState::Asking);
            if registrable(aggregate).is_ok() {
                self.held.insert(aggregate, Vec::new());
                return Some(Question { place, range: aggregate, inside: None });
            }
            self.enter();
        }
        while let Some(range) = self.ready.pop_front() {
            if self.reassigned.holds(range) {
                place.progress(|line| line.prefixes_done += 1);
                self.passed_over.push(range);
                continue;
            }
            match self.held.iter_mut().find(|(around, _)| around.contains(&range)) {
                Some((_, waiting)) => waiting.push(range),
                None => {
                    self.held.insert(range, Vec::new());
                    return Some(Question { place, range, inside: Some(self.parent.clone()) });
                }
            }
        }
        None
    }

    /// Makes the prefixes ready to be asked for.
    fn enter(&mut self) {
        let Target { aggregate, ranges, .. } = self.place.target;
        self.ready = ranges.iter().copied().filter(|range| *range != aggregate.prefix).collect();
    }

    /// Takes up an answer, which those that wait for it may need.
    fn take(&mut self, Answer { range, net, settled, .. }: Answer) {
        let found = u64::from(net.is_some());
        self.settled &= settled;
        let waiting = self.held.remove(&range).unwrap_or_default();
        let (parent, reassigned) = net.map_or((None, Vec::new()), |net| (net.parent, net.reassigned));
        self.reassigned.extend(reassigned);
        if range == self.place.target.aggregate.prefix {
            self.place.progress(|line| line.networks += found);
            self.parent = parent;
            self.enter();
        } else {
            self.place.progress(|line| {
                line.networks += found;
                line.prefixes_done += 1;
            });
            waiting.into_iter().rev().for_each(|range| self.ready.push_front(range));
        }
    }

    /// Passes on what the public listing has in the aggregate, or why that is of no use.
    async fn tell_listing(&mut self) -> Result<(), Stopped> {
        let Place { asker, target, .. } = self.place;
        let aggregate = target.aggregate.prefix;
        if let Some(listing) = asker.source.listing(aggregate) {
            self.by_listing = true;
            return asker.tell(Finding::Listed(listing.near(aggregate))).await;
        }
        self.tell_doubt().await
    }

    async fn tell_doubt(&self) -> Result<(), Stopped> {
        let Place { asker, target, .. } = self.place;
        let aggregate = target.aggregate.prefix;
        match asker.source.doubt(aggregate) {
            Some(doubt) => asker.tell(Finding::InFull(InFull { aggregate, why: doubt.to_string() })).await,
            None => Ok(()),
        }
    }

    /// Begins anew, without the listing: what it has spared so far has to be asked for.
    async fn begin_again(&mut self) -> Result<(), Stopped> {
        self.tell_doubt().await?;
        self.place.asker.tell(Finding::LookAgain(self.place.target.aggregate.id)).await?;
        self.place.asker.forget_recalled();
        self.place.progress(|line| (line.networks, line.prefixes_done, line.failed) = (0, 0, 0));
        *self = Self::new(self.place);
        Ok(())
    }

    /// Passes on that everything about the aggregate is known, once that is so. Returns true if it turned out that the
    /// listing was wrong, so that it is walked over once more.
    async fn end_if_over(&mut self) -> Result<bool, Stopped> {
        if self.ended || !self.begun || !self.held.is_empty() || !self.ready.is_empty() {
            return Ok(false);
        }
        let place = self.place;
        if self.by_listing && place.asker.source.listing(place.target.aggregate.prefix).is_none() {
            self.begin_again().await?;
            return Ok(true);
        }
        self.ended = true;
        for range in std::mem::take(&mut self.passed_over) {
            place.nothing(range, "it lies in a reassigned net, below which nothing can be registered").await?;
        }
        let source = if self.by_listing { LookSource::Listing } else { LookSource::Questions };
        place.asker.tell(Finding::LookOver(place.target.aggregate.id, source)).await?;
        let state = if self.settled { AggregateState::Asked } else { AggregateState::Failed };
        let mut done = None;
        place.progress(|line| {
            line.state = state;
            done = self.settled.then(|| line.clone());
        });
        if let Some(line) = done {
            place.asker.tell(Finding::AggregateDone(line)).await?;
        }
        Ok(false)
    }
}

impl Question<'_> {
    async fn ask(self) -> Result<Answer, Stopped> {
        let Self { place, range, inside } = self;
        let (net, settled) = match inside {
            None => place.look_up_aggregate().await?,
            Some(parent) => place.look_up(range, parent.as_ref()).await?,
        };
        Ok(Answer { at: place.at, range, net, settled })
    }
}

impl Place<'_> {
    /// Changes the line of this aggregate in the run's progress.
    fn progress(&self, change: impl FnOnce(&mut AggregateProgress)) {
        self.asker.progress.update(|at| {
            if let Some(line) = at.asking.get_mut(self.at) {
                change(line);
            }
        });
    }

    /// Looks up the aggregate's own range. Returns the most specific net for it, and whether this is settled.
    async fn look_up_aggregate(&self) -> Result<(Option<Known>, bool), Stopped> {
        let (range, source) = (self.target.aggregate.prefix, &self.asker.source);
        let answer = match self.named {
            Named::Aggregate => source.ask_for_aggregate(range).await,
            Named::Nothing | Named::Prefixes => source.net_of_aggregate(range).await,
        };
        let absent = "ARIN has no net for this aggregate";
        let net = match self.asker.found(ObjectType::Network, range, answer, absent).await? {
            Found::Object(net) => net,
            Found::Nothing { settled, failed } => {
                if let Some(why) = failed {
                    self.unanswered(range, why).await?;
                }
                if settled {
                    self.answered_by(None).await?;
                }
                return Ok((None, settled));
            }
        };
        let own = net_match(&net, range, None, range);
        let why = match own {
            NetMatch::Exact | NetMatch::Around => return self.found_for_aggregate(net).await,
            NetMatch::Unrelated => return self.unrelated(range, &net).await,
            NetMatch::Below => format!("ARIN has only {}, a part of this aggregate", net.handle),
            NetMatch::Registry(Registry::Arin | Registry::Iana) => {
                format!("nobody has registered this aggregate; it lies in {}", net.handle)
            }
            NetMatch::Registry(registry) => format!(
                "{registry} has this aggregate ({}, net type {}), not ARIN; look there, and give it that RIR in NetBox",
                net.handle,
                net.kind.as_ref().map_or("", NetType::code),
            ),
        };
        self.answered_by(None).await?;
        self.asker.skip(ObjectType::Network, range, &why).await?;
        let settled = own != NetMatch::Below || self.asker.found_net(net).await?;
        Ok((None, settled))
    }

    /// Passes on the net for the aggregate with those that it hides. The config's own registration answers for the
    /// aggregate, if it is among them.
    async fn found_for_aggregate(&self, net: Net) -> Result<(Option<Known>, bool), Stopped> {
        let above = self.asker.above(&net, |_| false).await?;
        if let Some(why) = &above.failed {
            self.unanswered(self.target.aggregate.prefix, why.clone()).await?;
        }
        self.answered_by(Some(above.top().unwrap_or(&net.handle).clone())).await?;
        let settled = self.asker.found_above(above).await?;
        let (known, passed) = self.pass_on(net).await?;
        Ok((known, settled && passed))
    }

    /// Passes on which net answers for the aggregate.
    async fn answered_by(&self, net: Option<NetHandle>) -> Result<(), Stopped> {
        self.progress(|line| line.parent.clone_from(&net));
        self.asker.tell(Finding::Answer(self.target.aggregate.id, net)).await
    }

    /// Looks up a range inside the aggregate. Returns a net at or below the parent, and whether this is settled.
    async fn look_up(&self, range: IpNet, parent: Option<&Parent>) -> Result<(Option<Known>, bool), Stopped> {
        let (asker, aggregate) = (self.asker, self.target.aggregate.prefix);
        let knows = |handle: &NetHandle| asker.knows_net(handle);
        let answer = match self.named {
            Named::Prefixes => asker.source.ask_for_range(range).await,
            Named::Nothing | Named::Aggregate => asker.source.net_of_prefix(range, (parent, aggregate), knows).await,
        };
        let net = match self.asker.judge(ObjectType::Network, range, answer).await? {
            Ok(Some(net)) => net,
            Ok(None) => {
                self.nothing(range, "ARIN has no net for this prefix").await?;
                return Ok((None, true));
            }
            Err(failure) => {
                let settled = self.fail(range, failure).await?;
                return Ok((None, settled));
            }
        };
        let own = net_match(&net, range, parent, aggregate);
        if matches!(own, NetMatch::Below | NetMatch::Around | NetMatch::Registry(_)) {
            let why = format!("it has no registration of its own; it lies in {}", net.handle);
            self.nothing(range, &why).await?;
        }
        match own {
            NetMatch::Exact | NetMatch::Below => self.found_inside(range, net, parent).await,
            NetMatch::Around => Ok((None, true)),
            NetMatch::Registry(registry) => {
                self.inside_of_registry(registry, &net).await?;
                Ok((None, true))
            }
            NetMatch::Unrelated => self.unrelated(range, &net).await,
        }
    }

    /// Passes on a net inside the aggregate, which was found for a range, with those between it and the parent.
    async fn found_inside(
        &self,
        range: IpNet,
        net: Net,
        parent: Option<&Parent>,
    ) -> Result<(Option<Known>, bool), Stopped> {
        let known =
            |handle: &NetHandle| parent.is_some_and(|parent| parent.handle == *handle) || self.asker.knows_net(handle);
        let above = self.asker.above(&net, known).await?;
        if let Some(why) = &above.failed {
            self.unanswered(range, why.clone()).await?;
        }
        let settled = self.asker.found_above(above).await?;
        let (known, passed) = self.pass_on(net).await?;
        Ok((known, settled && passed))
    }

    /// Passes on that a part of the aggregate is another registry's. What is around all of it has been told of.
    async fn inside_of_registry(&self, registry: Registry, net: &Net) -> Result<(), Stopped> {
        let around = net.range().is_none_or(|range| range.covers(&self.target.aggregate.prefix.into()));
        match registry {
            Registry::Arin | Registry::Iana => Ok(()),
            Registry::Afrinic | Registry::Apnic | Registry::Lacnic | Registry::RipeNcc if around => Ok(()),
            Registry::Afrinic | Registry::Apnic | Registry::Lacnic | Registry::RipeNcc => {
                self.asker.in_hands_of(registry, net).await
            }
        }
    }

    /// Passes on a net and whoever holds it.
    async fn pass_on(&self, net: Net) -> Result<(Option<Known>, bool), Stopped> {
        let parent = net.range().map(|range| Parent { range, handle: net.handle.clone() });
        let reassigned = if net.kind == Some(NetType::Reassigned) { net.blocks.clone() } else { Vec::new() };
        let settled = self.asker.found_net(net).await?;
        Ok((Some(Known { parent, reassigned }), settled))
    }

    async fn unrelated(&self, asked: IpNet, net: &Net) -> Result<(Option<Known>, bool), Stopped> {
        let range = net.range().map_or_else(|| "no range".to_owned(), |range| range.to_string());
        let message = format!("ARIN answered with {} ({range}), which has nothing to do with it", net.handle);
        let settled = self.fail(asked, Failure::new(ObjectType::Network, asked, message)).await?;
        Ok((None, settled))
    }

    /// Passes on that the question about a range was not answered. Returns whether it has not to be asked again.
    async fn fail(&self, range: IpNet, failure: Failure) -> Result<bool, Stopped> {
        let settled = !failure.may_pass;
        self.progress(|line| line.failed += 1);
        self.unanswered(range, failure.message.clone()).await?;
        self.asker.tell(Finding::Failed(failure)).await?;
        Ok(settled)
    }

    async fn unanswered(&self, range: IpNet, why: String) -> Result<(), Stopped> {
        self.asker.tell(Finding::Unanswered(self.target.aggregate.id, range, why)).await
    }

    async fn nothing(&self, range: IpNet, why: &str) -> Result<(), Stopped> {
        if self.named != Named::Prefixes {
            return Ok(());
        }
        self.asker.skip(ObjectType::Network, range, why).await
    }
}

/// The blocks of nets that can have no children.
#[derive(Debug, Default)]
struct Reassigned(BTreeMap<IpAddr, NetBlock>);

impl Reassigned {
    fn extend(&mut self, blocks: impl IntoIterator<Item = NetBlock>) {
        self.0.extend(blocks.into_iter().map(|block| (block.first(), block)));
    }

    fn holds(&self, range: IpNet) -> bool {
        let range = NetBlock::from(range);
        self.0.range(..=range.first()).next_back().is_some_and(|(_, block)| block.covers(&range))
    }
}
