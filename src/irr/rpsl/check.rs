//! What a mirror checks of an object before it takes it.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    Class,
    attributes::{Attribute, attributes, listed},
    fault::{ObjectFault, Rejected, shown},
    forms::{self, NoPrefix},
    object::{Object, ObjectKey},
};
use crate::irr::source::SourceName;

/// What comes of an object that is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It is taken.
    Taken(Object),
    /// Nobody wants objects of its class, so nothing more is said of it.
    Unwanted(Class),
    /// It is what an old IRRd left behind, whose class begins with `*xx`, so nothing is said of it.
    Leftover,
    /// It is not taken, and a person should know.
    Rejected(Rejected),
}

/// Which of its parts an object must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The key, the source, and each attribute by which objects are looked up well-formed.
    Whole,
    /// The key, as it is there to be deleted.
    Key,
}

/// Checks an object that belongs to a source: its key and the attributes by which objects are looked up must be well-formed, a
/// prefix without host bits, and the source the right one. What else it must have is the matter of the registry that took it.
///
/// `wanted` are the classes to keep; without it that is all of them. Objects of the others are not looked at.
pub fn check(text: &str, source: &SourceName, wanted: Option<&BTreeSet<Class>>) -> Checked {
    checked(text, source, wanted, Extent::Whole)
}

/// Checks an object that is to be deleted, of which there may be no more than the key.
pub fn check_deleted(text: &str, source: &SourceName, wanted: Option<&BTreeSet<Class>>) -> Checked {
    checked(text, source, wanted, Extent::Key)
}

fn checked(text: &str, source: &SourceName, wanted: Option<&BTreeSet<Class>>, extent: Extent) -> Checked {
    if text.starts_with("*xx") {
        return Checked::Leftover;
    }
    let class = match class(text) {
        Ok(class) => class,
        Err(fault) => return Checked::Rejected(Rejected::new(text, None, fault)),
    };
    if wanted.is_some_and(|wanted| !wanted.contains(&class)) {
        return Checked::Unwanted(class);
    }
    match object(text, class, source, extent) {
        Ok(object) => Checked::Taken(object),
        Err(fault) => Checked::Rejected(Rejected::new(text, Some(class), fault)),
    }
}

/// Returns the class, by the name of the first attribute.
fn class(text: &str) -> Result<Class, ObjectFault> {
    match attributes(text).next() {
        Some(Ok(first)) => {
            first.name.parse().map_err(|_| ObjectFault::UnknownClass { class: shown(&first.name.to_ascii_lowercase()) })
        }
        Some(Err(line)) => Err(ObjectFault::MalformedAttribute { line: shown(line.0) }),
        None => Err(ObjectFault::MalformedAttribute { line: String::new() }),
    }
}

fn object(text: &str, class: Class, source: &SourceName, extent: Extent) -> Result<Object, ObjectFault> {
    let found = Found::read(text, class, extent)?;
    let key = found.key(class)?;
    let named = found.source.map(|named| named.value()).filter(|named| !named.is_empty());
    match named {
        Some(named) if !source.is(&named) => return Err(ObjectFault::OtherSource { found: shown(&named) }),
        None if extent == Extent::Whole => return Err(ObjectFault::MissingSource),
        Some(_) | None => {}
    }
    let text = if found.verdict { without_verdict(text) } else { text.to_owned() };
    Ok(Object { key: ObjectKey { class, key }, text })
}

/// The attributes of an object that the checks are about.
#[derive(Default)]
struct Found<'a> {
    /// The one that bears the key, or its first half.
    key: Option<Attribute<'a>>,
    origin: Option<Attribute<'a>>,
    source: Option<Attribute<'a>>,
    /// Whether an IRRd says there what it thinks of a route.
    verdict: bool,
}

impl<'a> Found<'a> {
    fn read(text: &'a str, class: Class, extent: Extent) -> Result<Self, ObjectFault> {
        let mut found = Self::default();
        let bears_key = bearer(class);
        let is_route = matches!(class, Class::Route | Class::Route6);
        for attribute in attributes(text) {
            let attribute = attribute.map_err(|line| ObjectFault::MalformedAttribute { line: shown(line.0) })?;
            if attribute.is(bears_key) {
                once(&mut found.key, attribute, bears_key)?;
            } else if attribute.is("source") {
                once(&mut found.source, attribute, "source")?;
            } else if is_route && attribute.is("origin") {
                once(&mut found.origin, attribute, "origin")?;
            } else if is_route && attribute.is(VERDICT) {
                found.verdict = true;
            } else if extent == Extent::Whole {
                check_lookup(class, &attribute)?;
            }
        }
        Ok(found)
    }

    /// Returns the key in upper case.
    fn key(&self, class: Class) -> Result<String, ObjectFault> {
        let bears_key = bearer(class);
        let value = said(self.key.as_ref(), bears_key)?;
        let bad_name = || ObjectFault::BadName { attribute: bears_key, value: shown(&value) };
        let bad_range = || ObjectFault::BadRange { value: shown(&value) };
        match class {
            Class::Route => {
                let (address, length) = forms::v4_prefix(&value).map_err(|fault| no_prefix(fault, &value))?;
                Ok(format!("{address}/{length}AS{}", self.origin()?))
            }
            Class::Route6 => Ok(format!("{}AS{}", v6_key(&value)?, self.origin()?)),
            Class::Inet6Num => v6_key(&value),
            Class::InetNum => forms::address_range(&value).ok_or_else(bad_range),
            Class::AsBlock => {
                forms::as_block(&value).map(|(first, last)| format!("AS{first} - AS{last}")).ok_or_else(bad_range)
            }
            Class::AutNum => Ok(format!("AS{}", as_number(bears_key, &value)?)),
            Class::AsSet | Class::FilterSet | Class::PeeringSet | Class::RouteSet | Class::RtrSet => {
                forms::set_name(&value).ok_or_else(bad_name)
            }
            Class::InetRtr => forms::is_dns_name(&value).then(|| value.to_ascii_uppercase()).ok_or_else(bad_name),
            Class::Irt | Class::KeyCert | Class::Mntner | Class::Organisation => {
                forms::is_name(&value).then(|| value.to_ascii_uppercase()).ok_or_else(bad_name)
            }
            // Old handles look like anything.
            Class::Domain | Class::Person | Class::Role => Ok(value.to_uppercase()),
        }
    }

    fn origin(&self) -> Result<u32, ObjectFault> {
        as_number("origin", &said(self.origin.as_ref(), "origin")?)
    }
}

/// An IRRd puts its verdict of a route in here when it answers. It is no part of the object.
const VERDICT: &str = "rpki-ov-state";

/// Returns the attribute that bears the key of a class, or the first half of it.
const fn bearer(class: Class) -> &'static str {
    match class {
        Class::Person | Class::Role => "nic-hdl",
        Class::AsBlock
        | Class::AsSet
        | Class::AutNum
        | Class::Domain
        | Class::FilterSet
        | Class::InetRtr
        | Class::Inet6Num
        | Class::InetNum
        | Class::Irt
        | Class::KeyCert
        | Class::Mntner
        | Class::Organisation
        | Class::PeeringSet
        | Class::Route
        | Class::RouteSet
        | Class::Route6
        | Class::RtrSet => class.name(),
    }
}

fn once<'a>(
    place: &mut Option<Attribute<'a>>,
    found: Attribute<'a>,
    attribute: &'static str,
) -> Result<(), ObjectFault> {
    match place.replace(found) {
        Some(_) => Err(ObjectFault::Ambiguous { attribute }),
        None => Ok(()),
    }
}

fn said<'a>(found: Option<&Attribute<'a>>, attribute: &'static str) -> Result<Cow<'a, str>, ObjectFault> {
    let value = found.map(Attribute::value).filter(|value| !value.is_empty());
    value.ok_or(ObjectFault::MissingKey { attribute })
}

fn as_number(attribute: &'static str, value: &str) -> Result<u32, ObjectFault> {
    forms::as_number(value).ok_or_else(|| ObjectFault::BadAsNumber { attribute, value: shown(value) })
}

fn v6_key(value: &str) -> Result<String, ObjectFault> {
    let (address, length) = forms::v6_prefix(value).map_err(|fault| no_prefix(fault, value))?;
    let mut key = format!("{address}/{length}");
    key.make_ascii_uppercase();
    Ok(key)
}

fn no_prefix(fault: NoPrefix, value: &str) -> ObjectFault {
    match fault {
        NoPrefix::Malformed => ObjectFault::BadPrefix { value: shown(value) },
        NoPrefix::HostBits => ObjectFault::HostBits { value: shown(value) },
    }
}

/// Checks an attribute by which objects are looked up. Handles of persons and roles may look like anything.
fn check_lookup(class: Class, attribute: &Attribute<'_>) -> Result<(), ObjectFault> {
    let of = |classes: &[Class]| classes.contains(&class);
    let is_set = |name: &str| forms::set_name(name).is_some();
    let is_router = |name: &str| forms::is_dns_name(name) || is_set(name);
    if attribute.is("mnt-by") {
        names(attribute, "mnt-by", forms::is_name)
    } else if attribute.is("member-of") && of(&[Class::Route, Class::Route6, Class::AutNum, Class::InetRtr]) {
        names(attribute, "member-of", is_set)
    } else if attribute.is("mbrs-by-ref") && of(&[Class::AsSet, Class::RouteSet, Class::RtrSet]) {
        names(attribute, "mbrs-by-ref", forms::is_name)
    } else if attribute.is("members") && of(&[Class::AsSet]) {
        names(attribute, "members", is_set)
    } else if attribute.is("members") && of(&[Class::RouteSet]) {
        names(attribute, "members", |name| forms::is_route_set_member(name, false))
    } else if attribute.is("mp-members") && of(&[Class::RouteSet]) {
        names(attribute, "mp-members", |name| forms::is_route_set_member(name, true))
    } else if attribute.is("members") && of(&[Class::RtrSet]) {
        names(attribute, "members", is_router)
    } else if attribute.is("mp-members") && of(&[Class::RtrSet]) {
        names(attribute, "mp-members", is_router)
    } else {
        Ok(())
    }
}

fn names(attribute: &Attribute<'_>, name: &'static str, fits: impl Fn(&str) -> bool) -> Result<(), ObjectFault> {
    match listed(&attribute.value()).find(|value| !fits(value)) {
        Some(value) => Err(ObjectFault::BadName { attribute: name, value: shown(value) }),
        None => Ok(()),
    }
}

fn without_verdict(text: &str) -> String {
    attributes(text).flatten().filter(|attribute| !attribute.is(VERDICT)).map(|attribute| attribute.lines).collect()
}
