//! Many custom objects at a time: all or nothing.

use serde_json::{Value, json};

use super::{
    Target,
    things::{NOTES, THINGS},
};

fn ids(rows: &Value) -> Vec<u64> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

/// Two things.
async fn two(target: &Target) -> [u64; 2] {
    [target.note("a", json!({ "loose": "a" })).await, target.note("b", json!({ "loose": "b" })).await]
}

pub(crate) async fn rows_are_created_in_order(target: &Target) {
    let rows: Value = ["c", "a", "b"].map(|key| target.draft(key, json!({}))).to_vec().into();
    let answer = target.post(NOTES, rows).await.expect(201);
    let keys: Vec<&Value> = answer.as_array().unwrap().iter().map(|row| &row["key"]).collect();
    assert_eq!(keys, ["c", "a", "b"].map(|key| target.key(key)).iter().collect::<Vec<_>>());
    assert!(ids(&answer).is_sorted());
}

pub(crate) async fn refused_rows_are_named_by_index_and_none_is_written(target: &Target) {
    let rows = json!([
        target.draft("a", json!({})),
        target.draft("c", json!({ "number": 10 })),
        {},
        5,
        target.draft("b", json!({ "aggregate": 99999999 })),
    ]);
    let unknown = "Related object not found using the provided numeric ID: 99999999";
    let expected = json!({
        "detail": "4 of 5 objects could not be created.",
        "errors": [
            { "index": 1, "errors": { "number": ["Ensure this value is less than or equal to 9."] } },
            { "index": 2, "errors": { "key": ["This field is required."] } },
            { "index": 3, "errors": { "__all__": ["Invalid data. Expected a dictionary, but got int."] } },
            { "index": 4, "errors": { "aggregate": [unknown] } },
        ],
    });
    assert_eq!(target.post(THINGS, rows).await.expect(400), expected);
    assert_eq!(target.count(THINGS).await, 0);
}

pub(crate) async fn a_duplicate_is_a_500_without_an_index_and_none_is_written(target: &Target) {
    target.note("there", json!({})).await;
    for twice in ["there", "new"] {
        let rows = json!([target.draft("new", json!({})), { "number": 10 }, target.draft(twice, json!({}))]);
        let body = target.post(NOTES, rows).await.expect(500);
        assert_eq!(body["exception"], "IntegrityError", "it is told before the row that is wrong");
    }
    assert_eq!(target.count(NOTES).await, 1);
}

pub(crate) async fn rows_are_updated_and_answered_by_id(target: &Target) {
    let [one, other] = two(target).await;
    let rows = json!([{ "id": other, "number": 2 }, { "id": one, "loose": "x" }]);
    let answer = target.patch(NOTES, rows).await.expect(200);
    assert_eq!(ids(&answer), [one, other]);
    assert_eq!((&answer[0]["loose"], &answer[0]["number"]), (&json!("x"), &Value::Null));
    assert_eq!((&answer[1]["loose"], &answer[1]["number"]), (&json!("b"), &json!(2)), "the rest stays");
    let swapped = json!([{ "id": one, "key": target.key("b") }, { "id": other, "key": target.key("a") }]);
    assert_eq!(target.patch(NOTES, swapped).await.expect(500)["exception"], "IntegrityError");
}

pub(crate) async fn refused_updates_are_named_by_id_and_none_is_written(target: &Target) {
    let [one, other] = two(target).await;
    let rows = json!([{ "id": one, "loose": "x" }, { "id": other, "number": 10 }]);
    let expected = json!({
        "detail": "1 of 2 objects could not be updated.",
        "errors": [{ "id": other, "errors": { "number": ["Ensure this value is less than or equal to 9."] } }],
    });
    assert_eq!(target.patch(NOTES, rows).await.expect(400), expected);
    assert_eq!(target.get(&format!("{NOTES}{one}/")).await.expect(200)["loose"], "a");
}

pub(crate) async fn rows_that_are_not_there_are_named_by_id(target: &Target) {
    let [one, _] = two(target).await;
    let expected = json!({
        "detail": "1 of 2 objects could not be found.",
        "errors": [{ "id": 99999999, "errors": { "id": ["Object with ID 99999999 does not exist"] } }],
    });
    assert_eq!(target.patch(NOTES, json!([{ "id": one }, { "id": 99999999 }])).await.expect(400), expected);
}

pub(crate) async fn rows_are_deleted_all_or_none(target: &Target) {
    let [one, other] = two(target).await;
    let missing = json!([{ "id": one }, { "id": 99999999 }]);
    let told = target.delete(NOTES, Some(missing)).await.expect(400);
    assert_eq!(told["detail"], "1 of 2 objects could not be found.");
    assert_eq!(target.count(NOTES).await, 2);
    assert_eq!(target.delete(NOTES, Some(json!([{ "id": one }, { "id": other }]))).await.expect(204), Value::Null);
    assert_eq!(target.count(NOTES).await, 0);
}

pub(crate) async fn an_empty_list_is_fine(target: &Target) {
    assert_eq!(target.post(NOTES, json!([])).await.expect(201), json!([]));
    assert_eq!(target.patch(NOTES, json!([])).await.expect(200), json!([]));
    target.delete(NOTES, Some(json!([]))).await.expect(204);
}

pub(crate) async fn each_row_may_bring_a_message(target: &Target) {
    let rows = json!([target.draft("a", json!({ "changelog_message": "one" })), target.draft("b", json!({}))]);
    let created = ids(&target.post(NOTES, rows).await.expect(201));
    let rows = json!([{ "id": created[0], "loose": "x", "changelog_message": "two" }]);
    target.patch(NOTES, rows).await.expect(200);
    target.delete(NOTES, Some(json!([{ "id": created[0], "changelog_message": "three" }]))).await.expect(204);
    assert_eq!(target.messages(NOTES, created[0]).await, ["one", "two", "three"]);
    assert_eq!(target.messages(NOTES, created[1]).await, [""]);
}
