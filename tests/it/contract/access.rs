//! Who may ask, and whom they reach.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Target, things::NOTES};

const CHECK: &str = "/api/authentication-check/";

pub(crate) async fn a_v2_token_is_taken_as_bearer(target: &Target) {
    let user = target.get(CHECK).await.expect(200);
    assert!(!user["username"].as_str().unwrap().is_empty());
    assert_eq!(user["permissions"], json!([]), "those of a superuser are not listed");
}

pub(crate) async fn a_v1_token_is_taken_as_token(target: &Target) {
    let token = format!("Token {}", target.tokens.v1);
    target.send(Method::GET, CHECK, None, &[("authorization", &token)]).await.expect(200);
}

pub(crate) async fn a_wrong_token_is_forbidden(target: &Target) {
    for path in [CHECK, "/api/status/", "/api/ipam/rirs/"] {
        let answer = target.send(Method::GET, path, None, &[("authorization", "Bearer nbt_nobody.nothing")]).await;
        assert_eq!(answer.expect(403), json!({ "detail": "Invalid v2 token" }));
    }
    let answer = target.send(Method::GET, CHECK, None, &[("authorization", "Token deadbeef")]).await;
    assert_eq!(answer.expect(403), json!({ "detail": "Invalid v1 token" }));
}

pub(crate) async fn no_token_is_forbidden(target: &Target) {
    let answer = target.send(Method::GET, "/api/ipam/rirs/", None, &[("authorization", "")]).await;
    assert_eq!(answer.expect(403), json!({ "detail": "Authentication credentials were not provided." }));
}

async fn as_reader(target: &Target, method: Method, path: &str, body: Option<Value>) -> Answer {
    let token = format!("Bearer {}", target.tokens.reader);
    target.send(method, path, body, &[("authorization", &token)]).await
}

pub(crate) async fn a_user_without_permissions_may_do_nothing(target: &Target) {
    target.share().await;
    as_reader(target, Method::GET, CHECK, None).await.expect(200);
    as_reader(target, Method::GET, "/api/status/", None).await.expect(200);
    let denied = json!({ "detail": "You do not have permission to perform this action." });
    for path in [NOTES, "/api/ipam/rirs/", "/api/plugins/custom-objects/custom-object-types/"] {
        assert_eq!(as_reader(target, Method::GET, path, None).await.expect(403), denied, "{path}");
    }
    assert_eq!(as_reader(target, Method::POST, NOTES, Some(json!([]))).await.expect(403), denied);
    let apply = "/api/plugins/custom-objects/schema/apply/";
    let told = as_reader(target, Method::POST, apply, Some(json!({}))).await.expect(403);
    let told = told["detail"].as_str().unwrap();
    assert!(told.starts_with("You do not have permission to apply a schema document."), "{told}");
}

pub(crate) async fn options_tell_whether_objects_can_be_added(target: &Target) {
    target.share().await;
    for path in [NOTES, "/api/ipam/aggregates/"] {
        let told = target.send(Method::OPTIONS, path, None, &[]).await.expect(200);
        assert!(told["actions"]["POST"].is_object(), "{path}");
        let told = as_reader(target, Method::OPTIONS, path, None).await.expect(200);
        assert_eq!(told.get("actions"), None, "{path}");
    }
}

pub(crate) async fn the_status_tells_versions(target: &Target) {
    let status = target.get("/api/status/").await.expect(200);
    assert_eq!(status["netbox-version"], "4.7.3");
    assert_eq!(status["plugins"]["netbox_custom_objects"], "0.7.1");
}

pub(crate) async fn an_unknown_path_is_an_html_page(target: &Target) {
    let answer = target.get("/api/nothing/").await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("content-type").starts_with("text/html"));
}

pub(crate) async fn a_path_without_a_slash_at_its_end_is_moved(target: &Target) {
    let answer = target.get("/api/ipam/rirs").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (301, "/api/ipam/rirs/"));
}
