//! Who may ask, and whom they reach.

use reqwest::Method;
use serde_json::json;

use super::Target;

const CHECK: &str = "/api/authentication-check/";

pub(crate) async fn a_v2_token_is_taken_as_bearer(target: &Target) {
    let user = target.get(CHECK).await.expect(200);
    assert!(!user["username"].as_str().unwrap().is_empty());
    assert_eq!(user["permissions"], json!([]), "those of a superuser are not listed");
}

pub(crate) async fn a_v1_token_is_taken_as_token(target: &Target) {
    let token = format!("Token {}", target.token_v1);
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
