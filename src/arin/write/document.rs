//! A registration as ARIN has it, in which single elements are changed.
//!
//! ARIN takes a modification as a whole document: what is left out is cleared, and of a part that may not be changed it
//! must have what ARIN has. So everything goes back as it came, down to elements that nobody here knows.

use serde_json::Value;

use super::{
    body::{self, leaf, one_line},
    payload::Unsendable,
};
use crate::{
    arin::{
        convert::{self, Unfit},
        xml::{self, Element, Malformed},
    },
    model::{Address, Customer, Net, Payload},
};

/// A net or customer as ARIN has it, to be changed in single elements and sent back with all others as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    root: Element,
}

impl Document {
    /// Reads it as it came.
    pub(in crate::arin) fn read(body: &[u8]) -> Result<Self, Malformed> {
        xml::parse_faithfully(body).map(|root| Self { root })
    }

    /// Reads one that was kept, as [`Document::json`] returned it; `None` if it has something that XML cannot have. Its
    /// elements come in the order of their names.
    #[must_use]
    pub fn from_json(name: &str, json: &Value) -> Option<Self> {
        Element::from_json(name, json).map(|root| Self { root })
    }

    /// Returns the name of its root, `net` or `customer`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.root.name
    }

    /// Returns what is in it, to be kept: elements by name, `@` before the names of attributes.
    #[must_use]
    pub fn json(&self) -> Value {
        self.root.to_json()
    }

    /// Returns a digest of what is in it. The order of elements and empty ones do not count.
    #[must_use]
    pub fn digest(&self) -> String {
        Payload::new(&self.json()).digest().to_owned()
    }

    /// Returns it as it is sent.
    #[must_use]
    pub fn xml(&self) -> String {
        xml::written(&self.root)
    }

    /// Returns the text of an element, unless it has none.
    #[must_use]
    pub fn text(&self, element: &str) -> Option<&str> {
        let named = self.root.children.iter().filter(|child| child.name == element && is_arins(child));
        named.filter_map(Element::text).map(str::trim).next()
    }

    /// Reads it as a net.
    ///
    /// # Errors
    /// When it is none, or has neither handle nor range.
    pub fn net(&self) -> Result<Net, Unfit> {
        self.convert("net", convert::net)
    }

    /// Reads it as a customer.
    ///
    /// # Errors
    /// When it is none, or has no handle.
    pub fn customer(&self) -> Result<Customer, Unfit> {
        self.convert("customer", convert::customer)
    }

    fn convert<T>(&self, name: &'static str, read: fn(&Element) -> Result<T, Unfit>) -> Result<T, Unfit> {
        if self.root.name != name {
            return Err(Unfit::Other(name, self.root.name.clone()));
        }
        read(&self.root.trimmed())
    }

    /// Gives an element another text, or leaves it out.
    ///
    /// # Errors
    /// When ARIN does not take the text there.
    pub fn set_text(&mut self, element: &str, text: Option<&str>) -> Result<(), Unsendable> {
        let changed = text.map(|text| leaf(element, text)).transpose()?;
        self.put(element, changed);
        Ok(())
    }

    /// Gives it another comment. None clears it, by leaving it out.
    ///
    /// # Errors
    /// When no line can have what a line has.
    pub fn set_comment(&mut self, lines: &[String]) -> Result<(), Unsendable> {
        let comment = body::comment(lines)?;
        self.put("comment", comment);
        Ok(())
    }

    /// Gives it another address. What the address does not have is left out; a country that is the same stays as it is.
    ///
    /// # Errors
    /// When ARIN does not take it.
    pub fn set_address(&mut self, address: &Address) -> Result<(), Unsendable> {
        for (name, element) in body::postal(address)? {
            let stays = name == "iso3166-1" && element.as_ref().is_some_and(|country| self.has_country(country));
            if !stays {
                self.put(name, element);
            }
        }
        Ok(())
    }

    fn has_country(&self, country: &Element) -> bool {
        let mut known = self.root.children("iso3166-1").filter(|child| is_arins(child));
        let is_same = |known: &Element| {
            let codes = country.children.iter().filter_map(|code| Some((known.text_of(&code.name)?, code.text()?)));
            codes.into_iter().any(|(known, wanted)| known.trim().eq_ignore_ascii_case(wanted))
        };
        known.any(is_same)
    }

    /// Returns it with a message to ARIN.
    pub(super) fn with_message(&self, text: &str) -> Result<Self, Unsendable> {
        text.lines().try_for_each(|line| one_line("message", line))?;
        let parts = [
            Element::leaf("subject", "Removal"),
            Element::lines("text", text.lines()),
            Element::leaf("category", "NONE"),
        ];
        let mut document = self.clone();
        document.put("messages", Some(Element::of("messages", [Element::of("message", parts)])));
        Ok(document)
    }

    /// Puts an element in the place of all of this name.
    fn put(&mut self, name: &str, element: Option<Element>) {
        let is_it = |child: &Element| child.name == name && is_arins(child);
        let children = &mut self.root.children;
        let place = children.iter().position(is_it).unwrap_or(children.len());
        children.retain(|child| !is_it(child));
        children.splice(place..place, element);
    }
}

/// Returns whether an element below the root is in the root's name space.
fn is_arins(child: &Element) -> bool {
    !child.attributes.contains_key("xmlns")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arin::fixtures::fixture;

    fn document(name: &str) -> Document {
        Document::read(&fixture(name)).unwrap()
    }

    fn text(body: &str) -> Document {
        Document::read(body.as_bytes()).unwrap()
    }

    /// The elements as they stand in a document, in order, each with its attributes and text.
    fn elements(element: &Element) -> Vec<String> {
        let Element { name, attributes, text, children } = element;
        let own = format!("{name} {attributes:?} {text}");
        [own].into_iter().chain(children.iter().flat_map(elements)).collect()
    }

    #[test]
    fn an_untouched_document_goes_back_element_by_element() {
        for name in ["net.xml", "net_poor.xml", "net_v6.xml", "customer.xml", "org_prefixed.xml"] {
            let (read, came) = (document(name), xml::parse(&fixture(name)).unwrap());
            let goes = xml::parse(read.xml().as_bytes()).unwrap();
            assert_eq!(elements(&goes), elements(&came), "{name}");
        }
    }

    #[test]
    fn contacts_remarks_and_what_nobody_knows_go_back_too() {
        let came = text(
            "<n:net xmlns:n='http://www.arin.net/regrws/core/v1' xmlns:s='urn:s'><n:pocLinks><n:pocLinkRef handle='EX-ARIN' \
             function='T' description='Tech'/></n:pocLinks><s:netName>not ARIN's</s:netName><n:new kind='1'>x</n:new>\
             <n:netName>OLD</n:netName><n:comment><n:line number='0'>  Réseau</n:line></n:comment></n:net>",
        );
        let mut changed = came.clone();
        changed.set_text("netName", Some("NEW")).unwrap();
        assert_eq!(changed.xml(), came.xml().replace("OLD", "NEW"));
        assert_eq!(changed.text("netName"), Some("NEW"));
        insta::assert_snapshot!(changed.xml(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <net xmlns="http://www.arin.net/regrws/core/v1">
          <pocLinks>
            <pocLinkRef description="Tech" function="T" handle="EX-ARIN"/>
          </pocLinks>
          <netName xmlns="urn:s">not ARIN's</netName>
          <new kind="1">x</new>
          <netName>NEW</netName>
          <comment>
            <line number="0">  Réseau</line>
          </comment>
        </net>
        "#);
    }

    #[test]
    fn a_net_gets_another_name_and_comment() {
        let mut net = document("net.xml");
        net.set_text("netName", Some("OTHER")).unwrap();
        net.set_comment(&["Zürich".to_owned(), String::new(), "line 3".to_owned()]).unwrap();
        insta::assert_snapshot!(net.xml(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <net xmlns="http://www.arin.net/regrws/core/v1">
          <version>4</version>
          <comment>
            <line number="0">Zürich</line>
            <line number="1"/>
            <line number="2">line 3</line>
          </comment>
          <registrationDate>2011-11-07T14:04:28-05:00</registrationDate>
          <handle>NET-192-0-2-0-1</handle>
          <netBlocks>
            <netBlock>
              <cidrLength>25</cidrLength>
              <endAddress>198.051.100.127</endAddress>
              <description>Reassigned</description>
              <type>S</type>
              <startAddress>198.051.100.000</startAddress>
            </netBlock>
            <netBlock>
              <cidrLength>24</cidrLength>
              <endAddress>192.000.002.255</endAddress>
              <description>Reassigned</description>
              <type>S</type>
              <startAddress>192.000.002.000</startAddress>
            </netBlock>
          </netBlocks>
          <customerHandle>c00000001</customerHandle>
          <parentNetHandle>NET-192-0-0-0-1</parentNetHandle>
          <netName>OTHER</netName>
          <originASes>
            <originAS>AS64496</originAS>
          </originASes>
          <pocLinks/>
        </net>
        "#);
        net.set_comment(&[]).unwrap();
        assert!(!net.xml().contains("comment"));
        assert_eq!(net.net().unwrap().name, "OTHER");
    }

    #[test]
    fn a_customer_gets_another_address_and_keeps_its_country() {
        let mut customer = document("customer.xml");
        let address = Address {
            street: vec!["1 New Quay".to_owned()],
            city: Some("Cork".to_owned()),
            state_province: None,
            postal_code: Some("T12".to_owned()),
            country: Some("IE".to_owned()),
        };
        customer.set_address(&address).unwrap();
        customer.set_text("privateCustomer", Some("true")).unwrap();
        insta::assert_snapshot!(customer.xml(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <customer xmlns="http://www.arin.net/regrws/core/v1">
          <customerName>Example Café</customerName>
          <iso3166-1>
            <name>IRELAND</name>
            <code2>IE</code2>
            <code3>IRL</code3>
            <e164>353</e164>
          </iso3166-1>
          <handle>C00000001</handle>
          <streetAddress>
            <line number="0">1 New Quay</line>
          </streetAddress>
          <city>Cork</city>
          <parentOrgHandle>EXAMPLE-1</parentOrgHandle>
          <privateCustomer>true</privateCustomer>
          <registrationDate>Wed Jul 04 09:00:00 EDT 2018</registrationDate>
          <postalCode>T12</postalCode>
        </customer>
        "#);
        assert_eq!(customer.customer().unwrap().address, Some(address.clone()));
        customer.set_address(&Address { country: Some("FRA".to_owned()), ..address }).unwrap();
        assert_eq!(customer.json()["iso3166-1"], serde_json::json!({"code3": "FRA"}));
    }

    #[test]
    fn a_reason_goes_along_with_a_removal() {
        let net = document("net_poor.xml").with_message("Contract ended.\nNo longer <used>.").unwrap();
        insta::assert_snapshot!(net.xml(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <net xmlns="http://www.arin.net/regrws/core/v1">
          <handle>NET-203-0-113-0-1</handle>
          <netBlocks>
            <netBlock>
              <startAddress>203.000.113.064</startAddress>
              <cidrLength>26</cidrLength>
            </netBlock>
            <netBlock/>
          </netBlocks>
          <messages>
            <message>
              <subject>Removal</subject>
              <text>
                <line number="0">Contract ended.</line>
                <line number="1">No longer &lt;used&gt;.</line>
              </text>
              <category>NONE</category>
            </message>
          </messages>
        </net>
        "#);
        assert_eq!(net.with_message("x\u{1}"), Err(Unsendable::Character("message".to_owned(), '\u{1}')));
    }

    #[test]
    fn the_digest_is_of_what_it_says() {
        let one = "<net><netName>A</netName><comment/><pocLinks><pocLinkRef handle='X'/><pocLinkRef handle='Y'/></pocLinks></net>";
        let other = "<n:net xmlns:n='http://www.arin.net/regrws/core/v1'>\n<n:pocLinks><n:pocLinkRef handle='Y'/>\
             <n:pocLinkRef handle='X'/></n:pocLinks><n:netName>A</n:netName></n:net>";
        assert_eq!(text(one).digest(), text(other).digest());
        assert_ne!(text(one).digest(), text(&one.replace('A', "B")).digest());
        assert_ne!(text(one).digest(), text(&one.replace("netName>", "netname>")).digest());
    }

    #[test]
    fn a_kept_document_says_the_same() {
        for name in ["net.xml", "net_poor.xml", "net_v6.xml", "customer.xml", "org_prefixed.xml"] {
            let document = document(name);
            let kept = Document::from_json(document.name(), &document.json()).unwrap();
            assert_eq!(kept.json(), document.json(), "{name}");
            assert_eq!(text(&kept.xml()).digest(), document.digest(), "{name}");
        }
        let foreign = text("<net><a>A</a><b xmlns='urn:o'><c/>1</b></net>");
        insta::assert_snapshot!(Document::from_json("net", &foreign.json()).unwrap().xml(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <net xmlns="http://www.arin.net/regrws/core/v1">
          <a>A</a>
          <b xmlns="urn:o">1</b>
        </net>
        "#);
    }

    #[test]
    fn a_kept_document_that_somebody_broke_is_none() {
        use serde_json::json;
        for broken in [json!({"a><b": "x"}), json!({"@a b": "x"}), json!({"a": "\u{1}"}), json!({"a": 1}), json!(null)]
        {
            assert_eq!(Document::from_json("net", &broken), None, "{broken}");
        }
    }

    #[test]
    fn text_that_arin_does_not_take_changes_nothing() {
        let mut net = document("net.xml");
        assert_eq!(net.set_text("netName", Some("CAFÉ")), Err(Unsendable::NotAscii("netName".to_owned(), 'É')));
        assert_eq!(net, document("net.xml"));
    }
}
