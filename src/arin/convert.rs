//! Makes model values of payloads, as Reg-RWS documents them ("Payloads").
//!
//! A payload must have little: its handle, and for a net its blocks. A name that is missing is replaced by the handle;
//! everything else is `None` or empty. A date that cannot be read is logged and left out, never a reason to lose the
//! object; it stays in `raw`, in the form that [`Element::to_json`] returns. A block that cannot be read is a reason: a
//! net with too small a range would be taken for the registration of another prefix.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::civil::Date;
use tracing::debug;

use super::xml::{Element, text};
use crate::model::{
    Address, Customer, CustomerHandle, Holder, Net, NetBlock, NetHandle, NetType, Org, OrgHandle, Payload, Poc,
    PocFunction, PocHandle, PocType,
};

/// A payload that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is a payload of another kind: not the element wanted but this one, whose name may be shortened.
    #[error("it is `{1}` where `{0}` was expected")]
    Other(&'static str, String),
    /// It is a payload of the kind wanted, but about the object with this handle.
    #[error("it is about `{0}`, which was not asked for")]
    OtherHandle(String),
    /// It has neither a net nor a ticket.
    #[error("it has neither a net nor a ticket")]
    Nothing,
    /// It has no handle.
    #[error("it has no handle")]
    NoHandle,
    /// It has no block, or one that cannot be read. Without that one its range would be too small.
    #[error("it has no netBlock, or one that cannot be read")]
    NoBlock,
}

/// Reads an `org` payload.
pub(super) fn org(from: &Element) -> Result<Org, Unfit> {
    let handle = handle(from, OrgHandle::new)?;
    Ok(Org {
        name: owned(from, "orgName").unwrap_or_else(|| handle.to_string()),
        dba_name: owned(from, "dbaName"),
        url: owned(from, "orgUrl"),
        address: address(from),
        registration_date: registration_date(from),
        pocs: pocs(from),
        accepts_reassignments: from.text_of("acceptReassignments").and_then(boolean),
        raw: Payload::new(&from.to_json()),
        handle,
    })
}

/// Reads a `poc` payload.
pub(super) fn poc(from: &Element) -> Result<Poc, Unfit> {
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
        raw: Payload::new(&from.to_json()),
    })
}

/// Reads a `customer` payload.
pub(super) fn customer(from: &Element) -> Result<Customer, Unfit> {
    let handle = handle(from, CustomerHandle::new)?;
    Ok(Customer {
        name: owned(from, "customerName").unwrap_or_else(|| handle.to_string()),
        parent_org: from.text_of("parentOrgHandle").and_then(OrgHandle::new),
        private: from.text_of("privateCustomer").and_then(boolean),
        address: address(from),
        registration_date: registration_date(from),
        raw: Payload::new(&from.to_json()),
        handle,
    })
}

/// Reads a `net` payload.
pub(super) fn net(from: &Element) -> Result<Net, Unfit> {
    let handle = handle(from, NetHandle::new)?;
    let blocks = blocks(from).filter(|blocks| !blocks.is_empty()).ok_or(Unfit::NoBlock)?;
    Ok(Net {
        name: owned(from, "netName").unwrap_or_else(|| handle.to_string()),
        kind: blocks.values().flatten().next().cloned(),
        blocks: blocks.into_keys().collect(),
        parent: from.text_of("parentNetHandle").and_then(NetHandle::new),
        holder: holder(from),
        registration_date: registration_date(from),
        raw: Payload::new(&from.to_json()),
        handle,
    })
}

pub(super) fn handle<H>(from: &Element, new: fn(&str) -> Option<H>) -> Result<H, Unfit> {
    from.text_of("handle").and_then(new).ok_or(Unfit::NoHandle)
}

pub(super) fn owned(from: &Element, name: &str) -> Option<String> {
    from.text_of(name).map(str::to_owned)
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

pub(super) fn registration_date(from: &Element) -> Option<Date> {
    let written = from.text_of("registrationDate")?;
    let date = text::date(written);
    if date.is_none() {
        debug!("left out a registrationDate of {} that cannot be read: `{written}`", from.name);
    }
    date
}

/// Reads the address of an org, poc or customer, whose parts stand among its other elements. A country is in capitals.
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

/// Returns the street lines by number if all of them have one, else as they come.
fn street(from: &Element) -> Vec<String> {
    let mut lines: Vec<&Element> = from.items("streetAddress", "line").filter(|line| line.text().is_some()).collect();
    if lines.iter().all(|line| line.number().is_some()) {
        lines.sort_by_key(|line| line.number());
    }
    lines.into_iter().filter_map(Element::text).map(str::to_owned).collect()
}

/// Returns each distinct point of contact with all its functions; a link without function is kept.
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

/// Returns the one of the two that ARIN names. If ever both came, the net was passed on to the customer.
fn holder(from: &Element) -> Option<Holder> {
    let customer = from.text_of("customerHandle").and_then(CustomerHandle::new).map(Holder::Customer);
    customer.or_else(|| from.text_of("orgHandle").and_then(OrgHandle::new).map(Holder::Org))
}

/// Returns the blocks in address order, each with its type; `None` if one cannot be read. Empty elements do not count.
pub(super) fn blocks(from: &Element) -> Option<BTreeMap<NetBlock, Option<NetType>>> {
    let mut blocks = BTreeMap::new();
    for wire in from.items("netBlocks", "netBlock").filter(|wire| !says_nothing(wire)) {
        let kind = wire.text_of("type").map(NetType::from_code);
        blocks
            .entry(block(wire)?)
            .and_modify(|known: &mut Option<NetType>| *known = known.take().or(kind.clone()))
            .or_insert(kind);
    }
    Some(blocks)
}

fn says_nothing(block: &Element) -> bool {
    ["startAddress", "endAddress", "cidrLength"].iter().all(|part| block.text_of(part).is_none())
}

/// Reads a block by its two ends, or by its start and length where ARIN left the end out.
fn block(wire: &Element) -> Option<NetBlock> {
    let first = text::address(wire.text_of("startAddress")?)?;
    if let Some(end) = wire.text_of("endAddress") {
        return NetBlock::new(first, text::address(end)?).ok();
    }
    let length = wire.text_of("cidrLength")?.trim_start_matches('/').parse().ok()?;
    let cidr = IpNet::new(first, length).ok()?;
    (cidr.network() == first).then(|| cidr.into())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{fixtures, xml},
        *,
    };

    fn fixture(name: &str) -> Element {
        xml::parse(&fixtures::fixture(name)).unwrap()
    }

    fn read<T>(xml: &str, read: fn(&Element) -> Result<T, Unfit>) -> Result<T, Unfit> {
        read(&xml::parse(xml.as_bytes()).unwrap())
    }

    /// The value, one line a field, without the raw data.
    fn shown(value: &impl std::fmt::Debug) -> String {
        let text = format!("{value:#?}");
        let fields = text.split("\n    raw: ").next().unwrap_or_default();
        let fields =
            fields.replace("\n     ", "\t").replace("\n    )", ")").replace("\n    ]", "]").replace("\n    }", "}");
        fields.split('\t').map(str::trim_start).collect::<Vec<_>>().join("").replace("\n    ", "\n")
    }

    #[test]
    fn an_org_keeps_its_lines_in_order_and_its_pocs_together() {
        insta::assert_snapshot!(shown(&org(&fixture("org.xml")).unwrap()), @r#"
        Org {
        handle: OrgHandle("EXAMPLE-1",),
        name: "Example Networks, Inc.",
        dba_name: Some("Example <Networks>",),
        url: Some("https://www.example.net/",),
        address: Some(Address {street: ["1 Example Way","Suite 500",],city: Some("Chantilly",),state_province: Some("VA",),postal_code: Some("20151",),country: Some("US",),},),
        registration_date: Some(2011-11-07,),
        pocs: {PocHandle("EXADM-ARIN",): {Admin,Other("ZZ",),},PocHandle("EXNOC-ARIN",): {Tech,Abuse,},},
        accepts_reassignments: None,
        "#);
    }

    #[test]
    fn prefixes_other_name_spaces_and_empty_lists_do_no_harm() {
        insta::assert_snapshot!(shown(&org(&fixture("org_prefixed.xml")).unwrap()), @r#"
        Org {
        handle: OrgHandle("EXAMPLE-2",),
        name: "Exemple Réseau & Cie",
        dba_name: None,
        url: None,
        address: Some(Address {street: ["Rue de l'Exemple",],city: None,state_province: None,postal_code: None,country: Some("CAN",),},),
        registration_date: Some(2019-06-12,),
        pocs: {},
        accepts_reassignments: None,
        "#);
    }

    #[test]
    fn a_bare_org_goes_by_its_handle() {
        insta::assert_snapshot!(shown(&org(&fixture("org_bare.xml")).unwrap()), @r#"
        Org {
        handle: OrgHandle("EXAMPLE-3",),
        name: "EXAMPLE-3",
        dba_name: None,
        url: None,
        address: None,
        registration_date: None,
        pocs: {},
        accepts_reassignments: None,
        "#);
    }

    #[test]
    fn an_org_says_whether_it_takes_reassignments_or_does_not_say() {
        let accepts = |said: &str| {
            let xml = format!("<org><handle>EXAMPLE-1</handle>{said}</org>");
            read(&xml, org).unwrap().accepts_reassignments
        };
        let said = |said: &str| accepts(&format!("<acceptReassignments>{said}</acceptReassignments>"));
        assert_eq!([said("true"), said("false"), said("perhaps"), accepts("")], [Some(true), Some(false), None, None]);
    }

    #[test]
    fn a_person_has_mail_addresses_and_phones_in_order() {
        insta::assert_snapshot!(shown(&poc(&fixture("poc_person.xml")).unwrap()), @r#"
        Poc {
        handle: PocHandle("EXADM-ARIN",),
        kind: Some(Person,),
        company_name: Some("Example Networks, Inc.",),
        first_name: Some("Zoë",),
        middle_name: None,
        last_name: Some("Example",),
        emails: ["zoe@example.net","hostmaster@example.net",],
        phones: ["+1.703.555.0100 x12","+1.703.555.0101",],
        address: Some(Address {street: ["1 Example Way",],city: Some("Chantilly",),state_province: Some("VA",),postal_code: Some("20151",),country: Some("US",),},),
        registration_date: Some(2009-01-02,),
        "#);
    }

    #[test]
    fn a_role_has_its_name_as_last_name() {
        insta::assert_snapshot!(shown(&poc(&fixture("poc_role.xml")).unwrap()), @r#"
        Poc {
        handle: PocHandle("EXNOC-ARIN",),
        kind: Some(Role,),
        company_name: Some("Example Networks, Inc.",),
        first_name: None,
        middle_name: None,
        last_name: Some("Network Operations Center",),
        emails: [],
        phones: [],
        address: None,
        registration_date: None,
        "#);
    }

    #[test]
    fn a_customer_needs_no_postal_code() {
        insta::assert_snapshot!(shown(&customer(&fixture("customer.xml")).unwrap()), @r#"
        Customer {
        handle: CustomerHandle("C00000001",),
        name: "Example Café",
        parent_org: Some(OrgHandle("EXAMPLE-1",),),
        private: Some(false,),
        address: Some(Address {street: ["2 Example Quay","Dock 4",],city: Some("Dublin",),state_province: None,postal_code: None,country: Some("IE",),},),
        registration_date: Some(2018-07-04,),
        "#);
    }

    #[test]
    fn a_net_has_its_padded_blocks_in_address_order() {
        insta::assert_snapshot!(shown(&net(&fixture("net.xml")).unwrap()), @r#"
        Net {
        handle: NetHandle("NET-192-0-2-0-1",),
        name: "EXAMPLE-CAFE",
        kind: Some(Reassigned,),
        blocks: [NetBlock {first: 192.0.2.0,last: 192.0.2.255,},NetBlock {first: 198.51.100.0,last: 198.51.100.127,},],
        parent: Some(NetHandle("NET-192-0-0-0-1",),),
        holder: Some(Customer(CustomerHandle("C00000001",),),),
        registration_date: Some(2011-11-07,),
        "#);
    }

    #[test]
    fn a_net_of_an_unknown_type_keeps_it() {
        insta::assert_snapshot!(shown(&net(&fixture("net_v6.xml")).unwrap()), @r#"
        Net {
        handle: NetHandle("NET6-2001-DB8-1",),
        name: "EXAMPLE-V6",
        kind: Some(Other("QQ",),),
        blocks: [NetBlock {first: 2001:db8::,last: 2001:db8:0:ffff:ffff:ffff:ffff:ffff,},],
        parent: None,
        holder: Some(Org(OrgHandle("EXAMPLE-1",),),),
        registration_date: None,
        "#);
    }

    #[test]
    fn a_block_without_end_is_as_long_as_it_says_and_an_empty_one_is_left_out() {
        insta::assert_snapshot!(shown(&net(&fixture("net_poor.xml")).unwrap()), @r#"
        Net {
        handle: NetHandle("NET-203-0-113-0-1",),
        name: "NET-203-0-113-0-1",
        kind: None,
        blocks: [NetBlock {first: 203.0.113.64,last: 203.0.113.127,},],
        parent: None,
        holder: None,
        registration_date: None,
        "#);
    }

    #[test]
    fn a_net_with_one_unreadable_block_among_others_is_unfit() {
        let blocks = "<netBlock><startAddress>192.0.2.0</startAddress><endAddress>192.0.2.255</endAddress></netBlock>\
             <netBlock><startAddress>192.0.3.0</startAddress><endAddress>nowhere</endAddress></netBlock>";
        let xml = format!("<net><handle>NET-1</handle><netBlocks>{blocks}</netBlocks></net>");
        assert_eq!(read(&xml, net), Err(Unfit::NoBlock));
    }

    #[test]
    fn a_net_without_readable_block_is_unfit() {
        let reversed = "<net><handle>NET-1</handle><netBlocks><netBlock><startAddress>192.0.2.2</startAddress>\
             <endAddress>192.0.2.1</endAddress></netBlock></netBlocks></net>";
        for xml in ["<net><handle>NET-1</handle></net>", "<net><handle>NET-1</handle><netBlocks/></net>", reversed] {
            assert_eq!(read(xml, net), Err(Unfit::NoBlock), "{xml}");
        }
    }

    #[test]
    fn a_length_that_does_not_fit_the_start_makes_no_block() {
        for length in ["24", "33", "x"] {
            let xml = format!(
                "<net><handle>NET-1</handle><netBlocks><netBlock><startAddress>192.0.2.1</startAddress>\
                 <cidrLength>{length}</cidrLength></netBlock></netBlocks></net>"
            );
            assert_eq!(read(&xml, net), Err(Unfit::NoBlock), "{length}");
        }
    }

    #[test]
    fn no_handle_means_no_object() {
        assert_eq!(read("<org><handle> </handle></org>", org), Err(Unfit::NoHandle));
        assert_eq!(read("<poc/>", poc), Err(Unfit::NoHandle));
        assert_eq!(read("<customer/>", customer), Err(Unfit::NoHandle));
        assert_eq!(read("<net/>", net), Err(Unfit::NoHandle));
    }

    #[test]
    fn the_order_of_blocks_and_links_changes_nothing() {
        let block = |start: &str, kind: &str| {
            format!(
                "<netBlock><type>{kind}</type><startAddress>{start}</startAddress><cidrLength>25</cidrLength></netBlock>"
            )
        };
        let net_of =
            |blocks: String| read(&format!("<net><handle>NET-1</handle><netBlocks>{blocks}</netBlocks></net>"), net);
        let (a, b) = (block("192.0.2.0", "A"), block("192.0.2.128", "S"));
        assert_eq!(net_of(format!("{a}{b}")), net_of(format!("{b}{a}")));
    }
}
