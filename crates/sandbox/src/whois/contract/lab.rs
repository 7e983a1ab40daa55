//! A listing to ask over plain HTTP, and its answers as trees.

use std::collections::BTreeMap;

use ipnet::IpNet;
use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
    name::ResolveResult,
};
use reqwest::{Client, Method};

use crate::{
    regrws::{self, Server},
    world::{Registry, World},
};

/// A server with a listing, and a client that knows nothing of it.
pub(crate) struct Lab {
    pub(crate) server: Server,
    pub(crate) client: Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

/// An element of a document that is well-formed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

impl Lab {
    pub(crate) async fn of(registry: Registry) -> Self {
        let server = Server::start(registry, regrws::Options::default()).await.unwrap();
        Self { server, client: crate::http_client() }
    }

    pub(crate) async fn demo() -> Self {
        Self::of(World::demo().registry).await
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let header = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        Answer { status, content_type: header.unwrap_or_default(), body: response.text().await.unwrap() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.server.whois_url())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.client.request(Method::GET, self.url(path))).await
    }

    /// The document at a path.
    pub(crate) async fn document(&self, path: &str) -> Node {
        let answer = self.get(path).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/xml"), "{path}: {}", answer.body);
        Node::read(&answer.body)
    }

    /// The handles in the list at a path, or that of the one net, or the status.
    pub(crate) async fn handles(&self, path: &str) -> Vec<String> {
        let answer = self.get(path).await;
        if answer.status != 200 {
            return vec![answer.status.to_string()];
        }
        let root = Node::read(&answer.body);
        match root.name.as_str() {
            "net" => vec![root.at("handle").text.clone()],
            _ => root.all("netRef").map(|net| net.attributes["handle"].clone()).collect(),
        }
    }
}

impl Node {
    /// Reads a document; panics if it is not well-formed, or if it has anything behind its root.
    pub(crate) fn read(document: &str) -> Self {
        let mut reader = NsReader::from_str(document);
        let mut open = vec![Self::default()];
        loop {
            let (namespace, event) = reader.read_resolved_event().unwrap();
            match event {
                Event::Start(start) => open.push(Self::begun(&namespace, &start)),
                Event::Empty(start) => open.last_mut().unwrap().children.push(Self::begun(&namespace, &start)),
                Event::End(_) => {
                    let done = open.pop().unwrap();
                    open.last_mut().unwrap().children.push(done);
                }
                Event::Text(text) => open.last_mut().unwrap().text.push_str(&text),
                Event::GeneralRef(name) => {
                    open.last_mut().unwrap().text.push_str(resolve_predefined_entity(&name).unwrap());
                }
                Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
                Event::CData(_) | Event::Comment(_) | Event::DocType(_) => panic!("{event:?} in {document}"),
            }
        }
        let mut outside = open.pop().unwrap();
        assert_eq!((open.len(), outside.children.len(), outside.text.trim()), (0, 1, ""), "{document}");
        outside.children.remove(0)
    }

    fn begun(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Self {
        let ResolveResult::Bound(namespace) = namespace else { panic!("{start:?} has no namespace") };
        let attribute = |attribute: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
            let attribute = attribute.unwrap();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap().into_owned();
            (attribute.key.as_ref().to_owned(), value)
        };
        Self {
            name: start.local_name().as_ref().to_owned(),
            namespace: AsRef::<str>::as_ref(namespace).to_owned(),
            attributes: start.attributes().map(attribute).collect(),
            ..Self::default()
        }
    }

    /// The children of this name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The only child of this name.
    pub(crate) fn at(&self, name: &str) -> &Self {
        let mut all = self.all(name);
        let found = all.next().unwrap_or_else(|| panic!("no {name} in {}", self.name));
        assert!(all.next().is_none(), "several {name} in {}", self.name);
        found
    }

    /// This element and all below it.
    pub(crate) fn everything(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.children.iter().flat_map(Self::everything)).collect()
    }

    /// The elements and attributes as lines, those inside of others indented.
    pub(crate) fn outline(&self) -> String {
        let shown = |(name, value): (&String, &String)| format!("@{name}: {value}\n");
        let attributes: String =
            self.attributes.iter().filter(|(name, _)| !name.starts_with("xmlns")).map(shown).collect();
        let text = if self.text.is_empty() { String::new() } else { format!(": {}", self.text) };
        let inside: String = self.children.iter().map(Self::outline).collect();
        let inside: String = format!("{attributes}{inside}").lines().map(|line| format!("  {line}\n")).collect();
        format!("{}{text}\n{inside}", self.name)
    }
}

pub(crate) fn blocks(text: &str) -> Vec<IpNet> {
    text.split(' ').map(|block| block.parse().unwrap()).collect()
}
