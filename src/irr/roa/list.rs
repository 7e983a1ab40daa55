//! The list of VRPs that a validator writes.
//!
//! It is the JSON of Routinator and rpki-client: `{"roas": [{"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 24}]}`;
//! rpki-client writes the number alone, and when the VRP ends (`expires`). When the list was made stands in `metadata`. All of
//! the world's are near a million, so it is read as it comes, and nothing of it is held here.

use std::{
    fmt,
    io::{self, BufReader, Read},
};

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{
    bounded::{Bounded, Outsized},
    vrp::Vrp,
};
use crate::{
    irr::rpsl::{Class, ObjectFault, Rejected, shown},
    model::Asn,
};

/// More entries than any list has: four times those of all trust anchors at the end of 2025.
const MOST_ENTRIES: u64 = 4_000_000;

/// A list of VRPs that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoVrpList {
    /// It did not come whole.
    #[error("the list of VRPs could not be read to its end")]
    Read(#[source] io::Error),
    /// It is none.
    #[error("this is no list of VRPs as Routinator or rpki-client write it")]
    Malformed(#[source] serde_json::Error),
    /// It would take more memory than any list needs.
    #[error("this is no list of VRPs as Routinator or rpki-client write it")]
    Outsized(#[source] io::Error),
}

/// Reads a list, and hands on its VRPs that have not ended, and those that make no sense. It may block. Returns when the list was
/// made, if it says so.
///
/// # Errors
/// When it does not come to its end, or is no such list.
pub fn read_vrps(
    list: impl Read,
    now: Timestamp,
    mut take: impl FnMut(Result<Vrp, Rejected>),
) -> Result<Option<Timestamp>, NoVrpList> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(Bounded::new(list)));
    let document = Document { now, take: &mut take };
    let made = document.deserialize(&mut json).map_err(unusable)?;
    json.end().map_err(unusable)?;
    Ok(made)
}

fn unusable(error: serde_json::Error) -> NoVrpList {
    if !error.is_io() {
        return NoVrpList::Malformed(error);
    }
    let error = io::Error::from(error);
    let is_outsized = error.get_ref().is_some_and(|inner| inner.is::<Outsized>());
    if is_outsized { NoVrpList::Outsized(error) } else { NoVrpList::Read(error) }
}

/// The document, in whose member `roas` the entries are.
struct Document<'a> {
    now: Timestamp,
    take: &'a mut dyn FnMut(Result<Vrp, Rejected>),
}

/// The entries.
struct Entries<'a>(Document<'a>);

/// What a list says of itself: Routinator when it was made, in two forms, and rpki-client in one.
#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Metadata {
    generated: Scalar,
    #[serde(rename = "generatedTime")]
    generated_time: Scalar,
    buildtime: Scalar,
}

/// An entry as it is written. What it has besides is of no matter here.
#[derive(Default, Deserialize)]
#[serde(default, expecting = "a VRP")]
struct WrittenVrp {
    asn: Scalar,
    prefix: Scalar,
    #[serde(rename = "maxLength")]
    max_length: Scalar,
    expires: Scalar,
}

/// A value that is text or a whole number.
#[derive(Default)]
enum Scalar {
    Text(String),
    Number(i64),
    /// It is something else, or not there.
    #[default]
    None,
}

impl Metadata {
    fn made(&self) -> Option<Timestamp> {
        [&self.generated, &self.generated_time, &self.buildtime].into_iter().find_map(Scalar::time)
    }
}

impl WrittenVrp {
    /// Returns whether it has ended, as a ROA or something that it hangs on has.
    fn has_ended(&self, now: Timestamp) -> bool {
        self.expires.time().is_some_and(|at| at <= now)
    }

    fn vrp(&self) -> Result<Vrp, ObjectFault> {
        let bad_prefix = || ObjectFault::BadPrefix { value: self.prefix.shown() };
        let prefix: IpNet = self.prefix.text().and_then(|text| text.parse().ok()).ok_or_else(bad_prefix)?;
        if prefix != prefix.trunc() {
            return Err(ObjectFault::HostBits { value: self.prefix.shown() });
        }
        let bad_asn = || ObjectFault::BadAsNumber { attribute: "asn", value: self.asn.shown() };
        let origin = self.asn.asn().ok_or_else(bad_asn)?;
        let max_length = match &self.max_length {
            Scalar::None => Some(prefix.prefix_len()),
            Scalar::Number(number) => u8::try_from(*number).ok(),
            Scalar::Text(text) => text.parse().ok(),
        };
        let vrp = max_length.map(|max_length| Vrp { prefix, max_length, origin }).filter(Vrp::fits);
        vrp.ok_or_else(|| ObjectFault::BadMaxLength { value: self.max_length.shown() })
    }

    /// Tells of it as of the object that it would become.
    fn rejected(&self, fault: ObjectFault) -> Rejected {
        let prefix = self.prefix.shown();
        let class = if prefix.contains(':') { Class::Route6 } else { Class::Route };
        Rejected::new(&format!("{class}: {prefix}"), Some(class), fault)
    }
}

impl Scalar {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::None => None,
        }
    }

    /// Reads `"AS64496"`, or the number alone.
    fn asn(&self) -> Option<Asn> {
        match self {
            Self::Text(text) => text.parse().ok().or_else(|| text.parse().ok().map(Asn)),
            Self::Number(number) => u32::try_from(*number).ok().map(Asn),
            Self::None => None,
        }
    }

    /// Reads seconds since 1970, or a time as RFC 3339 has it.
    fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(seconds) => Timestamp::from_second(*seconds).ok(),
            Self::None => None,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => shown(text),
            Self::Number(number) => number.to_string(),
            Self::None => String::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(i64::try_from(number).map_or(Scalar::None, Scalar::Number))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::None)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::None)
            }

            fn visit_unit<E: Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Scalar, A::Error> {
                IgnoredAny.visit_seq(seq).map(|_| Scalar::None)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scalar, A::Error> {
                IgnoredAny.visit_map(map).map(|_| Scalar::None)
            }
        }

        from.deserialize_any(Any)
    }
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = Option<Timestamp>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Option<Timestamp>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the list `roas`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { now, take } = self;
        let (mut is_found, mut made) = (false, None);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "roas" if is_found => return Err(A::Error::duplicate_field("roas")),
                "roas" => {
                    is_found = true;
                    map.next_value_seed(Entries(Document { now, take: &mut *take }))?;
                }
                "metadata" => made = map.next_value::<Option<Metadata>>()?.as_ref().and_then(Metadata::made),
                _ => {
                    let _: IgnoredAny = map.next_value()?;
                }
            }
        }
        if is_found { Ok(made) } else { Err(A::Error::missing_field("roas")) }
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of VRPs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Document { now, take } = self.0;
        let mut count = 0_u64;
        while let Some(entry) = entries.next_element::<WrittenVrp>()? {
            count = count.saturating_add(1);
            if count > MOST_ENTRIES {
                return Err(A::Error::custom(format_args!("it has more than {MOST_ENTRIES} entries")));
            }
            match entry.vrp() {
                // Lists are made before they are read. That some of it has ended meanwhile is nothing a person should look at.
                Ok(_) if entry.has_ended(now) => {}
                Ok(vrp) => take(Ok(vrp)),
                Err(fault) => take(Err(entry.rejected(fault))),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::error_chain::error_chain;

    /// Reads a list on a certain day, and tells what is in it.
    fn told(text: &str) -> String {
        let mut told = String::new();
        let made = read_vrps(text.as_bytes(), "2026-11-28T00:00:00Z".parse().unwrap(), |entry| match entry {
            Ok(Vrp { prefix, max_length, origin }) => writeln!(told, "{prefix}-{max_length} {origin}").unwrap(),
            Err(Rejected { begins, fault, .. }) => {
                writeln!(told, "{begins:?} is left out: {}: {fault}", fault.label()).unwrap();
            }
        });
        match made {
            Ok(made) => format!("{told}made: {}", made.map_or_else(|| "?".to_owned(), |made| made.to_string())),
            Err(error) => error_chain(&error),
        }
    }

    #[test]
    fn both_forms_are_read() {
        insta::assert_snapshot!(told(r#"{"metadata": {"generated": 1700000000, "generatedTime": "2023-11-14T22:13:20Z"}, "roas": [
            {"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 25, "ta": "arin"},
            {"asn": "AS0", "prefix": "2001:db8::/32", "maxLength": 128, "ta": "ripe"}]}"#), @"
        192.0.2.0/24-25 AS64496
        2001:db8::/32-128 AS0
        made: 2023-11-14T22:13:20Z
        ");
        insta::assert_snapshot!(told(r#"{"metadata": {"buildmachine": "a", "buildtime": "2026-11-27T12:00:00Z", "elapsedtime": 3}, "roas": [
            {"asn": 64496, "prefix": "192.0.2.0/24", "maxLength": 25, "ta": "arin", "expires": 1900000000},
            {"asn": 64497, "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "arin", "expires": 1700000000}],
            "bgpsec_keys": [{"a": [1]}]}"#), @"
        192.0.2.0/24-25 AS64496
        made: 2026-11-27T12:00:00Z
        ");
    }

    #[test]
    fn a_list_may_not_say_when_it_was_made() {
        for metadata in ["null", "{}", r#"{"generated": "soon", "buildtime": [1, {"generated": 2}]}"#] {
            assert_eq!(told(&format!(r#"{{"roas": [], "metadata": {metadata}}}"#)), "made: ?", "{metadata}");
        }
        let later = told(
            r#"{"roas": [], "other": {"roas": 1}, "metadata": {"generated": null, "generatedTime": "2026-11-28T01:00:00Z"}}"#,
        );
        assert_eq!(later, "made: 2026-11-28T01:00:00Z");
    }

    #[test]
    fn entries_that_make_no_sense_are_told_with_the_reason() {
        let entries = [
            r#""asn": "AS1", "prefix": "10.0.0.0/8""#,
            r#""asn": "AS1", "prefix": "10.0.0.0/8", "maxLength": 7"#,
            r#""asn": "AS1", "prefix": "10.0.0.0/8", "maxLength": 33"#,
            r#""asn": "AS1", "prefix": "10.0.0.0/8", "maxLength": "eight""#,
            r#""asn": "AS1", "prefix": "10.0.0.1/8", "maxLength": 8"#,
            r#""asn": "AS1", "prefix": "2001:db8::1/32", "maxLength": 32"#,
            r#""asn": "AS1", "prefix": "ten", "maxLength": 8"#,
            r#""asn": "AS1", "prefix": ["10.0.0.0/8"], "maxLength": 8"#,
            r#""asn": "X", "prefix": "10.0.0.0/8", "maxLength": 8"#,
            r#""asn": 4294967296, "prefix": "10.0.0.0/8", "maxLength": 8"#,
            r#""asn": -1, "prefix": "10.0.0.0/8", "maxLength": 8"#,
            r#""asn": 1.5, "prefix": "10.0.0.0/8", "maxLength": 8"#,
            "",
        ];
        let entries = entries.map(|entry| format!("{{{entry}}}")).join(",");
        insta::assert_snapshot!(told(&format!(r#"{{"roas": [{entries}]}}"#)), @r#"
        10.0.0.0/8-8 AS1
        "route: 10.0.0.0/8" is left out: bad-max-length: `maxLength` is "7", which is no length of what is inside the prefix
        "route: 10.0.0.0/8" is left out: bad-max-length: `maxLength` is "33", which is no length of what is inside the prefix
        "route: 10.0.0.0/8" is left out: bad-max-length: `maxLength` is "eight", which is no length of what is inside the prefix
        "route: 10.0.0.1/8" is left out: host-bits: the prefix "10.0.0.1/8" has bits set behind its length
        "route6: 2001:db8::1/32" is left out: host-bits: the prefix "2001:db8::1/32" has bits set behind its length
        "route: ten" is left out: bad-prefix: "ten" is no prefix of this class
        "route:" is left out: bad-prefix: "" is no prefix of this class
        "route: 10.0.0.0/8" is left out: bad-as-number: `asn` is "X", which is no AS number
        "route: 10.0.0.0/8" is left out: bad-as-number: `asn` is "4294967296", which is no AS number
        "route: 10.0.0.0/8" is left out: bad-as-number: `asn` is "-1", which is no AS number
        "route: 10.0.0.0/8" is left out: bad-as-number: `asn` is "", which is no AS number
        "route:" is left out: bad-prefix: "" is no prefix of this class
        made: ?
        "#);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let texts = [
            "",
            "[]",
            "{}",
            "<html>",
            r#"{"roas": {}}"#,
            r#"{"roas": [1]}"#,
            r#"{"roas": []"#,
            r#"{"roas": []} x"#,
            r#"{"roas": [], "roas": []}"#,
        ];
        insta::assert_snapshot!(texts.map(told).join("\n"), @"
        this is no list of VRPs as Routinator or rpki-client write it: EOF while parsing a value at line 1 column 0
        this is no list of VRPs as Routinator or rpki-client write it: invalid type: sequence, expected an object with the list `roas` at line 1 column 1
        this is no list of VRPs as Routinator or rpki-client write it: missing field `roas` at line 1 column 2
        this is no list of VRPs as Routinator or rpki-client write it: expected value at line 1 column 1
        this is no list of VRPs as Routinator or rpki-client write it: invalid type: map, expected a list of VRPs at line 1 column 10
        this is no list of VRPs as Routinator or rpki-client write it: invalid type: integer `1`, expected a VRP at line 1 column 12
        this is no list of VRPs as Routinator or rpki-client write it: EOF while parsing an object at line 1 column 11
        this is no list of VRPs as Routinator or rpki-client write it: trailing characters at line 1 column 14
        this is no list of VRPs as Routinator or rpki-client write it: duplicate field `roas` at line 1 column 20
        ");
    }

    #[test]
    fn what_would_take_too_much_memory_is_refused() {
        let long = "a".repeat(5000);
        let texts = [
            format!(r#"{{"roas": [{{"prefix": "{long}"}}]}}"#),
            format!(r#"{{"{long}": 1}}"#),
            format!(r#"{{"other": {}"#, "[".repeat(50)),
        ];
        for text in texts {
            let refused = read_vrps(text.as_bytes(), Timestamp::UNIX_EPOCH, |_| {});
            assert!(matches!(refused, Err(NoVrpList::Outsized(_))), "{refused:?}");
        }
    }

    #[test]
    fn a_list_that_breaks_off_is_no_list() {
        struct Cut;
        impl Read for Cut {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let cut = io::Cursor::new(r#"{"roas": ["#).chain(Cut);
        let told = read_vrps(cut, Timestamp::UNIX_EPOCH, |_| {});
        assert!(matches!(told, Err(NoVrpList::Read(_))), "{told:?}");
    }
}
