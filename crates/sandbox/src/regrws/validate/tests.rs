//! Each rule, by a request that breaks it.

use super::*;
use crate::regrws::Operation;

const NET: &str = "<netName>ACME-1</netName><parentNetHandle>NET-23-144-0-0-1</parentNetHandle><netBlocks><netBlock>\
    <startAddress>023.144.012.000</startAddress><endAddress>023.144.012.255</endAddress><cidrLength>24</cidrLength>\
    </netBlock></netBlocks>";
const CUSTOMER: &str = "<customerName>Acme</customerName><iso3166-1><code2>US</code2></iso3166-1>\
    <iso3166-2>VA</iso3166-2><postalCode>20190</postalCode><city>Reston</city>\
    <streetAddress><line number=\"0\">5 Lane</line></streetAddress>";

fn request(method: &str, path: &str, body: String) -> Request {
    Request {
        operation: Operation::Unknown,
        target: String::new(),
        method: method.to_owned(),
        path: format!("/rest/{path}"),
        query: String::new(),
        content_type: Some("application/xml".to_owned()),
        accept: Some("application/xml".to_owned()),
        body,
    }
}

fn root(name: &str, inside: &str) -> String {
    format!("<{name} xmlns=\"{CORE}\">{inside}</{name}>")
}

fn reassignment(inside: &str) -> Vec<String> {
    validate(&request("PUT", "net/NET-23-144-0-0-1/reassign", root("net", inside)))
}

fn simple() -> String {
    format!("{NET}<customer>{CUSTOMER}</customer>")
}

#[test]
fn what_is_right_passes() {
    let none = Vec::<String>::new();
    assert_eq!(reassignment(&simple()), none);
    assert_eq!(reassignment(&format!("{NET}<orgHandle>SAMPLE-3</orgHandle><pocLinks/><handle/>")), none);
    assert_eq!(reassignment(&format!("{NET}<customerHandle>C00000001</customerHandle>")), none);
    let reallocation = root("net", &format!("{NET}<orgHandle>SAMPLE-3</orgHandle>"));
    assert_eq!(validate(&request("PUT", "net/NET-23-144-0-0-1/reallocate", reallocation)), none);
    assert_eq!(validate(&request("POST", "net/NET-23-144-0-0-1/customer", root("customer", CUSTOMER))), none);
    let known =
        format!("{CUSTOMER}<handle>C00000001</handle><registrationDate>2026-09-01T09:00:00-04:00</registrationDate>");
    assert_eq!(validate(&request("PUT", "customer/C00000001", root("customer", &known))), none);
    let reads =
        ["ticket/summary;ticketType=ANY;ticketStatus=ANY_OPEN", "ticket;ticketStatus=ANY", "net/NET-1/delegations"];
    for path in reads {
        assert_eq!(validate(&request("GET", path, String::new())), none, "{path}");
    }
    assert_eq!(validate(&request("DELETE", "net/NET-1", String::new())), none);
    let message = "<subject>A</subject><text><line number=\"0\">B</line></text><category>JUSTIFICATION</category>";
    assert_eq!(validate(&request("PUT", "ticket/20261127-X1/message", root("message", message))), none);
}

#[test]
fn each_violation_is_named() {
    let change = |from: &str, to: &str| {
        assert!(simple().contains(from), "{from}");
        reassignment(&simple().replace(from, to)).join("; ")
    };
    let cases = [
        change("ACME-1", "acme-1"),
        change("ACME-1", "ACME 1"),
        change("<netName>ACME-1</netName>", "<netName/>"),
        change("<netName>ACME-1</netName>", ""),
        change("<netName>", "<netName>A</netName><netName>"),
        change("NET-23-144-0-0-1", "NET-9-0-0-0-1"),
        change("<cidrLength>24", "<cidrLength>25"),
        change("<endAddress>023.144.012.255</endAddress><cidrLength>24</cidrLength>", ""),
        change("<netBlock>", "<netBlock><type>A</type>"),
        change("<netName>", "<version>6</version><netName>"),
        change("<netName>", "<colour/><netName>"),
        change("<netName>", "<x xmlns=\"urn:x\"/><netName>"),
        change("<netName>", "<orgHandle>A-1</orgHandle><netName>"),
        change("<netName>", "<originASes><originAS>AS1</originAS></originASes><netName>"),
        change("<netName>", "<handle>NET-1</handle><netName>"),
        change("Acme", "Acm\u{e9}"),
        change("<postalCode>20190</postalCode>", ""),
        change("<city>Reston</city>", ""),
        change(" number=\"0\"", ""),
        change("<customerName>", "<handle>C1</handle><customerName>"),
        change("<code2>US</code2>", ""),
    ];
    insta::assert_snapshot!(cases.join("\n"), @"
    netName is not of the form name
    netName is not of the form name
    netName is empty
    netName is missing
    netName stands there more than once
    parentNetHandle is not NET-23-144-0-0-1, as in the URL
    netBlocks/netBlock has no end, or not that of its length
    netBlocks/netBlock has no end, or not that of its length
    netBlocks/netBlock/type is not S
    version is not that of the addresses
    colour is not known
    x is not of ARIN's namespace
    exactly one of orgHandle, customerHandle, customer has to be there
    originASes is not of the form empty; originASes/originAS is not known
    handle is not of the form empty
    customer/customerName is not of the form ascii
    postalCode is missing in this country
    customer/city is missing
    customer/streetAddress/line is not of the form ascii-line
    customer/handle is not of the form empty
    iso3166-1 has neither code2 nor code3
    ");
}

#[test]
fn the_call_and_its_headers_count() {
    let mut bare = request("DELETE", "net/NET-1", "<net/>".to_owned());
    (bare.content_type, bare.accept) = (None, Some("*/*".to_owned()));
    insta::assert_snapshot!(validate(&bare).join("\n"), @"
    the header Content-Type is not application/xml
    the header Accept does not have application/xml
    the call takes no document
    ");
    let unknown = validate(&request("POST", "net/NET-1/reassign", String::new()));
    assert_eq!(unknown, ["there is no call POST /rest/net/NET-1/reassign"]);
    let other = validate(&request("PUT", "net/NET-1", root("customer", CUSTOMER)));
    assert_eq!(other, [format!("the root is not the element net of {CORE}")]);
}

// A net goes back as it came, with its holder and its date.
#[test]
fn a_changed_net_has_to_be_whole() {
    let net = format!(
        "{NET}<orgHandle>SAMPLE-3</orgHandle><version>4</version><handle>NET-1</handle>\
         <registrationDate>2026-09-01T09:00:00-04:00</registrationDate>"
    );
    let net = net.replace("<netBlock>", "<netBlock><type>S</type><description>Reassigned</description>");
    let put = |path: &str, net: &str| validate(&request("PUT", path, root("net", net)));
    assert_eq!(put("net/NET-1", &net), Vec::<String>::new());
    assert_eq!(put("net/NET-1/remove", &net), Vec::<String>::new());
    let link = "<pocLinks><pocLinkRef handle=\"A-ARIN\" function=\"AD\"/></pocLinks>";
    assert_eq!(put("net/NET-1", &format!("{net}{link}")), ["pocLinks/pocLinkRef is not of the form poc"]);
    assert_eq!(put("net/NET-1", &net.replace("<version>4</version>", "")), ["version is missing"]);
    assert_eq!(put("net/NET-2", &net), ["handle is not NET-2, as in the URL"]);
    let without = net.replace("<orgHandle>SAMPLE-3</orgHandle>", "");
    assert_eq!(put("net/NET-1", &without), ["exactly one of orgHandle, customerHandle has to be there"]);
}
