//! The forms of values that have one: RFC 2622, section 2, as an IRRd reads them of mirrored objects.

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

/// Returns the number of an AS that is written as `AS64496` or `AS1.10`.
pub(super) fn as_number(text: &str) -> Option<u32> {
    let (prefix, number) = text.split_at_checked(2)?;
    if !prefix.eq_ignore_ascii_case("AS") {
        return None;
    }
    let Some((high, low)) = number.split_once('.') else { return decimal(number) };
    // An IRRd takes none of them as zero, either.
    let half = |text: &str| decimal(text).filter(|number| (1..=0xffff).contains(number));
    half(high)?.checked_mul(0x1_0000)?.checked_add(half(low)?)
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

/// Returns the key of IPv4 addresses: `192.0.2.0 - 192.0.2.255`, one address, or a prefix.
pub(super) fn address_range(text: &str) -> Option<String> {
    if text.contains('/') {
        let (address, length) = v4_prefix(text).ok()?;
        return Some(format!("{address}/{length}"));
    }
    let Some((first, last)) = text.split_once('-') else { return v4_address(text).map(|only| only.to_string()) };
    let (first, last) = (v4_address(first.trim())?, v4_address(last.trim())?);
    (first <= last).then(|| format!("{first} - {last}"))
}

/// Reads a prefix such as `192.0.2.0/24`. Zeros may stand before each number, as in old objects.
pub(super) fn v4_prefix(text: &str) -> Result<(Ipv4Addr, u32), NoPrefix> {
    let (address, length) = text.split_once('/').ok_or(NoPrefix::Malformed)?;
    let address = v4_address(address).ok_or(NoPrefix::Malformed)?;
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
    let is_v6 = || v6_prefix(member).is_ok() || member.parse::<Ipv6Addr>().is_ok();
    let is_prefix = || v4_prefix(member).is_ok() || v4_address(member).is_some() || (with_v6 && is_v6());
    // What stands behind a set is not looked at, as in an IRRd.
    range != Some("") && (set_name(member).is_some() || (is_prefix() && range.is_none_or(is_range_operator)))
}

/// Returns whether text is `-`, `+`, `24` or `24-32`.
fn is_range_operator(text: &str) -> bool {
    let is_length = |text: &str| text.len() <= 3 && decimal(text).is_some();
    matches!(text, "-" | "+")
        || text.split_once('-').map_or_else(|| is_length(text), |(from, to)| is_length(from) && is_length(to))
}

fn v4_address(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.split('.');
    let mut octet = || decimal(parts.next()?).and_then(|number| u8::try_from(number).ok());
    let address = Ipv4Addr::new(octet()?, octet()?, octet()?, octet()?);
    parts.next().is_none().then_some(address)
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
        let numbers = ["AS0", "as064496", "AS4294967295", "AS1.10", "AS65535.65535"].map(as_number);
        assert_eq!(numbers, [Some(0), Some(64496), Some(u32::MAX), Some(65546), Some(u32::MAX)]);
        for bad in
            ["AS", "64496", "AS4294967296", "AS-1", "AS+1", "AS1.65536", "AS0.1", "AS1.", "AS1.2.3", "A\u{e4}1", "AS1 "]
        {
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
        assert_eq!(range("192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(range("192.0.2.0/24").as_deref(), Some("192.0.2.0/24"));
        for bad in
            ["192.0.2.1 - 192.0.2.0", "192.0.2.0 -", "192.0.2.0 - 2001:db8::", "192.0.2.0 192.0.2.1", "192.0.2.1/24"]
        {
            assert_eq!(range(bad), None, "{bad}");
        }
        assert_eq!(as_block("AS1-as5"), Some((1, 5)));
        assert_eq!(as_block("AS5 - AS1"), None);
        assert_eq!(as_block("AS5"), None);
    }

    #[test]
    fn members_of_route_sets_are_sets_and_prefixes_with_ranges() {
        for good in [
            "RS-FOO",
            "AS64496:RS-FOO^-",
            "192.0.2.0/24",
            "192.0.2.0/24^+",
            "192.0.2.0/24^25-32",
            "192.0.2.0/24^25",
            "192.0.2.1",
        ] {
            assert!(is_route_set_member(good, false), "{good}");
        }
        assert!(is_route_set_member("2001:db8::/32^48", true));
        for bad in ["2001:db8::/32", "192.0.2.0/24^", "192.0.2.0/24^x", "192.0.2.1/24", "192.0.2.0/24^1-2-3", "^24"] {
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
