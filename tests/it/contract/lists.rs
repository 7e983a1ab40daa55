//! Pages, and which fields they hold.

use serde_json::{Value, json};

use super::{Target, things::NOTES};

/// Notes with the numbers 1 to 3; the ids, and a query that finds them alone.
async fn three(target: &Target) -> (Vec<u64>, String) {
    let rows: Vec<Value> = [1, 2, 3].map(|n| target.draft(&n.to_string(), json!({ "number": n }))).to_vec();
    let answer = target.post(NOTES, rows.into()).await.expect(201);
    let ids = answer.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect();
    (ids, format!("run={}&ordering=id", target.run))
}

pub(crate) async fn a_page_is_cut_at_its_limit_and_begins_at_its_offset(target: &Target) {
    let (ids, query) = three(target).await;
    let page = target.get(&format!("{NOTES}?{query}&limit=2&fields=id")).await.expect(200);
    assert_eq!((&page["count"], &page["results"]), (&json!(3), &json!([{ "id": ids[0] }, { "id": ids[1] }])));
    let page = target.get(&format!("{NOTES}?{query}&limit=2&offset=2&fields=id")).await.expect(200);
    assert_eq!((&page["count"], &page["results"]), (&json!(3), &json!([{ "id": ids[2] }])));
}

pub(crate) async fn a_page_past_the_end_is_empty(target: &Target) {
    let (_, query) = three(target).await;
    let page = target.get(&format!("{NOTES}?{query}&limit=2&offset=100")).await.expect(200);
    assert_eq!((&page["count"], &page["results"]), (&json!(3), &json!([])));
}

pub(crate) async fn fields_choose_what_is_answered(target: &Target) {
    let (ids, _) = three(target).await;
    let page = target.get(&format!("{NOTES}?id={}&fields=id,number,nonsense", ids[0])).await.expect(200);
    assert_eq!(page["results"], json!([{ "id": ids[0], "number": 1 }]));
    let single = target.get(&format!("{NOTES}{}/?fields=number", ids[0])).await.expect(200);
    assert_eq!(single, json!({ "number": 1 }));
}

pub(crate) async fn a_list_is_ordered_by_id_from_either_end(target: &Target) {
    three(target).await;
    let numbers = |ordering: &str| {
        let path = format!("{NOTES}?run={}&fields=number&ordering={ordering}", target.run);
        async move { target.get(&path).await.column("number") }
    };
    assert_eq!(numbers("id").await, [1, 2, 3]);
    assert_eq!(numbers("-id").await, [3, 2, 1]);
}
