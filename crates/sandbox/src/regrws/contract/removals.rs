//! The removal of nets and customers.

use super::lab::*;
use crate::world::Delegation;

// Methods, "Delete" and "Remove NET": the answer is the net as it was. Templates: its customer stays.
#[tokio::test]
async fn a_removed_net_is_told_as_it_was_and_its_customer_stays() {
    let lab = Lab::demo().await;
    let net = lab.reassigned().await;
    let (handle, customer) = (net.text_of("handle").unwrap(), net.text_of("customerHandle").unwrap());
    assert_eq!(lab.delete(&format!("net/{handle}")).await.net(), net);
    assert_eq!(lab.get(&format!("net/{handle}")).await.status, 404);
    assert_eq!(lab.delete(&format!("net/{handle}")).await.refusal(), "404 E_OBJECT_NOT_FOUND");
    let left = lab.get(&format!("customer/{customer}")).await.root();
    assert_eq!(lab.delete(&format!("customer/{customer}")).await.root(), left);
    assert_eq!(lab.delete(&format!("customer/{customer}")).await.refusal(), "404 E_OBJECT_NOT_FOUND");
}

// Seen: `remove` with and without messages, of the net as it was read.
#[tokio::test]
async fn a_net_can_be_removed_with_a_message() {
    let lab = Lab::demo().await;
    let handle = lab.reassigned().await.text_of("handle").unwrap();
    let message = "<messages><message><subject>Gone</subject><text><line number=\"0\">Moved.</line></text>\
        <category>NONE</category><attachments><attachment><data>QQ==</data><filename>a.txt</filename></attachment>\
        </attachments></message></messages></net>";
    let body = edited(&raw(&lab, &handle).await, "</net>", message);
    assert_eq!(lab.call("PUT", &format!("net/{handle}/remove"), &body).await.net().text_of("handle"), Some(handle));
    let handle = lab.reassigned().await.text_of("handle").unwrap();
    let body = raw(&lab, &handle).await;
    assert_eq!(lab.call("PUT", &format!("net/{handle}/remove"), &body).await.status, 200);
    assert_eq!(lab.call("PUT", &format!("net/{handle}/remove"), &body).await.refusal(), "404 E_OBJECT_NOT_FOUND");
}

// Methods: a customer that has a net cannot be deleted.
#[tokio::test]
async fn a_customer_with_a_net_cannot_be_deleted() {
    let lab = Lab::demo().await;
    assert_eq!(lab.delete("customer/C00000002").await.refusal(), "409 E_NOT_REMOVEABLE");
    assert_eq!(lab.get("customer/C00000002").await.status, 200);
}

// Methods: a direct allocation cannot be removed.
#[tokio::test]
async fn a_direct_allocation_cannot_be_removed() {
    let lab = Lab::demo().await;
    assert_eq!(lab.delete(&format!("net/{PARENT}")).await.refusal(), "400 E_BAD_REQUEST");
    let body = raw(&lab, PARENT).await;
    assert_eq!(lab.call("PUT", &format!("net/{PARENT}/remove"), &body).await.refusal(), "400 E_BAD_REQUEST");
}

// Methods: delegations appear and vanish with networks.
#[tokio::test]
async fn delegations_go_with_their_net() {
    let lab = Lab::demo().await;
    let zone = Delegation { name: "2.144.23.in-addr.arpa.".into(), nameservers: Vec::new(), keys: Vec::new() };
    lab.server.registry().delegate("NET-23-144-2-0-1", zone).unwrap();
    assert_eq!(lab.delete("net/NET-23-144-2-0-1").await.status, 200);
    assert!(lab.server.registry().delegations.is_empty());
}
