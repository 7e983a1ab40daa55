//! Ranges of addresses.

use std::{fmt, net::IpAddr};

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};

/// A contiguous range of addresses of one family; `first` never exceeds `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "(IpAddr, IpAddr)", into = "(IpAddr, IpAddr)")]
pub struct NetBlock {
    first: IpAddr,
    last: IpAddr,
}

/// Two addresses that do not span a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBlock {
    /// The first and the last address belong to different address families.
    #[error("{0} and {1} are of different address families")]
    MixedFamilies(IpAddr, IpAddr),
    /// The range ends before it starts.
    #[error("the range starts at {0} and ends before it, at {1}")]
    Reversed(IpAddr, IpAddr),
}

impl NetBlock {
    /// Makes the range from `first` to `last`, both included.
    ///
    /// # Errors
    /// When the ends are of different families or in the wrong order.
    pub fn new(first: IpAddr, last: IpAddr) -> Result<Self, InvalidBlock> {
        if first.is_ipv4() != last.is_ipv4() {
            return Err(InvalidBlock::MixedFamilies(first, last));
        }
        if first > last {
            return Err(InvalidBlock::Reversed(first, last));
        }
        Ok(Self { first, last })
    }

    /// Returns the first address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// Returns the last address.
    #[must_use]
    pub fn last(&self) -> IpAddr {
        self.last
    }

    /// Returns whether every address of `other` is in this range.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.first.is_ipv4() == other.first.is_ipv4() && self.first <= other.first && other.last <= self.last
    }

    /// Returns whether the two have an address in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.first.is_ipv4() == other.first.is_ipv4() && self.first <= other.last && other.first <= self.last
    }

    /// Returns the fewest CIDR prefixes that cover exactly this range, in address order.
    #[must_use]
    pub fn prefixes(&self) -> Vec<IpNet> {
        match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect(),
            (IpAddr::V6(first), IpAddr::V6(last)) => Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Vec::new(),
        }
    }

    /// Returns the smallest range that spans all of `blocks`; `None` for none or for mixed families.
    #[must_use]
    pub fn spanning(blocks: &[Self]) -> Option<Self> {
        let first = blocks.iter().map(|block| block.first).min()?;
        let last = blocks.iter().map(|block| block.last).max()?;
        Self::new(first, last).ok()
    }
}

impl TryFrom<(IpAddr, IpAddr)> for NetBlock {
    type Error = InvalidBlock;

    fn try_from((first, last): (IpAddr, IpAddr)) -> Result<Self, InvalidBlock> {
        Self::new(first, last)
    }
}

impl From<NetBlock> for (IpAddr, IpAddr) {
    fn from(NetBlock { first, last }: NetBlock) -> Self {
        (first, last)
    }
}

impl From<IpNet> for NetBlock {
    fn from(net: IpNet) -> Self {
        Self { first: net.network(), last: net.broadcast() }
    }
}

impl fmt::Display for NetBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - {}", self.first, self.last)
    }
}

/// The reason why the RIR is not asked about a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRegistrable {
    /// Private, loopback, link-local, documentation, shared, multicast or otherwise special-use space
    /// (IANA special-purpose address registries, RFC 6890).
    SpecialUse,
    /// Longer than /64 (IPv6), which cannot be registered on its own (ARIN, Reporting Reassignments).
    TooLong,
}

impl fmt::Display for NotRegistrable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SpecialUse => "special-use space is not registered at an RIR",
            Self::TooLong => "IPv6 prefixes longer than /64 are not registered on their own",
        })
    }
}

/// Checks that a prefix can have a registration of its own.
///
/// # Errors
/// Returns the reason why it cannot.
pub fn registrable(net: IpNet) -> Result<(), NotRegistrable> {
    if special_use().iter().any(|special| special.contains(&net)) {
        return Err(NotRegistrable::SpecialUse);
    }
    match net {
        IpNet::V6(v6) if v6.prefix_len() > 64 => Err(NotRegistrable::TooLong),
        IpNet::V4(_) | IpNet::V6(_) => Ok(()),
    }
}

/// Returns the blocks of RFC 6890 and its successors in the IANA registries that nobody can be assigned.
///
/// Documentation space belongs here too, unless a test or demo says otherwise by choosing other addresses.
fn special_use() -> [IpNet; 21] {
    const fn v4(a: u8, b: u8, c: u8, len: u8) -> IpNet {
        IpNet::V4(Ipv4Net::new_assert(std::net::Ipv4Addr::new(a, b, c, 0), len))
    }
    const fn v6(a: u16, b: u16, len: u8) -> IpNet {
        IpNet::V6(Ipv6Net::new_assert(std::net::Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), len))
    }
    [
        v4(0, 0, 0, 8),
        v4(10, 0, 0, 8),
        v4(100, 64, 0, 10),
        v4(127, 0, 0, 8),
        v4(169, 254, 0, 16),
        v4(172, 16, 0, 12),
        v4(192, 0, 0, 24),
        v4(192, 0, 2, 24),
        v4(192, 168, 0, 16),
        v4(198, 18, 0, 15),
        v4(198, 51, 100, 24),
        v4(203, 0, 113, 24),
        v4(224, 0, 0, 4),
        v4(240, 0, 0, 4),
        v6(0x0100, 0, 64),
        v6(0x2001, 0x0db8, 32),
        v6(0x3fff, 0, 20),
        v6(0x5f00, 0, 16),
        v6(0xfc00, 0, 7),
        v6(0xfe80, 0, 10),
        v6(0xff00, 0, 8),
    ]
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn block(first: &str, last: &str) -> NetBlock {
        NetBlock::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
    }

    fn cidrs(block: NetBlock) -> String {
        block.prefixes().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn single_addresses_and_pairs_keep_their_length() {
        assert_eq!(cidrs(block("192.0.2.1", "192.0.2.1")), "192.0.2.1/32");
        assert_eq!(cidrs(block("192.0.2.0", "192.0.2.1")), "192.0.2.0/31");
        assert_eq!(cidrs(block("2001:db8::1", "2001:db8::1")), "2001:db8::1/128");
        for text in ["192.0.2.0/31", "192.0.2.7/32", "2001:db8::/127", "2001:db8::7/128"] {
            let net: IpNet = text.parse().unwrap();
            assert_eq!(NetBlock::from(net).prefixes(), [net]);
        }
    }

    #[test]
    fn the_whole_address_space_is_one_prefix() {
        assert_eq!(cidrs(block("0.0.0.0", "255.255.255.255")), "0.0.0.0/0");
        assert_eq!(cidrs(block("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), "::/0");
    }

    #[test]
    fn a_range_off_the_bit_boundary_is_several_prefixes() {
        assert_eq!(cidrs(block("192.0.2.0", "192.0.3.127")), "192.0.2.0/24 192.0.3.0/25");
    }

    #[test]
    fn ends_in_the_wrong_order_or_family_are_refused() {
        let new = |first: &str, last: &str| NetBlock::new(first.parse().unwrap(), last.parse().unwrap());
        assert!(matches!(new("192.0.2.2", "192.0.2.1"), Err(InvalidBlock::Reversed { .. })));
        assert!(matches!(new("192.0.2.2", "2001:db8::"), Err(InvalidBlock::MixedFamilies { .. })));
    }

    #[test]
    fn a_range_and_why_it_is_not_asked_about_are_told_in_words() {
        insta::assert_snapshot!(block("192.0.2.0", "192.0.2.7"), @"192.0.2.0 - 192.0.2.7");
        insta::assert_snapshot!(NotRegistrable::SpecialUse, @"special-use space is not registered at an RIR");
        insta::assert_snapshot!(NotRegistrable::TooLong, @"IPv6 prefixes longer than /64 are not registered on their own");
    }

    #[test]
    fn only_public_space_is_asked_about() {
        let verdict = |text: &str| registrable(text.parse().unwrap());
        for text in ["10.1.0.0/16", "100.64.0.0/24", "169.254.0.0/16", "192.0.2.0/24", "2001:db8:1::/48", "fd00::/8"] {
            assert_eq!(verdict(text), Err(NotRegistrable::SpecialUse), "{text}");
        }
        assert_eq!(verdict("2600::/65"), Err(NotRegistrable::TooLong));
        for text in ["2600::/64", "8.8.8.8/32", "100.0.0.0/8", "172.0.0.0/8", "192.0.0.0/8"] {
            assert_eq!(verdict(text), Ok(()), "{text}");
        }
    }

    fn covered_exactly(block: NetBlock, span: impl Fn(IpAddr) -> u128) {
        let prefixes = block.prefixes();
        let mut next = span(block.first);
        for prefix in &prefixes {
            assert_eq!(span(prefix.network()), next, "no gap and no overlap");
            next = span(prefix.broadcast()).wrapping_add(1);
        }
        assert_eq!(next, span(block.last).wrapping_add(1), "ends where the block ends");
        let longest = if block.first.is_ipv4() { 32 } else { 128 };
        assert!(prefixes.len() <= 2 * longest, "no more prefixes than needed");
    }

    proptest! {
        #[test]
        fn v4_blocks_become_prefixes_that_cover_exactly(a: u32, b: u32) {
            let (first, last) = (Ipv4Addr::from(a.min(b)), Ipv4Addr::from(a.max(b)));
            covered_exactly(NetBlock::new(first.into(), last.into()).unwrap(), |ip| match ip {
                IpAddr::V4(v4) => u32::from(v4).into(),
                IpAddr::V6(v6) => v6.into(),
            });
        }

        #[test]
        fn v6_blocks_become_prefixes_that_cover_exactly(a: u128, b: u128) {
            let (first, last) = (Ipv6Addr::from(a.min(b)), Ipv6Addr::from(a.max(b)));
            covered_exactly(NetBlock::new(first.into(), last.into()).unwrap(), |ip| match ip {
                IpAddr::V4(v4) => u32::from(v4).into(),
                IpAddr::V6(v6) => v6.into(),
            });
        }
    }
}
