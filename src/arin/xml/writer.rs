//! Writes a tree of elements as a body for Reg-RWS.
//!
//! The same tree makes the same bytes at any time. Each element stands on a line of its own, so that a person can read
//! what is sent. The root is in ARIN's name space unless it says otherwise.

use quick_xml::{escape::partial_escape, events::BytesStart};

use super::{element::Element, faithful::CORE};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const INDENT: &str = "  ";

/// Returns an element as a document.
pub(in crate::arin) fn written(root: &Element) -> String {
    let mut document = DECLARATION.to_owned();
    let mut start = BytesStart::new(root.name.as_str());
    if !root.attributes.contains_key("xmlns") {
        start.push_attribute(("xmlns", CORE));
    }
    write(root, start, 0, &mut document);
    document
}

fn write(element: &Element, mut start: BytesStart<'_>, depth: usize, to: &mut String) {
    start.extend_attributes(element.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    to.push_str(&INDENT.repeat(depth));
    if element.text.is_empty() && element.children.is_empty() {
        to.push_str(&format!("<{}/>\n", &*start));
        return;
    }
    to.push_str(&format!("<{}>{}", &*start, partial_escape(&element.text)));
    if !element.children.is_empty() {
        to.push('\n');
        for child in &element.children {
            write(child, BytesStart::new(child.name.as_str()), depth + 1, to);
        }
        to.push_str(&INDENT.repeat(depth));
    }
    to.push_str(&format!("</{}>\n", element.name));
}

#[cfg(test)]
mod tests {
    use super::{
        super::{parse, parse_faithfully},
        *,
    };

    #[test]
    fn text_and_attributes_are_escaped() {
        let mut element = Element::leaf("a", "x < \"y\" & 'z' > é\r");
        element.attributes.insert("b".to_owned(), "<\"&'\n".to_owned());
        let text = written(&element);
        insta::assert_snapshot!(text, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <a xmlns="http://www.arin.net/regrws/core/v1" b="&lt;&quot;&amp;&apos;&#10;">x &lt; "y" &amp; 'z' &gt; é&#13;</a>
        "#);
        assert_eq!(parse_faithfully(text.as_bytes()).unwrap(), element);
    }

    #[test]
    fn an_element_with_nothing_in_it_stays() {
        let element = Element::of("a", [Element::leaf("b", ""), Element::of("c", [Element::leaf("d", "1")])]);
        let text = written(&element);
        insta::assert_snapshot!(text, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <a xmlns="http://www.arin.net/regrws/core/v1">
          <b/>
          <c>
            <d>1</d>
          </c>
        </a>
        "#);
        assert_eq!(parse(text.as_bytes()).unwrap(), element);
    }
}
