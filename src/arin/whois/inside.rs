//! The nets inside a range, from as many answers as it takes.

use std::{cmp::Reverse, collections::BTreeMap};

use ipnet::IpNet;

use super::question::{Question, Relation};
use crate::model::{ListedNet, NetBlock, NetHandle};

/// What the answers about a range and its parts have told so far.
#[derive(Debug)]
pub(super) struct Found {
    range: NetBlock,
    nets: BTreeMap<NetHandle, ListedNet>,
}

impl Found {
    pub(super) fn inside(range: IpNet) -> Self {
        Self { range: range.trunc().into(), nets: BTreeMap::new() }
    }

    /// Adds the nets of an answer.
    ///
    /// # Errors
    /// Returns the handle of a net of which another answer has told something else.
    pub(super) fn add(&mut self, nets: Vec<ListedNet>) -> Result<(), NetHandle> {
        for net in nets {
            match self.nets.get(&net.handle) {
                Some(known) if *known != net => return Err(net.handle),
                Some(_) => {}
                None => drop(self.nets.insert(net.handle.clone(), net)),
            }
        }
        Ok(())
    }

    /// Returns the nets that lie inside the range as a whole, in address order and the widest first. The listing also has
    /// wider ones of which a block lies there.
    pub(super) fn into_nets(self) -> Vec<ListedNet> {
        let Self { range, nets } = self;
        let inside = |net: &ListedNet| net.range().is_some_and(|of_net| range.covers(&of_net));
        let mut nets: Vec<ListedNet> = nets.into_values().filter(inside).collect();
        nets.sort_by_cached_key(|net| net.range().map(|range| (range.first(), Reverse(range.last()))));
        nets
    }
}

/// Returns the questions that find what the answer to one lacks, as it was cut off: about both halves of its range. A net
/// that is exactly a half may be missing inside of it, so that is asked for, too. `None` if the range has no halves.
pub(super) fn divided(question: Question) -> Option<Vec<Question>> {
    let Question { about: Relation::Inside, range } = question else { return None };
    let halves = range.subnets(range.prefix_len().checked_add(1)?).ok()?;
    Some(halves.flat_map(|half| [Relation::Inside, Relation::At].map(|about| Question::new(about, half))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(handle: &str, first: &str, last: &str) -> ListedNet {
        ListedNet {
            handle: NetHandle::new(handle).unwrap(),
            name: handle.to_owned(),
            kind: None,
            blocks: vec![NetBlock::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()],
            parent: None,
            holder: None,
            registration_date: None,
            updated: None,
        }
    }

    fn halves(range: &str) -> Option<String> {
        let questions = divided(Question::new(Relation::Inside, range.parse().unwrap()))?;
        Some(questions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn a_range_is_divided_down_to_a_single_address() {
        insta::assert_snapshot!(halves("192.0.2.0/24").unwrap(), @"listing of 192.0.2.0/25 more, listing of 192.0.2.0/25, listing of 192.0.2.128/25 more, listing of 192.0.2.128/25");
        insta::assert_snapshot!(halves("::/0").unwrap(), @"listing of ::/1 more, listing of ::/1, listing of 8000::/1 more, listing of 8000::/1");
        assert_eq!((halves("192.0.2.1/32"), halves("2001:db8::1/128")), (None, None));
        assert_eq!(divided(Question::new(Relation::At, "192.0.2.0/24".parse().unwrap())), None);
        assert_eq!(divided(Question::new(Relation::Around, "192.0.2.0/24".parse().unwrap())), None);
    }

    #[test]
    fn nets_come_once_in_address_order_and_only_those_inside() {
        let mut found = Found::inside("192.0.2.0/23".parse().unwrap());
        let second = net("NET-2", "192.0.2.128", "192.0.3.127");
        found.add(vec![second.clone(), net("NET-3", "192.0.3.0", "192.0.3.255"), second.clone()]).unwrap();
        found.add(vec![net("NET-1", "192.0.2.0", "192.0.2.7"), second]).unwrap();
        found.add(vec![net("NET-0", "192.0.2.0", "192.0.3.255"), net("NET-9", "192.0.0.0", "192.0.2.127")]).unwrap();
        let handles: Vec<String> = found.into_nets().iter().map(|net| net.handle.to_string()).collect();
        assert_eq!(handles, ["NET-0", "NET-1", "NET-2", "NET-3"]);
    }

    #[test]
    fn a_net_that_changes_between_two_answers_is_told() {
        let mut found = Found::inside("192.0.2.0/23".parse().unwrap());
        let one = net("NET-1", "192.0.2.0", "192.0.2.7");
        let other = ListedNet { name: "OTHER".to_owned(), ..one.clone() };
        found.add(vec![one.clone()]).unwrap();
        assert_eq!(found.add(vec![other]), Err(one.handle));
    }
}
