//! Looks up the aggregates, and below each its prefixes, the shortest first.
//!
//! A prefix inside a reassigned net needs no question, because such a net can have no children. To know that in time, a
//! prefix waits until the answer for a shorter one around it is there; everything else is asked at once.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::IpAddr,
};

use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, FuturesUnordered},
};
use ipnet::IpNet;

use super::{
    bearing::{Bearing, Parent, bearing},
    gather::{Asked, Asker, Finding, Stopped},
    outcome::{Failure, Skip},
    questions::{Questions, Target},
};
use crate::model::{Net, NetBlock, NetType, ObjectType, address_block::registrable};

/// Looks up all aggregates, several at a time.
pub(super) async fn aggregates(asker: &Asker<'_>, questions: &Questions) -> Result<(), Stopped> {
    asker.progress.update(|at| {
        at.aggregates.total = questions.targets.len() as u64;
        at.prefixes.total = questions.targets.iter().map(|target| target.ranges.len() as u64).sum();
    });
    stream::iter(questions.targets.iter().map(Ok))
        .try_for_each_concurrent(asker.in_flight, |target| async move {
            let mut reassigned = Reassigned::default();
            let parent = match &target.known {
                Some(known) => {
                    let blocks = known.parent.iter().filter(|_| known.reassigned).map(|parent| parent.range);
                    reassigned.extend(blocks);
                    known.parent.clone()
                }
                None => {
                    let own = aggregate(asker, target).await?;
                    own.iter().for_each(|net| reassigned.note(net));
                    own.and_then(|net| Some(Parent { range: net.range()?, handle: net.handle }))
                }
            };
            asker.progress.update(|at| at.aggregates.done += 1);
            let place = Place { asker, aggregate: target.aggregate.prefix, parent, single: questions.single };
            Walk::new(&place, &target.ranges, reassigned).run().await
        })
        .await
}

/// Looks up an aggregate's own range. Gives the net that answers for it.
async fn aggregate(asker: &Asker<'_>, target: &Target) -> Result<Option<Net>, Stopped> {
    asker.may_go_on()?;
    let range = target.aggregate.prefix;
    let id = target.aggregate.id;
    let skipped = |why: String| Finding::Skipped(Skip::new(ObjectType::Network, range, why));
    if registrable(range).is_err() {
        return Ok(None);
    }
    let asked = asker.arin.most_specific_net(range.into()).await;
    let net = match asker.judge(ObjectType::Network, range, asked)? {
        Asked::Found(net) => net,
        Asked::Absent => {
            asker.tell(Finding::Answer(id, None)).await?;
            asker.tell(skipped("ARIN has no net for this aggregate".into())).await?;
            return Ok(None);
        }
        Asked::Failed(failure) => {
            asker.tell(Finding::Failed(failure)).await?;
            return Ok(None);
        }
    };
    match bearing(&net, range, None, range) {
        Bearing::Own | Bearing::Around => {
            asker.tell(Finding::Answer(id, Some(net.handle.clone()))).await?;
            asker.found_net(net.clone()).await?;
            Ok(Some(net))
        }
        Bearing::Below => {
            asker.tell(Finding::Answer(id, None)).await?;
            asker.tell(skipped(format!("ARIN has only {}, a part of this aggregate", net.handle))).await?;
            asker.found_net(net).await?;
            Ok(None)
        }
        Bearing::Registry => {
            asker.tell(Finding::Answer(id, None)).await?;
            asker.tell(skipped(format!("nobody has registered this aggregate; it lies in {}", net.handle))).await?;
            Ok(None)
        }
        Bearing::Elsewhere => {
            asker.tell(Finding::Failed(elsewhere(range, &net))).await?;
            Ok(None)
        }
    }
}

fn elsewhere(asked: IpNet, net: &Net) -> Failure {
    let range = net.range().map_or_else(|| "no range".to_owned(), |range| range.to_string());
    let message = format!("ARIN answered with {} ({range}), which has nothing to do with it", net.handle);
    Failure::new(ObjectType::Network, asked, message)
}

/// The walk over the prefixes of one aggregate.
struct Walk<'a> {
    place: &'a Place<'a>,
    ready: VecDeque<IpNet>,
    /// Ranges that are asked for, each with those that wait for its answer because it is around them.
    held: HashMap<IpNet, Vec<IpNet>>,
    reassigned: Reassigned,
    /// Ranges that need no question.
    passed_over: Vec<IpNet>,
}

/// Where a walk takes place.
struct Place<'a> {
    asker: &'a Asker<'a>,
    aggregate: IpNet,
    parent: Option<Parent>,
    /// A word is due where nothing is found.
    single: bool,
}

impl<'a> Walk<'a> {
    fn new(place: &'a Place<'a>, ranges: &[IpNet], reassigned: Reassigned) -> Self {
        let ready = ranges.iter().copied().filter(|range| *range != place.aggregate).collect();
        Self { place, ready, held: HashMap::new(), reassigned, passed_over: Vec::new() }
    }

    async fn run(mut self) -> Result<(), Stopped> {
        let place = self.place;
        let mut asking = FuturesUnordered::new();
        loop {
            while asking.len() < place.asker.in_flight
                && let Some(range) = self.next()
            {
                place.asker.may_go_on()?;
                self.held.insert(range, Vec::new());
                asking.push(place.look_up(range));
            }
            let Some(answer) = asking.next().await else { break };
            let (range, net) = answer?;
            net.iter().for_each(|net| self.reassigned.note(net));
            let waiting = self.held.remove(&range).unwrap_or_default();
            waiting.into_iter().rev().for_each(|range| self.ready.push_front(range));
            place.asker.progress.update(|at| at.prefixes.done += 1);
        }
        for range in self.passed_over {
            place.nothing(range, "it lies in a reassigned net, below which nothing can be registered").await?;
        }
        Ok(())
    }

    /// The next range to ask for. Passes over those that need no question, and puts aside those that have to wait.
    fn next(&mut self) -> Option<IpNet> {
        while let Some(range) = self.ready.pop_front() {
            if self.reassigned.holds(range) {
                self.place.asker.progress.update(|at| at.prefixes.done += 1);
                self.passed_over.push(range);
                continue;
            }
            match self.held.iter_mut().find(|(around, _)| around.contains(&range)) {
                Some((_, waiting)) => waiting.push(range),
                None => return Some(range),
            }
        }
        None
    }
}

impl Place<'_> {
    /// Looks up a range, and whoever holds the net that was found. Gives a net at or below the parent.
    async fn look_up(&self, range: IpNet) -> Result<(IpNet, Option<Net>), Stopped> {
        let asked = self.asker.arin.most_specific_net(NetBlock::from(range)).await;
        let net = match self.asker.judge(ObjectType::Network, range, asked)? {
            Asked::Found(net) => net,
            Asked::Absent => {
                self.nothing(range, "ARIN has no net for this prefix").await?;
                return Ok((range, None));
            }
            Asked::Failed(failure) => {
                self.asker.tell(Finding::Failed(failure)).await?;
                return Ok((range, None));
            }
        };
        let around = || format!("it has no registration of its own; it lies in {}", net.handle);
        match bearing(&net, range, self.parent.as_ref(), self.aggregate) {
            Bearing::Own => self.asker.found_net(net.clone()).await?,
            Bearing::Below => {
                self.nothing(range, &around()).await?;
                self.asker.found_net(net.clone()).await?;
            }
            Bearing::Around | Bearing::Registry => {
                self.nothing(range, &around()).await?;
                return Ok((range, None));
            }
            Bearing::Elsewhere => {
                self.asker.tell(Finding::Failed(elsewhere(range, &net))).await?;
                return Ok((range, None));
            }
        }
        Ok((range, Some(net)))
    }

    async fn nothing(&self, range: IpNet, why: &str) -> Result<(), Stopped> {
        if !self.single {
            return Ok(());
        }
        self.asker.tell(Finding::Skipped(Skip::new(ObjectType::Network, range, why))).await
    }
}

/// The blocks of nets that can have no children.
#[derive(Debug, Default)]
struct Reassigned(BTreeMap<IpAddr, NetBlock>);

impl Reassigned {
    fn note(&mut self, net: &Net) {
        if net.kind == Some(NetType::Reassigned) {
            self.extend(net.blocks.iter().copied());
        }
    }

    fn extend(&mut self, blocks: impl Iterator<Item = NetBlock>) {
        self.0.extend(blocks.map(|block| (block.first(), block)));
    }

    fn holds(&self, range: IpNet) -> bool {
        let range = NetBlock::from(range);
        self.0.range(..=range.first()).next_back().is_some_and(|(_, block)| block.covers(&range))
    }
}
