//! Ranges among which the one around another is found without looking at all of them.

use ipnet::IpNet;

/// Ranges in address order, of which none lies inside another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(Vec<IpNet>);

impl FromIterator<IpNet> for Ranges {
    /// Keeps the widest ones.
    fn from_iter<I: IntoIterator<Item = IpNet>>(ranges: I) -> Self {
        let mut all: Vec<IpNet> = ranges.into_iter().map(|range| range.trunc()).collect();
        // What lies inside a range comes behind it.
        all.sort_unstable();
        all.dedup_by(|inner, outer| outer.contains(&*inner));
        Self(all)
    }
}

impl Ranges {
    /// Returns all of them, in the order of their addresses.
    #[must_use]
    pub fn into_vec(self) -> Vec<IpNet> {
        self.0
    }

    /// Returns the range that holds another one.
    #[must_use]
    pub fn around(&self, net: &IpNet) -> Option<IpNet> {
        let behind = self.0.partition_point(|range| range.network() <= net.network());
        self.0.get(behind.checked_sub(1)?).copied().filter(|range| range.contains(net))
    }

    /// Returns whether a net lies in one of them, or has one in it.
    #[must_use]
    pub fn touches(&self, net: &IpNet) -> bool {
        let from = self.0.partition_point(|range| range.network() < net.network());
        self.0.get(from).is_some_and(|range| net.contains(range)) || self.around(net).is_some()
    }

    /// Returns them in address order.
    #[must_use]
    pub fn all(&self) -> &[IpNet] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn net() -> impl Strategy<Value = IpNet> {
        let v4 = (any::<u32>(), 1_u8..=12)
            .prop_map(|(bits, length)| IpNet::new(std::net::Ipv4Addr::from(bits).into(), length).unwrap());
        let v6 = (any::<u128>(), 1_u8..=12)
            .prop_map(|(bits, length)| IpNet::new(std::net::Ipv6Addr::from(bits).into(), length).unwrap());
        prop_oneof![v4, v6]
    }

    proptest! {
        #[test]
        fn the_range_around_is_the_widest_of_those_that_hold_it(all in vec(net(), 0..40), asked in net()) {
            let widest = all.iter().filter(|range| range.contains(&asked)).min_by_key(|range| range.prefix_len());
            let ranges: Ranges = all.iter().copied().collect();
            prop_assert_eq!(ranges.around(&asked), widest.map(IpNet::trunc));
            let touched = all.iter().any(|range| range.contains(&asked) || asked.contains(range));
            prop_assert_eq!(ranges.touches(&asked.trunc()), touched);
        }
    }
}
