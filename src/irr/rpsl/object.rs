//! Objects, and what tells them apart.

use ipnet::IpNet;

use super::Class;

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
    #[must_use]
    pub fn prefix(&self) -> Option<IpNet> {
        if !matches!(self.class, Class::Route | Class::Route6) {
            return None;
        }
        // No prefix has an `S` in it.
        self.key.rsplit_once("AS")?.0.parse().ok()
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
