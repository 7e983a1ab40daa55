//! Which custom objects a query finds.

use serde_json::{Value, json};

use super::{
    Target,
    things::{NOTES, THINGS},
};

/// The numbers of the things of this case that a query finds.
async fn found(target: &Target, query: &str) -> Vec<u64> {
    numbers(target, THINGS, query).await
}

/// The numbers of the notes of this case that a query finds.
async fn noted(target: &Target, query: &str) -> Vec<u64> {
    numbers(target, NOTES, query).await
}

async fn numbers(target: &Target, list: &str, query: &str) -> Vec<u64> {
    let path = format!("{list}?{query}&fields=number,key&ordering=id&run={}", target.run);
    let rows = target.get(&path).await.expect(200);
    rows["results"].as_array().unwrap().iter().filter_map(|row| row["number"].as_u64()).collect()
}

/// Objects numbered from 1, one for each of these.
async fn numbered(target: &Target, list: &str, things: &[Value]) {
    let rows = things.iter().zip(1_u64..).map(|(fields, number)| {
        let mut row = target.draft(&number.to_string(), fields.clone());
        row["number"] = number.into();
        row
    });
    target.post(list, rows.collect::<Vec<_>>().into()).await.expect(201);
}

pub(crate) async fn text_is_matched_whole_or_in_part_as_the_field_says(target: &Target) {
    numbered(target, NOTES, &[json!({ "loose": "ORG-1" }), json!({ "loose": "ORG-10" })]).await;
    assert_eq!(noted(target, "loose=org-1").await, [1, 2], "a field is loose by default");
    assert_eq!(noted(target, &format!("key={}", target.key("1"))).await, [1]);
    assert_eq!(noted(target, &format!("key={}", target.key("1").to_uppercase())).await, [0; 0]);
    assert_eq!(noted(target, &format!("key={}:", target.run)).await, [0; 0]);
}

pub(crate) async fn long_text_is_found_by_a_part_of_it(target: &Target) {
    let notes = ["- NET-1\n- NET-2", "- NET-3"].map(|note| json!({ "note": note }));
    numbered(target, THINGS, &notes).await;
    assert_eq!(found(target, "note__ic=net-2").await, [1]);
    assert_eq!(found(target, "note__ic=NET-").await, [1, 2]);
    assert_eq!(found(target, "note__ic=NET-4").await, [0; 0]);
}

pub(crate) async fn filters_that_do_not_exist_are_ignored(target: &Target) {
    numbered(target, NOTES, &[json!({}), json!({})]).await;
    for query in ["nonsense=1", "key__in=x", "key__isnull=true", "loose__nonsense=x"] {
        assert_eq!(noted(target, query).await, [1, 2], "{query}");
    }
}

pub(crate) async fn a_link_is_found_by_id(target: &Target) {
    let rir = target.rir().await;
    let (one, other) = (target.aggregate(rir).await, target.aggregate(rir).await);
    numbered(target, THINGS, &[json!({ "aggregate": one }), json!({ "aggregate": other }), json!({})]).await;
    assert_eq!(found(target, &format!("aggregate_id={one}")).await, [1]);
    assert_eq!(found(target, "aggregate_id=99999999").await, [0; 0]);
}

pub(crate) async fn a_selection_is_found_by_its_choice(target: &Target) {
    let things = [json!({ "state": "bad" }), json!({ "state": "other" }), json!({ "state": null })];
    numbered(target, THINGS, &things).await;
    assert_eq!(found(target, "state=bad").await, [1]);
    assert_eq!(found(target, "state=bad&state=other").await, [1, 2]);
}

pub(crate) async fn times_are_compared(target: &Target) {
    numbered(target, NOTES, &[json!({})]).await;
    let created = target.get(&format!("{NOTES}?key={}&fields=created", target.key("1"))).await.column("created");
    let created = created[0].as_str().unwrap();
    assert_eq!(noted(target, &format!("created__lt={created}")).await, [0; 0]);
    assert_eq!(noted(target, "created__lt=2999-01-01T00:00:00Z").await, [1]);
    assert_eq!(noted(target, "created__lt=2001-01-01T00:00:00Z").await, [0; 0]);
}

pub(crate) async fn ids_are_compared(target: &Target) {
    numbered(target, NOTES, &[json!({}), json!({}), json!({})]).await;
    let ids = target.get(&format!("{NOTES}?run={}&fields=id&ordering=id", target.run)).await.column("id");
    assert_eq!(noted(target, &format!("id__gt={}", ids[0])).await, [2, 3]);
    assert_eq!(noted(target, &format!("id__lt={}", ids[1])).await, [1]);
}
