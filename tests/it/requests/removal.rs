//! Networks are returned, customers deleted, and what was returned is registered again.

use rir_sandbox::{
    regrws::{Fault, Operation, Rule},
    world::{
        Holder, Prefix,
        registry::{Delegation, Route},
    },
};
use serde_json::Value;

use super::{
    Changes, DETAILED, LOOK_AGAIN, PARENT, RECIPIENT, SIMPLE, body, checks, choice, count, element, empty, id, reasons,
};
use crate::scene::{ORG, Target, cidr};

const RANGE: &str = "23.144.1.0/24";

async fn changes() -> Changes {
    changes_on(Target::sandbox().await).await
}

async fn changes_on(target: Target) -> Changes {
    let changes = Changes::of(target, empty()).await;
    let tenant = changes.customer("Sample Bakery").await;
    for range in [RANGE, "23.144.2.0/24"] {
        changes.assign(range, tenant).await;
    }
    changes.sync().await;
    changes
}

/// The handle of the customer who holds a net at ARIN.
fn customer(changes: &Changes, net: &str) -> String {
    match changes.scene.arin.registry().nets[net].holder.clone() {
        Holder::Customer(handle) => handle,
        Holder::Org(handle) => panic!("{handle} holds {net}"),
    }
}

/// The open requests of one kind.
async fn open(changes: &Changes, operation: &str) -> Vec<Value> {
    let rows = changes.rows().await;
    let open =
        rows.into_iter().filter(|row| choice(row, "operation") == operation && choice(row, "state") == "waiting");
    let mut requests = Vec::new();
    for row in open {
        requests.push(changes.show(&Value::Object(row)).await);
    }
    requests
}

#[tokio::test]
async fn a_network_is_returned_and_what_it_was_is_kept() {
    let changes = changes().await;
    let customer = customer(&changes, SIMPLE);
    let request = changes.waiting(&["--network", SIMPLE, "--operation", "remove-network"]).await;
    assert!(request.to_string().contains(&customer), "the customer who is left behind is listed: {request:#}");
    changes.approve(&changes.bob, &request).await.expect(0);
    let done = changes.submit(&changes.bob, &[&request]).await.expect(0);
    assert!(
        done.requests.iter().any(|done| done["id"] == request["id"] && done["state"] == "done"),
        "{:#?}",
        done.requests
    );
    assert_eq!(changes.wrote(), [format!("DELETE /rest/net/{SIMPLE}")]);
    assert_eq!((changes.nets(RANGE).len(), changes.left_over()), (0, [customer.clone()].into()));
    let kept = changes.row(&request).await["payload"].to_string();
    for part in [SIMPLE, customer.as_str(), "Sample Bakery"] {
        assert!(kept.contains(part), "what was returned is kept: {part} in {kept}");
    }
    let row = changes.scene.row("rir-network", SIMPLE).await;
    assert_eq!(choice(&row, "status"), "not-found");
}

#[tokio::test]
async fn a_customer_left_behind_gets_a_request_of_its_own() {
    let changes = changes().await;
    let customer = customer(&changes, SIMPLE);
    changes.done(&["--network", SIMPLE, "--operation", "remove-network"]).await;
    let [follows] = <[Value; 1]>::try_from(open(&changes, "delete-customer").await)
        .unwrap_or_else(|all| panic!("not one request for the customer: {all:#?}"));
    assert_eq!(follows["requested_by"], changes.ann.name, "whoever approved the removal may approve it");
    assert_eq!(follows["payload"]["path"], format!("customer/{customer}"));
    changes.approve(&changes.bob, &follows).await.expect(0);
    let done = changes.submit(&changes.bob, &[&follows]).await.expect(0).one();
    assert_eq!((done["state"].as_str(), changes.left_over().len()), (Some("done"), 0));
    assert_eq!(changes.wrote(), [format!("DELETE /rest/net/{SIMPLE}"), format!("DELETE /rest/customer/{customer}")]);
}

#[tokio::test]
async fn what_hangs_on_a_network_is_listed_before_it_is_returned() {
    let changes = changes().await;
    {
        let mut registry = changes.scene.arin.registry();
        let zone = Delegation {
            name: "1.144.23.in-addr.arpa.".into(),
            nameservers: vec!["ns1.example.net".into()],
            keys: Vec::new(),
        };
        registry.delegate(SIMPLE, zone).unwrap();
        registry.add_route(Route { prefix: cidr("23.144.1.0/24"), origin: 64496, org: ORG.into(), roa: None });
    }
    let request = changes.waiting(&["--network", SIMPLE, "--operation", "remove-network"]).await;
    let look = reasons(&request, "look");
    for part in ["1.144.23.in-addr.arpa", "23.144.1.0/24", &customer(&changes, SIMPLE)] {
        assert!(look.contains(part), "{part}: {look}");
    }
    let plain = changes.waiting(&["--network", DETAILED, "--operation", "remove-network"]).await;
    assert!(!reasons(&plain, "look").contains("in-addr.arpa"), "{plain:#}");
}

#[tokio::test]
async fn leaves_go_before_what_they_hang_on() {
    let mut world = empty();
    let around = world.registry.reallocate(PARENT, &[cidr("23.144.8.0/22")], Holder::Org(RECIPIENT.into())).unwrap();
    let customer = world.registry.add_customer(RECIPIENT, "Theirs", None);
    let holder = Holder::Customer(customer);
    let leaf = world.registry.reassign(&around, &[cidr("23.144.8.0/24")], holder).unwrap();
    for prefix in ["23.144.8.0/22", "23.144.8.0/24"] {
        world.ipam.prefixes.push(Prefix { prefix: cidr(prefix), vrf: None });
    }
    let changes = Changes::of(Target::sandbox().await, world).await;
    changes.sync().await;
    let blocked = changes.prepare(&["--network", &around, "--operation", "remove-network"]).await.expect(3).one();
    assert_eq!(blocked["state"], "draft");
    assert!(reasons(&blocked, "blocked").contains(&leaf), "it names what is in the way: {blocked:#}");
    changes.run_as(&changes.ann, &["withdraw", &id(&blocked)]).await.expect(0);
    // Whoever holds it returns the leaf.
    changes.scene.arin.registry().remove_net(&leaf).unwrap();
    changes.sync().await;
    changes.done(&["--network", &around, "--operation", "remove-network"]).await;
    assert_eq!(changes.wrote(), [format!("DELETE /rest/net/{around}")]);
}

#[tokio::test]
async fn the_allocation_itself_is_never_returned() {
    let changes = changes().await;
    let told = changes.prepare(&["--network", PARENT, "--operation", "remove-network"]).await;
    assert_ne!(told.code, 0, "{:#?}", told.requests);
    assert!(changes.states().await.values().all(|state| state == "draft"));
    changes.net("23.144.0.0/20");
}

#[tokio::test]
async fn what_was_returned_is_registered_again_as_it_was() {
    is_registered_again_as_it_was(Target::sandbox().await).await;
}

pub(crate) async fn is_registered_again_as_it_was(target: Target) {
    let changes = changes_on(target).await;
    let before = changes.holder(&changes.net(RANGE));
    changes.done(&["--network", SIMPLE, "--operation", "remove-network"]).await;
    let request = changes.waiting(&["--network", SIMPLE, "--operation", "register-again"]).await;
    assert_eq!(
        (&request["operation"], &request["range"]),
        (&"reassign-simple".into(), &"23.144.1.0 - 23.144.1.255".into())
    );
    changes.approve(&changes.bob, &request).await.expect(0);
    assert_eq!(changes.submit(&changes.bob, &[&request]).await.expect(0).one()["state"], "done");
    let net = changes.net(RANGE);
    let after = changes.holder(&net);
    assert_eq!((net.net_type.as_str(), net.parent.as_deref()), ("S", Some(PARENT)));
    assert_eq!((&after.name, &after.address), (&before.name, &before.address));
    assert_ne!(after.handle, before.handle, "ARIN makes another customer");
    let row = changes.scene.row("rir-network", &net.handle).await;
    assert_eq!(choice(&row, "status"), "registered");
}

#[tokio::test]
async fn a_detailed_reassignment_is_registered_again_by_its_old_request() {
    let changes = changes().await;
    let removed = changes.done(&["--network", DETAILED, "--operation", "remove-network"]).await;
    let row = changes.row(&removed).await;
    let before = row["payload"].to_string();
    assert!(before.contains(RECIPIENT), "{before}");
    let request = changes.waiting(&["--request", &id(&removed), "--operation", "register-again"]).await;
    assert_eq!(request["operation"], "reassign-detailed");
    changes.approve(&changes.bob, &request).await.expect(0);
    changes.submit(&changes.bob, &[&request]).await.expect(0);
    assert_eq!(changes.net("23.144.2.0/24").holder, Holder::Org(RECIPIENT.into()));
}

/// ARIN gives handles of nets again: the one of this handle is not the one that was to be returned.
#[tokio::test]
async fn a_handle_that_is_somebody_elses_by_now_is_not_returned() {
    let changes = changes().await;
    let request = changes.approved(&["--network", SIMPLE, "--operation", "remove-network"]).await;
    let handle = {
        let mut registry = changes.scene.arin.registry();
        registry.remove_net(SIMPLE).unwrap();
        let customer = registry.add_customer(ORG, "Somebody New", None);
        registry.reassign(PARENT, &[cidr(RANGE)], Holder::Customer(customer)).unwrap()
    };
    assert_eq!(handle, SIMPLE);
    let told = changes.submit(&changes.bob, &[&request]).await.expect(3);
    assert_eq!(changes.wrote(), [""; 0], "{:#?}", told.requests);
    changes.settle().await;
    assert_eq!((changes.wrote(), changes.holder(&changes.net(RANGE)).name.as_str()), (Vec::new(), "Somebody New"));
}

/// The answer was lost, and the range given out again before anybody looked: what was to go is gone.
#[tokio::test]
async fn a_handle_that_was_given_again_after_a_lost_answer_is_left_alone() {
    let changes = changes().await;
    let request = changes.approved(&["--network", SIMPLE, "--operation", "remove-network"]).await;
    changes.scene.arin.fail(Rule::new(Fault::LostAfter).on(Operation::DeleteNet).times(1));
    changes.submit(&changes.bob, &[&request]).await;
    let customer = changes.scene.arin.registry().add_customer(ORG, "Somebody New", None);
    let holder = Holder::Customer(customer);
    let handle = changes.scene.arin.registry().reassign(PARENT, &[cidr(RANGE)], holder).unwrap();
    assert_eq!(handle, SIMPLE);
    for _ in 0..4 {
        tokio::time::sleep(LOOK_AGAIN + std::time::Duration::from_millis(100)).await;
        changes.take_up().await;
    }
    assert_eq!((changes.state(&request).await.as_str(), count(&changes.writes(), Operation::DeleteNet)), ("done", 1));
    assert_eq!(changes.holder(&changes.net(RANGE)).name, "Somebody New");
}

#[tokio::test]
async fn a_customer_who_holds_a_network_is_not_deleted() {
    let changes = changes().await;
    let customer = customer(&changes, SIMPLE);
    let told = changes.prepare(&["--customer", &customer, "--operation", "delete-customer"]).await;
    assert_ne!(told.code, 0, "{:#?}", told.requests);
    for request in &told.requests {
        assert!(checks(request).values().any(|(verdict, _)| verdict == "blocked"), "{request:#}");
    }
    assert_eq!(changes.wrote(), [""; 0]);
}

#[tokio::test]
async fn a_reason_is_told_to_arin() {
    let changes = changes().await;
    let said = ["--set", "reason=The customer has left."];
    let request =
        changes.waiting(&[&["--network", DETAILED, "--operation", "remove-network"], &said[..]].concat()).await;
    assert_eq!(request["payload"]["path"], format!("net/{DETAILED}/remove"));
    assert!(element(&body(&request), "line").is_some() && body(&request).contains("The customer has left."));
    changes.approve(&changes.bob, &request).await.expect(0);
    assert_eq!(changes.submit(&changes.bob, &[&request]).await.expect(0).one()["state"], "done");
    assert_eq!(
        (changes.wrote(), changes.nets("23.144.2.0/24").len()),
        (vec![format!("PUT /rest/net/{DETAILED}/remove")], 0)
    );
}

/// A prefix that is deleted or not active any more changes nothing at ARIN by itself.
#[tokio::test]
async fn nothing_is_returned_by_itself() {
    let changes = changes().await;
    let prefixes = changes.scene.ids(super::PREFIXES).await;
    changes.scene.remove(super::PREFIXES, prefixes[0]).await;
    changes.scene.edit(super::PREFIXES, prefixes[1], serde_json::json!({ "status": "reserved" })).await;
    changes.sync().await;
    changes.take_up().await;
    changes.settle().await;
    assert_eq!((changes.wrote(), changes.states().await.len()), (Vec::new(), 0));
}
