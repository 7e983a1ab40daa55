//! `If-Match`: writing only what nobody else has changed.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Target, things::NOTES};

async fn etag(target: &Target, id: u64) -> String {
    target.get(&format!("{NOTES}{id}/?fields=id")).await.header("etag").to_owned()
}

pub(crate) async fn an_etag_is_made_of_the_last_update(target: &Target) {
    let id = target.note("a", json!({})).await;
    let answer = target.get(&format!("{NOTES}{id}/")).await;
    let updated = answer.body["last_updated"].as_str().unwrap().replace('Z', "+00:00");
    assert_eq!(answer.header("etag"), format!("W/\"{updated}\""));
    let patched = target.patch(&format!("{NOTES}{id}/"), json!({ "loose": "x" })).await;
    assert_ne!(patched.header("etag"), answer.header("etag"));
}

pub(crate) async fn a_stale_etag_is_refused(target: &Target) {
    let id = target.note("a", json!({})).await;
    let (path, stale) = (format!("{NOTES}{id}/"), etag(target, id).await);
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
    let (one, other) = (target.note("a", json!({})).await, target.note("b", json!({})).await);
    let (first, second) = (etag(target, one).await, etag(target, other).await);
    let rows: Value = json!([{ "id": one, "loose": "x" }, { "id": other, "loose": "x" }]);
    for method in [Method::PATCH, Method::DELETE] {
        let answer = target.send(method, NOTES, Some(rows.clone()), &[("if-match", &first)]).await;
        assert_eq!(answer.header("etag"), second);
        answer.expect(412);
    }
    let both = format!("{first}, {second}");
    target.send(Method::PATCH, NOTES, Some(rows), &[("if-match", &both)]).await.expect(200);
}
