//! From a finding to a net at ARIN and its row in NetBox.

use rir_sandbox::{regrws::Operation, world::Holder};
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};

use super::{Changes, PARENT, PREFIXES, RECIPIENT, body, checks, choice, count, element, id};
use crate::scene::{ORG, Row, Target};

const RANGE: &str = "23.144.4.0/24";
/// So many requests to ARIN a reassignment may cost, from its sending until it is done.
const MOST_REQUESTS: usize = 5;

/// Sees to it that NetBox has the row of a net, linked to the prefix of its range.
async fn assert_recorded(changes: &Changes, handle: &str, prefix: u64) -> Row {
    let row = changes.scene.row(schema::NETWORK, handle).await;
    assert_eq!(
        (row["prefix"]["id"].as_u64(), choice(&row, "status").as_str()),
        (Some(prefix), "registered"),
        "{row:#?}"
    );
    row
}

/// The log rows about writes at ARIN and rows that were made: operation, type, handles, status.
async fn logged(changes: &Changes) -> Vec<String> {
    let rows = changes.scene.rows_of(schema::SYNC_LOG).await;
    let handles = |row: &Row| {
        let several = row["details"].as_str().unwrap_or_default();
        if several.is_empty() {
            row["object_handle"].as_str().unwrap_or_default().to_owned()
        } else {
            several.to_owned()
        }
    };
    let line = |row: &Row| {
        [choice(row, "operation"), choice(row, "object_type"), handles(row), choice(row, "status")].join(" ")
    };
    rows.iter().map(line).collect()
}

pub(crate) async fn a_finding_becomes_a_net_with_a_linked_row(target: Target) {
    let mut changes = Changes::new(target).await;
    // As at ARIN itself, whose public listing spares questions about what has not changed.
    let listing = changes.scene.arin.whois_url();
    changes.set("ARIN__WHOIS_URL", &listing);
    changes.set("ARIN__WHOIS_REQUESTS_PER_SECOND", "0");
    let tenant = changes.customer("Harbour Catch Ltd").await;
    let prefix = changes.assign(RANGE, tenant).await;
    changes.sync().await;
    let findings = changes.open_findings(RANGE).await;
    let finding = findings.get("unregistered").unwrap_or_else(|| panic!("{findings:?}")).to_string();

    let request = changes.waiting(&["--finding", &finding]).await;
    let expected = json!({
        "operation": "reassign-simple", "range": "23.144.4.0 - 23.144.4.255", "requested_by": changes.ann.name,
        "missing": [], "ticket": null,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&request[name], value, "{name}: {request:#}");
    }
    assert_eq!(request["payload"]["method"], "PUT");
    assert_eq!(request["payload"]["path"], format!("net/{PARENT}/reassign"));
    assert_eq!(element(&body(&request), "customerName").as_deref(), Some("Harbour Catch Ltd"));
    assert!(checks(&request).values().all(|(verdict, _)| verdict != "blocked"), "{request:#}");
    assert!(checks(&request).values().any(|(verdict, _)| verdict == "passed"), "{request:#}");

    let approved = changes.approve(&changes.bob, &request).await.expect(0).one();
    assert_eq!((&approved["state"], &approved["approved_by"]), (&json!("approved"), &json!(changes.bob.name)));
    assert!(approved["expires"].is_string(), "{approved:#}");
    assert_eq!(changes.wrote(), [""; 0], "nothing is sent before somebody says so");

    let done = changes.submit(&changes.bob, &[&request]).await.expect(0).one();
    assert_eq!(done["state"], "done", "{done:#}");
    let net = changes.net(RANGE);
    assert_eq!(done["network"], net.handle, "{done:#}");
    assert_eq!((net.parent.as_deref(), net.net_type.as_str()), (Some(PARENT), "S"));
    let customer = changes.holder(&net);
    assert_eq!(customer.name, "Harbour Catch Ltd");
    let address = customer.address.unwrap();
    assert_eq!(
        (address.street.as_slice(), address.city.as_deref()),
        (&["12 Harbour Street".to_owned()][..], Some("Reston"))
    );
    assert_eq!(changes.wrote(), [format!("PUT /rest/net/{PARENT}/reassign")]);
    assert_eq!(changes.writes()[0].body, body(&request), "each byte that was approved");
    let row = assert_recorded(&changes, &net.handle, prefix).await;
    assert_eq!(row["net_name"], net.name);
    assert!(changes.scene.rows(schema::CUSTOMER).await.contains_key(&customer.handle));
    assert_eq!(changes.open_findings(RANGE).await.into_keys().collect::<Vec<_>>(), [""; 0], "what it settles is gone");
    let logged = logged(&changes).await;
    let has = |words: [&str; 2], handle: &str| {
        logged
            .iter()
            .any(|line| line.starts_with(&words.join(" ")) && line.contains(handle) && line.ends_with("success"))
    };
    assert!(has(["reassign", "network"], &net.handle), "{logged:#?}");
    assert!(has(["create", "customer"], &customer.handle), "{logged:#?}");

    changes.sync().await;
    assert_eq!(changes.open_findings(RANGE).await.into_keys().collect::<Vec<_>>(), [""; 0], "and stays so");
    assert_recorded(&changes, &net.handle, prefix).await;
    assert_eq!(changes.states().await.into_values().collect::<Vec<_>>(), ["done"]);
}

#[tokio::test]
async fn a_finding_of_the_sandbox_becomes_a_net_with_a_linked_row() {
    a_finding_becomes_a_net_with_a_linked_row(Target::sandbox().await).await;
}

/// What it rests on is asked again, it is sent, and read back by the sync of that range.
#[tokio::test]
async fn a_reassignment_costs_few_requests() {
    let mut changes = Changes::new(Target::sandbox().await).await;
    // As at ARIN itself, whose public listing spares questions about what has not changed.
    let listing = changes.scene.arin.whois_url();
    changes.set("ARIN__WHOIS_URL", &listing);
    changes.set("ARIN__WHOIS_REQUESTS_PER_SECOND", "0");
    let tenant = changes.customer("Harbour Catch Ltd").await;
    changes.assign(RANGE, tenant).await;
    changes.sync().await;
    let request = changes.approved(&["--prefix", RANGE]).await;
    changes.scene.arin.forget_requests();
    changes.submit(&changes.bob, &[&request]).await.expect(0);
    let asked = changes.scene.arin.requests();
    let told: Vec<String> = asked.0.iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    eprintln!("measured: requests to ARIN from submit to done: {}", asked.total());
    assert!(asked.total() <= MOST_REQUESTS, "{told:#?}");
}

/// Gives a prefix to an organization, and returns what ARIN has of it and what NetBox printed.
async fn given_to_an_organization(operation: &str) -> (Changes, Value) {
    let changes = Changes::new(Target::sandbox().await).await;
    let tenant = changes.tenant("Sample Hosting LLC").await;
    let prefix = changes.assign(RANGE, tenant).await;
    changes.sync().await;
    let request = changes.done(&["--prefix", RANGE, "--operation", operation, "--org", RECIPIENT]).await;
    let net = changes.net(RANGE);
    assert_eq!(net.holder, Holder::Org(RECIPIENT.to_owned()));
    assert_eq!(request["operation"], operation);
    let row = assert_recorded(&changes, &net.handle, prefix).await;
    assert_eq!(row["organization"]["display"], RECIPIENT, "{row:#?}");
    (changes, request)
}

#[tokio::test]
async fn a_detailed_reassignment_goes_to_an_organization() {
    let (changes, _) = given_to_an_organization("reassign-detailed").await;
    assert_eq!(changes.net(RANGE).net_type, "S");
    assert_eq!(changes.wrote(), [format!("PUT /rest/net/{PARENT}/reassign")]);
    let logged = logged(&changes).await;
    assert!(logged.iter().any(|line| line.starts_with("reassign network NET-23-144-4-0-1")), "{logged:#?}");
}

#[tokio::test]
async fn a_reallocation_goes_to_an_organization_that_may_give_it_on() {
    let (changes, _) = given_to_an_organization("reallocate").await;
    assert_eq!(changes.net(RANGE).net_type, "A");
    assert_eq!(changes.wrote(), [format!("PUT /rest/net/{PARENT}/reallocate")]);
    let logged = logged(&changes).await;
    assert!(logged.iter().any(|line| line.starts_with("reallocate network NET-23-144-4-0-1")), "{logged:#?}");
}

#[tokio::test]
async fn without_somebody_who_submits_it_the_service_sends_what_is_approved() {
    let changes = Changes::new(Target::sandbox().await).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    changes.assign(RANGE, tenant).await;
    changes.sync().await;
    let request = changes.approved(&["--prefix", RANGE]).await;
    // Only with the key of whoever approved it.
    changes.scene.arin.configure(|options| {
        options.authority.insert(rir_sandbox::regrws::KEY.to_owned(), [].into());
    });
    changes.take_up().await.expect(0);
    assert_eq!(changes.state(&request).await, "done");
    assert_eq!(count(&changes.writes(), Operation::Reassign), 1);
    changes.take_up().await.expect(0);
    assert_eq!(changes.writes().len(), 1, "and not a second time");
    changes.net(RANGE);
}

#[tokio::test]
async fn what_is_rejected_or_withdrawn_is_not_sent() {
    let changes = Changes::new(Target::sandbox().await).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    for range in [RANGE, "23.144.5.0/24"] {
        changes.assign(range, tenant).await;
    }
    changes.sync().await;
    let rejected = changes.waiting(&["--prefix", RANGE]).await;
    let withdrawn = changes.approved(&["--prefix", "23.144.5.0/24"]).await;
    changes.run_as(&changes.bob, &["reject", &id(&rejected)]).await.expect(0);
    changes.run_as(&changes.ann, &["withdraw", &id(&withdrawn)]).await.expect(0);
    let states = [changes.state(&rejected).await, changes.state(&withdrawn).await];
    assert_eq!(states, ["rejected", "withdrawn"]);
    assert_eq!(changes.approve(&changes.bob, &rejected).await.code, 2);
    for request in [&rejected, &withdrawn] {
        assert_ne!(changes.submit(&changes.bob, &[request]).await.code, 0);
    }
    changes.take_up().await;
    assert_eq!(changes.wrote(), [""; 0]);
    changes.waiting(&["--prefix", RANGE]).await;
}

#[tokio::test]
async fn requests_are_listed_and_shown() {
    let changes = Changes::new(Target::sandbox().await).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    changes.assign(RANGE, tenant).await;
    changes.sync().await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let shown = changes.show(&request).await;
    for name in ["id", "state", "operation", "range", "payload", "digest", "checks", "missing", "requested_by"] {
        assert_eq!(shown[name], request[name], "{name}");
    }
    let listed = changes.run(&changes.bob.token, &["requests", "list", "--output", "json"]).await.expect(0).one();
    for name in ["id", "state", "operation", "range", "requested_by"] {
        assert_eq!(listed[name], request[name], "{name}");
    }
}

#[tokio::test]
async fn a_request_that_arin_refuses_says_why_and_leaves_nothing() {
    let changes = Changes::new(Target::sandbox().await).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    let prefix = changes.assign(RANGE, tenant).await;
    changes.sync().await;
    let request = changes.approved(&["--prefix", &prefix.to_string()]).await;
    let refusal = rir_sandbox::regrws::Fault::Refusal(403, "E_NOT_AUTHORIZED");
    changes.scene.arin.fail(rir_sandbox::regrws::Rule::new(refusal).on(Operation::Reassign));
    let told = changes.submit(&changes.bob, &[&request]).await.expect(3).one();
    assert_eq!(told["state"], "refused", "{told:#}");
    assert!(told["message"].as_str().unwrap().contains("E_NOT_AUTHORIZED"), "{told:#}");
    changes.take_up().await;
    assert_eq!((changes.writes().len(), changes.nets(RANGE).len()), (1, 0), "a refusal is not tried again");
    changes.scene.arin.heal();
    assert_eq!(changes.net("23.144.0.0/20").holder, Holder::Org(ORG.to_owned()));
    changes.sync().await;
    assert!(changes.open_findings(RANGE).await.contains_key("unregistered"));
    assert_eq!(changes.scene.ids(PREFIXES).await, [prefix]);
    changes.done(&["--prefix", RANGE]).await;
}
