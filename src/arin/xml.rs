//! Reads a body into a plain tree of elements, whatever prefixes and order it comes in.
//!
//! [`parse`] keeps local names only, so that `<ns2:org>` and `<org>` are one, and drops name space declarations, comments
//! and processing instructions. It refuses what a payload never has and an attack would: document types, entities other
//! than XML's own five and characters by number, and elements nested deeper than [`DEEPEST`]. It never panics.
//!
//! [`Element::to_json`] is the form in which payloads are kept as raw data. It is the one Python's `xmltodict` made common:
//! an element is an object of its children, a repeated one an array, one with text alone a string; attributes stand under
//! `@name`, text beside attributes or children under `#text`. Equal content gives equal JSON, as far as the order of a
//! payload means nothing: members are sorted by name, repeated elements by their `@number` where they have one, and by
//! their content where they hold no text of their own. Elements that say nothing at all are left out, since ARIN writes
//! what is missing either way.

use std::{borrow::Cow, collections::BTreeMap};

use quick_xml::{
    Reader, XmlVersion,
    encoding::decode,
    escape::{EscapeError, resolve_predefined_entity},
    events::{BytesDecl, BytesRef, BytesStart, Event},
};
use serde_json::{Map, Value};

/// How deep elements may be nested. Reg-RWS needs six levels.
pub(super) const DEEPEST: usize = 64;

/// A body that is not read.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It ends before its first element does.
    #[error("the XML ends too early")]
    CutOff,
    /// It does not begin with an element, or goes on after it.
    #[error("there is text outside of the XML element")]
    NotXml,
    /// It breaks the rules of XML.
    #[error("the XML is not well-formed")]
    Syntax(#[from] quick_xml::Error),
    /// An attribute breaks the rules of XML.
    #[error("an XML attribute is not well-formed")]
    Attribute(#[from] quick_xml::events::attributes::AttrError),
    /// It declares a document type, which could define entities.
    #[error("the XML declares a document type, which is refused")]
    Doctype,
    /// It uses an entity that only a document type could define.
    #[error("the XML refers to an entity that XML does not define, which is refused")]
    Entity,
    /// Its elements are nested too deep.
    #[error("the XML is nested deeper than {DEEPEST} elements")]
    TooDeep,
}

/// An element by its local name, with its text trimmed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: BTreeMap<String, String>,
    text: String,
    children: Vec<Element>,
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
            let mut values: Vec<Value> = children.into_iter().map(Self::to_json).collect();
            let value = if values.len() == 1 { values.pop().unwrap_or_default() } else { Value::Array(values) };
            members.insert(name.to_owned(), value);
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

    /// The children that say anything, by name, repeated ones in the order that [`Element::to_json`] gives them.
    fn by_name(&self) -> BTreeMap<&str, Vec<&Self>> {
        let mut by_name: BTreeMap<&str, Vec<&Self>> = BTreeMap::new();
        for child in self.children.iter().filter(|child| !child.is_silent()) {
            by_name.entry(&child.name).or_default().push(child);
        }
        for repeated in by_name.values_mut().filter(|repeated| repeated.len() > 1) {
            if repeated.iter().all(|child| child.number().is_some()) {
                repeated.sort_by_key(|child| child.number());
            } else if repeated.iter().all(|child| child.text.is_empty()) {
                repeated.sort_by_cached_key(|child| child.to_json().to_string());
            }
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

/// Reads a body.
pub(super) fn parse(body: &[u8]) -> Result<Element, Malformed> {
    let text = decoded(body);
    let mut reader = Reader::from_str(&text);
    let mut tree = Tree::default();
    while let Some(event) = next(&mut reader)? {
        tree.take(event)?;
    }
    tree.root.filter(|_| tree.open.is_empty()).ok_or(Malformed::CutOff)
}

/// The body as text, in the encoding it declares, else in UTF-8. A byte that is wrong in it must not cost the object: it
/// becomes U+FFFD.
pub(super) fn decoded(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let lossy = String::from_utf8_lossy(body);
    let declared = match Reader::from_str(&lossy).read_event() {
        Ok(Event::Decl(declaration)) => BytesDecl::encoder(&declaration),
        Ok(_) | Err(_) => None,
    };
    match declared.and_then(|encoding| decode(body, encoding).ok()) {
        Some(text) => text,
        None => lossy,
    }
}

fn next<'a>(reader: &mut Reader<&'a [u8]>) -> Result<Option<Event<'a>>, Malformed> {
    use quick_xml::errors::{Error, IllFormedError, SyntaxError};
    match reader.read_event() {
        Ok(Event::Eof) => Ok(None),
        Ok(event) => Ok(Some(event)),
        Err(error @ Error::Syntax(SyntaxError::InvalidBangMarkup)) => Err(error.into()),
        Err(Error::Syntax(_) | Error::IllFormed(IllFormedError::UnclosedReference)) => Err(Malformed::CutOff),
        Err(error) => Err(error.into()),
    }
}

/// The tree as far as it is read.
#[derive(Default)]
struct Tree {
    root: Option<Element>,
    /// The elements not closed yet, outermost first.
    open: Vec<Element>,
}

impl Tree {
    fn take(&mut self, event: Event<'_>) -> Result<(), Malformed> {
        match event {
            Event::Start(start) => self.open(&start),
            Event::Empty(start) => self.open(&start).and_then(|()| self.close()),
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.text(&resolved(&reference)?),
            Event::DocType(_) => Err(Malformed::Doctype),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Malformed> {
        if self.open.len() >= DEEPEST {
            return Err(Malformed::TooDeep);
        }
        if self.root.is_some() {
            return Err(Malformed::NotXml);
        }
        let name = start.local_name().as_ref().to_owned();
        self.open.push(Element { name, attributes: attributes(start)?, ..Element::default() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Malformed> {
        let mut element = self.open.pop().ok_or(Malformed::NotXml)?;
        element.text = element.text.trim().to_owned();
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(element) => element.text.extend(text.chars().filter(printable)),
            None if text.trim().is_empty() => {}
            None => return Err(Malformed::NotXml),
        }
        Ok(())
    }
}

/// The attributes by local name, without name space declarations and `xsi:` hints.
fn attributes(start: &BytesStart<'_>) -> Result<BTreeMap<String, String>, Malformed> {
    let mut attributes = BTreeMap::new();
    for attribute in start.attributes() {
        let attribute = attribute?;
        let (name, prefix) = attribute.key.decompose();
        let prefix = prefix.as_ref().map(AsRef::as_ref);
        if attribute.key.as_namespace_binding().is_some() || matches!(prefix, Some("xmlns" | "xsi" | "xml")) {
            continue;
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(unknown_entity)?;
        attributes.insert(name.as_ref().to_owned(), value.chars().filter(printable).collect());
    }
    Ok(attributes)
}

fn unknown_entity(error: quick_xml::Error) -> Malformed {
    let entity = matches!(error, quick_xml::Error::Escape(EscapeError::UnrecognizedEntity(..)));
    if entity { Malformed::Entity } else { error.into() }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, Malformed> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character.to_string());
    }
    resolve_predefined_entity(reference).map(str::to_owned).ok_or(Malformed::Entity)
}

/// Control characters mean nothing in a registration, and PostgreSQL refuses some of them.
fn printable(character: &char) -> bool {
    !character.is_control() || character.is_whitespace()
}
