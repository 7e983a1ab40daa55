//! Networks and customers are changed in what was asked for, and in nothing else.

use std::collections::BTreeMap;

use rir_sandbox::world::Holder;
use serde_json::{Value, json};

use super::{Changes, DETAILED, SIMPLE, body, element, elements, empty, id};
use crate::scene::{Target, cidr};

const RANGE: &str = "23.144.1.0/24";

async fn changes() -> Changes {
    let mut world = empty();
    let net = world.registry.net_mut(SIMPLE).unwrap();
    net.comment = vec!["Call the night desk.".to_owned(), "Ask for Zo\u{eb}.".to_owned()];
    let changes = Changes::of(Target::sandbox().await, world).await;
    // Without an address in NetBox, so that nothing but what is set is to be changed.
    let tenant = changes.tenant("Sample Bakery").await;
    changes.assign(RANGE, tenant).await;
    changes.assign("23.144.2.0/24", tenant).await;
    changes.sync().await;
    changes
}

fn customer(changes: &Changes) -> String {
    changes.holder(&changes.net(RANGE)).handle
}

/// The document of a net or customer as ARIN answers with it.
async fn document(changes: &Changes, path: &str) -> String {
    let url = format!("{}/rest/{path}?apikey={}", changes.scene.arin.url(), super::KEY);
    let request = reqwest::Client::new().get(url).header("accept", "application/xml");
    request.header("content-type", "application/xml").send().await.unwrap().text().await.unwrap()
}

/// The elements of a document, but for some, each as often as it is there.
fn others(document: &str, names: &[&str]) -> BTreeMap<(String, String), usize> {
    let mut counted = BTreeMap::new();
    for element in elements(document).into_iter().filter(|(name, _)| !names.contains(&name.as_str())) {
        *counted.entry(element).or_default() += 1;
    }
    counted
}

/// Sees to it that a call sends back what ARIN has, but for these elements.
async fn assert_only(changes: &Changes, request: &Value, path: &str, names: &[&str]) {
    assert_eq!((&request["payload"]["method"], &request["payload"]["path"]), (&json!("PUT"), &json!(path)));
    let (before, sent) = (document(changes, path).await, body(request));
    assert_eq!(others(&sent, names), others(&before, names), "{sent}");
    assert_ne!(elements(&sent), elements(&before), "something is changed");
}

async fn sent(changes: &Changes, request: &Value) {
    changes.approve(&changes.bob, request).await.expect(0);
    assert_eq!(changes.submit(&changes.bob, &[request]).await.expect(0).one()["state"], "done");
}

#[tokio::test]
async fn a_network_gets_another_name() {
    let changes = changes().await;
    let before = changes.net(RANGE);
    let asked = ["--network", SIMPLE, "--operation", "change-network", "--set", "netName=OVENS-1"];
    let request = changes.waiting(&asked).await;
    assert_only(&changes, &request, &format!("net/{SIMPLE}"), &["netName"]).await;
    sent(&changes, &request).await;
    let after = changes.net(RANGE);
    assert_eq!((after.name.as_str(), &after.comment), ("OVENS-1", &before.comment));
    assert_eq!((after.registered, after.holder), (before.registered, before.holder));
    assert_eq!(changes.scene.row("rir-network", SIMPLE).await["net_name"], "OVENS-1", "and NetBox knows it");
}

#[tokio::test]
async fn a_network_gets_another_comment_or_none() {
    let changes = changes().await;
    let name = changes.net(RANGE).name;
    let set = |comment: &'static str| ["--network", SIMPLE, "--operation", "change-network", "--set", comment];
    let request = changes.waiting(&set("comment=Only by day.\nNot on Sundays.")).await;
    assert_only(&changes, &request, &format!("net/{SIMPLE}"), &["line"]).await;
    sent(&changes, &request).await;
    assert_eq!(changes.net(RANGE).comment, ["Only by day.", "Not on Sundays."]);
    let request = changes.waiting(&set("comment=")).await;
    assert_only(&changes, &request, &format!("net/{SIMPLE}"), &["line"]).await;
    sent(&changes, &request).await;
    assert_eq!((changes.net(RANGE).comment.len(), changes.net(RANGE).name), (0, name));
}

#[tokio::test]
async fn a_customer_gets_another_name_and_keeps_the_day_of_registration() {
    let changes = changes().await;
    let (handle, before) = (customer(&changes), changes.holder(&changes.net(RANGE)));
    let asked =
        ["--customer", &handle, "--operation", "change-customer", "--set", "customerName=Sample Bakery and Sons"];
    let request = changes.waiting(&asked).await;
    assert_only(&changes, &request, &format!("customer/{handle}"), &["customerName"]).await;
    sent(&changes, &request).await;
    let after = changes.holder(&changes.net(RANGE));
    assert_eq!((after.name.as_str(), &after.handle), ("Sample Bakery and Sons", &handle));
    assert_eq!((after.registered, after.address), (before.registered, before.address));
    assert_eq!(changes.scene.row("rir-customer", &handle).await["customer_name"], "Sample Bakery and Sons");
}

#[tokio::test]
async fn a_customer_gets_another_address() {
    let changes = changes().await;
    let handle = customer(&changes);
    let set = ["streetAddress=5 Mill Lane\nUnit 7", "city=Boulder", "iso3166-2=CO", "postalCode=80301"];
    let set = set.iter().flat_map(|set| ["--set", set]);
    let asked: Vec<&str> = ["--customer", &handle, "--operation", "change-customer"].into_iter().chain(set).collect();
    let request = changes.waiting(&asked).await;
    let changed = ["line", "city", "iso3166-2", "postalCode", "name", "code2", "code3", "e164"];
    assert_only(&changes, &request, &format!("customer/{handle}"), &changed).await;
    sent(&changes, &request).await;
    let address = changes.holder(&changes.net(RANGE)).address.unwrap();
    assert_eq!(address.street, ["5 Mill Lane", "Unit 7"]);
    let parts = [&address.city, &address.state_province, &address.postal_code].map(|part| part.clone().unwrap());
    assert_eq!((parts, address.country.code2), (["Boulder", "CO", "80301"].map(str::to_owned), "US"));
}

#[tokio::test]
async fn a_customer_becomes_private() {
    let changes = changes().await;
    let handle = customer(&changes);
    let asked = ["--customer", &handle, "--operation", "change-customer", "--set", "privateCustomer=true"];
    let request = changes.waiting(&asked).await;
    assert_only(&changes, &request, &format!("customer/{handle}"), &["privateCustomer"]).await;
    assert_eq!(element(&body(&request), "privateCustomer").as_deref(), Some("true"));
    sent(&changes, &request).await;
    assert_eq!(changes.holder(&changes.net(RANGE)).private, Some(true));
}

/// What is sent was made of what ARIN had when it was asked for.
#[tokio::test]
async fn what_was_changed_meanwhile_is_drafted_again() {
    let changes = changes().await;
    let handle = customer(&changes);
    let network =
        changes.approved(&["--network", SIMPLE, "--operation", "change-network", "--set", "netName=OVENS-1"]).await;
    changes.scene.arin.registry().net_mut(SIMPLE).unwrap().comment = vec!["Somebody else's.".to_owned()];
    let told = changes.submit(&changes.bob, &[&network]).await.expect(3).one();
    assert_eq!((&told["state"], changes.wrote()), (&json!("draft"), Vec::new()), "{told:#}");
    changes.run_as(&changes.ann, &["withdraw", &id(&network)]).await.expect(0);
    let customer = changes
        .approved(&["--customer", &handle, "--operation", "change-customer", "--set", "customerName=New Name"])
        .await;
    changes.scene.arin.registry().customers.get_mut(&handle).unwrap().private = Some(true);
    let told = changes.submit(&changes.bob, &[&customer]).await.expect(3).one();
    assert_eq!((&told["state"], changes.wrote()), (&json!("draft"), Vec::new()), "{told:#}");
    changes.take_up().await;
    assert_eq!(changes.wrote(), [""; 0]);
    changes.run_as(&changes.ann, &["withdraw", &id(&customer)]).await.expect(0);
    let asked = ["--network", SIMPLE, "--operation", "change-network", "--set", "netName=OVENS-1"];
    changes.done(&asked).await;
    let net = changes.net(RANGE);
    assert_eq!((net.name.as_str(), net.comment), ("OVENS-1", vec!["Somebody else's.".to_owned()]));
}

#[tokio::test]
async fn what_is_so_already_is_not_asked_for() {
    let changes = changes().await;
    let name = changes.net("23.144.2.0/24").name;
    let set = format!("netName={}", name.to_lowercase());
    let told = changes.prepare(&["--network", DETAILED, "--operation", "change-network", "--set", &set]).await;
    assert_eq!((told.code, told.requests.len()), (2, 0), "{} {:#?}", told.words, told.requests);
    assert_eq!(changes.states().await.len(), 0);
}

#[tokio::test]
async fn what_no_change_can_change_is_not_taken() {
    let changes = changes().await;
    for set in ["orgHandle=SAMPLE-3", "parentNetHandle=NET-1", "startAddress=23.144.3.0", "handle=NET-1", "colour=red"]
    {
        let told = changes.prepare(&["--network", SIMPLE, "--operation", "change-network", "--set", set]).await;
        assert_eq!(told.code, 2, "{set}: {} {:#?}", told.words, told.requests);
    }
    assert_eq!(changes.states().await.len(), 0);
    let net = changes.scene.arin.registry().nets[SIMPLE].clone();
    assert_eq!(net.blocks, [cidr(RANGE)]);
    assert!(matches!(net.holder, Holder::Customer(_)));
}
