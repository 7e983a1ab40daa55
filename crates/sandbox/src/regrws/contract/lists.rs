//! What hangs on a net.

use super::{super::tree::Node, lab::*};
use crate::world::{Delegation, DelegationKey, Route};

// Payloads, "Delegation Payload"; Methods, the delegations of a net.
#[tokio::test]
async fn the_delegations_of_a_net_are_listed() {
    let lab = Lab::demo().await;
    let path = "net/NET-23-144-2-0-1/delegations";
    assert_eq!(lab.get(path).await.root().children, []);
    let zone = Delegation {
        name: "2.144.23.in-addr.arpa.".into(),
        nameservers: vec!["ns1.example.net".into(), "ns2.example.net".into()],
        keys: vec![DelegationKey { algorithm: 13, digest_type: 2, digest: "AB".repeat(32), key_tag: 12345 }],
    };
    lab.server.registry().delegate("NET-23-144-2-0-1", zone).unwrap();
    let root = lab.get(path).await.root();
    let zone = root.child("delegation").unwrap();
    assert_eq!((root.name.as_str(), zone.text_of("name").as_deref()), ("collection", Some("2.144.23.in-addr.arpa.")));
    let servers: Vec<&str> = zone.child("nameservers").unwrap().all("nameserver").map(|of| of.text.as_str()).collect();
    assert_eq!(servers, ["ns1.example.net", "ns2.example.net"]);
    let key = zone.child("delegationKeys").unwrap().child("delegationKey").unwrap();
    assert_eq!((key.text_of("keyTag").as_deref(), key.text_of("algorithm").as_deref()), (Some("12345"), Some("13")));
    assert_eq!(lab.get("net/NET-X/delegations").await.refusal(), "404 E_OBJECT_NOT_FOUND");
}

// ARIN's guide to its IRR by REST: the routes of a net, those of its reassignments, and those of an organization.
#[tokio::test]
async fn the_routes_of_a_net_are_listed() {
    let lab = Lab::demo().await;
    for (prefix, org) in [("23.144.0.0/24", "EXAMPLE-NET-1"), ("23.144.2.0/24", "SAMPLE-3")] {
        let route = Route { prefix: prefix.parse().unwrap(), origin: 64496, org: org.into(), roa: None };
        lab.server.registry().add_route(route);
    }
    let prefixes = async |path: &str| {
        let root = lab.get(path).await.root();
        let prefix = |route: &Node| route.text_of("prefix").unwrap();
        root.all("routeRef").map(prefix).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(prefixes(&format!("net/{PARENT}/routes")).await, "23.144.0.0/24");
    assert_eq!(prefixes(&format!("net/{PARENT}/routes?reassignments=true")).await, "23.144.0.0/24 23.144.2.0/24");
    assert_eq!(prefixes("org/SAMPLE-3/routes").await, "23.144.2.0/24");
    assert_eq!(prefixes("net/NET-23-144-1-0-1/routes").await, "");
    let root = lab.get("org/SAMPLE-3/routes").await.root();
    assert_eq!(root.child("routeRef").unwrap().text_of("originAS").as_deref(), Some("AS64496"));
}
