//! The customer of a network that was returned gets a request of their own.

use rir_sandbox::{
    netbox,
    regrws::{self, Operation},
    world::Holder,
};
use rir_sidecar::netbox::schema;
use serde_json::Value;

use super::{Changes, DETAILED, SIMPLE, choice, count, empty};
use crate::scene::{Row, Target, custom};

async fn changes() -> Changes {
    let changes = Changes::of(Target::sandbox().await, empty()).await;
    let tenant = changes.customer("Sample Bakery").await;
    for range in ["23.144.1.0/24", "23.144.2.0/24"] {
        changes.assign(range, tenant).await;
    }
    changes.sync().await;
    changes
}

fn customer(changes: &Changes) -> String {
    match changes.scene.arin.registry().nets[SIMPLE].holder.clone() {
        Holder::Customer(handle) => handle,
        Holder::Org(handle) => panic!("{handle} holds {SIMPLE}"),
    }
}

/// `ann` asks for a network to be returned, and `bob` approves it.
async fn approved(changes: &Changes, net: &str) -> Value {
    changes.approved(&["--network", net, "--operation", "remove-network"]).await
}

/// The rows of the requests to delete a customer.
async fn deletions(changes: &Changes) -> Vec<Row> {
    let mut rows = changes.rows().await;
    rows.retain(|row| choice(row, "operation") == "delete-customer");
    rows
}

#[tokio::test]
async fn the_customer_is_asked_for_once_as_the_asker_of_the_removal() {
    let changes = changes().await;
    let customer = customer(&changes);
    let removal = approved(&changes, SIMPLE).await;
    changes.take_up().await.expect(0);
    assert_eq!(changes.state(&removal).await, "done");
    let [row] = <[Row; 1]>::try_from(deletions(&changes).await).unwrap();
    let shown = changes.show(&Value::Object(row.clone())).await;
    assert_eq!((shown["state"].as_str(), shown["requested_by"].as_str()), (Some("waiting"), Some(&*changes.ann.name)));
    assert_eq!(
        (&shown["payload"]["method"], &shown["payload"]["path"]),
        (&"DELETE".into(), &format!("customer/{customer}").into())
    );
    assert!(shown["checks"].as_array().unwrap().iter().all(|check| check["verdict"] == "passed"), "{shown:#}");
    assert!(row["summary"].as_str().unwrap().contains("23.144.1.0/24"), "{row:#?}");
    assert!(row["payload"].to_string().contains("Sample Bakery"), "what is deleted is kept: {row:#?}");
    assert_eq!(row["customer"]["display"], customer.as_str(), "{row:#?}");

    assert_ne!(changes.approve(&changes.ann, &shown).await.code, 0, "nobody approves what they asked for");
    changes.approve(&changes.bob, &shown).await.expect(0);
    changes.take_up().await.expect(0);
    assert_eq!((changes.state(&shown).await.as_str(), changes.left_over().len()), ("done", 0));
    assert_eq!((changes.take_up().await.code, deletions(&changes).await.len()), (0, 1), "and no other one");
}

#[tokio::test]
async fn the_customer_is_asked_for_though_the_answer_to_the_removal_was_lost() {
    let changes = changes().await;
    let customer = customer(&changes);
    let removal = approved(&changes, SIMPLE).await;
    let lost = regrws::Rule::new(regrws::Fault::LostAfter).on(Operation::DeleteNet).times(1);
    changes.scene.arin.fail(lost);
    changes.submit(&changes.bob, &[&removal]).await;
    assert_ne!(changes.state(&removal).await, "done", "nobody knows yet");
    assert_eq!(deletions(&changes).await.len(), 0);
    changes.settle().await;
    for _ in 0..super::ROUNDS {
        if changes.state(&removal).await == "done" {
            break;
        }
        tokio::time::sleep(super::LOOK_AGAIN).await;
        changes.take_up().await;
    }
    assert_eq!(changes.state(&removal).await, "done");
    let [row] = <[Row; 1]>::try_from(deletions(&changes).await).unwrap();
    assert_eq!((choice(&row, "state").as_str(), row["customer"]["display"].as_str()), ("waiting", Some(&*customer)));
    assert_eq!(count(&changes.writes(), Operation::DeleteNet), 1);
}

#[tokio::test]
async fn that_the_customer_cannot_be_asked_for_undoes_nothing() {
    let changes = changes().await;
    let customer = customer(&changes);
    let removal = approved(&changes, SIMPLE).await;
    let full = netbox::Rule::new(netbox::Fault::Status(400)).method("POST").path(&custom(schema::CHANGE_REQUEST));
    changes.scene.netbox.server.as_ref().unwrap().fail(full);
    let told = changes.submit(&changes.bob, &[&removal]).await.expect(0);
    assert_eq!(told.requests[0]["state"], "done");
    assert!(told.words.contains("customer left behind"), "{}", told.words);
    changes.scene.netbox.server.as_ref().unwrap().heal();
    assert_eq!((changes.state(&removal).await.as_str(), deletions(&changes).await.len()), ("done", 0));
    assert_eq!(changes.nets("23.144.1.0/24").len(), 0);
    changes.approved(&["--customer", &customer, "--operation", "delete-customer"]).await;
}

#[tokio::test]
async fn an_organization_is_nobody_who_is_left_behind() {
    let changes = changes().await;
    let removal = approved(&changes, DETAILED).await;
    changes.submit(&changes.bob, &[&removal]).await.expect(0);
    assert_eq!((changes.state(&removal).await.as_str(), deletions(&changes).await.len()), ("done", 0));
}
