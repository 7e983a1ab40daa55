//! `If-Match`: writing only what nobody else has changed.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Target, things::THINGS};

async fn etag(target: &Target, id: u64) -> String {
    target.get(&format!("{THINGS}{id}/?fields=id")).await.header("etag").to_owned()
}

pub(crate) async fn an_etag_is_made_of_the_last_update(target: &Target) {
    target.things().await;
    let id = target.thing("a", json!({})).await;
    let answer = target.get(&format!("{THINGS}{id}/")).await;
    let updated = answer.body["last_updated"].as_str().unwrap().replace('Z', "+00:00");
    assert_eq!(answer.header("etag"), format!("W/\"{updated}\""));
    let patched = target.patch(&format!("{THINGS}{id}/"), json!({ "loose": "x" })).await;
    assert_ne!(patched.header("etag"), answer.header("etag"));
}

pub(crate) async fn a_stale_etag_is_refused(target: &Target) {
    target.things().await;
    let id = target.thing("a", json!({})).await;
    let (path, stale) = (format!("{THINGS}{id}/"), etag(target, id).await);
    target.patch(&path, json!({ "loose": "x" })).await.expect(200);
    let fresh = etag(target, id).await;
    for (method, body) in [(Method::PATCH, Some(json!({ "loose": "y" }))), (Method::DELETE, None)] {
        let answer = target.send(method, &path, body, &[("if-match", &stale)]).await;
        assert_eq!(answer.header("etag"), fresh);
        assert_eq!(answer.expect(412), json!({ "detail": "Precondition failed." }));
    }
    for matching in [&fresh, "*"] {
        let body = Some(json!({ "loose": "z" }));
        target.send(Method::PATCH, &path, body, &[("if-match", matching)]).await.expect(200);
    }
}

pub(crate) async fn a_bulk_request_needs_the_etag_of_each_object(target: &Target) {
    target.things().await;
    let (one, other) = (target.thing("a", json!({})).await, target.thing("b", json!({})).await);
    let (first, second) = (etag(target, one).await, etag(target, other).await);
    let rows: Value = json!([{ "id": one, "loose": "x" }, { "id": other, "loose": "x" }]);
    for method in [Method::PATCH, Method::DELETE] {
        let answer = target.send(method, THINGS, Some(rows.clone()), &[("if-match", &first)]).await;
        assert_eq!(answer.header("etag"), second);
        answer.expect(412);
    }
    let both = format!("{first}, {second}");
    target.send(Method::PATCH, THINGS, Some(rows), &[("if-match", &both)]).await.expect(200);
}
