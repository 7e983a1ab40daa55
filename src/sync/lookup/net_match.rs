//! Judges what the net that ARIN names for a range says about that range.
//!
//! ARIN's `mostSpecificNet` has been seen to answer only for a range that is registered exactly, and to answer with the
//! net around it. Both readings are handled: only a net with exactly the asked range is that range's registration.

use ipnet::IpNet;

use crate::model::{Net, NetBlock, NetHandle, Registry};

/// The relation of a net to the range it was named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetMatch {
    /// It is the registration of exactly this range.
    Exact,
    /// It lies below the parent without being this range: a real net, but not this prefix's.
    Below,
    /// It is the parent or what the parent was cut from: the range has no registration of its own.
    Around,
    /// It is held by a registry: nobody has registered the range, or not at ARIN.
    Registry(Registry),
    /// It has nothing to do with the range.
    Unrelated,
}

/// The net that prefixes of an aggregate are looked at against.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parent {
    pub(super) handle: NetHandle,
    pub(super) range: NetBlock,
}

/// Judges `net`, named for `asked`, which lies inside `aggregate`. Without a parent the aggregate takes its place.
pub(super) fn net_match(net: &Net, asked: IpNet, parent: Option<&Parent>, aggregate: IpNet) -> NetMatch {
    if let Some(registry) = net.registry() {
        return NetMatch::Registry(registry);
    }
    if parent.is_some_and(|parent| parent.handle == net.handle) {
        return NetMatch::Around;
    }
    let Some(range) = net.range() else { return NetMatch::Unrelated };
    let asked = NetBlock::from(asked);
    let frame = parent.map_or(NetBlock::from(aggregate), |parent| parent.range);
    if range == asked {
        NetMatch::Exact
    } else if !range.covers(&asked) && !asked.covers(&range) {
        NetMatch::Unrelated
    } else if frame.covers(&range) {
        NetMatch::Below
    } else {
        NetMatch::Around
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NetType;

    fn net(handle: &str, kind: &str, range: &str) -> Net {
        Net {
            handle: NetHandle::new(handle).unwrap(),
            name: handle.into(),
            kind: Some(NetType::from_code(kind)),
            blocks: vec![NetBlock::from(range.parse::<IpNet>().unwrap())],
            parent: None,
            holder: None,
            registration_date: None,
            raw: crate::model::Payload::default(),
        }
    }

    fn judged(net: &Net, asked: &str, parent: Option<(&str, &str)>) -> NetMatch {
        let parent = parent.map(|(handle, range)| Parent {
            handle: NetHandle::new(handle).unwrap(),
            range: range.parse::<IpNet>().unwrap().into(),
        });
        net_match(net, asked.parse().unwrap(), parent.as_ref(), "23.0.0.0/16".parse().unwrap())
    }

    const PARENT: Option<(&str, &str)> = Some(("NET-P", "23.0.0.0/16"));

    #[test]
    fn a_net_with_exactly_the_asked_range_is_its_registration() {
        for range in ["23.0.4.0/24", "23.0.4.0/31", "23.0.4.0/32"] {
            assert_eq!(judged(&net("NET-S", "S", range), range, PARENT), NetMatch::Exact);
        }
    }

    #[test]
    fn the_parent_coming_back_means_no_registration_of_its_own() {
        assert_eq!(judged(&net("NET-P", "DA", "23.0.0.0/16"), "23.0.4.0/24", PARENT), NetMatch::Around);
    }

    #[test]
    fn a_wider_net_below_the_parent_is_a_net_but_not_this_prefixs() {
        assert_eq!(judged(&net("NET-S", "S", "23.0.4.0/23"), "23.0.4.0/24", PARENT), NetMatch::Below);
    }

    #[test]
    fn what_the_parent_was_cut_from_says_nothing() {
        assert_eq!(judged(&net("NET-G", "DA", "23.0.0.0/12"), "23.0.4.0/24", PARENT), NetMatch::Around);
    }

    #[test]
    fn a_block_of_the_registry_is_no_registration() {
        assert_eq!(judged(&net("NET-23", "AR", "23.0.0.0/8"), "23.0.4.0/24", None), NetMatch::Registry(Registry::Arin));
        assert_eq!(
            judged(&net("NET-23", "RX", "23.0.4.0/24"), "23.0.4.0/24", PARENT),
            NetMatch::Registry(Registry::RipeNcc)
        );
    }

    #[test]
    fn without_a_parent_only_nets_inside_the_aggregate_count() {
        assert_eq!(judged(&net("NET-S", "S", "23.0.4.0/23"), "23.0.4.0/24", None), NetMatch::Below);
        assert_eq!(judged(&net("NET-B", "DA", "23.0.0.0/15"), "23.0.4.0/24", None), NetMatch::Around);
    }

    #[test]
    fn a_net_elsewhere_is_told_apart() {
        assert_eq!(judged(&net("NET-X", "S", "24.0.4.0/23"), "23.0.4.0/24", PARENT), NetMatch::Unrelated);
    }
}
