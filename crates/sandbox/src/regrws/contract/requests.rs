//! What holds for requests of all kinds.

use super::lab::*;
use crate::regrws::{ContentType, KEY};

// Methods: the type of what is sent is application/xml. 415 and 406 are among the documented answers.
#[tokio::test]
async fn types_of_media_are_looked_at() {
    let lab = Lab::demo().await;
    let url = format!("{}/rest/net/{PARENT}/reassign", lab.server.url());
    let put = |kind: Option<&str>, accept: &str| {
        let request = lab.client.put(&url).header("Authorization", format!("ApiKey {KEY}")).body(net(&simple()));
        let request = request.header("Accept", accept);
        if let Some(kind) = kind { request.header("Content-Type", kind) } else { request }
    };
    let refusal = async |kind, accept: &str| Answer::of(put(kind, accept)).await.refusal();
    assert_eq!(refusal(None, "*/*").await, "415 E_UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(refusal(Some("text/xml"), "*/*").await, "415 E_UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(refusal(Some("application/xml"), "application/json").await, "406 E_NOT_ACCEPTABLE");
    let answer = Answer::of(put(Some("application/xml; charset=UTF-8"), "text/html, application/xml;q=0.9")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

// Seen by another client in production: a GET without Content-Type is refused, too.
#[tokio::test]
async fn all_requests_may_need_a_type() {
    let lab = Lab::demo().await;
    let bare = || {
        let url = format!("{}/rest/org/EXAMPLE-NET-1", lab.server.url());
        lab.client.get(url).header("Authorization", format!("ApiKey {KEY}"))
    };
    assert_eq!(Answer::of(bare()).await.status, 200);
    lab.server.configure(|options| options.content_type = ContentType::Always);
    assert_eq!(Answer::of(bare()).await.refusal(), "415 E_UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(lab.get("org/EXAMPLE-NET-1").await.status, 200);
}

// Payloads, "Error Payload": E_METHOD_NOT_ALLOWED.
#[tokio::test]
async fn a_call_by_another_method_is_not_allowed() {
    let lab = Lab::demo().await;
    assert_eq!(lab.call("POST", "net/NET-23-144-2-0-1", "").await.refusal(), "405 E_METHOD_NOT_ALLOWED");
    assert_eq!(lab.call("GET", &format!("net/{PARENT}/reassign"), "").await.refusal(), "405 E_METHOD_NOT_ALLOWED");
    assert_eq!(lab.call("GET", "colour/red", "").await.refusal(), "404 E_OBJECT_NOT_FOUND");
}

// Payloads: UTF-8 or US-ASCII.
#[tokio::test]
async fn another_encoding_is_refused() {
    let lab = Lab::demo().await;
    let body = net(&simple()).replace("Sample Orchard", "Caf#").into_bytes();
    let body: Vec<u8> = body.into_iter().map(|byte| if byte == b'#' { 0xe9 } else { byte }).collect();
    let request = lab.request("PUT", &format!("net/{PARENT}/reassign"), "").body(body);
    assert_eq!(Answer::of(request).await.refusal(), "400 E_SCHEMA_VALIDATION");
}
