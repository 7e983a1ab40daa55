//! The forms of values that have one: RFC 2622, section 2, as an IRRd 4.5 reads them of mirrored objects.
//!
//! Where an IRRd is more lenient than the RFC in what old objects have, so is this: else we would lack objects that it has.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Why text is no prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPrefix {
    /// It does not look like one.
    Malformed,
    /// It has bits behind its length.
    HostBits,
}

/// Returns whether text is a name: a letter, then letters, digits, `-` or `_`, and a letter or digit at the end.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
    let [first, .., last] = text.as_bytes() else { return false };
    first.is_ascii_alphabetic() && last.is_ascii_alphanumeric() && text.bytes().all(fits)
}

/// Returns the number of an AS that is written as `AS64496`. Some write `AS 64496`; `AS1.10` is no form of RPSL.
pub(super) fn as_number(text: &str) -> Option<u32> {
    let (prefix, number) = text.split_at_checked(2)?;
    prefix.eq_ignore_ascii_case("AS").then(|| decimal(number.trim_start())).flatten()
}

/// Returns the key of a set: names and AS numbers with colons between them, such as `AS64496:AS-CUSTOMERS`.
pub(super) fn set_name(text: &str) -> Option<String> {
    let part = |part: &str| match as_number(part) {
        Some(number) => Some(format!("AS{number}")),
        None => is_name(part).then(|| part.to_ascii_uppercase()),
    };
    text.split(':').map(part).collect::<Option<Vec<_>>>().map(|parts| parts.join(":"))
}

/// Returns the two ends of a block such as `AS64496 - AS64511`, of which the first is not above the last.
pub(super) fn as_block(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once('-')?;
    let ends = (as_number(first.trim())?, as_number(last.trim())?);
    (ends.0 <= ends.1).then_some(ends)
}

/// Returns whether text is a DNS name.
pub(super) fn is_dns_name(text: &str) -> bool {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    let is_label =
        |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(fits);
    text.split('.').all(is_label)
}

/// Returns the key of IPv4 addresses: `192.0.2.0 - 192.0.2.255`, one address, or a prefix. Octets that are zero may be left away
/// at the end. Where the value has several lines, there are commas that mean nothing.
pub(super) fn address_range(text: &str) -> Option<String> {
    let text = text.replace(',', "");
    if text.contains('/') {
        let (address, length) = v4_prefix(&text).ok()?;
        return Some(format!("{address}/{length}"));
    }
    // One number without a point is no address that anybody means.
    let address = |text: &str| text.contains('.').then(|| short_v4_address(text.trim())).flatten();
    let Some((first, last)) = text.split_once('-') else { return address(&text).map(|only| only.to_string()) };
    let (first, last) = (address(first)?, address(last)?);
    (first <= last).then(|| format!("{first} - {last}"))
}

/// Reads a prefix such as `192.0.2.0/24`. Zeros may stand before each number, as in old objects.
pub(super) fn v4_prefix(text: &str) -> Result<(Ipv4Addr, u32), NoPrefix> {
    let (address, length) = text.split_once('/').ok_or(NoPrefix::Malformed)?;
    v4_network(v4_address(address), length)
}

fn v4_network(address: Option<Ipv4Addr>, length: &str) -> Result<(Ipv4Addr, u32), NoPrefix> {
    let address = address.ok_or(NoPrefix::Malformed)?;
    let length = decimal(length).filter(|length| *length <= 32).ok_or(NoPrefix::Malformed)?;
    let host = u32::MAX.checked_shr(length).unwrap_or_default();
    if address.to_bits() & host == 0 { Ok((address, length)) } else { Err(NoPrefix::HostBits) }
}

/// Reads a prefix such as `2001:db8::/32`.
pub(super) fn v6_prefix(text: &str) -> Result<(Ipv6Addr, u32), NoPrefix> {
    let (address, length) = text.split_once('/').ok_or(NoPrefix::Malformed)?;
    // No registry writes the last bits as an IPv4 address, and an IRRd refuses it.
    let address = Some(address).filter(|address| !address.contains('.')).and_then(|address| address.parse().ok());
    let address: Ipv6Addr = address.ok_or(NoPrefix::Malformed)?;
    let length = decimal(length).filter(|length| *length <= 128).ok_or(NoPrefix::Malformed)?;
    let host = u128::MAX.checked_shr(length).unwrap_or_default();
    if address.to_bits() & host == 0 { Ok((address, length)) } else { Err(NoPrefix::HostBits) }
}

/// Returns whether text is a member of a route-set: a prefix, an address or a set, perhaps with a range such as `^24-32` behind it.
pub(super) fn is_route_set_member(text: &str, with_v6: bool) -> bool {
    let (member, range) = text.split_once('^').map_or((text, None), |(member, range)| (member, Some(range)));
    // What stands behind a set is not looked at.
    if set_name(member).is_some() {
        return range != Some("");
    }
    let length = member_length(member.trim_end(), with_v6);
    length.is_some_and(|length| range.is_none_or(|range| is_range_operator(range, length)))
}

/// Returns the length of a prefix, or of the one that is no more than an address.
fn member_length(text: &str, with_v6: bool) -> Option<u32> {
    let v6 =
        || v6_prefix(text).ok().map(|(_, length)| length).or_else(|| text.parse::<Ipv6Addr>().is_ok().then_some(128));
    let v4 = match text.split_once('/') {
        Some((address, length)) => v4_network(short_v4_address(address), length).ok().map(|(_, length)| length),
        None => short_v4_address(text).map(|_| 32),
    };
    v4.or_else(|| with_v6.then(v6).flatten())
}

/// Returns whether text is `-`, `+`, or lengths from that of the prefix on, such as `24` or `24-32`.
fn is_range_operator(text: &str, least: u32) -> bool {
    let length = |text: &str| decimal(text).filter(|_| text.len() <= 3);
    match text.split_once('-') {
        _ if matches!(text, "-" | "+") => true,
        Some((from, to)) => length(from).zip(length(to)).is_some_and(|(from, to)| least <= from && from <= to),
        None => length(text).is_some_and(|length| least <= length),
    }
}

/// Reads an address of which octets may be missing at the end, where they are zero.
fn short_v4_address(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.split('.');
    let mut octet = || parts.next().map_or(Some(0), octet);
    let address = Ipv4Addr::new(octet()?, octet()?, octet()?, octet()?);
    parts.next().is_none().then_some(address)
}

fn v4_address(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.split('.');
    let mut octet = || octet(parts.next()?);
    let address = Ipv4Addr::new(octet()?, octet()?, octet()?, octet()?);
    parts.next().is_none().then_some(address)
}

fn octet(text: &str) -> Option<u8> {
    decimal(text).and_then(|number| u8::try_from(number).ok())
}

/// Reads digits, and nothing but digits.
fn decimal(text: &str) -> Option<u32> {
    // A sign is no digit, but `parse` takes one.
    text.bytes().all(|letter| letter.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_a_letter_and_end_with_none_but_letters_and_digits() {
        for good in ["AS-FOO", "ab", "A1", "MAINT-AS64496", "a_b"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a", "1a", "-a", "a-", "a_", "a b", "a.b", "\u{e4}b"] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn as_numbers_have_32_bits() {
        let numbers = ["AS0", "as064496", "AS4294967295", "AS 64496"].map(as_number);
        assert_eq!(numbers, [Some(0), Some(64496), Some(u32::MAX), Some(64496)]);
        for bad in ["AS", "64496", "AS4294967296", "AS-1", "AS+1", "AS1.10", "A\u{e4}1", "AS1 "] {
            assert_eq!(as_number(bad), None, "{bad}");
        }
    }

    #[test]
    fn sets_may_stand_below_others() {
        assert_eq!(set_name("as064496:As-Foo").as_deref(), Some("AS64496:AS-FOO"));
        assert_eq!(set_name("AS-FOO").as_deref(), Some("AS-FOO"));
        for bad in ["", "AS-FOO:", ":AS-FOO", "AS-", "AS-A B"] {
            assert_eq!(set_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn prefixes_have_no_host_bits() {
        let v4 = |text| v4_prefix(text).map(|(address, length)| format!("{address}/{length}"));
        assert_eq!(v4("192.000.02.0/24").as_deref(), Ok("192.0.2.0/24"));
        assert_eq!(v4("0.0.0.0/0").as_deref(), Ok("0.0.0.0/0"));
        assert_eq!(v4("192.0.2.255/32").as_deref(), Ok("192.0.2.255/32"));
        assert_eq!(v4("192.0.2.1/24"), Err(NoPrefix::HostBits));
        for bad in [
            "192.0.2.0",
            "192.0.2/24",
            "192.0.2.256/32",
            "192.0.2.0/33",
            "192.0.2.0/",
            "1.2.3.0.0/24",
            "2001:db8::/32",
            "/8",
        ] {
            assert_eq!(v4(bad), Err(NoPrefix::Malformed), "{bad}");
        }
        let v6 = |text| v6_prefix(text).map(|(address, length)| format!("{address}/{length}"));
        assert_eq!(v6("2001:0DB8:0::/48").as_deref(), Ok("2001:db8::/48"));
        assert_eq!(v6("::/0").as_deref(), Ok("::/0"));
        assert_eq!(v6("::1/128").as_deref(), Ok("::1/128"));
        assert_eq!(v6("2001:db8::1/48"), Err(NoPrefix::HostBits));
        for bad in
            ["2001:db8::", "2001:db8::/129", "192.0.2.0/24", "::192.0.2.0/128", "2001:db8::%1/64", "2001:db8:/32"]
        {
            assert_eq!(v6(bad), Err(NoPrefix::Malformed), "{bad}");
        }
    }

    #[test]
    fn ranges_do_not_fall() {
        let range = |text| address_range(text);
        assert_eq!(range("192.0.2.0 -192.0.2.255").as_deref(), Some("192.0.2.0 - 192.0.2.255"));
        assert_eq!(range("192.0.2.0,-,192.0.2.255").as_deref(), Some("192.0.2.0 - 192.0.2.255"));
        assert_eq!(range("192.0 - 192.0.255").as_deref(), Some("192.0.0.0 - 192.0.255.0"));
        assert_eq!(range("192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(range("192.0.2.0/24").as_deref(), Some("192.0.2.0/24"));
        for bad in [
            "192.0.2.1 - 192.0.2.0",
            "192.0.2.0 -",
            "192.0.2.0 - 2001:db8::",
            "192.0.2.0 192.0.2.1",
            "192",
            "192.0.2.0.1",
            "192.0.2.1/24",
        ] {
            assert_eq!(range(bad), None, "{bad}");
        }
        assert_eq!(as_block("AS1-as5"), Some((1, 5)));
        assert_eq!(as_block("AS5 - AS1"), None);
        assert_eq!(as_block("AS5"), None);
    }

    #[test]
    fn members_of_route_sets_are_sets_and_prefixes_with_ranges_of_lengths_from_theirs_on() {
        let v4 = [
            "192.0.2.0/24",
            "192.0.2.0/24^+",
            "192.0.2.0/24^-",
            "192.0.2.0/24^24-32",
            "192.0.2.0/24^24",
            "192.0.2.1",
            "10/8",
            "192.0/16^24",
        ];
        for good in ["RS-FOO", "AS64496:RS-FOO^-"].iter().chain(&v4) {
            assert!(is_route_set_member(good, false), "{good}");
        }
        for good in ["2001:db8::/32^48", "2001:db8::1", "2001:db8::1^128", "192.0.2.0/24"] {
            assert!(is_route_set_member(good, true), "{good}");
        }
        let ranges = [
            "192.0.2.0/24^",
            "192.0.2.0/24^x",
            "192.0.2.0/24^23",
            "192.0.2.0/24^23-32",
            "192.0.2.0/24^26-25",
            "192.0.2.0/24^25-26-27",
        ];
        for bad in ["2001:db8::/32", "192.0.2.1/24", "^24", "RS-FOO^", "192.0.2.1.0"].iter().chain(&ranges) {
            assert!(!is_route_set_member(bad, false), "{bad}");
        }
    }

    #[test]
    fn dns_names_have_labels() {
        assert!(is_dns_name("r1.example.net") && is_dns_name("R1-2"));
        for bad in ["", "r1.", ".net", "-a.net", "a-.net", "a_b.net"] {
            assert!(!is_dns_name(bad), "{bad}");
        }
    }
}
