//! What VRPs say of an announcement (RFC 6811).

use ipnet::IpNet;
use prefix_trie::joint::JointPrefixMap;

use super::vrp::Vrp;
use crate::model::Asn;

/// VRPs by their prefixes.
#[derive(Debug, Clone, Default)]
pub struct Vrps(JointPrefixMap<IpNet, Vec<(u8, Asn)>>);

/// What VRPs say of an announcement (RFC 6811, section 2). Of invalid ones it is told what does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Validity {
    /// A VRP fits.
    Valid,
    /// No VRP covers it.
    NotFound,
    /// The AS has one, for shorter prefixes.
    InvalidLength,
    /// One of its length belongs to another AS.
    InvalidOrigin,
    /// Neither the AS nor the length of any fits.
    InvalidBoth,
}

impl Vrps {
    /// Returns what the VRPs say of an announcement. AS0 is the origin of none that may be made (RFC 6483, section 4).
    #[must_use]
    pub fn validity(&self, prefix: &IpNet, origin: Asn) -> Validity {
        let (mut covered, mut right_origin, mut right_length) = (false, false, false);
        for (max_length, holder) in self.0.cover_values(prefix).flatten() {
            covered = true;
            let fits = prefix.prefix_len() <= *max_length;
            let holds = *holder == origin && origin != Asn(0);
            if fits && holds {
                return Validity::Valid;
            }
            right_origin |= holds;
            right_length |= fits && *holder != Asn(0);
        }
        match (covered, right_origin, right_length) {
            (false, ..) => Validity::NotFound,
            (true, true, _) => Validity::InvalidLength,
            (true, false, true) => Validity::InvalidOrigin,
            (true, false, false) => Validity::InvalidBoth,
        }
    }
}

impl FromIterator<Vrp> for Vrps {
    fn from_iter<I: IntoIterator<Item = Vrp>>(vrps: I) -> Self {
        let mut by_prefix: JointPrefixMap<IpNet, Vec<(u8, Asn)>> = JointPrefixMap::new();
        for Vrp { prefix, max_length, origin } in vrps {
            by_prefix.entry(prefix.trunc()).or_default().push((max_length, origin));
        }
        Self(by_prefix)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{super::vrp::greatest, *};

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn vrp(prefix: &str, max_length: u8, origin: u32) -> Vrp {
        Vrp { prefix: net(prefix), max_length, origin: Asn(origin) }
    }

    #[test]
    fn an_announcement_is_valid_invalid_or_not_found() {
        let all = [
            vrp("192.0.2.0/24", 25, 64496),
            vrp("192.0.2.0/24", 24, 64497),
            vrp("198.51.100.0/24", 24, 0),
            vrp("2001:db8::/32", 48, 64496),
        ];
        let vrps: Vrps = all.into_iter().collect();
        let told = |prefix: &str, origin| vrps.validity(&net(prefix), Asn(origin));
        assert_eq!(told("192.0.2.0/25", 64496), Validity::Valid);
        assert_eq!(told("192.0.2.0/24", 64497), Validity::Valid);
        assert_eq!(told("192.0.2.128/25", 64497), Validity::InvalidLength);
        assert_eq!(told("192.0.2.0/25", 64498), Validity::InvalidOrigin);
        assert_eq!(told("192.0.2.0/26", 64498), Validity::InvalidBoth);
        assert_eq!(told("192.0.0.0/23", 64496), Validity::NotFound);
        assert_eq!(told("198.51.100.0/24", 64496), Validity::InvalidBoth, "nobody may announce it");
        assert_eq!(told("198.51.100.0/24", 0), Validity::InvalidBoth, "not even AS0");
        assert_eq!(told("2001:db8:1::/48", 64496), Validity::Valid);
        assert_eq!(told("2001:db9::/48", 64496), Validity::NotFound);
    }

    fn any_net() -> impl Strategy<Value = IpNet> {
        (0_u32..32, 26_u8..=32).prop_map(|(low, length)| {
            IpNet::new(std::net::Ipv4Addr::from(0xc000_0200 | low).into(), length).unwrap().trunc()
        })
    }

    proptest! {
        /// As the pseudo-code of RFC 6811 has it.
        #[test]
        fn it_is_valid_if_any_fits_and_not_found_if_none_covers(
            all in vec((any_net(), 0_u8..4, 0_u32..4), 0..20), prefix in any_net(), origin in 0_u32..4
        ) {
            let vrp = |(prefix, more, origin): (IpNet, u8, u32)| {
                Vrp { prefix, max_length: (prefix.prefix_len() + more).min(32), origin: Asn(origin) }
            };
            let all: Vec<Vrp> = all.into_iter().map(vrp).collect();
            let covers: Vec<&Vrp> = all.iter().filter(|vrp| vrp.prefix.contains(&prefix)).collect();
            let fits = |vrp: &&&Vrp| {
                prefix.prefix_len() <= vrp.max_length && vrp.origin == Asn(origin) && origin != 0
            };
            let vrps: Vrps = all.iter().copied().collect();
            let told = vrps.validity(&prefix, Asn(origin));
            prop_assert_eq!(told == Validity::NotFound, covers.is_empty());
            prop_assert_eq!(told == Validity::Valid, covers.iter().any(|vrp| fits(&vrp)));
            let fewer: Vrps = greatest(all).into_iter().collect();
            prop_assert_eq!(fewer.validity(&prefix, Asn(origin)), told, "the greatest ones say the same");
        }
    }
}
