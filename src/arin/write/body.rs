//! The documents that register something new, and the parts that they have in common with those that change it.
//!
//! The order of the elements is free, and always the same here. What ARIN fills in itself is left out, and so is what it
//! refuses or drops in a new net: points of contact and origin ASes.

use super::payload::{NewCustomer, NewHolder, NewNet, Unsendable};
use crate::{
    arin::xml::{self, Element, text::comes_back},
    model::{Address, NetBlock, NetType},
};

/// Returns the document that registers a net.
pub(super) fn net(net: &NewNet) -> Result<String, Unsendable> {
    let NewNet { name, parent, range, kind, holder, comment: lines } = net;
    let holder = match (holder, kind) {
        (NewHolder::Org(org), NetType::Reassigned | NetType::Reallocated) => leaf("orgHandle", org.as_str())?,
        (NewHolder::Customer(new), NetType::Reassigned) => customer(new)?,
        (NewHolder::Org(_) | NewHolder::Customer(_), kind) => return Err(Unsendable::Kind(kind.clone())),
    };
    let version = if range.first().is_ipv4() { "4" } else { "6" };
    let parts = [
        leaf("version", version)?,
        leaf("netName", name)?,
        leaf("parentNetHandle", parent.as_str())?,
        holder,
        Element::of("netBlocks", [block(*range, kind)?]),
    ];
    Ok(xml::written(&Element::of("net", parts.into_iter().chain(comment(lines)?))))
}

/// One block says the whole range by its ends, whether it is a CIDR or not.
fn block(range: NetBlock, kind: &NetType) -> Result<Element, Unsendable> {
    Ok(Element::of(
        "netBlock",
        [
            leaf("type", kind.code())?,
            leaf("startAddress", &range.first().to_string())?,
            leaf("endAddress", &range.last().to_string())?,
        ],
    ))
}

fn customer(new: &NewCustomer) -> Result<Element, Unsendable> {
    let NewCustomer { name, address, private, comment: lines } = new;
    let name = leaf("customerName", name)?;
    let private = leaf("privateCustomer", &private.to_string())?;
    let address = postal(address)?.into_iter().filter_map(|(_, element)| element);
    Ok(Element::of("customer", [name].into_iter().chain(address).chain([private]).chain(comment(lines)?)))
}

/// Returns the elements of an address by their names, in order; `None` for what it does not have.
pub(super) fn postal(address: &Address) -> Result<[(&'static str, Option<Element>); 5], Unsendable> {
    let Address { street, city, state_province, postal_code, country: code } = address;
    let optional =
        |name: &'static str, text: &Option<String>| Ok((name, text.as_ref().map(|text| leaf(name, text)).transpose()?));
    street.iter().try_for_each(|line| ascii("streetAddress", line))?;
    let street = Element::lines("streetAddress", street.iter().map(String::as_str));
    Ok([
        ("streetAddress", Some(street).filter(|street| !street.children.is_empty())),
        optional("city", city)?,
        optional("iso3166-2", state_province)?,
        optional("postalCode", postal_code)?,
        ("iso3166-1", code.as_deref().map(country).transpose()?),
    ])
}

/// ARIN takes either code, and fills in the rest.
fn country(code: &str) -> Result<Element, Unsendable> {
    let name = match code.len() {
        _ if !code.bytes().all(|letter| letter.is_ascii_alphabetic()) => None,
        2 => Some("code2"),
        3 => Some("code3"),
        _ => None,
    };
    let name = name.ok_or_else(|| Unsendable::Country(code.to_owned()))?;
    Ok(Element::of("iso3166-1", [leaf(name, &code.to_uppercase())?]))
}

/// Returns the comment of these lines, if there are any.
pub(super) fn comment(lines: &[String]) -> Result<Option<Element>, Unsendable> {
    lines.iter().try_for_each(|line| one_line("comment", line))?;
    Ok((!lines.is_empty()).then(|| Element::lines("comment", lines.iter().map(String::as_str))))
}

/// Returns an element whose text ARIN takes in ASCII only.
pub(super) fn leaf(name: &str, text: &str) -> Result<Element, Unsendable> {
    ascii(name, text).map(|()| Element::leaf(name, text))
}

fn ascii(name: &str, text: &str) -> Result<(), Unsendable> {
    match text.chars().find(|&character| !matches!(character, ' '..='~')) {
        Some(character) => Err(Unsendable::NotAscii(name.to_owned(), character)),
        None => Ok(()),
    }
}

/// Checks that a text is one line of characters that XML can carry.
pub(super) fn one_line(name: &str, text: &str) -> Result<(), Unsendable> {
    match text.chars().find(|&character| !comes_back(character) || matches!(character, '\n' | '\r')) {
        Some(character) => Err(Unsendable::Character(name.to_owned(), character)),
        None => Ok(()),
    }
}
