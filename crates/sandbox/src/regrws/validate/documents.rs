//! The documents, element by element.
//!
//! A line is the path of an element inside of the root, how often it is there inside of the element around it, and what
//! its text is:
//!
//! | how often | |
//! |---|---|
//! | `1` | exactly once |
//! | `?` | at most once |
//! | `+` | at least once |
//! | `*` | any number of times |
//! | `0` | not at all, or empty |

use super::{super::tree::Node, values};

/// A line.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) path: String,
    pub(super) count: Count,
    text: String,
}

/// How often an element is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    One,
    Optional,
    Some,
    Any,
    Empty,
}

// Payloads, "NET Payload"; Methods, "Reassign" and "Reallocate". The name is right by all sources: the page allows
// letters, digits, hyphens and spaces, the templates 50 characters without spaces, and answers are in capitals.
const NEW_NET: &str = "
    netName 1 name
    parentNetHandle 1 handle
    orgHandle ? handle
    netBlocks 1 elements
    netBlocks/netBlock + elements
    netBlocks/netBlock/startAddress 1 address
    netBlocks/netBlock/endAddress ? address
    netBlocks/netBlock/cidrLength ? length
    netBlocks/netBlock/type ? type
    version ? version
    comment ? elements
    comment/line + line
    handle 0 empty
    registrationDate 0 empty
    pocLinks 0 empty
    originASes 0 empty
";

// The same pages: what cannot be modified comes back as it was.
const CHANGED_NET: &str = "
    netName 1 any-name
    version 1 version
    handle 1 handle
    registrationDate 1 date
    parentNetHandle ? handle
    orgHandle ? handle
    customerHandle ? handle
    netBlocks 1 elements
    netBlocks/netBlock + elements
    netBlocks/netBlock/type 1 type
    netBlocks/netBlock/description ? text
    netBlocks/netBlock/startAddress 1 address
    netBlocks/netBlock/endAddress ? address
    netBlocks/netBlock/cidrLength ? length
    comment ? elements
    comment/line * line
    pocLinks ? elements
    pocLinks/pocLinkRef * poc
    originASes 0 empty
";

// Payloads, "Customer Payload".
const CUSTOMER: &str = "
    customerName 1 ascii
    streetAddress 1 elements
    streetAddress/line + ascii-line
    city 1 ascii
    iso3166-1 1 elements
    iso3166-1/name ? text
    iso3166-1/code2 ? code2
    iso3166-1/code3 ? code3
    iso3166-1/e164 ? text
    iso3166-2 ? ascii
    postalCode ? ascii
    privateCustomer ? truth
    parentOrgHandle ? handle
    comment ? elements
    comment/line * line
";

// Payloads, "Message Payload".
const MESSAGE: &str = "
    subject 1 text
    text 1 elements
    text/line + line
    category ? category
    attachments ? elements
    attachments/attachment + elements
    attachments/attachment/data 1 base64
    attachments/attachment/filename 1 text
";

// Payloads, "Ticket Payload".
const TICKET: &str = "
    ticketNo 1 text
    createdDate 1 date
    updatedDate 1 date
    resolvedDate ? date
    closedDate ? date
    webTicketType 1 text
    webTicketStatus 1 text
    webTicketResolution ? text
";

/// The `net` of a reassignment.
pub(super) fn reassignment() -> Vec<Rule> {
    let mut rules = rules(NEW_NET, "");
    rules.extend(parsed("customerHandle ? handle\ncustomer ? elements", ""));
    rules.extend(customer("customer/"));
    rules.extend(messages());
    rules
}

/// The `net` of a reallocation.
pub(super) fn reallocation() -> Vec<Rule> {
    let mut rules = rules(NEW_NET, "");
    rules.extend(messages());
    rules
}

/// A `customer` that is new.
pub(super) fn customer(at: &str) -> Vec<Rule> {
    let mut rules = rules(CUSTOMER, at);
    rules.extend(parsed("handle 0 empty\nregistrationDate 0 empty", at));
    rules
}

/// A `customer` that is there.
pub(super) fn changed_customer() -> Vec<Rule> {
    let mut rules = rules(CUSTOMER, "");
    rules.extend(parsed("handle 1 handle\nregistrationDate 1 date", ""));
    rules
}

/// A `net` that is there.
pub(super) fn changed_net() -> Vec<Rule> {
    rules(CHANGED_NET, "")
}

/// A `net` that is to go.
pub(super) fn removed_net() -> Vec<Rule> {
    let mut rules = changed_net();
    rules.extend(messages());
    rules
}

/// A `message`.
pub(super) fn message(at: &str) -> Vec<Rule> {
    rules(MESSAGE, at)
}

/// A `ticket`.
pub(super) fn ticket() -> Vec<Rule> {
    rules(TICKET, "")
}

fn messages() -> Vec<Rule> {
    let mut rules = rules("messages ? elements\nmessages/message + elements", "");
    rules.extend(message("messages/message/"));
    rules
}

fn rules(table: &str, at: &str) -> Vec<Rule> {
    parsed(table, at).collect()
}

fn parsed<'a>(table: &'a str, at: &'a str) -> impl Iterator<Item = Rule> + 'a {
    table.lines().filter_map(move |line| {
        let mut words = line.split_whitespace();
        let path = format!("{at}{}", words.next()?);
        let count = match words.next()? {
            "1" => Count::One,
            "?" => Count::Optional,
            "+" => Count::Some,
            "*" => Count::Any,
            _ => Count::Empty,
        };
        Some(Rule { path, count, text: words.next()?.to_owned() })
    })
}

impl Rule {
    /// Returns what is wrong with an element by itself.
    pub(super) fn violation(&self, node: &Node) -> Option<String> {
        let text = node.text.trim();
        if self.count == Count::One && self.text != "elements" && text.is_empty() {
            return Some("is empty".to_owned());
        }
        // What may be missing may be empty as well.
        if self.count == Count::Optional && text.is_empty() && node.children.is_empty() {
            return None;
        }
        (!values::is_of(&self.text, node)).then(|| format!("is not of the form {}", self.text))
    }
}
