//! A server to write to over plain HTTP, and its answers as trees.

use reqwest::{Client, Method, RequestBuilder};

use super::{
    super::tree::{CORE, Node},
    KEY, Options, Server,
};
use crate::world::{Registry, World};

/// The allocation of the demo of which parts are given out.
pub(super) const PARENT: &str = "NET-23-144-0-0-1";
/// The range that most tests are about; nothing is registered in it.
pub(super) const RANGE: &str = "23.144.12.0/23.144.12.255";

pub(super) const BLOCK: &str = "<netBlocks><netBlock><startAddress>023.144.012.000</startAddress>\
     <endAddress>023.144.012.255</endAddress><cidrLength>24</cidrLength></netBlock></netBlocks>";

pub(super) const CUSTOMER: &str = "<customerName>Sample Orchard</customerName><iso3166-1><code2>US</code2></iso3166-1>\
     <iso3166-2>VA</iso3166-2><postalCode>20190</postalCode><city>Reston</city>\
     <streetAddress><line number=\"0\">5 Sample Lane</line></streetAddress>";

/// A server, and a client that knows nothing of it.
pub(super) struct Lab {
    pub(super) server: Server,
    pub(super) client: Client,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Lab {
    pub(super) async fn demo() -> Self {
        Self::of(Options::default()).await
    }

    pub(super) async fn of(options: Options) -> Self {
        Self::with(World::demo().registry, options).await
    }

    pub(super) async fn with(registry: Registry, options: Options) -> Self {
        let server = Server::start(registry, options).await.unwrap();
        Self { server, client: crate::http_client() }
    }

    /// A request with everything that ARIN wants of it.
    pub(super) fn request(&self, method: &str, path: &str, body: &str) -> RequestBuilder {
        let url = format!("{}/rest/{path}", self.server.url());
        self.client
            .request(Method::from_bytes(method.as_bytes()).unwrap(), url)
            .header("Authorization", format!("ApiKey {KEY}"))
            .header("Content-Type", "application/xml")
            .body(body.to_owned())
    }

    pub(super) async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        Answer::of(self.request(method, path, body)).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "").await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, "").await
    }

    /// Asks for a reassignment of a part of [`PARENT`].
    pub(super) async fn reassign(&self, inside: &str) -> Answer {
        self.call("PUT", &format!("net/{PARENT}/reassign"), &net(inside)).await
    }

    /// Reassigns [`RANGE`] to a new customer, and returns the net.
    pub(super) async fn reassigned(&self) -> Node {
        self.reassign(&simple()).await.net()
    }

    /// Asks for a net by handle, and returns it.
    pub(super) async fn net(&self, handle: &str) -> Node {
        self.get(&format!("net/{handle}")).await.root()
    }
}

impl Answer {
    pub(super) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self { status: response.status().as_u16(), body: response.text().await.unwrap() }
    }

    /// The document, of an answer of 200.
    pub(super) fn root(&self) -> Node {
        assert_eq!(self.status, 200, "{}", self.body);
        Node::read(&self.body).unwrap()
    }

    /// The net in a `ticketedRequest`.
    pub(super) fn net(&self) -> Node {
        let root = self.root();
        assert_eq!(root.name, "ticketedRequest");
        root.child("net").unwrap_or_else(|| panic!("{}", self.body)).clone()
    }

    /// The status, the code of the error and the names of its components.
    pub(super) fn refusal(&self) -> String {
        let root = Node::read(&self.body).unwrap();
        assert_eq!((root.name.as_str(), root.namespace.as_str()), ("error", CORE), "{}", self.body);
        let components = root.child("components").unwrap().all("component");
        let mut names: Vec<String> = components.map(|component| component.text_of("name").unwrap()).collect();
        names.dedup();
        let code = root.text_of("code").unwrap();
        [self.status.to_string(), code].into_iter().chain(names).collect::<Vec<_>>().join(" ")
    }
}

/// A `net` with this inside.
pub(super) fn net(inside: &str) -> String {
    format!(r#"<?xml version="1.0"?><net xmlns="{CORE}">{inside}</net>"#)
}

/// A `customer` with this inside.
pub(super) fn customer(inside: &str) -> String {
    format!(r#"<customer xmlns="{CORE}">{inside}</customer>"#)
}

/// The inside of a simple reassignment of [`RANGE`] to a new customer.
pub(super) fn simple() -> String {
    format!("<netName>Sample-Orchard</netName>{BLOCK}<customer>{CUSTOMER}</customer>")
}

/// The inside of a detailed reassignment of [`RANGE`].
pub(super) fn detailed(org: &str) -> String {
    format!("<netName>SAMPLE</netName>{BLOCK}<orgHandle>{org}</orgHandle>")
}

/// A document as it came, with one text replaced.
pub(super) fn edited(document: &str, from: &str, to: &str) -> String {
    assert!(document.contains(from), "{document}");
    document.replace(from, to)
}

/// The `net` that stands in an answer, as a document.
pub(super) async fn raw(lab: &Lab, handle: &str) -> String {
    lab.get(&format!("net/{handle}")).await.body
}
