//! What ARIN's public listing has in a range, as far as it can be believed.
//!
//! A [`Listing`] answers the question that a walk asks about each range: which net is it, or which one does it lie in? It is
//! believed only as long as nothing speaks against it. What speaks against it is a [`Doubt`], and costs questions: all of
//! the range is asked at Reg-RWS then. A listing never says that a recorded object is gone.

use std::{cmp::Reverse, collections::BTreeMap};

use ipnet::IpNet;
use jiff::Timestamp;

use super::recall::{Recall, same_name};
use crate::model::{ListedNet, Net, NetBlock, NetHandle};

/// Nets above another one in the listing are counted no further than this; a circle has no end.
const MAX_DEPTH: usize = 64;

/// The nets that are listed in a range, inside one another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listing {
    /// All nets inside this range are among these, if there is one.
    whole: Option<IpNet>,
    nets: BTreeMap<NetHandle, ListedNet>,
    /// By first address, outer before inner.
    spans: Vec<Span>,
}

#[derive(Debug, Clone, PartialEq)]
struct Span {
    range: NetBlock,
    handle: NetHandle,
    /// Position of the smallest span around this one.
    outer: Option<usize>,
}

/// The place of a range among the listed nets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spot<'a> {
    /// It is the range of this net, and of no net that was cut from it.
    Exact(&'a NetHandle),
    /// It lies in this net, and in none that is smaller.
    Within(&'a ListedNet),
    /// It lies in no listed net.
    Free,
}

/// A reason not to believe the listing of a range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum Doubt {
    #[error("ARIN's listing could not be had: {0}")]
    Failed(String),
    #[error("ARIN's listing could not be had a moment ago, and was not asked again")]
    GivenUp,
    #[error("ARIN's listing is older than what is recorded: it has {0} as of {1}, and {2} is recorded")]
    Older(NetHandle, Timestamp, Timestamp),
    #[error("ARIN's listing has {0}, which lies elsewhere")]
    Elsewhere(NetHandle),
    #[error("ARIN's listing has {0} and {1}, which overlap")]
    Overlap(NetHandle, NetHandle),
    #[error("ARIN's listing has {0} and {1} for the same range, and neither was cut from the other")]
    Equal(NetHandle, NetHandle),
    #[error("ARIN has {0}, which its listing lacks")]
    Lacks(NetHandle),
    #[error("ARIN's listing has {0}, which ARIN does not have")]
    Denied(NetHandle),
    #[error("ARIN's listing has {0} with another {1} than ARIN")]
    Differs(NetHandle, &'static str),
}

impl Listing {
    /// Takes the nets that are listed around a range, and all inside it if it is `whole`. `recall` is what is recorded.
    pub(super) fn new((range, whole): (IpNet, bool), listed: Vec<ListedNet>, recall: &Recall) -> Result<Self, Doubt> {
        let nets: BTreeMap<NetHandle, ListedNet> = listed.into_iter().map(|net| (net.handle.clone(), net)).collect();
        let asked = NetBlock::from(range);
        let mut spans = Vec::with_capacity(nets.len());
        for net in nets.values() {
            older(net, recall).map_or(Ok(()), Err)?;
            let block = net.range().filter(|block| block.overlaps(&asked));
            spans.push((block.ok_or_else(|| Doubt::Elsewhere(net.handle.clone()))?, depth(net, &nets), &net.handle));
        }
        spans.sort_by_key(|(range, depth, _)| (range.first(), Reverse(range.last()), *depth));
        let spans = nested(&spans)?;
        Ok(Self { whole: whole.then_some(range), nets, spans })
    }

    /// Returns whether it has all nets inside its range.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// Returns the net of this handle, if it is listed.
    pub(super) fn net(&self, handle: &NetHandle) -> Option<&ListedNet> {
        self.nets.get(handle)
    }

    /// Returns all listed nets, by handle.
    pub(super) fn nets(&self) -> impl Iterator<Item = &ListedNet> {
        self.nets.values()
    }

    /// Returns the listed nets inside a range and around it, by handle.
    pub(super) fn near(&self, range: IpNet) -> Vec<ListedNet> {
        let range = NetBlock::from(range);
        let near = |net: &&ListedNet| net.range().is_some_and(|block| block.overlaps(&range));
        self.nets.values().filter(near).cloned().collect()
    }

    /// Returns the place of a range, which lies in the range of the listing.
    pub(super) fn spot(&self, range: IpNet) -> Spot<'_> {
        let range = NetBlock::from(range);
        let after = self.spans.partition_point(|span| span.range.first() <= range.first());
        let mut at = after.checked_sub(1).and_then(|at| self.spans.get(at));
        while let Some(span) = at {
            if span.range == range {
                return Spot::Exact(&span.handle);
            }
            if span.range.covers(&range) {
                return self.nets.get(&span.handle).map_or(Spot::Free, Spot::Within);
            }
            at = span.outer.and_then(|outer| self.spans.get(outer));
        }
        Spot::Free
    }

    /// Returns what an answer of ARIN's about a net says against the listing; `None` is ARIN's word that there is no such
    /// net.
    pub(super) fn contradiction(&self, handle: &NetHandle, answer: Option<&Net>) -> Option<Doubt> {
        let doubt = match (self.nets.get(handle), answer) {
            (None, None) => return None,
            (Some(_), None) => Doubt::Denied(handle.clone()),
            (None, Some(net)) => {
                let whole = NetBlock::from(self.whole?);
                net.range().filter(|range| whole.covers(range))?;
                Doubt::Lacks(handle.clone())
            }
            (Some(listed), Some(net)) => Doubt::Differs(handle.clone(), difference(listed, net)?),
        };
        Some(doubt)
    }
}

/// Returns what ARIN's answer has otherwise than the listing.
fn difference(listed: &ListedNet, net: &Net) -> Option<&'static str> {
    if listed.range() != net.range() {
        Some("range")
    } else if listed.holder.is_some() && listed.holder != net.holder {
        Some("holder")
    } else if !same_name(&listed.name, &net.name) {
        Some("name")
    } else {
        None
    }
}

/// Returns whether the listing has an earlier state of a net than the one that was read when it was recorded.
fn older(net: &ListedNet, recall: &Recall) -> Option<Doubt> {
    let (listed, recorded) = (net.updated?.at, recall.net(&net.handle)?.listed?);
    (listed < recorded).then(|| Doubt::Older(net.handle.clone(), listed, recorded))
}

/// Returns how many listed nets a net was cut from, one after the other.
fn depth(net: &ListedNet, nets: &BTreeMap<NetHandle, ListedNet>) -> usize {
    let parent = |net: &&ListedNet| net.parent.as_ref().and_then(|parent| nets.get(parent));
    std::iter::successors(Some(net), parent).take(MAX_DEPTH).count()
}

/// Finds for each range the smallest one around it. Of equal ranges the one that was cut from the other is inside.
fn nested(sorted: &[(NetBlock, usize, &NetHandle)]) -> Result<Vec<Span>, Doubt> {
    let mut spans: Vec<Span> = Vec::with_capacity(sorted.len());
    let mut before: Option<(NetBlock, usize, &NetHandle)> = None;
    for (range, depth, handle) in sorted {
        if let Some((same, level, other)) = before.replace((*range, *depth, handle))
            && (same, level) == (*range, *depth)
        {
            return Err(Doubt::Equal(other.clone(), (*handle).clone()));
        }
        let mut outer = spans.len().checked_sub(1);
        while let Some(span) = outer.and_then(|at| spans.get(at)) {
            if span.range.covers(range) {
                break;
            }
            if span.range.overlaps(range) {
                return Err(Doubt::Overlap(span.handle.clone(), (*handle).clone()));
            }
            outer = span.outer;
        }
        spans.push(Span { range: *range, handle: (*handle).clone(), outer });
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Instance, Inventory, Payload, RowId, Updated},
        sync::lookup::{fixtures::recorded, recall::Refresh},
    };

    fn listed(handle: &str, range: &str, parent: Option<&str>) -> ListedNet {
        let ends = |(first, last): (&str, &str)| NetBlock::new(first.parse().unwrap(), last.parse().unwrap()).unwrap();
        let block = range.split_once(" - ").map(ends).unwrap_or_else(|| range.parse::<IpNet>().unwrap().into());
        ListedNet {
            handle: NetHandle::new(handle).unwrap(),
            name: handle.to_owned(),
            kind: None,
            blocks: vec![block],
            parent: parent.and_then(NetHandle::new),
            holder: None,
            registration_date: None,
            updated: Some(Updated { at: Timestamp::UNIX_EPOCH, to_the_day: false }),
        }
    }

    fn net(listed: &ListedNet) -> Net {
        let ListedNet { handle, name, blocks, parent, holder, .. } = listed.clone();
        Net { handle, name, kind: None, blocks, parent, holder, registration_date: None, raw: Payload::default() }
    }

    fn nothing_recorded() -> Recall {
        let refresh = Refresh { since: None, now: Timestamp::UNIX_EPOCH, period: jiff::SignedDuration::from_hours(1) };
        Recall::new(&Inventory::default(), &Instance::of(&Instance::PRODUCTION.parse().unwrap()), RowId(1), refresh)
    }

    fn listing(nets: &[ListedNet]) -> Result<Listing, Doubt> {
        Listing::new(("23.0.0.0/16".parse().unwrap(), true), nets.to_vec(), &nothing_recorded())
    }

    #[test]
    fn a_range_has_the_net_that_was_cut_last_or_lies_in_the_smallest() {
        let listing = listing(&[
            listed("NET-ALL", "23.0.0.0/16", None),
            listed("NET-A", "23.0.0.0/17", Some("NET-ALL")),
            listed("NET-Z", "23.0.0.0/17", Some("NET-A")),
            listed("NET-ODD", "23.0.128.0 - 23.0.129.127", Some("NET-ALL")),
            listed("NET-8", "23.0.0.0/8", None),
        ])
        .unwrap();
        let spot = |range: &str| match listing.spot(range.parse().unwrap()) {
            Spot::Exact(handle) => format!("is {handle}"),
            Spot::Within(net) => format!("in {}", net.handle),
            Spot::Free => "free".to_owned(),
        };
        let ranges = ["23.0.0.0/16", "23.0.0.0/17", "23.0.1.0/24", "23.0.128.0/24", "23.0.129.0/24", "23.0.255.0/24"];
        insta::assert_snapshot!(ranges.map(|range| format!("{range} {}", spot(range))).join("\n"), @"
        23.0.0.0/16 is NET-ALL
        23.0.0.0/17 is NET-Z
        23.0.1.0/24 in NET-Z
        23.0.128.0/24 in NET-ODD
        23.0.129.0/24 in NET-ALL
        23.0.255.0/24 in NET-ALL
        ");
    }

    #[test]
    fn a_listing_that_does_not_add_up_is_not_believed() {
        let all = || listed("NET-ALL", "23.0.0.0/16", None);
        let refused = |nets: &[ListedNet]| listing(nets).unwrap_err().to_string();
        insta::assert_snapshot!(refused(&[all(), listed("NET-X", "24.0.0.0/16", None)]), @"ARIN's listing has NET-X, which lies elsewhere");
        insta::assert_snapshot!(refused(&[all(), listed("NET-2", "23.0.0.0/16", None)]), @"ARIN's listing has NET-2 and NET-ALL for the same range, and neither was cut from the other");
        insta::assert_snapshot!(refused(&[listed("NET-1", "23.0.0.0/24", None), listed("NET-2", "23.0.0.128 - 23.0.1.127", None)]), @"ARIN's listing has NET-1 and NET-2, which overlap");
        let circle = [listed("NET-1", "23.0.0.0/24", Some("NET-2")), listed("NET-2", "23.0.0.0/24", Some("NET-1"))];
        insta::assert_snapshot!(refused(&circle), @"ARIN's listing has NET-1 and NET-2 for the same range, and neither was cut from the other");
    }

    #[test]
    fn a_listing_that_is_older_than_what_is_recorded_is_not_believed() {
        let net = listed("NET-23-0-0-0-1", "23.0.0.0/16", None);
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let new = |at| {
            let nets = vec![ListedNet { updated: Some(Updated { at, to_the_day: false }), ..net.clone() }];
            Listing::new(("23.0.0.0/16".parse().unwrap(), true), nets, &recorded(&net, at_recorded())).map(|_| ())
        };
        fn at_recorded() -> Timestamp {
            Timestamp::from_second(1000).unwrap()
        }
        assert_eq!((new(at(1000)), new(at(1001))), (Ok(()), Ok(())));
        insta::assert_snapshot!(new(at(999)).unwrap_err(), @"ARIN's listing is older than what is recorded: it has NET-23-0-0-0-1 as of 1970-01-01T00:16:39Z, and 1970-01-01T00:16:40Z is recorded");
    }

    #[test]
    fn what_arin_says_speaks_against_the_listing() {
        let inside = listed("NET-IN", "23.0.1.0/24", None);
        let listing = listing(std::slice::from_ref(&inside)).unwrap();
        let told = |net: &ListedNet, answer: Option<Net>| {
            listing.contradiction(&net.handle, answer.as_ref()).map_or("nothing".to_owned(), |doubt| doubt.to_string())
        };
        let renamed = |name: &str| Some(Net { name: name.to_owned(), ..net(&inside) });
        let moved = Some(Net { blocks: vec!["23.0.2.0/24".parse::<IpNet>().unwrap().into()], ..net(&inside) });
        let (new, outside) = (listed("NET-NEW", "23.0.3.0/24", None), listed("NET-OUT", "23.0.0.0/15", None));
        insta::assert_snapshot!([
            told(&inside, Some(net(&inside))),
            told(&inside, renamed(" net-in ")),
            told(&inside, renamed("OTHER")),
            told(&inside, moved),
            told(&inside, None),
            told(&new, Some(net(&new))),
            told(&new, None),
            told(&outside, Some(net(&outside))),
        ].join("\n"), @"
        nothing
        nothing
        ARIN's listing has NET-IN with another name than ARIN
        ARIN's listing has NET-IN with another range than ARIN
        ARIN's listing has NET-IN, which ARIN does not have
        ARIN has NET-NEW, which its listing lacks
        nothing
        nothing
        ");
    }
}
