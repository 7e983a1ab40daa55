//! Makes model values of payloads, as Reg-RWS documents them ("Payloads").
//!
//! What a payload must have is little: its handle, and for a net one block that can be read. A name that is missing is
//! replaced by the handle; everything else is `None` or empty. A date or a block that cannot be read is logged and left
//! out, never a reason to lose the object; it stays in `raw`, whose form [`super::xml`] describes.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::civil::Date;
use tracing::{debug, warn};

use super::{text, xml::Element};
use crate::model::{
    Address, Customer, CustomerHandle, Holder, Net, NetBlock, NetHandle, NetType, Org, OrgHandle, Poc, PocFunction,
    PocHandle, PocType,
};

/// A payload that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is a payload of another kind.
    #[error("it is `{found}` where `{wanted}` was expected")]
    Other {
        /// The name of the element wanted.
        wanted: &'static str,
        /// The name of the element found, possibly shortened.
        found: String,
    },
    /// It has no handle.
    #[error("it has no handle")]
    NoHandle,
    /// It has no block with two readable addresses.
    #[error("it has no netBlock that can be read")]
    NoBlock,
}

/// Reads an `org` payload.
pub(super) fn org(from: &Element) -> Result<Org, Unfit> {
    expect(from, "org")?;
    let handle = handle(from, OrgHandle::new)?;
    Ok(Org {
        name: owned(from, "orgName").unwrap_or_else(|| handle.to_string()),
        dba_name: owned(from, "dbaName"),
        url: owned(from, "orgUrl"),
        address: address(from),
        registration_date: registration_date(from),
        pocs: pocs(from),
        raw: from.to_json(),
        handle,
    })
}

/// Reads a `poc` payload.
pub(super) fn poc(from: &Element) -> Result<Poc, Unfit> {
    expect(from, "poc")?;
    Ok(Poc {
        handle: handle(from, PocHandle::new)?,
        kind: from.text_of("contactType").map(PocType::from_code),
        company_name: owned(from, "companyName"),
        first_name: owned(from, "firstName"),
        middle_name: owned(from, "middleName"),
        last_name: owned(from, "lastName"),
        emails: from.items("emails", "email").filter_map(Element::text).map(str::to_owned).collect(),
        phones: from.items("phones", "phone").filter_map(phone).collect(),
        address: address(from),
        registration_date: registration_date(from),
        raw: from.to_json(),
    })
}

/// Reads a `customer` payload.
pub(super) fn customer(from: &Element) -> Result<Customer, Unfit> {
    expect(from, "customer")?;
    let handle = handle(from, CustomerHandle::new)?;
    Ok(Customer {
        name: owned(from, "customerName").unwrap_or_else(|| handle.to_string()),
        parent_org: from.text_of("parentOrgHandle").and_then(OrgHandle::new),
        private: from.text_of("privateCustomer").and_then(boolean),
        address: address(from),
        registration_date: registration_date(from),
        raw: from.to_json(),
        handle,
    })
}

/// Reads a `net` payload.
pub(super) fn net(from: &Element) -> Result<Net, Unfit> {
    expect(from, "net")?;
    let handle = handle(from, NetHandle::new)?;
    let blocks = blocks(from, &handle);
    if blocks.is_empty() {
        return Err(Unfit::NoBlock);
    }
    Ok(Net {
        name: owned(from, "netName").unwrap_or_else(|| handle.to_string()),
        kind: blocks.values().flatten().next().cloned(),
        blocks: blocks.into_keys().collect(),
        parent: from.text_of("parentNetHandle").and_then(NetHandle::new),
        holder: holder(from),
        registration_date: registration_date(from),
        raw: from.to_json(),
        handle,
    })
}

fn expect(from: &Element, wanted: &'static str) -> Result<(), Unfit> {
    let fits = from.name == wanted;
    fits.then_some(()).ok_or_else(|| Unfit::Other { wanted, found: from.name.chars().take(40).collect() })
}

fn handle<H>(from: &Element, new: fn(&str) -> Option<H>) -> Result<H, Unfit> {
    from.text_of("handle").and_then(new).ok_or(Unfit::NoHandle)
}

fn owned(from: &Element, name: &str) -> Option<String> {
    from.text_of(name).map(str::to_owned)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn registration_date(from: &Element) -> Option<Date> {
    let written = from.text_of("registrationDate")?;
    let date = text::date(written);
    if date.is_none() {
        debug!("left out a registrationDate of {} that cannot be read: `{written}`", from.name);
    }
    date
}

/// The address of an org, poc or customer, whose parts stand among its other elements. Country codes are in capitals.
fn address(from: &Element) -> Option<Address> {
    let country = from.children("iso3166-1").find_map(|country| country.text_of("code2").or(country.text_of("code3")));
    let address = Address {
        street: street(from),
        city: owned(from, "city"),
        state_province: owned(from, "iso3166-2"),
        postal_code: owned(from, "postalCode"),
        country: country.map(str::to_uppercase),
    };
    address.unless_empty()
}

/// The street lines by number if all of them have one, else as they come.
fn street(from: &Element) -> Vec<String> {
    let mut lines: Vec<&Element> = from.items("streetAddress", "line").filter(|line| line.text().is_some()).collect();
    if lines.iter().all(|line| line.number().is_some()) {
        lines.sort_by_key(|line| line.number());
    }
    lines.into_iter().filter_map(Element::text).map(str::to_owned).collect()
}

/// Each distinct point of contact with all its functions; a link without function is kept.
fn pocs(from: &Element) -> BTreeMap<PocHandle, BTreeSet<PocFunction>> {
    let mut pocs: BTreeMap<PocHandle, BTreeSet<PocFunction>> = BTreeMap::new();
    for link in from.items("pocLinks", "pocLinkRef") {
        let Some(handle) = link.attribute("handle").and_then(PocHandle::new) else { continue };
        pocs.entry(handle).or_default().extend(link.attribute("function").map(PocFunction::from_code));
    }
    pocs
}

fn phone(from: &Element) -> Option<String> {
    let number = from.text_of("number")?;
    Some(match from.text_of("extension") {
        Some(extension) => format!("{number} x{extension}"),
        None => number.to_owned(),
    })
}

/// ARIN gives one of the two. If ever both came, the customer would be the one the net was passed on to.
fn holder(from: &Element) -> Option<Holder> {
    let customer = from.text_of("customerHandle").and_then(CustomerHandle::new).map(Holder::Customer);
    customer.or_else(|| from.text_of("orgHandle").and_then(OrgHandle::new).map(Holder::Org))
}

/// The blocks in address order, each with its type.
fn blocks(from: &Element, net: &NetHandle) -> BTreeMap<NetBlock, Option<NetType>> {
    let mut blocks = BTreeMap::new();
    for wire in from.items("netBlocks", "netBlock") {
        match block(wire) {
            Some(block) => {
                let kind = wire.text_of("type").map(NetType::from_code);
                blocks
                    .entry(block)
                    .and_modify(|known: &mut Option<NetType>| *known = known.take().or(kind.clone()))
                    .or_insert(kind);
            }
            None => warn!(net.handle = %net, "left out a netBlock of {net} that cannot be read: {}", wire.to_json()),
        }
    }
    blocks
}

/// A block by its two ends, or by its start and length where ARIN left the end out.
fn block(wire: &Element) -> Option<NetBlock> {
    let first = text::address(wire.text_of("startAddress")?)?;
    if let Some(end) = wire.text_of("endAddress") {
        return NetBlock::new(first, text::address(end)?).ok();
    }
    let length = wire.text_of("cidrLength")?.trim_start_matches('/').parse().ok()?;
    let cidr = IpNet::new(first, length).ok()?;
    (cidr.network() == first).then(|| cidr.into())
}
