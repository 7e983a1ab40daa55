//! Objects, and what tells them apart.

use ipnet::IpNet;

use super::Class;
use crate::model::{Asn, Ranges};

/// What tells an object from all others of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Its class.
    pub class: Class,
    /// Its key in upper case: the value of the class attribute; `nic-hdl` of a person or role; prefix and origin of a route,
    /// one after the other: `192.0.2.0/24AS64496`.
    pub key: String,
}

impl ObjectKey {
    /// Returns the prefix of a route or route6 object; `None` for objects of other classes.
    ///
    /// The key alone is looked at, which costs next to nothing: most objects are about somebody else's space.
    #[must_use]
    pub fn prefix(&self) -> Option<IpNet> {
        self.route()?.0.parse().ok()
    }

    /// Returns the origin of a route or route6 object; `None` for objects of other classes.
    #[must_use]
    pub fn origin(&self) -> Option<Asn> {
        self.route()?.1.parse().ok()
    }

    /// Returns whether it is a route or route6 object about a range that lies in some space, or around a part of it.
    #[must_use]
    pub fn touches(&self, space: &Ranges) -> bool {
        self.prefix().is_some_and(|prefix| space.touches(&prefix))
    }

    /// Splits the key of a route into its prefix and its origin.
    fn route(&self) -> Option<(&str, &str)> {
        // No prefix has an `S` in it.
        let at = self.key.rfind("AS").filter(|_| matches!(self.class, Class::Route | Class::Route6))?;
        self.key.split_at_checked(at)
    }
}

/// An object of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is called.
    pub key: ObjectKey,
    /// Its lines, each of which ends with a line feed; none is empty.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_route_has_its_prefix_and_its_origin() {
        let read = |class, key: &str| {
            let key = ObjectKey { class, key: key.to_owned() };
            Some((key.prefix()?, key.origin()?))
        };
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        assert_eq!(read(Class::Route6, "2001:DB8:A::/48AS0"), Some((net("2001:db8:a::/48"), Asn(0))));
        assert_eq!(read(Class::AutNum, "AS64496"), None);
        assert_eq!(read(Class::Route, "192.0.2.0/24"), None);
    }
}
