//! Reads a body into a plain tree of elements, whatever prefixes and order it comes in.
//!
//! [`parse`] keeps local names only, so that `<ns2:org>` and `<org>` are one, and drops name space declarations,
//! comments and processing instructions. It refuses what a payload never has and an attack would: document types,
//! entities other than XML's own five and characters by number, and a tree beyond the caps below, which takes many times
//! the memory of its text. It never panics.

use std::{borrow::Cow, collections::BTreeMap};

use quick_xml::{
    Reader, XmlVersion,
    encoding::decode,
    escape::{EscapeError, resolve_predefined_entity},
    events::{BytesDecl, BytesRef, BytesStart, Event, attributes::Attribute},
};

use super::{element::Element, text::comes_back};

/// The deepest nesting of elements that is read. Reg-RWS needs six levels.
pub(super) const MAX_DEPTH: usize = 64;
/// The most elements of a document that are read. An organization with a hundred contacts needs three hundred.
const MAX_ELEMENTS: usize = 10_000;
/// The most attributes of a document that are read, name space declarations included.
const MAX_ATTRIBUTES: usize = 10_000;
/// The most text of a document that is read, in bytes: names and values of elements and attributes together. A
/// registration needs a few thousand.
const MAX_TEXT: usize = 1024 * 1024;

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
    /// It uses a prefix for which it declares no name space.
    #[error("the XML uses the prefix `{0}`, for which it declares no name space")]
    Prefix(String),
    /// Its elements are nested too deep.
    #[error("the XML is nested deeper than {MAX_DEPTH} elements, which is refused")]
    TooDeep,
    /// It has too many elements.
    #[error("the XML has more than {MAX_ELEMENTS} elements, which is refused")]
    TooManyElements,
    /// It has too many attributes.
    #[error("the XML has more than {MAX_ATTRIBUTES} attributes, which is refused")]
    TooManyAttributes,
    /// It is to be sent back, and has a character that would not come back the same.
    #[error("the XML has bytes that are no text in its encoding, or a character that XML does not have there")]
    Character,
    /// It has too much text.
    #[error("the XML has more than {MAX_TEXT} bytes of text, which is refused")]
    TooMuchText,
}

impl Malformed {
    /// Returns the words of the body that the error repeats: names of elements that do not match, an unknown prefix.
    pub(in crate::arin) fn foreign_words(&mut self) -> Vec<&mut String> {
        use quick_xml::errors::{Error, IllFormedError as IllFormed};
        if let Self::Prefix(prefix) = self {
            return vec![prefix];
        }
        let Self::Syntax(Error::IllFormed(error)) = self else { return Vec::new() };
        if let IllFormed::MismatchedEndTag { expected, found } = error {
            vec![expected, found]
        } else if let IllFormed::UnmatchedEndTag(name) | IllFormed::MissingEndTag(name) = error {
            vec![name]
        } else {
            Vec::new()
        }
    }
}

/// Reads a body.
pub(in crate::arin) fn parse(body: &[u8]) -> Result<Element, Malformed> {
    let text = decoded(body);
    let mut reader = Reader::from_str(&text);
    let mut tree = Tree::default();
    while let Some(event) = judged(reader.read_event())? {
        tree.take(event)?;
    }
    tree.whole()
}

/// Returns the body as text, in the encoding it declares, else in UTF-8. A byte that is wrong in it must not cost the
/// object: it becomes U+FFFD.
pub(in crate::arin) fn decoded(body: &[u8]) -> Cow<'_, str> {
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

/// Sorts what was read: an event, the end of the text, or which mistake.
pub(super) fn judged(read: Result<Event<'_>, quick_xml::Error>) -> Result<Option<Event<'_>>, Malformed> {
    use quick_xml::errors::{Error, IllFormedError, SyntaxError};
    match read {
        Ok(Event::Eof) => Ok(None),
        Ok(event) => Ok(Some(event)),
        Err(error @ Error::Syntax(SyntaxError::InvalidBangMarkup)) => Err(error.into()),
        Err(Error::Syntax(_) | Error::IllFormed(IllFormedError::UnclosedReference)) => Err(Malformed::CutOff),
        Err(error) => {
            let mut malformed = Malformed::from(error);
            malformed.foreign_words().into_iter().for_each(cut_name);
            Err(malformed)
        }
    }
}

/// Returns the error about a prefix that no name space was declared for.
pub(super) fn unknown_prefix(mut prefix: String) -> Malformed {
    cut_name(&mut prefix);
    Malformed::Prefix(prefix)
}

/// Cuts a name off where no name goes on. With a quote or bracket missing in a tag what follows is the text behind it, which
/// may be about somebody.
fn cut_name(name: &mut String) {
    let end = name.find(|character: char| character.is_whitespace() || matches!(character, '<' | '>' | '"' | '\''));
    name.truncate(end.unwrap_or(name.len()));
}

/// The tree as far as it is read.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) root: Option<Element>,
    /// The elements not closed yet, outermost first.
    open: Vec<Element>,
    size: Size,
    /// True if spaces and unusual characters stay.
    is_faithful: bool,
}

/// What a tree has of everything that is capped besides its depth.
#[derive(Default)]
pub(super) struct Size {
    elements: usize,
    attributes: usize,
    text: usize,
}

impl Size {
    fn add_element(&mut self, name: &str) -> Result<(), Malformed> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS { Err(Malformed::TooManyElements) } else { self.add_text(name) }
    }

    pub(super) fn add_attribute(&mut self, attribute: &Attribute<'_>) -> Result<(), Malformed> {
        self.attributes += 1;
        if self.attributes > MAX_ATTRIBUTES {
            return Err(Malformed::TooManyAttributes);
        }
        self.add_text(attribute.key.as_ref())?;
        self.add_text(&attribute.value)
    }

    fn add_text(&mut self, text: &str) -> Result<(), Malformed> {
        self.text = self.text.saturating_add(text.len());
        if self.text > MAX_TEXT { Err(Malformed::TooMuchText) } else { Ok(()) }
    }
}

impl Tree {
    /// Returns a tree that keeps the text of its elements as it is.
    pub(super) fn faithful() -> Self {
        Self { is_faithful: true, ..Self::default() }
    }

    /// Returns the whole tree.
    pub(super) fn whole(self) -> Result<Element, Malformed> {
        self.root.filter(|_| self.open.is_empty()).ok_or(Malformed::CutOff)
    }

    pub(super) fn take(&mut self, event: Event<'_>) -> Result<(), Malformed> {
        self.take_with(event, attributes)
    }

    /// Takes an event; `attributes` reads those of an element that it opens.
    pub(super) fn take_with<Read>(&mut self, event: Event<'_>, attributes: Read) -> Result<(), Malformed>
    where
        Read: FnOnce(&BytesStart<'_>, &mut Size) -> Result<BTreeMap<String, String>, Malformed>,
    {
        match event {
            Event::Start(start) => self.open(&start, attributes),
            Event::Empty(start) => self.open(&start, attributes).and_then(|()| self.close()),
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.text(&resolved(&reference)?),
            Event::DocType(_) => Err(Malformed::Doctype),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn open<Read>(&mut self, start: &BytesStart<'_>, attributes: Read) -> Result<(), Malformed>
    where
        Read: FnOnce(&BytesStart<'_>, &mut Size) -> Result<BTreeMap<String, String>, Malformed>,
    {
        if self.open.len() >= MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        if self.root.is_some() {
            return Err(Malformed::NotXml);
        }
        let name = start.local_name().as_ref().to_owned();
        self.size.add_element(&name)?;
        self.open.push(Element { name, attributes: attributes(start, &mut self.size)?, ..Element::default() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Malformed> {
        let mut element = self.open.pop().ok_or(Malformed::NotXml)?;
        if !self.is_faithful || !element.children.is_empty() || element.text.trim().is_empty() {
            element.text = element.text.trim().to_owned();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        self.size.add_text(text)?;
        if self.is_faithful && !text.chars().all(comes_back) {
            return Err(Malformed::Character);
        }
        match self.open.last_mut() {
            Some(element) if self.is_faithful => element.text.push_str(text),
            Some(element) => element.text.extend(text.chars().filter(printable)),
            None if text.trim().is_empty() => {}
            None => return Err(Malformed::NotXml),
        }
        Ok(())
    }
}

/// Returns the attributes by local name, without name space declarations and `xsi:` hints.
fn attributes(start: &BytesStart<'_>, size: &mut Size) -> Result<BTreeMap<String, String>, Malformed> {
    let mut attributes = BTreeMap::new();
    for attribute in start.attributes() {
        let attribute = attribute?;
        size.add_attribute(&attribute)?;
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

pub(super) fn unknown_entity(error: quick_xml::Error) -> Malformed {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arin::fixtures::fixture;

    fn json(text: &str) -> String {
        parse(text.as_bytes()).unwrap().to_json().to_string()
    }

    fn refused(body: &[u8]) -> Malformed {
        parse(body).unwrap_err()
    }

    #[test]
    fn the_five_entities_and_numbers_are_resolved() {
        insta::assert_snapshot!(json(r#"<a b="&lt;&quot;&#x41;">&amp;&gt;&apos;&#66;&#xE9;</a>"#), @r##"{"#text":"&>'Bé","@b":"<\"A"}"##);
    }

    #[test]
    fn a_broken_tag_does_not_carry_the_text_behind_it_into_the_error() {
        for body in [
            "<a></b\"c><lastName>Jane Doe</lastName></a>\"></a>",
            "<a></b'><lastName>Jane Doe</lastName>'></a>",
            "</b\"><lastName>Jane Doe\">",
            "<a></b <lastName>Jane Doe</lastName></a>",
        ] {
            let told = crate::error_chain::error_chain(&refused(body.as_bytes()));
            assert!(told.contains("</b>") && !told.contains("Jane"), "{body}: {told}");
        }
    }

    #[test]
    fn a_document_type_is_refused() {
        assert!(matches!(refused(&fixture("attack_doctype.xml")), Malformed::Doctype));
    }

    #[test]
    fn any_other_entity_is_refused() {
        assert!(matches!(refused(&fixture("attack_entity.xml")), Malformed::Entity));
        assert!(matches!(refused(br#"<a b="&file;"/>"#), Malformed::Entity));
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(matches!(refused(&fixture("attack_depth.xml")), Malformed::TooDeep));
    }

    #[test]
    fn each_cap_is_named_when_it_is_passed_and_not_before() {
        let elements = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count));
        let attributes = |count: usize| format!("<a>{}</a>", r#"<b c="" d=""/>"#.repeat(count / 2));
        let text = |length: usize| format!("<a>{}</a>", "x".repeat(length));
        for (body, cap) in [
            (elements(10_000), "the XML has more than 10000 elements, which is refused"),
            (format!("<a {}/>", many_attributes(10_001)), "the XML has more than 10000 attributes, which is refused"),
            (attributes(10_002), "the XML has more than 10000 attributes, which is refused"),
            (text(1024 * 1024), "the XML has more than 1048576 bytes of text, which is refused"),
            (format!("<{}/>", "x".repeat(2_000_000)), "the XML has more than 1048576 bytes of text, which is refused"),
            (
                format!("<a b='{}'/>", "x".repeat(2_000_000)),
                "the XML has more than 1048576 bytes of text, which is refused",
            ),
            ("<a>".repeat(65), "the XML is nested deeper than 64 elements, which is refused"),
        ] {
            assert_eq!(refused(body.as_bytes()).to_string(), cap);
        }
        for body in [elements(9_999), attributes(9_998), text(1024 * 1024 - 1)] {
            assert!(parse(body.as_bytes()).is_ok());
        }
    }

    fn many_attributes(count: usize) -> String {
        (0..count).map(|number| format!("a{number}='' ")).collect()
    }

    #[test]
    fn every_shortened_payload_is_cut_off() {
        let whole = fixture("poc_role.xml");
        let end = whole.trim_ascii_end().len();
        let cut = |end: usize| parse(&whole[..end]);
        for end in 0..end {
            assert!(matches!(cut(end), Err(Malformed::CutOff)), "cut at {end}: {:?}", cut(end));
        }
    }

    #[test]
    fn text_around_the_payload_is_refused() {
        for body in ["Service unavailable", "oops <org/>", "<org/> oops", "<org/><org/>", "</org>"] {
            assert!(!matches!(refused(body.as_bytes()), Malformed::CutOff), "{body}");
        }
    }

    #[test]
    fn a_declared_encoding_is_read() {
        assert_eq!(json("<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>é</a>"), r#""é""#);
        let latin = parse(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>").unwrap();
        assert_eq!(latin.text(), Some("é"));
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(parse(b"\xef\xbb\xbf<a/>").unwrap().name, "a");
    }

    #[test]
    fn a_wrong_byte_does_not_cost_the_object() {
        assert_eq!(parse(b"<a>caf\xe9</a>").unwrap().text(), Some("caf\u{fffd}"));
    }

    #[test]
    fn control_characters_are_left_out() {
        assert_eq!(parse(b"<a>x\x00&#1;y</a>").unwrap().text(), Some("xy"));
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
        let deep = (1..MAX_DEPTH).fold(String::new(), |inner, _| format!("<a>{inner}</a><a x=''/>"));
        assert!(json(&format!("<r>{deep}</r>")).len() < 2000);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = parse(&body);
        }

        #[test]
        fn no_markup_makes_it_panic(body in r#"(<[/?!]?|>|/>|]]>|--|&|;|#|x|"|'|=| |net|handle|:|CDATA\[|\[|DOCTYPE|xmlns|\PC){0,60}"#) {
            let _ = parse(body.as_bytes()).map(|root| root.to_json());
        }
    }
}
