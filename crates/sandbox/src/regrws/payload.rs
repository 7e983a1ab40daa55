//! The payloads: a registry's records as XML elements.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::civil::DateTime;

use super::{
    forms::{CountryForm, DateForm, Forms},
    options::Style,
    xml::Element,
};
use crate::world::{
    Address, ContactType, Country, Customer, Delegation, DelegationKey, Holder, Net, Org, Phone, Poc, PocLink, Route,
    offset,
};

/// The `org` payload.
pub(super) fn org(org: &Org, forms: &Forms) -> Element {
    let mut children = address(org.address.as_ref(), forms);
    children.extend([
        Element::list("comment", lines(&org.comment, forms)),
        Element::text("handle", &org.handle),
        Element::maybe("registrationDate", org.registered.map(|at| moment(at, forms))),
        Element::text("orgName", &org.name),
        Element::maybe("dbaName", org.dba_name.as_deref()),
        Element::maybe("taxId", None::<&str>),
        Element::maybe("orgUrl", org.url.as_deref()),
        Element::list("pocLinks", org.pocs.iter().map(poc_link).collect()),
        Element::maybe("acceptReassignments", org.accepts_reassignments),
    ]);
    Element::new("org", surprised(children, forms))
}

/// The `poc` payload.
pub(super) fn poc(poc: &Poc, forms: &Forms) -> Element {
    let contact_type = match poc.contact_type {
        ContactType::Person => "PERSON",
        ContactType::Role => "ROLE",
    };
    let mut children = address(poc.address.as_ref(), forms);
    children.extend([
        Element::list("comment", lines(&poc.comment, forms)),
        Element::list("emails", poc.emails.iter().map(|email| Element::text("email", email)).collect()),
        Element::text("handle", &poc.handle),
        Element::maybe("registrationDate", poc.registered.map(|at| moment(at, forms))),
        Element::text("contactType", contact_type),
        Element::maybe("companyName", poc.company_name.as_deref()),
        Element::maybe("firstName", poc.first_name.as_deref()),
        Element::maybe("middleName", poc.middle_name.as_deref()),
        Element::maybe("lastName", poc.last_name.as_deref()),
        Element::list("phones", poc.phones.iter().map(phone).collect()),
    ]);
    Element::new("poc", surprised(children, forms))
}

/// The `customer` payload.
pub(super) fn customer(customer: &Customer, forms: &Forms) -> Element {
    let mut children = address(customer.address.as_ref(), forms);
    children.extend([
        Element::list("comment", lines(&customer.comment, forms)),
        Element::text("customerName", &customer.name),
        Element::text("handle", &customer.handle),
        Element::maybe("parentOrgHandle", customer.parent_org.as_deref()),
        Element::maybe("privateCustomer", customer.private),
        Element::maybe("registrationDate", customer.registered.map(|at| moment(at, forms))),
    ]);
    Element::new("customer", surprised(children, forms))
}

/// The `net` payload.
pub(super) fn net(net: &Net, forms: &Forms) -> Element {
    let version = if net.blocks.iter().all(|block| matches!(block, IpNet::V4(_))) { 4 } else { 6 };
    let holder = match &net.holder {
        Holder::Org(handle) => Element::text("orgHandle", handle),
        Holder::Customer(handle) => Element::text("customerHandle", handle),
    };
    let children = vec![
        Element::list("comment", lines(&net.comment, forms)),
        Element::text("handle", &net.handle),
        Element::list("netBlocks", net.blocks.iter().map(|block| net_block(net, *block, forms)).collect()),
        holder,
        Element::maybe("parentNetHandle", net.parent.as_deref()),
        Element::text("netName", &net.name),
        Element::maybe("registrationDate", net.registered.map(|at| moment(at, forms))),
        Element::text("version", version),
        Element::list("pocLinks", net.pocs.iter().map(poc_link).collect()),
        Element::list("originASes", Vec::new()),
    ];
    Element::new("net", surprised(children, forms))
}

/// The `delegation` payload.
pub(super) fn delegation(delegation: &Delegation) -> Element {
    let server = |name: &String| Element::text("nameserver", name);
    let key = |key: &DelegationKey| {
        Element::new(
            "delegationKey",
            vec![
                Element::text("algorithm", key.algorithm),
                Element::text("digest", &key.digest),
                Element::text("digestType", key.digest_type),
                Element::text("keyTag", key.key_tag),
            ],
        )
    };
    let children = vec![
        Element::text("name", &delegation.name),
        Element::new("delegationKeys", delegation.keys.iter().map(key).collect()),
        Element::new("nameservers", delegation.nameservers.iter().map(server).collect()),
    ];
    Element::new("delegation", children)
}

/// A reference to a route object.
pub(super) fn route(route: &Route) -> Element {
    let children = vec![
        Element::text("orgHandle", &route.org),
        Element::text("originAS", format!("AS{}", route.origin)),
        Element::text("prefix", route.prefix),
    ];
    Element::new("routeRef", children).with("entry", "SIMPLE")
}

fn net_block(net: &Net, block: IpNet, forms: &Forms) -> Element {
    Element::new(
        "netBlock",
        vec![
            Element::text("type", &net.net_type),
            Element::text("description", description(&net.net_type)),
            Element::text("startAddress", written(block.network(), forms)),
            Element::text("endAddress", written(block.broadcast(), forms)),
            Element::text("cidrLength", block.prefix_len()),
        ],
    )
}

fn description(net_type: &str) -> &'static str {
    match net_type {
        "DA" => "Direct Allocation",
        "A" => "Reallocated",
        "S" => "Reassigned",
        "AR" => "ARIN Allocated",
        _ => "Other",
    }
}

/// An address as ARIN writes it: nothing is left out of an IPv6 address, and IPv4 parts have three digits, mostly.
fn written(address: IpAddr, forms: &Forms) -> String {
    match address {
        IpAddr::V4(v4) if forms.padded => v4.octets().map(|octet| format!("{octet:03}")).join("."),
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) if forms.capitals => v6.segments().map(|part| format!("{part:04X}")).join(":"),
        IpAddr::V6(v6) => v6.segments().map(|part| format!("{part:04x}")).join(":"),
    }
}

fn poc_link(link: &PocLink) -> Element {
    let description = match link.function.as_str() {
        "AD" => "Admin",
        "T" => "Tech",
        "AB" => "Abuse",
        "N" => "NOC",
        "R" => "Routing",
        "D" => "DNS",
        _ => "Other",
    };
    Element::leaf("pocLinkRef")
        .with("description", description)
        .with("function", &link.function)
        .with("handle", &link.handle)
}

fn phone(phone: &Phone) -> Element {
    let description = match phone.kind.as_str() {
        "O" => "Office",
        "F" => "Fax",
        "M" => "Mobile",
        _ => "Other",
    };
    let kind =
        Element::new("type", vec![Element::text("description", description), Element::text("code", &phone.kind)]);
    let number = Element::text("number", &phone.number);
    Element::new("phone", vec![kind, number, Element::maybe("extension", phone.extension.as_deref())])
}

/// The elements of an address, which stand among the others without one of their own around them.
fn address(address: Option<&Address>, forms: &Forms) -> Vec<Element> {
    let Some(address) = address else { return Vec::new() };
    vec![
        Element::maybe("city", address.city.as_deref()),
        country(address.country, forms),
        Element::maybe("iso3166-2", address.state_province.as_deref()),
        Element::maybe("postalCode", address.postal_code.as_deref()),
        Element::list("streetAddress", lines(&address.street, forms)),
    ]
}

fn country(country: Country, forms: &Forms) -> Element {
    let name = Element::maybe("name", Some(country.name).filter(|name| !name.is_empty()));
    let e164 = Element::maybe("e164", Some(country.e164).filter(|number| *number != 0));
    let (code2, code3) = (Element::text("code2", country.code2), Element::text("code3", country.code3));
    let children = match forms.country {
        CountryForm::Whole => vec![name, code2, code3, e164],
        CountryForm::Code2 => vec![code2],
        CountryForm::Code3 => vec![name, code3],
    };
    Element::new("iso3166-1", children)
}

/// Numbered lines; odd forms may have an empty one at the end.
fn lines(lines: &[String], forms: &Forms) -> Vec<Element> {
    if lines.is_empty() {
        return Vec::new();
    }
    let blank = forms.surprises.then_some("");
    let texts = lines.iter().map(String::as_str).chain(blank);
    texts.enumerate().map(|(at, text)| Element::text("line", text).with("number", at + forms.first_line)).collect()
}

/// A moment as the payload of the object with this handle shows it.
pub(super) fn shown_moment(at: Option<DateTime>, style: Style, handle: &str) -> Option<String> {
    at.map(|at| moment(at, &Forms::of(style, handle)))
}

/// A moment in these forms.
pub(super) fn moment(at: DateTime, forms: &Forms) -> String {
    let offset = offset(at);
    let zone = if offset == "-04:00" { "EDT" } else { "EST" };
    match forms.date {
        DateForm::Iso => format!("{}{offset}", at.strftime("%Y-%m-%dT%H:%M:%S")),
        DateForm::IsoMillis => format!("{}.000{offset}", at.strftime("%Y-%m-%dT%H:%M:%S")),
        DateForm::Spoken => format!("{} {zone} {}", at.strftime("%a %b %d %H:%M:%S"), at.strftime("%Y")),
    }
}

/// The names of the elements that no documentation tells of.
pub(super) const SURPRISES: [&str; 2] = ["surprise", "links"];

/// The children with elements mixed in that no documentation tells of.
fn surprised(mut children: Vec<Element>, forms: &Forms) -> Vec<Element> {
    if forms.surprises {
        let [surprise, links] = SURPRISES;
        children.insert(0, Element::text(surprise, "handle").with("handle", "SURPRISE"));
        children.push(Element::new(links, vec![Element::text("handle", "https://example.net/?a=1&b=2")]));
    }
    children
}
