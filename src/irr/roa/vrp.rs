//! A VRP, and the object that it is kept as.

use std::cmp::Reverse;

use ipnet::IpNet;

use crate::{
    irr::{
        rpsl::{Class, Object, attributes},
        source::SourceName,
    },
    model::Asn,
};

/// A validated ROA payload: this AS may announce this prefix, and what is inside it up to this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Vrp {
    pub prefix: IpNet,
    pub max_length: u8,
    pub origin: Asn,
}

/// The attribute of an object that has the greatest length, called so by IRRd.
const MAX_LENGTH: &str = "max-length";

impl Vrp {
    /// Returns the text of the object that it is kept as: that of an IRRd, without the words for people. The object has the key
    /// of a route, so that there can be one for each prefix and origin only; see [`greatest`].
    #[must_use]
    pub fn text(&self, source: &SourceName) -> String {
        let Self { prefix, max_length, origin } = self;
        let name = class_of(prefix).name();
        let class = format!("{name}:");
        format!(
            "{class:<16}{prefix}\n{MAX_LENGTH}:     {max_length}\norigin:         {origin}\nsource:         {source}\n"
        )
    }

    /// Reads it from the object that it is kept as. A route of a registry is none.
    #[must_use]
    pub fn read(object: &Object) -> Option<Self> {
        let max_length = attributes(&object.text).flatten().find(|attribute| attribute.is(MAX_LENGTH))?;
        let max_length = max_length.value().parse().ok()?;
        let (prefix, origin) = object.key.key.rsplit_once("AS")?;
        let vrp = Self { prefix: prefix.parse().ok()?, max_length, origin: Asn(origin.parse().ok()?) };
        vrp.fits().then_some(vrp)
    }

    /// Returns whether its greatest length is one that something inside its prefix can have.
    pub(super) fn fits(&self) -> bool {
        (self.prefix.prefix_len()..=self.prefix.max_prefix_len()).contains(&self.max_length)
    }
}

/// Returns the class of the object that a VRP about a prefix is kept as.
fn class_of(prefix: &IpNet) -> Class {
    match prefix {
        IpNet::V4(_) => Class::Route,
        IpNet::V6(_) => Class::Route6,
    }
}

/// Returns VRPs in the order of their prefixes, and of those with the same prefix and origin only the one with the greatest
/// length. Nothing is lost by that (RFC 6811, section 2): they cover the same announcements, and what any of them makes valid,
/// that one does, too.
#[must_use]
pub fn greatest(mut vrps: Vec<Vrp>) -> Vec<Vrp> {
    vrps.sort_unstable_by_key(|vrp| (vrp.prefix, vrp.origin, Reverse(vrp.max_length)));
    vrps.dedup_by_key(|vrp| (vrp.prefix, vrp.origin));
    vrps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::irr::rpsl::{Checked, check};

    fn vrp(prefix: &str, max_length: u8, origin: u32) -> Vrp {
        Vrp { prefix: prefix.parse().unwrap(), max_length, origin: Asn(origin) }
    }

    fn kept(vrp: &Vrp) -> Object {
        let source = "RPKI".parse().unwrap();
        let Checked::Taken(object) = check(&vrp.text(&source), &source, None) else { panic!("{vrp:?} is refused") };
        object
    }

    #[test]
    fn it_is_kept_as_a_route_and_read_from_it() {
        let objects = [vrp("192.0.2.0/24", 26, 64496), vrp("2001:db8::/32", 48, 0)].map(|vrp| {
            let object = kept(&vrp);
            assert_eq!(Vrp::read(&object), Some(vrp));
            format!("{} {}\n{}", object.key.class, object.key.key, object.text)
        });
        insta::assert_snapshot!(objects.join("\n"), @"
        route 192.0.2.0/24AS64496
        route:          192.0.2.0/24
        max-length:     26
        origin:         AS64496
        source:         RPKI

        route6 2001:DB8::/32AS0
        route6:         2001:db8::/32
        max-length:     48
        origin:         AS0
        source:         RPKI
        ");
    }

    #[test]
    fn no_other_object_is_one() {
        let fine = kept(&vrp("192.0.2.0/24", 26, 64496));
        let with = |key: &str, text: &str| {
            let mut object = fine.clone();
            (object.key.key, object.text) = (key.to_owned(), text.to_owned());
            Vrp::read(&object)
        };
        let key = fine.key.key.clone();
        assert!(with(&key, &fine.text).is_some());
        assert_eq!(with(&key, "route: 192.0.2.0/24\norigin: AS64496\nsource: RPKI\n"), None, "a route of a registry");
        for length in ["23", "33", "-1", "256", ""] {
            assert_eq!(with(&key, &format!("max-length: {length}\n")), None, "{length}");
        }
        for key in ["SAMPLE-MNT", "AS64496", "192.0.2.0/24", "192.0.2.0/24AS4294967296"] {
            assert_eq!(with(key, &fine.text), None, "{key}");
        }
    }

    #[test]
    fn the_greatest_length_counts_for_each_prefix_and_origin() {
        let all = [
            ("198.51.100.0/24", 24, 1),
            ("2001:db8::/32", 32, 1),
            ("192.0.2.0/24", 24, 2),
            ("192.0.2.0/24", 26, 1),
            ("192.0.2.0/24", 28, 1),
            ("192.0.2.0/24", 24, 1),
            ("192.0.2.0/25", 25, 1),
        ];
        let left = greatest(all.map(|(prefix, most, origin)| vrp(prefix, most, origin)).to_vec());
        let told: Vec<_> = left.iter().map(|vrp| format!("{} {} {}", vrp.prefix, vrp.max_length, vrp.origin)).collect();
        insta::assert_snapshot!(told.join("\n"), @"
        192.0.2.0/24 28 AS1
        192.0.2.0/24 24 AS2
        192.0.2.0/25 25 AS1
        198.51.100.0/24 24 AS1
        2001:db8::/32 32 AS1
        ");
    }
}
