//! An XML element without its prefixes, and the form in which payloads are kept as raw data.
//!
//! That form is the one Python's `xmltodict` made common: an element is an object of its children, a repeated one an
//! array, one with text alone a string; attributes stand under `@name`, text beside attributes or children under `#text`.
//!
//! Equal content gives equal JSON, as far as the order of a payload means nothing, so that a digest of it is stable:
//! members are sorted by name, repeated elements by their `@number` where they have one, and by their content where they
//! hold no text of their own. Elements that say nothing at all are left out, since ARIN writes what is missing either way.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// An element by its local name, with its text trimmed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// All children of this name, in order.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The items of a list such as `<emails><email/></emails>`.
    pub(super) fn items<'a>(&'a self, list: &'a str, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children(list).flat_map(move |list| list.children(name))
    }

    /// The element's own text, unless it has none.
    pub(super) fn text(&self) -> Option<&str> {
        Some(self.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The text of the first child of this name that has any.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.children.iter().filter(|child| child.name == name).find_map(Self::text)
    }

    /// An attribute, unless it is empty.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The element as raw data; the module says in which form.
    pub(super) fn to_json(&self) -> Value {
        let mut members = Map::new();
        for (name, children) in self.by_name() {
            members.insert(name.to_owned(), repeated(children));
        }
        for (name, value) in &self.attributes {
            members.insert(format!("@{name}"), value.as_str().into());
        }
        match self.text() {
            Some(text) if members.is_empty() => text.into(),
            Some(text) => {
                members.insert("#text".to_owned(), text.into());
                members.into()
            }
            None => members.into(),
        }
    }

    /// The children that say anything, by name.
    fn by_name(&self) -> BTreeMap<&str, Vec<&Self>> {
        let mut by_name: BTreeMap<&str, Vec<&Self>> = BTreeMap::new();
        for child in self.children.iter().filter(|child| !child.is_silent()) {
            by_name.entry(&child.name).or_default().push(child);
        }
        by_name
    }

    /// The place of a line among its siblings.
    pub(super) fn number(&self) -> Option<u64> {
        self.attribute("number")?.parse().ok()
    }

    fn is_silent(&self) -> bool {
        self.text.is_empty() && self.attributes.is_empty() && self.children.iter().all(Self::is_silent)
    }
}

/// Elements of one name as raw data, in the order the module tells.
fn repeated(mut elements: Vec<&Element>) -> Value {
    let numbered = elements.iter().all(|element| element.number().is_some());
    let wordless = elements.iter().all(|element| element.text.is_empty());
    if numbered {
        elements.sort_by_key(|element| element.number());
    }
    let mut values: Vec<Value> = elements.into_iter().map(Element::to_json).collect();
    if wordless && !numbered && values.len() > 1 {
        values.sort_by_cached_key(Value::to_string);
    }
    if values.len() > 1 { Value::Array(values) } else { values.pop().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::super::{
        tests::fixture,
        xml::{DEEPEST, parse},
    };

    fn json(text: &str) -> String {
        parse(text.as_bytes()).unwrap().to_json().to_string()
    }

    #[test]
    fn raw_data_has_the_form_of_xmltodict() {
        let raw = parse(&fixture("org.xml")).unwrap().to_json();
        insta::assert_snapshot!(serde_json::to_string_pretty(&raw).unwrap(), @r##"
        {
          "city": "Chantilly",
          "comment": {
            "line": [
              {
                "#text": "Réseaux d'exemple & fils",
                "@number": "0"
              },
              {
                "#text": "Peering and abuse: see our web page.",
                "@number": "1"
              }
            ]
          },
          "dbaName": "Example <Networks>",
          "handle": "EXAMPLE-1",
          "iso3166-1": {
            "code2": "US",
            "code3": "USA",
            "e164": "1",
            "name": "UNITED STATES"
          },
          "iso3166-2": "VA",
          "orgName": "Example Networks, Inc.",
          "orgUrl": "https://www.example.net/",
          "pocLinks": {
            "pocLinkRef": [
              {
                "@description": "Abuse",
                "@function": "AB",
                "@handle": "EXNOC-ARIN"
              },
              {
                "@description": "Admin",
                "@function": "AD",
                "@handle": "EXADM-ARIN"
              },
              {
                "@description": "Something new",
                "@function": "ZZ",
                "@handle": "exadm-arin"
              },
              {
                "@description": "Tech",
                "@function": "T",
                "@handle": "EXNOC-ARIN"
              }
            ]
          },
          "postalCode": "20151",
          "registrationDate": "Mon Nov 07 14:04:28 EST 2011",
          "streetAddress": {
            "line": [
              {
                "#text": "1 Example Way",
                "@number": "0"
              },
              {
                "@number": "1"
              },
              {
                "#text": "Suite 500",
                "@number": "2"
              }
            ]
          }
        }
        "##);
    }

    #[test]
    fn raw_data_is_the_same_in_any_order_and_under_any_prefix() {
        let one = r#"<org><handle>A</handle><pocLinks><pocLinkRef handle="X" function="T"/><pocLinkRef handle="Y"/></pocLinks></org>"#;
        let other = r#"<n:org xmlns:n="urn:x"><n:taxId/><n:pocLinks><n:pocLinkRef handle="Y"/>
            <n:pocLinkRef function="T" handle="X"/></n:pocLinks><!-- --><n:handle> A </n:handle></n:org>"#;
        assert_eq!(json(one), json(other));
    }

    #[test]
    fn mail_addresses_keep_their_order_in_raw_data() {
        insta::assert_snapshot!(json("<emails><email>b@example.net</email><email>a@example.net</email></emails>"), @r#"{"email":["b@example.net","a@example.net"]}"#);
    }

    #[test]
    fn wide_and_deep_raw_data_does_not_explode() {
        let deep = (1..DEEPEST).fold(String::new(), |inner, _| format!("<a>{inner}</a><a x=''/>"));
        assert!(json(&format!("<r>{deep}</r>")).len() < 2000);
    }
}
