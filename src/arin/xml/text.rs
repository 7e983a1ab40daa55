//! Addresses and dates as ARIN writes them, and the characters of which its documents are made.

use std::net::{IpAddr, Ipv4Addr};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    fmt::temporal::Pieces,
    tz::Offset,
};

/// Reads an address: IPv4 with or without zero padding, always decimal, or IPv6 in either case.
pub(in crate::arin) fn address(text: &str) -> Option<IpAddr> {
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
pub(in crate::arin) fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    iso_date(text).or_else(|| java_date(text))
}

/// Reads a moment such as `2010-04-09T14:52:52.053-04:00`, and whether it is midnight as written.
pub(in crate::arin) fn moment(text: &str) -> Option<(Timestamp, bool)> {
    let pieces = Pieces::parse(text.trim()).ok()?;
    let (time, offset) = (pieces.time()?, pieces.to_numeric_offset()?);
    let at = offset.to_timestamp(pieces.date().to_datetime(time)).ok()?;
    Some((at, time == Time::midnight()))
}

/// Reads a moment in either form. Of the zones that have no offset but a name, those in which ARIN writes are known.
pub(in crate::arin) fn timestamp(text: &str) -> Option<Timestamp> {
    moment(text).map(|(at, _)| at).or_else(|| java_timestamp(text))
}

fn java_timestamp(text: &str) -> Option<Timestamp> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_weekday, _month, _day, time, zone, _year] = words.as_slice() else { return None };
    let hours = match *zone {
        "UTC" | "GMT" => 0,
        "EDT" => -4,
        "EST" => -5,
        _ => return None,
    };
    Offset::from_hours(hours).ok()?.to_timestamp(java_date(text)?.to_datetime(time.parse().ok()?)).ok()
}

fn iso_date(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

/// Reads the form of Java's `Date.toString`; any zone abbreviation will do, and none as well.
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

/// Returns whether XML can carry a character, and it was there in the first place: U+FFFD stands for a wrong byte.
pub(in crate::arin) fn comes_back(character: char) -> bool {
    let is_space = matches!(character, '\t' | '\n' | '\r');
    let is_noncharacter = matches!(character, '\u{fffd}'..='\u{ffff}');
    is_space || character >= ' ' && !is_noncharacter
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        address(text).map_or_else(|| "unreadable".to_owned(), |address| address.to_string())
    }

    #[test]
    fn padded_octets_are_decimal() {
        assert_eq!(read("192.000.002.010"), "192.0.2.10");
        assert_eq!(read(" 010.001.000.099 "), "10.1.0.99");
    }

    #[test]
    fn what_is_no_address_is_unreadable() {
        for text in
            ["", "192.0.2", "192.0.2.1.1", "192.0.2.256", "192.0.2.0001", "192.0.2.+1", "0x7f.0.0.1", "192.0..1", "x:y"]
        {
            assert_eq!(read(text), "unreadable", "{text}");
        }
    }

    #[test]
    fn ipv6_comes_in_either_case_and_written_out() {
        assert_eq!(read("2001:0DB8:0000:0000:0000:0000:0000:00ff"), "2001:db8::ff");
        assert_eq!(read("2001:db8::FF"), "2001:db8::ff");
    }

    #[test]
    fn dates_are_the_day_as_written() {
        let day = |text| date(text).map(|date| date.to_string()).unwrap_or_default();
        for text in ["Mon Nov 07 14:04:28 EST 2011", "Mon Nov 7 23:59:59 2011", "Mon Nov 07 14:04:28 GMT-05:00 2011"] {
            assert_eq!(day(text), "2011-11-07", "{text}");
        }
        for text in ["2011-11-07T23:59:59-05:00", "2011-11-07T00:00:00.000+14:00", "2011-11-07T00:00:00Z", "2011-11-07"]
        {
            assert_eq!(day(text), "2011-11-07", "{text}");
        }
    }

    #[test]
    fn a_moment_has_an_offset_and_may_be_midnight_there() {
        let read = |text| moment(text).map(|(at, midnight)| format!("{at} {midnight}")).unwrap_or_default();
        assert_eq!(read("2010-04-09T14:52:52.053-04:00"), "2010-04-09T18:52:52.053Z false");
        assert_eq!(read(" 2007-03-28T00:00:00-04:00 "), "2007-03-28T04:00:00Z true");
        assert_eq!(read("2007-03-28T00:00:00Z"), "2007-03-28T00:00:00Z true");
        assert_eq!(read("2007-03-28T04:00:00+00:00"), "2007-03-28T04:00:00Z false");
        for text in
            ["", "today", "2007-03-28", "2007-03-28T00:00:00", "2007-02-30T00:00:00Z", "9999-12-31T23:59:59-23:00"]
        {
            assert_eq!(read(text), "", "{text}");
        }
    }

    #[test]
    fn a_moment_may_be_in_a_zone_that_arin_writes_in() {
        let read = |text| timestamp(text).map(|at| at.to_string()).unwrap_or_default();
        assert_eq!(read("Tue Jan 25 16:17:18 EST 2011"), "2011-01-25T21:17:18Z");
        assert_eq!(read("Wed Jul 04 09:00:00 EDT 2018"), "2018-07-04T13:00:00Z");
        assert_eq!(read("2026-09-22T10:00:00.000-04:00"), "2026-09-22T14:00:00Z");
        for text in ["", "Tue Jan 25 16:17:18 CET 2011", "Tue Jan 25 16:17:18 2011", "Tue Jan 25 26:17:18 EST 2011"] {
            assert_eq!(read(text), "", "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "today",
            "2011-13-07T00:00:00Z",
            "Mon Foo 07 14:04:28 EST 2011",
            "Mon Feb 30 14:04:28 EST 2011",
            "ééééééé",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn zero_padding_changes_no_address(a: u8, b: u8, c: u8, d: u8) {
            prop_assert_eq!(address(&format!("{a:03}.{b:03}.{c:03}.{d:03}")), Some(IpAddr::from([a, b, c, d])));
            prop_assert_eq!(address(&format!("{a}.{b:02}.{c:03}.{d}")), Some(IpAddr::from([a, b, c, d])));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = (address(&text), date(&text), timestamp(&text));
        }
    }
}
