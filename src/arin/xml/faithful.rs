//! Reads a body that is to be sent back with all that it has, besides what is changed on purpose.
//!
//! Unlike [`super::parse`] it keeps the spaces around a text, and the name spaces: an element in another one than the
//! element around it has an attribute `xmlns`, and one that is none of ARIN's therefore is told from one that is. Which
//! prefixes the body used is lost, and so are comments. A character that would not come back the same is a reason not to
//! read the body at all.

use std::collections::BTreeMap;

use quick_xml::{
    NsReader, XmlVersion,
    escape::unescape,
    events::{BytesStart, Event, attributes::Attribute},
    name::{Namespace, NamespaceResolver, QName, ResolveResult},
};

use super::{
    element::{Element, is_name},
    reader::{Malformed, Size, Tree, decoded, judged, unknown_entity, unknown_prefix},
    text::comes_back,
};

/// ARIN's name space. What is in none is taken for ARIN's.
pub(in crate::arin) const CORE: &str = "http://www.arin.net/regrws/core/v1";

/// Reads a body with all that it has.
pub(in crate::arin) fn parse_faithfully(body: &[u8]) -> Result<Element, Malformed> {
    let text = decoded(body);
    if !text.chars().all(comes_back) {
        return Err(Malformed::Character);
    }
    let mut reader = NsReader::from_str(&text);
    let mut tree = Tree::faithful();
    let mut around = vec![CORE.to_owned()];
    while let Some(event) = judged(reader.read_event())? {
        let mut name_space = None;
        if let Event::Start(start) | Event::Empty(start) = &event {
            let local_name = start.local_name();
            if !is_name(local_name.as_ref()) || local_name.as_ref().contains(':') {
                return Err(Malformed::Character);
            }
            name_space = Some(self::name_space(reader.resolver(), start.name())?);
        }
        let (opens, closes) = (matches!(event, Event::Start(_)), matches!(event, Event::End(_)));
        let other = name_space.as_ref().filter(|name| Some(*name) != around.last());
        tree.take_with(event, |start, size| attributes(start, reader.resolver(), other, size))?;
        if closes {
            around.pop();
        }
        around.extend(name_space.filter(|_| opens));
    }
    tree.whole()
}

fn name_space(resolver: &NamespaceResolver, name: QName<'_>) -> Result<String, Malformed> {
    match resolver.resolve_element(name).0 {
        ResolveResult::Bound(Namespace(name)) => unescaped(name),
        ResolveResult::Unbound => Ok(CORE.to_owned()),
        ResolveResult::Unknown(prefix) => Err(unknown_prefix(prefix)),
    }
}

fn unescaped(name_space: &str) -> Result<String, Malformed> {
    let name = unescape(name_space).map_err(|error| unknown_entity(error.into()))?;
    if name.chars().all(comes_back) { Ok(name.into_owned()) } else { Err(Malformed::Character) }
}

/// Returns the attributes, with the name space of the element if it is another one than around it. One with a prefix keeps
/// it, and what the prefix stands for.
fn attributes(
    start: &BytesStart<'_>,
    resolver: &NamespaceResolver,
    name_space: Option<&String>,
    size: &mut Size,
) -> Result<BTreeMap<String, String>, Malformed> {
    let mut attributes: BTreeMap<String, String> =
        name_space.map(|name| ("xmlns".to_owned(), name.clone())).into_iter().collect();
    for attribute in start.attributes() {
        let attribute = attribute?;
        size.add_attribute(&attribute)?;
        if attribute.key.as_namespace_binding().is_none() {
            attributes.extend(prefix(&attribute, resolver)?);
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(unknown_entity)?;
            if !is_name(attribute.key.as_ref()) || !value.chars().all(comes_back) {
                return Err(Malformed::Character);
            }
            attributes.insert(attribute.key.as_ref().to_owned(), value.into_owned());
        }
    }
    Ok(attributes)
}

/// Returns the declaration of the prefix that an attribute has, unless it is XML's own.
fn prefix(attribute: &Attribute<'_>, resolver: &NamespaceResolver) -> Result<Option<(String, String)>, Malformed> {
    let prefix = attribute.key.prefix().map(|prefix| prefix.as_ref().to_owned());
    match (prefix, resolver.resolve_attribute(attribute.key).0) {
        (Some(prefix), ResolveResult::Bound(Namespace(name))) if prefix != "xml" => {
            Ok(Some((format!("xmlns:{prefix}"), unescaped(name)?)))
        }
        (_, ResolveResult::Unknown(prefix)) | (Some(prefix), ResolveResult::Unbound) => Err(unknown_prefix(prefix)),
        (_, ResolveResult::Bound(_)) | (None, ResolveResult::Unbound) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::written, *};
    use crate::arin::fixtures::fixture;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let files =
            ["net.xml", "net_poor.xml", "net_v6.xml", "customer.xml", "org.xml", "org_prefixed.xml", "poc_role.xml"];
        for name in files {
            let read = parse_faithfully(&fixture(name)).unwrap();
            assert_eq!(parse_faithfully(written(&read).as_bytes()).unwrap(), read, "{name}");
        }
    }

    #[test]
    fn prefixes_are_undone_and_other_name_spaces_stay() {
        let body = "<n:net xmlns:n='http://www.arin.net/regrws/core/v1' xmlns:o='urn:o' xml:lang='en'><!-- -->\
             <n:comment><n:line number='0' o:kind='x'>  indented <![CDATA[<b>]]> </n:line></n:comment>\
             <o:handle o:of='1'>A<n:part/><o:part/></o:handle> <n:netName/></n:net>";
        let text = written(&parse_faithfully(body.as_bytes()).unwrap());
        insta::assert_snapshot!(text, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <net xmlns="http://www.arin.net/regrws/core/v1" xml:lang="en">
          <comment>
            <line number="0" o:kind="x" xmlns:o="urn:o">  indented &lt;b&gt; </line>
          </comment>
          <handle o:of="1" xmlns="urn:o" xmlns:o="urn:o">A
            <part xmlns="http://www.arin.net/regrws/core/v1"/>
            <part/>
          </handle>
          <netName/>
        </net>
        "#);
    }

    #[test]
    fn what_would_not_come_back_is_not_read() {
        for body in [&b"<a>caf\xe9</a>"[..], b"<a>\xef\xbf\xbf</a>", b"<a>&#1;</a>", b"<a b='&#1;'/>", b"<a>\x01</a>"] {
            assert!(matches!(parse_faithfully(body), Err(Malformed::Character)), "{}", body.escape_ascii());
        }
        assert!(parse_faithfully("<a>\u{92}é\u{1f310}</a>".as_bytes()).is_ok());
    }

    #[test]
    fn it_is_as_careful_as_the_other_reader() {
        let refused = |body: &[u8]| parse_faithfully(body).unwrap_err();
        assert!(matches!(refused(&fixture("attack_doctype.xml")), Malformed::Doctype));
        assert!(matches!(refused(&fixture("attack_entity.xml")), Malformed::Entity));
        assert!(matches!(refused(&fixture("attack_depth.xml")), Malformed::TooDeep));
        assert!(matches!(refused(b"<a><b></a>"), Malformed::Syntax(_)));
        assert!(matches!(refused(b"<a><b/>"), Malformed::CutOff));
        assert!(matches!(refused(b"<a/><b/>"), Malformed::NotXml));
        assert!(matches!(refused(b"<p:a/>"), Malformed::Prefix(prefix) if prefix == "p"));
        assert!(matches!(refused(b"<a p:b=''/>"), Malformed::Prefix(prefix) if prefix == "p"));
    }
}
