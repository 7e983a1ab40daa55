//! The route objects that say something of a range: equal to it, around it, inside it.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use ipnet::IpNet;

use crate::{
    irr::rpsl::{Object, attributes, listed},
    model::{Asn, SourceName},
};

/// A route or route6 object: somebody's claim that an AS may announce a prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct RouteObject {
    pub prefix: IpNet,
    pub origin: Asn,
    pub source: SourceName,
    /// Who may change it (`mnt-by`).
    pub maintainers: Vec<String>,
    /// When the registry says that it was changed last, as it writes that; empty where it says nothing.
    pub last_modified: String,
}

/// Route objects by their prefixes.
#[derive(Debug, Clone, Default)]
pub struct Claims(BTreeMap<IpNet, Vec<RouteObject>>);

impl RouteObject {
    /// Reads one; `None` for an object of another class.
    #[must_use]
    pub fn read(source: &SourceName, object: &Object) -> Option<Self> {
        let (prefix, origin) = (object.key.prefix()?, object.key.origin()?);
        let (mut maintainers, mut last_modified) = (Vec::new(), String::new());
        for attribute in attributes(&object.text).flatten() {
            if attribute.is("mnt-by") {
                maintainers.extend(listed(&attribute.value()).map(str::to_ascii_uppercase));
            } else if attribute.is("last-modified") {
                last_modified = attribute.value().into_owned();
            }
        }
        Some(Self { prefix, origin, source: source.clone(), maintainers, last_modified })
    }

    /// Returns its key in its source: `192.0.2.0/24AS64496`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}{}", self.prefix, self.origin)
    }
}

impl FromIterator<RouteObject> for Claims {
    fn from_iter<I: IntoIterator<Item = RouteObject>>(objects: I) -> Self {
        let mut claims: BTreeMap<IpNet, Vec<RouteObject>> = BTreeMap::new();
        for object in objects {
            claims.entry(object.prefix).or_default().push(object);
        }
        claims.values_mut().for_each(|objects| objects.sort_unstable());
        Self(claims)
    }
}

impl Claims {
    /// Returns those about exactly this range.
    #[must_use]
    pub fn exact(&self, range: &IpNet) -> &[RouteObject] {
        self.0.get(range).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns those about wider ranges, the narrowest first.
    pub fn covering(&self, range: &IpNet) -> impl Iterator<Item = &RouteObject> {
        std::iter::successors(range.supernet(), IpNet::supernet).flat_map(|wider| self.exact(&wider))
    }

    /// Returns those about ranges inside this one, itself left out, in address order.
    pub fn inside(&self, range: &IpNet) -> impl Iterator<Item = &RouteObject> {
        let range = *range;
        let behind = self.0.range((Excluded(range), Unbounded));
        behind.take_while(move |(net, _)| range.contains(*net)).flat_map(|(_, objects)| objects)
    }

    /// Returns all of them, in address order.
    pub fn all(&self) -> impl Iterator<Item = &RouteObject> {
        self.0.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::irr::rpsl::{Class, ObjectKey};

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn object(prefix: IpNet) -> RouteObject {
        let source = "RADB".parse().unwrap();
        RouteObject { prefix, origin: Asn(64496), source, maintainers: Vec::new(), last_modified: String::new() }
    }

    #[test]
    fn a_route_object_is_read_from_its_text() {
        let source: SourceName = "RADB".parse().unwrap();
        let text = "route: 192.0.2.0/24\norigin: AS64496\nmnt-by: maint-a, MAINT-B\nmnt-by: MAINT-C # third\n\
                    last-modified: 2026-11-01T10:00:00Z\nsource: RADB\n";
        let key = ObjectKey { class: Class::Route, key: "192.0.2.0/24AS64496".to_owned() };
        let read = RouteObject::read(&source, &Object { key, text: text.to_owned() }).unwrap();
        assert_eq!((read.prefix, read.origin), (net("192.0.2.0/24"), Asn(64496)));
        assert_eq!(read.maintainers, ["MAINT-A", "MAINT-B", "MAINT-C"]);
        assert_eq!((read.last_modified.as_str(), read.key().as_str()), ("2026-11-01T10:00:00Z", "192.0.2.0/24AS64496"));
    }

    proptest! {
        #[test]
        fn all_are_found_from_where_they_are_looked_for(
            all in vec((0_u32..64, 26_u8..=32), 0..40), asked in (0_u32..64, 26_u8..=32)
        ) {
            let net = |(low, length): (u32, u8)| {
                IpNet::new(std::net::Ipv4Addr::from(0xc000_0200 | low).into(), length).unwrap().trunc()
            };
            let (nets, asked): (Vec<IpNet>, IpNet) = (all.into_iter().map(net).collect(), net(asked));
            let claims: Claims = nets.iter().copied().map(object).collect();
            let sorted = |mut nets: Vec<IpNet>| { nets.sort_unstable(); nets };
            let of = |fits: &dyn Fn(&IpNet) -> bool| sorted(nets.iter().copied().filter(fits).collect());
            let told = |objects: Vec<&RouteObject>| sorted(objects.iter().map(|object| object.prefix).collect());
            prop_assert_eq!(told(claims.exact(&asked).iter().collect()), of(&|net| *net == asked));
            prop_assert_eq!(told(claims.covering(&asked).collect()), of(&|net| net.contains(&asked) && *net != asked));
            prop_assert_eq!(told(claims.inside(&asked).collect()), of(&|net| asked.contains(net) && *net != asked));
        }
    }
}
