//! Pages, and which fields they hold.

use serde_json::{Value, json};

use super::{Target, things::NOTES};

/// Notes with the numbers 1 to 3; the ids, and a query that finds them alone.
async fn three(target: &Target) -> (Vec<u64>, String) {
    let rows: Vec<Value> = [1, 2, 3].map(|n| target.draft(&n.to_string(), json!({ "number": n }))).to_vec();
    let answer = target.post(NOTES, rows.into()).await.expect(201);
    let ids = answer.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect();
    (ids, format!("key__isw={}%3A", target.run))
}

pub(crate) async fn a_page_is_cut_at_its_limit_and_links_to_the_next(target: &Target) {
    let (ids, query) = three(target).await;
    let page = target.get(&format!("{NOTES}?{query}&limit=2&fields=id")).await.expect(200);
    let next = format!("{}{NOTES}?fields=id&{query}&limit=2&offset=2", target.url);
    let results = json!([{ "id": ids[0] }, { "id": ids[1] }]);
    assert_eq!(page, json!({ "count": 3, "next": next, "previous": null, "results": results }));
    let page = target.get(next.strip_prefix(&target.url).unwrap()).await.expect(200);
    let previous = format!("{}{NOTES}?fields=id&{query}&limit=2", target.url);
    assert_eq!(page, json!({ "count": 3, "next": null, "previous": previous, "results": [{ "id": ids[2] }] }));
}

pub(crate) async fn a_page_past_the_end_is_empty(target: &Target) {
    let (_, query) = three(target).await;
    let page = target.get(&format!("{NOTES}?{query}&limit=2&offset=100")).await.expect(200);
    assert_eq!((&page["count"], &page["next"], &page["results"]), (&json!(3), &Value::Null, &json!([])));
}

pub(crate) async fn start_pages_by_id_without_counting(target: &Target) {
    let (ids, query) = three(target).await;
    let page = target.get(&format!("{NOTES}?{query}&start={}&limit=1&fields=id", ids[1])).await.expect(200);
    let next = format!("{}{NOTES}?fields=id&{query}&limit=1&start={}", target.url, ids[1] + 1);
    assert_eq!(page, json!({ "count": null, "next": next, "previous": null, "results": [{ "id": ids[1] }] }));
}

pub(crate) async fn fields_brief_and_omit_choose_what_is_answered(target: &Target) {
    let (ids, _) = three(target).await;
    let row = |query: &str| {
        let path = format!("{NOTES}?id={}&{query}", ids[0]);
        async move { target.get(&path).await.expect(200)["results"][0].clone() }
    };
    assert_eq!(row("fields=id,number,nonsense").await, json!({ "id": ids[0], "number": 1 }));
    let url = format!("{}{NOTES}{}/", target.url, ids[0]);
    assert_eq!(row("brief=1").await, json!({ "id": ids[0], "url": url, "display": target.key("1") }));
    let most = row("omit=loose").await;
    assert_eq!((most.get("loose"), most.get("number")), (None, Some(&json!(1))));
    let single = target.get(&format!("{NOTES}{}/?fields=number", ids[0])).await.expect(200);
    assert_eq!(single, json!({ "number": 1 }));
}

pub(crate) async fn ordering_sorts_and_is_ignored_when_unknown(target: &Target) {
    let (_, query) = three(target).await;
    let numbers = |ordering: &str| {
        let path = format!("{NOTES}?{query}&fields=number&ordering={ordering}");
        async move { target.get(&path).await.column("number") }
    };
    assert_eq!(numbers("-number").await, [3, 2, 1]);
    assert_eq!(numbers("nonsense").await, [1, 2, 3]);
}

pub(crate) async fn a_limit_that_is_no_number_is_ignored(target: &Target) {
    let (_, query) = three(target).await;
    for limit in ["abc", "-1", "0"] {
        assert_eq!(target.get(&format!("{NOTES}?{query}&limit={limit}&fields=id")).await.column("id").len(), 3);
    }
}
