//! Addresses and dates as ARIN writes them.

use std::net::{IpAddr, Ipv4Addr};

use jiff::civil::Date;

/// Reads an address: IPv4 with or without zero padding, always decimal, or IPv6 in either case.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if text.contains(':') { text.parse().ok().map(IpAddr::V6) } else { padded_v4(text).map(IpAddr::V4) }
}

/// Reads `192.000.002.010`. The standard parser refuses leading zeros, and C's would take them for octal.
fn padded_v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = text.split('.').map(|octet| {
        let decimal = (1..=3).contains(&octet.len()) && octet.bytes().all(|byte| byte.is_ascii_digit());
        decimal.then(|| octet.parse::<u8>().ok()).flatten()
    });
    let v4 = Ipv4Addr::new(octets.next()??, octets.next()??, octets.next()??, octets.next()??);
    octets.next().is_none().then_some(v4)
}

/// Reads the day of `Mon Nov 07 14:04:28 EST 2011` or `2011-11-07T14:04:28.000-05:00`, as written: the day it was in
/// ARIN's zone.
pub(super) fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    iso_date(text).or_else(|| java_date(text))
}

fn iso_date(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

/// The form of Java's `Date.toString`; any zone abbreviation will do, and none as well.
fn java_date(text: &str) -> Option<Date> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_weekday, month, day, _time, .., year] = words.as_slice() else { return None };
    Date::new(year.parse().ok()?, month_number(month)?, day.parse().ok()?).ok()
}

fn month_number(name: &str) -> Option<i8> {
    const NAMES: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = name.to_ascii_lowercase();
    (1..).zip(NAMES).find(|(_, known)| *known == name).map(|(number, _)| number)
}
