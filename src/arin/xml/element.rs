//! An XML element without its prefixes, and the form in which payloads are kept as raw data.
//!
//! That form is the one Python's `xmltodict` made common: an element is an object of its children, a repeated one an
//! array, one with text alone a string; attributes stand under `@name`, text beside them or children under `#text`.
//!
//! Equal content makes equal JSON, as far as the order of a payload means nothing, so that a digest of it is stable:
//! members are sorted by name, repeated elements by their `@number` where they have one, by content where they have no
//! text of their own. Elements that say nothing at all are left out, since ARIN writes what is missing either way.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::text::comes_back;

/// An element by its local name, with its text trimmed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::arin) struct Element {
    pub(in crate::arin) name: String,
    pub(in crate::arin) attributes: BTreeMap<String, String>,
    pub(in crate::arin) text: String,
    pub(in crate::arin) children: Vec<Element>,
}

impl Element {
    /// Makes an element that has other elements.
    pub(in crate::arin) fn of(name: &str, children: impl IntoIterator<Item = Self>) -> Self {
        Self { name: name.to_owned(), children: children.into_iter().collect(), ..Self::default() }
    }

    /// Makes an element that has text.
    pub(in crate::arin) fn leaf(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), ..Self::default() }
    }

    /// Makes a list of lines, which are numbered from 0.
    pub(in crate::arin) fn lines<'a>(name: &str, lines: impl IntoIterator<Item = &'a str>) -> Self {
        let numbered = lines.into_iter().enumerate().map(|(number, line)| Self {
            attributes: BTreeMap::from([("number".to_owned(), number.to_string())]),
            ..Self::leaf("line", line)
        });
        Self::of(name, numbered)
    }

    /// Reads raw data, in the form that the module describes; `None` if it has what XML does not allow, as somebody may
    /// have edited it. The elements come in the order of their names.
    pub(in crate::arin) fn from_json(name: &str, json: &Value) -> Option<Self> {
        let mut element = Self::leaf(name, "");
        match json {
            Value::Object(members) => members.iter().try_for_each(|(name, value)| element.add_member(name, value))?,
            Value::String(text) => text.clone_into(&mut element.text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
        }
        (is_name(name) && element.text.chars().all(comes_back)).then_some(element)
    }

    fn add_member(&mut self, name: &str, value: &Value) -> Option<()> {
        match (name.strip_prefix('@'), value) {
            (Some(attribute), Value::String(value)) if is_name(attribute) && value.chars().all(comes_back) => {
                self.attributes.insert(attribute.to_owned(), value.clone());
            }
            (None, Value::String(text)) if name == "#text" => text.clone_into(&mut self.text),
            (None, Value::Array(values)) => {
                for value in values {
                    self.children.push(Self::from_json(name, value)?);
                }
            }
            (None, value) => self.children.push(Self::from_json(name, value)?),
            (Some(_), _) => return None,
        }
        Some(())
    }

    /// Returns it without the spaces around its texts.
    pub(in crate::arin) fn trimmed(&self) -> Self {
        let Self { name, attributes, text, children } = self;
        let children = children.iter().map(Self::trimmed).collect();
        Self { name: name.clone(), attributes: attributes.clone(), text: text.trim().to_owned(), children }
    }

    /// Returns all children of this name, in order.
    pub(in crate::arin) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the items of a list such as `<emails><email/></emails>`.
    pub(in crate::arin) fn items<'a>(&'a self, list: &'a str, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children(list).flat_map(move |list| list.children(name))
    }

    /// Returns the element's own text, unless it has none.
    pub(in crate::arin) fn text(&self) -> Option<&str> {
        Some(self.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Returns the text of the first child of this name that has any.
    pub(in crate::arin) fn text_of(&self, name: &str) -> Option<&str> {
        self.children.iter().filter(|child| child.name == name).find_map(Self::text)
    }

    /// Returns an attribute, unless it is empty.
    pub(in crate::arin) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns the element as raw data, in the form that the module describes.
    pub(in crate::arin) fn to_json(&self) -> Value {
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

    /// Returns the children that say anything, by name.
    fn by_name(&self) -> BTreeMap<&str, Vec<&Self>> {
        let mut by_name: BTreeMap<&str, Vec<&Self>> = BTreeMap::new();
        for child in self.children.iter().filter(|child| !child.is_silent()) {
            by_name.entry(&child.name).or_default().push(child);
        }
        by_name
    }

    /// Returns the place of a line among its siblings.
    pub(in crate::arin) fn number(&self) -> Option<u64> {
        self.attribute("number")?.parse().ok()
    }

    /// Returns whether it has neither text nor attributes, nor has anything in it.
    pub(in crate::arin) fn is_silent(&self) -> bool {
        self.text.is_empty() && self.attributes.is_empty() && self.children.iter().all(Self::is_silent)
    }
}

/// Returns whether XML takes this for a name.
pub(super) fn is_name(text: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | ':');
    text.starts_with(|first: char| first.is_alphabetic() || first == '_') && text.chars().all(inside)
}

/// Returns elements of one name as raw data, in the order that the module describes.
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
