//! A tree of XML elements and its printing in any of the forms of [`Forms`].
//!
//! Text is escaped here and nowhere else; names are taken as they are.

use super::forms::{Absent, Forms, Namespace};

const CORE: &str = "http://www.arin.net/regrws/core/v1";
const MESSAGES: &str = "http://www.arin.net/regrws/messages/v1";
const SHARED_TICKET: &str = "http://www.arin.net/regrws/shared-ticket/v1";

/// An element.
#[derive(Debug, Clone)]
pub(super) struct Element {
    namespace: Namespaced,
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Content,
}

/// The namespace of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespaced {
    Core,
    /// That of what only messages have.
    Messages,
}

#[derive(Debug, Clone)]
enum Content {
    Children(Vec<Element>),
    Text(String),
    /// All there is to say is in the attributes.
    Leaf,
    /// Nothing is known: the element is missing or empty, as the form has it.
    Nothing,
}

impl Element {
    /// An element with these children.
    pub(super) fn new(name: &'static str, children: Vec<Self>) -> Self {
        Self { namespace: Namespaced::Core, name, attributes: Vec::new(), content: Content::Children(children) }
    }

    /// An element without content.
    pub(super) fn leaf(name: &'static str) -> Self {
        Self { namespace: Namespaced::Core, name, attributes: Vec::new(), content: Content::Leaf }
    }

    /// An element with this text.
    pub(super) fn text(name: &'static str, text: impl ToString) -> Self {
        Self { namespace: Namespaced::Core, name, attributes: Vec::new(), content: Content::Text(text.to_string()) }
    }

    /// An element with this text, or one that is not there.
    pub(super) fn maybe(name: &'static str, text: Option<impl ToString>) -> Self {
        let content = text.map_or(Content::Nothing, |text| Content::Text(text.to_string()));
        Self { namespace: Namespaced::Core, name, attributes: Vec::new(), content }
    }

    /// An element with these children, or one that is not there when there are none.
    pub(super) fn list(name: &'static str, children: Vec<Self>) -> Self {
        let content = if children.is_empty() { Content::Nothing } else { Content::Children(children) };
        Self { namespace: Namespaced::Core, name, attributes: Vec::new(), content }
    }

    /// The element in another namespace.
    pub(super) fn of(self, namespace: Namespaced) -> Self {
        Self { namespace, ..self }
    }

    /// Whether it or one inside of it is in this namespace.
    fn uses(&self, namespace: Namespaced) -> bool {
        let inside = match &self.content {
            Content::Children(children) => children.iter().any(|child| child.uses(namespace)),
            Content::Text(_) | Content::Leaf | Content::Nothing => false,
        };
        inside || self.namespace == namespace
    }

    /// The element with one more attribute.
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// The document with this root.
    pub(super) fn document(mut self, forms: &Forms) -> String {
        let namespaces = match forms.namespace {
            Namespace::Default if self.uses(Namespaced::Messages) => vec![("xmlns", CORE), ("xmlns:ns2", MESSAGES)],
            Namespace::Default => vec![("xmlns", CORE)],
            Namespace::WithOthers => vec![("xmlns", CORE), ("xmlns:ns2", SHARED_TICKET), ("xmlns:ns3", MESSAGES)],
            Namespace::Prefixed => vec![("xmlns:ns4", CORE), ("xmlns:ns2", MESSAGES)],
        };
        self.attributes.extend(namespaces.into_iter().map(|(name, value)| (name, value.to_owned())));
        if let (Content::Children(children), true) = (&mut self.content, forms.reversed) {
            children.reverse();
        }
        let mut printer = Printer { forms, out: String::with_capacity(2048), depth: 0 };
        printer.out.push_str(r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#);
        printer.element(&self);
        printer.out
    }
}

struct Printer<'a> {
    forms: &'a Forms,
    out: String,
    depth: usize,
}

impl Printer<'_> {
    fn element(&mut self, element: &Element) {
        match &element.content {
            Content::Children(children) => {
                self.open(element, ">");
                self.depth += 1;
                children.iter().for_each(|child| self.element(child));
                self.depth -= 1;
                self.line_break();
                self.close(element);
            }
            Content::Text(text) => {
                self.open(element, ">");
                self.escaped(text);
                self.close(element);
            }
            Content::Leaf => self.open(element, "/>"),
            Content::Nothing => self.nothing(element),
        }
    }

    fn nothing(&mut self, element: &Element) {
        match self.forms.absent {
            Absent::Missing => {}
            Absent::SelfClosed => self.open(element, "/>"),
            Absent::Empty => {
                self.open(element, ">");
                self.close(element);
            }
        }
    }

    fn open(&mut self, element: &Element, end: &str) {
        self.line_break();
        self.out.push('<');
        self.name(element);
        for (name, value) in &element.attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escaped(value);
            self.out.push('"');
        }
        self.out.push_str(end);
    }

    fn close(&mut self, element: &Element) {
        self.out.push_str("</");
        self.name(element);
        self.out.push('>');
    }

    fn name(&mut self, element: &Element) {
        self.out.push_str(match (element.namespace, self.forms.namespace) {
            (Namespaced::Core, Namespace::Default | Namespace::WithOthers) => "",
            (Namespaced::Core, Namespace::Prefixed) => "ns4:",
            (Namespaced::Messages, Namespace::Default | Namespace::Prefixed) => "ns2:",
            (Namespaced::Messages, Namespace::WithOthers) => "ns3:",
        });
        self.out.push_str(element.name);
    }

    fn line_break(&mut self) {
        if self.forms.indented {
            self.out.push('\n');
            (0..self.depth).for_each(|_| self.out.push_str("    "));
        }
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                c if self.forms.references && !c.is_ascii() => {
                    self.out.push_str(&format!("&#{};", u32::from(c)));
                }
                c => self.out.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Element {
        Element::new(
            "org",
            vec![
                Element::text("orgName", "Caf\u{e9} \"A\" & <B>"),
                Element::maybe("dbaName", None::<&str>),
                Element::list("pocLinks", vec![Element::leaf("pocLinkRef").with("function", "AD")]),
            ],
        )
    }

    #[test]
    fn the_plain_form_is_one_line_in_the_default_namespace() {
        let expected = concat!(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
            r#"<org xmlns="http://www.arin.net/regrws/core/v1"><orgName>Café &quot;A&quot; &amp; &lt;B&gt;</orgName>"#,
            r#"<pocLinks><pocLinkRef function="AD"/></pocLinks></org>"#,
        );
        assert_eq!(sample().document(&Forms::PLAIN), expected);
    }

    #[test]
    fn odd_forms_say_the_same_in_another_way() {
        let forms = Forms {
            namespace: Namespace::Prefixed,
            absent: Absent::SelfClosed,
            indented: true,
            references: true,
            reversed: true,
            ..Forms::PLAIN
        };
        insta::assert_snapshot!(sample().document(&forms), @r#"
        <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
        <ns4:org xmlns:ns4="http://www.arin.net/regrws/core/v1" xmlns:ns2="http://www.arin.net/regrws/messages/v1">
            <ns4:pocLinks>
                <ns4:pocLinkRef function="AD"/>
            </ns4:pocLinks>
            <ns4:dbaName/>
            <ns4:orgName>Caf&#233; &quot;A&quot; &amp; &lt;B&gt;</ns4:orgName>
        </ns4:org>
        "#);
    }
}
