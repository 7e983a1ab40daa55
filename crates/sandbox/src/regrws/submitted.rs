//! What was sent, as values. Nothing is checked here but what cannot be read as a value.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::{tickets::Message, tree::Node};
use crate::world::{Country, PocLink};

/// A `net` as it was sent. What is empty counts as not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SubmittedNet {
    pub(super) handle: Option<String>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) registered: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) org: Option<String>,
    pub(super) customer_handle: Option<String>,
    pub(super) customer: Option<SubmittedCustomer>,
    /// The blocks in the order of their addresses, or what is wrong with them.
    pub(super) blocks: Result<Vec<Block>, String>,
    /// `None` if there is no such element, which is not the same as an empty one.
    pub(super) comment: Option<Vec<String>>,
    pub(super) pocs: Vec<PocLink>,
    /// What is said to whoever looks at it.
    pub(super) messages: Vec<Message>,
}

/// A block of a net, and the type it is said to have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    pub(super) cidr: IpNet,
    pub(super) net_type: Option<String>,
}

/// A `customer` as it was sent. What is empty counts as not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SubmittedCustomer {
    pub(super) handle: Option<String>,
    pub(super) name: Option<String>,
    pub(super) parent_org: Option<String>,
    pub(super) private: Option<bool>,
    pub(super) registered: Option<String>,
    pub(super) street: Vec<String>,
    pub(super) city: Option<String>,
    pub(super) state_province: Option<String>,
    pub(super) postal_code: Option<String>,
    /// The country, or what is wrong with it.
    pub(super) country: Result<Country, &'static str>,
    pub(super) comment: Vec<String>,
}

impl SubmittedNet {
    pub(super) fn read(node: &Node) -> Self {
        let handle = |name: &str| node.text_of(name).map(|handle| handle.to_ascii_uppercase());
        let attribute = |link: &Node, name: &str| link.attributes.get(name).cloned().unwrap_or_default();
        let poc = |link: &Node| PocLink {
            handle: attribute(link, "handle").to_ascii_uppercase(),
            function: attribute(link, "function"),
        };
        let pocs = node.child("pocLinks").into_iter().flat_map(|links| links.all("pocLinkRef"));
        Self {
            handle: handle("handle"),
            name: node.text_of("netName"),
            version: node.text_of("version"),
            registered: node.text_of("registrationDate"),
            parent: handle("parentNetHandle"),
            org: handle("orgHandle"),
            customer_handle: handle("customerHandle"),
            customer: node.child("customer").map(SubmittedCustomer::read),
            blocks: blocks(node),
            comment: node.child("comment").map(|_| node.lines_of("comment")),
            pocs: pocs.map(poc).collect(),
            messages: Vec::new(),
        }
    }
}

impl SubmittedCustomer {
    pub(super) fn read(node: &Node) -> Self {
        let street = node.lines_of("streetAddress").into_iter().filter(|line| !line.is_empty());
        Self {
            handle: node.text_of("handle").map(|handle| handle.to_ascii_uppercase()),
            name: node.text_of("customerName"),
            parent_org: node.text_of("parentOrgHandle").map(|handle| handle.to_ascii_uppercase()),
            private: node.text_of("privateCustomer").map(|private| matches!(private.as_str(), "true" | "1")),
            registered: node.text_of("registrationDate"),
            street: street.collect(),
            city: node.text_of("city"),
            state_province: node.text_of("iso3166-2"),
            postal_code: node.text_of("postalCode"),
            country: country(node),
            comment: node.lines_of("comment"),
        }
    }
}

/// The country, by one of its codes or both.
fn country(node: &Node) -> Result<Country, &'static str> {
    let Some(node) = node.child("iso3166-1") else { return Err("The country is missing.") };
    let codes = ["code2", "code3"].into_iter().filter_map(|name| node.text_of(name));
    let mut countries: Vec<Option<Country>> = codes.map(|code| Country::of(&code)).collect();
    countries.dedup();
    match countries.as_slice() {
        [] => Err("One of code2 and code3 is required."),
        [Some(country)] => Ok(*country),
        [None] => Err("There is no country of this code."),
        _ => Err("The codes are those of different countries."),
    }
}

fn blocks(node: &Node) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    for block in node.child("netBlocks").into_iter().flat_map(|list| list.all("netBlock")) {
        let net_type = block.text_of("type");
        blocks.extend(cidrs(block)?.into_iter().map(|cidr| Block { cidr, net_type: net_type.clone() }));
    }
    blocks.sort();
    let families: BTreeSet<bool> = blocks.iter().map(|block| block.cidr.addr().is_ipv4()).collect();
    let gaps = blocks.iter().zip(blocks.iter().skip(1)).any(|(one, other)| !touch(one.cidr, other.cidr));
    match (blocks.as_slice(), families.len()) {
        ([], _) => Err("At least one netBlock is required.".to_owned()),
        (_, 1) if !gaps => Ok(blocks),
        (_, _) => Err("The netBlocks have to make up one range, without gaps and without overlaps.".to_owned()),
    }
}

/// The blocks that a `netBlock` stands for: one, unless it is a range that no single length describes.
fn cidrs(block: &Node) -> Result<Vec<IpNet>, String> {
    let address = |name: &str| match block.text_of(name) {
        Some(text) => unpadded(&text).map(Some).ok_or_else(|| format!("The {name} {text} is not an address.")),
        None => Ok(None),
    };
    let Some(first) = address("startAddress")? else { return Err("The startAddress is required.".to_owned()) };
    let last = address("endAddress")?;
    let length = match block.text_of("cidrLength") {
        Some(length) => Some(whole(first, &length)?),
        None => None,
    };
    match (length, last) {
        (Some(cidr), Some(last)) if cidr.broadcast() != last => {
            Err("The endAddress is not the end of a block of this cidrLength.".to_owned())
        }
        (Some(cidr), _) => Ok(vec![cidr]),
        (None, Some(last)) => cover(first, last).ok_or_else(|| "The endAddress is before the startAddress.".to_owned()),
        (None, None) => Err("One of endAddress and cidrLength is required.".to_owned()),
    }
}

/// The block of this length that begins at this address.
fn whole(first: IpAddr, length: &str) -> Result<IpNet, String> {
    let cidr = length.parse().ok().and_then(|length| IpNet::new(first, length).ok());
    match cidr {
        Some(cidr) if cidr.network() == first => Ok(cidr),
        Some(_) => Err(format!("The startAddress is not the beginning of a block of cidrLength {length}.")),
        None => Err(format!("The cidrLength {length} is too long.")),
    }
}

fn cover(first: IpAddr, last: IpAddr) -> Option<Vec<IpNet>> {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
            Some(Ipv4Subnets::new(first, last, 0).map(IpNet::from).collect())
        }
        (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
            Some(Ipv6Subnets::new(first, last, 0).map(IpNet::from).collect())
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => None,
    }
}

/// Returns whether the other block begins right behind this one.
fn touch(one: IpNet, other: IpNet) -> bool {
    let behind = match one.broadcast() {
        IpAddr::V4(last) => u32::from(last).checked_add(1).map(|next| IpAddr::V4(next.into())),
        IpAddr::V6(last) => u128::from(last).checked_add(1).map(|next| IpAddr::V6(next.into())),
    };
    behind == Some(other.network())
}

/// Reads an address, of which the parts may have leading zeros.
fn unpadded(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse().ok();
    }
    let part = |part: &str| {
        let digits = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u8>().ok()).flatten()
    };
    let parts: Vec<u8> = text.split('.').map(part).collect::<Option<_>>()?;
    <[u8; 4]>::try_from(parts).ok().map(IpAddr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(blocks: &str) -> Result<String, String> {
        let core = super::super::tree::CORE;
        let block = |text: &str| {
            let parts = text.split(' ').map(|part| {
                let (name, value) = part.split_once('=').unwrap();
                format!("<{name}>{value}</{name}>")
            });
            format!("<netBlock>{}</netBlock>", parts.collect::<String>())
        };
        let blocks: String = blocks.split_terminator(", ").map(block).collect();
        let document = format!(r#"<net xmlns="{core}"><netBlocks>{blocks}</netBlocks></net>"#);
        let read = SubmittedNet::read(&Node::read(&document).unwrap()).blocks?;
        Ok(read.iter().map(|block| block.cidr.to_string()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn blocks_are_read_in_every_form() {
        let ok = |text: &str| read(text).unwrap();
        assert_eq!(ok("startAddress=192.000.002.000 endAddress=192.000.002.255 cidrLength=24"), "192.0.2.0/24");
        assert_eq!(ok("startAddress=192.0.2.0 cidrLength=24"), "192.0.2.0/24");
        assert_eq!(ok("startAddress=192.0.2.0 endAddress=192.0.3.127"), "192.0.2.0/24 192.0.3.0/25");
        assert_eq!(
            ok("startAddress=192.0.3.0 cidrLength=25, startAddress=192.0.2.0 cidrLength=24"),
            ok("startAddress=192.0.2.0 endAddress=192.0.3.127")
        );
        assert_eq!(ok("startAddress=2600:0000::0 endAddress=2600::FFFF:ffff:ffff:ffff"), "2600::/64");
    }

    #[test]
    fn blocks_that_are_none_are_named() {
        let cases = [
            "",
            "startAddress=192.0.2.0",
            "endAddress=192.0.2.0",
            "startAddress=192.0.2.256 cidrLength=24",
            "startAddress=192.0.2.1 cidrLength=24",
            "startAddress=192.0.2.0 cidrLength=33",
            "startAddress=192.0.2.0 endAddress=192.0.2.255 cidrLength=25",
            "startAddress=192.0.2.9 endAddress=192.0.2.1",
            "startAddress=192.0.2.0 endAddress=2600::",
            "startAddress=192.0.2.0 cidrLength=25, startAddress=192.0.3.0 cidrLength=25",
            "startAddress=192.0.2.0 cidrLength=24, startAddress=192.0.2.0 cidrLength=25",
        ];
        insta::assert_snapshot!(cases.map(|blocks| read(blocks).unwrap_err()).join("\n"), @"
        At least one netBlock is required.
        One of endAddress and cidrLength is required.
        The startAddress is required.
        The startAddress 192.0.2.256 is not an address.
        The startAddress is not the beginning of a block of cidrLength 24.
        The cidrLength 33 is too long.
        The endAddress is not the end of a block of this cidrLength.
        The endAddress is before the startAddress.
        The endAddress is before the startAddress.
        The netBlocks have to make up one range, without gaps and without overlaps.
        The netBlocks have to make up one range, without gaps and without overlaps.
        ");
    }
}
