//! Custom objects, when the objects that they point at are deleted.

use serde_json::{Value, json};

use super::{Target, things::THINGS};

async fn delete_aggregate(target: &Target, id: u64) {
    target.delete(&format!("/api/ipam/aggregates/{id}/"), None).await.expect(204);
}

pub(crate) async fn deleting_an_aggregate_empties_links_to_it(target: &Target) {
    let rir = target.rir().await;
    let aggregate = target.aggregate(rir).await;
    let id = target.thing("a", json!({ "aggregate": aggregate })).await;
    let path = format!("{THINGS}{id}/");
    let before = target.get(&path).await.expect(200);
    delete_aggregate(target, aggregate).await;
    let after = target.get(&path).await.expect(200);
    assert_eq!(after["aggregate"], Value::Null);
    assert_ne!(after["last_updated"], before["last_updated"]);
    assert_eq!(target.messages(THINGS, id).await, ["", ""], "it is logged as an update");
}

pub(crate) async fn deleting_what_is_in_a_list_takes_it_out(target: &Target) {
    let rir = target.rir().await;
    let (one, other) = (target.aggregate(rir).await, target.aggregate(rir).await);
    let id = target.thing("a", json!({ "aggregates": [one, other] })).await;
    let path = format!("{THINGS}{id}/");
    let before = target.get(&path).await.expect(200);
    delete_aggregate(target, one).await;
    let after = target.get(&path).await.expect(200);
    let links: Vec<&Value> = after["aggregates"].as_array().unwrap().iter().map(|link| &link["id"]).collect();
    assert_eq!(links, [&json!(other)]);
    assert_eq!(after["last_updated"], before["last_updated"]);
}
