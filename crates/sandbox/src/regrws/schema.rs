//! Which elements the documents that are sent may have.
//!
//! Their order is free. An element of ARIN's namespace that is not known is an error; those of other namespaces pass.

use super::{
    options::Style,
    payload::SURPRISES,
    tree::{CORE, Node},
};

/// An element that is known.
#[derive(Debug)]
pub(super) struct Shape {
    name: &'static str,
    content: Content,
    /// It may stand there more than once.
    many: bool,
}

#[derive(Debug)]
enum Content {
    Elements(&'static [Shape]),
    Text,
    Whole,
    Truth,
    /// A text with a number.
    Line,
    /// All there is to say is in these attributes.
    Leaf(&'static [&'static str]),
}

const fn shape(name: &'static str, content: Content) -> Shape {
    Shape { name, content, many: false }
}

const fn text(name: &'static str) -> Shape {
    shape(name, Content::Text)
}

const fn elements(name: &'static str, inside: &'static [Shape]) -> Shape {
    shape(name, Content::Elements(inside))
}

const fn many(shape: Shape) -> Shape {
    Shape { many: true, ..shape }
}

const LINES: &[Shape] = &[many(shape("line", Content::Line))];

const COUNTRY: &[Shape] = &[text("name"), text("code2"), text("code3"), shape("e164", Content::Whole)];

const CUSTOMER_INSIDE: &[Shape] = &[
    text("customerName"),
    elements("iso3166-1", COUNTRY),
    text("iso3166-2"),
    elements("streetAddress", LINES),
    text("city"),
    text("postalCode"),
    elements("comment", LINES),
    text("handle"),
    text("parentOrgHandle"),
    text("registrationDate"),
    shape("privateCustomer", Content::Truth),
];

const NET_BLOCK: &[Shape] =
    &[text("type"), text("description"), text("startAddress"), text("endAddress"), shape("cidrLength", Content::Whole)];

const MESSAGE_INSIDE: &[Shape] = &[
    text("subject"),
    elements("text", LINES),
    text("category"),
    elements("attachments", &[many(elements("attachment", &[text("data"), text("filename")]))]),
];

const MESSAGES: Shape = elements("messages", &[many(elements("message", MESSAGE_INSIDE))]);

const NET_INSIDE: &[Shape] = &[
    shape("version", Content::Whole),
    elements("comment", LINES),
    text("registrationDate"),
    text("orgHandle"),
    text("handle"),
    elements("netBlocks", &[many(elements("netBlock", NET_BLOCK))]),
    text("customerHandle"),
    elements("customer", CUSTOMER_INSIDE),
    text("parentNetHandle"),
    text("netName"),
    elements("originASes", &[many(text("originAS"))]),
    elements("pocLinks", &[many(shape("pocLinkRef", Content::Leaf(&["handle", "function"])))]),
    MESSAGES,
];

const TICKET_INSIDE: &[Shape] = &[
    text("ticketNo"),
    text("createdDate"),
    text("resolvedDate"),
    text("closedDate"),
    text("updatedDate"),
    text("webTicketType"),
    text("webTicketStatus"),
    text("webTicketResolution"),
    MESSAGES,
];

/// The `net` payload.
pub(super) const NET: Shape = elements("net", NET_INSIDE);
/// The `customer` payload.
pub(super) const CUSTOMER: Shape = elements("customer", CUSTOMER_INSIDE);
/// The `message` payload.
pub(super) const MESSAGE: Shape = elements("message", MESSAGE_INSIDE);
/// The `ticket` payload.
pub(super) const TICKET: Shape = elements("ticket", TICKET_INSIDE);

impl Shape {
    /// Reads a document of this shape. An error is a sentence for whoever sent it.
    ///
    /// A server of odd payloads has to take back the surprises that are in them.
    pub(super) fn read(&self, document: &str, style: Style) -> Result<Node, String> {
        if document.contains(char::REPLACEMENT_CHARACTER) {
            return Err("The body is not UTF-8.".to_owned());
        }
        let mut root = Node::read(document).map_err(|malformed| malformed.to_string())?;
        if style == Style::Odd {
            root.leave_out(&SURPRISES);
        }
        if root.name != self.name || root.namespace != CORE {
            return Err(format!("The root has to be the element {} of {CORE}.", self.name));
        }
        self.check(&root)?;
        Ok(root)
    }

    fn check(&self, node: &Node) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("The element {} {what}.", self.name));
        let text = node.text.trim();
        match &self.content {
            Content::Elements(_) if !text.is_empty() => wrong("has text of its own"),
            Content::Elements(shapes) => children(node, shapes),
            Content::Text => children(node, &[]),
            Content::Whole if !text.is_empty() && text.parse::<u32>().is_err() => wrong("is not a whole number"),
            Content::Truth if !["", "true", "false", "1", "0"].contains(&text) => wrong("is neither true nor false"),
            Content::Whole | Content::Truth => children(node, &[]),
            Content::Line if !is_numbered(node) => wrong("has no whole number as its attribute number"),
            Content::Line => children(node, &[]),
            Content::Leaf(names) => match names.iter().find(|name| !node.attributes.contains_key(**name)) {
                Some(missing) => wrong(&format!("has no attribute {missing}")),
                None => children(node, &[]),
            },
        }
    }
}

fn children(node: &Node, shapes: &[Shape]) -> Result<(), String> {
    for child in node.children.iter().filter(|child| child.namespace == CORE) {
        let Some(shape) = shapes.iter().find(|shape| shape.name == child.name) else {
            return Err(format!("The element {} is not expected inside of {}.", child.name, node.name));
        };
        if !shape.many && node.all(shape.name).nth(1).is_some() {
            return Err(format!("The element {} may stand only once inside of {}.", child.name, node.name));
        }
        shape.check(child)?;
    }
    Ok(())
}

fn is_numbered(line: &Node) -> bool {
    line.attributes.get("number").is_some_and(|number| number.trim().parse::<i64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inside: &str) -> Result<(), String> {
        let document = format!(r#"<net xmlns="{CORE}" xmlns:o="urn:other">{inside}</net>"#);
        NET.read(&document, Style::Plain).map(drop)
    }

    #[test]
    fn the_order_is_free_and_other_namespaces_pass() {
        assert_eq!(read("<netName>A</netName><o:colour>red</o:colour><version>4</version>"), Ok(()));
        assert_eq!(read("<version>4</version><netName>A</netName>"), Ok(()));
    }

    #[test]
    fn each_fault_is_named() {
        let cases = [
            "<colour/>",
            "<netName/><netName/>",
            "<version>four</version>",
            "<comment><line>A</line></comment>",
            "<netBlocks>A</netBlocks>",
            "<customer><privateCustomer>maybe</privateCustomer></customer>",
            r#"<pocLinks><pocLinkRef handle="A"/></pocLinks>"#,
            "<netName><b>A</b></netName>",
        ];
        insta::assert_snapshot!(cases.map(|inside| read(inside).unwrap_err()).join("\n"), @"
        The element colour is not expected inside of net.
        The element netName may stand only once inside of net.
        The element version is not a whole number.
        The element line has no whole number as its attribute number.
        The element netBlocks has text of its own.
        The element privateCustomer is neither true nor false.
        The element pocLinkRef has no attribute function.
        The element b is not expected inside of netName.
        ");
    }

    #[test]
    fn another_root_is_refused() {
        assert!(NET.read(&format!(r#"<customer xmlns="{CORE}"/>"#), Style::Plain).is_err());
        assert!(NET.read("<net/>", Style::Plain).is_err());
    }
}
