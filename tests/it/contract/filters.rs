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
    let path = format!("{list}?{query}&fields=number,key&ordering=number&key__isw={}:", target.run);
    let rows = target.get(&path).await.expect(200);
    rows["results"].as_array().unwrap().iter().filter_map(|row| row["number"].as_u64()).collect()
}

async fn refused(target: &Target, list: &str, query: &str) -> Value {
    target.get(&format!("{list}?{query}")).await.expect(400)
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

pub(crate) async fn of_repeated_text_the_last_counts(target: &Target) {
    numbered(target, NOTES, &[json!({}), json!({})]).await;
    let query = format!("key={}&key={}", target.key("1"), target.key("2"));
    assert_eq!(noted(target, &query).await, [2]);
    assert_eq!(noted(target, "key=").await, [1, 2], "an empty value does not count");
}

pub(crate) async fn text_has_lookups(target: &Target) {
    numbered(target, NOTES, &[json!({ "loose": "Alpha" }), json!({ "loose": "beta" }), json!({})]).await;
    assert_eq!(noted(target, "loose__ie=ALPHA").await, [1]);
    assert_eq!(noted(target, "loose__ic=ET").await, [2]);
    assert_eq!(noted(target, "loose__isw=al").await, [1]);
    assert_eq!(noted(target, "loose__empty=true").await, [3]);
    assert_eq!(noted(target, "loose__empty=false").await, [1, 2]);
    assert_eq!(noted(target, "q=lph").await, [1]);
    assert_eq!(noted(target, &format!("key__n={}", target.key("1"))).await, [2, 3]);
}

pub(crate) async fn filters_that_do_not_exist_are_ignored(target: &Target) {
    numbered(target, THINGS, &[json!({}), json!({})]).await;
    for query in ["nonsense=1", "key__in=x", "key__isnull=true", "loose__nonsense=x", "aggregates_id=1"] {
        assert_eq!(found(target, query).await, [1, 2], "{query}");
    }
}

pub(crate) async fn a_link_is_found_by_the_last_id_given(target: &Target) {
    let rir = target.rir().await;
    let (one, other) = (target.aggregate(rir).await, target.aggregate(rir).await);
    numbered(target, THINGS, &[json!({ "aggregate": one }), json!({ "aggregate": other }), json!({})]).await;
    assert_eq!(found(target, &format!("aggregate_id={one}")).await, [1]);
    assert_eq!(found(target, &format!("aggregate={one}")).await, [1]);
    assert_eq!(found(target, &format!("aggregate_id={one}&aggregate_id={other}")).await, [2]);
    assert_eq!(found(target, "aggregate_id=99999999").await, [0; 0]);
}

pub(crate) async fn a_link_id_that_is_no_number_is_refused(target: &Target) {
    assert_eq!(
        refused(target, THINGS, "aggregate_id=null").await,
        json!({ "aggregate_id": ["Enter a whole number."] })
    );
    let told = "Select a valid choice. That choice is not one of the available choices.";
    assert_eq!(refused(target, THINGS, "aggregate=99999999").await, json!({ "aggregate": [told] }));
}

pub(crate) async fn lists_of_links_take_alternatives(target: &Target) {
    let rir = target.rir().await;
    let (one, other) = (target.aggregate(rir).await, target.aggregate(rir).await);
    let things = [json!({ "aggregates": [one] }), json!({ "aggregates": [one, other] }), json!({})];
    numbered(target, THINGS, &things).await;
    assert_eq!(found(target, &format!("aggregates={other}")).await, [2]);
    assert_eq!(found(target, &format!("aggregates={one}&aggregates={other}")).await, [1, 2]);
    let told = "Select a valid choice. 99999999 is not one of the available choices.";
    assert_eq!(refused(target, THINGS, "aggregates=99999999").await, json!({ "aggregates": [told] }));
}

pub(crate) async fn selections_take_alternatives_and_refuse_unknown_ones(target: &Target) {
    let things = [
        json!({ "state": "bad", "states": ["good", "bad"] }),
        json!({ "state": "other", "states": ["bad"] }),
        json!({ "state": null }),
    ];
    numbered(target, THINGS, &things).await;
    assert_eq!(found(target, "state=bad").await, [1]);
    assert_eq!(found(target, "state=bad&state=other").await, [1, 2]);
    assert_eq!(found(target, "states=good").await, [1]);
    assert_eq!(found(target, "states=good&states=bad").await, [1, 2]);
    let told = "Select a valid choice. odd is not one of the available choices.";
    assert_eq!(refused(target, THINGS, "state=odd").await, json!({ "state": [told] }));
}

pub(crate) async fn only_the_words_true_and_false_filter_booleans(target: &Target) {
    numbered(target, THINGS, &[json!({ "flag": true }), json!({ "flag": false }), json!({ "flag": null })]).await;
    assert_eq!(found(target, "flag=true").await, [1]);
    assert_eq!(found(target, "flag=false").await, [2]);
    assert_eq!(found(target, "flag=1").await, [1, 2, 3]);
}

pub(crate) async fn dates_and_links_have_no_lookups(target: &Target) {
    let moment = "2020-01-02T03:04:05Z";
    numbered(target, THINGS, &[json!({ "day": "2020-01-02", "moment": moment }), json!({})]).await;
    assert_eq!(found(target, "day=2020-01-02").await, [1]);
    assert_eq!(found(target, &format!("moment={moment}")).await, [1]);
    for query in ["day__gte=2030-01-01", "moment__lt=2000-01-01T00:00:00Z", "aggregate_id__empty=false", "parent__n=1"]
    {
        assert_eq!(found(target, query).await, [1, 2], "{query}");
    }
}

pub(crate) async fn times_are_compared(target: &Target) {
    numbered(target, NOTES, &[json!({})]).await;
    let created = target.get(&format!("{NOTES}?key={}&fields=created", target.key("1"))).await.column("created");
    let created = created[0].as_str().unwrap();
    assert_eq!(noted(target, &format!("created__gte={created}")).await, [1]);
    assert_eq!(noted(target, &format!("created__gt={created}")).await, [0; 0]);
    assert_eq!(noted(target, "created__lt=2001-01-01").await, [0; 0]);
    assert_eq!(noted(target, "last_updated__gte=2999-01-01T00:00:00%2B00:00").await, [0; 0]);
    assert_eq!(
        refused(target, NOTES, "created__lt=soon").await,
        json!({ "created__lt": ["Enter a valid date/time."] })
    );
}

pub(crate) async fn ids_are_compared(target: &Target) {
    numbered(target, NOTES, &[json!({}), json!({}), json!({})]).await;
    let ids = target.get(&format!("{NOTES}?key__isw={}:&fields=id", target.run)).await.column("id");
    assert_eq!(noted(target, &format!("id={}&id={}", ids[0], ids[2])).await, [1, 3]);
    assert_eq!(noted(target, &format!("id__gt={}&id__lte={}", ids[0], ids[2])).await, [2, 3]);
}

pub(crate) async fn numbers_are_compared(target: &Target) {
    numbered(target, NOTES, &[json!({}), json!({}), json!({})]).await;
    assert_eq!(noted(target, "number=2").await, [2]);
    assert_eq!(noted(target, "number__gte=2").await, [2, 3]);
    assert_eq!(refused(target, NOTES, "number=x").await, json!({ "number": ["Enter a number."] }));
}
