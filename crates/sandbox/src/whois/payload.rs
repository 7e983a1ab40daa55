//! The documents: nets as XML.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::civil::DateTime;

use super::{options::Options, search::Found};
use crate::{
    served::Snapshot,
    world::{Holder, Net, offset},
};

/// The place that references point to, whatever the address of this server.
const ARIN: &str = "https://whois.arin.net/rest";

/// The name in place of that of a customer who does not want to be known.
const PRIVATE: &str = "Private Customer";

/// The registry that documents tell of, and how.
pub(super) struct Document<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) options: &'a Options,
    pub(super) namespace: &'a str,
    /// Whole nets, with the lists of what belongs to them.
    pub(super) details: bool,
}

impl Document<'_> {
    /// Returns the document for an answer.
    pub(super) fn of(&self, found: &Found) -> String {
        let head = "<?xml version='1.0'?>\
                    <?xml-stylesheet type='text/xsl' href='https://whois.arin.net/xsl/website.xsl' ?>";
        let attributes = [
            ("xmlns", self.namespace),
            ("xmlns:ns2", "https://www.arin.net/whoisrws/rdns/v1"),
            ("xmlns:ns3", "https://www.arin.net/whoisrws/netref/v2"),
            ("termsOfUse", "https://www.arin.net/resources/registry/whois/tou/"),
        ];
        let root = match found {
            Found::One(net) => element("net", &attributes, &self.net(net)),
            Found::List { nets, exceeded } => {
                let each = |net| if self.details { element("net", &[], &self.net(net)) } else { net_ref(net) };
                let nets = nets.iter().map(each).collect::<String>();
                element("nets", &attributes, &format!("{}{nets}", limit(self.options.records, *exceeded)))
            }
        };
        format!("{head}{root}")
    }

    /// The elements of a net, in the order in which ARIN's page shows them.
    fn net(&self, net: &Net) -> String {
        let (first, last) = ends(net);
        let blocks = net.blocks.iter().map(|block| net_block(net, *block)).collect::<String>();
        let version = if net.blocks.iter().all(|block| matches!(block, IpNet::V4(_))) { "4" } else { "6" };
        [
            net.registered.map(|at| text("registrationDate", &moment(at))).unwrap_or_default(),
            text("ref", &format!("{ARIN}/net/{}", net.handle)),
            text("endAddress", &last),
            text("handle", &net.handle),
            text("name", &net.name),
            element("netBlocks", &[], &blocks),
            if self.details { self.related(net) } else { String::new() },
            self.holder(net),
            self.parent(net),
            text("startAddress", &first),
            net.updated.map(|at| text("updateDate", &moment(at))).unwrap_or_default(),
            text("version", version),
        ]
        .concat()
    }

    /// The lists of what belongs to a net: points of contact and nets cut from it.
    fn related(&self, net: &Net) -> String {
        let registry = &self.snapshot.registry;
        let links = match &net.holder {
            Holder::Org(org) => registry.orgs.get(org).map(|org| org.pocs.as_slice()).unwrap_or_default(),
            Holder::Customer(_) => &[],
        };
        let link = |link: &crate::world::PocLink| {
            let (handle, function) = (link.handle.as_str(), link.function.as_str());
            let attributes = [("handle", handle), ("function", function)];
            element("pocLinkRef", &attributes, &escaped(&format!("{ARIN}/poc/{handle}")))
        };
        let children = self.snapshot.index.children(&net.handle).filter_map(|child| registry.nets.get(child));
        let nets = self.list("nets", children.map(net_ref).collect());
        format!("{nets}{}", self.list("pocs", links.iter().map(link).collect()))
    }

    fn list(&self, name: &str, mut elements: Vec<String>) -> String {
        let most = self.options.related;
        let exceeded = elements.len() > most;
        elements.truncate(most);
        element(name, &[], &format!("{}{}", limit(most, exceeded), elements.concat()))
    }

    fn holder(&self, net: &Net) -> String {
        let registry = &self.snapshot.registry;
        match &net.holder {
            Holder::Org(handle) => {
                let name = registry.orgs.get(handle).map(|org| org.name.as_str());
                reference("orgRef", "org", handle, name)
            }
            Holder::Customer(handle) => {
                let customer = registry.customers.get(handle);
                let name = customer.map(|of| if of.private == Some(true) { PRIVATE } else { of.name.as_str() });
                reference("customerRef", "customer", handle, name)
            }
        }
    }

    fn parent(&self, net: &Net) -> String {
        let Some(handle) = &net.parent else { return String::new() };
        let name = self.snapshot.registry.nets.get(handle).map(|parent| parent.name.as_str());
        reference("parentNetRef", "net", handle, name)
    }
}

fn net_ref(net: &Net) -> String {
    let (first, last) = ends(net);
    let attributes =
        [("startAddress", &*first), ("endAddress", &*last), ("handle", &*net.handle), ("name", &*net.name)];
    element("netRef", &attributes, &escaped(&format!("{ARIN}/net/{}", net.handle)))
}

fn net_block(net: &Net, block: IpNet) -> String {
    let description = match net.net_type.as_str() {
        "DA" => "Direct Allocation",
        "A" => "Reallocated",
        "S" => "Reassigned",
        "AR" => "Allocated to ARIN",
        _ => "Other",
    };
    let parts = [
        text("cidrLength", &block.prefix_len().to_string()),
        text("endAddress", &written(block.broadcast())),
        text("description", description),
        text("type", &net.net_type),
        text("startAddress", &written(block.network())),
    ];
    element("netBlock", &[], &parts.concat())
}

fn reference(name: &str, kind: &str, handle: &str, called: Option<&str>) -> String {
    let handle_and_name: Vec<(&str, &str)> =
        std::iter::once(("handle", handle)).chain(called.map(|called| ("name", called))).collect();
    element(name, &handle_and_name, &escaped(&format!("{ARIN}/{kind}/{handle}")))
}

fn limit(most: usize, exceeded: bool) -> String {
    element("limitExceeded", &[("limit", &most.to_string())], &exceeded.to_string())
}

/// The first and last address, or nothing for a net without blocks.
fn ends(net: &Net) -> (String, String) {
    net.range().map(|(first, last)| (written(first), written(last))).unwrap_or_default()
}

/// An address as the listing writes it: not padded, IPv6 shortened and in capitals.
fn written(address: IpAddr) -> String {
    address.to_string().to_ascii_uppercase()
}

fn moment(at: DateTime) -> String {
    format!("{}{}", at.strftime("%Y-%m-%dT%H:%M:%S"), offset(at))
}

fn text(name: &str, text: &str) -> String {
    element(name, &[], &escaped(text))
}

/// An element with this content, which is XML already.
fn element(name: &str, attributes: &[(&str, &str)], content: &str) -> String {
    let mut out = format!("<{name}");
    for (name, value) in attributes {
        out.push_str(&format!(" {name}=\"{}\"", escaped(value)));
    }
    out.push_str(&format!(">{content}</{name}>"));
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
