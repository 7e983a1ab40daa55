//! XML that was sent, as a tree of elements whose namespaces are resolved.

use std::collections::BTreeMap;

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
    name::ResolveResult,
};

/// The namespace of ARIN's documents.
pub(super) const CORE: &str = "http://www.arin.net/regrws/core/v1";

/// Elements that stand inside of one another, at most.
const DEEPEST: usize = 32;

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// Its namespace; empty without one.
    pub(super) namespace: String,
    pub(super) name: String,
    /// Without the declarations of namespaces.
    pub(super) attributes: BTreeMap<String, String>,
    /// The text directly inside, put together.
    pub(super) text: String,
    pub(super) children: Vec<Node>,
}

/// A document that cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The XML cannot be read: {0}")]
pub(super) struct Malformed(String);

impl From<quick_xml::Error> for Malformed {
    fn from(error: quick_xml::Error) -> Self {
        Self(error.to_string())
    }
}

impl Node {
    /// Reads a document.
    pub(super) fn read(document: &str) -> Result<Self, Malformed> {
        let malformed = |why: &str| Err(Malformed(why.to_owned()));
        let mut reader = NsReader::from_str(document);
        let mut open = vec![Self::default()];
        loop {
            let (namespace, event) = reader.read_resolved_event()?;
            match event {
                Event::Start(start) => open.push(Self::begun(&namespace, &start)?),
                Event::Empty(start) => inside(&mut open)?.children.push(Self::begun(&namespace, &start)?),
                Event::End(_) => {
                    let done = open.pop().unwrap_or_default();
                    inside(&mut open)?.children.push(done);
                }
                Event::Text(text) => inside(&mut open)?.text.push_str(&text),
                Event::CData(text) => inside(&mut open)?.text.push_str(&text),
                Event::GeneralRef(name) => inside(&mut open)?.text.push_str(&referred(&name)?),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::DocType(_) => return malformed("it has a document type"),
                Event::Eof => break,
            }
            if open.len() > DEEPEST {
                return malformed("its elements are too deep");
            }
        }
        match <[Self; 1]>::try_from(open) {
            Ok([mut outside]) if outside.text.trim().is_empty() && outside.children.len() == 1 => {
                Ok(outside.children.remove(0))
            }
            Ok(_) | Err(_) => malformed("it is not one whole element"),
        }
    }

    fn begun(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Self, Malformed> {
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => AsRef::<str>::as_ref(namespace).to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(prefix) => return Err(Malformed(format!("the prefix {prefix:?} is not declared"))),
        };
        let mut attributes = BTreeMap::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| Malformed(error.to_string()))?;
            let name: &str = attribute.key.as_ref();
            if name != "xmlns" && !name.starts_with("xmlns:") {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
                attributes.insert(name.to_owned(), value.into_owned());
            }
        }
        Ok(Self { namespace, name: start.local_name().as_ref().to_owned(), attributes, ..Self::default() })
    }

    /// Drops the elements of these names, however deep inside.
    pub(super) fn leave_out(&mut self, names: &[&str]) {
        self.children.retain(|child| !names.contains(&child.name.as_str()));
        self.children.iter_mut().for_each(|child| child.leave_out(names));
    }

    /// Returns the first element of ARIN's of this name inside.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.all(name).next()
    }

    /// Returns the elements of ARIN's of this name inside.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name && child.namespace == CORE)
    }

    /// Returns the text of the element of this name, if there is any.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Returns the numbered lines inside the element of this name, in the order of their numbers, without empty ones at
    /// the end.
    pub(super) fn lines_of(&self, name: &str) -> Vec<String> {
        let number = |line: &&Self| line.attributes.get("number").and_then(|number| number.trim().parse::<i64>().ok());
        let mut lines: Vec<&Self> = self.child(name).into_iter().flat_map(|child| child.all("line")).collect();
        lines.sort_by_key(number);
        let mut lines: Vec<String> = lines.into_iter().map(|line| line.text.trim().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}

/// The innermost element that has begun.
fn inside(open: &mut [Node]) -> Result<&mut Node, Malformed> {
    open.last_mut().ok_or_else(|| Malformed("it ends more elements than it begins".to_owned()))
}

/// The text that a reference stands for.
fn referred(name: &BytesRef<'_>) -> Result<String, Malformed> {
    if let Some(character) = name.resolve_char_ref()? {
        return Ok(character.to_string());
    }
    let unknown = || Malformed(format!("the entity {} is not known", &**name));
    resolve_predefined_entity(name).map(str::to_owned).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_resolved_and_texts_put_together() {
        let document = r#"<?xml version="1.0"?><a:net xmlns:a="http://www.arin.net/regrws/core/v1" xmlns="urn:other">
            <a:comment>
                <a:line number="2">B</a:line><a:line number="1">A &amp; <![CDATA[<x>]]>&#233;</a:line>
            </a:comment>
            <netName>not ARIN's</netName><a:netName/>
        </a:net>"#;
        let net = Node::read(document).unwrap();
        assert_eq!((net.name.as_str(), net.namespace.as_str()), ("net", CORE));
        assert_eq!(net.lines_of("comment"), ["A & <x>\u{e9}", "B"]);
        assert_eq!(net.text_of("netName"), None);
    }

    #[test]
    fn what_is_not_one_whole_element_is_refused() {
        let cases = ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a/>x", "<p:a/>", "<a>&no;</a>", "<!DOCTYPE a><a/>"];
        for document in
            cases.map(str::to_owned).into_iter().chain([format!("{}{}", "<a>".repeat(40), "</a>".repeat(40))])
        {
            assert!(Node::read(&document).is_err(), "{document}");
        }
    }
}
