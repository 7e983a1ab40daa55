//! VRPs, what validated ROAs say of who may announce what, and route origin validation by them (RFC 6811): pure.
//!
//! A list of VRPs is the JSON that Routinator and rpki-client write:
//! `{"roas": [{"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 24}]}`; rpki-client writes the number alone, and when
//! the VRP ends (`expires`). It is read as it comes, and of its entries only those are kept that somebody wants: all of the
//! world's are near a million.

use std::{
    fmt,
    io::{self, Read},
};

use ipnet::IpNet;
use jiff::Timestamp;
use prefix_trie::joint::JointPrefixMap;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::model::Asn;

/// More entries than any list has: four times those of all trust anchors at the end of 2025.
const MOST_ENTRIES: u64 = 4_000_000;

/// A validated ROA payload: this AS may announce this prefix, and what is inside it up to this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Vrp {
    pub prefix: IpNet,
    pub max_length: u8,
    pub origin: Asn,
}

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

/// A list of VRPs that was read.
#[derive(Debug, Default)]
pub struct VrpList {
    /// The entries that are wanted.
    pub wanted: Vec<Vrp>,
    /// How many entries there are that can be used, those that nobody wants included.
    pub entries: u64,
    /// How many entries make no sense.
    pub malformed: u64,
    /// How many have ended.
    pub expired: u64,
}

/// A list of VRPs that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoVrpList {
    /// It did not come whole.
    #[error("the list of VRPs could not be read to its end")]
    Read(#[source] io::Error),
    /// It is none.
    #[error("this is no list of VRPs as Routinator or rpki-client write it")]
    Malformed(#[source] serde_json::Error),
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

/// Reads a list, and keeps the entries about prefixes that are wanted and have not ended. It may block.
///
/// # Errors
/// When it does not come to its end, or is no such list.
pub fn read_vrps(list: impl Read, now: Timestamp, wanted: impl Fn(&IpNet) -> bool) -> Result<VrpList, NoVrpList> {
    let mut read = VrpList::default();
    let mut json = serde_json::Deserializer::from_reader(list);
    let told = |error: serde_json::Error| {
        if error.is_io() { NoVrpList::Read(error.into()) } else { NoVrpList::Malformed(error) }
    };
    let document = Document { list: &mut read, now, wanted: &wanted };
    document.deserialize(&mut json).map_err(told)?;
    json.end().map_err(told)?;
    Ok(read)
}

/// The document, in whose member `roas` the entries are.
struct Document<'a> {
    list: &'a mut VrpList,
    now: Timestamp,
    wanted: &'a dyn Fn(&IpNet) -> bool,
}

/// The entries.
struct Entries<'a>(Document<'a>);

/// An entry as it is written. What it has besides is of no matter here.
#[derive(Deserialize)]
struct WrittenVrp {
    #[serde(deserialize_with = "asn")]
    asn: Option<Asn>,
    prefix: Option<String>,
    #[serde(rename = "maxLength")]
    max_length: Option<u64>,
    #[serde(default)]
    expires: Option<i64>,
}

impl WrittenVrp {
    fn vrp(&self) -> Option<Vrp> {
        let (prefix, origin): (IpNet, Asn) = (self.prefix.as_deref()?.parse().ok()?, self.asn?);
        let max_length = u8::try_from(self.max_length.unwrap_or_else(|| prefix.prefix_len().into())).ok()?;
        let fits =
            prefix.prefix_len() <= max_length && max_length <= prefix.max_prefix_len() && prefix == prefix.trunc();
        fits.then_some(Vrp { prefix, max_length, origin })
    }
}

/// Reads `"AS64496"`, or the number alone; `None` for anything else.
fn asn<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Asn>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(match value {
        serde_json::Value::String(text) => text.parse().ok().or_else(|| text.parse().ok().map(Asn)),
        serde_json::Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()).map(Asn),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => None,
    })
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the list `roas`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { list, now, wanted } = self;
        let mut found = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == "roas" && !found {
                found = true;
                map.next_value_seed(Entries(Document { list: &mut *list, now, wanted }))?;
            } else {
                let _: IgnoredAny = map.next_value()?;
            }
        }
        if found { Ok(()) } else { Err(serde::de::Error::missing_field("roas")) }
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
        let Document { list, now, wanted } = self.0;
        while let Some(entry) = entries.next_element::<WrittenVrp>()? {
            match entry.vrp() {
                None => list.malformed = list.malformed.saturating_add(1),
                Some(_) if entry.expires.is_some_and(|at| at <= now.as_second()) => {
                    list.expired = list.expired.saturating_add(1);
                }
                Some(vrp) => {
                    list.entries = list.entries.saturating_add(1);
                    if wanted(&vrp.prefix) {
                        list.wanted.push(vrp);
                    }
                }
            }
            if list.entries.saturating_add(list.malformed).saturating_add(list.expired) > MOST_ENTRIES {
                return Err(serde::de::Error::custom(format_args!("it has more than {MOST_ENTRIES} entries")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn vrp(prefix: &str, max_length: u8, origin: u32) -> Vrp {
        Vrp { prefix: net(prefix), max_length, origin: Asn(origin) }
    }

    fn read(text: &str) -> Result<VrpList, NoVrpList> {
        read_vrps(text.as_bytes(), "2026-11-28T00:00:00Z".parse().unwrap(), |_| true)
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

    #[test]
    fn both_forms_are_read() {
        let routinator = r#"{"metadata": {"generated": 1700000000, "x": [1, {"roas": 2}]}, "roas": [
            {"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 25, "ta": "arin"}]}"#;
        let rpki_client = r#"{"roas": [
            {"asn": 64496, "prefix": "192.0.2.0/24", "maxLength": 25, "ta": "arin", "expires": 1900000000},
            {"asn": 64497, "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "arin", "expires": 1700000000}],
            "bgpsec_keys": []}"#;
        let (one, other) = (read(routinator).unwrap(), read(rpki_client).unwrap());
        assert_eq!((one.wanted, one.entries), (vec![vrp("192.0.2.0/24", 25, 64496)], 1));
        assert_eq!((other.wanted, other.expired), (vec![vrp("192.0.2.0/24", 25, 64496)], 1));
    }

    #[test]
    fn what_nobody_wants_is_counted_and_what_makes_no_sense_too() {
        let text = r#"{"roas": [
            {"asn": "AS1", "prefix": "10.0.0.0/8", "maxLength": 8}, {"asn": "AS1", "prefix": "10.0.0.0/8", "maxLength": 7},
            {"asn": "AS1", "prefix": "10.0.0.0/8", "maxLength": 33}, {"asn": "AS1", "prefix": "10.0.0.1/8", "maxLength": 8},
            {"asn": "X", "prefix": "10.0.0.0/8", "maxLength": 8}, {"asn": "AS1", "prefix": "ten", "maxLength": 8}]}"#;
        let list = read_vrps(text.as_bytes(), Timestamp::UNIX_EPOCH, |_| false).unwrap();
        assert_eq!((list.wanted.len(), list.entries, list.malformed), (0, 1, 5));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in
            ["", "[]", "{}", "<html>", r#"{"roas": {}}"#, r#"{"roas": [1]}"#, r#"{"roas": []"#, r#"{"roas": []} x"#]
        {
            assert!(matches!(read(text), Err(NoVrpList::Malformed(_))), "{text}");
        }
        struct Cut;
        impl Read for Cut {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let cut = io::Cursor::new(r#"{"roas": ["#).chain(Cut);
        assert!(matches!(read_vrps(cut, Timestamp::UNIX_EPOCH, |_| true), Err(NoVrpList::Read(_))));
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
        }
    }
}
