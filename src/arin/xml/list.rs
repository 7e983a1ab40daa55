//! A long list, of which one element at a time is in memory.
//!
//! The caps of a tree hold for each element below the root. Elements in name spaces other than those that are read are
//! passed over, as ARIN may add such at any time; one in no name space is taken for ARIN's.

use quick_xml::{
    NsReader,
    events::Event,
    name::{Namespace, QName, ResolveResult},
};

use super::{
    element::Element,
    reader::{MAX_DEPTH, Malformed, Tree, judged, unknown_prefix},
};

/// A document that is read from its root on.
pub(in crate::arin) struct ElementList<'a> {
    /// The local name of the root.
    pub(in crate::arin) root: String,
    /// The name space of the root; empty for none.
    pub(in crate::arin) name_space: String,
    /// The name spaces whose elements are read.
    read: &'static [&'static str],
    reader: NsReader<&'a [u8]>,
    /// The event that begins the root, until it is read.
    begin: Option<Event<'a>>,
    /// True between the beginning and the end of the root.
    is_open: bool,
}

impl<'a> ElementList<'a> {
    /// Reads as far as the root.
    pub(in crate::arin) fn open(text: &'a str, read: &'static [&'static str]) -> Result<Self, Malformed> {
        let mut reader = NsReader::from_str(text);
        loop {
            let event = judged(reader.read_event())?.ok_or(Malformed::CutOff)?;
            let (Event::Start(start) | Event::Empty(start)) = &event else {
                outside(&event)?;
                continue;
            };
            let root = start.local_name().as_ref().to_owned();
            let name_space = match reader.resolver().resolve_element(start.name()).0 {
                ResolveResult::Bound(Namespace(name)) => name.to_owned(),
                ResolveResult::Unbound => String::new(),
                ResolveResult::Unknown(prefix) => return Err(unknown_prefix(prefix)),
            };
            let is_open = matches!(event, Event::Start(_));
            return Ok(Self { root, name_space, read, reader, begin: Some(event), is_open });
        }
    }

    /// Reads the next element below the root, or the rest of the document, which has no more.
    pub(in crate::arin) fn next_child(&mut self) -> Result<Option<Element>, Malformed> {
        self.begin = None;
        while self.is_open {
            let event = self.event()?;
            if matches!(event, Event::Start(_) | Event::Empty(_)) {
                return self.element(event).map(Some);
            }
            self.is_open = !matches!(event, Event::End(_));
        }
        self.end().map(|()| None)
    }

    /// Reads the whole document as one element.
    pub(in crate::arin) fn whole(mut self) -> Result<Element, Malformed> {
        let begin = self.begin.take().ok_or(Malformed::CutOff)?;
        let element = self.element(begin)?;
        self.end().map(|()| element)
    }

    fn element(&mut self, begin: Event<'a>) -> Result<Element, Malformed> {
        let mut tree = Tree::default();
        let mut event = begin;
        loop {
            tree.take(event)?;
            if let Some(element) = tree.root.take() {
                return Ok(element);
            }
            event = self.event()?;
        }
    }

    /// Returns the next event inside the root that belongs to a name space that is read.
    fn event(&mut self) -> Result<Event<'a>, Malformed> {
        loop {
            let event = self.any_event()?;
            if let Event::Start(start) | Event::Empty(start) = &event
                && self.is_foreign(start.name())?
            {
                self.pass_over(matches!(event, Event::Start(_)))?;
            } else {
                return Ok(event);
            }
        }
    }

    /// Reads to the end of an element that has begun, if it has one to come.
    fn pass_over(&mut self, has_an_end: bool) -> Result<(), Malformed> {
        let mut depth = usize::from(has_an_end);
        while depth > 0 {
            let event = self.any_event()?;
            depth -= usize::from(matches!(event, Event::End(_)));
            depth += usize::from(matches!(event, Event::Start(_)));
            if depth > MAX_DEPTH {
                return Err(Malformed::TooDeep);
            }
        }
        Ok(())
    }

    fn any_event(&mut self) -> Result<Event<'a>, Malformed> {
        let event = judged(self.reader.read_event())?.ok_or(Malformed::CutOff)?;
        if matches!(event, Event::DocType(_)) { Err(Malformed::Doctype) } else { Ok(event) }
    }

    fn is_foreign(&self, name: QName<'_>) -> Result<bool, Malformed> {
        match self.reader.resolver().resolve_element(name).0 {
            ResolveResult::Bound(Namespace(bound)) => Ok(!self.read.contains(&bound)),
            ResolveResult::Unbound => Ok(false),
            ResolveResult::Unknown(prefix) => Err(unknown_prefix(prefix)),
        }
    }

    /// Reads what comes behind the root.
    fn end(&mut self) -> Result<(), Malformed> {
        while let Some(event) = judged(self.reader.read_event())? {
            outside(&event)?;
        }
        Ok(())
    }
}

/// Refuses what may not stand outside of the root.
fn outside(event: &Event<'_>) -> Result<(), Malformed> {
    match event {
        Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Eof => Ok(()),
        Event::Text(text) if text.xml10_content().trim().is_empty() => Ok(()),
        Event::DocType(_) => Err(Malformed::Doctype),
        Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) | Event::Start(_) | Event::Empty(_) | Event::End(_) => {
            Err(Malformed::NotXml)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root and the names of the elements below it, as `a` and `b` are read.
    fn read(text: &str) -> Result<String, Malformed> {
        let mut document = ElementList::open(text, &["urn:a", "urn:b"])?;
        let mut told = format!("{} {}:", document.root, document.name_space);
        while let Some(child) = document.next_child()? {
            told += &format!(" {}{:?}", child.name, child.children.iter().map(|child| &child.name).collect::<Vec<_>>());
        }
        Ok(told)
    }

    #[test]
    fn a_list_is_read_one_element_at_a_time() {
        let text = "\n<?xml version=\"1.0\"?><?xml-stylesheet href=''?><!-- --><l xmlns='urn:a'> <x/>,<y><z>&amp;</z></y></l>\n";
        assert_eq!(read(text).unwrap(), r#"l urn:a: x[] y["z"]"#);
        assert_eq!(read("<l/>").unwrap(), "l :");
    }

    #[test]
    fn elements_of_other_name_spaces_are_passed_over() {
        let text = "<a:l xmlns:a='urn:a' xmlns:c='urn:c'><c:x><x/></c:x><a:y><c:z/><z xmlns='urn:b'/><w/></a:y></a:l>";
        assert_eq!(read(text).unwrap(), r#"l urn:a: y["z", "w"]"#);
        assert!(matches!(read("<l><c:x/></l>"), Err(Malformed::Prefix(prefix)) if prefix == "c"));
    }

    #[test]
    fn a_whole_document_is_one_element() {
        let whole = |text| ElementList::open(text, &[]).and_then(ElementList::whole);
        assert_eq!(whole("<l><x>1</x></l> ").unwrap().text_of("x"), Some("1"));
        assert!(matches!(whole("<l><x>1</x>"), Err(Malformed::CutOff)));
        assert!(matches!(whole("<l/><l/>"), Err(Malformed::NotXml)));
    }

    #[test]
    fn the_caps_hold_for_each_element() {
        let item = format!("<x>{}</x>", "<y/>".repeat(9_999));
        assert!(read(&format!("<l>{item}{item}{item}</l>")).is_ok());
        let item = format!("<x>{}</x>", "<y/>".repeat(10_000));
        assert!(matches!(read(&format!("<l>{item}</l>")), Err(Malformed::TooManyElements)));
        let deep = format!("<c:x xmlns:c='urn:c'>{}", "<y>".repeat(100));
        assert!(matches!(read(&format!("<l>{deep}")), Err(Malformed::TooDeep)));
    }

    #[test]
    fn every_shortened_list_is_cut_off() {
        let whole = "<?xml version=\"1.0\"?><l xmlns='urn:a' xmlns:c='urn:c'><x a='1'>&amp;</x><c:y><z/></c:y></l>";
        for end in 0..whole.len() {
            assert!(
                matches!(read(&whole[..end]), Err(Malformed::CutOff)),
                "{}: {:?}",
                &whole[..end],
                read(&whole[..end])
            );
        }
    }

    #[test]
    fn what_surrounds_the_list_is_refused() {
        for text in ["oops", "oops <l/>", "<l/> oops", "<l></l><l/>", "</l>", "&amp;<l/>"] {
            assert!(matches!(read(text), Err(Malformed::NotXml | Malformed::Syntax(_))), "{text}: {:?}", read(text));
        }
        for text in ["<!DOCTYPE l><l/>", "<l><!DOCTYPE l></l>", "<l/><!DOCTYPE l>"] {
            assert!(matches!(read(text), Err(Malformed::Doctype)), "{text}");
        }
    }
}
